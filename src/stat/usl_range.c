/* How sure a fit is: of its parameters, of its peak, and of what it says beyond the data. */
#include "base/check.h"
#include "base/memory.h"
#include "stat/quantile.h"
#include "stat/usl_fit.h"

#include <math.h>
#include <stdlib.h>

static double parameter_of(struct usl law, int parameter)
{
    const double all[USL_PARAMETERS] = {law.gamma, law.alpha, law.beta};
    return all[parameter];
}

static double reach_of(const struct usl_fit *fit, double confidence)
{
    return fit->degrees ? t_quantile((1 + confidence) / 2, (double)fit->degrees) : (double)NAN;
}

static struct usl_interval around(double value, double reach)
{
    return (struct usl_interval){value - reach, value + reach};
}

struct usl_interval usl_wald(const struct usl_fit *fit, int parameter, double confidence)
{
    return around(parameter_of(fit->law, parameter),
                  reach_of(fit, confidence) * fit->error[parameter]);
}

/* The search for the ends of a profile. */
struct profile {
    const struct usl_points *points;
    const struct usl_fit *fit;
    int parameter;
    double limit; /* squares at the ends */
};

/* Whether the data reject a value of the parameter, all others fitted. */
static bool rejected(const struct profile *profile, double value)
{
    const struct usl_fit *fit = profile->fit;
    double full[USL_PARAMETERS] = {fit->law.gamma, fit->law.alpha, fit->law.beta};
    full[profile->parameter] = value;
    struct usl_face face = usl_face_of((unsigned)fit->family & ~(1u << profile->parameter),
                                       (struct usl){full[0], full[1], full[2]});
    if (face.count == 0) {
        double squares = 0;
        for (size_t i = 0; i < profile->points->count; i++) {
            double rest = profile->points->x[i] - usl_at(face.held, profile->points->n[i]);
            squares += rest * rest;
        }
        return squares > profile->limit;
    }
    struct fit_problem problem = usl_problem(profile->points, &face);
    double starts[2 * USL_PARAMETERS];
    for (size_t j = 0; j < face.count; j++) {
        starts[j] = full[face.free[j]];
        starts[face.count + j] = face.free[j] == USL_GAMMA ? full[USL_GAMMA] : 0;
    }
    struct fit found;
    return fit_best(&problem, starts, 2, &found) != 0 || found.squares > profile->limit;
}

/* The end on one side (step < 0: below): doubling until rejected, then halving. */
static double profile_end(const struct profile *profile, double value, double step, double stop)
{
    double inside = value, outside = value + step;
    for (int turn = 0; turn < 40; turn++) {
        bool past = step < 0 && outside <= stop;
        if (past && !rejected(profile, stop))
            return stop;
        if (past)
            outside = stop;
        if (past || rejected(profile, outside))
            break;
        inside = outside;
        step *= 2;
        outside = inside + step;
        if (turn == 39)
            return INFINITY;
    }
    for (int turn = 0; turn < 60 && fabs(outside - inside) > 1e-12 * fabs(outside); turn++) {
        double middle = (inside + outside) / 2;
        if (rejected(profile, middle))
            outside = middle;
        else
            inside = middle;
    }
    return inside;
}

struct usl_interval usl_profile(const struct usl_points *points, const struct usl_fit *fit,
                                int parameter, double confidence)
{
    double reach = reach_of(fit, confidence), value = parameter_of(fit->law, parameter);
    struct profile profile = {.points = points, .fit = fit, .parameter = parameter};
    if (!isfinite(reach) || !(((unsigned)fit->asked >> parameter) & 1))
        return (struct usl_interval){NAN, NAN};
    profile.limit = fit->squares + reach * reach * fit->deviation * fit->deviation;
    double step = fit->pinned[parameter] || !(fit->error[parameter] > 0)
                      ? fmax(fabs(value) * 1e-3, 1e-9)
                      : fit->error[parameter];
    if (fit->deviation <= 1e-12 * fabs(fit->law.gamma))
        return (struct usl_interval){value, value};
    double low = fit->pinned[parameter] ? 0 : profile_end(&profile, value, -step, 0);
    return (struct usl_interval){low, profile_end(&profile, value, step, 0)};
}

static double spread_of(const struct usl_fit *fit, const double *gradient)
{
    double sum = 0;
    for (int i = 0; i < USL_PARAMETERS; i++)
        for (int j = 0; j < USL_PARAMETERS; j++)
            sum += gradient[i] * fit->covariance[i][j] * gradient[j];
    return sqrt(fmax(sum, 0));
}

struct usl_interval usl_peak_interval(const struct usl_fit *fit, double confidence, double *error)
{
    double peak = usl_peak(fit->law);
    const double gradient[] = {0, -1 / (2 * fit->law.beta * peak), -peak / (2 * fit->law.beta)};
    double spread = isfinite(peak) && peak > 1 ? spread_of(fit, gradient) : (double)NAN;
    if (error)
        *error = spread;
    return around(peak, reach_of(fit, confidence) * spread);
}

