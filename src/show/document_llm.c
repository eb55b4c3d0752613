/* Answers made of tokens in the document; see document.h. */
#include "show/document.h"
#include "show/figure_llm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add_times(json_t *object, const char *name, const struct figure_times *times)
{
    json_object_set_new(object, name, times->count ? document_times(times) : json_null());
}

static void add_counts(json_t *object, const struct figure_llm *figures)
{
    json_object_set_new(object, "streams", document_count(figures->streams));
    json_object_set_new(object, "content_events", document_count(figures->content_events));
    json_object_set_new(object, "output_tokens", document_count(figures->output_tokens));
    json_object_set_new(object, "prompt_tokens", document_count(figures->prompt_tokens));
    json_object_set_new(object, "cached_tokens", document_count(figures->cached_tokens));
    json_object_set_new(object, "reasoning_tokens", document_count(figures->reasoning_tokens));
    json_object_set_new(object, "empty_streams", document_count(figures->empty));
    json_object_set_new(object, "unstreamed", document_count(figures->unstreamed));
    json_object_set_new(object, "burst_streams", document_count(figures->bursts));
    json_object_set_new(object, "truncated_streams", document_count(figures->truncated_streams));
    json_object_set_new(object, "truncated_prompts", document_count(figures->truncated_prompts));
    json_object_set_new(object, "reply_errors", document_count(figures->reply_errors));
    json_object_set_new(object, "asked_prompt_tokens", document_count(figures->asked_prompt));
    json_object_set_new(object, "counted_prompt_tokens", document_count(figures->counted_prompt));
    json_object_set_new(object, "asked_output_tokens", document_count(figures->asked_output));
    json_object_set_new(object, "counted_output_tokens", document_count(figures->counted_output));
    json_object_set_new(object, "later_turns", document_count(figures->later_turns));
    json_object_set_new(object, "forgetful_turns", document_count(figures->forgetful_turns));
    json_object_set_new(object, "answers_cut", document_count(figures->answers_cut));
}

json_t *document_llm(const struct result_sum *sum, const struct metric_table *metrics)
{
    struct figure_llm figures;
    if (!figure_llm(sum, metrics, &figures))
        return json_null();
    json_t *object = json_object(), *sources = json_object();
    char *source = figure_llm_source(&figures);
    add_times(object, "ttft", &figures.ttft);
    add_times(object, "ttft_service", &figures.ttft_service);
    add_times(object, "ttfat", &figures.ttfat);
    add_times(object, "itl", &figures.itl);
    add_times(object, "itl_token", &figures.itl_token);
    add_times(object, "tpot", &figures.tpot);
    add_times(object, "e2e_content", &figures.e2e_content);
    add_times(object, "server_load", &figures.server_load);
    add_times(object, "server_prompt", &figures.server_prompt);
    add_times(object, "server_decode", &figures.server_decode);
    add_counts(object, &figures);
    json_object_set_new(object, "good", document_count(figures.good));
    json_object_set_new(object, "goodput_judged", document_count(figures.judged));
    json_object_set_new(object, "goodput_rps", document_number(figures.good_rate));
    json_object_set_new(object, "goodput_ratio", document_number(figures.good_share));
    json_object_set_new(object, "output_tokens_per_s", document_number(figures.output_rate));
    json_object_set_new(object, "prompt_tokens_per_s", document_number(figures.prompt_rate));
    json_object_set_new(object, "output_tokens_per_s_per_stream",
                        document_number(figures.stream_rate));
    json_object_set_new(object, "burst_ratio", document_number(figures.burst_share));
    json_object_set_new(object, "token_source", json_string(source));
    json_object_set_new(sources, "continuous_usage", document_count(figures.from_continuous));
    json_object_set_new(sources, "usage", document_count(figures.from_usage));
    json_object_set_new(sources, "events", document_count(figures.from_events));
    json_object_set_new(object, "token_sources", sources);
    free(source);
    return object;
}

/* ---- over time --------------------------------------------------------------------------------
 */

/* No metric of that name was declared. */
#define NOT_THERE UINT32_MAX

