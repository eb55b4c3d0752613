/* The name of a run file sorts by time, and says what was run. */
#include "run/open.h"

#include "base/memory.h"
#include "base/text.h"
#include "host/machine.h"
#include "record/path.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 100 };

int run_directory_make(const char *directory)
{
    char *path = memory_copy_text(directory);
    int error = 0;
    for (char *slash = path + 1; !error; slash++) {
        slash = strchr(slash, '/');
        if (slash)
            *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            error = -errno;
        if (!slash)
            break;
        *slash = '/';
    }
    free(path);
    if (error == 0 && access(directory, W_OK | X_OK) != 0)
        error = -errno;
    return error;
}

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

/* The rows of a plan as the record has them. */
struct rows {
    struct run_request *requests;
    struct run_service *services;
    struct run_label *labels;
};

static struct rows rows_of(const struct plan *plan)
{
    struct rows rows = {.requests = memory_new(plan->request_count, sizeof *rows.requests),
                        .services = memory_new(plan->rule_count, sizeof *rows.services),
                        .labels = memory_new(plan->label_count, sizeof *rows.labels)};
    for (size_t i = 0; i < plan->request_count; i++) {
        const struct plan_request *request = &plan->requests[i];
        rows.requests[i] = (struct run_request){
            .name = request->name,
            .task = request->task < plan->task_count ? plan->tasks[request->task].name : "",
            .scenario = scenario_of(plan, request->task),
        };
    }
    for (size_t i = 0; i < plan->rule_count; i++)
        rows.services[i] = (struct run_service){.service = plan->rules[i].service,
                                                .outcome = plan->rules[i].name,
                                                .failure = plan->rules[i].failure};
    for (size_t i = 0; i < plan->label_count; i++)
        rows.labels[i] = (struct run_label){plan->labels[i].name, plan->labels[i].value};
    return rows;
}

static void rows_free(struct rows *rows)
{
    free(rows->requests);
    free(rows->services);
    free(rows->labels);
}

/* Calls recorder_new with the first free name. */
static int create_free(const struct run_options *run, const struct run_declared *declared,
                       struct recorder **recorder, char **path)
{
    if (!run->directory)
        return recorder_new(recorder, NULL, declared);
    for (int number = 1; number <= TRIES; number++) {
        char *name = run_path_new(run->directory, run->plan->name, declared->head.wall_start_ns);
        int error = recorder_new(recorder, name, declared);
        if (error == 0)
            *path = name;
        else
            free(name);
        if (error != -EEXIST) /* another program was quicker */
            return error;
    }
    return -EEXIST;
}

int run_open_record(const struct run_open_options *options, struct recorder **recorder, char **path)
{
    const struct plan *plan = options->options->plan;
    struct machine machine;
    char id[64];
    uint64_t noise = 0;
    nsec_t wall_ns = clock_wall_ns();
    machine_read("", &machine);
    if (getrandom(&noise, sizeof noise, 0) != (ssize_t)sizeof noise)
        noise = (uint64_t)wall_ns * UINT64_C(0x9e3779b97f4a7c15);
    snprintf(id, sizeof id, "%" PRId64 "-%016" PRIx64, wall_ns / NSEC_PER_SEC, noise);
    struct run_head head = {
        .id = id,
        .name = plan->name,
        .plan_source = plan->source,
        .plan_file = plan->file,
        .target = plan->target,
        .version = options->options->version,
        .host = machine.host,
        .kernel = machine.kernel,
        .cpu = machine.cpu,
        .cores = host_known(machine.cores) ? (uint32_t)machine.cores : 0,
        .seed = plan->seed,
        .segments = options->threads,
        .wall_start_ns = wall_ns,
        .interval_ns = plan->interval_ns,
        .time_scale = plan->time_scale,
    };
    struct rows rows = rows_of(plan);
    const struct run_declared declared = {
        .head = head,
        .metrics = options->metrics,
        .requests = rows.requests,
        .services = rows.services,
        .phases = options->phases,
        .labels = rows.labels,
        .request_count = plan->request_count,
        .service_count = plan->rule_count,
        .phase_count = options->phase_count,
        .label_count = plan->label_count,
        .trace_most = plan->trace_most,
    };
    int error = create_free(options->options, &declared, recorder, path);
    rows_free(&rows);
    machine_fini(&machine);
    return error;
}
