/* study/groups.h - whether one group of runs is worse than another, each run one value.
 *
 * The verdict is the interval's against a margin that does not matter: wholly beyond it, wholly
 * inside, or neither; never "no difference" where none could have been found, and none at all where
 * the groups are too small for any data to reach the alpha.
 *   Source   Mann & Whitney, Hodges & Lehmann (stat/rank.h); equivalence by interval: Schuirmann
 *            (1987), Walker & Nowacki (2011).
 *   Tests    test/unit/study/comparison (1,000 comparisons of the same; the planted 10 %). */
#ifndef STUDY_GROUPS_H
#define STUDY_GROUPS_H

#include "stat/rank.h"

#include <stdbool.h>
#include <stddef.h>

/* Two groups of runs, and what is asked of them. */
struct groups {
    const double *base, *new_values;
    size_t base_count, new_count;
    double alpha;  /* 0.05 */
    double margin; /* share of the base's median that does not matter; 0: none declared */
    bool higher_better;
    double detectable; /* rank_detectable of this design at GROUPS_POWER, where it is known; or 0 */
};

#define GROUPS_POWER 0.8

enum groups_verdict {
    GROUPS_INCONCLUSIVE,
    GROUPS_EQUIVALENT,
    GROUPS_BETTER,
    GROUPS_WORSE,
    GROUPS_REFUSED, /* the design cannot reach its alpha */
};

struct groups_found {
    struct rank_test test; /* new against base */
    double base_median, new_median;
    double margin;      /* in the unit of the values */
    double detectable;  /* least change found with a power of 0.8; NAN: not known */
    size_t runs_needed; /* of each group, for the alpha to be possible */
    enum groups_verdict verdict;
};

/* Compares. */
void groups_compare(const struct groups *groups, struct groups_found *out);
/* "worse", ... */
const char *groups_verdict_words(enum groups_verdict verdict);

#endif
