/* net/loop.h - one event loop a thread: waits for descriptors and timers, and calls back.
 *
 * Two libraries stand behind the headers of this room, chosen at link: `net` (epoll, real sockets,
 * the monotonic clock) and `net_sim` (a virtual clock and in-memory pipes; nothing waits, an hour
 * takes seconds, and the same seed gives the same run). Code above is the same for both.
 *
 *   Owner    a loop and everything opened on it belong to one thread; only loop_wake may be called
 *            from another.
 *   Timers   a hierarchical wheel: start and stop O(1); each fires at its due instant, not at a
 * tick. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/clock.h"
#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* Makes a loop. Returns 0 or -errno. Owner: caller, loop_free after everything on it is closed. */
int loop_new(struct loop **out);
/* Frees it; NULL is fine; returns NULL. */
struct loop *loop_free(struct loop *loop);

/* Now: reads the clock (about 25 ns); in simulation the virtual instant. */
nsec_t loop_now(const struct loop *loop);

/* Handles what is ready, waiting for it no longer than until until_ns (NSEC_NEVER: for ever) or the
 * next timer. Returns the number of callbacks made, or -errno. In simulation, waiting moves the
 * clock; with nothing at all to wait for and until_ns NSEC_NEVER it returns -EDEADLK. */
int loop_turn(struct loop *loop, nsec_t until_ns);

/* Makes the present or next wait of the loop end; from any thread, also a signal handler. */
void loop_wake(struct loop *loop);

/* What the loop did since the last call: asleep_ns is time spent waiting, worst_lag_ns the longest
 * that a due timer was late; both then start again from 0. */
void loop_usage(struct loop *loop, nsec_t *asleep_ns, nsec_t *worst_lag_ns);

/* ---- timers -----------------------------------------------------------------------------------
 */

struct timer {
    struct list node;
    nsec_t due_ns;
    void (*fire)(struct timer *timer, nsec_t now_ns); /* the timer is stopped when it is called */
};

/* A stopped timer. */
void timer_init(struct timer *timer, void (*fire)(struct timer *timer, nsec_t now_ns));
/* Starts or moves it: fires once at due_ns, or in the next turn when that is past. */
void timer_start(struct loop *loop, struct timer *timer, nsec_t due_ns);
/* Stops it, if it runs. */
void timer_stop(struct loop *loop, struct timer *timer);
/* Whether it is running. */
bool timer_running(const struct timer *timer);

/* ---- plain descriptors (resolver, child processes, signals); not in simulation ------------------
 */

enum { WATCH_READ = 1, WATCH_WRITE = 2 };

struct watch {
    int fd;
    void (*ready)(struct watch *watch, unsigned what); /* level triggered */
};

/* Watches a descriptor for WATCH_READ and WATCH_WRITE; calling it again changes what for; 0 ends
 * it. Returns 0 or -errno (-ENOTSUP in simulation). */
int loop_watch(struct loop *loop, struct watch *watch, unsigned what);

#endif
