/* The levels of a ladder in their order, then those that the search for the capacity asks for. What
 * was changed is restored in reverse order whatever ended the test. */
#include "run/suite.h"

#include "base/memory.h"
#include "base/unit.h"
#include "host/machine.h"
#include "plan/mask.h"
#include "run/actuators.h"
#include "run/aftermath.h"
#include "run/capacity.h"
#include "run/level_run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAP_NS (100 * NSEC_PER_MSEC)

/* A suite under way. */
struct suite_course {
    const struct suite_options *options;
    struct suite_report *report;
    struct actuators *actuators;
    nsec_t start_ns, spent_ns; /* since the start; planned time of the rungs that are over */
    size_t number, count;
    struct aftermath *aftermath; /* the machine before the test; or NULL */
    bool ended;                  /* nothing more is measured */
    size_t ended_of;             /* series of which nothing more is measured; SIZE_MAX: none */
};

static nsec_t elapsed_ns(const struct suite_course *course)
{
    return clock_monotonic_ns() - course->start_ns;
}

/* Notes what happened: in the suite, and for whoever listens. */
static void say(struct suite_course *course, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct suite_course *course, const char *kind, const char *format, ...)
{
    struct text words = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&words, format, list);
    va_end(list);
    suite_add_event(course->report->suite, elapsed_ns(course), kind, words.at);
    struct suite_news news = {.suite = course->report->suite,
                              .number = course->number,
                              .count = course->count,
                              .words = words.at};
    if (course->options->news)
        course->options->news(course->options->self, &news);
    text_fini(&words);
}

/* Ends the suite; the first reason counts. */
static void end(struct suite_course *course, enum run_outcome outcome, const char *why)
{
    course->ended = true;
    if (course->report->outcome != RUN_PASSED)
        return;
    course->report->outcome = outcome;
    course->report->why = memory_copy_text(why);
}

static bool interrupted(const struct suite_course *course)
{
    return *course->options->run.interrupts > 0;
}

static void rest(struct suite_course *course, nsec_t duration_ns)
{
    nsec_t until_ns = clock_monotonic_ns() + duration_ns;
    while (!interrupted(course) && clock_monotonic_ns() < until_ns) {
        struct timespec nap = {.tv_nsec = NAP_NS};
        nanosleep(&nap, NULL);
    }
}

/* ---- one rung ------------------------------------------------------------------------------- */

static void tell(struct suite_course *course, const struct rung *rung, const struct level *level)
{
    nsec_t left_ns = course->options->ladder->planned_ns - course->spent_ns;
    struct suite_news news = {.suite = course->report->suite,
                              .level = level,
                              .number = course->number,
                              .count = course->count,
                              .rung = rung,
                              .left_ns = left_ns > 0 ? left_ns : 0};
    if (course->options->news)
        course->options->news(course->options->self, &news);
}

static void say_level(struct suite_course *course, const struct level_outcome *outcome,
                      const struct rung *rung)
{
    const struct level *level = outcome->level;
    char kept[UNIT_ROOM], cut[UNIT_ROOM];
    unit_write_duration(kept, level->end_ns - level->begin_ns);
    unit_write_duration(cut, (nsec_t)(level->warmup_s * 1e9));
    if (level->state == LEVEL_STEADY)
        say(course, "level", "%s: steady, %s kept after %s of warm-up%s", rung->name, kept, cut,
            outcome->prolonged ? " (prolonged)" : "");
    else
        say(course, "level", "%s: %s: %s (%s kept after %s of warm-up)", rung->name,
            level->state == LEVEL_STOPPED ? "stopped"
            : level->state == LEVEL_SHORT ? "too short"
                                          : "not steady",
            outcome->words, kept, cut);
    if (level->generator == 2)
        say(course, "generator",
            "%s: the generator was the bottleneck; the figures are not the target's", rung->name);
}

/* A level without one success measures nothing, and a higher one would not either. */
static bool nothing_worked(const struct level_outcome *outcome)
{
    return outcome->level && outcome->outcome == RUN_FAILED && outcome->level->requests > 0 &&
           outcome->level->failed == outcome->level->requests;
}

