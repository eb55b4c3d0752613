/* stat/distribution.c - draws by inversion where the inverse is in closed form; gamma by rejection.
 */
#include "stat/distribution.h"

#include <math.h>

/* The 95th percentile of the standard normal: lognormal's shape comes from p95 / median. */
static const double normal_p95 = 1.6448536269514722;

static double polynomial(const double *factors, int count, double x)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum = sum * x + factors[i];
    return sum;
}

/* Inverse normal for p <= .5, relative error below 1.2e-9.
 * Source: P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution
 * function" (2003). */
static double rough_normal_quantile(double p)
{
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,
                               -2.759285104469687e+02, 1.383577518672690e+02,
                               -3.066479806614716e+01, 2.506628277459239e+00};
    static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02,
                               -1.556989798598866e+02, 6.680131188771972e+01,
                               -1.328068155288572e+01, 1.0};
    static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01,
                               -2.400758277161838e+00, -2.549732539343734e+00,
                               4.374664141464968e+00,  2.938163982698783e+00};
    static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                               3.754408661907416e+00, 1.0};
    if (p < 0.02425) {
        double q = sqrt(-2 * log(p));
        return polynomial(c, 6, q) / polynomial(d, 5, q);
    }
    double q = p - 0.5, r = q * q;
    return polynomial(a, 6, r) * q / polynomial(b, 6, r);
}

double normal_quantile(double p)
{
    if (!(p > 0))
        return p == 0 ? -INFINITY : NAN;
    if (!(p < 1))
        return p == 1 ? INFINITY : NAN;
    /* The lower half has the precision; 1 - p is exact for p >= .5. */
    double tail = p <= 0.5 ? p : 1 - p;
    double x = rough_normal_quantile(tail);
    /* Halley's step on the distribution function: 1e-9 becomes full precision. Near the middle the
     * difference is taken from .5, so that x keeps its digits where it is small. */
    double excess =
        tail > 0.25 ? 0.5 * erf(x * M_SQRT1_2) - (tail - 0.5) : 0.5 * erfc(-x * M_SQRT1_2) - tail;
    double step = excess * sqrt(2 * M_PI) * exp(x * x / 2);
    if (isfinite(step)) /* not so below 1e-308, where the rough value stays */
        x -= step / (1 + x * step / 2);
    return p <= 0.5 ? x : -x;
}

/* Gamma with this shape and scale 1.
 * Source: Marsaglia & Tsang, "A simple method for generating gamma variables" (2000); for shapes
 * below 1 their boost: gamma(shape + 1) * U^(1 / shape). */
static double draw_gamma(double shape, struct random *random)
{
    double boost = 1;
    if (shape < 1) {
        boost = pow(random_unit(random), 1 / shape);
        shape += 1;
    }
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = normal_quantile(random_unit(random));
        double v = 1 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        if (log(random_unit(random)) < x * x / 2 + d - d * v + d * log(v))
            return boost * d * v;
    }
}

/* The sigma of the logarithm, from the median and the 95th percentile. */
static double lognormal_sigma(const struct distribution *distribution)
{
    return log(distribution->b / distribution->a) / normal_p95;
}

static double draw_uncut(const struct distribution *distribution, struct random *random)
{
    double a = distribution->a, b = distribution->b;
    switch (distribution->spread) {
    case SPREAD_NONE:
        return 0;
    case SPREAD_FIXED:
        return a;
    case SPREAD_UNIFORM:
        return a + (b - a) * random_unit(random);
    case SPREAD_EXPONENTIAL:
        return -a * log(random_unit(random));
    case SPREAD_NORMAL:
        return a + b * normal_quantile(random_unit(random));
    case SPREAD_LOGNORMAL:
        return a * exp(lognormal_sigma(distribution) * normal_quantile(random_unit(random)));
    case SPREAD_GAMMA:
        return a / b * draw_gamma(b, random);
    case SPREAD_PARETO:
        return a * pow(random_unit(random), -1 / b);
    }
    return 0;
}

double distribution_draw(const struct distribution *distribution, struct random *random)
{
    double value = draw_uncut(distribution, random);
    if (distribution->spread == SPREAD_NONE)
        return value;
    if (value < distribution->least)
        value = distribution->least;
    if (distribution->most > 0 && value > distribution->most)
        value = distribution->most;
    return value;
}

void distribution_scale(struct distribution *distribution, double factor)
{
    enum spread spread = distribution->spread;
    distribution->a *= factor;
    if (spread == SPREAD_UNIFORM || spread == SPREAD_NORMAL || spread == SPREAD_LOGNORMAL)
        distribution->b *= factor; /* of the others it is a shape */
    distribution->least *= factor;
    distribution->most *= factor;
}

double distribution_mean(const struct distribution *distribution)
{
    double a = distribution->a, b = distribution->b;
    switch (distribution->spread) {
    case SPREAD_NONE:
        return 0;
    case SPREAD_FIXED:
    case SPREAD_EXPONENTIAL:
    case SPREAD_NORMAL:
    case SPREAD_GAMMA:
        return a;
    case SPREAD_UNIFORM:
        return (a + b) / 2;
    case SPREAD_LOGNORMAL: {
        double sigma = lognormal_sigma(distribution);
        return a * exp(sigma * sigma / 2);
    }
    case SPREAD_PARETO:
        return b > 1 ? a * b / (b - 1) : INFINITY;
    }
    return 0;
}
