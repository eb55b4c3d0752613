/* study/replicates.h - levels that were measured more than once, together: the mean over them, and
 * how sure it is. One replicate is one value, whatever number of requests it had, since those of
 * one run share its placement, heat and caches.
 *
 *   Source   Student's t interval of a mean (Student, 1908).
 *   Tests    test/unit/study/replicates, against Student's own factors. */
#ifndef STUDY_REPLICATES_H
#define STUDY_REPLICATES_H

#include "study/level.h"

/* A mean with its 95 % interval, which is cut at 0: neither rates nor times are negative. */
struct replicates_figure {
    double mean, low, high; /* NAN: not known of two replicates at least */
};

/* What was measured at one load, size and number of instances. */
struct replicates {
    const struct level *first; /* of them, for its axes */
    size_t count;              /* of replicates that say something of the target */
    struct replicates_figure throughput, p95_s;
};

/* The mean of values with its interval; those that are NAN are left out. */
struct replicates_figure replicates_figure_of(const double *values, size_t count);

/* The loads of a series that were measured twice or more, in the order of their first level.
 * Levels that were stopped, or whose generator was saturated, are left out. Returns how many there
 * are. Owner: caller, free(). */
size_t replicates_find(const struct level_series *series, struct replicates **out);

#endif
