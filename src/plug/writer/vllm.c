/* The result file and the console block of `vllm bench serve`, which other programs read: same
 * names, same units, same formulas (study/vllm.h). The texts of answers are not kept, so
 * generated_texts holds empty ones. */
#include "study/vllm.h"
#include "plug/writer/writer_list.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the file ---------------------------------------------------------------------------------
 */

/* What vLLM calls the kind of requests. */
static const char *backend_of(const struct result *result)
{
    static const struct {
        const char *verb, *backend;
    } rows[] = {
        {"openai.chat", "openai-chat"},
        {"openai.completions", "openai"},
        {"openai.embeddings", "openai-embeddings"},
    };
    const char *verb = result_fact(result, "load.verb");
    for (size_t i = 0; verb && i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].verb, verb) == 0)
            return rows[i].backend;
    return verb ? verb : "custom";
}

static double number_fact(const struct result *result, const char *name, double unset)
{
    const char *words = result_fact(result, name);
    return words ? strtod(words, NULL) : unset;
}

static void add_head(json_t *file, const struct result *result, const struct vllm_run *run)
{
    char date[40];
    time_t begun = (time_t)(result->wall_start_ns / NSEC_PER_SEC);
    struct tm local;
    localtime_r(&begun, &local);
    strftime(date, sizeof date, "%Y%m%d-%H%M%S", &local);
    const char *model = result_fact(result, "load.model");
    double rate = number_fact(result, "load.rate_rps", (double)INFINITY);
    double users = number_fact(result, "load.concurrency", 0);
    json_object_set_new(file, "date", json_string(date));
    json_object_set_new(file, "backend", json_string(backend_of(result)));
    json_object_set_new(file, "endpoint_type", json_string(backend_of(result)));
    json_object_set_new(file, "label", json_null());
    json_object_set_new(file, "model_id", json_string(model ? model : ""));
    json_object_set_new(file, "tokenizer_id", json_string(model ? model : ""));
    json_object_set_new(file, "num_prompts", json_integer((json_int_t)run->count));
    for (size_t i = 0; i < result->label_count; i++)
        if (!json_object_get(file, result->labels[i].name))
            json_object_set_new(file, result->labels[i].name, json_string(result->labels[i].value));
    json_object_set_new(file, "request_rate",
                        isfinite(rate) ? json_real(rate) : json_string("inf"));
    json_object_set_new(file, "burstiness",
                        json_real(number_fact(result, "load.burstiness", isfinite(rate) ? 0 : 1)));
    if (isfinite(rate) && !result_fact(result, "load.burstiness")) /* evenly spaced */
        json_object_set_new(file, "burstiness", json_string("inf"));
    json_object_set_new(file, "max_concurrency",
                        users > 0 ? json_integer((json_int_t)users) : json_null());
}

static void add_totals(json_t *file, const struct vllm_run *run)
{
    json_object_set_new(file, "duration", json_real(run->duration_s));
    json_object_set_new(file, "completed", json_integer((json_int_t)run->completed));
    json_object_set_new(file, "failed", json_integer((json_int_t)run->failed));
    json_object_set_new(file, "total_input_tokens", json_integer(run->input_tokens));
    json_object_set_new(file, "total_output_tokens", json_integer(run->output_tokens));
    json_object_set_new(file, "request_throughput", json_real(run->request_rate));
    json_object_set_new(file, "request_goodput",
                        run->judged ? json_real(run->good_rate) : json_null());
    json_object_set_new(file, "output_throughput", json_real(run->output_rate));
    json_object_set_new(file, "total_token_throughput", json_real(run->token_rate));
    json_object_set_new(file, "max_output_tokens_per_s", json_real(run->peak_chunks));
    json_object_set_new(file, "max_concurrent_requests",
                        json_integer((json_int_t)run->peak_concurrency));
}

static json_t *array(json_t *file, const char *name)
{
    json_t *list = json_array();
    json_object_set_new(file, name, list);
    return list;
}

static void add_arrays(json_t *file, const struct vllm_run *run)
{
    json_t *inputs = array(file, "input_lens"), *outputs = array(file, "output_lens");
    json_t *ttfts = array(file, "ttfts"), *itls = array(file, "itls");
    json_t *latencies = array(file, "latencies"), *starts = array(file, "start_times");
    json_t *queues = array(file, "queue_times"), *texts = array(file, "generated_texts");
    json_t *errors = array(file, "errors");
    for (size_t i = 0; i < run->count; i++) {
        const struct vllm_request *request = &run->requests[i];
        json_t *gaps = json_array();
        for (size_t g = 0; g < request->gap_count; g++)
            json_array_append_new(gaps, json_real(request->gaps_s[g]));
        json_array_append_new(inputs, json_integer(request->input_tokens));
        json_array_append_new(outputs, json_integer(request->output_tokens));
        json_array_append_new(ttfts, json_real(request->ttft_s));
        json_array_append_new(itls, gaps);
        json_array_append_new(latencies, json_real(request->latency_s));
        json_array_append_new(starts, json_real(request->start_s));
        json_array_append_new(queues, json_real(request->queue_s));
        json_array_append_new(texts, json_string(""));
        json_array_append_new(errors, json_string(request->error));
    }
}

