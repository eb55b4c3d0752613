/* Messages in, events out; see mcp.h. */
#include "testbed/mcp.h"

#include "base/memory.h"
#include "testbed/reply.h"
#include "testbed/session.h"
#include "testbed/task.h"
#include "testbed/tools.h"
#include "testbed/value.h"

#include <stdlib.h>
#include <string.h>

/* Newest first; the first is what is answered to a client that asks for one not known. */
static const char *const versions[] = {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};
enum { VERSIONS = sizeof versions / sizeof versions[0] };

enum {
    RPC_PARSE = -32700,
    RPC_INVALID = -32600,
    RPC_NO_METHOD = -32601,
    RPC_BAD_PARAMS = -32602,
    RPC_SERVER = -32000,
    RPC_NO_SESSION = -32001,
};

/* A tools/call under way. */
struct mcp_call {
    struct list node;        /* in its session's calls */
    struct session *session; /* NULL: it was ended */
    struct task *task;
    uint64_t stream, events; /* number of its stream, events sent */
    uint64_t steps;          /* that it will tell of */
    bool streamed, head_sent, cut;
    struct text id, token;      /* raw JSON; token empty: no progress wanted */
    struct connection *resumed; /* a GET that goes on with its stream, or NULL */
};

/* ---- plain replies ----------------------------------------------------------------------------
 */

static void put_error(struct text *out, struct span id, int code, const char *words)
{
    text_printf(out, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":%d,\"message\":", code);
    reply_json_string(out, span_of(words));
    text_puts(out, "},\"id\":");
    text_put(out, id.bytes ? id : SPAN("null"));
    text_putc(out, '}');
}

static void refuse(struct connection *connection, int status, int code, const char *words)
{
    struct text body = TEXT_EMPTY;
    put_error(&body, span_of(NULL), code, words);
    reply_begin(connection, status, TYPE_JSON);
    if (status == 405)
        reply_line(connection, "Allow", SPAN("GET, POST, DELETE"));
    reply_end(connection, text_span(&body));
    text_fini(&body);
}

static void put_head(struct connection *connection, const struct session *session, const char *type)
{
    reply_begin(connection, 200, type);
    reply_line(connection, "Cache-Control", SPAN("no-cache, no-transform"));
    if (session)
        reply_line(connection, "Mcp-Session-Id", span_of(session->id));
}

static void send_event(struct connection *connection, uint64_t stream, uint64_t number,
                       struct span data, bool priming)
{
    struct text event = TEXT_EMPTY;
    if (!priming)
        text_puts(&event, "event: message\n");
    text_printf(&event, "id: %llu-%llu\n", (unsigned long long)stream, (unsigned long long)number);
    if (priming)
        text_puts(&event, "retry: 100\n");
    text_puts(&event, "data: ");
    text_put(&event, data);
    text_puts(&event, "\n\n");
    reply_piece(connection, text_span(&event));
    text_fini(&event);
}

static bool primes(const struct session *session)
{
    return strcmp(session->version, "2025-11-25") >= 0;
}

/* Answers a request at once, with this message. */
static void answer(struct connection *connection, struct session *session, struct span message)
{
    if (connection->testbed->options.platform.mcp_json) {
        put_head(connection, session, TYPE_JSON);
        reply_end(connection, message);
        return;
    }
    uint64_t stream = ++session->streams, number = 0;
    put_head(connection, session, "text/event-stream");
    reply_stream(connection);
    if (primes(session))
        send_event(connection, stream, ++number, span_of(""), true);
    send_event(connection, stream, ++number, message, false);
    session_keep(session, stream, number, true, message);
    reply_stream_end(connection);
}

static void answer_error(struct connection *connection, struct session *session, struct span id,
                         int code, const char *words)
{
    struct text message = TEXT_EMPTY;
    put_error(&message, id, code, words);
    answer(connection, session, text_span(&message));
    text_fini(&message);
}

static void begin_result(struct text *message, struct span id)
{
    text_puts(message, "{\"jsonrpc\":\"2.0\",\"id\":");
    text_put(message, id);
    text_puts(message, ",\"result\":");
}