/* What a level that did not go as planned means for those after it. */
static void heed(struct suite_course *course, const struct rung *rung,
                 const struct level_outcome *outcome)
{
    if (interrupted(course))
        end(course, RUN_INTERRUPTED, "interrupted by the user");
    else if (outcome->outcome == RUN_DISK_FULL)
        end(course, RUN_DISK_FULL, outcome->why);
    else if (!outcome->level || outcome->level->state == LEVEL_STOPPED || nothing_worked(outcome)) {
        course->ended_of = rung->series;
        say(course, "stop", "no higher level of this series is measured: %s",
            outcome->why        ? outcome->why
            : outcome->words[0] ? outcome->words
                                : "the level was stopped");
        if (course->number == 1 && (!outcome->level || nothing_worked(outcome)))
            end(course, RUN_FAILED, outcome->why);
    }
}

/* What each instance served between two looks; of none where instances came or went between. */
static void take_served(const struct scaler_served *before, const struct scaler_served *after,
                        struct level *level)
{
    bool same_ones = before->count == after->count && !level->served_count;
    for (size_t i = 0; i < after->count && same_ones; i++)
        same_ones = after->counts[i] >= before->counts[i];
    for (size_t i = 0; i < after->count && same_ones; i++)
        level_add_served(level, after->counts[i] - before->counts[i]);
}

/* A level with what its instances served, from the balancer's own counts. */
static void measure(struct suite_course *course, const struct level_order *order,
                    struct level_outcome *out)
{
    struct level_series *series = &course->report->suite->series[order->rung->series];
    struct scaler_served before, after;
    actuators_served(course->actuators, &before);
    level_run(order, series, out);
    actuators_served(course->actuators, &after);
    if (out->level)
        take_served(&before, &after, out->level);
    free(before.counts);
    free(after.counts);
}

/* Measures one rung. Returns whether there is a level of it. */
static bool climb(struct suite_course *course, const struct rung *rung, bool *kept)
{
    const struct suite_options *options = course->options;
    struct suite *suite = course->report->suite;
    struct text why = TEXT_EMPTY;
    course->number++;
    tell(course, rung, NULL);
    if (actuators_reach(course->actuators, rung->instances, rung->size, &why) != 0) {
        end(course, interrupted(course) ? RUN_INTERRUPTED : RUN_FAILED, why.at);
        say(course, "scale", "%s", why.at);
        text_fini(&why);
        return false;
    }
    text_fini(&why);
    struct level_order order = {.options = &options->run,
                                .plan = options->plan,
                                .rung = rung,
                                .number = course->number,
                                .count = course->count,
                                .suite = suite,
                                .begin_ns = elapsed_ns(course)};
    struct level_outcome outcome;
    measure(course, &order, &outcome);
    if (outcome.level) {
        actuators_describe(&suite->series[rung->series], outcome.level);
        say_level(course, &outcome, rung);
    }
    course->spent_ns += rung->measure_ns + ladder_arrival_ns(options->plan, rung->users) +
                        options->plan->scale.cool_down_ns + NSEC_PER_SEC;
    if (outcome.level)
        tell(course, rung, outcome.level);
    heed(course, rung, &outcome);
    bool measured = outcome.level != NULL;
    *kept = measured && capacity_kept(&options->plan->scale, outcome.level);
    level_outcome_fini(&outcome);
    return measured;
}

/* ---- the search for the capacity --------------------------------------------------------------
 */

static bool same(double one, double other)
{
    return (isnan(one) && isnan(other)) || fabs(one - other) <= 1e-9 * fabs(one);
}

static double load_of(const struct rung *rung)
{
    return isnan(rung->users) ? rung->rate : rung->users;
}

/* A rung at another load than its model. */
static struct rung rung_at(const struct suite_course *course, const struct rung *model, double load)
{
    struct rung rung = *model;
    char number[UNIT_ROOM];
    *(isnan(model->users) ? &rung.rate : &rung.users) = load;
    rung.most_ns += ladder_arrival_ns(course->options->plan, rung.users) -
                    ladder_arrival_ns(course->options->plan, model->users);
    snprintf(rung.name, sizeof rung.name, "%s%s", unit_write_number(number, load),
             isnan(model->users) ? "/s" : " users");
    return rung;
}

/* What was measured at the model's size and instances, as a search. */
static struct capacity search_of(const struct suite_course *course, const struct rung *model,
                                 const bool *kept)
{
    const struct ladder *ladder = course->options->ladder;
    struct capacity capacity = {.good = 0,
                                .bad = INFINITY,
                                .resolution = course->options->plan->scale.resolution,
                                .whole = !isnan(model->users)};
    for (size_t i = 0; i < ladder->rung_count; i++) {
        const struct rung *rung = &ladder->rungs[i];
        if (rung->series == model->series && same(rung->size, model->size) &&
            same(rung->instances, model->instances))
            capacity_take(&capacity, load_of(rung), kept[i]);
    }
    return capacity;
}

