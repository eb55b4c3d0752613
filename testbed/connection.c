/* Bytes in and out of one connection; see connection.h. */
#include "testbed/connection.h"

#include "base/memory.h"
#include "testbed/mcp.h"
#include "testbed/paths.h"
#include "testbed/replica.h"
#include "testbed/reply.h"
#include "testbed/task.h"
#include "testbed/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNSENT_MOST_BYTES = 65536, /* above this no further pipelined request is read */
    ROUNDS_MOST = 64,          /* reads before other connections have their turn */
};

/* ---- closing ----------------------------------------------------------------------------------
 */

static void tell_served(struct connection *connection, nsec_t written_ns)
{
    struct testbed *testbed = connection->testbed;
    connection->has_entry = false;
    connection->entry.written_ns = written_ns;
    if (testbed->options.served)
        testbed->options.served(testbed->options.self, &connection->entry);
}

void connection_end(struct connection *connection, bool reset)
{
    struct testbed *testbed = connection->testbed;
    if (connection->closed)
        return;
    connection->closed = true;
    stream_close(&connection->stream, reset);
    timer_stop(testbed->loop, &connection->hold);
    testbed->open--;
    if (connection->has_entry)
        tell_served(connection, 0);
    if (connection->sequenced)
        work_abandon(connection);
    task_drop(connection);
    if (connection->listening)
        mcp_listener_gone(connection);
    work_gone(connection);
    if (connection->working) {
        work_outlive(connection);
        return;
    }
    timer_stop(testbed->loop, &connection->timer);
    list_remove(&connection->node);
    list_append(&testbed->dead, &connection->node);
}

static void bury(struct testbed *testbed, struct connection *connection)
{
    if (testbed->spare_count < SPARE_CONNECTIONS_MOST && connection->out.room <= OUT_KEPT_BYTES &&
        connection->in.room <= OUT_KEPT_BYTES) {
        list_prepend(&testbed->spare, &connection->node);
        testbed->spare_count++;
        return;
    }
    text_fini(&connection->in);
    text_fini(&connection->out);
    free(connection);
}

