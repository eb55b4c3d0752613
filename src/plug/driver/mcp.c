/* Model Context Protocol, as a correct client of streamable HTTP speaks it, and tool servers that
 * are plain HTTP.
 *
 * A session is opened before a user's first call (initialize, notifications/initialized) and ended
 * when the user leaves, or after calls_per_session calls. Neither is part of a call's time; what
 * opening costs has a histogram of its own. No capabilities of a client are declared, so that a
 * server has nothing to ask of us. Over stdio a session is a child process. */
#include "plug/driver/mcp.h"

#include "base/memory.h"
#include "plug/driver/driver_list.h"
#include "plug/driver/reply_part.h"

#include <stdlib.h>
#include <string.h>

/* ---- the words of the plan --------------------------------------------------------------------
 */

struct mcp_config {
    struct template *url;
    struct plan_headers headers;
    struct template *tool, *arguments;
    int dialect;
    bool outside, progress;
    uint64_t calls_per_session, concurrency_limit;
    char *protocol;
    struct {
        char *tool_field, *arguments_field, *error, *success;
    } rest;
    struct {
        char *command, *directory;
        struct plan_texts arguments, environment;
    } stdio;
};

#define STDIO(member)                                                                              \
    (offsetof(struct mcp_config, stdio.member) - offsetof(struct mcp_config, stdio))

static const struct setting stdio_settings[] = {
    {.name = "command",
     .type = SETTING_TEXT,
     .offset = STDIO(command),
     .sentence = "program that is started, looked for in PATH"},
    {.name = "args",
     .type = SETTING_TEXTS,
     .offset = STDIO(arguments),
     .aliases = "arguments",
     .sentence = "its arguments"},
    {.name = "env",
     .type = SETTING_TEXTS,
     .offset = STDIO(environment),
     .aliases = "environment",
     .sentence = "variables beside ours, each as NAME=value"},
    {.name = "directory",
     .type = SETTING_PATH,
     .offset = STDIO(directory),
     .aliases = "cwd",
     .sentence = "it starts in; ours when not given"},
    {.name = NULL},
};

static const struct setting_word dialect_words[] = {
    {"http", "MCP over streamable HTTP: JSON-RPC, sessions, event streams"},
    {"rest", "plain HTTP: one POST of a tool's name and arguments"},
    {NULL, NULL},
};

#define MCP_SETTINGS                                                                               \
    {.name = "url",                                                                                \
     .type = SETTING_TEMPLATE,                                                                     \
     .offset = offsetof(struct mcp_config, url),                                                   \
     .unset = "/mcp",                                                                              \
     .sentence = "path of the endpoint on the target, or a whole URL"},                            \
        {.name = "dialect",                                                                        \
         .type = SETTING_CHOICE,                                                                   \
         .offset = offsetof(struct mcp_config, dialect),                                           \
         .words = dialect_words,                                                                   \
         .unset = "http",                                                                          \
         .sentence = "how the server is spoken to"},                                               \
        {.name = "headers",                                                                        \
         .type = SETTING_HEADERS,                                                                  \
         .offset = offsetof(struct mcp_config, headers),                                           \
         .sentence = "header lines of this request, beside those of http.headers"},                \
        {.name = "calls_per_session",                                                              \
         .type = SETTING_UINT,                                                                     \
         .offset = offsetof(struct mcp_config, calls_per_session),                                 \
         .unset = "0",                                                                             \
         .unit = "calls",                                                                          \
         .sentence = "a session is ended and a new one opened after so many; 0 keeps it as long "  \
                     "as the user"},                                                               \
        {.name = "concurrency_limit",                                                              \
         .type = SETTING_UINT,                                                                     \
         .offset = offsetof(struct mcp_config, concurrency_limit),                                 \
         .unset = "0",                                                                             \
         .unit = "calls",                                                                          \
         .sentence = "how many calls the server is said to execute at once; it is compared with "  \
                     "what can be seen; 0: nothing is said"},                                      \
        {.name = "stdio",                                                                          \
         .type = SETTING_SECTION,                                                                  \
         .offset = offsetof(struct mcp_config, stdio),                                             \
         .section = stdio_settings,                                                                \
         .sentence = "a server that is started as a child process and spoken to over its pipes; "  \
                     "one for each user, or with connections: {mode: shared} one a thread"},       \
    {                                                                                              \
        .name = "protocol", .type = SETTING_TEXT, .offset = offsetof(struct mcp_config, protocol), \
        .unset = "2025-11-25",                                                                     \
        .sentence = "protocol version offered; the one that the server names is spoken"            \
    }

