/* Channels: starting children, sending lines, telling whose a line is, and every way it ends.
 *
 * Nothing is allocated for an exchange: the exchange itself is the list's node, and buffers keep
 * their room. A channel is freed only from its child's `gone` or its timer, never while its lines
 * are being read. */
#include "link/channel.h"

#include "base/check.h"
#include "base/memory.h"
#include "wire/json_rpc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_PATIENCE_MS = 100 }; /* for the exit status, when the output has ended */

static struct channel *channel_of(struct connection *connection)
{
    return list_entry(connection, struct channel, connection);
}

static struct exchange *oldest(const struct channel *channel)
{
    return list_empty(&channel->calls) ? NULL
                                       : list_entry(channel->calls.next, struct exchange, node);
}

/* ---- the ends of exchanges --------------------------------------------------------------------
 */

/* Takes an exchange off its channel. */
static void detach(struct channel *channel, struct exchange *exchange)
{
    list_remove(&exchange->node);
    exchange->connection = NULL;
    if (channel->alone == exchange)
        channel->alone = NULL;
}

static void fail(struct channel *channel, enum exchange_error error, const char *words,
                 nsec_t at_ns)
{
    struct exchange *exchange = oldest(channel);
    detach(channel, exchange);
    exchange_fail(exchange, error, words, at_ns);
}

static void send_line(struct channel *channel, struct exchange *exchange, nsec_t now_ns);

/* Set-up is over: who waited goes on, later due by what it waited for that. */
static void pump(struct channel *channel, nsec_t alone_ns, nsec_t now_ns)
{
    struct pool *pool = channel->connection.pool;
    while (!channel->alone && !channel->closing && !list_empty(&channel->queue)) {
        struct exchange *exchange = list_entry(channel->queue.next, struct exchange, node);
        nsec_t asked_ns = exchange->times.asked_ns;
        list_remove(&exchange->node);
        pool->waiting--;
        if (alone_ns)
            exchange->times.set_up_ns += now_ns - (asked_ns > alone_ns ? asked_ns : alone_ns);
        if (channel->last)
            channel_place(pool, exchange, now_ns);
        else
            send_line(channel, exchange, now_ns);
    }
}

