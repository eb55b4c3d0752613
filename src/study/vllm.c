/* The arrays and aggregates of vLLM's result file; see vllm.h. */
#include "study/vllm.h"

#include "base/memory.h"
#include "base/text.h"
#include "base/unit.h"
#include "record/trace.h"
#include "stat/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const int vllm_percentiles[VLLM_PERCENTILES] = {50, 90, 95, 99};

/* ---- requests ---------------------------------------------------------------------------------
 */

static double seconds(nsec_t duration_ns)
{
    return (double)duration_ns / (double)NSEC_PER_SEC;
}

static char *error_words(const struct trace_request *request)
{
    struct text words = TEXT_EMPTY;
    if (strcmp(request->outcome, "succeeded") != 0)
        text_puts(&words, request->outcome);
    if (request->error)
        text_printf(&words, ": %s", request->error);
    if (words.bytes && request->status)
        text_printf(&words, " (status %d)", request->status);
    return words.bytes ? text_take(&words) : memory_copy_text("");
}

static void keep_chunks(const struct trace_request *from, nsec_t first_ns, struct vllm_request *to)
{
    size_t count = from->piece_count;
    if (count == 0)
        return;
    to->ttft_s = seconds(from->pieces[0].at_ns - from->asked_ns);
    to->latency_s = seconds(from->pieces[count - 1].at_ns - from->asked_ns);
    to->end_s = seconds(from->pieces[count - 1].at_ns - first_ns);
    to->gaps_s = memory_new(count - 1, sizeof *to->gaps_s);
    to->gap_count = count - 1;
    for (size_t i = 1; i < count; i++)
        to->gaps_s[i - 1] = seconds(from->pieces[i].at_ns - from->pieces[i - 1].at_ns);
}

static void keep_request(struct vllm_run *run, const struct trace_request *from, nsec_t first_ns)
{
    run->requests = memory_resize(run->requests, run->count + 1, sizeof *run->requests);
    struct vllm_request *to = &run->requests[run->count++];
    *to = (struct vllm_request){
        .succeeded = strcmp(from->outcome, "succeeded") == 0,
        .start_s = seconds(from->asked_ns - first_ns),
        .queue_s = seconds(from->asked_ns - from->intended_ns),
        .input_tokens = from->prompt_tokens > 0 ? from->prompt_tokens : 0,
        .error = error_words(from),
    };
    keep_chunks(from, first_ns, to);
    if (!to->succeeded) {
        run->failed++;
        return;
    }
    if (from->piece_count == 0) {
        to->ttft_s = to->latency_s = seconds(from->end_ns - from->asked_ns);
        to->end_s = seconds(from->end_ns - first_ns);
    }
    to->output_tokens = from->output_tokens > 0 ? from->output_tokens : (int64_t)from->events;
    run->completed++;
    run->input_tokens += to->input_tokens;
    run->output_tokens += to->output_tokens;
}

/* ---- aggregates -------------------------------------------------------------------------------
 */

static double tpot_of(const struct vllm_request *request)
{
    return request->output_tokens > 1
               ? (request->latency_s - request->ttft_s) / (double)(request->output_tokens - 1)
               : 0;
}

static struct vllm_spread spread_of(struct sample *sample)
{
    struct vllm_spread spread = {.mean = 0};
    if (sample->count) {
        sample_sort(sample);
        spread.mean = 1000 * sample_mean(sample);
        spread.median = 1000 * sample_between(sample, 0.5);
        spread.deviation = 1000 * sample_deviation(sample);
        for (size_t i = 0; i < VLLM_PERCENTILES; i++)
            spread.percentiles[i] = 1000 * sample_between(sample, vllm_percentiles[i] / 100.0);
    }
    sample_fini(sample);
    return spread;
}

static void add_spreads(struct vllm_run *run)
{
    struct sample ttft = {.count = 0}, tpot = ttft, itl = ttft, e2el = ttft;
    for (size_t i = 0; i < run->count; i++) {
        const struct vllm_request *request = &run->requests[i];
        if (!request->succeeded)
            continue;
        sample_add(&ttft, request->ttft_s);
        sample_add(&e2el, request->latency_s);
        if (request->output_tokens > 1)
            sample_add(&tpot, tpot_of(request));
        for (size_t g = 0; g < request->gap_count; g++)
            sample_add(&itl, request->gaps_s[g]);
    }
    run->ttft = spread_of(&ttft);
    run->tpot = spread_of(&tpot);
    run->itl = spread_of(&itl);
    run->e2el = spread_of(&e2el);
}

/* Goals in seconds; INFINITY: not asked. */
struct goals {
    double ttft_s, tpot_s, e2el_s;
};

