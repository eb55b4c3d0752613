/* stat/knee.h - where a curve bends: segmented regression with a test whether there is a bend at
 * all, and Kneedle beside it.
 *
 * A smooth curve also has a best break, so a break counts only when straight lines, a parabola and
 * a hyperbola explain clearly less. Kneedle has no such test, and its answer depends on how far the
 * load was driven (14 users of 32 tested, 10 of 16, none of 8 on the same data): it corroborates.
 *
 *   Source   Muggeo (2003) for the error of the break; Davies (2002) for the existence test;
 *            Satopaa et al. (2011), "Finding a 'Kneedle' in a haystack".
 *   Tests    test/unit/stat/knee. */
#ifndef STAT_KNEE_H
#define STAT_KNEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KNEE_TOO_FEW = 1, KNEE_NONE = 2 };

/* y = constant + slope x + change (x - at)+ */
struct knee_break {
    double at, error; /* where, and its standard error (delta method) */
    double low, high; /* interval by Student's t */
    double constant;  /* of the first line */
    double slope_before, slope_before_error;
    double slope_after, slope_after_error;
    double squares;      /* left by the two lines */
    double line_squares; /* left by one line */
    double f;            /* sup-F: what the break explains, over what is left */
    double p;            /* by random orders of the line's residuals, (k + 1) / (R + 1) */
    double davies_p;     /* upper bound by Davies */
    double bic, quadratic_bic, hyperbola_bic; /* hyperbola NAN where it has no fit */
    bool exists; /* p < 0.05 and BIC better by more than 6 than parabola and hyperbola */
};

/* Points in any order; at least 3 distinct x on each side of the break. Returns 0 or
 * KNEE_TOO_FEW. */
int knee_segmented(const double *x, const double *y, size_t count, double confidence, uint64_t seed,
                   struct knee_break *out);

enum knee_shape { KNEE_CONCAVE, KNEE_CONVEX };

/* Kneedle: points sorted by x, distinct. rising: y grows with x. index: of the first knee.
 * Returns 0, KNEE_TOO_FEW (below 3 points) or KNEE_NONE. */
int knee_kneedle(const double *x, const double *y, size_t count, enum knee_shape shape, bool rising,
                 double sensitivity, size_t *index);

struct knee_points {
    const double *x, *y;
    size_t count;
};

/* What Kneedle looked at on its way. */
struct knee_way {
    size_t *knees; /* indexes of all knees, those beyond the first too, by x; room for count */
    size_t found;
    double
        difference;   /* of the first knee: how far the curve, in the unit square and turned concave
                          and rising, is above the diagonal */
    double threshold; /* below which that has to fall before it is a knee */
};
/* The same, with its way; way->knees is the caller's. Returns 0, KNEE_TOO_FEW or KNEE_NONE. */
int knee_kneedle_way(const struct knee_points *points, enum knee_shape shape, bool rising,
                     double sensitivity, struct knee_way *way);

#endif