static void finish(struct channel *channel, struct exchange *exchange, nsec_t rx_ns)
{
    nsec_t alone_ns = channel->alone == exchange ? exchange->times.sent_ns : 0;
    detach(channel, exchange);
    channel->connection.used_ns = rx_ns;
    exchange->running = false;
    if (channel->last && list_empty(&channel->calls))
        channel_close(&channel->connection);
    exchange->handler->end(exchange, rx_ns);
    if (alone_ns)
        pump(channel, alone_ns, rx_ns);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static struct exchange *find_call(const struct channel *channel, struct json_value id)
{
    uint64_t number = 0;
    if (json_rpc_number(id, &number))
        return NULL;
    for (struct list *node = channel->calls.next; node != &channel->calls; node = node->next) {
        struct exchange *exchange = list_entry(node, struct exchange, node);
        if (exchange->message_id == number)
            return exchange;
    }
    return NULL;
}

/* Whose a line is, and whether it ends the exchange. */
static struct exchange *owner_of(const struct channel *channel, struct span line, bool *ends)
{
    struct json_pull pull = json_pull_of(line), params;
    struct json_rpc message;
    struct span key;
    *ends = false;
    if (json_rpc_read(&pull, &message))
        return oldest(channel);
    if (message.method.kind == JSON_ABSENT) {
        *ends = true;
        if (message.id.kind == JSON_NULL || message.id.kind == JSON_ABSENT)
            return oldest(channel); /* an error to what could not be read */
        return find_call(channel, message.id);
    }
    if (!span_equal(message.method.raw, SPAN("notifications/progress")))
        return oldest(channel);
    params = json_pull_of(message.params.raw);
    if (json_pull_object(&params)) {
        while (json_pull_member(&params, &key)) {
            struct json_value value = json_pull_value(&params);
            if (span_equal(key, SPAN("progressToken")))
                return find_call(channel, value);
        }
    }
    return NULL;
}

static void take_line(struct channel *channel, struct span line, nsec_t rx_ns)
{
    bool ends = false;
    line = span_trim(line);
    if (!line.bytes || channel->closing)
        return;
    struct exchange *exchange = owner_of(channel, line, &ends);
    if (!exchange)
        return;
    if (!exchange->times.first_ns) {
        exchange->times.first_ns = channel->line_ns;
        if (exchange->times.first_ns < exchange->times.sent_all_ns)
            exchange->times.first_ns = exchange->times.sent_all_ns;
        exchange->handler->head(exchange, 0, (struct span){0});
    }
    exchange->bytes_in += line.bytes + 1;
    exchange->body_bytes += line.bytes;
    exchange->handler->data(exchange, line, rx_ns);
    if (ends)
        finish(channel, exchange, rx_ns);
}

static size_t most_line_bytes(const struct channel *channel)
{
    uint64_t most = channel->connection.pool->options.max_response_bytes;
    return most && most < CHANNEL_LINE_BYTES ? (size_t)most : CHANNEL_LINE_BYTES;
}

static void take_bytes(struct channel *channel, struct span bytes, nsec_t rx_ns)
{
    while (bytes.bytes) {
        const char *feed = memchr(bytes.at, '\n', bytes.bytes);
        size_t taken = feed ? (size_t)(feed - bytes.at) : bytes.bytes;
        struct span part = {.at = bytes.at, .bytes = taken};
        if (!channel->line.bytes)
            channel->line_ns = rx_ns;
        if (channel->line.bytes + taken > most_line_bytes(channel)) {
            channel->too_long = true;
            return;
        }
        if (!feed) {
            text_put(&channel->line, part);
            return;
        }
        if (channel->line.bytes) {
            text_put(&channel->line, part);
            take_line(channel, text_span(&channel->line), rx_ns);
            text_clear(&channel->line);
        } else {
            take_line(channel, part, rx_ns);
        }
        bytes.at += taken + 1;
        bytes.bytes -= taken + 1;
    }
}

/* Its output has ended, or is of no use any more. The exchanges under way fail when it is known how
 * the child ended, or soon after. */
static void broke(struct channel *channel, nsec_t now_ns)
{
    if (channel->ended_ns)
        return;
    channel->ended_ns = now_ns;
    if (!channel->closing)
        channel_close(&channel->connection);
    timer_start(channel->connection.pool->link->loop, &channel->connection.timer,
                now_ns + STATUS_PATIENCE_MS * NSEC_PER_MSEC);
}

/* Reads what is there. Returns whether more may be, its turn being over. */
static bool receive(struct channel *channel, bool all)
{
    struct link *link = channel->connection.pool->link;
    for (int reads = 0; (all || reads < LINK_READ_BUDGET) && !channel->ended_ns; reads++) {
        nsec_t rx_ns = 0;
        enum rx_source source;
        ssize_t bytes =
            stream_read(&channel->child.from, link->in, LINK_READ_BYTES, &rx_ns, &source);
        if (bytes == -EAGAIN)
            return false;
        if (bytes > 0)
            take_bytes(channel, (struct span){.at = link->in, .bytes = (size_t)bytes}, rx_ns);
        if (bytes <= 0 || channel->too_long)
            broke(channel, loop_now(link->loop));
    }
    return !channel->ended_ns;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

/* Writes what waits to be written. A child that does not read any more is seen by its output's end.
 */
static void write_on(struct channel *channel)
{
    struct connection *connection = &channel->connection;
    struct text *unsent = &connection->unsent;
    nsec_t now_ns = 0;
    while (connection->unsent_at < unsent->bytes && channel->child.to.fd >= 0) {
        ssize_t written = stream_write(&channel->child.to, unsent->at + connection->unsent_at,
                                       unsent->bytes - connection->unsent_at);
        if (written < 0)
            return;
        connection->unsent_at += (size_t)written;
    }
    text_clear(unsent);
    connection->unsent_at = 0;
    now_ns = loop_now(connection->pool->link->loop);
    for (struct list *node = channel->calls.next; node != &channel->calls; node = node->next) {
        struct exchange *exchange = list_entry(node, struct exchange, node);
        if (!exchange->times.sent_all_ns)
            exchange->times.sent_all_ns = now_ns;
    }
}

/* Tells the server that nobody waits any more for the answer to a call, so that it need not finish:
 * "to cancel, send a CancelledNotification" (MCP 2025-06-18, basic/utilities/cancellation, which
 * forbids it for the message that opens a session). An answer that comes all the same is nobody's,
 * and passed over. */
static void send_cancelled(struct channel *channel, const struct exchange *exchange)
{
    if (channel->closing || channel->ended_ns)
        return;
    text_printf(&channel->connection.unsent,
                "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
                "{\"requestId\":%llu,\"reason\":\"given up by the client\"}}\n",
                (unsigned long long)exchange->message_id);
    write_on(channel);
}

static void set_due(struct channel *channel, nsec_t due_ns)
{
    struct timer *timer = &channel->connection.timer;
    if (due_ns != NSEC_NEVER && (!timer_running(timer) || timer->due_ns > due_ns))
        timer_start(channel->connection.pool->link->loop, timer, due_ns);
}

static void send_line(struct channel *channel, struct exchange *exchange, nsec_t now_ns)
{
    struct connection *connection = &channel->connection;
    struct exchange_request request = {0};
    exchange->connection = connection;
    exchange->state = channel->state;
    exchange->fresh = connection->requests++ == 0;
    exchange_mark_started(exchange, now_ns);
    exchange->handler->compose(exchange, &request);
    exchange->message_id = request.message_id;
    channel->alone = request.alone ? exchange : NULL;
    channel->last = channel->last || request.last;
    list_append(&channel->calls, &exchange->node);
    text_put(&connection->unsent, request.body);
    text_putc(&connection->unsent, '\n');
    exchange->bytes_out = request.body.bytes + 1;
    exchange->times.sent_ns = loop_now(connection->pool->link->loop);
    write_on(channel);
    set_due(channel, exchange->deadline_ns);
}

/* ---- the life of a channel --------------------------------------------------------------------
 */

static struct channel *of_child(struct stream *stream)
{
    struct channel *channel = stream->impl;
    return channel;
}

static void input_ready(struct stream *stream, unsigned what)
{
    struct channel *channel = of_child(stream);
    if (stream == &channel->child.to) {
        if (what & STREAM_WRITABLE && channel->connection.unsent.bytes)
            write_on(channel);
        return;
    }
    if (what & (STREAM_READABLE | STREAM_CLOSED) && receive(channel, false))
        set_due(channel, 0); /* the others get their turn */
}

static void channel_free(struct channel *channel)
{
    struct link *link = channel->connection.pool->link;
    timer_stop(link->loop, &channel->connection.timer);
    stream_close(&channel->child.from, false);
    list_remove(&channel->node);
    text_fini(&channel->line);
    text_fini(&channel->connection.unsent);
    free(channel->state);
    free(channel);
}

/* Why the exchanges under way get no answer. */
static enum exchange_error why_broken(const struct channel *channel, char *words, size_t room)
{
    if (channel->too_long) {
        snprintf(words, room, "a message is longer than %zu bytes", most_line_bytes(channel));
        return EXCHANGE_TOO_LARGE;
    }
    piped_describe(&channel->child, words, room);
    /* One that never answered is like a port where nobody listens: knock with a pause. */
    return channel->connection.used_ns ? EXCHANGE_RESET : EXCHANGE_REFUSED;
}

static void tell_broken(struct channel *channel)
{
    struct pool *pool = channel->connection.pool;
    char words[PIPED_SAID_BYTES + 100];
    nsec_t at_ns = channel->ended_ns ? channel->ended_ns : loop_now(pool->link->loop);
    enum exchange_error error = why_broken(channel, words, sizeof words);
    while (!list_empty(&channel->calls))
        fail(channel, error, words, at_ns);
    while (!list_empty(&channel->queue)) {
        struct exchange *exchange = list_entry(channel->queue.next, struct exchange, node);
        list_remove(&exchange->node);
        pool->waiting--;
        channel_place(pool, exchange, at_ns);
    }
}

static void child_gone(struct piped *child)
{
    struct channel *channel = list_entry(child, struct channel, child);
    channel->last = true;
    receive(channel, true); /* what it wrote before */
    channel->gone = true;
    if (!channel->ended_ns)
        broke(channel, loop_now(child->loop));
    tell_broken(channel);
    channel_free(channel);
}

static void give_up_late(struct channel *channel, nsec_t now_ns)
{
    nsec_t next_ns = NSEC_NEVER;
    struct list late;
    list_init(&late);
    for (struct list *node = channel->calls.next; node != &channel->calls;) {
        struct exchange *exchange = list_entry(node, struct exchange, node);
        node = node->next;
        if (exchange->deadline_ns > now_ns) {
            next_ns = exchange->deadline_ns < next_ns ? exchange->deadline_ns : next_ns;
            continue;
        }
        if (channel->alone == exchange)
            channel_close(&channel->connection);
        else
            send_cancelled(channel, exchange);
        detach(channel, exchange);
        list_append(&late, &exchange->node);
    }
    set_due(channel, next_ns);
    for (struct list *node; (node = list_take(&late));)
        exchange_fail(list_entry(node, struct exchange, node), EXCHANGE_TIMEOUT,
                      "no complete answer within the timeout", now_ns);
}

static void due(struct timer *timer, nsec_t now_ns)
{
    struct channel *channel = channel_of(list_entry(timer, struct connection, timer));
    if (!channel->ended_ns && receive(channel, false))
        set_due(channel, 0);
    if (channel->closing && (channel->ended_ns || list_empty(&channel->calls)))
        tell_broken(channel); /* also when the child stays although its output has ended */
    else
        give_up_late(channel, now_ns);
}

void channel_close(struct connection *connection)
{
    struct channel *channel = channel_of(connection);
    struct pool *pool = connection->pool;
    if (channel->closing)
        return;
    channel->closing = true;
    pool->open--;
    if (connection->home && *connection->home == connection)
        *connection->home = NULL;
    piped_close(&channel->child);
    if (!list_empty(&channel->queue))
        set_due(channel, 0);
}

static struct channel *channel_new(struct pool *pool, nsec_t now_ns)
{
    struct link *link = pool->link;
    struct channel *channel = memory_new(1, sizeof *channel);
    channel->child.gone = child_gone;
    int error =
        piped_start(&channel->child, link->loop, pool->options.command, input_ready, pool->words);
    if (error) {
        free(channel);
        pool->error = error;
        return NULL;
    }
    channel->child.to.impl = channel->child.from.impl = channel;
    channel->connection.pool = pool;
    channel->connection.opened_ns = now_ns;
    channel->state = memory_new(1, pool->options.state_bytes ? pool->options.state_bytes : 1);
    list_init(&channel->calls);
    list_init(&channel->queue);
    list_init(&channel->connection.node);
    list_init(&channel->connection.again);
    timer_init(&channel->connection.timer, due);
    list_append(&link->channels, &channel->node);
    pool->open++;
    pool->opened++;
    return channel;
}

static size_t calls_of(const struct channel *channel)
{
    size_t count = channel->alone != NULL;
    for (const struct list *node = channel->calls.next; node != &channel->calls; node = node->next)
        count++;
    for (const struct list *node = channel->queue.next; node != &channel->queue; node = node->next)
        count++;
    return count;
}

/* The shared channel with the fewest calls; NULL when another one may be started first. */
static struct channel *find_shared(const struct pool *pool)
{
    struct channel *best = NULL;
    uint64_t most = pool->options.most ? pool->options.most : 1;
    uint64_t open = 0;
    size_t fewest = SIZE_MAX;
    struct list *channels = &pool->link->channels;
    for (struct list *node = channels->next; node != channels; node = node->next) {
        struct channel *channel = list_entry(node, struct channel, node);
        if (channel->connection.pool != pool || channel->closing || channel->last)
            continue;
        size_t calls = calls_of(channel);
        open++;
        if (calls < fewest)
            best = channel;
        fewest = calls < fewest ? calls : fewest;
    }
    return open >= most || (best && fewest == 0) ? best : NULL;
}

static struct channel *find(const struct pool *pool, const struct exchange *exchange)
{
    if (pool->options.kind == POOL_KIND_SHARED)
        return find_shared(pool);
    if (!exchange->home || !*exchange->home)
        return NULL;
    struct channel *channel = channel_of(*exchange->home);
    return channel->last ? NULL : channel;
}

void channel_place(struct pool *pool, struct exchange *exchange, nsec_t now_ns)
{
    struct channel *channel = find(pool, exchange);
    if (!channel) {
        channel = channel_new(pool, now_ns);
        nsec_t took_ns = loop_now(pool->link->loop) - now_ns;
        if (!channel) {
            enum exchange_error error = exchange_error_of(pool->error, true);
            exchange_mark_started(exchange, now_ns);
            exchange_fail_later(exchange, error == EXCHANGE_LOCAL ? error : EXCHANGE_REFUSED,
                                pool->words);
            return;
        }
        exchange->times.connect_ns = took_ns;
        exchange->times.set_up_ns += took_ns;
        if (exchange->home) {
            channel->connection.home = exchange->home;
            *exchange->home = &channel->connection;
        }
    }
    if (!channel->alone) {
        send_line(channel, exchange, now_ns);
        return;
    }
    list_append(&channel->queue, &exchange->node);
    pool->waiting++;
}

void channel_cancel(struct exchange *exchange)
{
    struct channel *channel = channel_of(exchange->connection);
    bool alone = channel->alone == exchange;
    detach(channel, exchange);
    if (alone)
        channel_close(&channel->connection);
    else
        send_cancelled(channel, exchange);
}

/* ---- all of them ------------------------------------------------------------------------------
 */

void channels_settle(struct link *link)
{
    nsec_t limit_ns = loop_now(link->loop) + (2 * PIPED_PATIENCE_MS + 500) * NSEC_PER_MSEC;
    for (struct list *node = link->channels.next; node != &link->channels; node = node->next)
        channel_close(&list_entry(node, struct channel, node)->connection);
    while (!list_empty(&link->channels)) {
        nsec_t now_ns = loop_now(link->loop);
        if (now_ns >= limit_ns ||
            loop_turn(link->loop, now_ns + PIPED_PATIENCE_MS * NSEC_PER_MSEC) < 0)
            return;
    }
}

void channels_kill(struct pool *pool)
{
    struct list *channels = &pool->link->channels;
    for (struct list *node = channels->next; node != channels;) {
        struct channel *channel = list_entry(node, struct channel, node);
        node = node->next;
        if (channel->connection.pool != pool)
            continue;
        check(list_empty(&channel->calls) && list_empty(&channel->queue));
        if (!channel->closing)
            pool->open--;
        piped_kill(&channel->child);
        channel_free(channel);
    }
}
