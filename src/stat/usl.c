/* The law itself: what follows from three parameters by algebra alone. */
#include "stat/usl.h"

#include <math.h>

double usl_at(struct usl law, double n)
{
    return law.gamma * n / (1 + law.alpha * (n - 1) + law.beta * n * (n - 1));
}

double usl_efficiency(struct usl law, double n)
{
    return 1 / (1 + law.alpha * (n - 1) + law.beta * n * (n - 1));
}

struct usl_overhead usl_overhead(struct usl law, double n)
{
    return (struct usl_overhead){1 / n, law.alpha * (n - 1) / n, law.beta * (n - 1) / 2};
}

double usl_coherency_rules(struct usl law)
{
    return law.beta > 0 ? law.alpha / law.beta : (double)INFINITY;
}

double usl_gustafson(double serial, double n)
{
    return n - serial * (n - 1);
}

double usl_peak(struct usl law)
{
    if (law.alpha >= 1)
        return law.beta > 0 || law.alpha > 1 ? 1 : (double)INFINITY;
    return law.beta > 0 ? fmax(1, sqrt((1 - law.alpha) / law.beta)) : (double)INFINITY;
}

double usl_peak_whole(struct usl law)
{
    double peak = usl_peak(law);
    if (!isfinite(peak))
        return peak;
    return usl_at(law, ceil(peak)) > usl_at(law, floor(peak)) ? ceil(peak) : floor(peak);
}

double usl_peak_throughput(struct usl law)
{
    double peak = usl_peak(law);
    return isfinite(peak) ? usl_at(law, peak) : usl_roof(law);
}

double usl_roof(struct usl law)
{
    return law.alpha > 0 ? law.gamma / law.alpha : (double)INFINITY;
}

double usl_roof_meets(struct usl law)
{
    return law.alpha > 0 ? 1 / law.alpha : (double)INFINITY;
}

/* The positive root of a n^2 + b n + c, c <= 0, also when a is 0. */
static double positive_root(double a, double b, double c)
{
    double root = sqrt(fmax(b * b - 4 * a * c, 0));
    if (b + root <= 0)
        return a > 0 ? (root - b) / (2 * a) : (double)INFINITY;
    return b >= 0 ? -2 * c / (b + root) : (root - b) / (2 * a);
}

double usl_power_peak(struct usl law)
{
    if (law.alpha >= 1)
        return 1;
    return fmax(1, positive_root(3 * law.beta, law.alpha - law.beta, law.alpha - 1));
}

double usl_response(struct usl law, double n)
{
    return n / usl_at(law, n);
}

/* beta X n^2 + ((alpha - beta) X - gamma) n + (1 - alpha) X = 0; of two roots the one before the
 * peak. */
int usl_inverse(struct usl law, double throughput, double *n)
{
    double a = law.beta * throughput;
    double b = (law.alpha - law.beta) * throughput - law.gamma;
    double c = (1 - law.alpha) * throughput;
    double root = b * b - 4 * a * c;
    if (!(throughput > 0) || root < 0 || b >= 0)
        return USL_UNREACHABLE;
    *n = 2 * c / (-b + sqrt(root));
    return 0;
}

/* beta n^2 + (alpha - beta) n + (1 - alpha) - gamma R = 0. */
int usl_inverse_response(struct usl law, double response_s, double *n)
{
    double c = 1 - law.alpha - law.gamma * response_s;
    if (!(response_s * law.gamma >= 1 - 1e-12) || (law.alpha == 0 && law.beta == 0))
        return USL_UNREACHABLE;
    *n = positive_root(law.beta, law.alpha - law.beta, c);
    return 0;
}
