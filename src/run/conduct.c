/* The conductor sleeps, and wakes for what is due: the generator once a second, thresholds twice,
 * progress as often as was asked. An interrupt, a full disk, a threshold that aborts and the hard
 * limit end the load early; engines always get to close their accounts. */
#include "run/conduct.h"

#include "base/error.h"
#include "base/unit.h"

#include <errno.h>
#include <stdio.h>

#define START_DELAY_NS    (20 * NSEC_PER_MSEC) /* all threads wake before the load begins */
#define TICK_NS           (100 * NSEC_PER_MSEC)
#define GUARD_NS          (500 * NSEC_PER_MSEC)
#define ENOUGH_NS         (500 * NSEC_PER_MSEC)
#define SAFETY_NS         (100 * NSEC_PER_MSEC)
#define SAFETY_WINDOW_NS  (3 * NSEC_PER_SEC)
#define OVERSEE_NS        NSEC_PER_SEC
#define RECENT_NS         (10 * NSEC_PER_SEC)
#define HARD_LIMIT_ADD_NS (30 * NSEC_PER_SEC) /* beyond plan and grace: something hangs */

/* When the next of each is due, since the run's start. */
struct agenda {
    nsec_t guard_ns, oversee_ns, progress_ns, enough_ns, safety_ns;
};

void conduct_blame(struct conduct *conduct, enum run_outcome outcome, const char *format, ...)
{
    if (conduct->outcome != RUN_PASSED)
        return;
    va_list list;
    va_start(list, format);
    conduct->outcome = outcome;
    text_vprintf(&conduct->why, format, list);
    va_end(list);
}

static nsec_t since_start(const struct conduct *conduct)
{
    return clock_monotonic_ns() - conduct->start_ns;
}

/* Stops the engines, once for each severity. */
static void stop(struct conduct *conduct, enum engine_stop how, const char *words)
{
    if (how <= conduct->stop)
        return;
    conduct->stop = how;
    recorder_event(conduct->recorder, since_start(conduct), "stop", words);
    log_say(conduct->options->log, LOG_NOTICE, "%s", words);
    team_stop(conduct->team, how);
}

static void heed_interrupts(struct conduct *conduct)
{
    int times = *conduct->options->interrupts;
    if (times == 0)
        return;
    nsec_t after_ns =
        since_start(conduct); /* the load may not have begun: its start is set ahead */
    conduct_blame(conduct, RUN_INTERRUPTED, "interrupted by the user after %.1f s",
                  after_ns > 0 ? (double)after_ns / 1e9 : 0.0);
    if (times == 1)
        stop(conduct, ENGINE_STOP_GRACEFULLY,
             "stopping: running requests may finish; interrupt again to stop at once");
    else
        stop(conduct, ENGINE_STOP_NOW, "stopping at once: what is in flight is abandoned");
}

static void heed_disk(struct conduct *conduct)
{
    int error = recorder_error(conduct->recorder);
    if (error == 0)
        return;
    char sentence[100];
    error_sentence(error, sentence, sizeof sentence);
    conduct_blame(conduct, error == -ENOSPC ? RUN_DISK_FULL : RUN_FAILED,
                  "the run file could not be written: %s", sentence);
    stop(conduct, ENGINE_STOP_GRACEFULLY, "stopping: the run file can not be written");
}

/* Users or rate that the plan asks for now, and the target of the last level that is over. */
static double load_now(const struct conduct *conduct, double *last_level)
{
    nsec_t at_ns = since_start(conduct);
    double now = 0;
    *last_level = 0;
    for (size_t i = 0; i < conduct->plan->scenario_count; i++)
        now += scenario_target_at(&conduct->plan->scenarios[i], at_ns);
    for (size_t i = 0; i < conduct->phase_count; i++)
        if (conduct->phases[i].level && conduct->phases[i].end_ns <= at_ns)
            *last_level = conduct->phases[i].target;
    return now;
}

static void reduce(struct conduct *conduct, double to, const char *words)
{
    double last_level = 0, now = load_now(conduct, &last_level);
    double share = safety_share(to, now, last_level);
    struct text line = TEXT_EMPTY;
    text_printf(&line, "reducing the load to %.3g of %.3g: %s", share * now, now, words);
    team_reduce(conduct->team, share);
    recorder_event(conduct->recorder, since_start(conduct), "reduce", line.at);
    log_say(conduct->options->log, LOG_NOTICE, "%s", line.at);
    text_fini(&line);
}

