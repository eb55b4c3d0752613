/* stat/steady.h - where a series of measurements becomes steady, and whether it is.
 *
 * A level begins in a state that the load did not make: users arrive, connections open, caches
 * fill. What belongs to that beginning is found from the data (MSER-5), cut off, and the rest is
 * tested for drift. Both say so when the data do not carry an answer.
 *
 *   Source   MSER-5: White, "An effective truncation heuristic for bias reduction in simulation
 *            output", Simulation 69 (1997); the statistic is that of White, Cobb and Spratt (2000).
 *            Drift: least squares of batch means, Student's interval widened by their lag-1
 *            correlation, n (1 - r) / (1 + r).
 *   Tests    test/unit/stat/steady.c */
#ifndef STAT_STEADY_H
#define STAT_STEADY_H

#include <stdbool.h>
#include <stddef.h>

enum { STEADY_BATCH = 5 };

/* Batch means more alike than this are a bend or a step, or waves longer than what was measured. */
#define STEADY_MOST_LAG1 0.5

enum steady_outcome {
    STEADY_NOT = 1, /* the best cut lies at half of the series: it never became steady */
    STEADY_TOO_FEW, /* fewer than 10 batches of five */
};

/* The number of values at the beginning that are warm-up: a multiple of five, at most half.
 *   score   the statistic z at the cut, or NULL
 * Returns 0, STEADY_NOT (cut is then the limit) or STEADY_TOO_FEW (cut is then 0). */
int steady_cut(const double *values, size_t count, size_t *cut, double *score);

/* How a series drifts from its beginning to its end, as a share of its mean. */
struct steady_drift {
    double share;     /* change over the whole stretch, of the mean; NAN: too few or mean 0 */
    double low, high; /* its interval at 99 % */
    double lag1;      /* correlation of neighbouring batch means */
    size_t batches;
};

/* Values are put into 20 batches of equal size (fewer values: batches of one). */
struct steady_drift steady_drift_of(const double *values, size_t count);

/* Whether the drift is none: its interval lies within this share of 0; or contains 0, and
 * neighbours are not too much alike. */
bool steady_is(const struct steady_drift *drift, double tolerance);

#endif