static const struct setting rest_settings[] = {
    {.name = "tool",
     .type = SETTING_TEXT,
     .offset = offsetof(struct mcp_config, rest.tool_field) - offsetof(struct mcp_config, rest),
     .unset = "tool",
     .sentence = "member of the body that names the tool"},
    {.name = "args",
     .type = SETTING_TEXT,
     .offset =
         offsetof(struct mcp_config, rest.arguments_field) - offsetof(struct mcp_config, rest),
     .unset = "args",
     .sentence = "member of the body that holds its arguments"},
    {.name = "error",
     .type = SETTING_TEXT,
     .offset = offsetof(struct mcp_config, rest.error) - offsetof(struct mcp_config, rest),
     .unset = "error",
     .sentence = "path in the reply whose value, other than null, false, 0 and \"\", means that "
                 "the tool failed"},
    {.name = "success",
     .type = SETTING_TEXT,
     .offset = offsetof(struct mcp_config, rest.success) - offsetof(struct mcp_config, rest),
     .sentence = "path in the reply that must be there and other than null, false, 0 and \"\""},
    {.name = NULL},
};

static const struct setting call_settings[] = {
    MCP_SETTINGS,
    {.name = "tool",
     .type = SETTING_JSON,
     .offset = offsetof(struct mcp_config, tool),
     .required = true,
     .sentence = "name of the tool"},
    {.name = "args",
     .type = SETTING_JSON,
     .offset = offsetof(struct mcp_config, arguments),
     .aliases = "arguments",
     .sentence = "its arguments, as a value; holes are allowed in texts"},
    {.name = "outside",
     .type = SETTING_BOOL,
     .offset = offsetof(struct mcp_config, outside),
     .unset = "false",
     .sentence = "the call leads out of the server's sandbox and must be refused: a refusal is "
                 "success, a result is a sandbox violation"},
    {.name = "progress",
     .type = SETTING_BOOL,
     .offset = offsetof(struct mcp_config, progress),
     .unset = "false",
     .sentence = "ask for progress notifications while the tool works"},
    {.name = "rest",
     .type = SETTING_SECTION,
     .offset = offsetof(struct mcp_config, rest),
     .section = rest_settings,
     .sentence = "where things stand in requests and replies of the rest dialect"},
    {.name = NULL},
};

static const struct setting list_settings[] = {MCP_SETTINGS, {.name = NULL}};

static const struct request_verb mcp_verbs[] = {
    {.word = "mcp.call",
     .sentence = "calls a tool",
     .settings = call_settings,
     .config_bytes = sizeof(struct mcp_config),
     .shorthand = "tool",
     .guard = "mcp_sandbox_violations count==0",
     .guard_setting = "outside"},
    {.word = "mcp.tools_list",
     .sentence = "asks for the list of tools, all its pages; in the rest dialect a GET",
     .settings = list_settings,
     .config_bytes = sizeof(struct mcp_config),
     .shorthand = "url"},
    {.word = NULL},
};

/* ---- the metrics ------------------------------------------------------------------------------
 */

#define COUNTER(number, is, of, what)                                                              \
    [number] = METRIC_ROW(METRIC_COUNTER, is, of, what, "driver mcp")

#define HIST(number, is, what)                                                                     \
    [MCP_COUNTERS + (number)] = METRIC_ROW(METRIC_HISTOGRAM, is, "ns", what, "driver mcp")

