/* A thread for each plan. The runs know nothing of each other; what they have in common is the wall
 * clock at which their records began. */
#include "run/mixed.h"

#include "base/memory.h"
#include "host/machine.h"
#include "plan/mask.h"
#include "study/kept.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DRIFT_TOLERANCE 0.01
#define NAP_NS          (50 * NSEC_PER_MSEC)

struct part {
    struct run_options options;
    nsec_t due_ns; /* on the monotonic clock */
    struct run_report report;
    pthread_t thread;
};

static void *run_part(void *self)
{
    struct part *part = self;
    while (!*part->options.interrupts && clock_monotonic_ns() < part->due_ns) {
        struct timespec nap = {.tv_nsec = NAP_NS};
        nanosleep(&nap, NULL);
    }
    if (!*part->options.interrupts)
        run_plan(&part->options, &part->report);
    return NULL;
}

/* The stretch of the wall clock in which all runs made load; false: there was none. */
static bool overlap(const struct part *parts, size_t count, nsec_t *begin_ns, nsec_t *end_ns)
{
    *begin_ns = INT64_MIN;
    *end_ns = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct result *result = parts[i].report.result;
        if (!result)
            return false;
        nsec_t end = result->wall_start_ns + result->end_ns;
        *begin_ns = result->wall_start_ns > *begin_ns ? result->wall_start_ns : *begin_ns;
        *end_ns = end < *end_ns ? end : *end_ns;
    }
    return *end_ns - *begin_ns >= NSEC_PER_SEC;
}

static const char *file_of(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "";
}

static void measure(const struct part *part, bool together, const nsec_t window_ns[2],
                    struct level_series *series)
{
    const struct result *result = part->report.result;
    const struct plan *plan = part->options.plan;
    struct level *level = series_add(series);
    nsec_t begin_ns = together ? window_ns[0] - result->wall_start_ns : 0;
    nsec_t end_ns = together ? window_ns[1] - result->wall_start_ns : result->end_ns;
    double users = 0, rate = 0;
    for (size_t i = 0; i < plan->scenario_count; i++) {
        if (scenario_is_open(&plan->scenarios[i]))
            rate += plan->scenarios[i].rate;
        else
            users += (double)plan->scenarios[i].vus;
    }
    level->users = users > 0 ? users : NAN;
    level->rate = users > 0 || rate <= 0 ? NAN : rate;
    level->size_name = memory_copy_text("");
    level->run = memory_copy_text(file_of(part->report.run_path));
    level_measure(result, begin_ns, end_ns, level);
    level_goodput(result, (double)plan->scale.critical_response_ns / 1e9, level);
    level->warmup_s = (double)begin_ns / 1e9;
    struct kept kept;
    kept_find(result, begin_ns, end_ns, DRIFT_TOLERANCE, &kept);
    level->state = part->report.outcome == RUN_INTERRUPTED  ? LEVEL_STOPPED
                   : level->requests < hist_count_for(0.95) ? LEVEL_SHORT
                   : kept.steady                            ? LEVEL_STEADY
                                                            : LEVEL_NOT_STEADY;
}

static void collect(struct part *parts, size_t count, struct suite_report *out)
{
    nsec_t window_ns[2];
    bool together = overlap(parts, count, &window_ns[0], &window_ns[1]);
    if (!together)
        suite_add_event(out->suite, 0, "mixed",
                        "the plans did not make load at the same time for a second; each is shown "
                        "for its own time");
    for (size_t i = 0; i < count; i++) {
        const struct run_report *report = &parts[i].report;
        if (report->result)
            measure(&parts[i], together, window_ns,
                    suite_add(out->suite, SUITE_RUN, parts[i].options.plan->name));
        bool worse = report->outcome != RUN_PASSED && out->outcome == RUN_PASSED;
        if (!worse)
            continue;
        struct text why = TEXT_EMPTY;
        text_printf(&why, "%s: %s", parts[i].options.plan->name,
                    report->why ? report->why : "it did not pass");
        out->outcome = report->outcome;
        out->why = text_take(&why);
    }
    if (out->outcome == RUN_PASSED && *parts[0].options.interrupts) {
        out->outcome = RUN_INTERRUPTED;
        out->why = memory_copy_text("interrupted by the user");
    }
}

static struct suite *new_suite(const struct mixed_options *options)
{
    const struct plan *first = options->plans[0];
    struct suite *suite = suite_new();
    struct machine machine;
    machine_read("", &machine);
    suite->name = memory_copy_text("mixed");
    suite->target = mask_copy(first->target);
    suite->version = memory_copy_text(options->run.version);
    suite->host = memory_copy_text(machine.host);
    suite->wall_start_ns = clock_wall_ns();
    suite->time_scale = first->time_scale;
    suite->slo_response_s = (double)first->scale.critical_response_ns / 1e9;
    suite->slo_error_share = first->scale.critical_error_share;
    machine_fini(&machine);
    return suite;
}

int mixed_run(const struct mixed_options *options, struct suite_report *out)
{
    struct part *parts = memory_new(options->count, sizeof *parts);
    nsec_t now_ns = clock_monotonic_ns();
    size_t started = 0;
    int error = 0;
    *out = (struct suite_report){.outcome = RUN_PASSED, .suite = new_suite(options)};
    for (; started < options->count && !error; started++) {
        struct part *part = &parts[started];
        part->options = options->run;
        part->options.plan = options->plans[started];
        part->options.progress = NULL;
        part->due_ns = now_ns + (nsec_t)started * options->offset_ns;
        error = -pthread_create(&part->thread, NULL, run_part, part);
        if (error)
            break;
    }
    for (size_t i = 0; i < started; i++)
        pthread_join(parts[i].thread, NULL);
    if (!error)
        collect(parts, options->count, out);
    for (size_t i = 0; i < started; i++)
        run_report_fini(&parts[i].report);
    free(parts);
    return error;
}
