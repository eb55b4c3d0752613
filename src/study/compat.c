/* The definitions of other tools as a table: one row a metric, with the function that takes its
 * values from a request, or its single number from the totals. */
#include "study/compat.h"

#include "base/memory.h"
#include "stat/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- requests ---------------------------------------------------------------------------------
 */

static double seconds(nsec_t from_ns, nsec_t to_ns)
{
    return (double)(to_ns - from_ns) / (double)NSEC_PER_SEC;
}

static double milliseconds(nsec_t from_ns, nsec_t to_ns)
{
    return (double)(to_ns - from_ns) / (double)NSEC_PER_MSEC;
}

/* Usage where the server gave it, else one a content event. */
static int64_t output_tokens(const struct trace_request *request)
{
    return request->output_tokens >= 0 ? request->output_tokens : (int64_t)request->events;
}

/* The end of the answer for those who look at content: its last chunk, or the whole reply. */
static nsec_t content_end(const struct trace_request *request)
{
    return request->last_ns != TRACE_NEVER ? request->last_ns : request->end_ns;
}

/* ---- values of a request ----------------------------------------------------------------------
 */

static void vllm_ttft(const struct trace_request *request, struct sample *out)
{
    if (request->piece_count)
        sample_add(out, milliseconds(request->asked_ns, request->pieces[0].at_ns));
}

static void vllm_tpot(const struct trace_request *request, struct sample *out)
{
    int64_t tokens = output_tokens(request);
    if (request->piece_count && tokens > 1)
        sample_add(out, milliseconds(request->pieces[0].at_ns,
                                     request->pieces[request->piece_count - 1].at_ns) /
                            (double)(tokens - 1));
}

static void vllm_itl(const struct trace_request *request, struct sample *out)
{
    for (size_t i = 1; i < request->piece_count; i++)
        sample_add(out, milliseconds(request->pieces[i - 1].at_ns, request->pieces[i].at_ns));
}

static void vllm_e2el(const struct trace_request *request, struct sample *out)
{
    if (request->piece_count)
        sample_add(
            out, milliseconds(request->asked_ns, request->pieces[request->piece_count - 1].at_ns));
}

static void first_content(const struct trace_request *request, struct sample *out)
{
    if (request->first_ns != TRACE_NEVER)
        sample_add(out, milliseconds(request->asked_ns, request->first_ns));
}

static void first_answer(const struct trace_request *request, struct sample *out)
{
    if (request->answer_ns != TRACE_NEVER)
        sample_add(out, milliseconds(request->asked_ns, request->answer_ns));
}

/* Gaps between chunks with content: all of them, or the first one only. */
static void content_gaps(const struct trace_request *request, size_t most, struct sample *out)
{
    nsec_t before_ns = TRACE_NEVER;
    for (size_t i = 0, count = 0; i < request->piece_count && count < most; i++) {
        const struct trace_piece *piece = &request->pieces[i];
        if (piece->kind == TRACE_PIECE_EMPTY)
            continue;
        if (before_ns != TRACE_NEVER) {
            sample_add(out, milliseconds(before_ns, piece->at_ns));
            count++;
        }
        before_ns = piece->at_ns;
    }
}

static void second_token(const struct trace_request *request, struct sample *out)
{
    content_gaps(request, 1, out);
}

static void chunk_gaps(const struct trace_request *request, struct sample *out)
{
    content_gaps(request, SIZE_MAX, out);
}

static void decode_mean(const struct trace_request *request, struct sample *out)
{
    int64_t tokens = output_tokens(request);
    if (request->first_ns != TRACE_NEVER && tokens > 1)
        sample_add(out, milliseconds(request->first_ns, request->last_ns) / (double)(tokens - 1));
}

static void decode_rate(const struct trace_request *request, struct sample *out)
{
    int64_t tokens = output_tokens(request);
    if (request->first_ns != TRACE_NEVER && tokens > 1 && request->last_ns > request->first_ns)
        sample_add(out, (double)(tokens - 1) / seconds(request->first_ns, request->last_ns));
}

static void to_content_end(const struct trace_request *request, struct sample *out)
{
    sample_add(out, milliseconds(request->asked_ns, content_end(request)));
}

