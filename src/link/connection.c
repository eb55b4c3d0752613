/* A standing connection: sending one request at a time, reading its reply, being kept or closed.
 *
 * Timeouts cost nothing while all goes well: the timer stands at some instant not after the one
 * that matters, and when it fires early it looks and moves itself. */
#include "link/connection.h"

#include "base/check.h"
#include "link/events.h"

#include <errno.h>
#include <stdlib.h>

/* ---- time -------------------------------------------------------------------------------------
 */

void connection_set_due(struct connection *connection, nsec_t due_ns)
{
    connection->due_ns = due_ns;
    if (due_ns == NSEC_NEVER)
        return;
    if (!timer_running(&connection->timer) || connection->timer.due_ns > due_ns)
        timer_start(connection->pool->link->loop, &connection->timer, due_ns);
}

/* Detaches and closes; the exchange then gets its error. */
static void break_off(struct connection *connection, enum exchange_error error, const char *words,
                      nsec_t at_ns)
{
    struct exchange *exchange = connection->exchange;
    connection->exchange = NULL;
    connection_close(connection, true);
    if (exchange)
        exchange_fail(exchange, error, words, at_ns);
}

void connection_due(struct timer *timer, nsec_t now_ns)
{
    struct connection *connection = list_entry(timer, struct connection, timer);
    if (connection->state == CONNECTION_IDLE || connection->due_ns == NSEC_NEVER)
        return;
    if (connection->due_ns > now_ns) {
        timer_start(connection->pool->link->loop, timer, connection->due_ns);
        return;
    }
    bool total = connection->exchange->deadline_ns <= now_ns;
    if (connection->state != CONNECTION_BUSY && !total)
        break_off(connection, EXCHANGE_CONNECT_TIMEOUT, "no connection within the connect timeout",
                  now_ns);
    else if (connection->state != CONNECTION_BUSY)
        break_off(connection, EXCHANGE_CONNECT_TIMEOUT, "no connection within the timeout", now_ns);
    else if (total)
        break_off(connection, EXCHANGE_TIMEOUT, "no complete answer within the timeout", now_ns);
    else
        break_off(connection, EXCHANGE_TIMEOUT, "no first byte within the first-byte timeout",
                  now_ns);
}

/* ---- the end ----------------------------------------------------------------------------------
 */

void connection_close(struct connection *connection, bool reset)
{
    struct pool *pool = connection->pool;
    check(connection->exchange == NULL);
    if (connection->state == CONNECTION_IDLE && pool->options.kind != POOL_KIND_SHARED)
        pool->resting--;
    if (connection->dial) {
        if (connection->state == CONNECTION_RESOLVING)
            resolver_cancel(&connection->dial->query);
        free(connection->dial);
        connection->dial = NULL;
        pool->dialing--;
    }
    if (connection->tls) {
        if (!reset)
            tls_shutdown(connection->tls);
        connection->tls = tls_free(connection->tls);
    }
    stream_close(&connection->stream, reset);
    timer_stop(pool->link->loop, &connection->timer);
    list_remove(&connection->node);
    list_remove(&connection->again);
    if (pool->options.kind == POOL_KIND_PER_USER && connection->home &&
        *connection->home == connection)
        *connection->home = NULL;
    list_prepend(&pool->link->spare, &connection->node);
    pool->open--;
    if (!list_empty(&pool->queue) && !timer_running(&pool->dial_timer))
        timer_start(pool->link->loop, &pool->dial_timer, 0); /* somebody waits for its place */
}

