/* link/pool.h - the connections of one loop thread to one target.
 *
 *   per user     each user keeps its own connection
 *   shared       at most `most` connections; requests queue for one in order of asking
 *   new          one for each request
 *
 * Over a child process (options.command) a connection is a child: one message a line, its replies
 * told apart by JSON-RPC id; one for each user, or, shared, `most` (1 when not given) that carry
 * any number of exchanges at a time.
 *
 * A kept connection is looked at before it is used again; when it dies with no byte received, the
 * exchange is sent once more on a fresh one and `stale` counts it. */
#ifndef LINK_POOL_H
#define LINK_POOL_H

#include "link/exchange.h"
#include "net/loop.h"
#include "net/piped.h"
#include "net/resolve.h"
#include "net/tls.h"

#include <stdbool.h>
#include <stdint.h>

enum pool_kind { POOL_KIND_PER_USER, POOL_KIND_SHARED, POOL_KIND_NEW };

struct pool_options {
    enum pool_kind kind;
    const char *host; /* name or literal, or path of a Unix socket */
    uint16_t port;
    bool unix_socket, tls;
    const char *host_line;             /* for Host: "example.org:8080" */
    const char *server_name;           /* for SNI; NULL: host */
    uint32_t most;                     /* this thread's share; 0: no limit */
    nsec_t max_age_ns;                 /* 0: no limit */
    uint64_t max_requests;             /* 0: no limit */
    const struct net_address *sources; /* used in turn; or none */
    size_t source_count;
    double handshake_rate;     /* this thread's share, a second; 0: no limit */
    uint32_t max_handshakes;   /* pending at once; 0: no limit */
    nsec_t connect_timeout_ns; /* 0: none; covers dns, connect and tls */
    nsec_t first_byte_timeout_ns;
    uint64_t max_response_bytes;         /* 0: no limit */
    const struct piped_command *command; /* of a child; NULL: connections are made to host */
    size_t state_bytes;                  /* kept with each child for who speaks to it */
};

/* The read buffer and other scratch that all pools of a thread share. */
struct link;
/* tls: of connections to https targets; NULL where there are none. Returns 0. Owner: caller,
 * link_free after its pools. */
int link_new(struct link **out, struct loop *loop, struct resolver *resolver,
             struct tls_context *tls);
struct link *link_free(struct link *link);

/* Makes a pool; the option's texts must outlive it. Returns 0 or -errno. */
int pool_new(struct pool **out, struct link *link, const struct pool_options *options);
/* Closes all connections; running exchanges must have been cancelled. NULL is fine; returns NULL.
 */
struct pool *pool_free(struct pool *pool);

/* Closes a user's own connection; fine when there is none. */
void pool_release_home(struct connection **home);

/* Ends all child processes of a thread's pools, and waits until they have ended: a few seconds at
 * most, turning the loop. No exchange may be under way. */
void link_settle(struct link *link);

struct pool_state {
    uint64_t open, idle, dialing; /* connections now */
    uint64_t waiting;             /* exchanges in the queue now */
    uint64_t opened;              /* since the pool was made */
};
/* How the pool is at this instant; on its own thread. */
void pool_state(const struct pool *pool, struct pool_state *out);

#endif
