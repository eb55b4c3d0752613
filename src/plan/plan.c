/* What a plan holds: freeing it, and reading its course. */
#include "plan/plan.h"

#include "base/memory.h"
#include "plan/part.h"
#include "plan/symbol.h"

#include <math.h>
#include <stdlib.h>

static void free_texts(char **items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(items[i]);
    free(items);
}

static void free_scenario(struct plan_scenario *scenario)
{
    free(scenario->name);
    free(scenario->pattern);
    free(scenario->trace);
    free(scenario->instants);
    for (size_t i = 0; i < scenario->stage_count; i++)
        free(scenario->stages[i].name);
    free(scenario->stages);
    symbols_fini(&scenario->symbols);
    free_texts(scenario->until, scenario->until_count);
    for (size_t i = 0; scenario->limits && i < scenario->until_count; i++)
        threshold_fini(&scenario->limits[i]);
    free(scenario->limits);
}

static void free_request(struct plan_request *request)
{
    free(request->name);
    free(request->target);
    setting_free(request->settings, request->config);
    free(request->config);
    for (size_t i = 0; i < request->check_count; i++)
        check_free(request->checks[i]);
    free(request->checks);
    for (size_t i = 0; i < request->capture_count; i++)
        capture_free(request->captures[i]);
    free(request->captures);
}

static void free_load(struct plan *plan)
{
    for (size_t i = 0; i < plan->scenario_count; i++)
        free_scenario(&plan->scenarios[i]);
    free(plan->scenarios);
    for (size_t i = 0; i < plan->task_count; i++) {
        free(plan->tasks[i].name);
        free_texts(plan->tasks[i].tags.items, plan->tasks[i].tags.count);
    }
    free(plan->tasks);
    for (size_t i = 0; i < plan->request_count; i++)
        free_request(&plan->requests[i]);
    free(plan->requests);
    for (size_t i = 0; i < plan->feeder_count; i++) {
        struct plan_feeder *feeder = &plan->feeders[i];
        free(feeder->name);
        free(feeder->file);
        free_texts(feeder->columns, feeder->column_count);
        free(feeder->cells);
        free(feeder->bytes);
        plan_prompts_free(feeder->prompts);
    }
    free(plan->feeders);
}

static void free_judgement(struct plan *plan)
{
    for (size_t i = 0; i < plan->rule_count; i++) {
        struct plan_rule *rule = &plan->rules[i];
        free(rule->service);
        free(rule->name);
        for (size_t j = 0; j < rule->when_count; j++)
            check_free(rule->when[j]);
        free(rule->when);
    }
    free(plan->rules);
    for (size_t i = 0; i < plan->objective_count; i++) {
        struct plan_objective *objective = &plan->objectives[i];
        free(objective->metric);
        free(objective->stat);
        free(objective->task);
        free(objective->service);
        free(objective->words);
    }
    free(plan->objectives);
    for (size_t i = 0; i < plan->threshold_count; i++)
        threshold_fini(&plan->thresholds[i]);
    free(plan->thresholds);
}

struct plan *plan_free(struct plan *plan)
{
    if (!plan)
        return NULL;
    free_load(plan);
    free_judgement(plan);
    for (size_t i = 0; i < plan->service_count; i++)
        setting_free(service_rows, &plan->services[i]);
    for (size_t i = 0; i < plan->service_count; i++)
        free(plan->services[i].name);
    free(plan->services);
    for (size_t i = 0; i < plan->label_count; i++) {
        free(plan->labels[i].name);
        free(plan->labels[i].value);
    }
    free(plan->labels);
    symbols_fini(&plan->symbols);
    free(plan->file);
    free(plan->source);
    watch_fini(&plan->watch);
    scale_fini(&plan->scale);
    free(plan->triggers);
    setting_free(plan_rows, plan); /* its texts and sections */
    free(plan);
    return NULL;
}

nsec_t plan_duration(const struct plan *plan)
{
    nsec_t last = 0;
    for (size_t i = 0; i < plan->scenario_count; i++) {
        const struct plan_scenario *scenario = &plan->scenarios[i];
        nsec_t end = scenario->start_time_ns;
        for (size_t j = 0; j < scenario->stage_count; j++)
            end += scenario->stages[j].duration_ns;
        last = end > last ? end : last;
    }
    return last;
}

double scenario_target_at(const struct plan_scenario *scenario, nsec_t at_ns)
{
    nsec_t begin = scenario->start_time_ns;
    double from = scenario->start_target;
    if (at_ns < begin)
        return 0;
    for (size_t i = 0; i < scenario->stage_count; i++) {
        const struct plan_stage *stage = &scenario->stages[i];
        if (at_ns < begin + stage->duration_ns) {
            double share = (double)(at_ns - begin) / (double)stage->duration_ns;
            if (!stage->jump)
                return from + (stage->target - from) * share;
            if (scenario->spawn_rate <= 0 || scenario_is_open(scenario))
                return stage->target;
            double here = i > 0 ? from : 0; /* nobody is there before a scenario begins */
            double spawned = scenario->spawn_rate * (double)(at_ns - begin) / (double)NSEC_PER_SEC;
            return here > stage->target ? stage->target : fmin(stage->target, here + spawned);
        }
        begin += stage->duration_ns;
        from = stage->target;
    }
    return 0;
}

bool scenario_is_open(const struct plan_scenario *scenario)
{
    return scenario->executor >= EXECUTOR_CONSTANT_ARRIVAL_RATE;
}
