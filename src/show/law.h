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
};
int law_knee(const struct law_curve *curve, const struct law_style *style, struct text *out,
             struct text *why);

/* Solves a network at its loads. Returns 0, or 1 with a sentence in why. */
int law_network(const struct network_model *model, const struct law_style *style, struct text *out,
                struct text *why);

/* A comparison of two groups of runs. */
struct law_groups {
    const double *base, *new_values;
    size_t base_count, new_count;
    double alpha;  /* 0.05 */
    double margin; /* share of the base's median that does not matter; 0: none declared */
    bool higher_better;
};

enum law_verdict {
    LAW_INCONCLUSIVE,
    LAW_EQUIVALENT,
    LAW_BETTER,
    LAW_WORSE,
    LAW_REFUSED, /* the design cannot reach its alpha */
};

/* The comparison's figures, for those who print them elsewhere. */
struct law_comparison {
    struct rank_test test; /* new against base */
    double base_median, new_median;
    double margin;      /* in the unit of the values */
    double detectable;  /* least change found with a power of 0.8; NAN: not known */
    size_t runs_needed; /* of each group, for the alpha to be possible */
    enum law_verdict verdict;
};
void law_compare(const struct law_groups *groups, struct law_comparison *out);
/* "worse", ... */
const char *law_verdict_words(enum law_verdict verdict);
/* Prints a comparison. */
void law_comparison_put(const struct law_groups *groups, const struct law_comparison *found,
                        const struct law_style *style, struct text *out);

/* Prints the changes of a series, with the shift at each. */
void law_changes_put(const double *values, size_t count, const struct change_rules *rules,
                     const struct law_style *style, struct text *out);

#endif
