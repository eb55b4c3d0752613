/* load/arrival.h - when arrival n comes: a function of n and the seed, whatever the target does and
 * however many threads share the work.
 *
 * Constant gaps: when the area under the course reaches n. Poisson and gamma gaps: when it reaches
 * the sum of the first n + 1 unit-mean gaps; gap i is drawn from its own counters, and the sums are
 * kept at the beginning of each block of ARRIVAL_BLOCK, so that thread k of K finds its arrivals n
 * = k (mod K) without asking the others. Replay: the n-th timestamp of a file. */
#ifndef LOAD_ARRIVAL_H
#define LOAD_ARRIVAL_H

#include "load/course.h"
#include "plan/plan.h"

#include <stdint.h>

enum { ARRIVAL_BLOCK = 1024 };

struct arrivals;

/* Makes the arrivals of an open scenario. course must outlive them. Returns 0, -errno (the trace
 * cannot be read) or ARRIVALS_BAD_TRACE; words then says what and where. */
enum { ARRIVALS_BAD_TRACE = 1 };
int arrivals_new(struct arrivals **out, const struct plan_scenario *scenario,
                 const struct course *course, uint64_t key, char *words, size_t room);
struct arrivals *arrivals_free(struct arrivals *arrivals);

/* The instant of arrival n since the run's start; NSEC_NEVER when the scenario is over before.
 * Cheap for growing n. */
nsec_t arrivals_instant(struct arrivals *arrivals, uint64_t n);

#endif
