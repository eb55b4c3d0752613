/* Reports of the library: the figures that all writers print, as plain values. */
#include "lib/inside.h"

#include "base/memory.h"
#include "lib/save.h"
#include "show/figure.h"
#include "show/verdict.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct plimsoll_report *inside_report(void)
{
    struct plimsoll_report *report = memory_new(1, sizeof *report);
    plug_list_init(&report->plugs);
    return report;
}

struct plimsoll_report *plimsoll_report_free(struct plimsoll_report *report)
{
    if (!report)
        return NULL;
    run_report_fini(&report->run);
    plug_list_fini(&report->plugs);
    free(report);
    return NULL;
}

/* The outcome that a run wrote down of itself. */
static enum run_outcome outcome_of(const struct result *result)
{
    static const struct {
        const char *word;
        enum run_outcome outcome;
    } rows[] = {
        {"passed", RUN_PASSED},           {"thresholds", RUN_THRESHOLDS},
        {"interrupted", RUN_INTERRUPTED}, {"saturated", RUN_GENERATOR_SATURATED},
        {"disk_full", RUN_DISK_FULL},
    };
    const char *word = result_fact(result, "outcome");
    for (size_t i = 0; word && i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].word, word) == 0)
            return rows[i].outcome;
    return RUN_FAILED;
}

int plimsoll_report_read(const char *path, struct plimsoll_report **out)
{
    struct result *result = NULL;
    int error = result_read(path, &result);
    if (error)
        return error < 0 ? error : -EINVAL;
    struct plimsoll_report *report = inside_report();
    report->run = (struct run_report){
        .outcome = outcome_of(result),
        .why = memory_copy_text(result_fact(result, "outcome.reason")),
        .run_path = memory_copy_text(path),
        .result = result,
    };
    *out = report;
    return 0;
}

enum plimsoll_outcome plimsoll_report_outcome(const struct plimsoll_report *report)
{
    return (enum plimsoll_outcome)report->run.outcome;
}

const char *plimsoll_report_sentence(const struct plimsoll_report *report)
{
    return report->run.why ? report->run.why : "";
}

const char *plimsoll_report_path(const struct plimsoll_report *report)
{
    return report->run.run_path;
}

/* ---- figures ----------------------------------------------------------------------------------
 */

static double milliseconds(struct figure_time time)
{
    return time.known ? (double)time.ns / (double)NSEC_PER_MSEC : (double)NAN;
}

static struct plimsoll_times times_of(const struct figure_times *times)
{
    return (struct plimsoll_times){
        .count = times->count,
        .censored = times->censored,
        .min_ms = milliseconds(times->least),
        .average_ms = milliseconds(times->mean),
        .p50_ms = milliseconds(times->p50),
        .p90_ms = milliseconds(times->p90),
        .p95_ms = milliseconds(times->p95),
        .p99_ms = milliseconds(times->p99),
        .max_ms = milliseconds(times->most),
    };
}

static struct plimsoll_values values_of(const struct figure_sums *sums)
{
    return (struct plimsoll_values){
        .total_requests = sums->requests,
        .successful_requests = sums->succeeded,
        .failed_requests = sums->failed,
        .abandoned = sums->abandoned,
        .failed_assertions = sums->checks_failed,
        .passed_assertions = sums->checks_passed,
        .error_rate = sums->error_share,
        .duration_seconds = sums->seconds,
        .requests_per_second = sums->rate_rps,
        .requests_per_minute = sums->rate_rpm,
        .megabytes_per_second = sums->in_bytes_rate / 1e6,
        .errors_timeout = sums->roll_timeout,
        .errors_connection = sums->roll_connection,
        .errors_validation = sums->roll_validation,
        .errors_server = sums->roll_5xx,
        .response = times_of(&sums->response),
        .service = times_of(&sums->service),
    };
}

/* The sum of all requests of a task, or of all phases of a level. Returns false when there is none;
 * to is the caller's. */
