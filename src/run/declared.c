/* The record numbers requests and services as the plan does, so that tallies fit both. */
#include "run/declared.h"

#include "base/memory.h"

#include <stdlib.h>

/* The scenario that a task belongs to; set-up and teardown have none. */
static const char *scenario_of(const struct plan *plan, uint32_t task)
{
    for (size_t i = 0; i < plan->scenario_count; i++) {
        const struct plan_scenario *scenario = &plan->scenarios[i];
        if (task >= scenario->first_task && task - scenario->first_task < scenario->task_count)
            return scenario->name;
    }
    if (task >= plan->setup_task && task - plan->setup_task < plan->setup_count)
        return "setup";
    if (task >= plan->teardown_task && task - plan->teardown_task < plan->teardown_count)
        return "teardown";
    return "";
}

static const struct run_request *requests_of(const struct plan *plan)
{
    struct run_request *rows = memory_new(plan->request_count, sizeof *rows);
    for (size_t i = 0; i < plan->request_count; i++) {
        const struct plan_request *request = &plan->requests[i];
        rows[i] = (struct run_request){
            .name = request->name,
            .task = request->task < plan->task_count ? plan->tasks[request->task].name : "",
            .scenario = scenario_of(plan, request->task),
        };
    }
    return rows;
}

static const struct run_service *services_of(const struct plan *plan)
{
    struct run_service *rows = memory_new(plan->rule_count, sizeof *rows);
    for (size_t i = 0; i < plan->rule_count; i++)
        rows[i] = (struct run_service){.service = plan->rules[i].service,
                                       .outcome = plan->rules[i].name,
                                       .failure = plan->rules[i].failure};
    return rows;
}

static const struct run_label *labels_of(const struct plan *plan)
{
    struct run_label *rows = memory_new(plan->label_count, sizeof *rows);
    for (size_t i = 0; i < plan->label_count; i++)
        rows[i] = (struct run_label){plan->labels[i].name, plan->labels[i].value};
    return rows;
}

void declared_init(struct run_declared *declared, const struct plan *plan)
{
    declared->requests = requests_of(plan);
    declared->request_count = plan->request_count;
    declared->services = services_of(plan);
    declared->service_count = plan->rule_count;
    declared->labels = labels_of(plan);
    declared->label_count = plan->label_count;
    declared->trace_most = plan->trace_most;
}

void declared_fini(struct run_declared *declared)
{
    free((void *)declared->requests);
    free((void *)declared->services);
    free((void *)declared->labels);
    declared->requests = NULL;
    declared->services = NULL;
    declared->labels = NULL;
}
