/* testbed/mcp.h - a server of the Model Context Protocol over streamable HTTP, at /mcp.
 *
 * POST takes one JSON-RPC message: initialize opens a session, whose id goes out in Mcp-Session-Id
 * and must come back in every other request; notifications get 202; ping, tools/list and tools/call
 * are answered by an event stream (or plain JSON with --mcp-json and no progress token). With a
 * progress token, notifications/progress come in the stream before the reply. From version
 * 2025-11-25 on a stream begins with an event of an id and no data.
 *
 * GET opens a stream on which this server has nothing to say; with Last-Event-ID it goes on with a
 * stream that was cut, be its call over or not. --mcp-cut-every N cuts every N-th streamed call
 * after its first event. A call goes on when its client has gone: its reply can be had the same
 * way. DELETE ends the session and its streams.
 *
 * Failures are of three kinds, as with real servers: an HTTP status (no session 400, an unknown one
 * 404, Accept 406, a version 400, not JSON 400), a JSON-RPC error with 200 (unknown method, unknown
 * tool, too many calls waiting), and a result with isError (a tool that failed, wrong arguments, a
 * path outside the sandbox).
 *
 *   Source   modelcontextprotocol.io, specification 2025-06-18 and 2025-11-25, "Transports". */
#ifndef TESTBED_MCP_H
#define TESTBED_MCP_H

#include "testbed/connection.h"

/* POST, GET and DELETE of /mcp. */
void mcp_serve(struct connection *connection, const struct request *request);
/* A connection that listens has ended. */
void mcp_listener_gone(struct connection *connection);
/* All sessions end, with the testbed; their connections must have ended. */
void mcp_end(struct testbed *testbed);
/* Writes the metrics of sessions. */
void mcp_write(struct testbed *testbed, struct text *out);

#endif
