/* stat/regression.h - straight relations: ordinary least squares, and least squares whose
 * coefficients cannot be negative (service demands).
 *
 * Columns are scaled before they are decomposed, so that users in thousands beside shares of one
 * do not cost digits.
 *   Source   Householder QR: Golub & Van Loan, "Matrix Computations", 5.2; non-negative least
 *            squares: Lawson & Hanson, "Solving Least Squares Problems" (1974), 23.
 *   Tests    test/unit/stat/regression. */
#ifndef STAT_REGRESSION_H
#define STAT_REGRESSION_H

#include <stdbool.h>
#include <stddef.h>

enum { REGRESSION_TERMS = 16 };
enum {
    REGRESSION_TOO_FEW = 1, /* fewer rows than terms */
    REGRESSION_SINGULAR = 2 /* columns that are combinations of others */
};

/* y = b[0] row[0] + b[1] row[1] + ...; a constant is a column of ones. */
struct regression {
    size_t rows, terms, degrees; /* degrees of freedom: rows - terms */
    double b[REGRESSION_TERMS];
    double error[REGRESSION_TERMS]; /* standard errors; NAN without degrees of freedom */
    double inverse[REGRESSION_TERMS * REGRESSION_TERMS]; /* of X'X; times deviation^2: covariance */
    double squares;                                      /* of what is left */
    double deviation;                                    /* sqrt(squares / degrees) */
    double total;                                        /* squares of y, about its mean when the
                                                            first column is constant */
    double fit;                                          /* R^2: 1 - squares / total */
    double condition; /* of the scaled columns, by R's diagonal */
};

/* Fits it. matrix: rows x terms, row by row; terms 1 .. REGRESSION_TERMS. Returns 0,
 * REGRESSION_TOO_FEW or REGRESSION_SINGULAR. */
int regression_fit(const double *matrix, const double *y, size_t rows, size_t terms,
                   struct regression *out);

/* y = b[0] + b[1] x (through_origin: y = b[0] x). */
int regression_line(const double *x, const double *y, size_t rows, bool through_origin,
                    struct regression *out);

/* How much of the value at `row` is uncertain: its mean's standard error, from the covariance. */
double regression_error_at(const struct regression *fit, const double *row);

/* The x at which the line of a fit with a constant reaches y, with its interval by Fieller's
 * theorem. low and high are infinite where the slope is not certain to differ from 0. */
struct regression_reach {
    double x, low, high;
};
struct regression_reach regression_reaches(const struct regression *line, double y,
                                           double confidence);

/* The same least squares with b >= 0. Returns as regression_fit; out[] has
 * `terms` numbers, exactly 0 where the bound holds. */
int regression_nonnegative(const double *matrix, const double *y, size_t rows, size_t terms,
                           double *out);

/* The median of the slopes of all pairs, and the median of y - slope x: a line that a quarter of
 * the points may leave. At most 2,000 points. Returns 0 or REGRESSION_TOO_FEW (below 2 distinct
 * x). Source: Theil (1950), Sen (1968). */
int regression_theil_sen(const double *x, const double *y, size_t rows, double *slope,
                         double *constant);

#endif
