/* Fits of the laws. A bound is handled by trying the faces of the allowed region: the least squares
 * inside it lie either at the free minimum or on a face, and each face is a smaller law. That finds
 * an exact 0, where squared parameters would only come near it. */
#include "stat/usl_fit.h"

#include "base/memory.h"
#include "stat/quantile.h"

#include <math.h>
#include <stdlib.h>

double usl_value(const void *context, const double *b, double n, double *gradient)
{
    const struct usl_face *face = context;
    double full[USL_PARAMETERS] = {face->held.gamma, face->held.alpha, face->held.beta};
    for (size_t j = 0; j < face->count; j++)
        full[face->free[j]] = b[j];
    double below = 1 + full[1] * (n - 1) + full[2] * n * (n - 1);
    if (!(below > 0)) {
        for (size_t j = 0; j < face->count; j++)
            gradient[j] = NAN;
        return NAN;
    }
    double by[USL_PARAMETERS] = {n / below, -full[0] * n * (n - 1) / below / below,
                                 -full[0] * n * n * (n - 1) / below / below};
    for (size_t j = 0; j < face->count; j++)
        gradient[j] = by[face->free[j]];
    return full[0] * n / below;
}

struct usl_face usl_face_of(unsigned family, struct usl held)
{
    struct usl_face face = {.held = held};
    for (int j = 0; j < USL_PARAMETERS; j++)
        if (family & (1u << j))
            face.free[face.count++] = j;
    return face;
}

struct fit_problem usl_problem(const struct usl_points *points, const struct usl_face *face)
{
    return (struct fit_problem){.x = points->n,
                                .y = points->x,
                                .count = points->count,
                                .parameters = face->count,
                                .value = usl_value,
                                .context = face};
}

/* The gamma that fits best when the others are given: a straight line through the origin. */
static double gamma_for(const struct usl_points *points, double alpha, double beta)
{
    double over = 0, under = 0;
    for (size_t i = 0; i < points->count; i++) {
        double shape = usl_at((struct usl){1, alpha, beta}, points->n[i]);
        over += shape * points->x[i];
        under += shape * shape;
    }
    return under > 0 ? over / under : 1;
}

/* Starts: the published grid, and one that follows the range of n, so that thousands of users
 * start as near as ten. */
enum { ALPHAS = 5, BETAS = 5, STARTS = ALPHAS * BETAS };

static void make_starts(const struct usl_points *points, const struct usl_face *face, double *out)
{
    double most = 1;
    for (size_t i = 0; i < points->count; i++)
        most = fmax(most, points->n[i]);
    const double alphas[ALPHAS] = {.001, .01, .1, .5, 1 / most};
    const double betas[BETAS] = {1e-6, 1e-4, 1e-2, 1 / most / most, .1 / most / most};
    for (size_t s = 0; s < STARTS; s++) {
        double full[USL_PARAMETERS] = {0, alphas[s / BETAS], betas[s % BETAS]};
        double rest[USL_PARAMETERS] = {0, face->held.alpha, face->held.beta};
        for (size_t j = 0; j < face->count; j++)
            rest[face->free[j]] = full[face->free[j]];
        rest[0] = gamma_for(points, rest[1], rest[2]);
        for (size_t j = 0; j < face->count; j++)
            out[s * face->count + j] = rest[face->free[j]];
    }
}

static void account(const struct usl_points *points, struct usl_fit *out)
{
    double mean = 0, total = 0, count = (double)points->count;
    for (size_t i = 0; i < points->count; i++)
        mean += points->x[i] / count;
    for (size_t i = 0; i < points->count; i++)
        total += (points->x[i] - mean) * (points->x[i] - mean);
    out->fit = total > 0 ? 1 - out->squares / total : NAN;
    double terms = count - (double)out->degrees + 1; /* the variance is a parameter as well */
    out->aic = count * (log(2 * M_PI * out->squares / count) + 1) + 2 * terms;
    out->aicc = out->aic + 2 * terms * (terms + 1) / (count - terms - 1);
    if (count - terms - 1 <= 0)
        out->aicc = NAN;
}