/* "ttft:500 tpot:15", in milliseconds. False when nothing is asked. */
static bool read_goals(const char *words, struct goals *goals)
{
    *goals = (struct goals){(double)INFINITY, (double)INFINITY, (double)INFINITY};
    for (const char *at = words; at && *at; at += strspn(at, " ")) {
        size_t bytes = strcspn(at, " "), name = strcspn(at, ":");
        double limit = 0;
        if (name < bytes &&
            unit_read_real((struct span){at + name + 1, bytes - name - 1}, &limit) == 0) {
            struct span key = {.at = at, .bytes = name};
            if (span_equal(key, SPAN("ttft")))
                goals->ttft_s = limit / 1000;
            else if (span_equal(key, SPAN("tpot")))
                goals->tpot_s = limit / 1000;
            else if (span_equal(key, SPAN("e2el")))
                goals->e2el_s = limit / 1000;
        }
        at += bytes;
    }
    return words != NULL;
}

static void judge(struct vllm_run *run, const struct result *result)
{
    struct goals goals;
    size_t good = 0;
    run->judged = read_goals(result_fact(result, "load.goodput"), &goals);
    for (size_t i = 0; i < run->count && run->judged; i++) {
        const struct vllm_request *request = &run->requests[i];
        good += request->succeeded && request->ttft_s <= goals.ttft_s &&
                tpot_of(request) <= goals.tpot_s && request->latency_s <= goals.e2el_s;
    }
    run->good_rate = run->duration_s > 0 ? (double)good / run->duration_s : 0;
}

/* The fullest second, counted from the first start of an answer that succeeded. */
static void find_fullest_second(struct vllm_run *run)
{
    double first_s = (double)INFINITY, last_s = 0;
    for (size_t i = 0; i < run->count; i++) {
        const struct vllm_request *request = &run->requests[i];
        if (request->succeeded) {
            first_s = fmin(first_s, request->start_s);
            last_s = fmax(last_s, request->end_s);
        }
    }
    size_t room = isfinite(first_s) ? (size_t)ceil(last_s - first_s) + 2 : 1;
    double *chunks = memory_new(room, sizeof *chunks);
    for (size_t i = 0; i < run->count; i++) {
        const struct vllm_request *request = &run->requests[i];
        double at_s = request->start_s + request->ttft_s - first_s;
        for (size_t g = 0; request->succeeded && g <= request->gap_count; g++) {
            if (at_s >= 0 && at_s < (double)room)
                run->peak_chunks = fmax(run->peak_chunks, ++chunks[(size_t)at_s]);
            at_s += g < request->gap_count ? request->gaps_s[g] : 0;
        }
    }
    free(chunks);
}

/* Most answers at once; one that ends at the instant at which another begins is over. */
static void find_peak_concurrency(struct vllm_run *run)
{
    struct sample begins = {.count = 0}, ends = begins;
    for (size_t i = 0; i < run->count; i++)
        if (run->requests[i].succeeded) {
            sample_add(&begins, run->requests[i].start_s);
            sample_add(&ends, run->requests[i].end_s);
        }
    sample_sort(&begins);
    sample_sort(&ends);
    for (size_t i = 0, over = 0; i < begins.count; i++) {
        while (over < ends.count && ends.values[over] <= begins.values[i])
            over++;
        if (over <= i && i + 1 - over > run->peak_concurrency)
            run->peak_concurrency = i + 1 - over;
    }
    sample_fini(&begins);
    sample_fini(&ends);
}

static void add_rates(struct vllm_run *run)
{
    if (run->duration_s <= 0)
        return;
    run->request_rate = (double)run->completed / run->duration_s;
    run->output_rate = (double)run->output_tokens / run->duration_s;
    run->token_rate = (double)(run->input_tokens + run->output_tokens) / run->duration_s;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

int vllm_run_read(const char *path, const struct result *result, struct vllm_run *out)
{
    struct trace *trace = NULL;
    struct trace_request request;
    nsec_t first_ns = TRACE_NEVER, last_ns = TRACE_NEVER;
    int error = trace_open(&trace, path);
    if (error)
        return error;
    *out = (struct vllm_run){.count = 0};
    while (trace_next(trace, &request)) {
        if (request.excluded)
            continue;
        if (first_ns == TRACE_NEVER)
            first_ns = request.asked_ns; /* they come in this order */
        if (request.end_ns > last_ns)
            last_ns = request.end_ns;
        keep_request(out, &request, first_ns);
    }
    error = trace_close(trace);
    if (error) {
        vllm_run_fini(out);
        return error;
    }
    out->duration_s = out->count ? seconds(last_ns - first_ns) : 0;
    add_rates(out);
    add_spreads(out);
    judge(out, result);
    find_fullest_second(out);
    find_peak_concurrency(out);
    return 0;
}

void vllm_run_fini(struct vllm_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        free(run->requests[i].gaps_s);
        free(run->requests[i].error);
    }
    free(run->requests);
    *run = (struct vllm_run){.count = 0};
}
