/* The table of tools, how each is done, and the REST dialect; see tools.h. */
#include "testbed/tools.h"

#include "base/error.h"
#include "base/memory.h"
#include "testbed/child.h"
#include "testbed/fetch.h"
#include "testbed/reply.h"
#include "testbed/task.h"
#include "testbed/value.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_STEPS_MOST = 1000, WAIT_MS_MOST = 60000 };

/* A call being executed. */
struct call {
    struct toolbox *toolbox;
    struct job *job;
    struct span arguments;
    struct text *said;
};

/* ---- arguments --------------------------------------------------------------------------------
 */

static enum tool_outcome fail(struct call *call, const char *words)
{
    text_clear(call->said);
    text_puts(call->said, words);
    return TOOL_FAILED;
}

/* A text argument under either name; false, with the failure said, when it is missing. */
static bool argument(struct call *call, const char *name, const char *other, struct text *out)
{
    struct span value;
    if ((value_member(call->arguments, name, &value) && value_text(value, out)) ||
        (other && value_member(call->arguments, other, &value) && value_text(value, out)))
        return true;
    text_printf(call->said, "Invalid arguments: %s is missing, a text", name);
    return false;
}

static uint64_t number(struct span arguments, const char *name, uint64_t otherwise, uint64_t most)
{
    struct span value;
    uint64_t found;
    if (!value_member(arguments, name, &value) || value_uint(value, &found))
        return otherwise;
    return found < most ? found : most;
}

static enum tool_outcome cannot_open(struct call *call, struct span path, int outcome)
{
    char sentence[128];
    if (outcome == SANDBOX_OUTSIDE)
        text_puts(call->said, "Access denied - path outside the sandbox: ");
    else
        text_printf(call->said, "%s: ", error_sentence(outcome, sentence, sizeof sentence));
    text_put(call->said, path);
    return outcome == SANDBOX_OUTSIDE ? TOOL_REFUSED : TOOL_FAILED;
}

/* ---- files ------------------------------------------------------------------------------------
 */

static enum tool_outcome run_read_file(struct call *call)
{
    struct text path = TEXT_EMPTY;
    struct stat status;
    int fd = -1;
    if (!argument(call, "path", "file_path", &path))
        return TOOL_FAILED;
    int error = sandbox_open(call->toolbox->sandbox, text_span(&path), O_RDONLY | O_NONBLOCK, &fd);
    if (error == 0 && (fstat(fd, &status) || !S_ISREG(status.st_mode)))
        error = -EISDIR;
    enum tool_outcome outcome = TOOL_DONE;
    if (error)
        outcome = cannot_open(call, text_span(&path), error);
    else if (status.st_size > TOOL_BYTES_MOST)
        outcome = fail(call, "the file has more than 1 MiB");
    char bytes[8192];
    ssize_t count = 0;
    while (outcome == TOOL_DONE && call->said->bytes <= TOOL_BYTES_MOST &&
           (count = read(fd, bytes, sizeof bytes)) > 0)
        text_put(call->said, (struct span){.at = bytes, .bytes = (size_t)count});
    if (fd >= 0)
        close(fd);
    text_fini(&path);
    return outcome;
}

static enum tool_outcome run_write_file(struct call *call)
{
    struct text path = TEXT_EMPTY, content = TEXT_EMPTY;
    enum tool_outcome outcome = TOOL_FAILED;
    int fd = -1;
    if (argument(call, "path", "file_path", &path) &&
        argument(call, "content", "contents", &content)) {
        sandbox_make_parents(call->toolbox->sandbox, text_span(&path));
        int error = sandbox_open(call->toolbox->sandbox, text_span(&path),
                                 O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, &fd);
        ssize_t count = error ? 0 : write(fd, content.at ? content.at : "", content.bytes);
        if (error == 0 && (count < 0 || (size_t)count < content.bytes))
            error = count < 0 ? -errno : -ENOSPC;
        if (fd >= 0)
            close(fd);
        if (error) {
            outcome = cannot_open(call, text_span(&path), error);
        } else {
            text_printf(call->said, "%zu bytes written to ", content.bytes);
            text_put(call->said, text_span(&path));
            outcome = TOOL_DONE;
        }
    }
    text_fini(&path);
    text_fini(&content);
    return outcome;
}

