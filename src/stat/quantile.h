/* stat/quantile.h - how sure a quantile is, and the distribution functions that say so.
 *
 * The number of records at or below the true quantile is binomial whatever the data's distribution,
 * so two of the sorted records enclose it with a probability that is known exactly. This holds for
 * independent records; those of one load test are correlated, so the interval is the least
 * uncertainty there is, never all of it.
 *
 *   Source   order-statistic intervals: Conover, "Practical Nonparametric Statistics", 3.2;
 *            incomplete beta: continued fraction DLMF 8.17.22, by Lentz's method.
 *   Tests    test/unit/stat/quantile, against values of R 4.2.2. */
#ifndef STAT_QUANTILE_H
#define STAT_QUANTILE_H

#include "stat/hist.h"

#include <stdint.h>

enum { QUANTILE_TOO_FEW = 1 };

/* The ranks (1 .. count) whose records enclose the quantile of this share with at least this
 * confidence: equal tails where the sample reaches, else the extreme record at the short side.
 *
 *   share        in (0, 1)
 *   confidence   in (0, 1), e.g. 0.95
 *   low, high    ranks; written on success only
 *   coverage     the exact probability, or NULL
 *
 * Returns 0, or QUANTILE_TOO_FEW: not even the least and the most would do. */
int quantile_ranks(uint64_t count, double share, double confidence, uint64_t *low, uint64_t *high,
                   double *coverage);

/* The same as durations: from the lower edge of the bucket of the low rank to the upper edge of
 * that of the high one. Returns 0 or QUANTILE_TOO_FEW. */
int hist_quantile_interval(const struct hist *hist, double share, double confidence, nsec_t *low_ns,
                           nsec_t *high_ns);

/* Distribution functions: the probability of a value at most x. Relative error about 1e-12 for
 * parameters up to 1e4; absolute error below 1e-7 up to 1e8.
 *   beta       a, b > 0; x in 0 .. 1 (the regularised incomplete beta function)
 *   t          degrees > 0
 *   f          both degrees > 0, x at least 0
 *   binomial   at most `hits` of `tries`, each with this chance */
double beta_share(double a, double b, double x);
double t_share(double x, double degrees);
double f_share(double x, double over_degrees, double under_degrees);
double binomial_share(uint64_t hits, uint64_t tries, double chance);

/* Their inverses: the x with this probability of a value at most x, share in (0, 1). For the
 * binomial the least number of hits whose share is at least this. */
double beta_quantile(double a, double b, double share);
double t_quantile(double share, double degrees);
double f_quantile(double share, double over_degrees, double under_degrees);
uint64_t binomial_quantile(double share, uint64_t tries, double chance);

#endif