static const struct metric mcp_metrics[] = {
    COUNTER(MCP_CALLS, "mcp_calls", "requests",
            "Requests that were answered with a result; those marked outside are not among them."),
    COUNTER(MCP_HTTP_ERRORS, "mcp_http_errors", "requests",
            "Requests, set-up of sessions included, answered with an HTTP status of 400 or more."),
    COUNTER(MCP_RPC_ERRORS, "mcp_rpc_errors", "requests",
            "Requests, set-up of sessions included, answered with a JSON-RPC error; they are "
            "failures of kind protocol."),
    COUNTER(MCP_TOOL_ERRORS, "mcp_tool_errors", "requests",
            "Calls whose tool failed (a result with isError); they are failures of kind protocol."),
    COUNTER(MCP_BROKEN_REPLIES, "mcp_broken_replies", "requests",
            "Replies without the message that answers ours, or not of the protocol."),
    COUNTER(MCP_REFUSED, "mcp_refused", "requests",
            "Calls marked outside that the server refused, as it must; they succeeded."),
    COUNTER(MCP_VIOLATIONS, "mcp_sandbox_violations", "requests",
            "Calls marked outside that the server answered with a result; they are failures of "
            "kind protocol."),
    COUNTER(MCP_PROGRESS, "mcp_progress", "messages",
            "Progress notifications that came before the answer."),
    COUNTER(MCP_NOTIFICATIONS, "mcp_notifications", "messages",
            "Other notifications that came with replies."),
    COUNTER(MCP_SERVER_REQUESTS, "mcp_server_requests", "messages",
            "Requests of the server to us, which are not answered: no capability is declared."),
    COUNTER(MCP_SESSIONS, "mcp_sessions", "sessions", "Sessions opened."),
    COUNTER(MCP_SESSIONS_ENDED, "mcp_sessions_ended", "sessions",
            "Sessions whose DELETE was answered with 2xx or with 405, which says that the server "
            "does not let clients end them. Sessions without an id need none."),
    COUNTER(MCP_SESSIONS_LOST, "mcp_sessions_lost", "sessions",
            "Sessions that the server no longer knew; the next call opens a new one."),
    COUNTER(MCP_SETUP_FAILURES, "mcp_setup_failures", "requests",
            "Requests that failed because no session could be opened."),
    COUNTER(MCP_RESUMED, "mcp_resumed", "streams",
            "Event streams that ended before the answer and were taken up again after their last "
            "event."),
    COUNTER(MCP_TOOLS_LISTED, "mcp_tools_listed", "tools", "Tools named in lists of tools."),
    COUNTER(MCP_PAGES, "mcp_pages", "pages",
            "Pages of lists of tools after the first; all pages are one request."),
    COUNTER(MCP_UNLISTED, "mcp_unlisted_tools", "tools",
            "Tools that the plan calls and a list of the server did not name, a list."),
    COUNTER(MCP_NOISE, "mcp_noise", "lines",
            "Lines on the output of a child process that are no JSON-RPC message; passed over."),
    HIST(MCP_SESSION_SETUP, "mcp_session_setup",
         "From the instant initialize was sent to the answer to notifications/initialized, a "
         "session; not part of any request's time."),
    HIST(MCP_REPLY, "mcp_reply",
         "From the intended start to the message that answers ours, results only; what the server "
         "does with the stream after it is not in it."),
    {.name = NULL},
};

/* ---- compiling --------------------------------------------------------------------------------
 */

static bool same_texts(const struct plan_texts *one, const struct plan_texts *other)
{
    size_t same = 0;
    while (same < one->count && same < other->count &&
           strcmp(one->items[same], other->items[same]) == 0)
        same++;
    return same == one->count && same == other->count;
}

static bool same_child(const struct mcp_config *one, const struct mcp_config *other)
{
    const char *here = one->stdio.directory ? one->stdio.directory : "";
    const char *there = other->stdio.directory ? other->stdio.directory : "";
    return one->stdio.command && other->stdio.command &&
           strcmp(one->stdio.command, other->stdio.command) == 0 && strcmp(here, there) == 0 &&
           same_texts(&one->stdio.arguments, &other->stdio.arguments) &&
           same_texts(&one->stdio.environment, &other->stdio.environment);
}

static bool same_server(const struct plan_request *one, const struct plan_request *other)
{
    const struct mcp_config *first = one->config, *second = other->config;
    const char *at = one->target ? one->target : "", *to = other->target ? other->target : "";
    if (first->stdio.command || second->stdio.command)
        return same_child(first, second);
    return first->dialect == second->dialect && strcmp(at, to) == 0 &&
           span_equal(template_constant(first->url), template_constant(second->url));
}

/* What any request of the plan says of the server that this one is for. */
static uint64_t declared_limit(const struct plan *plan, const struct plan_request *request)
{
    for (size_t i = 0; i < plan->request_count; i++) {
        const struct plan_request *other = &plan->requests[i];
        const struct mcp_config *config = other->config;
        if (other->driver == request->driver && config->concurrency_limit &&
            same_server(other, request))
            return config->concurrency_limit;
    }
    return 0;
}

