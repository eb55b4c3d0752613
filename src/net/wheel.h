/* net/wheel.h - a hierarchical timer wheel whose timers fire at their own instants, not at ticks.
 *
 *   Shape    4 levels of 256 slots; a tick is 2^16 ns (66 us), so the levels span 17 ms, 4.3 s, 18
 * min and 78 h; what is due later waits in the last level and is placed again. Cost     start and
 * stop O(1); finding the next due instant a few words of bitmap Source   G. Varghese, T. Lauck,
 * "Hashed and hierarchical timing wheels" (SOSP 1987). */
#ifndef NET_WHEEL_H
#define NET_WHEEL_H

#include "net/loop.h"

#include <stddef.h>
#include <stdint.h>

enum { WHEEL_LEVELS = 4, WHEEL_SLOTS = 256, WHEEL_TICK_BITS = 16 };

struct wheel {
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
    uint64_t used[WHEEL_LEVELS]
                 [WHEEL_SLOTS / 64]; /* a set bit may be stale: the slot emptied since */
    uint64_t tick;                   /* everything due before this tick has fired */
    size_t count;                    /* running timers */
    nsec_t next_ns;                  /* no timer is due before this; a lower bound */
};

/* A wheel that starts at now_ns. */
void wheel_init(struct wheel *wheel, nsec_t now_ns);
/* Puts a stopped timer in; a due instant in the past fires at the next wheel_run. */
void wheel_start(struct wheel *wheel, struct timer *timer, nsec_t due_ns);
/* Takes a timer out, if it runs. */
void wheel_stop(struct wheel *wheel, struct timer *timer);
/* The instant at which wheel_run should be called next: exact when a timer is due within 17 ms,
 * else maybe earlier (timers then move down a level). NSEC_NEVER when none runs. */
nsec_t wheel_next(struct wheel *wheel);
/* Fires everything due at or before now_ns. Returns how many fired; worst_lag_ns is raised to the
 * longest delay seen. */
int wheel_run(struct wheel *wheel, nsec_t now_ns, nsec_t *worst_lag_ns);

#endif
