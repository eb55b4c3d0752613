/* net_sim/world.h - what the simulated network does to those who use it, all of it from one seed.
 *
 * Every loop is a world of its own: the streams and listeners on it see each other by address, and
 * nothing else exists. The clock starts at one second and moves only when loop_turn waits. The same
 * seed and the same calls give the same events at the same instants (sim_digest).
 *
 *   Link     all connections of a direction may share one link, first come first served
 *   Order    bytes of one direction arrive in order, like TCP's; with jitter they queue behind each
 *            other
 *   Cost     about 0.3 us for a request and its reply besides what the two programs do; no
 *            allocation once buffers have grown to what the connections need (test/unit/net_sim)
 *   Limits   2^24 connections at once; a listener keeps 65536 connections that nobody took */
#ifndef NET_SIM_WORLD_H
#define NET_SIM_WORLD_H

#include "net/loop.h"

#include <stdint.h>

struct sim_options {
    uint64_t seed;
    nsec_t delay_ns;              /* one way */
    nsec_t jitter_ns;             /* up to this much more, drawn evenly for each write */
    double bytes_per_second;      /* of each direction of a connection; 0: no limit */
    double link_bytes_per_second; /* of each direction of all connections together; 0: no limit */
    /* Processor time that each piece of data, sent or received, costs those who connect: they are
     * one program on one processor, which falls behind when it has more to do (loop_usage tells).
     * Those who listen are not held up by it. */
    nsec_t client_ns;
    uint32_t window_bytes; /* unread bytes that a direction holds; 0: 64 KiB */
    double split_share;    /* of writes arrive in pieces, cut at random bytes */
    nsec_t split_gap_ns;   /* up to this much, at least 1 ns, between pieces */
    double refuse_share;   /* of connects are refused */
    double reset_share;    /* of connections are reset at a random byte */
    double end_share;      /* of connections end there, as if the sender had closed */
    double silence_share;  /* of connections lose all that one side sends from there on */
    uint64_t fault_bytes;  /* the random byte lies below this; 0: 4096 */
};

/* Sets how the network behaves from now on; without it nothing is late, cut or lost. What is under
 * way keeps its instants. */
void sim_configure(struct loop *loop, const struct sim_options *options);

/* A number that is the same for the same sequence of arrivals (instant, connection, kind, bytes)
 * since the loop was made. */
uint64_t sim_digest(const struct loop *loop);

struct sim_counts {
    uint64_t connections; /* that reached a listener */
    uint64_t refused;     /* connects, for want of a listener or by refuse_share */
    uint64_t faults;      /* connections that were reset, ended or silenced by the options */
    uint64_t arrivals;    /* pieces of data that arrived */
    uint64_t bytes;       /* in them */
};
void sim_counts(const struct loop *loop, struct sim_counts *out);

#endif
