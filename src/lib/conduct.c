/* A run of the library: the plan read, handed to the conductor, and what it says handed on. */
#include "lib/inside.h"

#include "base/memory.h"
#include "show/figure.h"

#include <math.h>
#include <string.h>

#define PROGRESS_LEAST_S 0.1

const char *plimsoll_version(void)
{
    return PLIMSOLL_VERSION;
}

/* Who is told of the progress. */
struct listener {
    const struct plimsoll_options *options;
};

static double p95_of(const struct figure_sums *sums)
{
    return sums->response.p95.known ? (double)sums->response.p95.ns / (double)NSEC_PER_MSEC
                                    : (double)NAN;
}

static void tell(void *self, const struct run_progress *progress)
{
    const struct listener *listener = self;
    const struct result *recent = progress->recent;
    struct figure_sums whole, last;
    struct result_sum *window =
        result_window(recent, 0, progress->elapsed_ns + NSEC_PER_SEC, UINT32_MAX);
    figure_sums(progress->whole->total, &whole);
    figure_sums(window, &last);
    struct plimsoll_progress told = {
        .elapsed_seconds = (double)progress->elapsed_ns / (double)NSEC_PER_SEC,
        .planned_seconds = (double)progress->planned_ns / (double)NSEC_PER_SEC,
        .active_users =
            recent->point_count ? recent->points[recent->point_count - 1].gauges[GAUGE_USERS] : 0,
        .requests_per_second = isnan(last.rate_rps) ? 0 : last.rate_rps,
        .p95_ms = p95_of(&last),
        .requests = whole.requests,
        .failed_requests = whole.failed,
    };
    result_sum_free(window, &recent->metrics);
    listener->options->progress(listener->options->self, &told);
}

static nsec_t interval_of(const struct plimsoll_options *options)
{
    double seconds = options->progress_seconds > 0 ? options->progress_seconds : 1;
    if (seconds < PROGRESS_LEAST_S)
        seconds = PROGRESS_LEAST_S;
    return (nsec_t)(seconds * (double)NSEC_PER_SEC);
}

static int run_it(const struct plan *plan, const struct plimsoll_options *options,
                  struct plimsoll_report *report)
{
    volatile sig_atomic_t never = 0;
    struct listener listener = {.options = options};
    struct run_options how = {
        .plan = plan,
        .drivers = report->plugs.drivers,
        .driver_count = report->plugs.driver_count,
        .probes = report->plugs.probes,
        .probe_count = report->plugs.probe_count,
        .directory = options->directory,
        .version = PLIMSOLL_VERSION,
        .interrupts = options->stop ? options->stop : &never,
        .progress = options->progress ? tell : NULL,
        .self = &listener,
        .progress_ns = interval_of(options),
    };
    return run_plan(&how, &report->run);
}

/* The report of a plan that can not be read: its outcome, and all notes as the sentence. */
static void refuse(const struct plan_reading *reading, struct plimsoll_report *report)
{
    struct text words = TEXT_EMPTY;
    notes_write(&reading->notes, reading->text, &words);
    report->run.outcome = RUN_BAD_PLAN;
    report->run.why = text_take(&words);
}

int plimsoll_run(const struct plimsoll_plan *plan, const struct plimsoll_options *given,
                 struct plimsoll_report **out)
{
    struct plimsoll_options options = PLIMSOLL_OPTIONS_INIT;
    struct plan_reading reading;
    if (given)
        memcpy(&options, given, given->bytes < sizeof options ? given->bytes : sizeof options);
    struct plimsoll_report *report = inside_report();
    int error = inside_read(plan, &report->plugs, &reading);
    if (error == 0) {
        if (reading.plan)
            error = run_it(reading.plan, &options, report);
        else
            refuse(&reading, report);
        plan_reading_fini(&reading);
    }
    if (error)
        plimsoll_report_free(report);
    else
        *out = report;
    return error;
}
