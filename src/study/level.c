/* A level is measured from the points of its stretch: counts and histograms are added, gauges are
 * averaged over time. The mean concurrency comes from the gauges and the throughput from the
 * counts, so that Little's law compares two measurements and not one with itself.
 *
 *   Source   Little 1961, L = X R; of every stretch with little left over at its ends.
 *   Tests    test/unit/study/level.c */
#include "study/level.h"

#include "base/memory.h"
#include "study/leak.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double seconds_of(nsec_t duration_ns)
{
    return (double)duration_ns / (double)NSEC_PER_SEC;
}

/* ---- response times ------------------------------------------------------------------------ */

static double quantile_s(const struct hist *done, const struct hist *censored, double share)
{
    nsec_t value_ns;
    bool at_least;
    if (done->count + censored->count < hist_count_for(share) ||
        hist_quantile_censored(done, censored, share, &value_ns, &at_least) != 0)
        return NAN;
    return seconds_of(value_ns);
}

static void measure_times(const struct result_sum *sum, struct level *level)
{
    const struct hist *done = result_hist(sum, HIST_RESPONSE),
                      *censored = result_hist(sum, HIST_CENSORED),
                      *service = result_hist(sum, HIST_SERVICE);
    uint64_t count = done->count + censored->count;
    nsec_t most_ns = done->count ? done->most : 0;
    if (censored->count && censored->most > most_ns)
        most_ns = censored->most;
    if (count) {
        level->mean_s = (done->sum_ns + censored->sum_ns) / (double)count / 1e9;
        level->most_s = seconds_of(most_ns);
    }
    level->p50_s = quantile_s(done, censored, 0.5);
    level->p95_s = quantile_s(done, censored, 0.95);
    level->p99_s = quantile_s(done, censored, 0.99);
    level->service_s = service->count ? hist_mean(service) / 1e9 : NAN;
}

/* ---- counts -------------------------------------------------------------------------------- */

static void measure_counts(const struct result_sum *sum, struct level *level)
{
    const uint64_t *counters = sum->counters;
    uint64_t succeeded = counters[COUNT_SUCCEEDED];
    double measured_s = seconds_of(sum->measured_ns);
    level->timed_out = counters[COUNT_TIMED_OUT];
    level->failed = counters[COUNT_FAILED] + level->timed_out;
    level->requests = succeeded + level->failed;
    level->measured_s = measured_s;
    level->throughput = measured_s > 0 ? (double)succeeded / measured_s : NAN;
    level->error_share = level->timeout_share = NAN;
    if (level->requests) {
        level->error_share = (double)level->failed / (double)level->requests;
        level->timeout_share = (double)level->timed_out / (double)level->requests;
    }
}

/* Failures by what users look for: the status where there was an answer, else what went wrong. */
static void measure_errors(const struct result_sum *sum, struct level *level)
{
    static const struct {
        uint32_t counter;
        const char *words;
    } kinds[] = {
        {COUNT_ERROR_RESPONSE_TIMEOUT, "timeout"},
        {COUNT_ERROR_CONNECT_TIMEOUT, "connect timeout"},
        {COUNT_ERROR_REFUSED, "refused"},
        {COUNT_ERROR_RESET, "reset"},
        {COUNT_ERROR_UNREACHABLE, "unreachable"},
        {COUNT_ERROR_DNS, "name look-up"},
        {COUNT_ERROR_TLS, "TLS"},
        {COUNT_ERROR_PROTOCOL, "protocol"},
        {COUNT_ERROR_TOO_LARGE, "response too large"},
        {COUNT_ERROR_GENERATOR, "generator out of resources"},
        {COUNT_CHECKS_FAILED, "failed check"},
    };
    for (uint32_t code = 400; code < TALLY_STATUS_CODES; code++) {
        char words[16];
        uint64_t count = result_status(sum, code);
        snprintf(words, sizeof words, "%" PRIu32, code);
        if (count)
            level_add_error(level, words, count);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (sum->counters[kinds[i].counter])
            level_add_error(level, kinds[i].words, sum->counters[kinds[i].counter]);
}

static uint32_t find_metric(const struct metric *metrics, size_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(metrics[i].name, name) == 0)
            return i;
    return UINT32_MAX;
}