/* At the peak dX/dn is 0, so that only the direct derivatives are left. */
struct usl_interval usl_peak_throughput_interval(const struct usl_fit *fit, double confidence,
                                                 double *error)
{
    double peak = usl_peak(fit->law), spread = NAN;
    if (isfinite(peak) && peak > 1) {
        struct usl_face face = usl_face_of(USL_FULL, (struct usl){0});
        const double b[] = {fit->law.gamma, fit->law.alpha, fit->law.beta};
        double gradient[USL_PARAMETERS];
        usl_value(&face, b, peak, gradient);
        spread = spread_of(fit, gradient);
    }
    if (error)
        *error = spread;
    return around(usl_peak_throughput(fit->law), reach_of(fit, confidence) * spread);
}

struct usl_prediction usl_predict(const struct usl_fit *fit, double n, double confidence)
{
    struct usl_face face = usl_face_of(USL_FULL, (struct usl){0});
    const double b[] = {fit->law.gamma, fit->law.alpha, fit->law.beta};
    double gradient[USL_PARAMETERS];
    struct usl_prediction out = {.value = usl_value(&face, b, n, gradient)};
    double spread = spread_of(fit, gradient), reach = reach_of(fit, confidence);
    out.mean = around(out.value, reach * spread);
    out.next = around(out.value, reach * hypot(spread, fit->deviation));
    return out;
}

struct usl_prediction usl_predict_wide(const struct usl_points *points, const struct usl_fit *fit,
                                       double n, double confidence)
{
    struct usl_face face = usl_face_of(fit->asked, (struct usl){0});
    struct fit_problem problem = usl_problem(points, &face);
    const double full[] = {fit->law.gamma, fit->law.alpha, fit->law.beta};
    double b[USL_PARAMETERS];
    struct usl_fit wide;
    struct fit measured;
    if (points->count <= face.count)
        return (struct usl_prediction){usl_at(fit->law, n), {NAN, NAN}, {NAN, NAN}};
    for (size_t j = 0; j < face.count; j++)
        b[j] = full[face.free[j]];
    fit_measure(&problem, b, &measured);
    usl_fill(points, &face, &measured, &wide);
    return usl_predict(&wide, n, confidence);
}

static int compare_numbers(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* The n at or above which levels are held out: the top max(2, levels / 4). Writes the highest. */
static double held_from(const struct usl_points *points, double *highest)
{
    double *sorted = memory_new(points->count, sizeof *sorted);
    for (size_t i = 0; i < points->count; i++)
        sorted[i] = points->n[i];
    qsort(sorted, points->count, sizeof *sorted, compare_numbers);
    size_t levels = 0;
    for (size_t i = 0; i < points->count; i++)
        if (i == 0 || sorted[i] != sorted[levels - 1])
            sorted[levels++] = sorted[i];
    size_t out = levels / 4 > 2 ? levels / 4 : 2;
    *highest = sorted[levels - 1];
    double from = levels > out ? sorted[levels - out] : (double)-INFINITY;
    free(sorted);
    return from;
}

/* How wrong the fit without the top levels was at the highest, in half widths of its interval. */
static double inflation_of(const struct usl_points *points, double confidence)
{
    double highest = 0, from = held_from(points, &highest), measured = 0, inflation = 1;
    double *n = memory_new(points->count * 2, sizeof *n), *x = n + points->count;
    size_t kept = 0, at_highest = 0;
    for (size_t i = 0; i < points->count; i++) {
        if (points->n[i] < from) {
            n[kept] = points->n[i];
            x[kept++] = points->x[i];
        } else if (points->n[i] == highest) {
            measured += points->x[i];
            at_highest++;
        }
    }
    struct usl_fit fit;
    const struct usl_points part = {n, x, kept};
    if (usl_fit(&part, USL_FULL, &fit) == 0 && fit.degrees > 0) {
        struct usl_prediction there = usl_predict(&fit, highest, confidence);
        double half = (there.next.high - there.next.low) / 2;
        double error = fabs(measured / (double)at_highest - there.value);
        if (half > 0)
            inflation = fmax(1, error / half);
    }
    free(n);
    return inflation;
}

int usl_range(const struct usl_points *points, double n, double confidence, struct usl_range *out)
{
    struct usl_fit fit, amdahl;
    int error = usl_fit(points, USL_FULL, &fit);
    if (error == 0)
        error = usl_fit(points, USL_AMDAHL, &amdahl);
    if (error)
        return error;
    double highest = 0;
    for (size_t i = 0; i < points->count; i++)
        highest = fmax(highest, points->n[i]);
    struct usl_prediction own = usl_predict(&fit, n, confidence);
    *out = (struct usl_range){.value = own.value,
                              .own = own.next,
                              .inflation = inflation_of(points, confidence),
                              .amdahl = usl_predict(&amdahl, n, confidence).next,
                              .ratio = n / highest};
    out->inflated = around(own.value, out->inflation * (own.next.high - own.next.low) / 2);
    out->combined = (struct usl_interval){fmin(out->inflated.low, out->amdahl.low),
                                          fmax(out->inflated.high, out->amdahl.high)};
    return 0;
}
