/* What an MCP server answers: a JSON message, or an event stream in which notifications may come
 * before the message that answers ours. Failures are of three kinds that are never mixed: of HTTP,
 * of JSON-RPC, of the tool. */
#include "plug/driver/mcp.h"

#include "plug/driver/json_truth.h"
#include "plug/driver/reply_part.h"
#include "wire/json_rpc.h"

#include <string.h>

enum { WHOLE_MOST_BYTES = SSE_MOST_BYTES, FAILURE_MOST_BYTES = 4096 };

static void show(struct mcp_state *state, struct span words)
{
    state->shown_bytes = reply_part_show(words, state->shown, MCP_SHOWN_BYTES);
}

/* ---- messages ---------------------------------------------------------------------------------
 */

struct reading {
    struct driver_call *call;
    nsec_t rx_ns;
};

/* The first text of a tool's content, for the example of a failure. */
static void show_content(struct mcp_state *state, struct json_pull *pull)
{
    struct span key;
    if (!json_pull_array(pull))
        return;
    while (json_pull_element(pull)) {
        if (!json_pull_object(pull))
            continue;
        while (json_pull_member(pull, &key)) {
            if (span_equal(key, SPAN("text")) && !state->shown_bytes)
                show(state, json_pull_value(pull).raw);
            else
                json_pull_skip(pull);
        }
    }
}

/* The place where the list goes on; it is sent back as it came. */
static void keep_cursor(struct driver_call *call, struct span cursor)
{
    struct mcp_state *state = call->state;
    struct mcp_user *user = call->user;
    state->cursor_too_long = cursor.bytes > MCP_CURSOR_BYTES;
    state->cursor_bytes = state->cursor_too_long ? 0 : (uint16_t)cursor.bytes;
    if (state->cursor_bytes)
        memcpy(user->cursor, cursor.at, cursor.bytes);
}

/* Ticks off the tools of the plan that the server lists. */
static void see_tool(struct driver_call *call, struct json_value tool)
{
    const struct mcp_request *request = call->compiled;
    struct mcp_user *user = call->user;
    struct json_pull pull = json_pull_of(tool.raw);
    struct span key;
    if (!json_pull_object(&pull))
        return;
    while (json_pull_member(&pull, &key)) {
        struct json_value value = json_pull_value(&pull);
        if (!span_equal(key, SPAN("name")) || value.kind != JSON_STRING)
            continue;
        for (uint32_t i = 0; i < request->tool_count; i++) {
            if (span_equal(request->tools[i], value.raw))
                user->seen |= UINT64_C(1) << i;
        }
    }
}

static void count_unlisted(struct driver_call *call)
{
    const struct mcp_request *request = call->compiled;
    const struct mcp_user *user = call->user;
    for (uint32_t i = 0; i < request->tool_count; i++)
        mcp_count(call, MCP_UNLISTED, user->seen >> i & 1 ? 0 : 1);
}

static void read_result(struct driver_call *call, struct json_pull *pull)
{
    struct mcp_state *state = call->state;
    struct span key;
    state->answer = MCP_RESULT;
    if (!json_pull_object(pull))
        return;
    while (json_pull_member(pull, &key)) {
        if (span_equal(key, SPAN("isError"))) {
            if (json_pull_value(pull).kind == JSON_TRUE)
                state->answer = MCP_TOOL_ERROR;
        } else if (span_equal(key, SPAN("content"))) {
            show_content(state, pull);
        } else if (span_equal(key, SPAN("protocolVersion"))) {
            struct span version = json_pull_value(pull).raw;
            if (version.bytes < MCP_VERSION_BYTES) {
                memcpy(state->version, version.at, version.bytes);
                state->version_bytes = (uint8_t)version.bytes;
            }
        } else if (span_equal(key, SPAN("tools")) && json_pull_kind(pull) == JSON_ARRAY) {
            for (json_pull_array(pull); json_pull_element(pull); state->tools++)
                see_tool(call, json_pull_value(pull));
        } else if (span_equal(key, SPAN("nextCursor"))) {
            struct json_value cursor = json_pull_value(pull);
            if (cursor.kind == JSON_STRING)
                keep_cursor(call, cursor.raw);
        } else {
            json_pull_skip(pull);
        }
    }
}