static void add_spread(json_t *file, const char *name, const struct vllm_spread *spread)
{
    char key[48];
    const struct {
        const char *stat;
        double value;
    } rows[] = {{"mean", spread->mean}, {"median", spread->median}, {"std", spread->deviation}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(key, sizeof key, "%s_%s_ms", rows[i].stat, name);
        json_object_set_new(file, key, json_real(rows[i].value));
    }
    for (size_t i = 0; i < VLLM_PERCENTILES; i++) {
        snprintf(key, sizeof key, "p%d_%s_ms", vllm_percentiles[i], name);
        json_object_set_new(file, key, json_real(spread->percentiles[i]));
    }
}

/* Reads the trace; -ENODATA: the run has none. */
static int read_run(const struct result *result, const struct show_options *options,
                    struct vllm_run *run)
{
    int outcome = options->run_path ? vllm_run_read(options->run_path, result, run) : -ENODATA;
    return outcome > 0 ? -ENODATA : outcome;
}

static int write_vllm(const struct result *result, const struct show_options *options,
                      struct text *out)
{
    struct vllm_run run;
    int error = read_run(result, options, &run);
    if (error)
        return error;
    json_t *file = json_object();
    add_head(file, result, &run);
    add_totals(file, &run);
    add_arrays(file, &run);
    add_spread(file, "ttft", &run.ttft);
    add_spread(file, "tpot", &run.tpot);
    add_spread(file, "itl", &run.itl);
    add_spread(file, "e2el", &run.e2el);
    char *bytes = json_dumps(file, JSON_REAL_PRECISION(17));
    text_puts(out, bytes);
    text_putc(out, '\n');
    free(bytes);
    json_decref(file);
    vllm_run_fini(&run);
    return 0;
}

/* ---- the block --------------------------------------------------------------------------------
 */

enum { BLOCK_COLUMNS = 50 };

/* A title in the middle of a line of this letter. */
static void put_title(const char *title, char letter, struct text *out)
{
    size_t room = BLOCK_COLUMNS - strlen(title), left = room / 2;
    for (size_t i = 0; i < left; i++)
        text_putc(out, letter);
    text_puts(out, title);
    for (size_t i = left; i < room; i++)
        text_putc(out, letter);
    text_putc(out, '\n');
}

static void put_count(const char *name, int64_t count, struct text *out)
{
    text_printf(out, "%-40s %-10" PRId64 "\n", name, count);
}

static void put_real(const char *name, double number, struct text *out)
{
    text_printf(out, "%-40s %-10.2f\n", name, number);
}

static void put_spread(const char *title, const char *name, const struct vllm_spread *spread,
                       struct text *out)
{
    char words[40];
    put_title(title, '-', out);
    snprintf(words, sizeof words, "Mean %s (ms):", name);
    put_real(words, spread->mean, out);
    snprintf(words, sizeof words, "Median %s (ms):", name);
    put_real(words, spread->median, out);
    snprintf(words, sizeof words, "P99 %s (ms):", name);
    put_real(words, spread->percentiles[VLLM_PERCENTILES - 1], out);
}

static void put_block(const struct result *result, const struct vllm_run *run, struct text *out)
{
    double rate = number_fact(result, "load.rate_rps", 0);
    double users = number_fact(result, "load.concurrency", 0);
    put_title(" Serving Benchmark Result ", '=', out);
    put_count("Successful requests:", (int64_t)run->completed, out);
    put_count("Failed requests:", (int64_t)run->failed, out);
    if (users > 0)
        put_count("Maximum request concurrency:", (int64_t)users, out);
    if (rate > 0)
        put_real("Request rate configured (RPS):", rate, out);
    put_real("Benchmark duration (s):", run->duration_s, out);
    put_count("Total input tokens:", run->input_tokens, out);
    put_count("Total generated tokens:", run->output_tokens, out);
    put_real("Request throughput (req/s):", run->request_rate, out);
    if (run->judged)
        put_real("Request goodput (req/s):", run->good_rate, out);
    put_real("Output token throughput (tok/s):", run->output_rate, out);
    put_real("Peak output token throughput (tok/s):", run->peak_chunks, out);
    put_real("Peak concurrent requests:", (double)run->peak_concurrency, out);
    put_real("Total token throughput (tok/s):", run->token_rate, out);
    put_spread("Time to First Token", "TTFT", &run->ttft, out);
    put_spread("Time per Output Token (excl. 1st token)", "TPOT", &run->tpot, out);
    put_spread("Inter-token Latency", "ITL", &run->itl, out);
    put_spread("End-to-end Latency", "E2EL", &run->e2el, out);
    put_title("", '=', out);
}

static int write_block(const struct result *result, const struct show_options *options,
                       struct text *out)
{
    struct vllm_run run;
    int error = read_run(result, options, &run);
    if (error)
        return error;
    put_block(result, &run, out);
    vllm_run_fini(&run);
    return 0;
}

const struct writer writer_vllm = {
    .name = "vllm",
    .sentence = "the result file of vllm bench serve (of a run with a trace)",
    .traced = true,
    .write = write_vllm,
};

const struct writer writer_vllm_text = {
    .name = "vllm-text",
    .sentence = "what vllm bench serve prints (likewise)",
    .traced = true,
    .write = write_block,
};
