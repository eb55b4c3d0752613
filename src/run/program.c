/* Compiles a plan's requests and numbers the metrics of its drivers; only drivers that the plan
 * uses add theirs, so that a run file holds no empty columns of others. */
#include "run/program.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>

static bool driver_used(const struct plan *plan, size_t driver)
{
    for (size_t i = 0; i < plan->request_count; i++)
        if ((size_t)plan->requests[i].driver == driver)
            return true;
    return false;
}

static void add_metrics(struct program *program, size_t index)
{
    const struct metric *metrics = program->drivers[index]->metrics;
    size_t count = 0;
    if (!driver_used(program->plan, index))
        return;
    while (metrics && metrics[count].name)
        count++;
    for (size_t i = 0; count && i < index; i++) {
        /* Drivers with one table between them count in the same columns. */
        if (program->drivers[i]->metrics == metrics && driver_used(program->plan, i)) {
            program->driver_counters[index] = program->driver_counters[i];
            program->driver_hists[index] = program->driver_hists[i];
            return;
        }
    }
    if (count)
        metric_table_add(&program->metrics, metrics, count, &program->driver_counters[index],
                         &program->driver_hists[index]);
}

/* Each of several targets has a counter of its own, so that its part of the load is known. */
static void add_target_counters(struct program *program)
{
    size_t count = program->plan->targets.count;
    uint32_t number, unused;
    if (count < 2)
        return;
    program->target_names = memory_new(count, sizeof *program->target_names);
    program->target_count = count;
    for (size_t i = 0; i < count; i++) {
        struct text name = TEXT_EMPTY;
        text_printf(&name, TARGET_COUNTER "%zu", i + 1);
        program->target_names[i] = text_take(&name);
        struct metric metric = {program->target_names[i], METRIC_COUNTER, "1",
                                "requests that this one of several targets answered, or failed to",
                                "count by target"};
        metric_table_add(&program->metrics, &metric, 1, &number, &unused);
        if (i == 0)
            program->target_counter = number;
    }
}

void program_init(struct program *program, const struct plan *plan,
                  const struct driver *const *drivers, size_t driver_count, struct notes *notes)
{
    *program = (struct program){
        .drivers = drivers,
        .driver_count = driver_count,
        .compiled = memory_new(plan->request_count, sizeof *program->compiled),
        .request_count = plan->request_count,
        .plan = plan,
        .driver_counters = memory_new(driver_count, sizeof *program->driver_counters),
        .driver_hists = memory_new(driver_count, sizeof *program->driver_hists),
    };
    metric_table_init(&program->metrics);
    for (size_t i = 0; i < driver_count; i++)
        add_metrics(program, i);
    add_target_counters(program);
    for (size_t i = 0; i < plan->request_count; i++) {
        const struct plan_request *request = &plan->requests[i];
        check(request->driver >= 0 && (size_t)request->driver < driver_count);
        size_t errors = notes->errors;
        program->compiled[i] = drivers[request->driver]->compile(plan, request, notes);
        if (!program->compiled[i] && notes->errors == errors)
            notes_error(notes, "request %s could not be made ready", request->name);
    }
}

void program_fini(struct program *program)
{
    for (size_t i = 0; i < program->request_count; i++)
        if (program->compiled[i])
            program->drivers[program->plan->requests[i].driver]->release(program->compiled[i]);
    free(program->compiled);
    free(program->driver_counters);
    free(program->driver_hists);
    metric_table_fini(&program->metrics);
    for (size_t i = 0; i < program->target_count; i++)
        free(program->target_names[i]);
    free(program->target_names);
    *program = (struct program){.plan = NULL};
}
