/* The name of a run file sorts by time, and says what was run. */
#include "run/open.h"

#include "base/memory.h"
#include "base/text.h"
#include "host/machine.h"
#include "plan/mask.h"
#include "record/path.h"
#include "run/declared.h"

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
    char *target = mask_copy(plan->target); /* a password in it is nobody's business */
    machine_read("", &machine);
    if (getrandom(&noise, sizeof noise, 0) != (ssize_t)sizeof noise)
        noise = (uint64_t)wall_ns * UINT64_C(0x9e3779b97f4a7c15);
    snprintf(id, sizeof id, "%" PRId64 "-%016" PRIx64, wall_ns / NSEC_PER_SEC, noise);
    struct run_head head = {
        .id = id,
        .name = plan->name,
        .plan_source = plan->source,
        .plan_file = plan->file,
        .target = target,
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
    struct run_declared declared = {.head = head,
                                    .metrics = options->metrics,
                                    .phases = options->phases,
                                    .phase_count = options->phase_count};
    declared_init(&declared, plan);
    int error = create_free(options->options, &declared, recorder, path);
    declared_fini(&declared);
    machine_fini(&machine);
    free(target);
    return error;
}