static void to_stream_end(const struct trace_request *request, struct sample *out)
{
    sample_add(out, milliseconds(request->asked_ns, request->end_ns));
}

static void tokens_of(const struct trace_request *request, struct sample *out)
{
    if (output_tokens(request) > 0)
        sample_add(out, (double)output_tokens(request));
}

static void rate_to_content_end(const struct trace_request *request, struct sample *out)
{
    double time = seconds(request->asked_ns, content_end(request));
    if (output_tokens(request) > 0 && time > 0)
        sample_add(out, (double)output_tokens(request) / time);
}

static void rate_to_stream_end(const struct trace_request *request, struct sample *out)
{
    double time = seconds(request->asked_ns, request->end_ns);
    if (output_tokens(request) > 0 && time > 0)
        sample_add(out, (double)output_tokens(request) / time);
}

static void time_a_token(const struct trace_request *request, struct sample *out)
{
    if (request->last_ns != TRACE_NEVER && output_tokens(request) > 0)
        sample_add(out, milliseconds(request->asked_ns, request->last_ns) /
                            (double)output_tokens(request));
}

static void tokens_an_event(const struct trace_request *request, struct sample *out)
{
    if (request->events && output_tokens(request) > 0)
        sample_add(out, (double)output_tokens(request) / (double)request->events);
}

/* ---- totals -----------------------------------------------------------------------------------
 */

/* Of all requests that succeeded outside excluded phases. */
struct totals {
    size_t completed, failed, cut;
    double input_tokens, output_tokens, latency_s;
    nsec_t first_ns, last_ns; /* all requests: first begun, last ended */
    nsec_t content_ns;        /* last content of those that succeeded */
};

static double per_second(double count, nsec_t from_ns, nsec_t to_ns)
{
    return to_ns > from_ns ? count / seconds(from_ns, to_ns) : (double)NAN;
}

static double requests_rate(const struct totals *totals)
{
    return per_second((double)totals->completed, totals->first_ns, totals->last_ns);
}

static double requests_rate_to_content(const struct totals *totals)
{
    return per_second((double)totals->completed, totals->first_ns, totals->content_ns);
}

static double output_rate(const struct totals *totals)
{
    return per_second(totals->output_tokens, totals->first_ns, totals->last_ns);
}

static double output_rate_to_content(const struct totals *totals)
{
    return per_second(totals->output_tokens, totals->first_ns, totals->content_ns);
}

static double token_rate(const struct totals *totals)
{
    return per_second(totals->input_tokens + totals->output_tokens, totals->first_ns,
                      totals->last_ns);
}

static double concurrency(const struct totals *totals)
{
    return per_second(totals->latency_s, totals->first_ns, totals->last_ns);
}

/* ---- the tables -------------------------------------------------------------------------------
 */

struct definition {
    const char *name, *unit, *ours;
    void (*take)(const struct trace_request *request, struct sample *out);
    double (*total)(const struct totals *totals);
    bool chunks; /* looks at single chunks, so that answers with missing ones are left out */
    const char *definition, *difference;
};

static const struct definition vllm[] = {
    {"TTFT", "ms", "ttft_service", vllm_ttft, NULL, true,
     "from handing the request to the HTTP client, behind the limit on concurrency, to the first "
     "chunk that has a choice",
     "the chunk with the role ends it, though it brings no text; ours waits for content"},
    {"TPOT", "ms", "tpot", vllm_tpot, NULL, true,
     "(last chunk with a choice - first one) / (output tokens - 1), once an answer",
     "begins with the role chunk and ends with the one that brings the finish reason; ours is "
     "between first and last content"},
    {"ITL", "ms", "itl", vllm_itl, NULL, true,
     "every gap between two chunks with a choice, all answers in one list",
     "has the gaps after the role and before the finish reason too; a chunk counts as one token"},
    {"E2EL", "ms", "e2e_content", vllm_e2el, NULL, true,
     "to the last chunk with a choice, answers that succeeded",
     "begins when the client takes the request up, not when it was due; ends with the finish "
     "reason"},
    {"request throughput", "req/s", NULL, NULL, requests_rate, false,
     "answers that succeeded / time from the first request to the end of the last", NULL},
    {"output throughput", "tok/s", NULL, NULL, output_rate, false,
     "their output tokens / the same time", "the drain at the end is in the time"},
    {"total token throughput", "tok/s", NULL, NULL, token_rate, false,
     "their prompt and output tokens / the same time", NULL},
    {NULL, NULL, NULL, NULL, NULL, false, NULL, NULL},
};