/* Whether the level measured last says more of the generator than of the target. */
static bool doubtful(const struct suite_course *course, const struct rung *rung)
{
    const struct level_series *series = &course->report->suite->series[rung->series];
    return series->level_count && series->levels[series->level_count - 1].generator == 2;
}

static void find_capacity(struct suite_course *course, const struct rung *model,
                          const bool *all_kept)
{
    struct capacity capacity = search_of(course, model, all_kept);
    double load;
    course->ended_of = SIZE_MAX;
    if (isinf(capacity.bad))
        say(course, "capacity",
            "not observed: the objective was still kept at %g, the highest level", capacity.good);
    while (!course->ended && capacity_next(&capacity, &load)) {
        struct rung rung = rung_at(course, model, load);
        bool kept = false;
        course->count++;
        rest(course, course->options->plan->scale.cool_down_ns);
        if (!interrupted(course) && elapsed_ns(course) > course->options->ladder->limit_ns * 2)
            break;
        if (interrupted(course) || !climb(course, &rung, &kept))
            break;
        if (!kept && doubtful(course, &rung) && !course->ended && !interrupted(course)) {
            say(course, "retry", "%s is measured again: the generator was the bottleneck",
                rung.name);
            course->ended_of = SIZE_MAX;
            climb(course, &rung, &kept);
        }
        capacity_take(&capacity, load, kept);
    }
    if (interrupted(course))
        end(course, RUN_INTERRUPTED, "interrupted by the user");
    if (!isinf(capacity.bad))
        say(course, "capacity", "between %g (last good) and %g (first bad) %s", capacity.good,
            capacity.bad, capacity.whole ? "users" : "arrivals a second");
}

