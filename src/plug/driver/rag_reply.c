/* What a retrieval service answers: whether it failed, how many results came, and whether those
 * that the plan expects are among them. */
#include "plug/driver/rag.h"

#include "plug/driver/json_truth.h"
#include "plug/driver/reply_part.h"
#include "wire/json_pull.h"

#include <string.h>

enum { REPLY_MOST_BYTES = 4 << 20 };

static void count(struct driver_call *call, enum rag_counter counter, uint64_t more)
{
    tally_count(call->tally, call->first_counter + counter, more);
}

void rag_data(struct driver_call *call, struct span bytes, nsec_t rx_ns)
{
    struct rag_state *state = call->state;
    (void)rx_ns;
    if (!reply_part_keep(call->kept, bytes, REPLY_MOST_BYTES))
        state->cut = true;
}

/* ---- results and recall -----------------------------------------------------------------------
 */

static struct span result_id(const struct rag_request *request, struct json_value result)
{
    if (!request->has_id)
        return result.raw;
    return result.kind == JSON_OBJECT ? json_find(result.raw, &request->id).raw : (struct span){0};
}

static bool is_among(const struct rag_request *request, struct span results, struct span id)
{
    struct json_pull pull = json_pull_of(results);
    json_pull_array(&pull);
    while (json_pull_element(&pull)) {
        if (span_equal(result_id(request, json_pull_value(&pull)), id))
            return true;
    }
    return false;
}

static void judge(struct driver_call *call, struct span results, struct span id)
{
    bool found = is_among(call->compiled, results, id);
    count(call, RAG_EXPECTED, 1);
    count(call, found ? RAG_FOUND : RAG_MISSED, 1);
}

/* The ids of a text, between blanks, commas and semicolons. */
static void judge_words(struct driver_call *call, struct span results, struct span words)
{
    static const char between[] = " ,;\t";
    for (size_t at = 0; at < words.bytes;) {
        size_t end = at;
        while (end < words.bytes && !memchr(between, words.at[end], sizeof between - 1))
            end++;
        if (end > at)
            judge(call, results, (struct span){.at = words.at + at, .bytes = end - at});
        at = end + 1;
    }
}

static void judge_expected(struct driver_call *call, struct span results)
{
    const struct rag_request *request = call->compiled;
    struct span expected = template_constant(request->expect);
    size_t from = call->scratch->bytes;
    if (!expected.at) {
        template_render(request->expect, call->slots, call->scratch);
        expected =
            (struct span){.at = call->scratch->at + from, .bytes = call->scratch->bytes - from};
    }
    struct json_pull pull = json_pull_of(expected);
    if (json_pull_kind(&pull) == JSON_ARRAY) {
        json_pull_array(&pull);
        while (json_pull_element(&pull))
            judge(call, results, json_pull_value(&pull).raw);
    } else {
        judge_words(call, results, json_pull_value(&pull).raw);
    }
    call->scratch->bytes = from;
}

static void take_results(struct driver_call *call, struct span results)
{
    const struct rag_request *request = call->compiled;
    struct json_pull pull = json_pull_of(results);
    uint64_t number = 0;
    for (json_pull_array(&pull); json_pull_element(&pull); number++)
        json_pull_skip(&pull);
    count(call, RAG_QUERIES, 1);
    count(call, RAG_RESULTS, number);
    count(call, RAG_EMPTY, number == 0 ? 1 : 0);
    if (request->expect)
        judge_expected(call, results);
}

/* ---- the end ----------------------------------------------------------------------------------
 */

static struct driver_outcome failed(struct driver_call *call, uint32_t error, struct span words)
{
    const struct rag_request *request = call->compiled;
    struct rag_state *state = call->state;
    count(call, request->query ? RAG_QUERY_FAILURES : RAG_INDEX_FAILURES, 1);
    state->shown_bytes = reply_part_show(words, state->shown, RAG_SHOWN_BYTES);
    return (struct driver_outcome){.error = error,
                                   .words = {.at = state->shown, .bytes = state->shown_bytes}};
}

static struct driver_outcome indexed(struct driver_call *call, struct span reply)
{
    const struct rag_request *request = call->compiled;
    count(call, RAG_INDEXINGS, 1);
    if (request->has_indexed) {
        uint64_t number = 0;
        struct json_value value = json_find(reply, &request->indexed);
        if (value.kind == JSON_NUMBER && span_uint(value.raw, &number) == 0)
            count(call, RAG_INDEXED, number);
    }
    return (struct driver_outcome){0};
}

struct driver_outcome rag_end(struct driver_call *call, int status, struct span body, nsec_t end_ns)
{
    const struct rag_request *request = call->compiled;
    const struct rag_state *state = call->state;
    struct span reply = span_trim(text_span(call->kept));
    (void)body;
    (void)end_ns;
    if (status == 408 || status == 504)
        count(call, RAG_SERVER_TIMEOUTS, 1);
    if (status >= 400)
        return failed(call, COUNT_ERROR_HTTP_STATUS, reply);
    if (state->cut)
        return failed(call, COUNT_ERROR_TOO_LARGE, SPAN("the reply is longer than 4 MiB"));
    if (request->error.count) {
        struct json_value error = json_find(reply, &request->error);
        if (json_says_yes(error))
            return failed(call, COUNT_ERROR_PROTOCOL, error.raw);
    }
    if (!request->query)
        return indexed(call, reply);
    struct json_value results = json_find(reply, &request->results);
    if (results.kind == JSON_NULL)
        results = (struct json_value){.kind = JSON_ARRAY, .raw = SPAN("[]")};
    if (results.kind != JSON_ARRAY)
        return failed(call, COUNT_ERROR_PROTOCOL,
                      SPAN("the reply has no list of results at reply.results"));
    take_results(call, results.raw);
    return (struct driver_outcome){0};
}
