/* show/comparison.h - what came of comparing runs with a base, as text of 80 columns or as JSON:
 * the verdict, the metric that decided it, the others, and what else differs. doc/tools.md has the
 * keys. */
#ifndef SHOW_COMPARISON_H
#define SHOW_COMPARISON_H

#include "show/law.h"
#include "study/comparison.h"

/* Where the runs came from, for the reader; each ended with the counts of the comparison. */
struct comparison_names {
    const char *const *base, *const *new_runs;
};

/* Appends it. */
void comparison_put(const struct comparison *comparison, const struct comparison_names *names,
                    const struct law_style *style, struct text *out);

#endif
