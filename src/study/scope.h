/* study/scope.h - inside of study: the sum of the part of a result that a question is about. */
#ifndef STUDY_SCOPE_H
#define STUDY_SCOPE_H

#include "study/measure.h"

/* A sum that is either the result's own or made for this. */
struct scope_sum {
    const struct result_sum *sum;
    struct result_sum *owned;
};

/* Finds or adds up the sum. Returns 0, or MEASURE_NOT_KNOWN after appending the reason to why.
 * Freed by scope_sum_fini. */
int scope_sum_init(struct scope_sum *scoped, const struct result *result,
                   const struct measure_scope *scope, struct text *why);
void scope_sum_fini(struct scope_sum *scoped, const struct result *result);

/* Whether the point lies in the scope's window, and in its level. */
bool scope_has_point(const struct result *result, const struct measure_scope *scope,
                     const struct result_point *point);

#endif
