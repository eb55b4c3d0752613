/* Declarations of a run, from the conductor or from another result; see declare.h. */
#include "record/declare.h"

#include "base/memory.h"

#include <stdlib.h>

static char *copy_or_empty(const char *text)
{
    return memory_copy_text(text ? text : "");
}

static struct metric *metrics_copy(const struct metric *from, size_t count)
{
    struct metric *rows = memory_new(count, sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        rows[i].kind = from[i].kind;
        rows[i].name = copy_or_empty(from[i].name);
        rows[i].unit = copy_or_empty(from[i].unit);
        rows[i].sentence = copy_or_empty(from[i].sentence);
        rows[i].source = copy_or_empty(from[i].source);
    }
    return rows;
}

static struct metric_table table_copy(const struct metric_table *from)
{
    return (struct metric_table){
        .counters = metrics_copy(from->counters, from->counter_count),
        .counter_count = from->counter_count,
        .hists = metrics_copy(from->hists, from->hist_count),
        .hist_count = from->hist_count,
    };
}

static void declare_counted(struct result *result, const struct run_declared *run)
{
    result->request_count = run->request_count;
    result->requests = memory_new(run->request_count, sizeof *result->requests);
    for (size_t i = 0; i < run->request_count; i++) {
        result->requests[i].name = copy_or_empty(run->requests[i].name);
        result->requests[i].task = copy_or_empty(run->requests[i].task);
        result->requests[i].scenario = copy_or_empty(run->requests[i].scenario);
    }
    result->service_count = run->service_count;
    result->services = memory_new(run->service_count, sizeof *result->services);
    for (size_t i = 0; i < run->service_count; i++)
        result->services[i] =
            (struct result_service){.service = copy_or_empty(run->services[i].service),
                                    .outcome = copy_or_empty(run->services[i].outcome),
                                    .failure = run->services[i].failure};
}

static void declare_phases(struct result *result, const struct run_phase *phases, size_t count)
{
    result->phase_count = count;
    result->phases = memory_new(count, sizeof *result->phases);
    for (size_t i = 0; i < count; i++)
        result->phases[i] = (struct result_phase){
            .name = copy_or_empty(phases[i].name),
            .scenario = memory_copy_text(phases[i].scenario),
            .begin_ns = phases[i].begin_ns,
            .end_ns = phases[i].end_ns,
            .target = phases[i].target,
            .excluded = phases[i].excluded,
            .level = phases[i].level,
        };
}

struct result *declare_run(const struct run_declared *run)
{
    const struct run_head *head = &run->head;
    struct result *result = memory_new(1, sizeof *result);
    *result = (struct result){
        .id = copy_or_empty(head->id),
        .name = copy_or_empty(head->name),
        .plan_source = copy_or_empty(head->plan_source),
        .plan_file = memory_copy_text(head->plan_file),
        .target = copy_or_empty(head->target),
        .version = copy_or_empty(head->version),
        .host = copy_or_empty(head->host),
        .kernel = copy_or_empty(head->kernel),
        .cpu = copy_or_empty(head->cpu),
        .cores = head->cores,
        .segments = head->segments,
        .seed = head->seed,
        .wall_start_ns = head->wall_start_ns,
        .interval_ns = head->interval_ns,
        .time_scale = head->time_scale,
        .metrics = table_copy(run->metrics),
        .label_count = run->label_count,
        .labels = memory_new(run->label_count, sizeof *result->labels),
    };
    for (size_t i = 0; i < run->label_count; i++)
        result->labels[i] = (struct result_fact){.name = copy_or_empty(run->labels[i].name),
                                                 .value = copy_or_empty(run->labels[i].value)};
    declare_counted(result, run);
    declare_phases(result, run->phases, run->phase_count);
    return result;
}

static void copy_rows(struct result *to, const struct result *from)
{
    for (size_t i = 0; i < from->label_count; i++)
        to->labels[i] = (struct result_fact){.name = memory_copy_text(from->labels[i].name),
                                             .value = memory_copy_text(from->labels[i].value)};
    for (size_t i = 0; i < from->request_count; i++) {
        to->requests[i].name = memory_copy_text(from->requests[i].name);
        to->requests[i].task = memory_copy_text(from->requests[i].task);
        to->requests[i].scenario = memory_copy_text(from->requests[i].scenario);
    }
    for (size_t i = 0; i < from->phase_count; i++) {
        to->phases[i] = from->phases[i];
        to->phases[i].name = memory_copy_text(from->phases[i].name);
        to->phases[i].scenario = memory_copy_text(from->phases[i].scenario);
        to->phases[i].sum = NULL;
    }
    for (size_t i = 0; i < from->service_count; i++) {
        to->services[i] = from->services[i];
        to->services[i].service = memory_copy_text(from->services[i].service);
        to->services[i].outcome = memory_copy_text(from->services[i].outcome);
    }
}

struct result *declare_copy(const struct result *from)
{
    struct result *to = memory_new(1, sizeof *to);
    *to = (struct result){
        .id = memory_copy_text(from->id),
        .name = memory_copy_text(from->name),
        .plan_source = memory_copy_text(from->plan_source),
        .plan_file = memory_copy_text(from->plan_file),
        .target = memory_copy_text(from->target),
        .version = memory_copy_text(from->version),
        .host = memory_copy_text(from->host),
        .kernel = memory_copy_text(from->kernel),
        .cpu = memory_copy_text(from->cpu),
        .cores = from->cores,
        .segments = from->segments,
        .seed = from->seed,
        .wall_start_ns = from->wall_start_ns,
        .interval_ns = from->interval_ns,
        .time_scale = from->time_scale,
        .finished = from->finished,
        .metrics = table_copy(&from->metrics),
        .label_count = from->label_count,
        .labels = memory_new(from->label_count, sizeof *to->labels),
        .request_count = from->request_count,
        .requests = memory_new(from->request_count, sizeof *to->requests),
        .phase_count = from->phase_count,
        .phases = memory_new(from->phase_count, sizeof *to->phases),
        .service_count = from->service_count,
        .services = memory_new(from->service_count, sizeof *to->services),
    };
    copy_rows(to, from);
    return to;
}
