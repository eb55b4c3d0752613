/* The table of paths, and those that need no law: what a client is tested against. */
#include "testbed/paths.h"

#include "base/check.h"
#include "testbed/chat.h"
#include "testbed/embed.h"
#include "testbed/gzip.h"
#include "testbed/mcp.h"
#include "testbed/ollama.h"
#include "testbed/qdrant.h"
#include "testbed/rag.h"
#include "testbed/reply.h"
#include "testbed/station.h"
#include "testbed/tools.h"
#include "testbed/work.h"

#include <string.h>

enum { BYTES_MOST = 64 << 20, DELAY_MOST_MS = 600000, REDIRECT_MOST = 100 };

static void serve_root(struct connection *connection, const struct request *request)
{
    (void)request;
    reply_send(connection, 200, TYPE_JSON,
               SPAN("{\"ok\":true,\"service\":\"plimsoll-testbed\"}\n"));
}

static void serve_health(struct connection *connection, const struct request *request)
{
    const struct testbed *testbed = connection->testbed;
    nsec_t ready_ns = testbed->made_ns + testbed->options.listen.ready_after_ns;
    (void)request;
    if (testbed->options.listen.ready_after_ns && loop_now(testbed->loop) < ready_ns)
        reply_error(connection, 503, "not ready yet, as asked for by --ready-after-ms");
    else
        reply_send(connection, 200, TYPE_JSON, SPAN("{\"status\":\"ok\"}\n"));
}

static void serve_metrics(struct connection *connection, const struct request *request)
{
    struct text body = TEXT_EMPTY;
    (void)request;
    metrics_write(connection->testbed, &body);
    reply_send(connection, 200, "text/plain; version=0.0.4; charset=utf-8", text_span(&body));
    text_fini(&body);
}

static void serve_echo(struct connection *connection, const struct request *request)
{
    struct span type = request_header(request, "Content-Type");
    reply_begin(connection, 200, type.at ? NULL : TYPE_BYTES);
    if (type.at)
        reply_line(connection, "Content-Type", type);
    reply_end(connection, request->body);
}

/* The number after the last slash, from least to most. Returns false when the client was told. */
static bool read_tail(struct connection *connection, const struct request *request, uint64_t least,
                      uint64_t most, uint64_t *number)
{
    const char *slash = memrchr(request->path.at, '/', request->path.bytes);
    check(slash);
    size_t before = (size_t)(slash - request->path.at) + 1;
    struct span tail = {.at = slash + 1, .bytes = request->path.bytes - before};
    if (span_uint(tail, number) == 0 && *number >= least && *number <= most)
        return true;
    reply_error(connection, 400, "the number in the path is missing or out of range");
    return false;
}

static void serve_status(struct connection *connection, const struct request *request)
{
    uint64_t status = 0;
    if (!read_tail(connection, request, 200, 599, &status))
        return;
    if (status == 204 || status == 304)
        reply_send(connection, (int)status, NULL, SPAN(""));
    else
        reply_send(connection, (int)status, TYPE_TEXT, SPAN("as asked\n"));
}

static void delay_over(struct connection *connection, nsec_t now_ns)
{
    (void)now_ns;
    reply_send(connection, 200, TYPE_JSON, SPAN("{\"delayed\":true}\n"));
}

static void serve_delay(struct connection *connection, const struct request *request)
{
    uint64_t ms = 0;
    if (read_tail(connection, request, 0, DELAY_MOST_MS, &ms))
        connection_wait(connection, connection->rx_ns + (nsec_t)ms * NSEC_PER_MSEC, delay_over);
}

static void serve_bytes(struct connection *connection, const struct request *request)
{
    uint64_t count = 0;
    if (!read_tail(connection, request, 0, BYTES_MOST, &count))
        return;
    struct text body = TEXT_EMPTY;
    text_reserve(&body, count);
    for (uint64_t i = 0; i < count; i++)
        body.at[i] = "0123456789abcdef"[i & 15];
    body.bytes = count;
    reply_send(connection, 200, TYPE_BYTES, text_span(&body));
    text_fini(&body);
}

static void serve_redirect(struct connection *connection, const struct request *request)
{
    uint64_t left = 0;
    if (!read_tail(connection, request, 0, REDIRECT_MOST, &left))
        return;
    if (left == 0) {
        reply_send(connection, 200, TYPE_TEXT, SPAN("arrived\n"));
        return;
    }
    struct text location = TEXT_EMPTY;
    text_puts(&location, "/redirect/");
    text_put_uint(&location, left - 1);
    reply_begin(connection, 302, NULL);
    reply_line(connection, "Location", text_span(&location));
    reply_end(connection, SPAN(""));
    text_fini(&location);
}

