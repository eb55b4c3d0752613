/* testbed/tools.h - what an agent may do: files and git in a sandbox, a page of this server, and
 * waiting. All of it is done for real, on the threads of testbed->tools, of which there are as many
 * as tools may be executed at once.
 *
 * A path outside the sandbox and a page of another server are refused (TOOL_REFUSED): that is the
 * sandbox at work. Two dialects lead here: MCP (mcp.h), and plain REST:
 *
 *   POST /tools/execute {"tool": "read_file", "args": {"file_path": "README.md"}}
 *     200 {"success":true,"tool":...,"result":"..."}       and the time it took
 *     200 {"success":false,...,"error":"..."}              it failed, or its arguments are wrong
 *     403 the same                                         refused by the sandbox
 *     404 the same                                         no such tool
 *     429 as an error                                      --tool-queue are waiting already
 *   GET /tools: the list. */
#ifndef TESTBED_TOOLS_H
#define TESTBED_TOOLS_H

#include "testbed/connection.h"
#include "testbed/pool.h"
#include "testbed/sandbox.h"

enum tool_outcome { TOOL_DONE, TOOL_FAILED, TOOL_REFUSED, TOOL_UNKNOWN, TOOL_OUTCOMES };

enum { TOOL_BYTES_MOST = 1 << 20, TOOLS_MOST = 16 };

/* What tools have in common; made once, read by their threads. */
struct toolbox {
    struct sandbox *sandbox;
    nsec_t least_ns;
    uint16_t ports[1 + DOORS_MORE]; /* of this server on 127.0.0.1: what fetch may ask */
    uint64_t port_count;
    char *token; /* what it wants to be shown, or NULL */
    _Atomic uint64_t calls[TOOLS_MOST][TOOL_OUTCOMES];
};

/* Reads what it needs of a testbed that listens. Owner: caller. */
struct toolbox *toolbox_new(const struct testbed *testbed);
/* Frees it; NULL is fine; returns NULL. */
struct toolbox *toolbox_free(struct toolbox *toolbox);

/* Whether there is a tool of this name. */
bool tool_exists(struct span name);
/* How many steps a call will tell of: 2 (begun, done), or those of the tool "wait". */
uint64_t tool_steps(struct span name, struct span arguments);
/* Executes a tool on this thread. What it has to say, result or error, is appended. */
enum tool_outcome tool_run(struct toolbox *toolbox, struct job *job, struct span name,
                           struct span arguments, struct text *said);
/* What the tool takes in virtual time. */
nsec_t tool_cost(const struct testbed *testbed, struct span name, struct span arguments);
/* Appends the list for tools/list: [{"name":...,"description":...,"inputSchema":...}]. */
void tools_list(struct text *out);
/* Whether one more call is taken (tool_limit and tool_queue). */
bool tools_have_room(struct testbed *testbed);
/* Writes their metrics. */
void tools_write(struct testbed *testbed, struct text *out);

/* POST /tools/execute. */
void tools_serve(struct connection *connection, const struct request *request);
/* GET /tools. */
void tools_serve_list(struct connection *connection, const struct request *request);

#endif
