/* net/stream.h - byte streams: TCP over IPv4 and IPv6, and Unix sockets; real or simulated.
 *
 * A stream lives inside the structure that uses it. Readiness is edge-triggered: after `ready` says
 * STREAM_READABLE, read until -EAGAIN or remember that more may be there. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/clock.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Where a stream goes to or comes from. */
struct net_address {
    struct sockaddr_storage storage;
    socklen_t bytes; /* 0: none */
};

/* "127.0.0.1", "::1" or "unix:/path" and a port. Returns 0 or -EINVAL (not a literal address). */
int net_address_read(const char *literal, uint16_t port, struct net_address *out);
/* Writes "127.0.0.1:80", "[::1]:80" or "unix:/path" into out (always ended by a zero). Returns out.
 */
const char *net_address_write(const struct net_address *address, char *out, size_t room);

enum {
    STREAM_CONNECTED = 1, /* the connection stands; comes once, before anything else */
    STREAM_READABLE = 2,  /* bytes, or the end, can be read */
    STREAM_WRITABLE = 4,  /* a write that came back short may be tried again */
    STREAM_CLOSED =
        8, /* the other side will send no more, or the stream broke: read to learn which */
};

/* Who took the time of receipt. */
enum rx_source {
    RX_READ,   /* the clock right after the read call returned */
    RX_KERNEL, /* the kernel's own stamp of the packet */
};

struct stream {
    struct loop *loop;
    int fd; /* real: descriptor; simulation: index of the pipe; -1: closed */
    void (*ready)(struct stream *stream, unsigned what);
    void *impl;      /* of the library behind */
    bool connecting; /* private */
    bool stamped;    /* private */
};

/* Begins to connect. from: source address or NULL (its port may be 0). Returns 0 (STREAM_CONNECTED
 * or an error by STREAM_CLOSED comes later, never from within this call) or -errno (-EADDRNOTAVAIL,
 * -EMFILE, ...). */
int stream_connect(struct stream *stream, struct loop *loop, const struct net_address *to,
                   const struct net_address *from,
                   void (*ready)(struct stream *stream, unsigned what));

/* Asks the kernel to stamp what arrives, so that the time of receipt does not depend on when this
 * thread gets to read it: stream_read then says when the last packet that it took from came, with
 * RX_KERNEL. A wish: where there is no stamp (Unix sockets; the first packets after the first wish
 * on a machine), the clock right after the read stands, with RX_READ. May be asked again. The
 * simulation, where reading takes no time, takes no notice. */
void stream_stamp(struct stream *stream);

/* Why connecting or the stream failed: 0 or -errno (-ECONNREFUSED, -ENETUNREACH, ...). */
int stream_error(struct stream *stream);

/* Reads once. Returns bytes read, 0 at the end of the stream, or -errno (-EAGAIN: nothing there
 * now). rx_ns: when these bytes were received, taken for this read; written when bytes were read.
 */
ssize_t stream_read(struct stream *stream, void *into, size_t room, nsec_t *rx_ns,
                    enum rx_source *source);

/* Writes once. Returns bytes written (maybe fewer) or -errno (-EAGAIN: wait for STREAM_WRITABLE).
 */
ssize_t stream_write(struct stream *stream, const void *from, size_t bytes);

/* Whether the other side has already closed or sent something: to be asked before an idle
 * connection is used again (one recv with MSG_PEEK). True also when it broke. */
bool stream_is_stale(struct stream *stream);

/* Closes it; a closed stream may be closed again. With reset the other side gets a RST at once and
 * no port lingers in TIME_WAIT. */
void stream_close(struct stream *stream, bool reset);

/* ---- listening (testbed, null server)
 * ------------------------------------------------------------ */

struct listener {
    struct loop *loop;
    int fd;
    void (*accepted)(
        struct listener *listener); /* take connections with listener_accept until -EAGAIN */
    void *impl;
};

/* Listens. backlog as for listen(2). With share, several loops may listen on one port
 * (SO_REUSEPORT). Returns 0 or -errno. */
int listener_open(struct listener *listener, struct loop *loop, const struct net_address *at,
                  int backlog, bool share, void (*accepted)(struct listener *listener));
/* Takes one connection. Returns 0 or -errno (-EAGAIN: no more now). */
int listener_accept(struct listener *listener, struct stream *stream,
                    void (*ready)(struct stream *stream, unsigned what));
/* The address listened on (the port that the system chose when 0 was asked). */
void listener_address(const struct listener *listener, struct net_address *out);
/* Stops listening; may be called again. */
void listener_close(struct listener *listener);

#endif