bool connection_usable(struct connection *connection, nsec_t now_ns)
{
    const struct pool_options *options = &connection->pool->options;
    if (connection->ended)
        return false;
    if (options->max_requests && connection->requests >= options->max_requests)
        return false;
    if (options->max_age_ns && now_ns - connection->opened_ns >= options->max_age_ns)
        return false;
    /* An end that the loop has already seen is in `ended`; one that came since the last turn can
     * only matter after some idle time, and looking costs a system call. */
    if (now_ns - connection->used_ns < LINK_STALE_CHECK_US * NSEC_PER_USEC)
        return true;
    if (connection->tls) /* what lies there unread may be a session ticket */
        return !tls_is_stale(connection->tls);
    return !stream_is_stale(&connection->stream);
}

/* ---- sending ----------------------------------------------------------------------------------
 */

static ssize_t write_some(struct connection *connection, const char *from, size_t bytes)
{
    return connection->tls ? tls_write(connection->tls, from, bytes)
                           : stream_write(&connection->stream, from, bytes);
}

static void sent_all(struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    exchange->times.sent_all_ns = loop_now(connection->pool->link->loop);
    nsec_t first_ns = connection->pool->options.first_byte_timeout_ns;
    nsec_t due_ns = exchange->deadline_ns;
    if (first_ns && exchange->times.sent_all_ns + first_ns < due_ns && !exchange->times.first_ns)
        due_ns = exchange->times.sent_all_ns + first_ns;
    connection_set_due(connection, due_ns);
}

/* Reads this connection in the next turn, whatever the loop says. */
static void read_later(struct connection *connection)
{
    struct link *link = connection->pool->link;
    list_remove(&connection->again);
    list_append(&link->again, &connection->again);
    if (!timer_running(&link->again_timer))
        timer_start(link->loop, &link->again_timer, 0);
}

static void replace(struct connection *connection, nsec_t now_ns);

static void send_failed(struct connection *connection, int error)
{
    nsec_t now_ns = loop_now(connection->pool->link->loop);
    if (connection->requests > 1 && connection->exchange->stale == 0 &&
        !connection->exchange->times.first_ns)
        replace(connection, now_ns);
    else
        break_off(connection, exchange_error_of(error, false), "the connection broke while sending",
                  now_ns);
}

static void send_rest(struct connection *connection)
{
    struct text *unsent = &connection->unsent;
    while (connection->unsent_at < unsent->bytes) {
        ssize_t written = write_some(connection, unsent->at + connection->unsent_at,
                                     unsent->bytes - connection->unsent_at);
        if (written == -EAGAIN)
            return;
        if (written < 0) {
            send_failed(connection, (int)written);
            return;
        }
        connection->exchange->bytes_out += (uint64_t)written;
        connection->unsent_at += (size_t)written;
    }
    text_clear(unsent);
    connection->unsent_at = 0;
    sent_all(connection);
}

static const struct http1_events reply_events;

