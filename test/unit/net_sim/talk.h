/* Two who talk over the simulated network: a server, those who dial it, and what each of them got
 * and when. */
#ifndef TEST_NET_SIM_TALK_H
#define TEST_NET_SIM_TALK_H

#include "net/loop.h"
#include "net/resolve.h"
#include "net/stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* Last: it needs those above. */
// clang-format off
#include <cmocka.h>
// clang-format on

enum { SAID_ROOM = 1 << 20 };

struct talker {
    struct stream stream;
    struct loop *loop;
    struct list node;
    unsigned seen;
    nsec_t connected_ns, first_ns, closed_ns;
    char *got;
    size_t got_bytes, reads;
    ssize_t last; /* what the last read returned */
    bool echoes, listens_only;
};

struct server {
    struct listener listener;
    struct list talkers;
    bool echoes, ignores;
};

static void take_all(struct talker *talker)
{
    for (;;) {
        nsec_t rx_ns = 0;
        enum rx_source source;
        char *into = talker->got + talker->got_bytes;
        enum { PIECE = 4096 };
        talker->last = stream_read(&talker->stream, into, PIECE, &rx_ns, &source);
        if (talker->last <= 0)
            return;
        assert_int_equal(rx_ns, loop_now(talker->loop));
        if (!talker->got_bytes)
            talker->first_ns = rx_ns;
        talker->got_bytes += (size_t)talker->last;
        talker->reads++;
        ssize_t echoed = talker->last;
        if (talker->echoes)
            echoed = stream_write(&talker->stream, into, (size_t)talker->last);
        assert_true(echoed == talker->last || echoed == -EPIPE); /* broken meanwhile */
        if (talker->last < PIECE) { /* a short read means that nothing more is there now */
            ssize_t after = stream_read(&talker->stream, into + talker->last, 1, &rx_ns, &source);
            assert_true(after == -EAGAIN || after == 0 || after == -ECONNRESET);
        }
    }
}

static void on_ready(struct stream *stream, unsigned what)
{
    struct talker *talker = list_entry(stream, struct talker, stream);
    talker->seen |= what;
    if (what & STREAM_CONNECTED)
        talker->connected_ns = loop_now(talker->loop);
    if (what & STREAM_CLOSED)
        talker->closed_ns = loop_now(talker->loop);
    if (what & STREAM_READABLE && !talker->listens_only)
        take_all(talker);
}

static struct talker *talker_new(struct loop *loop)
{
    struct talker *talker = calloc(1, sizeof *talker);
    talker->loop = loop;
    talker->got = malloc(SAID_ROOM);
    talker->stream.fd = -1;
    list_init(&talker->node);
    return talker;
}

static void talker_free(struct talker *talker)
{
    stream_close(&talker->stream, false);
    stream_close(&talker->stream, false); /* a closed stream may be closed again */
    list_remove(&talker->node);
    free(talker->got);
    free(talker);
}

static void on_accepted(struct listener *listener)
{
    struct server *server = list_entry(listener, struct server, listener);
    for (;;) {
        struct talker *talker = talker_new(listener->loop);
        talker->echoes = server->echoes;
        talker->listens_only = server->ignores;
        if (listener_accept(listener, &talker->stream, on_ready)) {
            talker_free(talker);
            return;
        }
        list_append(&server->talkers, &talker->node);
    }
}

static struct net_address address(const char *literal, uint16_t port)
{
    struct net_address out;
    assert_int_equal(net_address_read(literal, port, &out), 0);
    return out;
}

static void open_server(struct server *server, struct loop *loop, uint16_t port)
{
    struct net_address at = address("127.0.0.1", port);
    list_init(&server->talkers);
    assert_int_equal(listener_open(&server->listener, loop, &at, 128, false, on_accepted), 0);
}

static void close_server(struct server *server)
{
    while (!list_empty(&server->talkers))
        talker_free(list_entry(server->talkers.next, struct talker, node));
    listener_close(&server->listener);
    listener_close(&server->listener);
}

static struct talker *dial(struct loop *loop, uint16_t port)
{
    struct talker *talker = talker_new(loop);
    struct net_address to = address("127.0.0.1", port);
    assert_int_equal(stream_connect(&talker->stream, loop, &to, NULL, on_ready), 0);
    assert_int_equal(talker->seen, 0); /* never from within the call */
    return talker;
}

/* Turns until nothing happens any more, or until this instant. */
static void turn(struct loop *loop, nsec_t until_ns)
{
    while (loop_now(loop) < until_ns && loop_turn(loop, until_ns) >= 0)
        continue;
}

static void rest(struct loop *loop)
{
    while (loop_turn(loop, NSEC_NEVER) >= 0)
        continue;
}

static struct talker *only_talker(struct server *server)
{
    assert_false(list_empty(&server->talkers));
    return list_entry(server->talkers.next, struct talker, node);
}

static struct loop *new_loop(const struct sim_options *options)
{
    struct loop *loop;
    assert_int_equal(loop_new(&loop), 0);
    if (options)
        sim_configure(loop, options);
    return loop;
}

#endif
