/* stat/rank.h - whether two groups of runs differ, by ranks: no normal distribution is assumed.
 *
 * A value is one run, not one request: a million requests of one run are one draw of placement,
 * heat and caches.
 *   Source   Mann & Whitney (1947); Hodges & Lehmann (1963); Holm (1979); exact distribution and
 *            intervals as R's wilcox.test has them; sizes of groups by the noncentral t.
 *   Tests    test/unit/stat/rank. */
#ifndef STAT_RANK_H
#define STAT_RANK_H

#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RANK_EXACT_MOST = 50, RANK_MOST = 5000 }; /* values of a group */
enum { RANK_TOO_FEW = 1, RANK_TOO_MANY = 2 };

/* Group `one` against group `other`. */
struct rank_test {
    double u;         /* pairs in which one is larger; ties count half (R's W) */
    bool exact;       /* both groups of at most 50 and no ties; else the normal approximation */
    bool ties;        /* equal values among all */
    double p;         /* two-sided */
    double p_greater; /* that one is larger */
    double p_less;
    double
        p_normal; /* two-sided, by the normal approximation with half a step and ties corrected */
    double p_normal_plain; /* the same without the half step; both are p's rivals, for comparing */
    double shift;          /* Hodges-Lehmann: median of all one_i - other_j */
    double low, high;      /* its interval; infinite where so few values cannot carry it */
    double coverage;       /* confidence that the interval has; NAN when infinite */
    double common;         /* common-language effect size: u / pairs */
    double cliff;          /* Cliff's delta: 2 common - 1 */
};

/* Returns 0, RANK_TOO_FEW (an empty group) or RANK_TOO_MANY. */
int rank_compare(const double *one, size_t ones, const double *other, size_t others,
                 double confidence, struct rank_test *out);

/* The least two-sided p that groups of these sizes can reach: 2 / (all ways to divide them). */
double rank_least_p(size_t ones, size_t others);
/* How many values each group needs for a two-sided p of alpha to be possible. */
size_t rank_least_runs(double alpha);
/* The exact chance of u or less. */
double rank_share(double u, size_t ones, size_t others);

/* How many runs a group needs to find a change of this share with this power, when runs vary by
 * `variation` (standard deviation over mean): of the two-sided t test, not rounded; the rank test
 * needs 1 / 0.955 of it, and rank_least_runs. */
double rank_runs_for(double change, double variation, double alpha, double power);
/* The least change that groups of these sizes find with this power, in standard deviations. */
double rank_detectable(size_t ones, size_t others, double alpha, double power);

/* Adjusts p values in place for several questions at once. */
void rank_holm(double *p, size_t count);
void rank_benjamini_hochberg(double *p, size_t count);

/* The interval of a statistic (of a sample) by drawing the sample again, `turns` times with this
 * seed; percentiles of what comes out. */
struct rank_interval {
    double low, high;
};
struct rank_interval rank_bootstrap(const double *values, size_t count, double confidence,
                                    uint64_t seed,
                                    double (*statistic)(const double *values, size_t count));

/* The median of values, which are sorted in place; NAN of none. */
double rank_median(double *values, size_t count);

#endif