static void serve_set_cookie(struct connection *connection, const struct request *request)
{
    struct span cookie = request->query.bytes ? request->query : SPAN("plimsoll=load-line");
    reply_begin(connection, 200, TYPE_TEXT);
    reply_line(connection, "Set-Cookie", cookie);
    reply_end(connection, SPAN("set\n"));
}

static void serve_cookies(struct connection *connection, const struct request *request)
{
    reply_send(connection, 200, TYPE_TEXT, request_header(request, "Cookie"));
}

static void serve_headers(struct connection *connection, const struct request *request)
{
    struct text body = TEXT_EMPTY;
    text_putc(&body, '{');
    for (size_t i = 0; i < request->header_count; i++) {
        if (i)
            text_putc(&body, ',');
        reply_json_string(&body, request->headers[i].name);
        text_putc(&body, ':');
        reply_json_string(&body, request->headers[i].value);
    }
    text_puts(&body, "}\n");
    reply_send(connection, 200, TYPE_JSON, text_span(&body));
    text_fini(&body);
}

static void serve_gzip(struct connection *connection, const struct request *request)
{
    struct text body = TEXT_EMPTY;
    (void)request;
    gzip_store(&body, SPAN("{\"gzipped\":true}\n"));
    reply_begin(connection, 200, TYPE_JSON);
    reply_line(connection, "Content-Encoding", SPAN("gzip"));
    reply_end(connection, text_span(&body));
    text_fini(&body);
}

/* ---- the table --------------------------------------------------------------------------------
 */

enum method { METHOD_GET = 1, METHOD_POST = 2, METHOD_ANY = 4 };

struct row {
    const char *path; /* ended by '/': the beginning of all paths served, save "/" itself */
    unsigned methods; /* GET stands for HEAD too */
    enum metrics_path metrics;
    bool faultless; /* what tests and orchestrators must be able to rely on */
    void (*serve)(struct connection *connection, const struct request *request);
};

static const struct row rows[] = {
    {"/", METHOD_GET, PATH_ROOT, false, serve_root},
    {"/v1/chat/completions", METHOD_POST, PATH_CHAT, false, chat_serve},
    {"/work", METHOD_GET | METHOD_POST, PATH_WORK, false, work_serve},
    {"/health", METHOD_GET, PATH_HEALTH, true, serve_health},
    {"/metrics", METHOD_GET, PATH_METRICS, true, serve_metrics},
    {"/v1/models", METHOD_GET, PATH_MODELS, false, chat_models},
    {"/api/generate", METHOD_POST, PATH_GENERATE, false, chat_serve_ollama},
    {"/api/chat", METHOD_POST, PATH_OLLAMA_CHAT, false, chat_serve_ollama},
    {"/api/tags", METHOD_GET, PATH_TAGS, false, ollama_models},
    {"/api/ps", METHOD_GET, PATH_PS, false, ollama_models},
    {"/echo", METHOD_ANY, PATH_ECHO, false, serve_echo},
    {"/status/", METHOD_ANY, PATH_STATUS, false, serve_status},
    {"/delay/", METHOD_GET, PATH_DELAY, false, serve_delay},
    {"/bytes/", METHOD_GET, PATH_BYTES, false, serve_bytes},
    {"/redirect/", METHOD_GET, PATH_REDIRECT, false, serve_redirect},
    {"/set-cookie", METHOD_GET, PATH_SET_COOKIE, false, serve_set_cookie},
    {"/cookies", METHOD_GET, PATH_COOKIES, false, serve_cookies},
    {"/headers", METHOD_ANY, PATH_HEADERS, false, serve_headers},
    {"/gzip", METHOD_GET, PATH_GZIP, false, serve_gzip},
    {"/db/query", METHOD_GET | METHOD_POST, PATH_DATABASE, false, database_serve},
    {"/api/v1/agents/", METHOD_ANY, PATH_AGENTS, false, agents_serve},
    {"/v1/embeddings", METHOD_POST, PATH_EMBEDDINGS, false, embed_serve},
    {"/api/embed", METHOD_POST, PATH_OLLAMA_EMBED, false, embed_serve},
    {"/embed", METHOD_POST, PATH_EMBED, false, embed_serve},
    {"/index", METHOD_POST, PATH_INDEX, false, rag_index},
    {"/query", METHOD_POST, PATH_QUERY, false, rag_query},
    {"/tools/execute", METHOD_POST, PATH_TOOLS, false, tools_serve},
    {"/mcp", METHOD_ANY, PATH_MCP, false, mcp_serve},
    {"/tools", METHOD_GET, PATH_TOOLS_LIST, false, tools_serve_list},
    {"/collections", METHOD_GET, PATH_COLLECTIONS, false, qdrant_serve},
    {"/collections/", METHOD_ANY, PATH_POINTS, false, qdrant_serve},
    {"/healthz", METHOD_GET, PATH_PROBES, true, qdrant_health},
    {"/readyz", METHOD_GET, PATH_PROBES, true, qdrant_health},
    {"/livez", METHOD_GET, PATH_PROBES, true, qdrant_health},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

const char *paths_label(enum metrics_path path)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].metrics == path)
            return rows[i].path;
    }
    return "other";
}

