/* net_sim/pipe.h - the insides of the simulated network; nobody outside this room includes it.
 *
 * A connection is two ends. Each end owns what comes towards it: a queue of arrivals, in order of
 * their instants, and a ring of bytes, of which the first `arrived` may be read and the others are
 * still on their way. The world keeps, for each end, one entry in a heap: the instant of its next
 * arrival. */
#ifndef NET_SIM_PIPE_H
#define NET_SIM_PIPE_H

#include "base/list.h"
#include "base/random.h"
#include "net/stream.h"
#include "net/wheel.h"
#include "net_sim/world.h"

#include <stdatomic.h>

enum arrival_kind {
    ARRIVAL_DATA,      /* bytes may be read */
    ARRIVAL_END,       /* the other side has closed */
    ARRIVAL_RESET,     /* the connection broke */
    ARRIVAL_SPACE,     /* the other side has read: a write may be tried again */
    ARRIVAL_SYN,       /* the wish to connect reaches the listener */
    ARRIVAL_CONNECTED, /* its answer comes back */
    ARRIVAL_REFUSED,
    ARRIVAL_ACCEPTED, /* the server took the connection: it is told what it missed */
};

struct arrival {
    nsec_t at_ns;
    uint32_t bytes;
    uint32_t kind;
};

enum fate { FATE_NONE, FATE_RESET, FATE_END, FATE_SILENCE };

#define NOT_IN_HEAP UINT32_MAX

struct end {
    struct loop *loop;
    struct stream *stream; /* who uses it; NULL: nobody yet */
    struct end *peer;      /* NULL: gone */
    struct list node;      /* of the listener's queue */
    struct list all;       /* of the world's ends, or of its spare ones */
    uint32_t index;        /* the stream's fd */
    uint32_t heap_at;
    uint64_t number; /* of the connection, the same for both ends */
    struct random random;

    struct arrival *arrivals; /* a ring of arrival_room, a power of two */
    uint32_t arrival_room, arrival_first, arrival_count;
    char *bytes; /* a ring of byte_room, a power of two */
    uint32_t byte_room, byte_first, byte_count, arrived;
    nsec_t last_ns;      /* no arrival may overtake this one */
    nsec_t wire_free_ns; /* when the wire towards this end has sent what it was given */
    uint64_t fate_bytes; /* until then; of the direction towards this end */
    enum fate fate;
    bool ended, writer_waits;
    bool server;    /* the side that was connected to */
    bool told_gone; /* the word that the connection is broken is on its way to this end */
    bool fate_met;
    int error;
    struct net_address to; /* while connecting */
};

struct heap_entry {
    nsec_t due_ns;
    uint64_t order; /* of scheduling: breaks ties */
    struct end *end;
};

struct loop {
    nsec_t now_ns;
    struct wheel wheel;
    struct heap_entry *heap;
    uint32_t heap_count, heap_room;
    uint64_t order;
    struct list listeners, ends, spare;
    uint32_t ends_made;
    uint16_t next_port;
    struct sim_options options;
    uint64_t connects;
    struct sim_counts counts;
    uint64_t digest;
    nsec_t asleep_ns;
    nsec_t
        link_free_ns[2]; /* when the shared link has sent what it was given: to clients, servers */
    nsec_t client_free_ns; /* when the clients' processor is done with what it has to do */
    nsec_t client_busy_ns, client_lag_ns; /* since they were asked for */
    _Atomic bool woken;
};

/* What listener->impl points to. */
struct sim_listener {
    struct list node;
    struct listener *listener;
    struct net_address at;
    struct list queue; /* struct end */
    uint32_t queued, most;
    uint64_t served; /* connections, to serve in turn those who share an address */
    bool share;
};

/* ---- pipe.c ---------------------------------------------------------------------------------- */

/* A new end, without a peer or anything on its way. */
struct end *end_new(struct loop *loop);
/* Gives it up: nothing arrives any more. */
void end_free(struct end *end);
/* Makes two ends peers of one connection, and draws its fate. */
void end_join(struct end *client, struct end *server);
/* Lets something arrive after the network's delay, and after all that is on its way already. */
void end_send(struct end *to, enum arrival_kind kind, nsec_t extra_ns);
/* Lets something arrive now, before anything that is on its way. */
void end_tell(struct end *to, enum arrival_kind kind);
/* Lets bytes arrive. Returns how many were taken; 0: no room. */
uint32_t end_send_bytes(struct end *to, const char *from, size_t bytes);
/* Takes bytes that arrived. Returns how many. */
uint32_t end_take_bytes(struct end *end, char *into, size_t room);
/* Takes a piece's time of the clients' processor, and returns when it is done with it. */
nsec_t end_work(struct loop *loop);
/* Ends the connection on this side; reset: the other side is told so. */
void end_close(struct end *end, bool reset);

/* ---- loop.c ---------------------------------------------------------------------------------- */

/* Puts the end in the heap, or moves it there, by its first arrival; takes it out when none is. */
void world_schedule(struct end *end);

/* ---- stream.c -------------------------------------------------------------------------------- */

/* Hands out what arrived at an end at this instant. Returns the number of callbacks. */
int stream_arrive(struct end *end);

#endif
