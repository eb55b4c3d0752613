/* stat/usl.h - scalability laws: throughput X as a function of the number N of users, processors or
 * instances.
 *
 *   linear   X = gamma N
 *   Amdahl   X = gamma N / (1 + alpha (N - 1))
 *   USL      X = gamma N / (1 + alpha (N - 1) + beta N (N - 1))
 *
 * gamma is the throughput of one, alpha contention, beta coherency; neither of the two can be
 * negative. Where the best fit without bounds has a negative one, it is pinned at 0 and said to be,
 * and the errors of the others come from the fit without it.
 *
 *   Limits   With think time, N must be the mean concurrency N - X Z, not the users. An alpha of a
 *            batching server is a cost per sequence, not contention.
 *   Source   Gunther, "Guerrilla Capacity Planning" (2007); Schwartz, "Practical Scalability
 *            Analysis with the Universal Scalability Law" (2015).
 *   Tests    test/unit/stat/usl: published fits, and the wrong figures that known tools print. */
#ifndef STAT_USL_H
#define STAT_USL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usl {
    double gamma, alpha, beta;
};

/* Throughput at n. */
double usl_at(struct usl law, double n);
/* Throughput at n over gamma n: 1 is linear. */
double usl_efficiency(struct usl law, double n);

/* Where the time of a request goes at n, in units of a request alone on one: its own part 1 / n,
 * what contention adds, alpha (n - 1) / n, and what coherency adds, half of beta (n - 1), as
 * Gunther splits it. Which of the two holds n back is seen at an n, and not by comparing alpha with
 * beta, of which one is a rate per n and the other per n squared. */
struct usl_overhead {
    double ideal, contention, coherency;
};
struct usl_overhead usl_overhead(struct usl law, double n);
/* The n from which on coherency costs more throughput than contention: alpha (n - 1) is
 * beta n (n - 1) there. INFINITY when beta is 0. */
double usl_coherency_rules(struct usl law);
/* Gustafson's scaled speed-up: n processors on a problem that grows with them, of which this share
 * is serial: n - serial (n - 1). */
double usl_gustafson(double serial, double n);

/* The n of the highest throughput, sqrt((1 - alpha) / beta); INFINITY when beta is 0 (no peak
 * inside the model); 1 when it only falls. */
double usl_peak(struct usl law);
/* The better of the whole numbers around the peak; INFINITY likewise. */
double usl_peak_whole(struct usl law);
/* The throughput at the peak: gamma / alpha when beta is 0, INFINITY when both are. */
double usl_peak_throughput(struct usl law);
/* gamma / alpha: where throughput would end if beta were 0; INFINITY when alpha is 0. */
double usl_roof(struct usl law);
/* 1 / alpha: where the linear law meets the roof. */
double usl_roof_meets(struct usl law);
/* The n of most throughput per response time (X^2 / N): 3 beta n^2 + (alpha - beta) n = 1 - alpha.
 * INFINITY when alpha and beta are 0. */
double usl_power_peak(struct usl law);
/* Mean response time in s at n, without think time: n / X. */
double usl_response(struct usl law, double n);

/* The least n that carries this throughput. Returns 0, or USL_UNREACHABLE: above the peak. */
enum { USL_UNREACHABLE = 1 };
int usl_inverse(struct usl law, double throughput, double *n);
/* The n at which the mean response is this many seconds; USL_UNREACHABLE below that of one. */
int usl_inverse_response(struct usl law, double response_s, double *n);

/* Measured points; the same n may come several times. */
struct usl_points {
    const double *n, *x;
    size_t count;
};

/* Which parameters are fitted; the others are 0. */
enum usl_family {
    USL_LINEAR = 1,    /* gamma */
    USL_AMDAHL = 3,    /* gamma, alpha */
    USL_COHERENCY = 5, /* gamma, beta: what is left when alpha is pinned */
    USL_FULL = 7,      /* gamma, alpha, beta */
};

enum { USL_GAMMA, USL_ALPHA, USL_BETA, USL_PARAMETERS };

enum { USL_TOO_FEW = 1, USL_NO_FIT = 2 };