static const struct definition aiperf[] = {
    {"time_to_first_token", "ms", "ttft_service", first_content, NULL, false,
     "from handing the request to the HTTP client to the first chunk with content or reasoning",
     "has the wait for a connection, which ttft_service has not; ttft begins when it was due"},
    {"time_to_second_token", "ms", NULL, second_token, NULL, true,
     "from the first chunk with content to the second", "a gap, not a time since the start"},
    {"time_to_first_output_token", "ms", "ttfat", first_answer, NULL, false,
     "to the first chunk that is not reasoning; GenAI-Perf calls this TTFT",
     "ours begins when the request was due"},
    {"inter_token_latency", "ms", "tpot", decode_mean, NULL, false,
     "(request latency - TTFT) / (output tokens - 1), once an answer",
     "what vLLM and we call TPOT; AIPerf counts tokens with a tokenizer unless told otherwise, "
     "here they are the server's"},
    {"inter_chunk_latency", "ms", "itl", chunk_gaps, NULL, true,
     "every gap between two chunks with content, all answers in one list", NULL},
    {"request_latency", "ms", "e2e_content", to_content_end, NULL, false,
     "to the last chunk with content", "ours begins when the request was due"},
    {"output_sequence_length", "tokens", NULL, tokens_of, NULL, false, "output tokens of an answer",
     "AIPerf's tokenizer counts the text, here the server does"},
    {"output_token_throughput_per_user", "tok/s", NULL, decode_rate, NULL, false,
     "1 / inter_token_latency of an answer",
     "its mean is that of rates; output_tokens_per_s_per_stream here is 1 / mean of tpot, which is "
     "lower"},
    {"e2e_output_token_throughput", "tok/s", NULL, rate_to_content_end, NULL, false,
     "output tokens / request latency of an answer", NULL},
    {"output_token_throughput", "tok/s", NULL, NULL, output_rate_to_content, false,
     "all output tokens / time from the first request to the last content", NULL},
    {"request_throughput", "req/s", NULL, NULL, requests_rate_to_content, false,
     "answers that succeeded / the same time", NULL},
    {NULL, NULL, NULL, NULL, NULL, false, NULL, NULL},
};

static const struct definition guidellm[] = {
    {"time_to_first_token_ms", "ms", "ttft_service", first_content, NULL, false,
     "from handing the request to the HTTP client to the first line with text, reasoning or a tool "
     "call",
     "by the wall clock there, which can be set while it runs; here by the monotonic one"},
    {"time_to_first_output_token_ms", "ms", "ttfat", first_answer, NULL, false,
     "to the first such line that is not reasoning", "ours begins when the request was due"},
    {"inter_token_latency_ms", "ms", "tpot", decode_mean, NULL, false,
     "(last token - first token) / (output tokens - 1), once an answer",
     "what vLLM and we call TPOT"},
    {"time_per_output_token_ms", "ms", "tpot", time_a_token, NULL, false,
     "(last token - start of the request) / output tokens, once an answer",
     "includes the time to first token, which nobody else's TPOT does"},
    {"request_latency", "ms", "service", to_stream_end, NULL, false, "until the stream is closed",
     "in seconds there; has the tail of usage and [DONE], and the wait for a connection"},
    {"output_tokens_per_second", "tok/s", NULL, rate_to_stream_end, NULL, false,
     "output tokens / request latency, once an answer",
     "the whole run's there is weighted by time; see output throughput"},
    {"output_tokens_per_iteration", "tokens", NULL, tokens_an_event, NULL, false,
     "output tokens / lines with content, once an answer", NULL},
    {"requests_per_second", "req/s", NULL, NULL, requests_rate, false,
     "answers that succeeded / time from the first request to the end of the last",
     "warm-up and cool-down are left out by what the plan excludes"},
    {"request_concurrency", "requests", NULL, NULL, concurrency, false,
     "the sum of request latencies / the same time", NULL},
    {"output throughput", "tok/s", NULL, NULL, output_rate, false,
     "all output tokens / the same time", NULL},
    {NULL, NULL, NULL, NULL, NULL, false, NULL, NULL},
};