/* What drivers of streamed answers count, found by name since they are above this room. */
static void measure_stream(const struct result *result, const struct result_sum *sum,
                           struct level *level)
{
    const struct metric_table *metrics = &result->metrics;
    uint32_t ttft = find_metric(metrics->hists, metrics->hist_count, "ttft"),
             tokens = find_metric(metrics->counters, metrics->counter_count, "output_tokens"),
             good = find_metric(metrics->counters, metrics->counter_count, "good"),
             missed = find_metric(metrics->counters, metrics->counter_count, "missed");
    const struct hist *hist = ttft == UINT32_MAX ? NULL : result_hist(sum, ttft);
    nsec_t value_ns;
    if (hist && hist->count >= hist_count_for(0.95) && hist_quantile(hist, 0.95, &value_ns) == 0)
        level->ttft_p95_s = seconds_of(value_ns);
    if (tokens != UINT32_MAX && sum->counters[tokens] && level->measured_s > 0)
        level->tokens_s = (double)sum->counters[tokens] / level->measured_s;
    bool judged = good != UINT32_MAX && missed != UINT32_MAX &&
                  sum->counters[good] + sum->counters[missed] > 0;
    if (judged && level->measured_s > 0)
        level->goodput = (double)sum->counters[good] / level->measured_s;
}

/* ---- what was in the system ---------------------------------------------------------------- */

/* Mean gauges of the points whose middle lies in the stretch, each weighed by its length. */
struct gauges {
    double users, inside, weight;
    uint32_t points, saturated;
};

static struct gauges gauges_of(const struct result *result, nsec_t begin_ns, nsec_t end_ns)
{
    struct gauges mean = {0};
    for (size_t i = 0; i < result->point_count; i++) {
        const struct result_point *point = &result->points[i];
        nsec_t middle_ns = point->begin_ns + (point->end_ns - point->begin_ns) / 2;
        if (middle_ns < begin_ns || middle_ns > end_ns)
            continue;
        double weight = seconds_of(point->end_ns - point->begin_ns);
        mean.users += weight * point->gauges[GAUGE_USERS];
        mean.inside += weight * (point->gauges[GAUGE_IN_FLIGHT] + point->gauges[GAUGE_WAITING]);
        mean.weight += weight;
        mean.points++;
        mean.saturated += point->saturated;
    }
    if (mean.weight > 0) {
        mean.users /= mean.weight;
        mean.inside /= mean.weight;
    }
    return mean;
}

/* What its points of this stretch say (the rule of run/generator.h: two intervals and a tenth of
 * them). Where they say nothing, a run that was saturated elsewhere leaves a doubt; where there are
 * none, the fact of the whole run holds. */
static int generator_of(const struct result *result, const struct gauges *gauges)
{
    const char *words = result_fact(result, "generator.verdict");
    if (gauges->points && gauges->saturated >= 2 && gauges->saturated * 10 >= gauges->points)
        return 2;
    if (words && strcmp(words, "saturated") == 0)
        return gauges->points ? 1 : 2;
    return words && strcmp(words, "ok") != 0 ? 1 : 0;
}

/* The time that requests spent in the system, of every fate, divided by the stretch, is their mean
 * number; what the gauges saw is the same measured otherwise. */
static void measure_inside(const struct result *result, const struct result_sum *sum,
                           struct level *level)
{
    struct gauges gauges = gauges_of(result, level->begin_ns, level->end_ns);
    level->generator = generator_of(result, &gauges);
    if (gauges.points == 0)
        return;
    level->concurrency = gauges.inside;
    double stayed_s =
        (result_hist(sum, HIST_RESPONSE)->sum_ns + result_hist(sum, HIST_FAILED)->sum_ns +
         result_hist(sum, HIST_CENSORED)->sum_ns) /
        1e9;
    if (gauges.inside > 0 && level->measured_s > 0)
        level->little = stayed_s / level->measured_s / gauges.inside - 1;
    double ended = level->measured_s > 0 ? (double)level->requests / level->measured_s : 0;
    if (!isnan(level->users) && ended > 0)
        level->think_s = fmax(0, (gauges.users - gauges.inside) / ended);
}

