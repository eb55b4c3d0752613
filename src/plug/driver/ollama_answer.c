/* Answers of Ollama's own API: lines of JSON, or one object.
 *
 * A stream is complete when its line with `done: true` came. The durations that this line brings
 * are recorded beside ours: they say what of the time was the model's. */
#include "plug/driver/ollama.h"
#include "plug/driver/ollama_reply.h"
#include "wire/ndjson.h"

#include <string.h>

/* One call of ollama_data. */
struct reading {
    struct driver_call *call;
    nsec_t rx_ns;
};

static bool says_failed(struct driver_call *call, const struct ollama_reply *reply,
                        struct span bytes)
{
    struct ollama_state *state = call->state;
    if (reply->broken)
        llm_failure_say(call, &state->failure, LLM_BROKEN_EVENTS, "not a JSON object: ", bytes);
    else if (reply->failed)
        llm_failure_told(call, &state->failure, reply->words);
    return reply->broken || reply->failed;
}

static void take_line(void *self, struct span line, bool cut)
{
    const struct reading *reading = self;
    struct driver_call *call = reading->call;
    struct ollama_state *state = call->state;
    const struct llm_usage none = {.given = false};
    struct ollama_reply reply;
    if (state->done || state->failure.failed)
        return;
    ollama_reply_read(line, &reply);
    if (cut && reply.broken) /* half a line: the stream is truncated, not broken */
        return;
    if (says_failed(call, &reply, line))
        return;
    if (reply.content || reply.reasoning)
        llm_content(call, &state->answer, !reply.content, &none, reading->rx_ns);
    llm_answer_text(call, &state->answer, reply.text);
    if (reply.usage.given)
        llm_usage(call, &state->answer, &reply.usage);
    if (reply.done) {
        state->done = true;
        state->answer.server = reply.server;
    }
}

void ollama_data(struct driver_call *call, struct span bytes, nsec_t rx_ns)
{
    const struct ollama_request *request = call->compiled;
    struct ollama_state *state = call->state;
    struct reading reading = {.call = call, .rx_ns = rx_ns};
    if (call->status >= 400)
        llm_failure_keep(call, bytes);
    else if (request->form == OLLAMA_WHOLE)
        llm_request_keep_whole(call, bytes, &state->tail);
    else if (request->form == OLLAMA_LINES && !state->failure.failed &&
             ndjson_feed(call->kept, bytes, take_line, &reading))
        llm_failure_say(call, &state->failure, LLM_BROKEN_EVENTS, "a line is longer than 4 MiB",
                        SPAN(""));
}

static void end_lines(struct driver_call *call, nsec_t end_ns)
{
    struct ollama_state *state = call->state;
    struct reading reading = {.call = call, .rx_ns = end_ns};
    if (state->failure.failed)
        return;
    ndjson_finish(call->kept, take_line, &reading);
    if (state->failure.failed)
        return;
    if (state->done)
        llm_stream_end(call, &state->answer);
    else
        llm_failure_say(call, &state->failure, LLM_TRUNCATED_STREAMS,
                        "the stream ended without a line that says done", SPAN(""));
}

/* The end of a long object as an object: what stands behind its last array. */
static struct span tail_object(struct text *kept)
{
    char *bracket = memrchr(kept->at, ']', kept->bytes);
    char *comma = bracket ? memchr(bracket, ',', kept->bytes - (size_t)(bracket - kept->at)) : NULL;
    if (!comma)
        return SPAN("{}");
    *comma = '{';
    return (struct span){.at = comma, .bytes = kept->bytes - (size_t)(comma - kept->at)};
}

static void end_whole(struct driver_call *call)
{
    struct ollama_state *state = call->state;
    struct span bytes = span_trim(state->tail ? tail_object(call->kept) : text_span(call->kept));
    struct ollama_reply reply;
    ollama_reply_read(bytes, &reply);
    if (says_failed(call, &reply, bytes))
        return;
    if (reply.usage.given)
        llm_usage(call, &state->answer, &reply.usage);
    state->answer.server = reply.server;
    llm_answer_text(call, &state->answer, reply.text);
    state->answer.answer_cut = state->answer.answer_cut || (call->answer && state->tail);
    llm_reply_end(call, &state->answer);
}

struct driver_outcome ollama_end(struct driver_call *call, int status, struct span body,
                                 nsec_t end_ns)
{
    const struct ollama_request *request = call->compiled;
    struct ollama_state *state = call->state;
    struct ollama_reply reply;
    (void)body;
    if (status == 0) { /* no whole answer: the state says nothing of this request */
        llm_judge(call, NULL, &request->common.goal, true, end_ns);
        return (struct driver_outcome){0};
    }
    if (status >= 400) {
        struct span bytes = span_trim(text_span(call->kept));
        ollama_reply_read(bytes, &reply);
        llm_failure_of_status(call, &state->failure, reply.words, bytes);
        llm_judge(call, &state->answer, &request->common.goal, true, end_ns);
        return llm_failure_outcome(&state->failure, COUNT_ERROR_HTTP_STATUS);
    }
    if (request->form == OLLAMA_LINES && status < 300)
        end_lines(call, end_ns);
    else if (request->form == OLLAMA_WHOLE && status < 300)
        end_whole(call);
    if (state->answer.has_usage && state->answer.prompt_tokens < request->common.prompt_tokens)
        llm_count(call, LLM_TRUNCATED_PROMPTS, 1);
    if (!state->failure.failed && status < 300)
        llm_compare(call, &state->answer, &request->common.asked);
    llm_judge(call, &state->answer, &request->common.goal, state->failure.failed, end_ns);
    return llm_failure_outcome(&state->failure, 0);
}
