/* study/threshold.h - judges thresholds (k6's words) and objectives against a result. */
#ifndef STUDY_THRESHOLD_H
#define STUDY_THRESHOLD_H

#include "plan/plan.h"
#include "record/result.h"

/* Judges one threshold at an instant since the run's start, over its window or everything measured
 * so far. Texts of the verdict are new (verdict_fini). A quantile whose count cannot carry it, or
 * fewer than min_samples, gives VERDICT_NOT_JUDGED with the reason, never a pass. A lower bound
 * (censored) that is already beyond the limit fails. */
void threshold_judge(const struct plan_threshold *threshold, const struct result *result,
                     nsec_t at_ns, struct result_verdict *out);

/* Judges one objective over the run or its level. */
void objective_judge(const struct plan_objective *objective, const struct result *result,
                     struct result_verdict *out);

/* Frees the texts of a verdict. */
void verdict_fini(struct result_verdict *verdict);

/* The share of objectives met or accepted, and whether it is enough; true when there are none. */
bool objectives_pass(const struct result_verdict *verdicts, size_t count, double needed,
                     size_t *met, size_t *judged);

#endif