void usl_fill(const struct usl_points *points, const struct usl_face *face, const struct fit *fit,
              struct usl_fit *out)
{
    double full[USL_PARAMETERS] = {face->held.gamma, face->held.alpha, face->held.beta};
    *out = (struct usl_fit){.count = points->count,
                            .degrees = fit->degrees,
                            .error = {NAN, NAN, NAN},
                            .squares = fit->squares,
                            .deviation = fit->deviation,
                            .condition = fit->condition};
    unsigned family = 0;
    for (size_t i = 0; i < face->count; i++) {
        full[face->free[i]] = fit->b[i];
        family |= 1u << face->free[i];
        out->error[face->free[i]] = fit->error[i];
        for (size_t j = 0; j < face->count; j++)
            out->covariance[face->free[i]][face->free[j]] = fit->covariance[i * face->count + j];
    }
    out->asked = out->family = (enum usl_family)family;
    out->law = out->unbounded = (struct usl){full[0], full[1], full[2]};
    account(points, out);
}

static size_t distinct(const struct usl_points *points)
{
    size_t count = 0;
    for (size_t i = 0; i < points->count; i++) {
        size_t j = 0;
        while (j < i && points->n[j] != points->n[i])
            j++;
        count += j == i;
    }
    return count;
}

/* One face, without bounds. */
static int fit_face(const struct usl_points *points, unsigned family, struct usl_fit *out)
{
    struct usl_face face = usl_face_of(family, (struct usl){0});
    struct fit_problem problem = usl_problem(points, &face);
    if (distinct(points) < face.count)
        return USL_TOO_FEW;
    double starts[STARTS * USL_PARAMETERS];
    struct fit fit;
    make_starts(points, &face, starts);
    if (fit_best(&problem, starts, STARTS, &fit) != 0)
        return USL_NO_FIT;
    usl_fill(points, &face, &fit, out);
    return 0;
}

int usl_fit_unbounded(const struct usl_points *points, struct usl_fit *out)
{
    return fit_face(points, USL_FULL, out);
}

/* What exact data leave is rounding; a parameter that buys less than this is none. */
static double floor_of(const struct usl_points *points)
{
    double sum = 0;
    for (size_t i = 0; i < points->count; i++)
        sum += points->x[i] * points->x[i];
    return sum * 1e-24;
}

static bool inside(struct usl law)
{
    return law.gamma > 0 && law.alpha >= 0 && law.beta >= 0;
}

/* The best face of those asked for, the smaller one where both are as good. */
static int choose(const struct usl_points *points, enum usl_family family, struct usl_fit *out)
{
    static const unsigned faces[] = {USL_LINEAR, USL_AMDAHL, USL_COHERENCY, USL_FULL};
    double least = floor_of(points);
    bool found = false;
    for (size_t i = 0; i < sizeof faces / sizeof *faces; i++) {
        struct usl_fit face;
        if ((faces[i] & ~(unsigned)family) || fit_face(points, faces[i], &face) != 0 ||
            !inside(face.law))
            continue;
        if (!found || face.squares < out->squares * (1 - 1e-9) - least) {
            *out = face;
            found = true;
        }
    }
    return found ? 0 : USL_NO_FIT;
}

int usl_fit(const struct usl_points *points, enum usl_family family, struct usl_fit *out)
{
    struct usl_fit best, free;
    struct usl_face face = usl_face_of(family, (struct usl){0});
    if (distinct(points) < face.count)
        return USL_TOO_FEW;
    if (choose(points, family, &best) != 0)
        return USL_NO_FIT;
    if (fit_face(points, family, &free) == 0) {
        best.unbounded = free.law;
        for (int j = 0; j < USL_PARAMETERS; j++)
            best.unbounded_error[j] = free.error[j];
    }
    best.asked = family;
    for (int j = 0; j < USL_PARAMETERS; j++)
        best.pinned[j] = ((unsigned)family & ~(unsigned)best.family & (1u << j)) != 0;
    *out = best;
    return 0;
}
