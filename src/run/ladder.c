/* Levels by steps, by factors, or as given; see run/ladder.h. */
#include "run/ladder.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOADS_MOST = 1000, PARTS = 5, VERTICAL_LOADS = 4 };
#define LEVEL_NS    (60 * NSEC_PER_SEC)   /* measured, where nothing says how long */
#define SOAK_NS     (3600 * NSEC_PER_SEC) /* the same of a soak */
#define LEAST_NS    (NSEC_PER_SEC / 2)    /* a shorter level measures nothing */
#define GRACE_NS    (60 * NSEC_PER_SEC)
#define OVERHEAD_NS (NSEC_PER_SEC) /* a run's own beginning and end */

static bool is_open(const struct plan *plan)
{
    return plan->scale.rate > 0;
}

/* The most that is asked for: as given, else the peak of the plan's own scenarios. */
static double most_of(const struct plan *plan)
{
    double peak = 0;
    if (is_open(plan))
        return plan->scale.rate;
    if (plan->scale.max_users)
        return (double)plan->scale.max_users;
    for (size_t i = 0; i < plan->scenario_count; i++)
        if (!scenario_is_open(&plan->scenarios[i]))
            peak += (double)plan->scenarios[i].vus;
    return peak > 0 ? peak : 50;
}

/* Users are whole. */
static double whole(const struct plan *plan, double load)
{
    return is_open(plan) ? load : fmax(1, floor(load + 0.5));
}

static double next_load(const struct plan *plan, double load, double step)
{
    if (plan->scale.geometric > 1)
        return fmax(load * plan->scale.geometric, is_open(plan) ? 0 : load + 1);
    return load + step;
}

double *ladder_loads(const struct plan *plan, size_t *count)
{
    const struct plan_scale *scale = &plan->scale;
    double *loads = memory_new(LOADS_MOST, sizeof *loads);
    *count = 0;
    if (scale->levels.count) {
        for (size_t i = 0; i < scale->levels.count && i < LOADS_MOST; i++)
            loads[(*count)++] = scale->levels.items[i];
        return loads;
    }
    double most = most_of(plan);
    double step = scale->step_size ? (double)scale->step_size : most / PARTS;
    double load = scale->start_users     ? (double)scale->start_users
                  : scale->geometric > 1 ? fmax(1, most / 100)
                                         : step;
    for (; whole(plan, load) < most && *count + 1 < LOADS_MOST; load = next_load(plan, load, step))
        loads[(*count)++] = whole(plan, load);
    loads[(*count)++] = most;
    return loads;
}

nsec_t ladder_arrival_ns(const struct plan *plan, double users)
{
    double longest = 0;
    for (size_t i = 0; i < plan->scenario_count && !isnan(users); i++) {
        const struct plan_scenario *scenario = &plan->scenarios[i];
        if (scenario->spawn_rate > 0)
            longest = fmax(longest, users * scenario->share / scenario->spawn_rate);
    }
    return (nsec_t)(longest * 1e9);
}

/* ---- rungs ---------------------------------------------------------------------------------- */

static struct rung *add(struct ladder *ladder, const struct plan *plan, double load)
{
    ladder->rungs = memory_resize(ladder->rungs, ladder->rung_count + 1, sizeof *ladder->rungs);
    struct rung *rung = &ladder->rungs[ladder->rung_count++];
    *rung = (struct rung){.series = ladder->series_count - 1,
                          .users = is_open(plan) ? NAN : load,
                          .rate = is_open(plan) ? load : NAN,
                          .instances = NAN,
                          .size = NAN};
    char number[UNIT_ROOM];
    if (is_open(plan))
        snprintf(rung->name, sizeof rung->name, "%s/s", unit_write_number(number, load));
    else
        snprintf(rung->name, sizeof rung->name, "%s user%s",
                 unit_write_count(number, (uint64_t)load), load > 1 ? "s" : "");
    return rung;
}

static void add_progression(struct ladder *ladder, const struct plan *plan)
{
    size_t count = 0;
    double *loads = ladder_loads(plan, &count);
    for (size_t i = 0; i < count; i++)
        add(ladder, plan, loads[i]);
    free(loads);
}

/* Four loads at each size, as the requirements' table has them: a quarter, a half, three quarters
 * and all of the most; or the levels that the plan names one by one. Steps are those of a
 * progression. */
static void add_vertical(struct ladder *ladder, const struct plan *plan)
{
    const struct plan_scale *scale = &plan->scale;
    size_t sizes = scale->sizes.count ? scale->sizes.count : 1, count = VERTICAL_LOADS;
    bool named = scale->levels.count > 0;
    double *loads = named ? ladder_loads(plan, &count) : NULL, most = most_of(plan);
    for (size_t s = 0; s < sizes; s++)
        for (size_t i = 0; i < count; i++) {
            double part = most * (double)(i + 1) / VERTICAL_LOADS;
            struct rung *rung = add(ladder, plan, loads ? loads[i] : whole(plan, part));
            if (scale->sizes.count)
                rung->size = scale->sizes.items[s];
        }
    free(loads);
}

