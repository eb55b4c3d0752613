/* A run without phases, requests and threads: a record, a watch, and waiting. */
#include "run/monitor.h"

#include "run/open.h"
#include "run/run.h"
#include "run/watching.h"

#include <time.h>

#define TICK_NS   (50 * NSEC_PER_MSEC)
#define RECENT_NS (60 * NSEC_PER_SEC)
/* At most, for the look at the last instant to be over. */
#define LAST_LOOK_NS (200 * NSEC_PER_MSEC)

static void nap(nsec_t length_ns)
{
    struct timespec length = {.tv_sec = length_ns / NSEC_PER_SEC,
                              .tv_nsec = length_ns % NSEC_PER_SEC};
    nanosleep(&length, NULL); /* a signal ends it early, which is as well */
}

static void show(const struct monitor_options *options, struct recorder *recorder)
{
    recorder_drain(recorder);
    struct result *recent = recorder_result(recorder, RECENT_NS);
    options->progress(options->self, recent);
    result_free(recent);
}

/* Waits until it is over. */
static int wait_for_end(const struct monitor_options *options, struct watching *watching,
                        struct recorder *recorder, nsec_t start_ns)
{
    struct watching_news news;
    nsec_t half_ns = options->plan->watch.interval_ns / 2; /* the next look is not to begin */
    nsec_t slack_ns = half_ns < LAST_LOOK_NS ? half_ns : LAST_LOOK_NS;
    nsec_t end_ns =
        options->duration_ns > 0 ? start_ns + options->duration_ns + slack_ns : INT64_MAX;
    nsec_t shown_ns = start_ns + slack_ns;
    while (!*options->interrupts) {
        nsec_t now_ns = clock_monotonic_ns();
        if (now_ns >= end_ns)
            break;
        if (watching_limit(watching, SAFETY_STOP_GRACEFULLY, &news) ||
            watching_limit(watching, SAFETY_STOP, &news))
            return MONITOR_LIMIT;
        if (options->progress && now_ns >= shown_ns + options->progress_ns) {
            shown_ns += (now_ns - shown_ns) / options->progress_ns * options->progress_ns;
            show(options, recorder);
        }
        nap(end_ns - now_ns < TICK_NS ? end_ns - now_ns : TICK_NS);
    }
    return 0;
}

int run_monitor(const struct monitor_options *options, struct result **out)
{
    struct metric_table metrics;
    struct recorder *recorder = NULL;
    char *path = NULL;
    const struct run_options run = {.plan = options->plan, .version = options->version};
    metric_table_init(&metrics);
    const struct run_open_options open = {.options = &run, .metrics = &metrics};
    int outcome = run_open_record(&open, &recorder, &path);
    if (outcome == 0) {
        struct watching *watching =
            watching_new(options->plan, options->probes, options->probe_count, recorder);
        nsec_t start_ns = clock_monotonic_ns();
        outcome = watching_start(watching, start_ns);
        if (outcome == 0)
            outcome = wait_for_end(options, watching, recorder, start_ns);
        watching_stop(watching);
        if (outcome >= 0) {
            recorder_close(recorder);
            *out = recorder_result(recorder, 0);
        }
        watching_free(watching);
        recorder_free(recorder);
    }
    metric_table_fini(&metrics);
    return outcome;
}
