/* load/arrival.h - when arrival n comes: a function of n and the seed, whatever the target does and
 * however many threads share the work.
 *
 * Constant gaps: when the area under the course reaches n. Poisson and gamma gaps: when it reaches
 * the sum of the first n + 1 unit-mean gaps; gap i is drawn from its own counters, and the sums are
 * kept at the beginning of each block of ARRIVAL_BLOCK, so that thread k of K finds its arrivals n
 * = k (mod K) without asking the others. Replay: the n-th timestamp of a trace. */
#ifndef LOAD_ARRIVAL_H
#define LOAD_ARRIVAL_H

#include "load/course.h"
#include "plan/plan.h"

#include <stdint.h>

enum { ARRIVAL_BLOCK = 1024 };

struct arrivals;

/* Makes the arrivals of an open scenario. The plan and the course must outlive them. */
struct arrivals *arrivals_new(const struct plan_scenario *scenario, const struct course *course,
                              uint64_t key);
struct arrivals *arrivals_free(struct arrivals *arrivals);

/* The instant of arrival n since the run's start; NSEC_NEVER when the scenario is over before,
 * or has a number of iterations and these are all.
 * Cheap for growing n. */
nsec_t arrivals_instant(struct arrivals *arrivals, uint64_t n);

#endif
