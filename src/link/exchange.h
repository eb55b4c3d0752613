/* link/exchange.h - one request and its reply, over whatever connection the pool finds.
 *
 * An exchange is started with a request and then gets: head, data (any number), end; or error at
 * any point. Nothing comes after end, error or cancel. All times are the loop's. */
#ifndef LINK_EXCHANGE_H
#define LINK_EXCHANGE_H

#include "base/clock.h"
#include "base/list.h"
#include "base/text.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>

/* What is sent. Spans must stay valid until `sent` (bytes not yet taken by the kernel are copied).
 */
struct exchange_request {
    struct span method;
    struct span path;
    struct span headers; /* raw lines */
    struct span body;
    bool has_body;
    bool head_only; /* the method is HEAD */
    bool wants_head;
    bool stamped; /* its reply comes in parts, whose times the kernel is to take; not for all, since
                     it costs a tenth of the cheapest request */
    /* Over a child process; the body is then one message a line, without the last line's end. */
    uint64_t message_id; /* that its reply will carry */
    bool alone;          /* opens a session: nothing else is sent until it is answered */
    bool last;           /* the child takes no more, and is ended when all are answered */
};

/* Why an exchange failed. */
enum exchange_error {
    EXCHANGE_OK,
    EXCHANGE_DNS,
    EXCHANGE_REFUSED,
    EXCHANGE_UNREACHABLE,
    EXCHANGE_CONNECT_TIMEOUT,
    EXCHANGE_TLS,
    EXCHANGE_RESET,
    EXCHANGE_TIMEOUT, /* first byte or total */
    EXCHANGE_PROTOCOL,
    EXCHANGE_TOO_LARGE,
    EXCHANGE_LOCAL, /* no port, descriptor or memory left on this machine */
};

struct exchange;
struct pool;
struct connection;

struct exchange_handler {
    /* It left the queue: a connection was found, or one is opened for it (times.started_ns). Comes
     * once. */
    void (*started)(struct exchange *exchange);
    /* A connection is ready: fill in the request now; its bytes go out when this returns. Called
     * again when the request must be sent a second time on a fresh connection. */
    void (*compose)(struct exchange *exchange, struct exchange_request *out);
    void (*head)(struct exchange *exchange, int status, struct span head);
    void (*data)(struct exchange *exchange, struct span bytes, nsec_t rx_ns);
    void (*end)(struct exchange *exchange, nsec_t rx_ns);
    void (*error)(struct exchange *exchange, enum exchange_error error, const char *words,
                  nsec_t at_ns);
};

/* Instants and lengths of an exchange; 0: did not happen. */
struct exchange_times {
    nsec_t asked_ns;   /* exchange_start was called */
    nsec_t started_ns; /* left the pool's queue: a connection was found, or one is opened for it */
    nsec_t dns_ns, connect_ns, tls_ns; /* lengths; only for a connection opened for this exchange */
    nsec_t set_up_ns;   /* length: starting a child, and waiting while it was set up for another */
    nsec_t sent_ns;     /* before its first byte was written */
    nsec_t sent_all_ns; /* after its last byte was written */
    nsec_t first_ns;    /* first byte of the reply */
};

struct exchange {
    const struct exchange_handler *handler;
    struct list node; /* in the pool's queue, or on its connection */
    struct pool *pool;
    struct connection *connection; /* while it has one */
    struct connection **home;      /* the user's own connection (POOL_PER_USER), or NULL */
    struct exchange_times times;
    nsec_t timeout_ns;            /* from started to the last byte; 0: none */
    nsec_t deadline_ns;           /* started + timeout; NSEC_NEVER */
    uint64_t bytes_in, bytes_out; /* on the wire */
    uint64_t body_bytes;
    void *state; /* over a child process: state_bytes that live as long as the child; valid in
                    compose, data and end */
    uint64_t message_id; /* private */
    uint8_t stale;       /* second attempts made because a kept connection had died */
    bool fresh;          /* its connection was opened for it */
    bool running;
    uint8_t failing;           /* private: enum exchange_error to be told in the next turn */
    const char *failing_words; /* private */
};

/* Starts it on a pool.
 *
 *   home        the user's own connection of a POOL_KIND_PER_USER pool, kept between calls; else
 * NULL now_ns      the present instant, as the caller has just read it timeout_ns  counted from the
 * moment it leaves the queue; 0: none
 *
 * `started` and `compose` may be called before this returns; `error`, `head`, `data` and `end`
 * never are. */
void exchange_start(struct exchange *exchange, struct pool *pool,
                    const struct exchange_handler *handler, struct connection **home, nsec_t now_ns,
                    nsec_t timeout_ns);

/* Ends it now without calling back; its connection is closed. Fine when it is not running. */
void exchange_cancel(struct exchange *exchange);

/* Whether the exchange still waits for a connection. */
bool exchange_waits(const struct exchange *exchange);

#endif
