/* testbed/law.h - the known law: when each piece of work begins and ends, by arithmetic alone.
 *
 * With c servers and one queue, first come first served, work n that arrives at A_n begins at
 * max(A_n, the earliest instant at which a server is free) and holds that server for S_n. This is
 * the recursion of Lindley (c = 1, 1952) and of Kiefer and Wolfowitz (c > 1, 1955). It is computed
 * once, at the arrival; no timer has a part in it, so that a late timer delays one reply and never
 * the next. Checked against closed forms in test/unit/testbed/law.c.
 *
 *   Cost     O(log c) an arrival.
 *   Limits   arrivals must not go back in time: an earlier one is taken as the latest so far. */
#ifndef TESTBED_LAW_H
#define TESTBED_LAW_H

#include "base/list.h"
#include "testbed/testbed.h"

struct law;

/* One piece of work; lives inside what waits for it. */
struct law_work {
    struct list node;
    uint64_t number;
    nsec_t arrival_ns, begin_ns, service_ns, departure_ns;
};

/* Makes a law. Owner: caller. */
struct law *law_new(const struct law_options *options);
/* Frees it; all work must have left; NULL is fine; returns NULL. */
struct law *law_free(struct law *law);

/* S_n of this seed and kind, as law_arrive takes it. */
nsec_t law_service(const struct law_options *options, uint64_t number);

enum { LAW_FULL = 1 };

/* Takes work in and computes its times.
 *
 *   fixed_ns  its service time, or a negative number for S_n
 *
 * Returns 0, or LAW_FULL when as many as queue_limit already wait (work is then not touched). */
int law_arrive(struct law *law, struct law_work *work, nsec_t arrival_ns, nsec_t fixed_ns);
/* Ends it, at its departure or later. */
void law_leave(struct law *law, struct law_work *work);

/* Work in service at this instant. */
uint64_t law_busy(struct law *law, nsec_t now_ns);
/* The other half: work that waits. */
uint64_t law_queued(struct law *law, nsec_t now_ns);
/* Work accepted so far. */
uint64_t law_arrivals(const struct law *law);

#endif
