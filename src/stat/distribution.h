/* stat/distribution.h - spreads of a quantity, as a plan states them, and draws from them.
 *
 * A draw is a function of uniform numbers handed in, so that it is the same for any thread.
 *   Source   inversion for exponential, lognormal by Acklam's inverse normal refined once; gamma by
 *            Marsaglia & Tsang (2000), which may take several uniforms from the sequence. */
#ifndef STAT_DISTRIBUTION_H
#define STAT_DISTRIBUTION_H

#include "base/random.h"

enum spread {
    SPREAD_NONE,        /* always 0 */
    SPREAD_FIXED,       /* a */
    SPREAD_UNIFORM,     /* a .. b */
    SPREAD_EXPONENTIAL, /* mean a */
    SPREAD_NORMAL,      /* mean a, standard deviation b, cut at least .. most */
    SPREAD_LOGNORMAL,   /* median a, 95th percentile b */
    SPREAD_GAMMA,       /* mean a, shape b (b = 1: exponential) */
    SPREAD_PARETO,      /* least a, shape b */
};

struct distribution {
    enum spread spread;
    double a, b;        /* in the unit of the quantity: seconds for times */
    double least, most; /* draws are cut to these; most 0: no upper cut */
};

/* The next draw. */
double distribution_draw(const struct distribution *distribution, struct random *random);

/* Mean of the distribution (before cuts). */
double distribution_mean(const struct distribution *distribution);

/* Multiplies all draws by a factor above 0 (another unit, or another pace). */
void distribution_scale(struct distribution *distribution, double factor);

/* The standard normal quantile, p in (0, 1), absolute error below 1e-15 * |x|. */
double normal_quantile(double p);

#endif