/* ---- initialize, ping, tools/list -------------------------------------------------------------
 */

static const char *choose_version(struct span body)
{
    struct span wanted = span_of(NULL);
    value_at(body, "params.protocolVersion", &wanted);
    for (int i = 0; i < VERSIONS; i++) {
        struct span known = span_of(versions[i]);
        if (wanted.bytes == known.bytes + 2 &&
            span_equal((struct span){.at = wanted.at + 1, .bytes = known.bytes}, known))
            return versions[i];
    }
    return versions[0];
}

static void initialize(struct connection *connection, struct span id, struct span body)
{
    struct testbed *testbed = connection->testbed;
    struct session *session = sessions_open(testbed->sessions, choose_version(body));
    struct text message = TEXT_EMPTY;
    if (!session) {
        refuse(connection, 503, RPC_SERVER, "there are as many sessions as --mcp-sessions allows");
        return;
    }
    begin_result(&message, id);
    text_printf(&message,
                "{\"protocolVersion\":\"%s\",\"capabilities\":{\"tools\":{\"listChanged\":false},"
                "\"experimental\":{\"concurrency\":{\"limit\":%llu}}},\"serverInfo\":{\"name\":"
                "\"plimsoll-testbed\",\"version\":\"" PLIMSOLL_VERSION "\"}}}",
                session->version, (unsigned long long)testbed->options.platform.tool_limit);
    answer(connection, session, text_span(&message));
    text_fini(&message);
}

static void ping(struct connection *connection, struct session *session, struct span id)
{
    struct text message = TEXT_EMPTY;
    begin_result(&message, id);
    text_puts(&message, "{}}");
    answer(connection, session, text_span(&message));
    text_fini(&message);
}

static void list_tools(struct connection *connection, struct session *session, struct span id)
{
    struct text message = TEXT_EMPTY;
    begin_result(&message, id);
    text_puts(&message, "{\"tools\":");
    tools_list(&message);
    text_puts(&message, "}}");
    answer(connection, session, text_span(&message));
    text_fini(&message);
}

/* ---- tools/call -------------------------------------------------------------------------------
 */

static void call_free(struct mcp_call *call)
{
    list_remove(&call->node);
    text_fini(&call->id);
    text_fini(&call->token);
    free(call);
}

/* On a thread of the tools. */
static void call_work(struct task *task)
{
    struct span body = span_trim(text_span(&task->body)), arguments;
    if (!value_at(body, "params.arguments", &arguments))
        arguments = SPAN("{}");
    task->number = (uint64_t)tool_run(task->testbed->toolbox, &task->job, text_span(&task->words),
                                      arguments, &task->more);
}

static void put_call_result(struct text *message, const struct mcp_call *call,
                            const struct task *task)
{
    begin_result(message, text_span(&call->id));
    text_puts(message, "{\"content\":[{\"type\":\"text\",\"text\":");
    reply_json_string(message, text_span(&task->more));
    text_puts(message, "}]");
    if (task->number != TOOL_DONE)
        text_puts(message, ",\"isError\":true");
    text_puts(message, "}}");
}

/* Where the events of a call go: its own reply, or a GET that goes on with it; or nowhere now. */
static struct connection *outlet(const struct mcp_call *call)
{
    return call->resumed ? call->resumed : call->cut ? NULL : call->task->connection;
}

static void tell(struct mcp_call *call, struct span message, bool last)
{
    struct connection *connection = outlet(call);
    call->events++;
    if (call->session)
        session_keep(call->session, call->stream, call->events, last, message);
    if (connection)
        send_event(connection, call->stream, call->events, message, false);
}

static void call_stepped(struct task *task, uint64_t step)
{
    struct mcp_call *call = task->thing;
    struct text message = TEXT_EMPTY;
    if (call->token.bytes == 0)
        return;
    text_printf(&message,
                "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
                "\"progress\":%llu,\"total\":%llu,\"progressToken\":",
                (unsigned long long)step, (unsigned long long)call->steps);
    text_put(&message, text_span(&call->token));
    text_puts(&message, "}}");
    tell(call, text_span(&message), false);
    struct connection *connection = outlet(call);
    if (connection)
        connection_flush(connection);
    text_fini(&message);
}

