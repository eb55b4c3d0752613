/* How large groups must be: the power of a t test, whose statistic follows the noncentral t when
 * there is something to find. The rank test needs 1 / 0.955 of its runs for normal data. */
#include "stat/quantile.h"
#include "stat/rank.h"

#include <math.h>

/* The chance that a noncentral t exceeds x: over the spread of the estimated deviation s, whose
 * square times the degrees is chi-squared, by Simpson's rule. */
static double beyond(double x, double degrees, double shift)
{
    enum { STEPS = 800 };
    int sign = 0;
    double sum = 0, most = 1 + 12 / sqrt(degrees), step = most / STEPS;
    double scale = degrees / 2 * log(degrees / 2) - lgamma_r(degrees / 2, &sign) + log(2);
    for (int i = 1; i <= STEPS; i++) {
        double s = i * step;
        double density = exp(scale + (degrees - 1) * log(s) - degrees * s * s / 2);
        double chance = erfc((x * s - shift) / M_SQRT2) / 2;
        sum += density * chance * (i == STEPS ? 1 : i % 2 ? 4 : 2);
    }
    return sum * step / 3;
}

static double power_of(double ones, double others, double shift, double alpha)
{
    double degrees = ones + others - 2;
    double limit = t_quantile(1 - alpha / 2, degrees);
    return beyond(limit, degrees, shift / sqrt(1 / ones + 1 / others));
}

double rank_runs_for(double change, double variation, double alpha, double power)
{
    double shift = fabs(change) / variation, low = 2, high = 2;
    if (!(shift > 0))
        return INFINITY;
    if (power_of(low, low, shift, alpha) >= power)
        return low;
    while (power_of(high, high, shift, alpha) < power)
        if ((high *= 2) > 1e9)
            return INFINITY;
    for (int turn = 0; turn < 80; turn++) {
        double middle = (low + high) / 2;
        if (power_of(middle, middle, shift, alpha) < power)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double rank_detectable(size_t ones, size_t others, double alpha, double power)
{
    if (ones < 2 || others < 2)
        return INFINITY;
    double low = 0, high = 1, m = (double)ones * .955, n = (double)others * .955;
    m = fmax(m, 1.5);
    n = fmax(n, 1.5);
    while (power_of(m, n, high, alpha) < power && high < 1e6)
        high *= 2;
    for (int turn = 0; turn < 60; turn++) {
        double middle = (low + high) / 2;
        if (power_of(m, n, middle, alpha) < power)
            low = middle;
        else
            high = middle;
    }
    return high;
}
