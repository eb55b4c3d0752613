/* testbed/quota.h - a quota of processor time as Linux' CFS bandwidth controller has it, by
 * arithmetic: in each period of 100 ms all that work together may have so much processor time, and
 * who needs more waits for the next period.
 *
 * Work is taken in order of its beginning, and who began first has the period's time first.
 *
 *   Source   Linux, Documentation/scheduler/sched-bwc.rst.
 *   Checked  test/unit/testbed/quota.c, against periods worked out by hand. */
#ifndef TESTBED_QUOTA_H
#define TESTBED_QUOTA_H

#include "base/clock.h"

#include <stdint.h>

#define QUOTA_PERIOD_NS (100 * NSEC_PER_MSEC)

struct quota;

/* Makes one of this many processors, above 0. Owner: caller. */
struct quota *quota_new(double processors);
/* Frees it; NULL is fine; returns NULL. */
struct quota *quota_free(struct quota *quota);

/* Takes in work that could begin at begin_ns, not before that of the work before, and needs this
 * much processor time, on one processor at a time. Returns when it is over. */
nsec_t quota_book(struct quota *quota, nsec_t begin_ns, nsec_t cost_ns);

/* Counts of the time until an instant, as a cgroup tells them; not before the last asked for. */
struct quota_counts {
    nsec_t used_ns;
    uint64_t periods, throttled; /* periods with work, and those in which the quota ran out */
    nsec_t throttled_ns;         /* how long until their ends */
};
void quota_counts(struct quota *quota, nsec_t now_ns, struct quota_counts *out);

#endif
