/* From a name to a connection that can carry a request: look-up, connect (address after address),
 * TLS. */
#include "base/check.h"
#include "base/memory.h"
#include "link/connection.h"
#include "link/events.h"

#include <errno.h>
#include <stdlib.h>

static struct connection *take_spare(struct link *link)
{
    struct list *node = list_take(&link->spare);
    if (node)
        return list_entry(node, struct connection, node);
    struct connection *connection = memory_new(1, sizeof *connection);
    http1_reader_init(&connection->reader);
    list_init(&connection->node);
    return connection;
}

static void fail_dial(struct connection *connection, enum exchange_error error, const char *words,
                      bool later)
{
    struct exchange *exchange = connection->exchange;
    struct loop *loop = connection->pool->link->loop;
    char kept[160];
    snprintf(kept, sizeof kept, "%s", words);
    connection->exchange = NULL;
    connection_close(connection, true);
    if (later)
        exchange_fail_later(exchange, error, words);
    else
        exchange_fail(exchange, error, kept, loop_now(loop));
}

/* Tries the addresses that are left. later: this is still within the call that started the
 * exchange. */
static void connect_next(struct connection *connection, bool later)
{
    struct dial *dial = connection->dial;
    struct pool *pool = connection->pool;
    int error = -ENOENT;
    while (dial->next < dial->count) {
        const struct net_address *source = NULL;
        if (pool->options.source_count)
            source = &pool->options.sources[pool->next_source++ % pool->options.source_count];
        error = stream_connect(&connection->stream, pool->link->loop,
                               &dial->addresses[dial->next++], source, connection_ready);
        if (error == 0) {
            connection->state = CONNECTION_CONNECTING;
            return;
        }
    }
    fail_dial(connection, exchange_error_of(error, true), connect_words(error), later);
}

static void resolved(struct resolve_query *query, const struct resolve_answer *answer)
{
    struct dial *dial = list_entry(query, struct dial, query);
    struct connection *connection = dial->connection;
    bool later =
        connection->state == CONNECTION_RESOLVING && connection->exchange->times.dns_ns < 0;
    connection->exchange->times.dns_ns = answer->took_ns;
    dial->resolved_ns = loop_now(connection->pool->link->loop);
    if (answer->error || answer->count == 0) {
        fail_dial(connection, EXCHANGE_DNS,
                  answer->words ? answer->words : "the name has no address", later);
        return;
    }
    dial->count = answer->count;
    for (size_t i = 0; i < answer->count; i++)
        dial->addresses[i] = answer->addresses[i];
    connect_next(connection, later);
}

static void begin_look_up(struct connection *connection)
{
    struct pool *pool = connection->pool;
    struct dial *dial = connection->dial;
    struct exchange *exchange = connection->exchange;
    if (pool->options.unix_socket) {
        char literal[120];
        snprintf(literal, sizeof literal, "unix:%s", pool->options.host);
        dial->count = net_address_read(literal, 0, &dial->addresses[0]) == 0 ? 1 : 0;
        dial->resolved_ns = dial->begin_ns;
        connect_next(connection, true);
        return;
    }
    exchange->times.dns_ns = -1; /* marks an answer that comes before the asking returns */
    resolver_ask(pool->link->resolver, &dial->query, pool->options.host, pool->options.port);
    if (connection->exchange == exchange && connection->state == CONNECTION_RESOLVING &&
        exchange->times.dns_ns < 0)
        exchange->times.dns_ns = 0;
}

void connection_dial(struct pool *pool, struct exchange *exchange, nsec_t now_ns)
{
    struct connection *connection = take_spare(pool->link);
    connection->state = CONNECTION_RESOLVING;
    connection->pool = pool;
    connection->exchange = exchange;
    connection->home = exchange->home;
    connection->ended = false;
    connection->requests = 0;
    connection->unsent_at = 0;
    connection->tls = NULL;
    connection->stream = (struct stream){.fd = -1};
    connection->dial = memory_new(1, sizeof *connection->dial);
    connection->dial->query.answered = resolved;
    connection->dial->connection = connection;
    connection->dial->begin_ns = now_ns;
    text_clear(&connection->unsent);
    list_init(&connection->again);
    timer_init(&connection->timer, connection_due);
    pool->open++;
    pool->dialing++;
    pool->opened++;
    exchange->connection = connection;
    exchange->fresh = true;
    if (pool->options.kind == POOL_KIND_PER_USER && exchange->home)
        *exchange->home = connection;
    nsec_t due_ns = exchange->deadline_ns;
    if (pool->options.connect_timeout_ns && now_ns + pool->options.connect_timeout_ns < due_ns)
        due_ns = now_ns + pool->options.connect_timeout_ns;
    connection_set_due(connection, due_ns);
    begin_look_up(connection);
}

static void stands(struct connection *connection, nsec_t now_ns)
{
    struct pool *pool = connection->pool;
    struct exchange *exchange = connection->exchange;
    free(connection->dial);
    connection->dial = NULL;
    connection->opened_ns = now_ns;
    pool->dialing--;
    connection->exchange = NULL;
    connection_send(connection, exchange);
    if (pool->options.max_handshakes)
        pool_pump(pool, now_ns);
}

static void shake_hands(struct connection *connection)
{
    int error = tls_handshake(connection->tls);
    if (error == -EAGAIN)
        return;
    nsec_t now_ns = loop_now(connection->pool->link->loop);
    connection->exchange->times.tls_ns = now_ns - connection->dial->connected_ns;
    if (error) {
        fail_dial(connection, EXCHANGE_TLS, tls_error_words(connection->tls), false);
        return;
    }
    stands(connection, now_ns);
}

void dial_ready(struct connection *connection, unsigned what)
{
    struct pool *pool = connection->pool;
    if (connection->state == CONNECTION_HANDSHAKING) {
        shake_hands(connection);
        return;
    }
    if (!(what & STREAM_CONNECTED)) {
        int error = stream_error(&connection->stream);
        stream_close(&connection->stream, true);
        if (connection->dial->next < connection->dial->count)
            connect_next(connection, false);
        else
            fail_dial(connection, exchange_error_of(error ? error : -ECONNRESET, true),
                      connect_words(error), false);
        return;
    }
    nsec_t now_ns = loop_now(pool->link->loop);
    connection->exchange->times.connect_ns = now_ns - connection->dial->resolved_ns;
    connection->dial->connected_ns = now_ns;
    if (!pool->options.tls) {
        stands(connection, now_ns);
        return;
    }
    const char *name = pool->options.server_name ? pool->options.server_name : pool->options.host;
    int error = tls_new(&connection->tls, pool->link->tls, &connection->stream, name);
    if (error) {
        fail_dial(connection, EXCHANGE_LOCAL, "no memory for TLS", false);
        return;
    }
    connection->state = CONNECTION_HANDSHAKING;
    shake_hands(connection);
}

const char *connect_words(int error)
{
    switch (-error) {
    case ECONNREFUSED:
        return "connection refused";
    case ENOENT:
        return "no such socket";
    case EADDRNOTAVAIL:
        return "no local port left: use several source addresses, or keep connections open";
    case EMFILE:
    case ENFILE:
        return "no file descriptor left: raise the limit (ulimit -n)";
    case ENETUNREACH:
        return "network unreachable";
    case EHOSTUNREACH:
        return "host unreachable";
    case ETIMEDOUT:
        return "no answer to the connection";
    case EACCES:
    case EPERM:
        return "the system forbids this connection";
    default:
        return "the connection could not be made";
    }
}