static void measure_resources(const struct result *result, struct level *level)
{
    for (size_t i = 0; i < result->series_count; i++) {
        const struct result_series *series = &result->series[i];
        struct series_figures figures = result_series_over(series, level->begin_ns, level->end_ns);
        if (figures.count == 0 || series->watched >= result->watched_count)
            continue;
        const struct result_watched *watched = &result->watched[series->watched];
        struct level_resource *resource = level_add_resource(level);
        resource->thing = memory_copy_text(watched->name);
        resource->role = memory_copy_text(watched->role);
        resource->metric = memory_copy_text(series->metric);
        resource->part = memory_copy_text(series->part);
        resource->unit = memory_copy_text(series->unit);
        resource->mean = figures.mean;
        resource->p95 = figures.p95;
        resource->most = figures.most;
        resource->slope = figures.slope;
        leak_slope(series, level->begin_ns, level->end_ns, &resource->slope_low,
                   &resource->slope_high);
        resource->count = figures.count;
    }
}

/* What each of several targets answered: counters of the record, in the order of the plan. */
static void measure_targets(const struct result *result, const struct result_sum *sum,
                            struct level *level)
{
    const struct metric_table *metrics = &result->metrics;
    for (size_t i = CORE_COUNTERS; i < metrics->counter_count; i++) {
        if (strncmp(metrics->counters[i].name, TARGET_COUNTER, sizeof TARGET_COUNTER - 1) != 0)
            continue;
        level_add_served(level, sum->counters[i]);
        level->served_by_users = true;
    }
}

void level_measure(const struct result *result, nsec_t begin_ns, nsec_t end_ns, struct level *level)
{
    struct result_sum *sum = result_window(result, begin_ns, end_ns, UINT32_MAX);
    level->begin_ns = begin_ns;
    level->end_ns = end_ns;
    measure_counts(sum, level);
    measure_times(sum, level);
    measure_errors(sum, level);
    measure_stream(result, sum, level);
    measure_inside(result, sum, level);
    measure_resources(result, level);
    measure_targets(result, sum, level);
    result_sum_free(sum, &result->metrics);
}

void level_goodput(const struct result *result, double slo_response_s, struct level *level)
{
    if (!isnan(level->goodput) || !(slo_response_s > 0) || !(level->measured_s > 0))
        return;
    struct result_sum *sum = result_window(result, level->begin_ns, level->end_ns, UINT32_MAX);
    nsec_t limit_ns = (nsec_t)(slo_response_s * 1e9);
    level->goodput =
        (double)hist_count_to(result_hist(sum, HIST_RESPONSE), limit_ns) / level->measured_s;
    result_sum_free(sum, &result->metrics);
}

/* ---- a run as a suite ---------------------------------------------------------------------- */

/* Whether what the plan asked for in a phase is arrivals and not users: the name of a level says
 * it ("level 2 of 3: 50/s"). */
static bool is_open(const struct result_phase *phase)
{
    size_t length = strlen(phase->name ? phase->name : "");
    return length > 2 && strcmp(phase->name + length - 2, "/s") == 0;
}

/* Without load levels the load asked for is what the gauges saw: users, or none known. */
static void measure_whole(const struct result *result, struct level_series *series)
{
    struct level *level = series_add(series);
    struct gauges gauges = gauges_of(result, 0, result->end_ns);
    level->users = gauges.users > 0 ? gauges.users : NAN;
    level_measure(result, 0, result->end_ns, level);
    level->warmup_s = 0;
}

struct suite *suite_of_run(const struct result *result, double slo_response_s)
{
    struct suite *suite = suite_new();
    suite->name = memory_copy_text(result->name);
    suite->target = memory_copy_text(result->target);
    suite->version = memory_copy_text(result->version);
    suite->host = memory_copy_text(result->host);
    suite->wall_start_ns = result->wall_start_ns;
    suite->time_scale = result->time_scale;
    suite->slo_response_s = slo_response_s;
    struct level_series *series = suite_add(suite, SUITE_RUN, result->name ? result->name : "run");
    for (size_t i = 0; i < result->phase_count; i++) {
        const struct result_phase *phase = &result->phases[i];
        if (!phase->level || phase->excluded || phase->end_ns <= phase->begin_ns)
            continue;
        struct level *level = series_add(series);
        *(is_open(phase) ? &level->rate : &level->users) = phase->target;
        level_measure(result, phase->begin_ns, phase->end_ns, level);
        level_goodput(result, slo_response_s, level);
        level->warmup_s = 0;
    }
    if (series->level_count == 0) {
        measure_whole(result, series);
        level_goodput(result, slo_response_s, &series->levels[0]);
    }
    for (size_t i = 0; i < result->event_count; i++)
        suite_add_event(suite, result->events[i].at_ns, result->events[i].kind,
                        result->events[i].words);
    return suite;
}
