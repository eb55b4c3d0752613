/* test/unit/load/host.h - a host for the tests of the engine, on the simulated net: it takes in
 * whoever comes, reads requests, and sends after a delay what the test answers them with. */
#ifndef TEST_UNIT_LOAD_HOST_H
#define TEST_UNIT_LOAD_HOST_H

#include "base/memory.h"
#include "load/engine.h"
#include "net/stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_VISITORS = 4096 };

struct visitor {
    struct stream stream;
    struct timer timer;
    struct host *host;
    char request[4096];
    size_t have;
    unsigned requests;   /* free for the test to count */
    bool closes, resets; /* after its reply; in place of it */
    char reply[8192];
    size_t reply_bytes;
};

struct host {
    struct loop *loop;
    struct listener listener;
    void (*serve)(struct visitor *visitor, const char *path);
    struct visitor *visitors[MOST_VISITORS];
    size_t count;
};

/* Sends this after the delay, and closes then if it should. */
static inline void visitor_answer(struct visitor *visitor, nsec_t delay_ns, bool closes,
                                  const char *format, ...)
{
    va_list list;
    va_start(list, format);
    visitor->reply_bytes = (size_t)vsnprintf(visitor->reply, sizeof visitor->reply, format, list);
    va_end(list);
    visitor->closes = closes;
    timer_start(visitor->host->loop, &visitor->timer, loop_now(visitor->host->loop) + delay_ns);
}

static inline void visitor_reply(struct timer *timer, nsec_t now_ns)
{
    struct visitor *visitor = list_entry(timer, struct visitor, timer);
    (void)now_ns;
    if (visitor->stream.fd < 0)
        return;
    if (visitor->resets) {
        stream_close(&visitor->stream, true);
        return;
    }
    ssize_t written = stream_write(&visitor->stream, visitor->reply, visitor->reply_bytes);
    assert_int_equal(written, visitor->reply_bytes);
    if (visitor->closes)
        stream_close(&visitor->stream, false);
}

static inline void visitor_ready(struct stream *stream, unsigned what)
{
    struct visitor *visitor = list_entry(stream, struct visitor, stream);
    nsec_t rx_ns;
    enum rx_source source;
    (void)what;
    for (;;) {
        ssize_t bytes = stream_read(stream, visitor->request + visitor->have,
                                    sizeof visitor->request - 1 - visitor->have, &rx_ns, &source);
        if (bytes == -EAGAIN)
            return;
        if (bytes <= 0) {
            timer_stop(visitor->host->loop, &visitor->timer);
            stream_close(stream, false);
            return;
        }
        visitor->have += (size_t)bytes;
        visitor->request[visitor->have] = '\0';
        char path[64];
        if (!strstr(visitor->request, "\r\n\r\n") ||
            sscanf(visitor->request, "GET %63s", path) != 1)
            continue;
        visitor->have = 0;
        visitor->host->serve(visitor, path);
    }
}

static inline void host_accepted(struct listener *listener)
{
    struct host *host = list_entry(listener, struct host, listener);
    for (;;) {
        struct visitor *visitor = memory_new(1, sizeof *visitor);
        if (listener_accept(listener, &visitor->stream, visitor_ready)) {
            free(visitor);
            return;
        }
        visitor->host = host;
        timer_init(&visitor->timer, visitor_reply);
        assert_true(host->count < MOST_VISITORS);
        host->visitors[host->count++] = visitor;
        visitor_ready(&visitor->stream, STREAM_READABLE);
    }
}

/* Opens the host at its address, and writes its URL. */
static inline void host_open(struct host *host, void (*serve)(struct visitor *, const char *),
                             char *url, size_t room)
{
    struct net_address at;
    char literal[80];
    host->serve = serve;
    assert_int_equal(loop_new(&host->loop), 0);
    assert_int_equal(net_address_read("127.0.0.1", 8000, &at), 0);
    assert_int_equal(listener_open(&host->listener, host->loop, &at, 1000, false, host_accepted),
                     0);
    snprintf(url, room, "http://%s", net_address_write(&at, literal, sizeof literal));
}

/* Sends everybody away and ends the loop, on which no timer of the test may be left. */
static inline void host_close(struct host *host)
{
    for (size_t i = 0; i < host->count; i++) {
        timer_stop(host->loop, &host->visitors[i]->timer);
        stream_close(&host->visitors[i]->stream, false);
        free(host->visitors[i]);
    }
    listener_close(&host->listener);
    loop_free(host->loop);
}

/* What holds of any run: every request has one fate, and every failure one kind. */
static inline void accounts_close(const uint64_t *counters)
{
    assert_int_equal(counters[COUNT_OFFERED], counters[COUNT_STARTED] + counters[COUNT_DROPPED]);
    assert_int_equal(counters[COUNT_STARTED], counters[COUNT_SUCCEEDED] + counters[COUNT_FAILED] +
                                                  counters[COUNT_TIMED_OUT] +
                                                  counters[COUNT_ABANDONED]);
    uint64_t errors = 0;
    for (int kind = COUNT_ERROR_DNS; kind <= COUNT_ERROR_GENERATOR; kind++)
        errors += counters[kind];
    assert_int_equal(errors, counters[COUNT_FAILED] + counters[COUNT_TIMED_OUT]);
}

#endif
