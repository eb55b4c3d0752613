/* stat/fit.h - nonlinear least squares: y = f(x; b), the b that leave the least squares.
 *
 *   Source   Levenberg-Marquardt, as MINPACK's lmder does it (cminpack). "Includes software
 *            developed by the University of Chicago, as Operator of Argonne National Laboratory."
 *   Tests    test/unit/stat/fit: certified values of the NIST Statistical Reference Datasets. */
#ifndef STAT_FIT_H
#define STAT_FIT_H

#include <stdbool.h>
#include <stddef.h>

enum { FIT_MOST = 8 };

enum {
    FIT_TOO_FEW = 1, /* fewer points than parameters */
    FIT_LOST = 2,    /* no minimum was reached: another start is needed */
};

/* What is fitted. Points whose value is not finite anywhere on the way are avoided by the search,
 * as long as the start's are finite. */
struct fit_problem {
    const double *x, *y;
    size_t count, parameters;
    /* The value at x and its derivatives by each parameter. */
    double (*value)(const void *context, const double *b, double x, double *gradient);
    const void *context;
};

struct fit {
    double b[FIT_MOST];
    double error[FIT_MOST];                 /* standard errors; NAN where they do not exist */
    double covariance[FIT_MOST * FIT_MOST]; /* parameters x parameters; NAN likewise */
    double squares, deviation;              /* sqrt(squares / degrees) */
    size_t degrees;                         /* points - parameters */
    double condition;                       /* of the scaled Jacobian; INFINITY: singular */
};

/* Searches from a start. Returns 0, FIT_TOO_FEW or FIT_LOST. */
int fit_from(const struct fit_problem *problem, const double *start, struct fit *out);

/* The best of several starts (count x parameters). Returns 0, FIT_TOO_FEW, or FIT_LOST when all
 * were lost. */
int fit_best(const struct fit_problem *problem, const double *starts, size_t count,
             struct fit *out);

/* Errors and covariance at given parameters, which need not be the minimum (one may lie at a
 * bound); squares are those left there. */
void fit_measure(const struct fit_problem *problem, const double *b, struct fit *out);

#endif
