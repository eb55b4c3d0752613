/* A rate at an instant covers the time since the one before, so that the first gives no count. */
#include "study/foreign.h"

#include "base/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double least_share = 0.05, sigmas = 4;

bool foreign_traffic(const struct foreign_counts *counts, double *share)
{
    double more = counts->theirs - counts->ours;
    if (counts->seconds <= 0 || counts->theirs <= 0 || more <= counts->slack ||
        more < least_share * counts->theirs)
        return false;
    *share = more / counts->theirs;
    return true;
}

static bool is_requests(const struct result_series *series)
{
    size_t length = strlen(series->metric);
    return length > 9 && strcmp(series->metric + length - 9, ".requests") == 0 &&
           strcmp(series->unit, "1/s") == 0 && series->count >= 2;
}

/* What we sent in a stretch, and the most that was under way at once. */
static double sent_in(const struct result *result, nsec_t begin_ns, nsec_t end_ns, double *most)
{
    double sent = 0;
    *most = 0;
    for (size_t i = 0; i < result->point_count; i++) {
        const struct result_point *point = &result->points[i];
        nsec_t middle_ns = point->begin_ns / 2 + point->end_ns / 2;
        double under_way = point->gauges[GAUGE_IN_FLIGHT];
        *most = under_way > *most ? under_way : *most;
        if (middle_ns >= begin_ns && middle_ns < end_ns)
            sent += (double)point->sum->counters[COUNT_ATTEMPTS];
    }
    return sent;
}

/* All series of one metric together, over the time that each of them covers. */
static void count_metric(const struct result *result, const char *metric,
                         struct foreign_counts *out)
{
    nsec_t begin_ns = 0, end_ns = NSEC_NEVER;
    double step_ns = 0, most = 0;
    *out = (struct foreign_counts){.theirs = 0};
    for (size_t i = 0; i < result->series_count; i++) {
        const struct result_series *series = &result->series[i];
        if (!is_requests(series) || strcmp(series->metric, metric) != 0)
            continue;
        nsec_t first_ns = series->at_ns[0], last_ns = series->at_ns[series->count - 1];
        begin_ns = first_ns > begin_ns ? first_ns : begin_ns;
        end_ns = last_ns < end_ns ? last_ns : end_ns;
        step_ns = fmax(step_ns, (double)(last_ns - first_ns) / (double)(series->count - 1));
        for (size_t k = 1; k < series->count; k++)
            out->theirs += series->values[k] * (double)(series->at_ns[k] - series->at_ns[k - 1]) /
                           (double)NSEC_PER_SEC;
    }
    if (end_ns <= begin_ns || end_ns == NSEC_NEVER)
        return;
    out->seconds = (double)(end_ns - begin_ns) / (double)NSEC_PER_SEC;
    out->ours = sent_in(result, begin_ns, end_ns, &most);
    double edge_s = (step_ns + (double)result->interval_ns) / (double)NSEC_PER_SEC;
    out->slack = most + 2 * edge_s * out->ours / out->seconds + sigmas * sqrt(out->ours + 1);
}

size_t foreign_find(const struct result *result, struct text *out)
{
    size_t found = 0;
    for (size_t i = 0; i < result->series_count; i++) {
        struct foreign_counts counts;
        double share = 0;
        char part[UNIT_ROOM], theirs[UNIT_ROOM], ours[UNIT_ROOM];
        bool told = !is_requests(&result->series[i]);
        for (size_t k = 0; k < i && !told; k++)
            told = is_requests(&result->series[k]) &&
                   strcmp(result->series[k].metric, result->series[i].metric) == 0;
        if (told)
            continue;
        count_metric(result, result->series[i].metric, &counts);
        if (!foreign_traffic(&counts, &share))
            continue;
        text_printf(out,
                    "%s%s of the target's requests are not ours: it counted %s (%s), we sent %s",
                    found++ ? "; " : "", unit_write_share(part, share),
                    unit_write_count(theirs, (uint64_t)counts.theirs), result->series[i].metric,
                    unit_write_count(ours, (uint64_t)counts.ours));
    }
    return found;
}