static void read_error(struct mcp_state *state, struct span error)
{
    struct json_pull pull = json_pull_of(error);
    struct span key;
    state->answer = MCP_RPC_ERROR;
    if (!json_pull_object(&pull))
        return;
    while (json_pull_member(&pull, &key)) {
        double code = 0;
        struct json_value value = json_pull_value(&pull);
        if (span_equal(key, SPAN("message")))
            show(state, value.raw);
        else if (span_equal(key, SPAN("code")) && json_number(value, &code) == 0 && code > -1e9 &&
                 code < 1e9)
            state->code = (int32_t)code;
    }
}

static bool answers_ours(const struct mcp_state *state, const struct json_rpc *message)
{
    uint64_t id = 0;
    if (message->id.kind == JSON_NULL || message->id.kind == JSON_ABSENT)
        return message->error.kind == JSON_OBJECT; /* it could not be read, not even its id */
    return json_rpc_number(message->id, &id) == 0 && id == state->id;
}

static void take_message(const struct reading *reading, struct json_pull *pull)
{
    struct driver_call *call = reading->call;
    struct mcp_state *state = call->state;
    struct json_rpc message;
    if (json_rpc_read(pull, &message)) {
        state->broken = true;
    } else if (message.method.kind == JSON_STRING) {
        if (message.id.kind != JSON_ABSENT)
            mcp_count(call, MCP_SERVER_REQUESTS, 1);
        else if (!span_equal(message.method.raw, SPAN("notifications/progress")))
            mcp_count(call, MCP_NOTIFICATIONS, 1);
        else if (state->answer == MCP_NO_ANSWER)
            mcp_count(call, MCP_PROGRESS, 1);
    } else if (state->answer == MCP_NO_ANSWER && answers_ours(state, &message)) {
        struct json_pull inner = json_pull_of(message.result.raw);
        state->reply_ns = reading->rx_ns;
        if (message.error.kind == JSON_OBJECT)
            read_error(state, message.error.raw);
        else if (message.result.kind != JSON_ABSENT)
            read_result(call, &inner);
        else
            state->broken = true;
    }
}

/* A message, or several in an array as version 2025-03-26 has it. */
static void take_bytes(const struct reading *reading, struct span bytes)
{
    struct json_pull pull = json_pull_of(bytes);
    if (json_pull_kind(&pull) != JSON_ARRAY) {
        take_message(reading, &pull);
        return;
    }
    json_pull_array(&pull);
    while (json_pull_element(&pull))
        take_message(reading, &pull);
}

static void take_event(void *self, const struct sse_event *event)
{
    const struct reading *reading = self;
    struct mcp_state *state = reading->call->state;
    if (!event->cut && event->id.bytes && event->id.bytes < MCP_EVENT_ID_BYTES) {
        memcpy(state->event_id, event->id.at, event->id.bytes);
        state->event_bytes = (uint8_t)event->id.bytes;
    }
    if (event->cut && state->event_bytes)
        return;            /* it comes again when the stream is resumed */
    if (event->data.bytes) /* an event with an id alone marks a place to resume at */
        take_bytes(reading, event->data);
}

/* ---- bytes ------------------------------------------------------------------------------------
 */

static void keep(struct driver_call *call, struct span bytes, size_t most)
{
    struct mcp_state *state = call->state;
    if (!reply_part_keep(call->kept, bytes, most))
        state->broken = call->status < 400;
}

/* A line of a child's output: a message, or what it should have said elsewhere. */
static void take_line(const struct reading *reading, struct span line)
{
    struct mcp_state *state = reading->call->state;
    take_bytes(reading, line);
    if (state->broken)
        mcp_count(reading->call, MCP_NOISE, 1);
    state->broken = false;
}