/* The stream of a GET is over. It is not the connection whose event this is. */
static void end_resumed(struct connection *connection)
{
    connection->mcp_call = NULL;
    list_remove(&connection->mcp_node);
    connection->listening = false;
    reply_stream_end(connection);
    connection_go_on(connection);
}

/* The call is over: its message goes wherever its client is now. */
static void call_finish(struct task *task)
{
    struct mcp_call *call = task->thing;
    struct connection *connection = task->connection, *resumed = call->resumed;
    struct text message = TEXT_EMPTY;
    put_call_result(&message, call, task);
    if (call->streamed) {
        tell(call, text_span(&message), true);
    } else if (connection) {
        put_head(connection, call->session, TYPE_JSON);
        reply_end(connection, text_span(&message));
    }
    text_fini(&message);
    call_free(call);
    if (connection) {
        if (connection->serving)
            reply_stream_end(connection);
        task_drop(connection);
    }
    if (resumed)
        end_resumed(resumed);
}

/* After its first event the stream ends; the call goes on without it. */
static void cut(struct mcp_call *call, struct connection *connection)
{
    call->cut = true;
    reply_stream_end(connection);
    task_drop(connection);
}

static void begin_stream(struct mcp_call *call, struct connection *connection, bool cut_it)
{
    put_head(connection, call->session, "text/event-stream");
    reply_stream(connection);
    if (!primes(call->session) && !cut_it)
        return;
    call->events++;
    send_event(connection, call->stream, call->events, span_of(""), true);
}

static struct mcp_call *call_new(struct session *session, struct task *task, struct span id,
                                 struct span body)
{
    struct mcp_call *call = memory_new(1, sizeof *call);
    struct span token;
    call->session = session;
    call->task = task;
    text_put(&call->id, id);
    if (value_at(body, "params._meta.progressToken", &token) && value_is_given(token))
        text_put(&call->token, token);
    call->streamed = call->token.bytes || !task->testbed->options.platform.mcp_json;
    list_init(&call->node);
    list_append(&session->calls, &call->node);
    task->thing = call;
    task->number = TOOL_FAILED; /* until a thread has done it */
    task->stepped = call_stepped;
    task->then = call_finish;
    task->gone = call_finish;
    return call;
}

static void call_tool(struct connection *connection, struct session *session, struct span id,
                      const struct request *request)
{
    struct testbed *testbed = connection->testbed;
    struct span body = span_trim(request->body), name, arguments;
    struct text words = TEXT_EMPTY;
    value_at(body, "params.name", &name);
    value_at(body, "params.arguments", &arguments);
    if (!value_text(name, &words) || !tool_exists(text_span(&words))) {
        struct text said = TEXT_EMPTY;
        text_puts(&said, "Unknown tool: ");
        text_put(&said, text_span(&words));
        answer_error(connection, session, id, RPC_BAD_PARAMS, said.at);
        text_fini(&said);
    } else if (!tools_have_room(testbed)) {
        answer_error(connection, session, id, RPC_SERVER,
                     "too many tools are waiting to be executed");
    } else {
        struct task *task = task_new(connection, request, call_work);
        struct mcp_call *call = call_new(session, task, id, body);
        uint64_t every = testbed->options.platform.mcp_cut_every;
        text_put(&task->words, text_span(&words));
        call->steps = tool_steps(text_span(&words), arguments);
        bool cut_it = false;
        if (call->streamed) {
            call->stream = ++session->streams;
            cut_it = every && ++testbed->streamed_calls % every == 0;
            begin_stream(call, connection, cut_it);
        }
        task_submit(task, testbed->tools, tool_cost(testbed, text_span(&words), arguments));
        if (cut_it && connection->task)
            cut(call, connection);
    }
    text_fini(&words);
}

/* ---- POST -------------------------------------------------------------------------------------
 */

