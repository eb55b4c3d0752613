/* Pools: which connection an exchange gets, and who waits for one.
 *
 * The queue is first come, first served. It is looked at again whenever a connection becomes idle
 * or goes away, and when a handshake rate allows the next dial. */
#include "link/pool.h"

#include "base/check.h"
#include "base/memory.h"
#include "link/channel.h"
#include "link/connection.h"

#include <errno.h>
#include <stdlib.h>

static void read_again(struct timer *timer, nsec_t now_ns)
{
    (void)now_ns;
    struct link *link = list_entry(timer, struct link, again_timer);
    struct list turn;
    list_init(&turn);
    list_move_all(&link->again, &turn);
    for (struct list *node; (node = list_take(&turn));)
        connection_go_on(list_entry(node, struct connection, again));
}

static void tell_failures(struct timer *timer, nsec_t now_ns)
{
    struct link *link = list_entry(timer, struct link, failing_timer);
    struct list turn;
    list_init(&turn);
    list_move_all(&link->failing, &turn);
    for (struct list *node; (node = list_take(&turn));) {
        struct exchange *exchange = list_entry(node, struct exchange, node);
        exchange_fail(exchange, exchange->failing, exchange->failing_words, now_ns);
    }
}

int link_new(struct link **out, struct loop *loop, struct resolver *resolver,
             struct tls_context *tls)
{
    struct link *link = memory_new(1, sizeof *link);
    *link = (struct link){.loop = loop, .resolver = resolver, .tls = tls};
    link->in = memory_new(1, LINK_READ_BYTES);
    text_reserve(&link->out, 4096);
    list_init(&link->again);
    list_init(&link->channels);
    list_init(&link->spare);
    list_init(&link->failing);
    timer_init(&link->again_timer, read_again);
    timer_init(&link->failing_timer, tell_failures);
    *out = link;
    return 0;
}

struct link *link_free(struct link *link)
{
    if (!link)
        return NULL;
    timer_stop(link->loop, &link->again_timer);
    timer_stop(link->loop, &link->failing_timer);
    for (struct list *node; (node = list_take(&link->spare));) {
        struct connection *connection = list_entry(node, struct connection, node);
        http1_reader_fini(&connection->reader);
        text_fini(&connection->unsent);
        free(connection);
    }
    text_fini(&link->out);
    free(link->in);
    free(link);
    return NULL;
}

static void dial_allowed(struct timer *timer, nsec_t now_ns)
{
    pool_pump(list_entry(timer, struct pool, dial_timer), now_ns);
}

int pool_new(struct pool **out, struct link *link, const struct pool_options *options)
{
    if (options->tls && !link->tls)
        return -EINVAL;
    struct pool *pool = memory_new(1, sizeof *pool);
    pool->link = link;
    pool->options = *options;
    list_init(&pool->idle);
    list_init(&pool->queue);
    timer_init(&pool->dial_timer, dial_allowed);
    *out = pool;
    return 0;
}

struct pool *pool_free(struct pool *pool)
{
    if (!pool)
        return NULL;
    channels_kill(pool);
    check(list_empty(&pool->queue));
    timer_stop(pool->link->loop, &pool->dial_timer);
    while (!list_empty(&pool->idle))
        connection_close(list_entry(pool->idle.next, struct connection, node), false);
    check(pool->open == 0); /* users have released theirs */
    free(pool);
    return NULL;
}

/* Whether one more connection may be opened now; when only the rate forbids it, asks to be woken.
 */
static bool may_dial(struct pool *pool, nsec_t now_ns)
{
    const struct pool_options *options = &pool->options;
    if (options->most && pool->open >= options->most)
        return false;
    if (options->max_handshakes && pool->dialing >= options->max_handshakes)
        return false;
    if (options->handshake_rate <= 0)
        return true;
    if (now_ns < pool->next_dial_ns) {
        if (!timer_running(&pool->dial_timer))
            timer_start(pool->link->loop, &pool->dial_timer, pool->next_dial_ns);
        return false;
    }
    nsec_t step_ns = (nsec_t)((double)NSEC_PER_SEC / options->handshake_rate);
    /* Anchored to the schedule, not to now, so that the rate is kept; a long pause is not caught
     * up. */
    if (pool->next_dial_ns + NSEC_PER_SEC < now_ns)
        pool->next_dial_ns = now_ns;
    pool->next_dial_ns += step_ns;
    return true;
}

static struct connection *find_idle(struct pool *pool, nsec_t now_ns)
{
    while (!list_empty(&pool->idle)) { /* the latest used first: its caches are warm */
        struct connection *connection = list_entry(pool->idle.next, struct connection, node);
        if (connection_usable(connection, now_ns))
            return connection;
        connection_close(connection, false);
    }
    return NULL;
}

/* The connection that the exchange's user has kept, or NULL. */
static struct connection *find_home(const struct pool *pool, const struct exchange *exchange,
                                    nsec_t now_ns)
{
    if (pool->options.kind != POOL_KIND_PER_USER || !exchange->home || !*exchange->home)
        return NULL;
    if (connection_usable(*exchange->home, now_ns))
        return *exchange->home;
    connection_close(*exchange->home, false);
    return NULL;
}

/* Gives the exchange a connection or a dial of its own; false when it must wait. */
static bool try_place(struct pool *pool, struct exchange *exchange, nsec_t now_ns)
{
    struct connection *found = pool->options.kind == POOL_KIND_SHARED
                                   ? find_idle(pool, now_ns)
                                   : find_home(pool, exchange, now_ns);
    if (!found && !may_dial(pool, now_ns))
        return false;
    exchange_mark_started(exchange, now_ns);
    if (found)
        connection_send(found, exchange);
    else
        connection_dial(pool, exchange, now_ns);
    return true;
}

void pool_place(struct pool *pool, struct exchange *exchange, nsec_t now_ns)
{
    if (pool->options.command) {
        channel_place(pool, exchange, now_ns);
        return;
    }
    /* First come, first served; but who has a connection of its own takes nobody's place, and must
     * not stand behind those that wait for one to be opened. */
    bool first = list_empty(&pool->queue) || find_home(pool, exchange, now_ns);
    if (first && try_place(pool, exchange, now_ns))
        return;
    list_append(&pool->queue, &exchange->node);
    pool->waiting++;
}

void pool_pump(struct pool *pool, nsec_t now_ns)
{
    while (!list_empty(&pool->queue)) {
        struct exchange *exchange = list_entry(pool->queue.next, struct exchange, node);
        list_remove(&exchange->node);
        pool->waiting--;
        if (!try_place(pool, exchange, now_ns)) {
            list_prepend(&pool->queue, &exchange->node);
            pool->waiting++;
            return;
        }
    }
}

void pool_release_home(struct connection **home)
{
    if (*home && (*home)->pool->options.command) {
        channel_close(*home);
    } else if (*home) {
        check((*home)->exchange == NULL);
        connection_close(*home, false);
        *home = NULL;
    }
}

void link_settle(struct link *link)
{
    channels_settle(link);
}

void pool_state(const struct pool *pool, struct pool_state *out)
{
    *out = (struct pool_state){.open = pool->open,
                               .dialing = pool->dialing,
                               .waiting = pool->waiting,
                               .opened = pool->opened};
    out->idle = pool->resting;
    for (const struct list *node = pool->idle.next; node != &pool->idle; node = node->next)
        out->idle++;
}
