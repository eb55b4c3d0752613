/* Whether a level has been measured enough is asked twice a second of all that it recorded so far:
 * what lies before the last user arrived is left out, MSER-5 cuts the rest of the warm-up, and what
 * is then left must be as long as wanted, steady, and of enough requests. */
#include "run/level_run.h"

#include "base/memory.h"
#include "stat/hist.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRIFT_TOLERANCE   0.01
#define LEAST_INTERVAL_NS (100 * NSEC_PER_MSEC)
enum { LOOKS = 5 };       /* at resources, in a level, at least */
enum { INTERVALS = 120 }; /* of a level: MSER-5 needs 50, and drift batches of several */

/* A level under way, as the hook of its run sees it. */
struct level_watch {
    nsec_t arrived_ns, wanted_ns;
    uint64_t least;
    nsec_t reduced_ns;    /* when safety took load away; 0: it did not */
    bool done, prolonged; /* it was long enough before, and not steady or of too few requests */
    struct kept kept;
};

/* A load that safety reduced is no longer the level's: it ends there. */
static nsec_t reduced_at(const struct result *result)
{
    for (size_t i = 0; i < result->event_count; i++)
        if (strcmp(result->events[i].kind, "reduce") == 0)
            return result->events[i].at_ns > 0 ? result->events[i].at_ns : 1;
    return 0;
}

/* What happened to the target or to the test, and not to the figures alone. */
static void tell_events(const struct level_order *order, const struct result *result)
{
    static const char *const kinds[] = {"reduce", "safety", "restart", "gone", "oom", "threshold"};
    for (size_t i = 0; order->suite && i < result->event_count; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            if (strcmp(result->events[i].kind, kinds[k]) == 0)
                suite_add_event(order->suite, order->begin_ns + result->events[i].at_ns, kinds[k],
                                result->events[i].words);
}

static bool enough(void *self, const struct result *whole, nsec_t elapsed_ns)
{
    struct level_watch *watch = self;
    watch->reduced_ns = reduced_at(whole);
    if (watch->reduced_ns)
        return true;
    if (elapsed_ns < watch->arrived_ns + watch->wanted_ns)
        return false;
    kept_find(whole, watch->arrived_ns, elapsed_ns, DRIFT_TOLERANCE, &watch->kept);
    /* The record is one interval behind, and that is no reason to go on. */
    nsec_t slack_ns = whole->interval_ns * 2;
    bool long_enough = watch->kept.end_ns - watch->kept.begin_ns + slack_ns >= watch->wanted_ns;
    watch->done = long_enough && watch->kept.steady && watch->kept.requests >= watch->least;
    watch->prolonged |= long_enough && !watch->done;
    return watch->done;
}

static nsec_t interval_of(const struct plan *plan, nsec_t measure_ns)
{
    nsec_t interval_ns = measure_ns / INTERVALS;
    interval_ns -= interval_ns % (NSEC_PER_SEC / 100); /* hundredths are easier to read */
    if (interval_ns < LEAST_INTERVAL_NS)
        interval_ns = LEAST_INTERVAL_NS;
    nsec_t most_ns = plan->interval_ns > NSEC_PER_SEC ? plan->interval_ns : NSEC_PER_SEC;
    return interval_ns > most_ns ? most_ns : interval_ns;
}

static const char *file_of(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "";
}

/* What the level is worth, from how it ended. */
static void judge(const struct level_watch *watch, bool cut_short, struct level *level,
                  struct level_outcome *out)
{
    const struct kept *kept = &watch->kept;
    snprintf(out->words, sizeof out->words, "%s", kept->words);
    if (watch->reduced_ns) {
        level->state = LEVEL_STOPPED;
        snprintf(out->words, sizeof out->words, "its load was reduced for safety");
    } else if (cut_short) {
        level->state = LEVEL_STOPPED;
        snprintf(out->words, sizeof out->words, "%.150s", out->why ? out->why : "it ended early");
    } else if (kept->requests < watch->least) {
        level->state = LEVEL_SHORT;
        snprintf(out->words, sizeof out->words,
                 "%" PRIu64 " requests; its percentiles need %" PRIu64, kept->requests,
                 watch->least);
    } else {
        level->state = kept->steady ? LEVEL_STEADY : LEVEL_NOT_STEADY;
    }
    out->prolonged = watch->prolonged;
}

static void measure(const struct level_order *order, struct level_watch *watch,
                    const struct run_report *report, struct level_series *series,
                    struct level_outcome *out)
{
    const struct rung *rung = order->rung;
    const struct result *result = report->result;
    nsec_t end_ns = result->end_ns < rung->most_ns ? result->end_ns : rung->most_ns;
    if (watch->reduced_ns && watch->reduced_ns < end_ns)
        end_ns = watch->reduced_ns;
    tell_events(order, result);
    bool cut_short =
        !watch->done && (report->outcome == RUN_INTERRUPTED || report->outcome == RUN_DISK_FULL ||
                         end_ns + NSEC_PER_SEC < rung->most_ns);
    if (!watch->done)
        kept_find(result, watch->arrived_ns < end_ns ? watch->arrived_ns : 0, end_ns,
                  DRIFT_TOLERANCE, &watch->kept);
    struct level *level = series_add(series);
    level->users = rung->users;
    level->rate = rung->rate;
    level->instances = isnan(rung->instances) ? 1 : rung->instances;
    level->size = rung->size;
    level->size_name = memory_copy_text("");
    level->replicate = rung->replicate;
    level->run = memory_copy_text(file_of(report->run_path));
    level_measure(result, watch->kept.begin_ns, watch->kept.end_ns, level);
    level_goodput(result, (double)order->plan->scale.critical_response_ns / 1e9, level);
    level->warmup_s = (double)watch->kept.begin_ns / 1e9;
    judge(watch, cut_short, level, out);
    out->level = level;
}

void level_run(const struct level_order *order, struct level_series *series,
               struct level_outcome *out)
{
    const struct rung *rung = order->rung;
    struct plan *plan = order->plan;
    char name[100];
    struct level_watch watch = {.arrived_ns = ladder_arrival_ns(plan, rung->users),
                                .wanted_ns = rung->measure_ns,
                                .least = plan->scale.min_samples ? plan->scale.min_samples
                                                                 : hist_count_for(0.95)};
    snprintf(name, sizeof name, "level %zu of %zu: %s", order->number, order->count, rung->name);
    nsec_t interval_ns = plan->interval_ns, looks_ns = plan->watch.interval_ns;
    if (plan->watch.interval_ns > rung->measure_ns / LOOKS)
        plan->watch.interval_ns = rung->measure_ns / LOOKS > LEAST_INTERVAL_NS
                                      ? rung->measure_ns / LOOKS
                                      : LEAST_INTERVAL_NS;
    plan_hold(plan, &(struct plan_load){.users = rung->users,
                                        .rate = rung->rate,
                                        .duration_ns = rung->most_ns,
                                        .interval_ns = interval_of(plan, rung->measure_ns),
                                        .name = name});
    struct run_options options = *order->options;
    options.plan = plan;
    options.enough = enough;
    options.enough_self = &watch;
    struct run_report report;
    *out = (struct level_outcome){.level = NULL};
    run_plan(&options, &report);
    out->outcome = report.outcome;
    out->why = memory_copy_text(report.why);
    if (report.result)
        measure(order, &watch, &report, series, out);
    run_report_fini(&report);
    plan->interval_ns = interval_ns;
    plan->watch.interval_ns = looks_ns;
}

void level_outcome_fini(struct level_outcome *outcome)
{
    free(outcome->why);
    *outcome = (struct level_outcome){.level = NULL};
}
