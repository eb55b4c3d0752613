/* testbed/balance.h - which machine a new connection goes to, as a balancer of connections (L4) has
 * it.
 *
 * Machine i of N has the weight 1 / (i + 1)^skew, and connections are given out by smooth weighted
 * round robin: after n of them each machine has n times its share, to less than one. With skew 0
 * this is plain round robin. Balancers of connections come to be uneven by themselves: addresses
 * are hashed, connections are kept alive while machines are added, one client's address is pinned.
 * Whatever the reason, the unevenness is this one number.
 *
 *   Source   the weights are Zipf's; smooth weighted round robin is nginx's (2012). */
#ifndef TESTBED_BALANCE_H
#define TESTBED_BALANCE_H

#include <stdint.h>

struct balance;

/* Makes one for this many machines, at least 1. Owner: caller. */
struct balance *balance_new(uint64_t machines, double skew);
/* Frees it; NULL is fine; returns NULL. */
struct balance *balance_free(struct balance *balance);
/* The machine of the next connection. */
uint64_t balance_next(struct balance *balance);

#endif