/* An emergency is not graceful: what is in flight is cut off, so that the load is gone at once. */
static void emergency(struct conduct *conduct, const char *words)
{
    conduct->emergency = conduct->outcome == RUN_PASSED;
    conduct_blame(conduct, RUN_THRESHOLDS, "emergency stop: %s", words);
    stop(conduct, ENGINE_STOP_NOW, "emergency stop: the load is ended at once");
}

static void heed_watch(struct conduct *conduct)
{
    struct watching_news news;
    if (conduct->stop == ENGINE_STOP_NOW)
        return;
    if (watching_limit(conduct->watching, SAFETY_STOP, &news))
        emergency(conduct, news.words);
    if (!conduct->stop && watching_limit(conduct->watching, SAFETY_REDUCE, &news))
        reduce(conduct, news.to, news.words);
    if (conduct->stop || !watching_limit(conduct->watching, SAFETY_STOP_GRACEFULLY, &news))
        return;
    conduct_blame(conduct, RUN_THRESHOLDS, "stopped by a limit of watch.stop: %s", news.words);
    stop(conduct, ENGINE_STOP_GRACEFULLY, "stopping: a limit of watch.stop was held");
}

static void endangered(void *self, const struct safety_finding *finding)
{
    struct conduct *conduct = self;
    recorder_event(conduct->recorder, since_start(conduct), "safety", finding->words);
    if (finding->action == SAFETY_STOP)
        emergency(conduct, finding->words);
    else if (finding->action == SAFETY_REDUCE)
        reduce(conduct, finding->to, finding->words);
    else
        log_say(conduct->options->log, LOG_WARNING, "%s", finding->words);
}

/* Judges the last second. */
static void look_at_safety(struct conduct *conduct)
{
    struct safety_figures figures;
    nsec_t now_ns = since_start(conduct);
    if (conduct->stop)
        return;
    struct result *result = recorder_result(conduct->recorder, SAFETY_WINDOW_NS);
    safety_figures_of(result, now_ns, &figures);
    const uint64_t *counters = result->total->counters;
    uint64_t ended = counters[COUNT_SUCCEEDED] + counters[COUNT_FAILED] + counters[COUNT_TIMED_OUT];
    if (ended != conduct->ended || figures.requests || team_live(conduct->team).in_flight == 0)
        conduct->answered_ns = now_ns;
    conduct->ended = ended;
    figures.silence_s = (double)(now_ns - conduct->answered_ns) / (double)NSEC_PER_SEC;
    figures.unhealthy = vigil_unhealthy(conduct->vigil);
    safety_take(conduct->safety, &figures, endangered, conduct);
    result_free(result);
}

static void found(void *self, const struct guard_finding *finding)
{
    struct conduct *conduct = self;
    recorder_event(conduct->recorder, since_start(conduct), "threshold", finding->words);
    log_say(conduct->options->log, LOG_NOTICE, "%s", finding->words);
    if (finding->scenario >= 0)
        team_stop_scenario(conduct->team, (size_t)finding->scenario);
    if (!finding->abort)
        return;
    conduct_blame(conduct, RUN_THRESHOLDS, "stopped by a threshold: %s", finding->words);
    stop(conduct, ENGINE_STOP_GRACEFULLY, "stopping: a threshold with abort failed");
}

static void look_at_thresholds(struct conduct *conduct)
{
    struct result *result = recorder_result(conduct->recorder, guard_window(conduct->guard));
    guard_look(conduct->guard, result, since_start(conduct), found, conduct);
    result_free(result);
}

static void look_at_generator(struct conduct *conduct)
{
    overseer_sample(conduct->overseer, since_start(conduct));
    nsec_t window_ns = 3 * NSEC_PER_SEC + 2 * conduct->plan->interval_ns;
    struct result *result = recorder_result(conduct->recorder, window_ns);
    overseer_judge(conduct->overseer, result, false);
    result_free(result);
}

/* Ends the load when whoever ordered the run has seen enough: this is success, and is no stop. */
static void look_whether_enough(struct conduct *conduct)
{
    const struct run_options *options = conduct->options;
    struct result *whole = recorder_result(conduct->recorder, 0);
    if (conduct->stop == 0 && options->enough(options->enough_self, whole, since_start(conduct))) {
        conduct->stop = ENGINE_STOP_GRACEFULLY;
        team_stop(conduct->team, ENGINE_STOP_GRACEFULLY);
    }
    result_free(whole);
}

/* The phase that an instant falls in, by the plan; the last one also after its end. */
static uint32_t phase_at(const struct conduct *conduct, nsec_t at_ns)
{
    uint32_t phase = 0;
    while (phase + 1 < conduct->phase_count && conduct->phases[phase].end_ns <= at_ns)
        phase++;
    return phase;
}

