/* link/connection.h - one connection of a pool: dialled, perhaps wrapped in TLS, then carrying one
 * exchange after the other. Private to this room.
 *
 *   RESOLVING -> CONNECTING -> HANDSHAKING -> BUSY <-> IDLE -> (gone)
 *
 * Every state but IDLE has an exchange. A connection that breaks before its exchange's request was
 * sent tries the next address; one that was kept and dies without a byte of the reply is replaced
 * once. */
#ifndef LINK_CONNECTION_H
#define LINK_CONNECTION_H

#include "link/pool.h"
#include "net/resolve.h"
#include "net/stream.h"
#include "net/tls.h"
#include "wire/http1.h"

enum connection_state {
    CONNECTION_RESOLVING,
    CONNECTION_CONNECTING,
    CONNECTION_HANDSHAKING,
    CONNECTION_BUSY,
    CONNECTION_IDLE,
};

/* What is needed only until the connection stands. */
struct dial {
    struct resolve_query query;
    struct net_address addresses[RESOLVE_MOST_ADDRESSES];
    size_t count, next;
    nsec_t begin_ns, resolved_ns, connected_ns;
    struct connection *connection;
};

struct connection {
    struct stream stream;
    enum connection_state state;
    bool ended; /* the other side will send no more */
    struct tls *tls;
    struct pool *pool;
    struct exchange *exchange;
    struct connection **home;
    struct list node;   /* in pool.idle or link.spare */
    struct list again;  /* in link.again while the read budget has run out */
    struct timer timer; /* at or before the instant that matters; it looks and moves itself */
    struct dial *dial;
    nsec_t opened_ns, used_ns;
    nsec_t due_ns; /* connect, first byte or total: whichever is next; NSEC_NEVER */
    uint64_t requests;
    struct text unsent; /* bytes of the request that the kernel did not take at once */
    size_t unsent_at;
    struct http1_reader reader;
};

/* What all pools of a thread share. */
struct link {
    struct loop *loop;
    struct resolver *resolver;
    struct tls_context *tls;
    struct text out;   /* the request being written */
    char *in;          /* LINK_READ_BYTES: one read buffer a thread */
    struct list again; /* connections whose read budget ran out */
    struct timer again_timer;
    struct list channels; /* child processes, open or ending */
    struct list spare;    /* connections ready for use again */
    struct list failing;  /* exchanges whose error is to be told in the next turn */
    struct timer failing_timer;
};

enum {
    LINK_READ_BYTES = 64 * 1024,
    LINK_READ_BUDGET = 4,       /* reads of one connection a wake; then the others get their turn */
    LINK_STALE_CHECK_US = 1000, /* idle for longer than this: look before use */
};

struct pool {
    struct link *link;
    struct pool_options options;
    struct list idle;  /* shared: connections at rest, the latest used first */
    uint64_t resting;  /* per user: connections at rest in their users' hands */
    struct list queue; /* exchanges that wait */
    uint64_t open, dialing, waiting, opened;
    size_t next_source;
    nsec_t next_dial_ns; /* with a handshake rate: not before this */
    struct timer dial_timer;
    int error;                     /* of the last child that could not be started */
    char words[PIPED_WORDS_BYTES]; /* and why */
};

/* Opens a connection for an exchange. */
void connection_dial(struct pool *pool, struct exchange *exchange, nsec_t now_ns);
/* Sends an exchange's request on an idle connection. */
void connection_send(struct connection *connection, struct exchange *exchange);
/* Whether an idle connection may carry another request. */
bool connection_usable(struct connection *connection, nsec_t now_ns);
/* Goes on reading after the budget ran out. */
void connection_go_on(struct connection *connection);
/* Closes it and takes it out of its pool; its exchange, if any, is left to the caller. */
void connection_close(struct connection *connection, bool reset);

/* Tells an exchange its error, in the next turn of the loop when it is not called from an event. */
void exchange_fail_later(struct exchange *exchange, enum exchange_error error, const char *words);
/* Ends an exchange with an error now. */
void exchange_fail(struct exchange *exchange, enum exchange_error error, const char *words,
                   nsec_t at_ns);
/* Puts an exchange on a connection of its pool, or in the queue. */
void pool_place(struct pool *pool, struct exchange *exchange, nsec_t now_ns);
/* Lets waiting exchanges go as far as connections and limits allow. */
void pool_pump(struct pool *pool, nsec_t now_ns);
/* Marks the exchange as out of the queue. */
void exchange_mark_started(struct exchange *exchange, nsec_t now_ns);
/* What -errno of a stream means for an exchange. */
enum exchange_error exchange_error_of(int error, bool connecting);

#endif
