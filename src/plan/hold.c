/* A plan made to hold one load. A scale test measures each level as a run of its own, so that a
 * level can be prolonged, repeated or cut off without the others knowing. */
#include "base/memory.h"
#include "plan/plan.h"
#include "plan/stage.h"

#include <math.h>
#include <stdlib.h>

static void clear_stages(struct plan_scenario *scenario)
{
    for (size_t i = 0; i < scenario->stage_count; i++)
        free(scenario->stages[i].name);
    free(scenario->stages);
    scenario->stages = NULL;
    scenario->stage_count = 0;
}

static void hold(struct plan_scenario *scenario, const struct plan_load *load, double target)
{
    bool open = isnan(load->users);
    clear_stages(scenario);
    scenario->executor = open ? EXECUTOR_CONSTANT_ARRIVAL_RATE : EXECUTOR_CONSTANT_VUS;
    scenario->iterations = 0;
    scenario->start_time_ns = 0;
    scenario->start_target = target;
    scenario->vus = open ? scenario->vus : (uint64_t)target;
    scenario->rate = open ? target : 0;
    scenario->duration_ns = load->duration_ns;
    scenario_add_stage(scenario,
                       (struct plan_stage){.duration_ns = load->duration_ns,
                                           .target = target,
                                           .jump = true,
                                           .level = true,
                                           .name = (char *)(uintptr_t)load->name},
                       "");
}

/* Users go to the scenario that is furthest below its part, one by one in whole numbers: what is
 * left after rounding down, each to the largest remainder. */
static void share_users(double *parts, size_t count, double users)
{
    double *rests = memory_new(count, sizeof *rests), given = 0;
    for (size_t i = 0; i < count; i++) {
        double part = parts[i] * users;
        parts[i] = floor(part + 1e-9);
        rests[i] = part - parts[i];
        given += parts[i];
    }
    while (given < users - 0.5) {
        size_t next = 0;
        for (size_t i = 1; i < count; i++)
            if (rests[i] > rests[next])
                next = i;
        parts[next]++;
        rests[next] -= 1;
        given++;
    }
    free(rests);
}

void plan_hold(struct plan *plan, const struct plan_load *load)
{
    size_t count = plan->scenario_count;
    double *parts = memory_new(count, sizeof *parts);
    for (size_t i = 0; i < count; i++)
        parts[i] = plan->scenarios[i].share;
    if (isnan(load->users)) {
        for (size_t i = 0; i < count; i++)
            parts[i] *= load->rate;
    } else {
        share_users(parts, count, load->users);
    }
    for (size_t i = 0; i < count; i++)
        hold(&plan->scenarios[i], load, parts[i]);
    free(parts);
    bool finer = plan->trigger_count && plan->interval_ns < load->interval_ns; /* safety's */
    if (load->interval_ns && !finer)
        plan->interval_ns = load->interval_ns;
}