static bool add_part(const struct result *result, const char *task, double level,
                     struct result_sum *to)
{
    bool found = false;
    for (size_t i = 0; task && i < result->request_count; i++) {
        const struct result_request *request = &result->requests[i];
        if (strcmp(request->task, task) != 0 && strcmp(request->name, task) != 0)
            continue;
        result_sum_merge(to, request->sum, &result->metrics);
        found = true;
    }
    for (size_t i = 0; !task && i < result->phase_count; i++) {
        const struct result_phase *phase = &result->phases[i];
        if (!phase->level || fabs(phase->target - level) > 1e-9 * level)
            continue;
        result_sum_merge(to, phase->sum, &result->metrics);
        found = true;
    }
    return found;
}

int plimsoll_report_values(const struct plimsoll_report *report, const char *task, double level,
                           struct plimsoll_values *values)
{
    const struct result *result = report->run.result;
    struct figure_sums sums;
    size_t bytes = values->bytes;
    if (bytes < sizeof bytes || (task && level != 0))
        return -EINVAL;
    if (!result)
        return -ENOENT;
    if (!task && level == 0) {
        figure_sums(result->total, &sums);
    } else {
        struct result_sum *part = result_sum_new(&result->metrics);
        bool found = add_part(result, task, level, part);
        figure_sums(part, &sums);
        result_sum_free(part, &result->metrics);
        if (!found)
            return -ENOENT;
    }
    struct plimsoll_values filled = values_of(&sums);
    memcpy(values, &filled, bytes < sizeof filled ? bytes : sizeof filled);
    values->bytes = bytes;
    return 0;
}

int plimsoll_report_error(const struct plimsoll_report *report, size_t index, const char **kind,
                          uint64_t *count)
{
    const struct result *result = report->run.result;
    if (index >= FIGURE_ERROR_KINDS)
        return -ENOENT;
    uint32_t counter = COUNT_ERROR_DNS + (uint32_t)index;
    *kind = figure_error_key(counter);
    *count = result ? result->total->counters[counter] : 0;
    return 0;
}

uint64_t plimsoll_report_status(const struct plimsoll_report *report, unsigned status)
{
    const struct result *result = report->run.result;
    return result && status < TALLY_STATUS_CODES ? result_status(result->total, status) : 0;
}

/* ---- judgement --------------------------------------------------------------------------------
 */

static enum plimsoll_answer answer_of(enum verdict_answer answer)
{
    return answer == ANSWER_YES  ? PLIMSOLL_YES
           : answer == ANSWER_NO ? PLIMSOLL_NO
                                 : PLIMSOLL_UNKNOWN;
}

enum plimsoll_answer plimsoll_report_slo_availability(const struct plimsoll_report *report)
{
    struct verdict verdict;
    if (!report->run.result)
        return PLIMSOLL_UNKNOWN;
    show_verdict(report->run.result, &verdict);
    enum plimsoll_answer answer = answer_of(verdict.availability_passed);
    show_verdict_fini(&verdict);
    return answer;
}

enum plimsoll_answer plimsoll_report_slo_latency_p95(const struct plimsoll_report *report)
{
    struct verdict verdict;
    if (!report->run.result)
        return PLIMSOLL_UNKNOWN;
    show_verdict(report->run.result, &verdict);
    enum plimsoll_answer answer = answer_of(verdict.latency_p95_passed);
    show_verdict_fini(&verdict);
    return answer;
}

/* ---- words and files --------------------------------------------------------------------------
 */

int plimsoll_report_words(const struct plimsoll_report *report, const char *format, char **words)
{
    const struct writer *writer = plug_writer(&report->plugs, format);
    struct show_options options = {.columns = 100, .run_path = report->run.run_path};
    struct text out = TEXT_EMPTY;
    if (!writer || !report->run.result)
        return -ENOENT;
    int error = writer->write(report->run.result, &options, &out);
    if (error)
        text_fini(&out);
    else
        *words = text_take(&out);
    return error;
}

int plimsoll_report_save(const struct plimsoll_report *report, const char *directory)
{
    struct text failed = TEXT_EMPTY;
    if (!report->run.result)
        return -ENOENT;
    int error =
        save_reports(&report->plugs, report->run.result, report->run.run_path, directory, &failed);
    text_fini(&failed);
    return error;
}
