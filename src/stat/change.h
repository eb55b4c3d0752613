/* stat/change.h - where a series of results changed its level: E-divisive means.
 *
 * A split into n and m values is weighed by the energy distance of both sides,
 *   Q = n m / (n + m) (2 / (n m) sum |x - y| - 1 / n^2 sum |x - x'| - 1 / m^2 sum |y - y'|),
 * sums over all pairs (V-statistics; the U-statistic, with pairs of different values only, is
 * reported beside it). The best split of all segments counts when few random orders of the values
 * within their segments have as good a one: p = (k + 1) / (R + 1), which is never 0. Then the parts
 * are searched again.
 *
 *   Limits   Results are to be independent; nightly runs on a warming machine are not.
 *   Source   Matteson & James (2014), "A nonparametric approach for multiple change point analysis
 *            of multivariate data", JASA 109; Daly et al. (2020), ICPE, for its use on benchmarks.
 *   Tests    test/unit/stat/change. */
#ifndef STAT_CHANGE_H
#define STAT_CHANGE_H

#include <stddef.h>
#include <stdint.h>

enum { CHANGE_LEAST = 2, CHANGE_ORDERS = 199, CHANGE_VALUES_MOST = 100000 };

struct change {
    size_t at;     /* index, from 0, of the first value after the change */
    double q, q_u; /* as V-statistic and as U-statistic, in the segment where it was found */
    double p;      /* of the best split of all segments at that step */
};

struct change_rules {
    double p_most;   /* 0.05 */
    size_t least;    /* values on each side, at least CHANGE_LEAST */
    uint32_t orders; /* random orders a step */
    uint64_t seed;
};

/* The changes of a series, by index. Owner: caller, free(); NULL when there is none. */
struct change *change_find(const double *values, size_t count, const struct change_rules *rules,
                           size_t *found);

/* The best single split of a series: q at at; at 0 when it is too short. */
struct change change_best(const double *values, size_t count, size_t least);

#endif