void mcp_data(struct driver_call *call, struct span bytes, nsec_t rx_ns)
{
    struct mcp_state *state = call->state;
    const struct mcp_request *request = call->compiled;
    struct reading reading = {.call = call, .rx_ns = rx_ns};
    if (request->dialect == MCP_STDIO) {
        take_line(&reading, bytes);
        return;
    }
    if (call->status >= 400) {
        keep(call, bytes, FAILURE_MOST_BYTES);
        return;
    }
    if (state->sent == MCP_SENT_BYE || state->sent == MCP_SENT_INITIALIZED || state->broken)
        return;
    if (state->form == MCP_FORM_UNKNOWN) {
        struct span begin = span_trim(bytes);
        if (!begin.bytes)
            return;
        bool whole = request->dialect == MCP_REST || begin.at[0] == '{' || begin.at[0] == '[';
        state->form = whole ? MCP_FORM_WHOLE : MCP_FORM_EVENTS;
    }
    if (state->form == MCP_FORM_WHOLE)
        keep(call, bytes, WHOLE_MOST_BYTES);
    else if (sse_feed(&state->events, call->kept, bytes, take_event, &reading))
        state->broken = true;
}

/* ---- the end of an exchange -------------------------------------------------------------------
 */

static struct driver_outcome failure(const struct driver_call *call, uint32_t error,
                                     const char *words)
{
    const struct mcp_state *state = call->state;
    struct span shown = {.at = state->shown, .bytes = state->shown_bytes};
    return (struct driver_outcome){.error = error, .words = shown.bytes ? shown : span_of(words)};
}

static bool takes_session_id(struct mcp_session *session, struct span head)
{
    struct span id = reply_header(head, "mcp-session-id");
    session->id_bytes = 0;
    if (id.bytes > MCP_SESSION_ID_BYTES)
        return false;
    if (id.bytes)
        memcpy(session->id, id.at, id.bytes);
    session->id_bytes = (uint16_t)id.bytes;
    return true;
}

/* The versions of streamable HTTP, and the one before, which some servers still name. */
static bool speaks(const struct mcp_request *request, struct span version)
{
    static const char *const known[] = {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (span_equal(version, span_of(known[i])))
            return true;
    }
    return version.bytes && span_equal(version, span_of(request->protocol));
}

static struct driver_outcome initialized(struct driver_call *call)
{
    const struct mcp_request *request = call->compiled;
    const struct mcp_state *state = call->state;
    struct mcp_session *session = mcp_session_of(call);
    struct span version = {.at = state->version, .bytes = state->version_bytes};
    const char *wrong = NULL;
    if (!speaks(request, version))
        wrong = "initialize: the server speaks a protocol version that is not known here";
    else if (!takes_session_id(session, call->head))
        wrong = "initialize: the session id is longer than 512 bytes";
    if (wrong) {
        mcp_count(call, MCP_BROKEN_REPLIES, 1);
        mcp_count(call, MCP_SETUP_FAILURES, 1);
        return (struct driver_outcome){.error = COUNT_ERROR_PROTOCOL, .words = span_of(wrong)};
    }
    memcpy(session->version, state->version, state->version_bytes);
    session->version_bytes = state->version_bytes;
    session->begun_ns = call->sent_ns;
    session->stage = MCP_INITIALIZED;
    if (request->dialect == MCP_STDIO) {
        ((struct mcp_user *)call->user)->sessions[request->server].stage = MCP_OPEN;
        mcp_count(call, MCP_SESSIONS, 1);
        tally_time(call->tally, call->first_hist + MCP_SESSION_SETUP,
                   state->reply_ns - call->sent_ns);
    }
    return (struct driver_outcome){.again = true};
}

/* A call that the sandbox had to refuse. */
static struct driver_outcome outside(struct driver_call *call, bool refused)
{
    mcp_count(call, refused ? MCP_REFUSED : MCP_VIOLATIONS, 1);
    if (refused)
        return (struct driver_outcome){0};
    return (struct driver_outcome){.error = COUNT_ERROR_PROTOCOL,
                                   .words = SPAN("sandbox violation: a call marked outside "
                                                 "was answered with a result")};
}

