/* Joins two streams of figures: the gauges of the loop threads, which come with the record's
 * intervals about a second late, and samples of the machine, taken once a second by the conductor.
 * An interval is judged with the worst sample that overlaps it. */
#include "run/overseer.h"

#include "base/memory.h"
#include "base/unit.h"
#include "run/machine_watch.h"
#include "run/need.h"
#include "run/target_place.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct overseer {
    const struct plan *plan;
    struct recorder *recorder;
    uint32_t threads;
    struct generator_account generator;
    struct machine_watch *machine;
    struct need_limits limits;
    double own_descriptors, address_pairs;
    nsec_t judged_ns; /* intervals that end by then are judged */
    enum generator_state last;
    char last_words[GENERATOR_WORDS];
    char line[GENERATOR_WORDS + 80];
};

struct overseer *overseer_new(const struct plan *plan, struct recorder *recorder, uint32_t threads)
{
    struct overseer *overseer = memory_new(1, sizeof *overseer);
    overseer->plan = plan;
    overseer->recorder = recorder;
    overseer->threads = threads;
    overseer->generator.shares_machine = target_on_this_machine(plan);
    overseer->machine = machine_watch_new();
    need_limits_read(&overseer->limits);
    struct need need = need_of(plan, threads);
    overseer->own_descriptors = (double)(need.descriptors - need.connections);
    overseer->address_pairs = (double)need.pairs;
    return overseer;
}

struct overseer *overseer_free(struct overseer *overseer)
{
    if (!overseer)
        return NULL;
    machine_watch_free(overseer->machine);
    free(overseer);
    return NULL;
}

void overseer_sample(struct overseer *overseer, nsec_t now_ns)
{
    machine_watch_sample(overseer->machine, now_ns);
}

/* The share of a limit that is left; 1 when the limit is not known. */
static double share_left(double used, double limit)
{
    return limit > 0 ? fmax(0, 1 - used / limit) : 1;
}

static nsec_t quantile_of(const struct result_sum *sum, uint32_t metric, double share)
{
    nsec_t value_ns = 0;
    hist_quantile(result_hist(sum, metric), share, &value_ns);
    return value_ns;
}

/* What the record says of an interval. A stretch too short to hold a steady share, as the last one
 * of a run may be, does not count for the verdict. */
static struct generator_interval interval_of(const struct overseer *overseer,
                                             const struct result *result,
                                             const struct result_point *point)
{
    const uint64_t *counters = point->sum->counters;
    double connections = point->gauges[GAUGE_CONNECTIONS];
    nsec_t length = point->end_ns - point->begin_ns;
    bool excluded = point->phase < result->phase_count && result->phases[point->phase].excluded;
    return (struct generator_interval){
        .begin_ns = point->begin_ns,
        .end_ns = point->end_ns,
        .measured = !excluded && length >= overseer->plan->interval_ns / 4,
        .threads = overseer->threads,
        .busy_share = point->gauges[GAUGE_BUSY],
        .loop_lag_ns = (nsec_t)point->gauges[GAUGE_LOOP_LAG],
        .run_delay_ns = point->gauges[GAUGE_RUN_DELAY],
        .cpu_ns = point->gauges[GAUGE_CPU],
        .started = counters[COUNT_OFFERED], /* lateness is counted when it falls due */
        .late = counters[COUNT_LATE],
        .late_p95_ns = quantile_of(point->sum, HIST_LATE, 0.95),
        .response_p50_ns = quantile_of(point->sum, HIST_RESPONSE, 0.50),
        .local_errors = counters[COUNT_ERROR_GENERATOR],
        .descriptors_left = share_left(connections + overseer->own_descriptors,
                                       (double)overseer->limits.descriptors),
        .ports_left =
            share_left(connections, (double)overseer->limits.ports * overseer->address_pairs),
    };
}