static const struct row *find(struct span path)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct span row = span_of(rows[i].path);
        bool prefix = row.bytes > 1 && row.at[row.bytes - 1] == '/';
        if (prefix ? span_begins(path, row) : span_equal(path, row))
            return &rows[i];
    }
    return NULL;
}

/* Which services a path belongs to. */
static unsigned roles_of(enum metrics_path path)
{
    switch (path) {
    case PATH_ROOT:
    case PATH_HEALTH:
    case PATH_METRICS:
    case PATH_PROBES:
        return ROLE_ALL;
    case PATH_INDEX:
    case PATH_QUERY:
        return ROLE_RAG;
    case PATH_TOOLS:
    case PATH_TOOLS_LIST:
    case PATH_MCP:
        return ROLE_TOOLS;
    case PATH_COLLECTIONS:
    case PATH_POINTS:
        return ROLE_VECTORS;
    default:
        return ROLE_GATEWAY;
    }
}

static bool allowed(const struct row *row, struct span method)
{
    if (row->methods & METHOD_ANY)
        return true;
    if (span_equal(method, SPAN("GET")) || span_equal(method, SPAN("HEAD")))
        return row->methods & METHOD_GET;
    return span_equal(method, SPAN("POST")) && (row->methods & METHOD_POST);
}

/* Whether the request bears the token. The time this takes says nothing of the token. */
static bool admitted(const struct testbed *testbed, const struct request *request)
{
    if (!testbed->token)
        return true;
    struct span value = request_header(request, "Authorization"), token = span_of(testbed->token);
    if (value.bytes != token.bytes + 7 ||
        !span_equal_nocase((struct span){.at = value.at, .bytes = 7}, SPAN("Bearer ")))
        return false;
    unsigned difference = 0;
    for (size_t i = 0; i < token.bytes; i++)
        difference |= (unsigned)(unsigned char)(value.at[7 + i] ^ token.at[i]);
    return difference == 0;
}

static void refuse_method(struct connection *connection, const struct row *row)
{
    reply_begin(connection, 405, TYPE_JSON);
    if (row->methods == METHOD_POST)
        reply_line(connection, "Allow", SPAN("POST"));
    else
        reply_line(connection, "Allow",
                   row->methods & METHOD_POST ? SPAN("GET, HEAD, POST") : SPAN("GET, HEAD"));
    reply_end(connection, SPAN("{\"error\":{\"message\":\"this path does not take this method\","
                               "\"type\":\"invalid_request_error\",\"code\":405}}\n"));
}

void paths_serve(struct connection *connection, const struct request *request)
{
    struct testbed *testbed = connection->testbed;
    const struct row *row = find(request->path);
    if (row && !(roles_of(row->metrics) & connection->roles))
        row = NULL;
    connection->path = row ? row->metrics : PATH_OTHER;
    if (!admitted(testbed, request)) {
        reply_error(connection, 401, "this server wants Authorization: Bearer with its token");
        return;
    }
    if (!row) {
        reply_error(connection, 404, "there is nothing at this path");
        return;
    }
    if (!allowed(row, request->method)) {
        refuse_method(connection, row);
        return;
    }
    if (!row->faultless)
        connection->fault = faults_draw(&testbed->faults);
    connection->slow |= connection->fault == FAULT_SLOW && testbed->options.fault.slow_bytes;
    if (connection->fault == FAULT_ERROR)
        reply_error(connection, 500, "an error, as asked for by --error-rate");
    else
        row->serve(connection, request);
}
