/* Rows for spreadsheets (RFC 4180): of each interval, and of each request name. Units stand in the
 * column names; what is not known is an empty field, never a zero. */
#include "plug/writer/writer_list.h"
#include "show/document.h"
#include "show/words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A text field: quoted where it must be. A field that a spreadsheet would run as a formula is made
 * a text by an apostrophe in front (OWASP: CSV injection). */
static void put_text(const char *words, struct text *out)
{
    char *clean = words_clean(words, false);
    const char *formula = clean[0] && strchr("=+-@", clean[0]) ? "'" : "";
    if (!strpbrk(clean, ",\"") && !formula[0]) {
        text_puts(out, clean);
    } else {
        text_printf(out, "\"%s", formula);
        for (const char *at = clean; *at; at++) {
            if (*at == '"')
                text_putc(out, '"');
            text_putc(out, *at);
        }
        text_putc(out, '"');
    }
    free(clean);
}

/* A value of the document as a field. */
static void put_value(const json_t *value, struct text *out)
{
    if (json_is_string(value)) {
        put_text(json_string_value(value), out);
    } else if (json_is_boolean(value)) {
        text_putc(out, json_is_true(value) ? '1' : '0');
    } else if (value && !json_is_null(value)) {
        char *digits = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
        text_puts(out, digits);
        free(digits);
    }
}

/* The columns of an object of arrays, side by side. */
static void put_columns(json_t *series, struct text *out)
{
    const char *name = NULL;
    json_t *column = NULL;
    size_t rows = 0;
    bool first = true;
    json_object_foreach(series, name, column)
    {
        text_printf(out, "%s%s", first ? "" : ",", name);
        rows = json_array_size(column);
        first = false;
    }
    text_puts(out, "\r\n");
    for (size_t row = 0; row < rows; row++) {
        first = true;
        json_object_foreach(series, name, column)
        {
            text_puts(out, first ? "" : ",");
            put_value(json_array_get(column, row), out);
            first = false;
        }
        text_puts(out, "\r\n");
    }
}

static int write_csv(const struct result *result, const struct show_options *options,
                     struct text *out)
{
    (void)options;
    json_t *series = document_series(result);
    put_columns(series, out);
    json_decref(series);
    return 0;
}

static const char *const counts[] = {"requests",  "succeeded", "failed",      "timed_out",
                                     "abandoned", "dropped",   "error_ratio", "failed_assertions",
                                     "rate_rps",  "rate_rpm"};
static const char *const times[] = {"min_ms", "avg_ms", "p50_ms", "p90_ms",
                                    "p95_ms", "p99_ms", "max_ms"};

/* Answers made of tokens: spreads and single figures of the document's `llm`. */
static const char *const token_times[] = {"ttft",      "ttft_service", "ttfat",      "itl",
                                          "itl_token", "tpot",         "e2e_content"};
static const char *const token_figures[] = {"streams",
                                            "content_events",
                                            "output_tokens",
                                            "prompt_tokens",
                                            "cached_tokens",
                                            "reasoning_tokens",
                                            "output_tokens_per_s",
                                            "prompt_tokens_per_s",
                                            "output_tokens_per_s_per_stream",
                                            "good",
                                            "goodput_judged",
                                            "goodput_rps",
                                            "goodput_ratio",
                                            "burst_ratio",
                                            "truncated_prompts",
                                            "token_source"};

/* The names of these columns; with llm, a row of them instead: empty fields where it is null. */
static void put_tokens(bool head, const json_t *llm, struct text *out)
{
    for (size_t t = 0; t < sizeof token_times / sizeof *token_times; t++)
        for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
            text_putc(out, ',');
            if (head)
                text_printf(out, "%s_%s", token_times[t], times[i]);
            else
                put_value(json_object_get(json_object_get(llm, token_times[t]), times[i]), out);
        }
    for (size_t i = 0; i < sizeof token_figures / sizeof *token_figures; i++) {
        text_putc(out, ',');
        if (head)
            text_puts(out, token_figures[i]);
        else
            put_value(json_object_get(llm, token_figures[i]), out);
    }
}

/* Whether the run has answers made of tokens: only then there are columns for them. */
static bool has_tokens(const struct result *result)
{
    json_t *llm = document_llm(result->total, &result->metrics);
    bool has = json_is_object(llm);
    json_decref(llm);
    return has;
}

static void put_task_head(bool tokens, struct text *out)
{
    text_puts(out, "request,task,scenario");
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        text_printf(out, ",%s", counts[i]);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        text_printf(out, ",response_%s", times[i]);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        text_printf(out, ",service_%s", times[i]);
    text_puts(out, ",response_count,response_censored,received_bytes,sent_bytes");
    if (tokens)
        put_tokens(true, NULL, out);
    text_puts(out, "\r\n");
}

static void put_times(json_t *spread, struct text *out)
{
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        text_putc(out, ',');
        put_value(json_object_get(spread, times[i]), out);
    }
}

static void put_task(const char *const names[3], const struct result_sum *sum,
                     const struct metric_table *metrics, bool tokens, struct text *out)
{
    json_t *sums = document_sums(sum, metrics);
    json_t *response = json_object_get(sums, "response");
    for (size_t i = 0; i < 3; i++) {
        text_puts(out, i ? "," : "");
        put_text(names[i] ? names[i] : "", out);
    }
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        text_putc(out, ',');
        put_value(json_object_get(sums, counts[i]), out);
    }
    put_times(response, out);
    put_times(json_object_get(sums, "service"), out);
    const json_t *last[] = {
        json_object_get(response, "count"),
        json_object_get(response, "censored"),
        json_object_get(sums, "received_bytes"),
        json_object_get(sums, "sent_bytes"),
    };
    for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
        text_putc(out, ',');
        put_value(last[i], out);
    }
    if (tokens)
        put_tokens(false, json_object_get(sums, "llm"), out);
    text_puts(out, "\r\n");
    json_decref(sums);
}

static int write_csv_tasks(const struct result *result, const struct show_options *options,
                           struct text *out)
{
    (void)options;
    bool tokens = has_tokens(result);
    put_task_head(tokens, out);
    for (size_t i = 0; i < result->request_count; i++) {
        const struct result_request *request = &result->requests[i];
        const char *const names[] = {request->name, request->task, request->scenario};
        put_task(names, request->sum, &result->metrics, tokens, out);
    }
    const char *const all[] = {"(all)", "", ""};
    put_task(all, result->total, &result->metrics, tokens, out);
    return 0;
}

const struct writer writer_csv = {
    .name = "csv",
    .file = "intervals.csv",
    .sentence = "a row for each interval of the run",
    .write = write_csv,
};

const struct writer writer_csv_tasks = {
    .name = "csv-tasks",
    .file = "tasks.csv",
    .sentence = "a row for each request name",
    .write = write_csv_tasks,
};