/* The number of the server that a request is for, by the order in which the plan names them. */
static uint32_t server_number(const struct plan *plan, const struct plan_request *request)
{
    const struct plan_request *firsts[MCP_SERVERS + 1] = {NULL};
    uint32_t count = 0;
    for (size_t i = 0; i < plan->request_count && count <= MCP_SERVERS; i++) {
        const struct plan_request *other = &plan->requests[i];
        uint32_t known = 0;
        if (other->driver != request->driver)
            continue;
        while (known < count && !same_server(firsts[known], other))
            known++;
        if (same_server(other, request))
            return known;
        if (known == count)
            firsts[count++] = other;
    }
    return count;
}

static bool check_http(const struct mcp_config *config, const struct mcp_request *compiled,
                       const char *name, struct notes *notes)
{
    bool half =
        config->stdio.arguments.count || config->stdio.environment.count || config->stdio.directory;
    if (half && !config->stdio.command)
        notes_error(notes, "%s: stdio lacks its command, the program to start", name);
    else if (compiled->dialect != MCP_STDIO && !template_constant(config->url).at)
        notes_error(notes, "%s: the url has holes; a session belongs to one endpoint", name);
    else if (compiled->server >= MCP_SERVERS)
        notes_error(notes, "%s: the plan names more than %d MCP endpoints; give it in two plans",
                    name, MCP_SERVERS);
    else if (strlen(config->protocol) >= MCP_VERSION_BYTES || strpbrk(config->protocol, "\"\\\r\n"))
        notes_error(notes, "%s: protocol: \"%s\" is no version such as 2025-11-25", name,
                    config->protocol);
    else
        return true;
    return false;
}

static bool compile_rest(const struct mcp_config *config, struct mcp_request *compiled,
                         const char *name, struct notes *notes)
{
    compiled->tool_field = config->rest.tool_field;
    compiled->arguments_field = config->rest.arguments_field;
    compiled->has_success_path = config->rest.success != NULL;
    return reply_part_compile(config->rest.error ? config->rest.error : "error",
                              &compiled->error_path, name, notes) &&
           (!config->rest.success ||
            reply_part_compile(config->rest.success, &compiled->success_path, name, notes));
}

/* The arguments and the environment as exec takes them, in one array. */
static void compile_command(const struct mcp_config *config, struct mcp_request *compiled)
{
    size_t count = config->stdio.arguments.count, added = config->stdio.environment.count;
    char **words = memory_new(count + added + 3, sizeof *words);
    words[0] = config->stdio.command;
    for (size_t i = 0; i < count; i++)
        words[1 + i] = config->stdio.arguments.items[i];
    for (size_t i = 0; i < added; i++)
        words[count + 2 + i] = config->stdio.environment.items[i];
    compiled->words = words;
    compiled->command = (struct piped_command){
        .arguments = words, .environment = words + count + 2, .directory = config->stdio.directory};
}

static bool check_stdio(const struct plan *plan, const struct mcp_config *config, const char *name,
                        struct notes *notes)
{
    for (size_t i = 0; i < config->stdio.environment.count; i++) {
        const char *variable = config->stdio.environment.items[i];
        if (strchr(variable, '=') > variable)
            continue;
        notes_error(notes, "%s: stdio.env: \"%s\" is not of the form NAME=value", name, variable);
        return false;
    }
    if (config->dialect == MCP_REST)
        notes_error(notes, "%s: the rest dialect is not spoken over stdio; take one of them away",
                    name);
    else if (plan->connections.mode == POOL_NEW)
        notes_error(notes,
                    "%s: connections: {mode: new} would open a session for every message of it; "
                    "for a child process a call give calls_per_session: 1",
                    name);
    else
        return true;
    return false;
}

static void mcp_release(void *opaque)
{
    struct mcp_request *compiled = opaque;
    if (!compiled)
        return;
    http_request_free(compiled->post);
    http_request_free(compiled->get);
    http_request_free(compiled->bye);
    json_path_fini(&compiled->error_path);
    json_path_fini(&compiled->success_path);
    free(compiled->words);
    free(compiled);
}

static bool compile_requests(const struct plan *plan, const struct plan_request *request,
                             struct mcp_request *compiled, struct notes *notes)
{
    const struct mcp_config *config = request->config;
    bool rest = compiled->dialect == MCP_REST;
    if (compiled->dialect == MCP_STDIO)
        return true;
    bool asks = rest && compiled->verb == MCP_LIST;
    struct http_shape shape = {
        .method = asks ? "GET" : "POST",
        .url = config->url,
        .headers = &config->headers,
        .json = !asks,
        .accept = rest ? "application/json" : "application/json, text/event-stream",
    };
    compiled->post = http_request_compile(plan, request->name, &shape, notes);
    if (!compiled->post || rest)
        return compiled->post != NULL;
    shape.json = false;
    shape.method = "GET";
    shape.accept = "text/event-stream";
    compiled->get = http_request_compile(plan, request->name, &shape, notes);
    shape.method = "DELETE";
    shape.accept = "*/*";
    compiled->bye = http_request_compile(plan, request->name, &shape, notes);
    return compiled->get && compiled->bye;
}

