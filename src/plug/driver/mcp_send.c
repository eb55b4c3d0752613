/* What an MCP client sends, and in which order: what is due is decided by the state of the user's
 * session alone, so that a request composed again is the same but for its JSON-RPC id, which is
 * never used twice. */
#include "plug/driver/mcp.h"

#include <string.h>

static void put_head_line(struct text *out, const char *name, const char *value, size_t bytes)
{
    text_puts(out, name);
    text_put(out, (struct span){.at = value, .bytes = bytes});
    text_put(out, SPAN("\r\n"));
}

/* A span that may lie in the scratch, which is about to move. */
struct place {
    bool inside;
    size_t offset;
};

static struct place place_of(const struct text *scratch, struct span span)
{
    bool inside = span.bytes && scratch->at && span.at >= scratch->at &&
                  span.at < scratch->at + scratch->bytes;
    return (struct place){.inside = inside, .offset = inside ? (size_t)(span.at - scratch->at) : 0};
}

static void settle(const struct text *scratch, struct place place, struct span *span)
{
    if (place.inside)
        span->at = scratch->at + place.offset;
}

/* Adds the header lines of a session, and sets the body, which lies in the scratch. */
static void complete(const struct driver_call *call, const struct mcp_session *session,
                     struct place body, size_t body_bytes, struct exchange_request *out)
{
    struct text *scratch = call->scratch;
    struct place path = place_of(scratch, out->path), lines = place_of(scratch, out->headers);
    text_reserve(scratch, scratch->bytes + out->headers.bytes + MCP_SESSION_ID_BYTES +
                              MCP_VERSION_BYTES + MCP_EVENT_ID_BYTES + 200);
    settle(scratch, path, &out->path);
    settle(scratch, lines, &out->headers);
    size_t from = scratch->bytes;
    text_put(scratch, out->headers);
    if (session->id_bytes)
        put_head_line(scratch, "Mcp-Session-Id: ", session->id, session->id_bytes);
    if (session->version_bytes)
        put_head_line(scratch, "MCP-Protocol-Version: ", session->version, session->version_bytes);
    if (session->event_bytes)
        put_head_line(scratch, "Last-Event-ID: ", session->event_id, session->event_bytes);
    out->headers = (struct span){.at = scratch->at + from, .bytes = scratch->bytes - from};
    if (body_bytes)
        out->body = (struct span){.at = scratch->at + body.offset, .bytes = body_bytes};
}

/* ---- the bodies -------------------------------------------------------------------------------
 */

static void put_arguments(const struct mcp_request *request, const struct driver_call *call)
{
    if (request->arguments)
        template_render(request->arguments, call->slots, call->scratch);
    else
        text_put(call->scratch, SPAN("{}"));
}

static void put_request(const struct mcp_request *request, const struct driver_call *call,
                        uint64_t id)
{
    struct text *scratch = call->scratch;
    text_put(scratch, SPAN("{\"jsonrpc\":\"2.0\",\"id\":"));
    text_put_uint(scratch, id);
    if (request->verb == MCP_LIST) {
        const struct mcp_user *user = call->user;
        text_put(scratch, SPAN(",\"method\":\"tools/list\""));
        if (user->cursor_bytes) {
            text_put(scratch, SPAN(",\"params\":{\"cursor\":\""));
            text_put(scratch, (struct span){.at = user->cursor, .bytes = user->cursor_bytes});
            text_put(scratch, SPAN("\"}"));
        }
        text_putc(scratch, '}');
        return;
    }
    text_put(scratch, SPAN(",\"method\":\"tools/call\",\"params\":{\"name\":"));
    template_render(request->tool, call->slots, scratch);
    text_put(scratch, SPAN(",\"arguments\":"));
    put_arguments(request, call);
    if (request->progress) {
        text_put(scratch, SPAN(",\"_meta\":{\"progressToken\":"));
        text_put_uint(scratch, id);
        text_putc(scratch, '}');
    }
    text_put(scratch, SPAN("}}"));
}

static void put_initialize(const struct mcp_request *request, struct text *out, uint64_t id)
{
    text_put(out, SPAN("{\"jsonrpc\":\"2.0\",\"id\":"));
    text_put_uint(out, id);
    text_put(out, SPAN(",\"method\":\"initialize\",\"params\":{\"protocolVersion\":\""));
    text_puts(out, request->protocol);
    text_put(out, SPAN("\",\"capabilities\":{},\"clientInfo\":{\"name\":\"plimsoll\",\"version\":"
                       "\"" PLIMSOLL_VERSION "\"}}}"));
}

static void compose_rest(struct driver_call *call, struct exchange_request *out)
{
    const struct mcp_request *request = call->compiled;
    struct text *scratch = call->scratch;
    size_t from = scratch->bytes;
    if (request->verb == MCP_CALL) {
        text_put(scratch, SPAN("{\""));
        json_escape(span_of(request->tool_field), scratch);
        text_put(scratch, SPAN("\":"));
        template_render(request->tool, call->slots, scratch);
        text_put(scratch, SPAN(",\""));
        json_escape(span_of(request->arguments_field), scratch);
        text_put(scratch, SPAN("\":"));
        put_arguments(request, call);
        text_putc(scratch, '}');
    }
    size_t bytes = scratch->bytes - from;
    http_request_compose(request->post, call, out);
    if (bytes)
        out->body = (struct span){.at = scratch->at + from, .bytes = bytes};
}

/* ---- what is due ------------------------------------------------------------------------------
 */