static int by_name(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

static int is_shown(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static enum tool_outcome run_list_directory(struct call *call)
{
    struct text path = TEXT_EMPTY;
    struct dirent **entries = NULL;
    int fd = -1;
    if (!argument(call, "path", "directory", &path)) {
        text_clear(call->said);
        text_put(&path, SPAN("."));
    }
    int error = sandbox_open(call->toolbox->sandbox, text_span(&path), O_RDONLY | O_DIRECTORY, &fd);
    enum tool_outcome outcome = TOOL_DONE;
    if (error) {
        outcome = cannot_open(call, text_span(&path), error);
    } else {
        int count = scandirat(fd, ".", &entries, is_shown, by_name);
        for (int i = 0; i < count; i++) {
            bool directory = entries[i]->d_type == DT_DIR;
            text_printf(call->said, "%s %s\n", directory ? "[DIR]" : "[FILE]", entries[i]->d_name);
            free(entries[i]);
        }
        free(entries);
        close(fd);
    }
    text_fini(&path);
    return outcome;
}

/* ---- git --------------------------------------------------------------------------------------
 */

static enum tool_outcome run_git(struct call *call, const char *one, const char *two)
{
    const char *root = sandbox_root(call->toolbox->sandbox);
    if (!root)
        return fail(call, "the sandbox could not be made: may --sandbox-in be written to?");
    if (!sandbox_has_git(call->toolbox->sandbox))
        return fail(call, "git is not installed here, so that there is no repository to ask");
    const char *const arguments[] = {"git", "-C", root, "-c", "core.fsmonitor=false",
                                     one,   two,  NULL};
    int status = child_run(arguments, TOOL_BYTES_MOST, call->said);
    if (status == 0)
        return TOOL_DONE;
    if (status < 0)
        return fail(call, "git could not be started");
    if (call->said->bytes == 0)
        return fail(call, "git was ended by a signal, or took more than 10 s");
    return TOOL_FAILED;
}

static enum tool_outcome run_git_status(struct call *call)
{
    return run_git(call, "status", "--branch");
}

static enum tool_outcome run_git_log(struct call *call)
{
    struct text most = TEXT_EMPTY;
    text_puts(&most, "-n");
    text_put_uint(&most, number(call->arguments, "max_count", 10, 1000));
    enum tool_outcome outcome = run_git(call, "log", most.at);
    text_fini(&most);
    return outcome;
}

/* ---- others -----------------------------------------------------------------------------------
 */

static enum tool_outcome run_echo(struct call *call)
{
    struct text message = TEXT_EMPTY;
    if (!argument(call, "message", "text", &message))
        return TOOL_FAILED;
    text_puts(call->said, "Echo: ");
    text_put(call->said, text_span(&message));
    text_fini(&message);
    return TOOL_DONE;
}

static void sleep_for(nsec_t for_ns)
{
    struct timespec time = {.tv_sec = for_ns / NSEC_PER_SEC, .tv_nsec = for_ns % NSEC_PER_SEC};
    while (for_ns > 0 && nanosleep(&time, &time) && errno == EINTR)
        continue;
}

static enum tool_outcome run_wait(struct call *call)
{
    uint64_t steps = number(call->arguments, "steps", 1, WAIT_STEPS_MOST);
    uint64_t each_ms = number(call->arguments, "step_ms", 10, WAIT_MS_MOST);
    for (uint64_t step = 0; step < steps; step++) {
        if (!call->job->virtual_time)
            sleep_for((nsec_t)each_ms * NSEC_PER_MSEC);
        job_step(call->job);
    }
    text_printf(call->said, "waited %llu times %llu ms", (unsigned long long)steps,
                (unsigned long long)each_ms);
    return TOOL_DONE;
}

static enum tool_outcome run_fetch(struct call *call)
{
    struct text url = TEXT_EMPTY;
    if (!argument(call, "url", NULL, &url))
        return TOOL_FAILED;
    int outcome = call->job->virtual_time
                      ? -ENETUNREACH
                      : fetch_page(call->toolbox, text_span(&url), TOOL_BYTES_MOST, call->said);
    char sentence[128];
    if (outcome == FETCH_ELSEWHERE)
        text_puts(call->said, "Access denied - this tool fetches pages of this server only: give "
                              "/path, or http://127.0.0.1:PORT/path with a port of it");
    else if (outcome == FETCH_STATUS)
        text_puts(call->said, "the page was not answered with 200");
    else if (outcome < 0)
        text_puts(call->said, error_sentence(outcome, sentence, sizeof sentence));
    text_fini(&url);
    return outcome == FETCH_ELSEWHERE ? TOOL_REFUSED : outcome ? TOOL_FAILED : TOOL_DONE;
}

/* ---- the table --------------------------------------------------------------------------------
 */

#define PATH_SCHEMA                                                                                \
    "\"properties\":{\"path\":{\"type\":\"string\",\"description\":\"In the sandbox; file_path "   \
    "is "                                                                                          \
    "taken too\"}}"

static const struct tool {
    const char *name, *description, *schema; /* the schema's members after its type */
    enum tool_outcome (*run)(struct call *call);
} tools[] = {
    {"read_file", "Reads a file of the sandbox", PATH_SCHEMA, run_read_file},
    {"write_file", "Writes a file of the sandbox",
     "\"properties\":{\"path\":{\"type\":\"string\"},\"content\":{\"type\":\"string\"}},"
     "\"required\":[\"content\"]",
     run_write_file},
    {"list_directory", "Lists a directory of the sandbox", PATH_SCHEMA, run_list_directory},
    {"git_status", "git status of the sandbox", "\"properties\":{}", run_git_status},
    {"git_log", "git log of the sandbox",
     "\"properties\":{\"max_count\":{\"type\":\"integer\",\"default\":10}}", run_git_log},
    {"fetch", "Fetches a page of this server",
     "\"properties\":{\"url\":{\"type\":\"string\"}},\"required\":[\"url\"]", run_fetch},
    {"echo", "Says a message again",
     "\"properties\":{\"message\":{\"type\":\"string\"}},\"required\":[\"message\"]", run_echo},
    {"wait", "Waits, and tells of each step",
     "\"properties\":{\"steps\":{\"type\":\"integer\",\"default\":1},\"step_ms\":{\"type\":"
     "\"integer\",\"default\":10}}",
     run_wait},
};

enum { TOOLS = sizeof tools / sizeof tools[0] };

_Static_assert((int)TOOLS <= (int)TOOLS_MOST, "calls are counted for so many");

static const struct tool *find(struct span name)
{
    for (size_t i = 0; i < TOOLS; i++) {
        if (span_equal(name, span_of(tools[i].name)))
            return &tools[i];
    }
    return NULL;
}

bool tool_exists(struct span name)
{
    return find(name) != NULL;
}

static bool is_wait(const struct tool *tool)
{
    return tool && tool->run == run_wait;
}

uint64_t tool_steps(struct span name, struct span arguments)
{
    return is_wait(find(name)) ? number(arguments, "steps", 1, WAIT_STEPS_MOST) : 2;
}

nsec_t tool_cost(const struct testbed *testbed, struct span name, struct span arguments)
{
    nsec_t cost_ns = NSEC_PER_MSEC, least_ns = testbed->options.platform.tool_ns;
    if (is_wait(find(name)))
        cost_ns =
            (nsec_t)(tool_steps(name, arguments) * number(arguments, "step_ms", 10, WAIT_MS_MOST)) *
            NSEC_PER_MSEC;
    return cost_ns > least_ns ? cost_ns : least_ns;
}

enum tool_outcome tool_run(struct toolbox *toolbox, struct job *job, struct span name,
                           struct span arguments, struct text *said)
{
    struct call call = {.toolbox = toolbox, .job = job, .arguments = arguments, .said = said};
    const struct tool *tool = find(name);
    if (!tool) {
        text_puts(said, "Unknown tool: ");
        text_put(said, name);
        return TOOL_UNKNOWN;
    }
    if (!is_wait(tool))
        job_step(job);
    nsec_t begun_ns = clock_monotonic_ns();
    enum tool_outcome outcome = tool->run(&call);
    if (!job->virtual_time)
        sleep_for(toolbox->least_ns - (clock_monotonic_ns() - begun_ns));
    if (!is_wait(tool))
        job_step(job);
    atomic_fetch_add(&toolbox->calls[tool - tools][outcome], 1);
    return outcome;
}

void tools_list(struct text *out)
{
    text_putc(out, '[');
    for (size_t i = 0; i < TOOLS; i++)
        text_printf(
            out,
            "%s{\"name\":\"%s\",\"description\":\"%s\",\"inputSchema\":{\"type\":\"object\","
            "%s}}",
            i ? "," : "", tools[i].name, tools[i].description, tools[i].schema);
    text_putc(out, ']');
}

/* ---- what they have in common -----------------------------------------------------------------
 */

static uint16_t port_of(const struct net_address *address)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)&address->storage;
    bool any_or_loopback =
        four->sin_family == AF_INET && (four->sin_addr.s_addr == htonl(INADDR_LOOPBACK) ||
                                        four->sin_addr.s_addr == htonl(INADDR_ANY));
    return any_or_loopback ? ntohs(four->sin_port) : 0;
}