/* The list goes on: the next page belongs to the same request. */
static struct driver_outcome next_page(struct driver_call *call)
{
    struct mcp_state *state = call->state;
    struct mcp_user *user = call->user;
    const char *wrong = state->cursor_too_long ? "tools/list: the cursor is longer than 512 bytes"
                        : user->pages + 1 >= MCP_MOST_PAGES
                            ? "tools/list: the list has more than 64 pages"
                            : NULL;
    mcp_count(call, MCP_TOOLS_LISTED, state->tools);
    user->cursor_bytes = 0;
    if (wrong) {
        mcp_count(call, MCP_BROKEN_REPLIES, 1);
        return (struct driver_outcome){.error = COUNT_ERROR_PROTOCOL, .words = span_of(wrong)};
    }
    mcp_count(call, MCP_PAGES, 1);
    user->cursor_bytes = state->cursor_bytes;
    mcp_session_of(call)->calls--; /* it is still the same request */
    user->paged_ns = call->intended_ns;
    user->pages++;
    return (struct driver_outcome){.more = true};
}

static struct driver_outcome answered(struct driver_call *call)
{
    const struct mcp_request *request = call->compiled;
    struct mcp_state *state = call->state;
    if (request->outside && state->sent == MCP_SENT_REQUEST)
        return outside(call, state->answer != MCP_RESULT);
    if (state->answer == MCP_RPC_ERROR || state->answer == MCP_TOOL_ERROR) {
        bool rpc = state->answer == MCP_RPC_ERROR;
        mcp_count(call, rpc ? MCP_RPC_ERRORS : MCP_TOOL_ERRORS, 1);
        if (state->sent != MCP_SENT_REQUEST)
            mcp_count(call, MCP_SETUP_FAILURES, 1);
        return failure(call, COUNT_ERROR_PROTOCOL, rpc ? "JSON-RPC error" : "the tool failed");
    }
    if (state->sent == MCP_SENT_INITIALIZE)
        return initialized(call);
    if (request->verb == MCP_LIST && (state->cursor_bytes || state->cursor_too_long))
        return next_page(call);
    mcp_count(call, MCP_CALLS, 1);
    mcp_count(call, MCP_TOOLS_LISTED, state->tools);
    if (request->verb == MCP_LIST && request->dialect != MCP_REST)
        count_unlisted(call);
    tally_time(call->tally, call->first_hist + MCP_REPLY, state->reply_ns - call->intended_ns);
    return (struct driver_outcome){0};
}

/* The stream ended without our answer: it is taken up again where it broke off, if events have
 * ids; else the reply is broken. */
static struct driver_outcome unanswered(struct driver_call *call)
{
    struct mcp_state *state = call->state;
    struct mcp_session *session = mcp_session_of(call);
    bool can = !state->broken && state->sent == MCP_SENT_REQUEST && state->event_bytes &&
               session->resumptions < MCP_RESUMPTIONS;
    if (can) {
        mcp_count(call, MCP_RESUMED, 1);
        session->calls--; /* it is still the same call */
        memcpy(session->event_id, state->event_id, state->event_bytes);
        session->event_bytes = state->event_bytes;
        session->resumed_ns = call->intended_ns;
        session->resumptions++;
        return (struct driver_outcome){.more = true};
    }
    session->resumptions = 0;
    mcp_count(call, MCP_BROKEN_REPLIES, 1);
    if (state->sent != MCP_SENT_REQUEST)
        mcp_count(call, MCP_SETUP_FAILURES, 1);
    state->shown_bytes = 0;
    return failure(call, COUNT_ERROR_PROTOCOL,
                   state->broken ? "the reply is not a JSON-RPC message"
                                 : "the reply ended without the message that answers ours");
}

/* A status of 400 or more. The TypeScript SDK answers 400 with code -32000 where the standard has
 * 404 for a session that it does not know. */
static struct driver_outcome refused_by_http(struct driver_call *call)
{
    const struct mcp_request *request = call->compiled;
    struct mcp_state *state = call->state;
    struct span bytes = span_trim(text_span(call->kept));
    struct reading reading = {.call = call};
    bool sandbox = call->status == 403;
    if (bytes.bytes && bytes.at[0] == '{' && request->dialect == MCP_HTTP)
        take_bytes(&reading, bytes);
    if (!state->shown_bytes)
        show(state, bytes);
    if (request->dialect == MCP_REST) {
        sandbox = sandbox || call->status == 400 || call->status == 404 || call->status == 422;
    } else {
        struct mcp_session *session = mcp_session_of(call);
        bool lost = state->sent != MCP_SENT_INITIALIZE && session->id_bytes &&
                    (call->status == 404 || (call->status == 400 && state->code == -32000));
        if (lost)
            mcp_count(call, MCP_SESSIONS_LOST, 1);
        if (lost || state->sent == MCP_SENT_INITIALIZED)
            *session = (struct mcp_session){.stage = MCP_CLOSED};
        if (state->sent != MCP_SENT_REQUEST)
            mcp_count(call, MCP_SETUP_FAILURES, 1);
        session->event_bytes = session->resumptions = 0;
    }
    if (request->outside && sandbox && state->sent == MCP_SENT_REQUEST)
        return outside(call, true);
    mcp_count(call, MCP_HTTP_ERRORS, 1);
    return failure(call, COUNT_ERROR_HTTP_STATUS, "");
}