/* The tools that the plan calls on the same server and does not expect to be refused, by names
 * without holes. */
static void collect_tools(const struct plan *plan, const struct plan_request *request,
                          struct mcp_request *compiled)
{
    for (size_t i = 0; i < plan->request_count && compiled->tool_count < MCP_TOOLS; i++) {
        const struct plan_request *other = &plan->requests[i];
        const struct mcp_config *config = other->config;
        if (other->driver != request->driver || !same_server(other, request) ||
            strcmp(other->verb, "mcp.call") != 0 || config->outside)
            continue;
        struct span tool = template_constant(config->tool);
        bool known = tool.bytes < 2 || tool.at[0] != '"';
        struct span name = {.at = tool.at + 1, .bytes = tool.bytes - 2};
        for (uint32_t k = 0; k < compiled->tool_count && !known; k++)
            known = span_equal(compiled->tools[k], name);
        if (!known)
            compiled->tools[compiled->tool_count++] = name;
    }
}

static void *mcp_compile(const struct plan *plan, const struct plan_request *request,
                         struct notes *notes)
{
    const struct mcp_config *config = request->config;
    struct mcp_request *compiled = memory_new(1, sizeof *compiled);
    compiled->dialect = config->stdio.command ? MCP_STDIO : (enum mcp_dialect)config->dialect;
    compiled->verb = strcmp(request->verb, "mcp.call") == 0 ? MCP_CALL : MCP_LIST;
    compiled->tool = config->tool;
    compiled->arguments = config->arguments;
    compiled->outside = config->outside;
    compiled->progress = config->progress;
    compiled->calls_per_session = config->calls_per_session;
    compiled->protocol = config->protocol;
    compiled->server = server_number(plan, request);
    compiled->concurrency_limit = declared_limit(plan, request);
    if (compiled->verb == MCP_LIST)
        collect_tools(plan, request, compiled);
    bool fine = true;
    if (compiled->dialect == MCP_REST) {
        fine = compile_rest(config, compiled, request->name, notes);
    } else {
        if (config->stdio.command)
            compile_command(config, compiled);
        fine = (!config->stdio.command || check_stdio(plan, config, request->name, notes)) &&
               check_http(config, compiled, request->name, notes);
    }
    struct span tool = compiled->tool ? template_constant(compiled->tool) : SPAN("\"\"");
    if (tool.at && (tool.bytes == 0 || tool.at[0] != '"')) {
        notes_error(notes, "%s: tool is not a text", request->name);
        fine = false;
    }
    if (fine && compile_requests(plan, request, compiled, notes))
        return compiled;
    mcp_release(compiled);
    return NULL;
}

static const char *mcp_origin(const void *compiled)
{
    const struct mcp_request *request = compiled;
    return request->post ? http_request_origin(request->post) : NULL;
}

static const struct piped_command *mcp_command(const void *compiled)
{
    const struct mcp_request *request = compiled;
    return request->dialect == MCP_STDIO ? &request->command : NULL;
}

static uint64_t mcp_concurrency_limit(const void *compiled, uint32_t *server)
{
    const struct mcp_request *request = compiled;
    *server = request->server;
    return request->concurrency_limit;
}

const struct driver driver_mcp = {
    .name = "mcp",
    .sentence =
        "Model Context Protocol over streamable HTTP and stdio, and tool servers over plain "
        "HTTP",
    .verbs = mcp_verbs,
    .metrics = mcp_metrics,
    .state_bytes = sizeof(struct mcp_state),
    .user_bytes = sizeof(struct mcp_user),
    .connection_bytes = sizeof(struct mcp_session),
    .wants_head = true,
    .compile = mcp_compile,
    .release = mcp_release,
    .origin = mcp_origin,
    .command = mcp_command,
    .concurrency_limit = mcp_concurrency_limit,
    .compose = mcp_compose,
    .data = mcp_data,
    .end = mcp_end,
};
