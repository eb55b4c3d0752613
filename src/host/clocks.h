/* host/clocks.h - whether the machine slept, or its wall clock was set, between two instants.
 *
 * CLOCK_MONOTONIC stands still while the machine is suspended and CLOCK_BOOTTIME does not; the wall
 * clock differs from both when somebody sets it. A clock that is slewed (by NTP, at most 500 parts
 * in a million) moves the wall clock and the monotonic one alike. */
#ifndef HOST_CLOCKS_H
#define HOST_CLOCKS_H

#include "base/clock.h"

struct clocks {
    nsec_t monotonic_ns, boot_ns, wall_ns;
    nsec_t spread_ns; /* how long reading the three took: no difference is surer than that */
};

/* Reads the three within a few hundred nanoseconds (the best of some tries). */
void clocks_read(struct clocks *out);

/* How long the machine slept between two readings; 0 when less than their spreads and 1 ms. */
nsec_t clocks_suspended(const struct clocks *before, const struct clocks *after);

/* By how much the wall clock was set, forwards or (negative) back; 0 when less than their spreads
 * and 1 ms. Time slept is no step. */
nsec_t clocks_stepped(const struct clocks *before, const struct clocks *after);

#endif