static enum mcp_sent next_of(const struct mcp_request *request, struct mcp_session *session)
{
    bool spent = request->calls_per_session && session->calls >= request->calls_per_session;
    if (session->stage == MCP_OPEN && spent && !session->event_bytes) {
        /* Twice, since a kept connection may have died; a server that cannot end a session must
         * not keep us from opening the next. */
        if (session->id_bytes && session->byes++ < 2)
            return MCP_SENT_BYE;
        *session = (struct mcp_session){.stage = MCP_CLOSED};
    }
    if (session->stage == MCP_CLOSED)
        return MCP_SENT_INITIALIZE;
    return session->stage == MCP_INITIALIZED ? MCP_SENT_INITIALIZED : MCP_SENT_REQUEST;
}

static void compose_farewell(struct driver_call *call, struct exchange_request *out)
{
    const struct mcp_request *request = call->compiled;
    struct mcp_session *session = mcp_session_of(call);
    struct mcp_state *state = call->state;
    *out = (struct exchange_request){.method = (struct span){0}};
    if (session->stage == MCP_CLOSED || !session->id_bytes)
        return;
    state->sent = MCP_SENT_BYE;
    session->event_bytes = 0;
    http_request_compose(request->bye, call, out);
    complete(call, session, (struct place){0}, 0, out);
}

/* ---- over stdio -------------------------------------------------------------------------------
 */

static const struct span initialized = {
    .at = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
    .bytes = sizeof "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}" - 1};

/* Whether the user opened a session that has not been ended; it has now. */
static bool forget_session(struct driver_call *call)
{
    const struct mcp_request *request = call->compiled;
    struct mcp_session *own = &((struct mcp_user *)call->user)->sessions[request->server];
    bool open = own->stage == MCP_OPEN;
    own->stage = MCP_CLOSED;
    return open;
}

/* A session ends with its child's input, which is closed when the user leaves, so that there is
 * nothing to send then. */
static void compose_stdio(struct driver_call *call, struct exchange_request *out)
{
    const struct mcp_request *request = call->compiled;
    struct mcp_state *state = call->state;
    struct text *scratch = call->scratch;
    struct mcp_session *session = call->connection;
    size_t from = scratch->bytes, body = from;
    *out = (struct exchange_request){.method = (struct span){0}};
    if (call->farewell) {
        if (forget_session(call))
            mcp_count(call, MCP_SESSIONS_ENDED, 1);
        return;
    }
    state->id = ++session->last_id;
    if (session->stage == MCP_CLOSED) {
        if (forget_session(call)) /* the child that it had is gone */
            mcp_count(call, MCP_SESSIONS_LOST, 1);
        state->sent = MCP_SENT_INITIALIZE;
        out->alone = true;
        put_initialize(request, scratch, state->id);
    } else {
        if (session->stage == MCP_INITIALIZED) {
            text_put(scratch, initialized);
            text_putc(scratch, '\n');
            session->stage = MCP_OPEN;
        }
        body = scratch->bytes;
        state->sent = MCP_SENT_REQUEST;
        put_request(request, call, state->id);
        session->calls++;
        /* Not after a list, whose next page only this session can give. */
        out->last = request->verb == MCP_CALL && request->calls_per_session &&
                    session->calls >= request->calls_per_session;
    }
    for (size_t i = body; i < scratch->bytes; i++) { /* a line is a message */
        if (scratch->at[i] == '\n' || scratch->at[i] == '\r')
            scratch->at[i] = ' ';
    }
    out->message_id = state->id;
    out->method = SPAN("POST");
    out->body = (struct span){.at = scratch->at + from, .bytes = scratch->bytes - from};
}

void mcp_compose(struct driver_call *call, struct exchange_request *out)
{
    const struct mcp_request *request = call->compiled;
    struct mcp_user *user = call->user;
    if (user->paged_ns != call->intended_ns || call->farewell) /* of a list that was given up */
        user->cursor_bytes = user->pages = 0;
    if (!user->cursor_bytes)
        user->seen = 0;
    if (request->dialect == MCP_STDIO) {
        compose_stdio(call, out);
        return;
    }
    struct mcp_state *state = call->state;
    struct text *scratch = call->scratch;
    size_t from = scratch->bytes;
    if (call->farewell && request->dialect == MCP_REST) {
        *out = (struct exchange_request){.method = (struct span){0}};
    } else if (request->dialect == MCP_REST) {
        compose_rest(call, out);
    } else if (call->farewell) {
        compose_farewell(call, out);
    } else {
        struct mcp_session *session = mcp_session_of(call);
        if (session->resumed_ns != call->intended_ns) /* of a call that was given up */
            session->event_bytes = 0;
        bool resumes = session->stage == MCP_OPEN && session->event_bytes;
        state->sent = (uint8_t)next_of(request, session);
        if (resumes) {
            state->id = session->last_id;
        } else if (state->sent == MCP_SENT_INITIALIZED) {
            text_put(scratch, initialized);
        } else if (state->sent != MCP_SENT_BYE) {
            state->id = ++session->last_id;
            if (state->sent == MCP_SENT_INITIALIZE)
                put_initialize(request, scratch, state->id);
            else
                put_request(request, call, state->id);
        }
        size_t bytes = scratch->bytes - from;
        http_request_compose(resumes                       ? request->get
                             : state->sent == MCP_SENT_BYE ? request->bye
                                                           : request->post,
                             call, out);
        out->stamped = true; /* progress comes before the reply */
        complete(call, session, (struct place){.inside = true, .offset = from}, bytes, out);
    }
}