static int add_horizontal(struct ladder *ladder, const struct plan *plan, struct text *why)
{
    const struct plan_scale *scale = &plan->scale;
    uint64_t instances = scale->instances       ? scale->instances
                         : scale->targets.count ? (uint64_t)scale->targets.count
                                                : (uint64_t)plan->targets.count;
    double most = most_of(plan);
    if (instances < 1) {
        text_puts(why, "a horizontal test needs to know how many instances there may be: "
                       "--instances N, or scale.targets in the plan");
        return 1;
    }
    for (uint64_t i = 1; i <= instances; i++) {
        double load = plan->scale.hold == SCALE_HOLD_TOTAL
                          ? most
                          : whole(plan, most * (double)i / (double)instances);
        struct rung *rung = add(ladder, plan, load);
        rung->instances = (double)i;
    }
    return 0;
}

/* ---- times ---------------------------------------------------------------------------------- */

static void time_rungs(struct ladder *ladder, const struct plan *plan, size_t first)
{
    const struct plan_scale *scale = &plan->scale;
    size_t count = ladder->rung_count - first;
    nsec_t each_ns = scale->step_duration_ns;
    if (each_ns == 0)
        each_ns = scale->duration_ns ? scale->duration_ns / (nsec_t)count
                                     : (nsec_t)((double)LEVEL_NS * plan->time_scale);
    if (each_ns < LEAST_NS)
        each_ns = LEAST_NS;
    for (size_t i = first; i < ladder->rung_count; i++) {
        struct rung *rung = &ladder->rungs[i];
        nsec_t arrival_ns = ladder_arrival_ns(plan, rung->users);
        rung->measure_ns = each_ns;
        rung->most_ns = arrival_ns + (nsec_t)((double)each_ns * scale->prolong);
    }
}

/* A soak lasts as long as was asked for, whatever it shows: one that grows is never steady. */
static void time_soak(struct ladder *ladder, const struct plan *plan)
{
    struct rung *rung = &ladder->rungs[ladder->rung_count - 1];
    nsec_t wanted_ns = plan->scale.duration_ns ? plan->scale.duration_ns
                                               : (nsec_t)((double)SOAK_NS * plan->time_scale);
    rung->measure_ns = wanted_ns < LEAST_NS ? LEAST_NS : wanted_ns;
    rung->most_ns = ladder_arrival_ns(plan, rung->users) + rung->measure_ns;
}

/* Every level `repeat` times; then all in an order that the seed alone decides, so that what drifts
 * in the target's surroundings does not pass for an effect of the load. */
static void repeat_rungs(struct ladder *ladder, const struct plan *plan, size_t first)
{
    size_t count = ladder->rung_count - first, repeat = (size_t)plan->scale.repeat;
    if (repeat < 2)
        return;
    ladder->rungs = memory_resize(ladder->rungs, first + count * repeat, sizeof *ladder->rungs);
    for (size_t i = count; i < count * repeat; i++) {
        ladder->rungs[first + i] = ladder->rungs[first + i % count];
        ladder->rungs[first + i].replicate = (uint32_t)(i / count);
    }
    ladder->rung_count = first + count * repeat;
    struct random random = {.key = random_key(plan->seed, "order of levels", first)};
    for (size_t i = count * repeat; i > 1; i--) {
        size_t other = (size_t)random_below_of(random_next(&random), i);
        struct rung kept = ladder->rungs[first + i - 1];
        ladder->rungs[first + i - 1] = ladder->rungs[first + other];
        ladder->rungs[first + other] = kept;
    }
}

static void plan_times(struct ladder *ladder, const struct plan *plan)
{
    ladder->planned_ns = 0;
    ladder->limit_ns = GRACE_NS;
    for (size_t i = 0; i < ladder->rung_count; i++) {
        const struct rung *rung = &ladder->rungs[i];
        nsec_t between_ns = plan->scale.cool_down_ns + OVERHEAD_NS;
        ladder->planned_ns += rung->measure_ns + ladder_arrival_ns(plan, rung->users) + between_ns;
        ladder->limit_ns += rung->most_ns + between_ns;
    }
}

int ladder_add(struct ladder *ladder, const struct plan *plan, enum suite_kind kind,
               struct text *why)
{
    static const char *const names[] = {"progression", "vertical", "horizontal", "run", "soak"};
    size_t first = ladder->rung_count;
    int failed = 0;
    ladder->series[ladder->series_count++] =
        (struct ladder_series){.kind = kind, .name = names[kind]};
    switch (kind) {
    case SUITE_PROGRESSION:
    case SUITE_RUN:
        add_progression(ladder, plan);
        break;
    case SUITE_SOAK:
        add(ladder, plan, whole(plan, most_of(plan)));
        break;
    case SUITE_VERTICAL:
        add_vertical(ladder, plan);
        break;
    case SUITE_HORIZONTAL:
        failed = add_horizontal(ladder, plan, why);
        break;
    }
    if (failed)
        return failed;
    if (kind == SUITE_SOAK)
        time_soak(ladder, plan);
    else
        time_rungs(ladder, plan, first);
    repeat_rungs(ladder, plan, first);
    plan_times(ladder, plan);
    return 0;
}

void ladder_fini(struct ladder *ladder)
{
    free(ladder->rungs);
    *ladder = (struct ladder){.rungs = NULL};
}