static void serve_message(struct connection *connection, struct session *session, struct span id,
                          const struct request *request)
{
    struct span method = span_of(NULL);
    value_member(span_trim(request->body), "method", &method);
    if (!value_is_given(id) || !method.bytes) /* a notification, or an answer to nobody */
        reply_send(connection, 202, NULL, SPAN(""));
    else if (span_equal(method, SPAN("\"ping\"")))
        ping(connection, session, id);
    else if (span_equal(method, SPAN("\"tools/list\"")))
        list_tools(connection, session, id);
    else if (span_equal(method, SPAN("\"tools/call\"")))
        call_tool(connection, session, id, request);
    else
        answer_error(connection, session, id, RPC_NO_METHOD, "Method not found");
}

static bool has_word(struct span line, struct span word)
{
    for (size_t i = 0; i + word.bytes <= line.bytes; i++) {
        if (memcmp(line.at + i, word.at, word.bytes) == 0)
            return true;
    }
    return false;
}

static bool accepts(const struct request *request, bool json)
{
    struct span accept = request_header(request, "Accept");
    return has_word(accept, SPAN("text/event-stream")) &&
           (!json || has_word(accept, SPAN("application/json")));
}

/* The session of a request; NULL: the client was told what is wrong. */
static struct session *session_of(struct connection *connection, const struct request *request)
{
    struct span id = request_header(request, "Mcp-Session-Id");
    struct span version = request_header(request, "MCP-Protocol-Version");
    bool known = version.bytes == 0;
    for (int i = 0; i < VERSIONS; i++)
        known |= span_equal(version, span_of(versions[i]));
    struct session *session = sessions_find(connection->testbed->sessions, id);
    if (id.bytes == 0)
        refuse(connection, 400, RPC_SERVER, "Bad Request: Mcp-Session-Id header is required");
    else if (!session)
        refuse(connection, 404, RPC_NO_SESSION, "Session not found");
    else if (!known)
        refuse(connection, 400, RPC_SERVER,
               "Bad Request: Unsupported protocol version (supported versions: 2025-11-25, "
               "2025-06-18, 2025-03-26, 2024-11-05)");
    else
        return session;
    return NULL;
}

static void post(struct connection *connection, const struct request *request)
{
    struct span body = span_trim(request->body), method = span_of(NULL), id = method;
    if (!accepts(request, true)) {
        refuse(connection, 406, RPC_SERVER,
               "Not Acceptable: Client must accept both application/json and text/event-stream");
        return;
    }
    if (!value_is_valid(body)) {
        refuse(connection, 400, RPC_PARSE, "Parse error: Invalid JSON");
        return;
    }
    if (!value_is_object(body)) {
        refuse(connection, 400, RPC_INVALID, "Invalid Request: one message at a time, no batches");
        return;
    }
    value_member(body, "method", &method);
    value_member(body, "id", &id);
    if (span_equal(method, SPAN("\"initialize\"")) && value_is_given(id)) {
        initialize(connection, id, body);
        return;
    }
    struct session *session = session_of(connection, request);
    if (session)
        serve_message(connection, session, id, request);
}

/* ---- GET --------------------------------------------------------------------------------------
 */

/* "12-3" into 12 and 3. */
static bool read_event_id(struct span words, uint64_t *stream, uint64_t *number)
{
    const char *dash = words.at ? memchr(words.at, '-', words.bytes) : NULL;
    if (!dash)
        return false;
    size_t before = (size_t)(dash - words.at);
    return span_uint((struct span){.at = words.at, .bytes = before}, stream) == 0 &&
           span_uint((struct span){.at = dash + 1, .bytes = words.bytes - before - 1}, number) == 0;
}

static struct mcp_call *call_of(struct session *session, uint64_t stream)
{
    for (struct list *node = session->calls.next; node != &session->calls; node = node->next) {
        struct mcp_call *call = list_entry(node, struct mcp_call, node);
        if (call->streamed && call->stream == stream)
            return call;
    }
    return NULL;
}