void testbed_bury(struct testbed *testbed)
{
    while (!list_empty(&testbed->dead)) {
        struct list *first = list_take(&testbed->dead);
        bury(testbed, list_entry(first, struct connection, node));
    }
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static void all_written(struct connection *connection)
{
    connection->sent = 0;
    connection->slow = false;
    if (connection->out.room > OUT_KEPT_BYTES)
        text_fini(&connection->out);
    else
        text_clear(&connection->out);
    if (connection->has_entry)
        tell_served(connection, loop_now(connection->testbed->loop));
    if (connection->last && !connection->lingering && !connection->serving)
        connection_end(connection, connection->reset_last);
}

void connection_flush(struct connection *connection)
{
    const struct fault_options *fault = &connection->testbed->options.fault;
    while (!connection->closed && !connection->held && connection->sent < connection->out.bytes) {
        size_t bytes = connection->out.bytes - connection->sent;
        if (connection->slow && bytes > fault->slow_bytes)
            bytes = fault->slow_bytes;
        ssize_t written =
            stream_write(&connection->stream, connection->out.at + connection->sent, bytes);
        if (written == -EAGAIN || written == -EINTR)
            break;
        if (written < 0) {
            connection_end(connection, false);
            return;
        }
        connection->sent += (size_t)written;
        connection->testbed->sent_bytes += (uint64_t)written;
        if (connection->slow && connection->sent < connection->out.bytes)
            connection_hold(connection, fault->slow_gap_ns);
    }
    if (connection->closed || connection->held)
        return;
    if (connection->sent == connection->out.bytes)
        all_written(connection);
    else if (connection->out.bytes - connection->sent > OUT_MOST_BYTES)
        connection_end(connection, true);
}

static void on_hold(struct timer *timer, nsec_t now_ns)
{
    struct connection *connection = list_entry(timer, struct connection, hold);
    struct testbed *testbed = connection->testbed;
    (void)now_ns;
    if (connection->lingering && !connection->held)
        connection_end(connection, false);
    connection->held = false;
    connection_advance(connection);
    testbed_bury(testbed);
}

void connection_hold(struct connection *connection, nsec_t for_ns)
{
    struct loop *loop = connection->testbed->loop;
    connection->held = true;
    timer_start(loop, &connection->hold, loop_now(loop) + for_ns);
}

void connection_spoil(struct connection *connection)
{
    struct text *out = &connection->out;
    size_t body_bytes = out->bytes - connection->body_at;
    switch (connection->fault) {
    case FAULT_RESET:
        connection->last = connection->reset_last = true;
        out->bytes = connection->reply_at + (out->bytes - connection->reply_at) / 2;
        break;
    case FAULT_TRUNCATE:
        connection->last = true;
        if (body_bytes)
            out->bytes = connection->body_at + body_bytes / 2;
        else
            out->bytes = connection->reply_at + (out->bytes - connection->reply_at) / 2;
        break;
    case FAULT_MALFORMED:
        connection->last = true;
        out->bytes = connection->reply_at;
        text_puts(out, "\x16\x03HTTQ/one 2OO fine\r\nContent-Length: some\r\n\r\n?");
        break;
    case FAULT_STALL:
        connection_hold(connection, connection->testbed->options.fault.stall_ns);
        break;
    case FAULT_NONE:
    case FAULT_ERROR:
    case FAULT_SLOW:
        break;
    }
}

void connection_replied(struct connection *connection, bool streamed)
{
    struct testbed *testbed = connection->testbed;
    metrics_reply(testbed->metrics, connection->path, connection->status);
    testbed->replies++;
    if (!streamed)
        connection_spoil(connection);
    connection->serving = false;
    uint64_t close_after = testbed->options.fault.close_after;
    if (!connection->keep_alive || (close_after && connection->requests >= close_after))
        connection->last = true;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static bool may_read(const struct connection *connection)
{
    return !connection->closed && !connection->serving && !connection->held && !connection->slow &&
           !connection->last && !connection->has_entry &&
           connection->out.bytes - connection->sent < UNSENT_MOST_BYTES;
}

/* Answers what cannot be read as a request. What the client is still sending is thrown away for a
 * second, since closing at once would reset the connection and destroy the answer. */
static void refuse(struct connection *connection, int status)
{
    struct testbed *testbed = connection->testbed;
    testbed->requests++;
    connection->path = PATH_OTHER;
    connection->keep_alive = connection->head_only = connection->minor_zero = false;
    connection->fault = FAULT_NONE;
    connection->lingering = true;
    reply_error(connection, status, "the request could not be read");
    timer_start(testbed->loop, &connection->hold, loop_now(testbed->loop) + NSEC_PER_SEC);
}

static void serve(struct connection *connection, const struct request *request)
{
    struct testbed *testbed = connection->testbed;
    testbed->requests++;
    connection->requests++;
    connection->serving = true;
    connection->keep_alive = request->keep_alive;
    connection->minor_zero = request->minor == 0;
    connection->head_only = span_equal(request->method, SPAN("HEAD"));
    connection->reply_at = connection->out.bytes;
    connection->fault = FAULT_NONE;
    paths_serve(connection, request);
}

/* Serves the requests at the beginning of bytes, as long as they are answered at once. Returns
 * the bytes used up. */
static size_t read_requests(struct connection *connection, char *bytes, size_t count)
{
    size_t used = 0;
    uint64_t limit = connection->testbed->options.listen.body_bytes;
    while (used < count && may_read(connection)) {
        struct request request;
        int status = 0;
        switch (reader_read(&connection->reader, bytes + used, count - used, limit, &request,
                            &status)) {
        case READER_DONE:
            used += request.bytes;
            serve(connection, &request);
            break;
        case READER_CONTINUE:
            text_puts(&connection->out, "HTTP/1.1 100 Continue\r\n\r\n");
            return used;
        case READER_MORE:
            return used;
        case READER_BAD:
            refuse(connection, status);
            return count;
        }
    }
    return used;
}

/* Takes used bytes off the front. */
static void drop(struct text *text, size_t used)
{
    text->bytes -= used;
    memmove(text->at, text->at + used, text->bytes);
    if (text->bytes == 0 && text->room > OUT_KEPT_BYTES)
        text_fini(text);
}

/* Reads once. Returns the bytes read, or 0 when there was nothing to be had. */
static size_t read_once(struct connection *connection, char *into)
{
    enum rx_source source;
    ssize_t bytes = stream_read(&connection->stream, into, READ_BYTES, &connection->rx_ns, &source);
    if (bytes == -EAGAIN) {
        connection->readable = false;
        return 0;
    }
    if (bytes == 0 && connection->sent < connection->out.bytes) {
        /* The client has ended its sending and may still be reading. */
        connection->readable = false;
        connection->last = true;
        return 0;
    }
    if (bytes <= 0) {
        connection_end(connection, false);
        return 0;
    }
    connection->testbed->received_bytes += (uint64_t)bytes;
    connection->readable = bytes == READ_BYTES || connection->finished;
    return (size_t)bytes;
}

/* Serves what waits in `in`, else what the socket has. Returns whether anything was done. */
static bool read_some(struct connection *connection)
{
    struct text *in = &connection->in;
    if (!may_read(connection))
        return false;
    if (in->bytes) {
        size_t used = read_requests(connection, in->at, in->bytes);
        drop(in, used);
        if (used)
            return true;
    }
    if (!connection->readable || !may_read(connection))
        return false;
    if (in->bytes) {
        text_reserve(in, in->bytes + READ_BYTES);
        size_t bytes = read_once(connection, in->at + in->bytes);
        in->bytes += bytes;
        if (bytes)
            drop(in, read_requests(connection, in->at, in->bytes));
        return bytes > 0;
    }
    char *buffer = connection->testbed->read_buffer;
    size_t bytes = read_once(connection, buffer);
    size_t used = bytes ? read_requests(connection, buffer, bytes) : 0;
    if (used < bytes && !connection->closed)
        text_put(in, (struct span){.at = buffer + used, .bytes = bytes - used});
    return bytes > 0;
}

static void throw_away(struct connection *connection)
{
    while (connection->readable && !connection->closed)
        read_once(connection, connection->testbed->read_buffer);
}

static void go_on(struct connection *connection, nsec_t now_ns)
{
    (void)connection; /* the timer itself goes on with what is there */
    (void)now_ns;
}

void connection_advance(struct connection *connection)
{
    bool again = true;
    for (int round = 0; again && !connection->closed; round++) {
        if (round == ROUNDS_MOST && !connection->serving) {
            connection_wait(connection, loop_now(connection->testbed->loop), go_on);
            return;
        }
        again = !connection->lingering && read_some(connection);
        connection_flush(connection);
    }
    if (connection->lingering && !connection->closed)
        throw_away(connection);
}

/* ---- events -----------------------------------------------------------------------------------
 */

static void on_ready(struct stream *stream, unsigned what)
{
    struct connection *connection = list_entry(stream, struct connection, stream);
    struct testbed *testbed = connection->testbed;
    if (what & (STREAM_READABLE | STREAM_CLOSED))
        connection->readable = true;
    if (what & STREAM_CLOSED) {
        connection->finished = true;
        if (connection->sequenced || connection->listening)
            connection_end(connection, false);
    }
    connection_advance(connection);
    testbed_bury(testbed);
}

void connection_go_on(struct connection *connection)
{
    struct testbed *testbed = connection->testbed;
    connection->rx_ns = loop_now(testbed->loop);
    connection_advance(connection);
    testbed_bury(testbed);
}

static void on_timer(struct timer *timer, nsec_t now_ns)
{
    struct connection *connection = list_entry(timer, struct connection, timer);
    struct testbed *testbed = connection->testbed;
    connection->due(connection, now_ns);
    connection->rx_ns = now_ns; /* a request that waited its turn arrives now */
    connection_advance(connection);
    testbed_bury(testbed);
}

void connection_wait(struct connection *connection, nsec_t due_ns,
                     void (*due)(struct connection *connection, nsec_t now_ns))
{
    connection->due = due;
    timer_start(connection->testbed->loop, &connection->timer, due_ns);
}

/* A closed connection with its buffers emptied, or a new one. */
static struct connection *take_spare(struct testbed *testbed)
{
    if (list_empty(&testbed->spare))
        return memory_new(1, sizeof(struct connection));
    struct list *first = list_take(&testbed->spare);
    struct connection *connection = list_entry(first, struct connection, node);
    struct text in = connection->in, out = connection->out;
    testbed->spare_count--;
    *connection = (struct connection){.in = in, .out = out};
    text_clear(&connection->in);
    text_clear(&connection->out);
    return connection;
}

int connection_accept(struct door *door)
{
    struct testbed *testbed = door->testbed;
    struct connection *connection = take_spare(testbed);
    int error = listener_accept(&door->listener, &connection->stream, on_ready);
    list_init(&connection->node);
    if (error) {
        bury(testbed, connection);
        return error;
    }
    connection->testbed = testbed;
    connection->roles = door->roles;
    connection->replica = replicas_next(testbed);
    list_init(&connection->work.node);
    list_init(&connection->sequence.node);
    list_init(&connection->mcp_node);
    list_init(&connection->gate_node);
    timer_init(&connection->timer, on_timer);
    timer_init(&connection->hold, on_hold);
    list_append(&testbed->connections, &connection->node);
    testbed->connections_count++;
    testbed->open++;
    if (testbed->open > testbed->options.listen.most_connections)
        connection_end(connection, true);
    return 0;
}
