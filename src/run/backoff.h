/* run/backoff.h - how long to wait before a control call is tried again: twice as long each time,
 * with full jitter, so that many who failed at one instant do not come back at one instant.
 *
 *   Source   M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): full
 *            jitter, wait = random between 0 and min(most, first * 2^tries). Here the lower half of
 *            the range is left out, so that a wait is never next to nothing. */
#ifndef RUN_BACKOFF_H
#define RUN_BACKOFF_H

#include "base/clock.h"

#include <stdint.h>

struct backoff {
    nsec_t first_ns, most_ns; /* range of the first wait; and what no range exceeds */
    uint32_t tries;           /* calls in all; 1: never again */
};

/* What control planes are tried with: 0.1 s, doubling to 5 s, six calls. */
#define BACKOFF_CONTROL                                                                            \
    ((struct backoff){.first_ns = 100 * NSEC_PER_MSEC, .most_ns = 5 * NSEC_PER_SEC, .tries = 6})

/* The wait after this many failed calls (at least 1); -1: give up. unit: a random number between 0
 * and 1. */
nsec_t backoff_wait(const struct backoff *backoff, uint32_t failed, double unit);

#endif
