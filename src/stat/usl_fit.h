/* stat/usl_fit.h - the fits of stat/usl.h as problems of stat/fit.h. Used by its files only. */
#ifndef STAT_USL_FIT_H
#define STAT_USL_FIT_H

#include "stat/fit.h"
#include "stat/usl.h"

/* Which parameters move, and what the others are held at. */
struct usl_face {
    struct usl held;
    int free[USL_PARAMETERS];
    size_t count;
};

/* The face of a set of free parameters (bits of enum usl_family). */
struct usl_face usl_face_of(unsigned family, struct usl held);
/* The least-squares problem of a face; points and face must outlive it. */
struct fit_problem usl_problem(const struct usl_points *points, const struct usl_face *face);
/* Throughput and its derivatives on a face; NAN where the law has no value. */
double usl_value(const void *context, const double *b, double n, double *gradient);
/* A fit of a face as a fit of the law. */
void usl_fill(const struct usl_points *points, const struct usl_face *face, const struct fit *fit,
              struct usl_fit *out);

#endif
