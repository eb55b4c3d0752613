/* The answer about two groups of runs; see groups.h. */
#include "study/groups.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double median_of(const double *values, size_t count)
{
    double *copy = memory_new(count, sizeof *copy);
    memcpy(copy, values, count * sizeof *copy);
    double median = rank_median(copy, count);
    free(copy);
    return median;
}

static double squares_of(const double *values, size_t count)
{
    double mean = 0, sum = 0;
    for (size_t i = 0; i < count; i++)
        mean += values[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sum;
}

/* The interval against what does not matter: wholly beyond it, wholly inside, or neither. */
static enum groups_verdict judge(const struct groups_found *found, bool higher_better)
{
    const struct rank_test *test = &found->test;
    if (test->low > found->margin)
        return higher_better ? GROUPS_BETTER : GROUPS_WORSE;
    if (test->high < -found->margin)
        return higher_better ? GROUPS_WORSE : GROUPS_BETTER;
    if (test->low > -found->margin && test->high < found->margin)
        return GROUPS_EQUIVALENT;
    return GROUPS_INCONCLUSIVE;
}

void groups_compare(const struct groups *groups, struct groups_found *out)
{
    size_t m = groups->base_count, n = groups->new_count;
    *out = (struct groups_found){.detectable = NAN, .runs_needed = rank_least_runs(groups->alpha)};
    rank_compare(groups->new_values, n, groups->base, m, 1 - groups->alpha, &out->test);
    out->base_median = median_of(groups->base, m);
    out->new_median = median_of(groups->new_values, n);
    out->margin = groups->margin * fabs(out->base_median);
    if (m + n > 2) {
        double squares = squares_of(groups->base, m) + squares_of(groups->new_values, n);
        double deviation = sqrt(squares / (double)(m + n - 2));
        out->detectable = deviation * (groups->detectable > 0
                                           ? groups->detectable
                                           : rank_detectable(n, m, groups->alpha, GROUPS_POWER));
    }
    bool possible = rank_least_p(n, m) <= groups->alpha * (1 + 1e-12);
    out->verdict = possible ? judge(out, groups->higher_better) : GROUPS_REFUSED;
}

const char *groups_verdict_words(enum groups_verdict verdict)
{
    static const char *const words[] = {"inconclusive", "equivalent", "better", "worse", "refused"};
    return words[verdict];
}
