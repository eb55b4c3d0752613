/* Answers of OpenAI-like servers: streams of events, whole replies, errors.
 *
 * A stream is complete when a choice gave a finish reason or [DONE] came; without either it was cut
 * off, however politely the connection ended. An error object in a reply of status 200 is a failure
 * with the server's words. Both are failures of kind protocol, and counted apart. */
#include "plug/driver/llm.h"
#include "plug/driver/openai.h"
#include "plug/driver/openai_reply.h"

#include <string.h>

/* One call of openai_data. */
struct reading {
    struct driver_call *call;
    nsec_t rx_ns;
};

/* ---- objects ----------------------------------------------------------------------------------
 */

static bool says_failed(struct driver_call *call, const struct openai_reply *reply,
                        struct span bytes)
{
    struct openai_state *state = call->state;
    if (reply->broken)
        llm_failure_say(call, &state->failure, LLM_BROKEN_EVENTS, "not a JSON object: ", bytes);
    else if (reply->failed)
        llm_failure_told(call, &state->failure, reply->words);
    return reply->broken || reply->failed;
}

static void keep_server_times(struct llm_answer *answer, const struct openai_reply *reply)
{
    if (reply->server.prompt_ns || reply->server.decode_ns)
        answer->server = reply->server;
}

static void take_event(void *self, const struct sse_event *event)
{
    const struct reading *reading = self;
    struct driver_call *call = reading->call;
    struct openai_state *state = call->state;
    struct openai_reply reply;
    if (state->done || event->data.bytes == 0)
        return;
    struct span data = event->data;
    if (data.at[0] != '{' && span_equal(span_trim(data), SPAN("[DONE]"))) {
        state->done = state->finished = true;
        return;
    }
    if (event->cut) /* no event; what it lacks may be half of its text */
        return;
    openai_reply_read(data, &reply);
    if (says_failed(call, &reply, data))
        return;
    if (reply.content || reply.reasoning) {
        llm_content(call, &state->answer, !reply.content, &reply.usage, reading->rx_ns);
        llm_answer_text(call, &state->answer, reply.text);
        if (reply.stamp_ns)
            llm_stamp(call, &state->answer, (nsec_t)reply.stamp_ns, reading->rx_ns);
    } else {
        if (reply.choice)
            llm_empty(call, reading->rx_ns);
        if (reply.usage.given)
            llm_usage(call, &state->answer, &reply.usage);
    }
    state->finished = state->finished || reply.finished;
    keep_server_times(&state->answer, &reply);
}

/* ---- bytes ------------------------------------------------------------------------------------
 */

static void find_form(struct openai_state *state, struct span bytes)
{
    bytes = span_trim(bytes);
    if (bytes.bytes)
        state->form = bytes.at[0] == '{' || bytes.at[0] == '[' ? OPENAI_WHOLE : OPENAI_EVENTS;
}

void openai_data(struct driver_call *call, struct span bytes, nsec_t rx_ns)
{
    const struct openai_request *request = call->compiled;
    struct openai_state *state = call->state;
    struct reading reading = {.call = call, .rx_ns = rx_ns};
    if (call->status >= 400) {
        llm_failure_keep(call, bytes);
        return;
    }
    if (!request->tokens)
        return;
    if (state->form == OPENAI_UNKNOWN)
        find_form(state, bytes);
    if (state->form == OPENAI_WHOLE)
        llm_request_keep_whole(call, bytes, &state->tail);
    else if (!state->failure.failed &&
             sse_feed(&state->events, call->kept, bytes, take_event, &reading))
        llm_failure_say(call, &state->failure, LLM_BROKEN_EVENTS, "an event is longer than 4 MiB",
                        SPAN(""));
}

/* ---- ends -------------------------------------------------------------------------------------
 */

static void end_events(struct driver_call *call, nsec_t end_ns)
{
    struct openai_state *state = call->state;
    struct reading reading = {.call = call, .rx_ns = end_ns};
    if (state->failure.failed)
        return;
    sse_finish(&state->events, call->kept, take_event, &reading);
    if (state->failure.failed)
        return;
    if (state->finished)
        llm_stream_end(call, &state->answer);
    else
        llm_failure_say(call, &state->failure, LLM_TRUNCATED_STREAMS,
                        "the stream ended without a finish reason or [DONE]", SPAN(""));
}

static void end_whole(struct driver_call *call)
{
    const struct openai_request *request = call->compiled;
    struct openai_state *state = call->state;
    struct span bytes = span_trim(text_span(call->kept));
    struct openai_reply reply;
    if (state->tail)
        openai_reply_read_tail(bytes, &reply);
    else
        openai_reply_read(bytes, &reply);
    if (says_failed(call, &reply, bytes))
        return;
    if (request->choices && !state->tail &&
        !reply.choice) { /* any server may say 200 to anything */
        llm_failure_say(call, &state->failure, LLM_BROKEN_EVENTS,
                        "the answer has no choices: ", bytes);
        return;
    }
    if (reply.usage.given)
        llm_usage(call, &state->answer, &reply.usage);
    keep_server_times(&state->answer, &reply);
    llm_answer_text(call, &state->answer, reply.text);
    state->answer.answer_cut = state->answer.answer_cut || (call->answer && state->tail);
    llm_reply_end(call, &state->answer);
    if (request->stream)
        llm_count(call, LLM_UNSTREAMED, 1);
}

static void end_error(struct driver_call *call)
{
    struct openai_state *state = call->state;
    struct span bytes = span_trim(text_span(call->kept));
    struct openai_reply reply;
    openai_reply_read(bytes, &reply);
    llm_failure_of_status(call, &state->failure, reply.words, bytes);
}

struct driver_outcome openai_end(struct driver_call *call, int status, struct span body,
                                 nsec_t end_ns)
{
    const struct openai_request *request = call->compiled;
    struct openai_state *state = call->state;
    uint32_t error = 0;
    (void)body;
    if (status == 0) { /* no whole answer: the state says nothing of this request */
        llm_judge(call, NULL, &request->common.goal, true, end_ns);
        return (struct driver_outcome){0};
    }
    if (status >= 400) {
        end_error(call);
        error = COUNT_ERROR_HTTP_STATUS;
    } else if (request->tokens && status < 300) {
        if (state->form == OPENAI_WHOLE)
            end_whole(call);
        else
            end_events(call, end_ns);
        if (state->answer.has_usage && state->answer.prompt_tokens < request->common.prompt_tokens)
            llm_count(call, LLM_TRUNCATED_PROMPTS, 1);
        if (!state->failure.failed)
            llm_compare(call, &state->answer, &request->common.asked);
    }
    llm_judge(call, &state->answer, &request->common.goal, error || state->failure.failed, end_ns);
    return llm_failure_outcome(&state->failure, error);
}
