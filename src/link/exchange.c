/* Exchanges: their start, their queue, their ends; see exchange.h for the contract. */
#include "link/exchange.h"

#include "base/check.h"
#include "link/channel.h"
#include "link/connection.h"

#include <errno.h>

void exchange_start(struct exchange *exchange, struct pool *pool,
                    const struct exchange_handler *handler, struct connection **home, nsec_t now_ns,
                    nsec_t timeout_ns)
{
    check(!exchange->running);
    *exchange = (struct exchange){
        .handler = handler,
        .pool = pool,
        .home = home,
        .times.asked_ns = now_ns,
        .timeout_ns = timeout_ns,
        .deadline_ns = NSEC_NEVER,
        .running = true,
    };
    list_init(&exchange->node);
    pool_place(pool, exchange, now_ns);
}

void exchange_mark_started(struct exchange *exchange, nsec_t now_ns)
{
    if (exchange->times.started_ns)
        return; /* a second attempt */
    exchange->times.started_ns = now_ns;
    if (exchange->timeout_ns)
        exchange->deadline_ns = now_ns + exchange->timeout_ns;
    exchange->handler->started(exchange);
}

void exchange_cancel(struct exchange *exchange)
{
    if (!exchange->running)
        return;
    exchange->running = false;
    struct connection *connection = exchange->connection;
    if (connection && exchange->pool->options.command) {
        channel_cancel(exchange);
    } else if (connection) {
        exchange->connection = NULL;
        connection->exchange = NULL;
        connection_close(connection, true);
    } else {
        if (!exchange->failing)
            exchange->pool->waiting--;
        list_remove(&exchange->node);
    }
}

bool exchange_waits(const struct exchange *exchange)
{
    return exchange->running && exchange->times.started_ns == 0;
}

void exchange_fail(struct exchange *exchange, enum exchange_error error, const char *words,
                   nsec_t at_ns)
{
    check(exchange->running);
    exchange->running = false;
    exchange->connection = NULL;
    exchange->handler->error(exchange, error, words, at_ns);
}

void exchange_fail_later(struct exchange *exchange, enum exchange_error error, const char *words)
{
    struct link *link = exchange->pool->link;
    exchange->connection = NULL;
    exchange->failing = (uint8_t)error;
    exchange->failing_words = words;
    list_append(&link->failing, &exchange->node);
    if (!timer_running(&link->failing_timer))
        timer_start(link->loop, &link->failing_timer, 0);
}

enum exchange_error exchange_error_of(int error, bool connecting)
{
    switch (-error) {
    case ECONNREFUSED:
    case ENOENT: /* no such Unix socket */
        return connecting ? EXCHANGE_REFUSED : EXCHANGE_RESET;
    case EADDRNOTAVAIL:
    case EADDRINUSE:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return EXCHANGE_LOCAL;
    case ETIMEDOUT:
        return connecting ? EXCHANGE_CONNECT_TIMEOUT : EXCHANGE_RESET;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EACCES:
    case EPERM:
        return EXCHANGE_UNREACHABLE;
    default:
        return connecting ? EXCHANGE_UNREACHABLE : EXCHANGE_RESET;
    }
}