struct usl_fit {
    struct usl law;
    enum usl_family asked, family; /* family: what was free in the end */
    bool pinned[USL_PARAMETERS];   /* asked for, and held at 0 */
    struct usl unbounded; /* the fit without bounds; equal to law where nothing is pinned */
    double unbounded_error[USL_PARAMETERS];
    size_t count, degrees;                             /* points, and points - free parameters */
    double error[USL_PARAMETERS];                      /* standard errors; NAN where not fitted */
    double covariance[USL_PARAMETERS][USL_PARAMETERS]; /* 0 where not fitted */
    double squares, deviation;                         /* residuals: sum, sqrt(sum / degrees) */
    double fit;                                        /* R^2 about the mean */
    double aic, aicc;
    double condition;
};

/* Fits with alpha, beta >= 0. Returns 0, USL_TOO_FEW (fewer points, or fewer distinct n, than
 * parameters) or USL_NO_FIT. */
int usl_fit(const struct usl_points *points, enum usl_family family, struct usl_fit *out);

/* The same with no bounds: a negative parameter says what the data would rather have. */
int usl_fit_unbounded(const struct usl_points *points, struct usl_fit *out);

/* An interval; NAN: not known. */
struct usl_interval {
    double low, high;
};

/* Of a parameter, by Student's t and its standard error (symmetric). */
struct usl_interval usl_wald(const struct usl_fit *fit, int parameter, double confidence);
/* Of a parameter, by profile likelihood: all values that the data do not reject. alpha and beta
 * are cut at 0; a pinned one has an interval from 0 on. high may be INFINITY. */
struct usl_interval usl_profile(const struct usl_points *points, const struct usl_fit *fit,
                                int parameter, double confidence);
/* Of n at the peak and of its throughput, by the delta method; NAN without a peak. error may be
 * NULL. */
struct usl_interval usl_peak_interval(const struct usl_fit *fit, double confidence, double *error);
struct usl_interval usl_peak_throughput_interval(const struct usl_fit *fit, double confidence,
                                                 double *error);

/* What the fit predicts at n. */
struct usl_prediction {
    double value;
    struct usl_interval mean; /* of the curve itself */
    struct usl_interval next; /* of one more measurement */
};
struct usl_prediction usl_predict(const struct usl_fit *fit, double n, double confidence);
/* The same with the Jacobian of all three parameters also where one is pinned: the wider of the
 * two; fewer degrees of freedom. NAN when they do not suffice. */
struct usl_prediction usl_predict_wide(const struct usl_points *points, const struct usl_fit *fit,
                                       double n, double confidence);

/* The range to print when predicting beyond the tested n. One model's interval is not honest
 * there: the range joins the fit's own prediction interval, widened by how wrong the same procedure
 * was when it had to predict the highest tested n from the levels without the top ones, with
 * Amdahl's. It is a rule that held on published data, not a guarantee; never weighed by AIC, which
 * preferred wrong curves. */
struct usl_range {
    double value;                 /* of the fit */
    struct usl_interval own;      /* prediction interval, pinned parameters dropped */
    struct usl_interval inflated; /* the same, widened */
    double inflation;             /* max(1, error / half width) where it was held out */
    struct usl_interval amdahl;   /* Amdahl's prediction interval */
    struct usl_interval combined; /* the union of inflated and Amdahl's */
    double ratio;                 /* n over the highest tested n */
};
/* Returns 0, USL_TOO_FEW or USL_NO_FIT. */
int usl_range(const struct usl_points *points, double n, double confidence, struct usl_range *out);

/* Whether residuals look like noise. */
struct usl_residuals {
    double durbin_watson;      /* about 2 for noise; NAN below 3 points */
    double lag_one;            /* correlation of neighbours, ordered by n */
    size_t runs;               /* of equal signs */
    double runs_p;             /* two-sided exact probability of as few or as many runs */
    bool structured;           /* durbin_watson < 1.2 or runs_p < 0.05: intervals are too narrow */
    double lack_p;             /* lack-of-fit F test; NAN without replicates */
    size_t levels, replicated; /* distinct n; of them measured more than once */
};
/* rests: count residuals (measured - fitted) in the order of the points, or NULL. */
void usl_residuals(const struct usl_points *points, const struct usl_fit *fit, double *rests,
                   struct usl_residuals *out);

#endif