/* A search for each size and number of instances of the ladder, once. */
static void find_capacities(struct suite_course *course, const bool *kept)
{
    const struct ladder *ladder = course->options->ladder;
    for (size_t i = 0; i < ladder->rung_count && !course->ended; i++) {
        const struct rung *rung = &ladder->rungs[i];
        bool seen = ladder->series[rung->series].kind == SUITE_HORIZONTAL;
        for (size_t k = 0; k < i && !seen; k++)
            seen = ladder->rungs[k].series == rung->series &&
                   same(ladder->rungs[k].size, rung->size) &&
                   same(ladder->rungs[k].instances, rung->instances);
        if (!seen)
            find_capacity(course, rung, kept);
    }
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Things as they were found; what could not be put back is said, with what to do by hand. */
static void put_back(struct suite_course *course)
{
    struct text why = TEXT_EMPTY;
    if (actuators_restore(course->actuators, &why))
        say(course, "restore", "not restored: %s", why.at);
    text_fini(&why);
}

/* Whether the machine is as it was before the test. */
static void compare_with_before(struct suite_course *course)
{
    struct text words = TEXT_EMPTY;
    if (course->aftermath && aftermath_after(course->aftermath, &words))
        text_puts(&words, ": more is held than before; see what still runs");
    if (words.bytes)
        say(course, "after", "%s", words.at);
    course->aftermath = aftermath_free(course->aftermath);
    text_fini(&words);
}

static void finish(struct suite_course *course)
{
    struct text why = TEXT_EMPTY;
    if (!course->actuators)
        return;
    uint64_t restarts = actuators_restarts(course->actuators);
    if (restarts)
        say(course, "restart", "%" PRIu64 " restarts of instances were seen", restarts);
    if (actuators_restore(course->actuators, &why)) {
        say(course, "restore", "not restored: %s", why.at);
        end(course, RUN_FAILED, why.at);
    }
    text_clear(&why);
    course->actuators = actuators_free(course->actuators, &why);
    text_fini(&why);
}

static void climb_all(struct suite_course *course, bool *kept)
{
    const struct ladder *ladder = course->options->ladder;
    for (size_t i = 0; i < ladder->rung_count && !course->ended; i++) {
        const struct rung *rung = &ladder->rungs[i];
        if (i && rung->series != ladder->rungs[i - 1].series)
            put_back(course);
        if (rung->series == course->ended_of) {
            course->number++;
            continue;
        }
        if (course->number)
            rest(course, course->options->plan->scale.cool_down_ns);
        if (elapsed_ns(course) > ladder->limit_ns)
            end(course, RUN_FAILED, "the scale test took longer than its hard limit");
        else if (interrupted(course))
            end(course, RUN_INTERRUPTED, "interrupted by the user");
        else
            climb(course, rung, &kept[i]);
    }
}

/* Nothing is begun of which a later part is already known to be impossible. */
static int all_able(const struct actuators *actuators, const struct ladder *ladder,
                    struct text *why)
{
    int outcome = 0;
    for (size_t i = 0; i < ladder->rung_count && outcome == 0; i++)
        outcome = actuators_able(actuators, ladder->rungs[i].instances, ladder->rungs[i].size, why);
    return outcome;
}

/* Whether requests were answered, and each of them was a failure. */
static bool nothing_succeeded(const struct suite *suite)
{
    uint64_t requests = 0, failed = 0;
    for (size_t s = 0; s < suite->series_count; s++)
        for (size_t i = 0; i < suite->series[s].level_count; i++) {
            requests += suite->series[s].levels[i].requests;
            failed += suite->series[s].levels[i].failed;
        }
    return requests > 0 && failed >= requests;
}

static struct suite *new_suite(const struct suite_options *options)
{
    const struct plan *plan = options->plan;
    const struct ladder *ladder = options->ladder;
    struct suite *suite = suite_new();
    struct machine machine;
    machine_read("", &machine);
    suite->name = memory_copy_text(plan->name);
    suite->target = mask_copy(plan->target);
    suite->version = memory_copy_text(options->run.version);
    suite->host = memory_copy_text(machine.host);
    suite->wall_start_ns = clock_wall_ns();
    suite->time_scale = plan->time_scale;
    suite->slo_response_s = (double)plan->scale.critical_response_ns / 1e9;
    suite->slo_error_share = plan->scale.critical_error_share;
    machine_fini(&machine);
    for (size_t i = 0; i < ladder->series_count; i++) {
        struct level_series *series =
            suite_add(suite, ladder->series[i].kind, ladder->series[i].name);
        series->size_unit = memory_copy_text("");
    }
    return suite;
}

int suite_run(const struct suite_options *options, struct suite_report *out)
{
    const struct ladder *ladder = options->ladder;
    *out = (struct suite_report){.outcome = RUN_PASSED, .suite = new_suite(options)};
    struct suite_course course = {.options = options,
                                  .report = out,
                                  .start_ns = clock_monotonic_ns(),
                                  .count = ladder->rung_count,
                                  .ended_of = SIZE_MAX};
    bool *kept = memory_new(ladder->rung_count, sizeof *kept);
    struct text why = TEXT_EMPTY;
    course.aftermath =
        aftermath_before(options->plan, options->run.probes, options->run.probe_count);
    if (actuators_new(options, false, &course.actuators, &why) != 0 ||
        all_able(course.actuators, ladder, &why) != 0)
        end(&course, RUN_FAILED, why.at);
    for (size_t i = 0; i < ladder->series_count && course.actuators; i++)
        actuators_unit(course.actuators, ladder->series[i].kind, &out->suite->series[i]);
    climb_all(&course, kept);
    if (!course.ended && options->plan->scale.find_capacity)
        find_capacities(&course, kept);
    if (nothing_succeeded(out->suite))
        end(&course, RUN_FAILED,
            "no request succeeded at any level: see the errors, and plimsoll doctor PLAN");
    finish(&course);
    compare_with_before(&course);
    text_fini(&why);
    free(kept);
    return 0;
}

int suite_dry(const struct suite_options *options, struct text *out, struct text *why)
{
    struct actuators *actuators = NULL;
    int outcome = actuators_new(options, true, &actuators, why);
    const struct ladder *ladder = options->ladder;
    if (outcome == 0)
        outcome = all_able(actuators, ladder, why);
    for (size_t i = 0; i < ladder->rung_count && outcome == 0; i++) {
        const struct rung *rung = &ladder->rungs[i];
        if (i == 0 || !same(rung->size, rung[-1].size) ||
            !same(rung->instances, rung[-1].instances))
            actuators_plan(actuators, rung->instances, rung->size, out);
    }
    actuators_free(actuators, why);
    return outcome;
}

void suite_report_fini(struct suite_report *report)
{
    free(report->why);
    suite_free(report->suite);
    *report = (struct suite_report){.outcome = RUN_PASSED};
}
