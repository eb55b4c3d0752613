/* show/law.h - what the tools of analysis answer, as text of 80 columns or as JSON: scalability
 * laws, knees, queueing networks, comparisons, changes. doc/tools.md has the keys.
 *
 * Every interval is at the confidence asked for; what cannot be known is null in JSON and said in
 * words in text. */
#ifndef SHOW_LAW_H
#define SHOW_LAW_H

#include "base/text.h"
#include "plan/network.h"
#include "stat/change.h"
#include "stat/rank.h"
#include "stat/usl.h"
#include "study/groups.h"

#include <stdbool.h>

struct law_style {
    bool json, colour;
    double confidence; /* 0.95 */
};

/* What is asked of a law beyond the fit; NAN: not. */
struct law_wish {
    double at;         /* n to predict */
    double throughput; /* the n that carries it */
    double response_s; /* the n at which the mean response is this */
    double think_s;    /* by which n has already been made concurrency; 0: not */
};

/* Fits the law to points. Returns 0, or 1 with a sentence in why. */
int law_usl(const struct usl_points *points, const struct law_wish *wish,
            const struct law_style *style, struct text *out, struct text *why);

/* A curve: y may be throughput or response time over n. Returns 0, or 1 with a sentence in why. */
struct law_curve {
    const double *n, *y;
    size_t count;
    bool response;      /* y is a time: the bend goes up */
    double sensitivity; /* of Kneedle */
    double efficiency;  /* least, of the linear region: 0.9 */
    int shape;          /* for Kneedle: 0 concave, 1 convex, -1 by what y is */
    int rising;         /* likewise: 0 falling, 1 rising, -1 by the first and last level */
};
int law_knee(const struct law_curve *curve, const struct law_style *style, struct text *out,
             struct text *why);

/* Solves a network at its loads. Returns 0, or 1 with a sentence in why. */
int law_network(const struct network_model *model, const struct law_style *style, struct text *out,
                struct text *why);

/* Prints a comparison. */
void law_comparison_put(const struct groups *groups, const struct groups_found *found,
                        const struct law_style *style, struct text *out);

/* A series of results, oldest first. */
struct law_series {
    const double *values;
    size_t count;
    const char *const *names; /* of the runs that the values are of; or NULL */
    const char *metric;       /* "response p95"; or NULL */
    const char *unit;
};

/* Prints the changes of a series, with the shift at each. */
void law_changes_put(const struct law_series *series, const struct change_rules *rules,
                     const struct law_style *style, struct text *out);

#endif
