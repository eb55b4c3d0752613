/* stat/quantile.c - all distribution functions here are the incomplete beta function in disguise.
 */
#include "stat/quantile.h"

#include "base/check.h"

#include <float.h>
#include <math.h>

/* ---- incomplete beta ---------------------------------------------------------------------- */

static double log_gamma(double x)
{
    int sign; /* lgamma would write a global */
    return lgamma_r(x, &sign);
}

/* x^a (1-x)^b / B(a, b): the density times x (1 - x). */
static double beta_weight(double a, double b, double x)
{
    return exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
}

static double away_from_zero(double x)
{
    return fabs(x) < DBL_MIN / DBL_EPSILON ? DBL_MIN / DBL_EPSILON : x;
}

/* The continued fraction 1 / (1 + d1 / (1 + d2 / (1 + ...))) of I_x(a, b), which converges fast for
 * x < (a + 1) / (a + b + 2), in about sqrt(max(a, b)) terms. */
static double beta_fraction(double a, double b, double x)
{
    double value = 1, upper = 1, lower = 0;
    for (int n = 1; n < 10000000; n++) {
        int half = n / 2; /* of odd terms the lower half */
        double m = half;
        double d = n % 2 ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                         : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        lower = 1 / away_from_zero(1 + d * lower);
        upper = away_from_zero(1 + d / upper);
        double factor = upper * lower;
        value *= factor;
        if (fabs(factor - 1) < 4 * DBL_EPSILON)
            break;
    }
    return 1 / value;
}

double beta_share(double a, double b, double x)
{
    check(a > 0 && b > 0);
    if (!(x > 0))
        return 0;
    if (x >= 1)
        return 1;
    if (x < (a + 1) / (a + b + 2))
        return beta_weight(a, b, x) * beta_fraction(a, b, x) / a;
    return 1 - beta_weight(a, b, x) * beta_fraction(b, a, 1 - x) / b;
}

/* Newton's method, kept between bounds that every step narrows. */
double beta_quantile(double a, double b, double share)
{
    if (!(share > 0))
        return 0;
    if (share >= 1)
        return 1;
    double low = 0, high = 1, x = a / (a + b);
    for (int step = 0; step < 1100 && high - low > DBL_EPSILON * x; step++) {
        double off = beta_share(a, b, x) - share;
        if (off > 0)
            high = x;
        else
            low = x;
        double next = x - off * x * (1 - x) / beta_weight(a, b, x);
        if (!(next > low && next < high))
            next = low + (high - low) / 2;
        if (fabs(next - x) <= DBL_EPSILON * x)
            return next;
        x = next;
    }
    return x;
}

/* ---- t and F ------------------------------------------------------------------------------ */

double t_share(double x, double degrees)
{
    double square = x * x;
    double tail = square < degrees
                      ? (1 - beta_share(0.5, degrees / 2, square / (degrees + square))) / 2
                      : beta_share(degrees / 2, 0.5, degrees / (degrees + square)) / 2;
    return x < 0 ? tail : 1 - tail;
}

double t_quantile(double share, double degrees)
{
    double tail = share < 0.5 ? share : 1 - share;
    double square; /* of t, from the side of the beta distribution that keeps the digits */
    if (tail > 0.25) {
        double x = beta_quantile(0.5, degrees / 2, 1 - 2 * tail);
        square = degrees * x / (1 - x);
    } else {
        double x = beta_quantile(degrees / 2, 0.5, 2 * tail);
        square = degrees * (1 - x) / x;
    }
    return share < 0.5 ? -sqrt(square) : sqrt(square);
}

double f_share(double x, double over_degrees, double under_degrees)
{
    if (!(x > 0))
        return 0;
    double over = over_degrees * x;
    if (over < under_degrees)
        return beta_share(over_degrees / 2, under_degrees / 2, over / (over + under_degrees));
    return 1 -
           beta_share(under_degrees / 2, over_degrees / 2, under_degrees / (over + under_degrees));
}

double f_quantile(double share, double over_degrees, double under_degrees)
{
    double x = beta_quantile(over_degrees / 2, under_degrees / 2, share);
    if (x < 0.5)
        return under_degrees * x / (over_degrees * (1 - x));
    double rest = beta_quantile(under_degrees / 2, over_degrees / 2, 1 - share);
    return under_degrees * (1 - rest) / (over_degrees * rest);
}

/* ---- binomial ----------------------------------------------------------------------------- */

double binomial_share(uint64_t hits, uint64_t tries, double chance)
{
    if (hits >= tries || !(chance > 0))
        return 1;
    return beta_share((double)(tries - hits), (double)hits + 1, 1 - chance);
}

uint64_t binomial_quantile(double share, uint64_t tries, double chance)
{
    uint64_t low = 0, high = tries; /* the answer lies in low .. high */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (binomial_share(middle, tries, chance) >= share)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* ---- intervals of quantiles --------------------------------------------------------------- */

/* The chance that fewer than `rank` of the records lie at or below the quantile. */
static double share_below_rank(uint64_t rank, uint64_t count, double share)
{
    return rank == 0 ? 0 : binomial_share(rank - 1, count, share);
}

int quantile_ranks(uint64_t count, double share, double confidence, uint64_t *low, uint64_t *high,
                   double *coverage)
{
    check(share > 0 && share < 1 && confidence > 0 && confidence < 1);
    double outside = 1 - confidence;
    double at_most = pow(share, (double)count);      /* all records at or below: most is no bound */
    double at_least = pow(1 - share, (double)count); /* none: the least is no bound */
    if (count == 0 || at_most + at_least > outside)
        return QUANTILE_TOO_FEW;
    /* Where half of the outside does not reach to a record, the extreme one bounds that side and
     * the other side gets what is left. */
    double upper = fmax(outside / 2, at_most), lower = fmax(outside / 2, at_least);
    upper = fmin(upper, outside - (lower > outside / 2 ? lower : 0));
    lower = fmin(lower, outside - (upper > outside / 2 ? upper : 0));
    uint64_t first = binomial_quantile(lower, count, share);
    uint64_t last = binomial_quantile(1 - upper, count, share) + 1;
    first = first < 1 ? 1 : first;
    last = last > count ? count : last;
    *low = first;
    *high = last;
    if (coverage != NULL)
        *coverage = share_below_rank(last, count, share) - share_below_rank(first, count, share);
    return 0;
}

int hist_quantile_interval(const struct hist *hist, double share, double confidence, nsec_t *low_ns,
                           nsec_t *high_ns)
{
    uint64_t low, high;
    if (quantile_ranks(hist->count, share, confidence, &low, &high, NULL) != 0)
        return QUANTILE_TOO_FEW;
    uint32_t low_bucket = hist_bucket_at_rank(hist, low);
    uint32_t high_bucket = hist_bucket_at_rank(hist, high);
    nsec_t from = low_bucket < HIST_BUCKETS ? hist_bucket_low(low_bucket)
                                            : hist_bucket_high(HIST_BUCKETS - 1) + 1;
    nsec_t to = high_bucket < HIST_BUCKETS ? hist_bucket_high(high_bucket) : hist->most;
    *low_ns = from < hist->least ? hist->least : from;
    *high_ns = to > hist->most ? hist->most : to;
    return 0;
}