static void judge_point(struct overseer *overseer, const struct result *result,
                        const struct result_point *point)
{
    char words[GENERATOR_WORDS];
    struct generator_interval interval = interval_of(overseer, result, point);
    machine_watch_over(overseer->machine, &interval);
    enum generator_state state = generator_add(&overseer->generator, &interval, words);
    if (state == GENERATOR_SATURATED)
        recorder_saturated(overseer->recorder, point->begin_ns, point->end_ns, words);
    if (state != overseer->last) {
        char line[GENERATOR_WORDS + 40];
        snprintf(line, sizeof line, "%s%s%s", generator_state_word(state), words[0] ? ": " : "",
                 words);
        recorder_event(overseer->recorder, point->begin_ns, "generator", line);
    }
    overseer->last = state;
    snprintf(overseer->last_words, sizeof overseer->last_words, "%s", words);
}

void overseer_judge(struct overseer *overseer, const struct result *result, bool all)
{
    for (size_t i = 0; i < result->point_count; i++) {
        const struct result_point *point = &result->points[i];
        bool complete = all || point->end_ns + overseer->plan->interval_ns / 2 <= result->end_ns;
        if (point->end_ns <= overseer->judged_ns || !complete)
            continue;
        judge_point(overseer, result, point);
        overseer->judged_ns = point->end_ns;
    }
}

/* The 99th percentile of the generator's own lateness; false when nothing was recorded. */
static bool lag_p99(const struct result *result, nsec_t *lag_ns)
{
    return hist_quantile(result_hist(result->total, HIST_LATE), 0.99, lag_ns) == 0;
}

const char *overseer_words(struct overseer *overseer, const struct result *recent)
{
    char cpu[UNIT_ROOM], lag[UNIT_ROOM];
    nsec_t lag_ns = 0;
    struct text line = TEXT_EMPTY;
    text_printf(&line, "%s (cpu %s", generator_state_word(overseer->last),
                unit_write_share(cpu, generator_cpu_share(&overseer->generator)));
    if (lag_p99(recent, &lag_ns))
        text_printf(&line, ", lag p99 %s", unit_write_duration(lag, lag_ns));
    if (overseer->last_words[0])
        text_printf(&line, ", %s", overseer->last_words);
    text_puts(&line, ")");
    snprintf(overseer->line, sizeof overseer->line, "%s", line.at);
    text_fini(&line);
    return overseer->line;
}

static void fact(struct overseer *overseer, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fact(struct overseer *overseer, const char *name, const char *format, ...)
{
    char value[GENERATOR_WORDS];
    va_list list;
    va_start(list, format);
    vsnprintf(value, sizeof value, format, list);
    va_end(list);
    recorder_fact(overseer->recorder, name, value);
}

enum generator_state overseer_conclude(struct overseer *overseer, const struct result *result)
{
    const struct generator_account *generator = &overseer->generator;
    char words[GENERATOR_WORDS];
    enum generator_state state = generator_verdict(generator, words);
    nsec_t lag_ns = 0;
    fact(overseer, "generator.verdict", "%s", generator_state_word(state));
    fact(overseer, "generator.reason", "%s", words);
    fact(overseer, "generator.threads", "%" PRIu32, overseer->threads);
    fact(overseer, "generator.cpu_share", "%.4f", generator_cpu_share(generator));
    fact(overseer, "generator.late", "%" PRIu64, generator->late);
    fact(overseer, "generator.saturated_s", "%.3f", (double)generator->saturated_ns / 1e9);
    fact(overseer, "generator.suspect_s", "%.3f", (double)generator->suspect_ns / 1e9);
    fact(overseer, "generator.shares_machine", "%s", generator->shares_machine ? "true" : "false");
    if (lag_p99(result, &lag_ns))
        fact(overseer, "generator.lag_p99_ns", "%" PRId64, lag_ns);
    return state;
}

bool overseer_shares_machine(const struct overseer *overseer)
{
    return overseer->generator.shares_machine;
}