struct toolbox *toolbox_new(const struct testbed *testbed)
{
    struct toolbox *toolbox = memory_new(1, sizeof *toolbox);
    struct net_address address;
    toolbox->sandbox = sandbox_new(testbed->options.platform.sandbox_in);
    toolbox->least_ns = testbed->options.platform.tool_ns;
    toolbox->token = memory_copy_text(testbed->options.listen.token);
    for (uint64_t i = 0; testbed_door(testbed, i, &address); i++) {
        uint16_t port = port_of(&address);
        if (port)
            toolbox->ports[toolbox->port_count++] = port;
    }
    return toolbox;
}

struct toolbox *toolbox_free(struct toolbox *toolbox)
{
    if (!toolbox)
        return NULL;
    sandbox_free(toolbox->sandbox);
    free(toolbox->token);
    free(toolbox);
    return NULL;
}

bool tools_have_room(struct testbed *testbed)
{
    const struct platform_options *platform = &testbed->options.platform;
    struct pool_counts counts;
    pool_counts(testbed->tools, &counts);
    uint64_t inside = counts.running + counts.waiting;
    return inside < platform->tool_limit || inside - platform->tool_limit < platform->tool_queue;
}

void tools_write(struct testbed *testbed, struct text *out)
{
    static const char *const outcomes[] = {"done", "failed", "refused"};
    struct pool_counts counts;
    pool_counts(testbed->tools, &counts);
    text_printf(out,
                "# HELP testbed_tools_limit Tools executed at once, at most.\n"
                "# TYPE testbed_tools_limit gauge\ntestbed_tools_limit %u\n"
                "# HELP testbed_tools_running Tools being executed.\n"
                "# TYPE testbed_tools_running gauge\ntestbed_tools_running %llu\n"
                "# HELP testbed_tools_running_most The most of them at once so far.\n"
                "# TYPE testbed_tools_running_most gauge\ntestbed_tools_running_most %llu\n"
                "# HELP testbed_tools_waiting Calls that wait for their turn.\n"
                "# TYPE testbed_tools_waiting gauge\ntestbed_tools_waiting %llu\n"
                "# HELP testbed_tool_calls_total Calls executed, by what came of them.\n"
                "# TYPE testbed_tool_calls_total counter\n",
                counts.threads, (unsigned long long)counts.running,
                (unsigned long long)counts.most_running, (unsigned long long)counts.waiting);
    for (size_t i = 0; i < TOOLS; i++) {
        for (size_t k = 0; k < 3; k++)
            text_printf(out, "testbed_tool_calls_total{tool=\"%s\",outcome=\"%s\"} %llu\n",
                        tools[i].name, outcomes[k],
                        (unsigned long long)atomic_load(&testbed->toolbox->calls[i][k]));
    }
}