static void show_progress(struct conduct *conduct)
{
    struct result *recent = recorder_result(conduct->recorder, RECENT_NS);
    nsec_t elapsed_ns = since_start(conduct);
    struct run_progress progress = {
        .recent = recent,
        .whole = recent,
        .elapsed_ns = elapsed_ns,
        .planned_ns = plan_duration(conduct->plan),
        .phase = phase_at(conduct, elapsed_ns),
        .generator = overseer_words(conduct->overseer, recent),
    };
    conduct->options->progress(conduct->options->self, &progress);
    result_free(recent);
}

/* Whether a thing is due; if so, sets when it is due next. */
static bool is_due(nsec_t *due_ns, nsec_t now_ns, nsec_t every_ns)
{
    if (now_ns < *due_ns)
        return false;
    *due_ns = now_ns + every_ns;
    return true;
}

static void attend(struct conduct *conduct, struct agenda *agenda)
{
    const struct run_options *options = conduct->options;
    nsec_t now_ns = since_start(conduct);
    heed_interrupts(conduct);
    heed_disk(conduct);
    heed_watch(conduct);
    if (conduct->safety && is_due(&agenda->safety_ns, now_ns, SAFETY_NS))
        look_at_safety(conduct);
    if (is_due(&agenda->oversee_ns, now_ns, OVERSEE_NS))
        look_at_generator(conduct);
    if (guard_awake(conduct->guard) && is_due(&agenda->guard_ns, now_ns, GUARD_NS))
        look_at_thresholds(conduct);
    if (options->enough && is_due(&agenda->enough_ns, now_ns, ENOUGH_NS))
        look_whether_enough(conduct);
    if (options->progress && is_due(&agenda->progress_ns, now_ns, options->progress_ns))
        show_progress(conduct);
}

/* When the run is ended whatever happens. */
static nsec_t hard_limit(const struct plan *plan)
{
    nsec_t grace_ns = 0;
    if (plan->hard_limit_ns)
        return plan->hard_limit_ns;
    for (size_t i = 0; i < plan->scenario_count; i++) {
        const struct plan_scenario *scenario = &plan->scenarios[i];
        nsec_t own = scenario->graceful_stop_ns > scenario->graceful_ramp_down_ns
                         ? scenario->graceful_stop_ns
                         : scenario->graceful_ramp_down_ns;
        grace_ns = own > grace_ns ? own : grace_ns;
    }
    return plan_duration(plan) + grace_ns + HARD_LIMIT_ADD_NS;
}

static void heed_limit(struct conduct *conduct, nsec_t limit_ns)
{
    if (since_start(conduct) < limit_ns || conduct->stop == ENGINE_STOP_NOW)
        return;
    char limit[UNIT_ROOM];
    unit_write_duration(limit, limit_ns);
    if (conduct->plan->hard_limit_ns == 0)
        conduct_blame(conduct, RUN_FAILED, "the load did not end by itself within %s", limit);
    stop(conduct, ENGINE_STOP_NOW, "stopping at once: the hard time limit is reached");
}

void conduct_load(struct conduct *conduct)
{
    struct agenda agenda = {.oversee_ns = OVERSEE_NS,
                            .guard_ns = GUARD_NS,
                            .enough_ns = ENOUGH_NS,
                            .progress_ns = conduct->options->progress_ns};
    nsec_t limit_ns = hard_limit(conduct->plan);
    conduct->start_ns = clock_monotonic_ns() + START_DELAY_NS;
    overseer_sample(conduct->overseer, 0);
    conduct->safety = safety_new(conduct->plan);
    conduct->vigil = vigil_new(conduct->plan);
    int error = watching_start(conduct->watching, conduct->start_ns);
    if (error)
        recorder_event(conduct->recorder, 0, "gap",
                       "nothing is watched: no thread could be started");
    team_start(conduct->team, conduct->start_ns);
    nsec_t tick_ns = conduct->start_ns;
    do {
        attend(conduct, &agenda);
        heed_limit(conduct, limit_ns);
        nsec_t now_ns = clock_monotonic_ns();
        tick_ns = now_ns < tick_ns + TICK_NS ? tick_ns + TICK_NS : now_ns + TICK_NS;
    } while (team_wait(conduct->team, tick_ns) > 0);
    overseer_sample(conduct->overseer, since_start(conduct));
    watching_stop(conduct->watching);
    conduct->vigil = vigil_free(conduct->vigil);
    conduct->safety = safety_free(conduct->safety);
}