static void listen_on(struct connection *connection, struct session *session)
{
    connection->listening = true;
    list_append(&session->streams_open, &connection->mcp_node);
}

/* What was missed is sent; then the stream goes on, or ends. */
static void resume(struct connection *connection, struct session *session, uint64_t stream,
                   uint64_t number)
{
    const struct session_event *event;
    struct mcp_call *call = call_of(session, stream);
    bool over = false;
    if (stream == 0 || stream > session->streams) {
        refuse(connection, 400, RPC_SERVER, "Last-Event-ID names no stream of this session");
        return;
    }
    put_head(connection, session, "text/event-stream");
    reply_stream(connection);
    while ((event = session_next(session, stream, number))) {
        send_event(connection, stream, event->number, span_of(event->data), false);
        number = event->number;
        over |= event->last;
    }
    if (over || !call) {
        reply_stream_end(connection);
        return;
    }
    listen_on(connection, session);
    if (call->resumed) { /* the newer of two takes its place */
        struct connection *older = call->resumed;
        call->resumed = NULL;
        end_resumed(older);
    }
    call->resumed = connection;
    connection->mcp_call = call;
}

static void get(struct connection *connection, const struct request *request)
{
    struct span last = request_header(request, "Last-Event-ID");
    uint64_t stream, number;
    if (!accepts(request, false)) {
        refuse(connection, 406, RPC_SERVER, "Not Acceptable: Client must accept text/event-stream");
        return;
    }
    struct session *session = session_of(connection, request);
    if (!session)
        return;
    if (last.bytes == 0) {
        put_head(connection, session, "text/event-stream");
        reply_stream(connection);
        listen_on(connection, session);
    } else if (!read_event_id(last, &stream, &number)) {
        refuse(connection, 400, RPC_SERVER, "Last-Event-ID is not one of this server's");
    } else {
        resume(connection, session, stream, number);
    }
}

/* ---- ends -------------------------------------------------------------------------------------
 */

/* Its calls go on, as nobody's; its streams end. */
static void end_session(struct testbed *testbed, struct session *session)
{
    struct list *node;
    while ((node = list_take(&session->calls)))
        list_entry(node, struct mcp_call, node)->session = NULL;
    while (!list_empty(&session->streams_open)) {
        struct connection *connection =
            list_entry(session->streams_open.next, struct connection, mcp_node);
        if (connection->mcp_call)
            connection->mcp_call->resumed = NULL;
        end_resumed(connection);
    }
    sessions_close(testbed->sessions, session);
}

static void drop(struct connection *connection, const struct request *request)
{
    struct session *session = session_of(connection, request);
    if (!session)
        return;
    end_session(connection->testbed, session);
    reply_send(connection, 200, NULL, SPAN(""));
}

void mcp_listener_gone(struct connection *connection)
{
    if (connection->mcp_call)
        connection->mcp_call->resumed = NULL;
    connection->mcp_call = NULL;
    connection->listening = false;
    list_remove(&connection->mcp_node);
}

void mcp_serve(struct connection *connection, const struct request *request)
{
    if (span_equal(request->method, SPAN("POST")))
        post(connection, request);
    else if (span_equal(request->method, SPAN("GET")))
        get(connection, request);
    else if (span_equal(request->method, SPAN("DELETE")))
        drop(connection, request);
    else
        refuse(connection, 405, RPC_SERVER, "Method not allowed");
}

void mcp_end(struct testbed *testbed)
{
    testbed->sessions = sessions_free(testbed->sessions);
}

void mcp_write(struct testbed *testbed, struct text *out)
{
    uint64_t open, opened;
    sessions_count(testbed->sessions, &open, &opened);
    text_printf(
        out,
        "# HELP testbed_mcp_sessions MCP sessions open.\n# TYPE testbed_mcp_sessions gauge\n"
        "testbed_mcp_sessions %llu\n# HELP testbed_mcp_sessions_total MCP sessions opened.\n"
        "# TYPE testbed_mcp_sessions_total counter\ntestbed_mcp_sessions_total %llu\n",
        (unsigned long long)open, (unsigned long long)opened);
}