static const struct {
    const char *word, *name;
    const struct definition *rows;
    double (*quantile)(const struct sample *sample, double share);
} tools[COMPAT_TOOLS] = {
    [COMPAT_VLLM] = {"vllm", "vllm bench serve", vllm, sample_between},
    [COMPAT_AIPERF] = {"aiperf", "AIPerf", aiperf, sample_between},
    [COMPAT_GUIDELLM] = {"guidellm", "guidellm", guidellm, sample_rank},
};

bool compat_tool_of(const char *word, enum compat_tool *out)
{
    for (int i = 0; i < COMPAT_TOOLS; i++)
        if (strcmp(tools[i].word, word) == 0) {
            *out = (enum compat_tool)i;
            return true;
        }
    return false;
}

const char *compat_tool_name(enum compat_tool tool)
{
    return tools[tool].name;
}

/* ---- computing --------------------------------------------------------------------------------
 */

static void count_in(struct totals *totals, const struct trace_request *request)
{
    bool first = totals->completed + totals->failed == 0;
    if (first || request->asked_ns < totals->first_ns)
        totals->first_ns = request->asked_ns;
    if (first || request->end_ns > totals->last_ns)
        totals->last_ns = request->end_ns;
    if (strcmp(request->outcome, "succeeded") != 0) {
        totals->failed++;
        return;
    }
    if (totals->completed++ == 0 || content_end(request) > totals->content_ns)
        totals->content_ns = content_end(request);
    totals->cut += request->cut;
    totals->input_tokens += request->prompt_tokens > 0 ? (double)request->prompt_tokens : 0;
    totals->output_tokens += (double)output_tokens(request);
    totals->latency_s += seconds(request->asked_ns, request->end_ns);
}

static struct compat_metric conclude(enum compat_tool tool, const struct definition *row,
                                     struct sample *sample, const struct totals *totals)
{
    struct compat_metric metric = {
        .name = row->name,
        .unit = row->unit,
        .definition = row->definition,
        .difference = row->difference,
        .ours = row->ours,
        .single = row->total != NULL,
        .count = row->total ? totals->completed : sample->count,
    };
    if (row->total) {
        metric.mean = row->total(totals);
        return metric;
    }
    sample_sort(sample);
    metric.mean = sample_mean(sample);
    metric.deviation = sample_deviation(sample);
    metric.median = tools[tool].quantile(sample, 0.5);
    metric.p90 = tools[tool].quantile(sample, 0.9);
    metric.p95 = tools[tool].quantile(sample, 0.95);
    metric.p99 = tools[tool].quantile(sample, 0.99);
    return metric;
}

int compat_of_run(const char *path, enum compat_tool tool, struct compat *out)
{
    struct trace *trace = NULL;
    struct trace_request request;
    struct totals totals = {.completed = 0};
    const struct definition *rows = tools[tool].rows;
    size_t count = 0;
    while (rows[count].name)
        count++;
    int error = trace_open(&trace, path);
    if (error)
        return error;
    struct sample *samples = memory_new(count, sizeof *samples);
    while (trace_next(trace, &request)) {
        if (request.excluded)
            continue;
        count_in(&totals, &request);
        bool succeeded = strcmp(request.outcome, "succeeded") == 0;
        for (size_t i = 0; i < count && succeeded; i++)
            if (rows[i].take && !(rows[i].chunks && request.cut))
                rows[i].take(&request, &samples[i]);
    }
    error = trace_close(trace);
    *out = (struct compat){.tool = tool,
                           .metrics = memory_new(count, sizeof *out->metrics),
                           .completed = totals.completed,
                           .failed = totals.failed,
                           .cut = totals.cut};
    for (size_t i = 0; i < count; i++) {
        out->metrics[out->count++] = conclude(tool, &rows[i], &samples[i], &totals);
        sample_fini(&samples[i]);
    }
    free(samples);
    if (error)
        compat_fini(out);
    return error;
}

void compat_fini(struct compat *compat)
{
    free(compat->metrics);
    *compat = (struct compat){.metrics = NULL};
}