static uint32_t hist_number(const struct metric_table *metrics, const char *name)
{
    for (uint32_t i = CORE_HISTS; i < metrics->hist_count; i++)
        if (strcmp(metrics->hists[i].name, name) == 0)
            return i;
    return NOT_THERE;
}

static uint32_t counter_number(const struct metric_table *metrics, const char *name)
{
    for (uint32_t i = CORE_COUNTERS; i < metrics->counter_count; i++)
        if (strcmp(metrics->counters[i].name, name) == 0)
            return i;
    return NOT_THERE;
}

/* A time of one interval, share 0: the mean; null where nothing was recorded. */
static json_t *time_cell(const struct result_sum *sum, uint32_t number, double share)
{
    const struct hist *hist = sum && number != NOT_THERE ? result_hist(sum, number) : NULL;
    if (!hist || hist->count == 0)
        return json_null();
    nsec_t quantile_ns = 0;
    if (share > 0 && hist_quantile(hist, share, &quantile_ns) != 0)
        return json_null();
    double value_ns = share > 0 ? (double)quantile_ns : hist_mean(hist);
    return json_real(round(value_ns / 1e3) / 1e3);
}

/* A count of one interval; a second of it with `rate`. */
static json_t *count_cell(const struct result_sum *sum, uint32_t number, nsec_t length_ns,
                          bool rate)
{
    if (!sum || number == NOT_THERE)
        return json_null();
    if (!rate)
        return document_count(sum->counters[number]);
    double seconds = (double)length_ns / (double)NSEC_PER_SEC;
    double value = seconds > 0 ? (double)sum->counters[number] / seconds : (double)NAN;
    return document_number(round(value * 1e3) / 1e3);
}

static const struct result_sum *sum_at(const struct result_point *point, size_t request)
{
    if (request == SIZE_MAX)
        return point->sum;
    return point->requests ? point->requests[request] : NULL;
}

void document_llm_series(json_t *series, const struct result *result, size_t request)
{
    static const struct {
        const char *column, *metric;
        double share;
    } times[] = {
        {"ttft_p50_ms", "ttft", 0.5}, {"ttft_p95_ms", "ttft", 0.95}, {"ttft_p99_ms", "ttft", 0.99},
        {"itl_p50_ms", "itl", 0.5},   {"itl_p95_ms", "itl", 0.95},   {"itl_p99_ms", "itl", 0.99},
        {"tpot_avg_ms", "tpot", 0},
    };
    static const struct {
        const char *column, *metric;
        bool rate;
    } counts[] = {
        {"output_tokens_per_s", "output_tokens", true},
        {"prompt_tokens_per_s", "prompt_tokens", true},
        {"good", "good", false},
        {"missed", "missed", false},
    };
    struct figure_llm figures;
    const struct result_sum *whole =
        request == SIZE_MAX ? result->total : result->requests[request].sum;
    if (!figure_llm(whole, &result->metrics, &figures))
        return;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        json_t *column = json_array();
        uint32_t number = hist_number(&result->metrics, times[i].metric);
        for (size_t p = 0; p < result->point_count; p++)
            json_array_append_new(
                column, time_cell(sum_at(&result->points[p], request), number, times[i].share));
        json_object_set_new(series, times[i].column, column);
    }
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        json_t *column = json_array();
        uint32_t number = counter_number(&result->metrics, counts[i].metric);
        for (size_t p = 0; p < result->point_count; p++) {
            const struct result_point *point = &result->points[p];
            json_array_append_new(column,
                                  count_cell(sum_at(point, request), number,
                                             point->end_ns - point->begin_ns, counts[i].rate));
        }
        json_object_set_new(series, counts[i].column, column);
    }
}

json_t *document_definitions(const struct metric_table *metrics)
{
    json_t *object = json_object();
    for (size_t i = CORE_COUNTERS; i < metrics->counter_count; i++)
        json_object_set_new(object, metrics->counters[i].name,
                            document_text(metrics->counters[i].sentence));
    for (size_t i = CORE_HISTS; i < metrics->hist_count; i++)
        json_object_set_new(object, metrics->hists[i].name,
                            document_text(metrics->hists[i].sentence));
    return object;
}
