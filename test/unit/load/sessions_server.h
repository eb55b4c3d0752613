/* A scripted server of sessions, in virtual time.
 *
 * It numbers its sessions and gives the number in a header line of the reply to /open; /work/N and
 * /close/N use it. A table says what became of each. */
#ifndef TEST_LOAD_SESSIONS_SERVER_H
#define TEST_LOAD_SESSIONS_SERVER_H

#include "base/memory.h"
#include "net/loop.h"
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

enum { MOST = 4096 };

static const nsec_t open_ns = 50 * NSEC_PER_MSEC, work_ns = 20 * NSEC_PER_MSEC;

/* ---- the server ------------------------------------------------------------------------------ */

enum trouble { FINE, FAILS, RESETS, SILENT };

struct visitor {
    struct stream stream;
    struct timer timer;
    struct server *server;
    char request[4096];
    size_t have;
    enum trouble trouble;
    char reply[256];
};

struct server {
    struct loop *loop;
    struct listener listener;
    struct visitor *visitors[MOST];
    size_t count;
    enum trouble opening, working, closing;
    unsigned sessions, works;
    unsigned closed[MOST];     /* times that it was asked to end this session */
    unsigned worked_after_end; /* uses of a session that had been ended */
};

static void send_reply(struct timer *timer, nsec_t now_ns)
{
    struct visitor *visitor = list_entry(timer, struct visitor, timer);
    (void)now_ns;
    if (visitor->stream.fd < 0)
        return;
    if (visitor->trouble == RESETS) {
        stream_close(&visitor->stream, true);
        return;
    }
    assert_int_equal(stream_write(&visitor->stream, visitor->reply, strlen(visitor->reply)),
                     strlen(visitor->reply));
}

static void answer(struct visitor *visitor, enum trouble trouble, nsec_t delay_ns, unsigned session)
{
    visitor->trouble = trouble;
    if (trouble == SILENT)
        return;
    snprintf(visitor->reply, sizeof visitor->reply,
             "HTTP/1.1 %s\r\nSession: %u\r\nContent-Length: 2\r\n\r\nok",
             trouble == FAILS ? "503 Busy" : "200 OK", session);
    timer_start(visitor->server->loop, &visitor->timer, loop_now(visitor->server->loop) + delay_ns);
}

static void serve(struct visitor *visitor, const char *path)
{
    struct server *server = visitor->server;
    unsigned session = 0;
    if (strcmp(path, "/open") == 0) {
        if (server->opening == FINE)
            session = ++server->sessions;
        assert_true(session < MOST);
        answer(visitor, server->opening, open_ns, session);
    } else if (sscanf(path, "/work/%u", &session) == 1) {
        assert_in_range(session, 1, server->sessions);
        server->works++;
        server->worked_after_end += server->closed[session] ? 1 : 0;
        answer(visitor, server->working, work_ns, session);
    } else {
        assert_int_equal(sscanf(path, "/close/%u", &session), 1);
        assert_in_range(session, 1, server->sessions);
        server->closed[session]++;
        answer(visitor, server->closing, NSEC_PER_MSEC, session);
    }
}

static void visitor_ready(struct stream *stream, unsigned what)
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
            timer_stop(visitor->server->loop, &visitor->timer);
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
        serve(visitor, path);
    }
}

static void accepted(struct listener *listener)
{
    struct server *server = list_entry(listener, struct server, listener);
    for (;;) {
        struct visitor *visitor = memory_new(1, sizeof *visitor);
        if (listener_accept(listener, &visitor->stream, visitor_ready)) {
            free(visitor);
            return;
        }
        visitor->server = server;
        timer_init(&visitor->timer, send_reply);
        assert_true(server->count < MOST);
        server->visitors[server->count++] = visitor;
        visitor_ready(&visitor->stream, STREAM_READABLE);
    }
}

#endif