static struct driver_outcome end_rest(struct driver_call *call, nsec_t end_ns)
{
    const struct mcp_request *request = call->compiled;
    struct mcp_state *state = call->state;
    struct span bytes = text_span(call->kept);
    if (call->status >= 400)
        return refused_by_http(call);
    struct json_value error = json_find(bytes, &request->error_path);
    state->answer = json_says_yes(error) ? MCP_TOOL_ERROR : MCP_RESULT;
    if (state->answer == MCP_TOOL_ERROR) {
        show(state, error.raw);
    } else if (request->has_success_path &&
               !json_says_yes(json_find(bytes, &request->success_path))) {
        state->answer = MCP_TOOL_ERROR;
        show(state, SPAN("the reply does not say that the tool succeeded"));
    }
    state->reply_ns = end_ns;
    return answered(call);
}

static struct driver_outcome end_stdio(struct driver_call *call)
{
    const struct mcp_request *request = call->compiled;
    const struct mcp_state *state = call->state;
    struct mcp_user *user = call->user;
    const struct mcp_session *session = call->connection;
    struct mcp_session *own = &user->sessions[request->server];
    if (call->farewell)
        return (struct driver_outcome){0};
    if (state->sent == MCP_SENT_REQUEST && own->stage == MCP_OPEN && request->verb == MCP_CALL &&
        request->calls_per_session && session->calls >= request->calls_per_session) {
        own->stage = MCP_CLOSED; /* the child is being ended */
        mcp_count(call, MCP_SESSIONS_ENDED, 1);
    }
    return state->answer == MCP_NO_ANSWER ? unanswered(call) : answered(call);
}

/* The session is over, whatever the answer was. */
static struct driver_outcome end_bye(struct driver_call *call, int status)
{
    struct mcp_session *session = mcp_session_of(call);
    if ((status >= 200 && status < 300) || status == 405)
        mcp_count(call, MCP_SESSIONS_ENDED, 1);
    *session = (struct mcp_session){.stage = MCP_CLOSED};
    return (struct driver_outcome){.again = !call->farewell};
}

struct driver_outcome mcp_end(struct driver_call *call, int status, struct span body, nsec_t end_ns)
{
    const struct mcp_request *request = call->compiled;
    struct mcp_state *state = call->state;
    struct reading reading = {.call = call, .rx_ns = end_ns};
    (void)body;
    if (request->dialect == MCP_REST)
        return end_rest(call, end_ns);
    if (request->dialect == MCP_STDIO)
        return end_stdio(call);
    struct mcp_session *session = mcp_session_of(call);
    if (state->sent == MCP_SENT_BYE || call->farewell)
        return end_bye(call, status);
    session->event_bytes = 0;
    if (state->sent == MCP_SENT_REQUEST)
        session->calls++;
    if (status >= 400)
        return refused_by_http(call);
    if (state->sent == MCP_SENT_INITIALIZED) {
        session->stage = MCP_OPEN;
        mcp_count(call, MCP_SESSIONS, 1);
        tally_time(call->tally, call->first_hist + MCP_SESSION_SETUP, end_ns - session->begun_ns);
        return (struct driver_outcome){.again = true};
    }
    if (state->form == MCP_FORM_EVENTS && !state->broken)
        sse_finish(&state->events, call->kept, take_event, &reading);
    else if (state->form == MCP_FORM_WHOLE && !state->broken)
        take_bytes(&reading, text_span(call->kept));
    if (state->answer == MCP_NO_ANSWER)
        return unanswered(call);
    session->resumptions = 0;
    return answered(call);
}