/* ---- REST -------------------------------------------------------------------------------------
 */

static void put_outcome(struct task *task, enum tool_outcome outcome, nsec_t spent_ns)
{
    struct text *reply = &task->reply;
    text_puts(reply, outcome == TOOL_DONE ? "{\"success\":true,\"tool\":"
                                          : "{\"success\":false,\"tool\":");
    reply_json_string(reply, text_span(&task->words));
    text_puts(reply, outcome == TOOL_DONE ? ",\"result\":" : ",\"error\":");
    reply_json_string(reply, text_span(&task->more));
    text_printf(reply, ",\"execution_time_ms\":%.3f}\n", (double)spent_ns / 1e6);
    if (outcome == TOOL_REFUSED)
        task->status = 403;
    else if (outcome == TOOL_UNKNOWN)
        task->status = 404;
}

static void work(struct task *task)
{
    struct span arguments = span_of(NULL);
    nsec_t begun_ns = clock_monotonic_ns();
    value_member(span_trim(text_span(&task->body)), "args", &arguments);
    enum tool_outcome outcome = tool_run(task->testbed->toolbox, &task->job,
                                         text_span(&task->words), arguments, &task->more);
    put_outcome(task, outcome, clock_monotonic_ns() - begun_ns);
}

void tools_serve(struct connection *connection, const struct request *request)
{
    struct testbed *testbed = connection->testbed;
    struct span body = span_trim(request->body), value = span_of(NULL), arguments = value;
    if (!value_is_valid(body) || !value_member(body, "tool", &value) || !value_is_text(value)) {
        reply_error(connection, 400, "the body must be {\"tool\": a name, \"args\": {...}}");
        return;
    }
    if (!tools_have_room(testbed)) {
        reply_error(connection, 429, "too many tools are waiting to be executed");
        return;
    }
    struct task *task = task_new(connection, request, work);
    value_text(value, &task->words);
    value_member(body, "args", &arguments);
    task_submit(task, testbed->tools, tool_cost(testbed, text_span(&task->words), arguments));
}

void tools_serve_list(struct connection *connection, const struct request *request)
{
    struct text body = TEXT_EMPTY;
    (void)request;
    text_printf(&body, "{\"limit\":%llu,\"tools\":",
                (unsigned long long)connection->testbed->options.platform.tool_limit);
    tools_list(&body);
    text_puts(&body, "}\n");
    reply_send(connection, 200, TYPE_JSON, text_span(&body));
    text_fini(&body);
}
