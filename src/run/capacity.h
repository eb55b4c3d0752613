/* run/capacity.h - looks for the load at which an objective is just kept: between the highest level
 * that kept it and the lowest that did not, by halving, until they are near enough to each other.
 *
 * Arithmetic only; whoever measures asks for the next load and tells what came of it. */
#ifndef RUN_CAPACITY_H
#define RUN_CAPACITY_H

#include "plan/plan.h"
#include "study/level.h"

#include <stdbool.h>

enum { CAPACITY_TRIES = 12 };

struct capacity {
    double good, bad;  /* last load that kept it, first that did not; 0 and INFINITY: none yet */
    double resolution; /* share of the good one */
    bool whole;        /* loads are users */
    unsigned tries;    /* loads asked for so far */
};

/* Takes a level that was measured, in any order: a load below one that failed is not good again
 * above it. */
void capacity_take(struct capacity *capacity, double load, bool kept);

/* The next load to measure; false when the answer is near enough, or cannot be found: nothing
 * failed (the capacity was not reached), or too often asked. */
bool capacity_next(struct capacity *capacity, double *load);

/* Whether a level kept the plan's critical response time and error rate. A level whose statistic is
 * not known did not. */
bool capacity_kept(const struct plan_scale *scale, const struct level *level);

/* The response time, s, that is judged; NAN: not known. */
double capacity_response_s(const struct plan_scale *scale, const struct level *level);

#endif