void connection_send(struct connection *connection, struct exchange *exchange)
{
    struct pool *pool = connection->pool;
    struct link *link = pool->link;
    struct exchange_request request = {0};
    if (connection->state == CONNECTION_IDLE && pool->options.kind != POOL_KIND_SHARED)
        pool->resting--;
    connection->state = CONNECTION_BUSY;
    connection->exchange = exchange;
    connection->home = exchange->home;
    connection->requests++;
    exchange->connection = connection;
    list_remove(&connection->node);
    exchange->handler->compose(exchange, &request);
    if (request.stamped)
        stream_stamp(&connection->stream);
    http1_reader_expect(&connection->reader, &reply_events, connection, request.head_only,
                        request.wants_head);
    text_clear(&link->out);
    http1_write_request(
        &(struct http1_request){
            .method = request.method,
            .path = request.path,
            .host = span_of(pool->options.host_line),
            .headers = request.headers,
            .body = request.body,
            .has_body = request.has_body,
        },
        &link->out);
    if (!exchange->times.sent_ns)
        exchange->times.sent_ns = loop_now(link->loop);
    ssize_t written = write_some(connection, link->out.at, link->out.bytes);
    if (written < 0 && written != -EAGAIN) {
        /* Not from within the caller's call: the read side will see the same end in the next turn.
         */
        connection->ended = true;
        connection_set_due(connection, exchange->deadline_ns);
        read_later(connection);
        return;
    }
    size_t taken = written > 0 ? (size_t)written : 0;
    exchange->bytes_out += taken;
    if (taken == link->out.bytes) {
        sent_all(connection);
        return;
    }
    connection_set_due(connection, exchange->deadline_ns);
    text_put(&connection->unsent,
             (struct span){.at = link->out.at + taken, .bytes = link->out.bytes - taken});
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static void on_head(void *self, int status, struct span head)
{
    struct connection *connection = self;
    connection->exchange->handler->head(connection->exchange, status, head);
}

static void on_body(void *self, struct span bytes)
{
    struct connection *connection = self;
    struct exchange *exchange = connection->exchange;
    exchange->body_bytes += bytes.bytes;
    exchange->handler->data(exchange, bytes, connection->used_ns);
}

static void on_end(void *self)
{
    (void)self; /* handled when the feeding returns, so that the reader is at rest */
}

static const struct http1_events reply_events = {.head = on_head, .body = on_body, .end = on_end};

/* The reply is complete: the connection is kept or closed first, so that whoever hears of the end
 * may use it at once. */
static void finish(struct connection *connection, bool clean, nsec_t rx_ns)
{
    struct exchange *exchange = connection->exchange;
    struct pool *pool = connection->pool;
    bool keep = clean && !connection->ended && http1_reader_keeps(&connection->reader) &&
                connection->unsent.bytes == 0 && pool->options.kind != POOL_KIND_NEW &&
                !(pool->options.max_requests && connection->requests >= pool->options.max_requests);
    connection->exchange = NULL;
    connection->used_ns = rx_ns;
    connection->due_ns = NSEC_NEVER;
    if (keep) {
        connection->state = CONNECTION_IDLE;
        if (pool->options.kind == POOL_KIND_SHARED)
            list_prepend(&pool->idle, &connection->node);
        else
            pool->resting++; /* in its user's hands: a list would touch other users' memory */
    } else {
        connection_close(connection, false);
    }
    exchange->running = false;
    exchange->connection = NULL;
    if (keep && pool->waiting)
        pool_pump(pool, rx_ns);
    exchange->handler->end(exchange, rx_ns);
}

/* A kept connection died with no byte received: the request goes out once more on a fresh one. */
static void replace(struct connection *connection, nsec_t now_ns)
{
    struct exchange *exchange = connection->exchange;
    struct pool *pool = connection->pool;
    connection->exchange = NULL;
    connection_close(connection, true);
    exchange->stale++;
    exchange->times.dns_ns = exchange->times.connect_ns = exchange->times.tls_ns = 0;
    connection_dial(pool, exchange, now_ns);
}

static void reply_ended(struct connection *connection, int error, nsec_t now_ns)
{
    struct exchange *exchange = connection->exchange;
    connection->ended = true;
    if (!exchange)
        return;
    bool started = http1_reader_started(&connection->reader);
    if (!started && connection->requests > 1 && exchange->stale == 0) {
        replace(connection, now_ns);
        return;
    }
    bool cut = connection->tls && tls_truncated(connection->tls); /* RFC 9112, 9.8 */
    if (error == 0 && started && !cut && http1_reader_finish(&connection->reader) == HTTP1_DONE) {
        finish(connection, true, now_ns);
        return;
    }
    break_off(connection, EXCHANGE_RESET,
              error     ? "the connection was reset"
              : started ? "the connection was closed in the middle of the answer"
                        : "the connection was closed without an answer",
              now_ns);
}

static void idle_readable(struct connection *connection)
{
    /* The other side closed, or sent what nobody asked for: of no use any more. */
    connection->ended = true;
    if (connection->state == CONNECTION_IDLE)
        connection_close(connection, false);
}

/* The reply begins. By the kernel's clock that can be before this thread, held up on its way back
 * from the write, took the time at which all was sent; it was sent by then. */
static nsec_t first_of(struct exchange_times *times, nsec_t rx_ns)
{
    if (rx_ns < times->sent_ns)
        rx_ns = times->sent_ns;
    if (rx_ns < times->sent_all_ns)
        times->sent_all_ns = rx_ns;
    return rx_ns;
}

/* Feeds one read's bytes. Returns whether reading may go on. */
static bool feed(struct connection *connection, size_t bytes, nsec_t rx_ns)
{
    struct exchange *exchange = connection->exchange;
    size_t used = 0;
    if (!exchange->times.first_ns) {
        rx_ns = first_of(&exchange->times, rx_ns);
        exchange->times.first_ns = rx_ns;
        if (connection->due_ns != exchange->deadline_ns)
            connection_set_due(connection, exchange->deadline_ns);
    }
    exchange->bytes_in += bytes;
    connection->used_ns = rx_ns;
    struct span span = {.at = connection->pool->link->in, .bytes = bytes};
    int outcome = http1_reader_feed(&connection->reader, span, &used);
    if (connection->exchange != exchange)
        return false; /* cancelled from within an event */
    if (outcome == HTTP1_DONE) {
        finish(connection, used == bytes, rx_ns);
        return false;
    }
    if (outcome < 0) {
        char words[160];
        snprintf(words, sizeof words, "not HTTP/1.1: %s", http1_reader_why(&connection->reader));
        break_off(connection, outcome == -EMSGSIZE ? EXCHANGE_TOO_LARGE : EXCHANGE_PROTOCOL, words,
                  rx_ns);
        return false;
    }
    uint64_t most = connection->pool->options.max_response_bytes;
    if (most && exchange->body_bytes > most) {
        break_off(connection, EXCHANGE_TOO_LARGE, "the answer is longer than max_response_bytes",
                  rx_ns);
        return false;
    }
    return true;
}

/* Reads until nothing is there, the reply is complete, or the budget is spent. */
static void receive(struct connection *connection)
{
    struct link *link = connection->pool->link;
    for (int reads = 0; reads < LINK_READ_BUDGET; reads++) {
        nsec_t rx_ns = 0;
        enum rx_source source;
        if (!connection->exchange) {
            idle_readable(connection);
            return;
        }
        ssize_t bytes =
            connection->tls
                ? tls_read(connection->tls, link->in, LINK_READ_BYTES, &rx_ns, &source)
                : stream_read(&connection->stream, link->in, LINK_READ_BYTES, &rx_ns, &source);
        if (bytes == -EAGAIN)
            return;
        if (bytes <= 0) {
            reply_ended(connection, (int)bytes, loop_now(link->loop));
            return;
        }
        if (!feed(connection, (size_t)bytes, rx_ns))
            return;
        if (!connection->tls && !connection->ended && bytes < LINK_READ_BYTES)
            return; /* drained; see net/stream.c */
    }
    read_later(connection);
}

void connection_go_on(struct connection *connection)
{
    receive(connection);
}

void connection_ready(struct stream *stream, unsigned what)
{
    struct connection *connection = list_entry(stream, struct connection, stream);
    if (what & STREAM_CLOSED)
        connection->ended = true;
    if (connection->dial) {
        dial_ready(connection, what);
        return;
    }
    if (connection->state == CONNECTION_IDLE) {
        /* Over TLS what comes may be a session ticket, which is no reason to part. */
        if (connection->ended || (what & STREAM_READABLE && !connection->tls))
            idle_readable(connection);
        return;
    }
    struct exchange *exchange = connection->exchange;
    if (connection->unsent.bytes && (what & STREAM_WRITABLE || connection->tls))
        send_rest(connection);
    if (connection->exchange != exchange || connection->dial)
        return;
    if (what & (STREAM_READABLE | STREAM_CLOSED))
        receive(connection);
}
