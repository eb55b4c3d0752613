/* The points of a stretch become two series; see study/kept.h and stat/steady.h. */
#include "study/kept.h"

#include "base/memory.h"
#include "stat/steady.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What the points of a stretch say, one value each. */
struct stretch {
    size_t count;
    nsec_t *begin_ns, *end_ns;
    double *rates, *responses;
    uint64_t *ended;
};

/* A point without an answer has no response time: it takes that of the point before, so that a
 * sparse series has no holes. */
static void stretch_init(struct stretch *stretch, const struct result *result, nsec_t begin_ns,
                         nsec_t end_ns)
{
    size_t room = result->point_count;
    *stretch = (struct stretch){.begin_ns = memory_new(room, sizeof(nsec_t)),
                                .end_ns = memory_new(room, sizeof(nsec_t)),
                                .rates = memory_new(room, sizeof(double)),
                                .responses = memory_new(room, sizeof(double)),
                                .ended = memory_new(room, sizeof(uint64_t))};
    double response = NAN;
    for (size_t i = 0; i < room; i++) {
        const struct result_point *point = &result->points[i];
        if (point->begin_ns < begin_ns || point->end_ns > end_ns ||
            point->end_ns <= point->begin_ns)
            continue;
        const uint64_t *counters = point->sum->counters;
        const struct hist *done = result_hist(point->sum, HIST_RESPONSE);
        if (done->count)
            response = hist_mean(done);
        size_t n = stretch->count++;
        stretch->begin_ns[n] = point->begin_ns;
        stretch->end_ns[n] = point->end_ns;
        stretch->rates[n] =
            (double)counters[COUNT_SUCCEEDED] * 1e9 / (double)(point->end_ns - point->begin_ns);
        stretch->responses[n] = response;
        stretch->ended[n] =
            counters[COUNT_SUCCEEDED] + counters[COUNT_FAILED] + counters[COUNT_TIMED_OUT];
    }
    for (size_t i = stretch->count; i-- > 0;) /* before the first answer: as it was */
        if (isnan(stretch->responses[i]) && i + 1 < stretch->count)
            stretch->responses[i] = stretch->responses[i + 1];
}

static void stretch_fini(struct stretch *stretch)
{
    free(stretch->begin_ns);
    free(stretch->end_ns);
    free(stretch->rates);
    free(stretch->responses);
    free(stretch->ended);
}

/* The cut of one series. A series in which nothing ever answered is steady in that; one too short
 * for MSER-5 loses its first fifth. */
static size_t cut_of(const double *values, size_t count, const char *name, struct kept *out)
{
    size_t cut = 0;
    if (count == 0 || isnan(values[0]))
        return 0;
    int outcome = steady_cut(values, count, &cut, NULL);
    if (outcome == STEADY_TOO_FEW)
        return count / 5;
    if (outcome == STEADY_NOT && out->steady) {
        out->steady = false;
        snprintf(out->words, sizeof out->words, "%s still moved at half of the level", name);
    }
    return cut;
}

static void test_drift(const double *values, size_t count, const char *name, double tolerance,
                       struct kept *out)
{
    if (!out->steady || (count && isnan(values[0])))
        return;
    struct steady_drift drift = steady_drift_of(values, count);
    bool still = count && drift.batches && isnan(drift.share) && drift.batches >= 5;
    if (still || steady_is(&drift, tolerance))
        return;
    out->steady = false;
    if (isnan(drift.share))
        snprintf(out->words, sizeof out->words, "too few intervals to say whether %s is steady",
                 name);
    else if (drift.low <= 0 && drift.high >= 0)
        snprintf(out->words, sizeof out->words,
                 "%s moved in a step or in long waves (correlation %.2f)", name, drift.lag1);
    else
        snprintf(out->words, sizeof out->words,
                 "%s drifted by %+.1f %% over the level (99 %% interval %+.1f to %+.1f %%)", name,
                 100 * drift.share, 100 * drift.low, 100 * drift.high);
}

void kept_find(const struct result *result, nsec_t begin_ns, nsec_t end_ns, double tolerance,
               struct kept *out)
{
    struct stretch stretch;
    *out = (struct kept){.begin_ns = begin_ns, .end_ns = end_ns, .steady = true};
    stretch_init(&stretch, result, begin_ns, end_ns);
    size_t cut = cut_of(stretch.rates, stretch.count, "throughput", out);
    size_t other = cut_of(stretch.responses, stretch.count, "response time", out);
    cut = other > cut ? other : cut;
    test_drift(stretch.rates + cut, stretch.count - cut, "throughput", tolerance, out);
    test_drift(stretch.responses + cut, stretch.count - cut, "response time", tolerance, out);
    if (cut < stretch.count) {
        out->begin_ns = stretch.begin_ns[cut];
        out->end_ns = stretch.end_ns[stretch.count - 1];
    }
    for (size_t i = cut; i < stretch.count; i++)
        out->requests += stretch.ended[i];
    stretch_fini(&stretch);
}
