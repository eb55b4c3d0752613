/* A result as plain data: freeing, looking up, windows and accounts. Where its numbers come from is
 * picture.c; how its sums keep them is sum.c. */
#include "record/result.h"

#include "base/check.h"
#include "base/memory.h"
#include "record/series.h"
#include "record/sum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void metrics_free(struct metric *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((char *)(uintptr_t)rows[i].name);
        free((char *)(uintptr_t)rows[i].unit);
        free((char *)(uintptr_t)rows[i].sentence);
        free((char *)(uintptr_t)rows[i].source);
    }
}

static void requests_free(struct result *result)
{
    for (size_t i = 0; i < result->request_count; i++) {
        struct result_request *request = &result->requests[i];
        free(request->name);
        free(request->task);
        free(request->scenario);
        result_sum_free(request->sum, &result->metrics);
        for (size_t p = 0; request->phase && p < result->phase_count; p++)
            result_sum_free(request->phase[p], &result->metrics);
        free(request->phase);
    }
    free(result->requests);
}

static void points_free(struct result *result)
{
    for (size_t i = 0; i < result->point_count; i++) {
        struct result_point *point = &result->points[i];
        result_sum_free(point->sum, &result->metrics);
        for (size_t r = 0; r < result->request_count; r++)
            result_sum_free(point->requests[r], &result->metrics);
        free(point->requests);
    }
    free(result->points);
}

static void phases_free(struct result *result)
{
    for (size_t i = 0; i < result->phase_count; i++) {
        free(result->phases[i].name);
        free(result->phases[i].scenario);
        result_sum_free(result->phases[i].sum, &result->metrics);
    }
    free(result->phases);
}

static void pairs_free(struct result_fact *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(pairs[i].name);
        free(pairs[i].value);
    }
    free(pairs);
}

static void words_free(struct result *result)
{
    for (size_t i = 0; i < result->event_count; i++) {
        free(result->events[i].kind);
        free(result->events[i].words);
    }
    free(result->events);
    for (size_t i = 0; i < result->example_count; i++)
        free(result->examples[i].words);
    free(result->examples);
    for (size_t i = 0; i < result->service_count; i++) {
        free(result->services[i].service);
        free(result->services[i].outcome);
    }
    free(result->services);
    for (size_t i = 0; i < result->verdict_count; i++) {
        free(result->verdicts[i].words);
        free(result->verdicts[i].scope);
        free(result->verdicts[i].unit);
        free(result->verdicts[i].why);
    }
    free(result->verdicts);
    pairs_free(result->facts, result->fact_count);
    pairs_free(result->labels, result->label_count);
}

struct result *result_free(struct result *result)
{
    if (!result)
        return NULL;
    requests_free(result);
    points_free(result);
    phases_free(result);
    words_free(result);
    series_free(result);
    result_sum_free(result->total, &result->metrics);
    sum_cache_free(result->decoded);
    metrics_free(result->metrics.counters, result->metrics.counter_count);
    metrics_free(result->metrics.hists, result->metrics.hist_count);
    metric_table_fini(&result->metrics);
    free(result->loop_lag);
    char *texts[] = {result->id,        result->name,   result->plan_source,
                     result->plan_file, result->target, result->version,
                     result->host,      result->kernel, result->cpu};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    free(result);
    return NULL;
}

void result_put_example(const struct result_example *example, struct text *out)
{
    const char *words = example->words ? example->words : "";
    char status[16];
    snprintf(status, sizeof status, "%d", (int)example->status);
    bool said = strncmp(words, status, strlen(status)) == 0; /* "502 Bad Gateway" */
    if (example->status >= 400)
        text_printf(out, "HTTP %s%s", said ? "" : status, said || !words[0] ? "" : ", ");
    text_puts(out, words);
}

const char *result_fact(const struct result *result, const char *name)
{
    for (size_t i = 0; i < result->fact_count; i++)
        if (strcmp(result->facts[i].name, name) == 0)
            return result->facts[i].value;
    return NULL;
}

struct result_sum *result_window(const struct result *result, nsec_t begin_ns, nsec_t end_ns,
                                 uint32_t request)
{
    struct result_sum *sum = result_sum_new(&result->metrics);
    nsec_t first_ns = 0, last_ns = 0, measured_ns = 0;
    for (size_t i = 0; i < result->point_count; i++) {
        const struct result_point *point = &result->points[i];
        nsec_t middle_ns = point->begin_ns + (point->end_ns - point->begin_ns) / 2;
        if (middle_ns < begin_ns || middle_ns >= end_ns || result->phases[point->phase].excluded)
            continue;
        const struct result_sum *from = point->sum;
        if (request != UINT32_MAX) {
            check(request < result->request_count);
            from = point->requests[request];
        }
        if (from)
            result_sum_merge(sum, from, &result->metrics);
        if (measured_ns == 0 || point->begin_ns < first_ns)
            first_ns = point->begin_ns;
        if (measured_ns == 0 || point->end_ns > last_ns)
            last_ns = point->end_ns;
        measured_ns += point->end_ns - point->begin_ns;
    }
    sum->begin_ns = first_ns;
    sum->end_ns = last_ns;
    sum->measured_ns = measured_ns;
    return sum;
}

bool result_accounts_close(const struct result_sum *sum, uint64_t waiting_begin,
                           uint64_t waiting_end, uint64_t in_flight_begin, uint64_t in_flight_end,
                           int64_t *offered_off, int64_t *started_off)
{
    const uint64_t *n = sum->counters;
    uint64_t left_queue = n[COUNT_STARTED] + n[COUNT_DROPPED];
    uint64_t ended = n[COUNT_SUCCEEDED] + n[COUNT_FAILED] + n[COUNT_TIMED_OUT] + n[COUNT_ABANDONED];
    *offered_off = (int64_t)(waiting_begin + n[COUNT_OFFERED] - left_queue - waiting_end);
    *started_off = (int64_t)(in_flight_begin + n[COUNT_STARTED] - ended - in_flight_end);
    return *offered_off == 0 && *started_off == 0;
}
