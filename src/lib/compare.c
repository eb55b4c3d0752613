/* Comparisons of the library: the reports' results handed to study, and its answer as plain values.
 */
#include "lib/inside.h"

#include "base/memory.h"
#include "study/comparison.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The results of reports; NULL when one has none. Owner: caller, free(). */
static const struct result **results_of(const struct plimsoll_report *const *reports, size_t count)
{
    const struct result **results = memory_new(count, sizeof *results);
    for (size_t i = 0; i < count; i++) {
        results[i] = reports[i] ? reports[i]->run.result : NULL;
        if (!results[i]) {
            free(results);
            return NULL;
        }
    }
    return results;
}

static enum plimsoll_change change_of(const struct comparison *comparison)
{
    static const enum plimsoll_change changes[] = {
        [GROUPS_INCONCLUSIVE] = PLIMSOLL_INCONCLUSIVE,
        [GROUPS_EQUIVALENT] = PLIMSOLL_EQUIVALENT,
        [GROUPS_BETTER] = PLIMSOLL_BETTER,
        [GROUPS_WORSE] = PLIMSOLL_WORSE,
        [GROUPS_REFUSED] = PLIMSOLL_TOO_FEW_RUNS,
    };
    return comparison->comparable ? changes[comparison->verdict] : PLIMSOLL_NOT_COMPARABLE;
}

static struct plimsoll_comparison values_of(const struct comparison *comparison)
{
    const struct groups_found *found = &comparison->rows[0].found;
    return (struct plimsoll_comparison){
        .change = change_of(comparison),
        .base_median = found->base_median,
        .now_median = found->new_median,
        .shift = found->test.shift,
        .shift_low = found->test.low,
        .shift_high = found->test.high,
        .p = found->test.p,
        .detectable = found->detectable,
        .runs_needed = found->runs_needed,
    };
}

static void put_differences(const struct comparison *comparison, struct text *out)
{
    for (size_t i = 0; i < comparison->difference_count; i++)
        text_printf(out, "%s%s", i ? "\n" : "", comparison->differences[i].words);
}

/* Compares results, and fills in what the caller's version of the struct has. */
static int compare(const struct comparison_runs *runs, const struct comparison_wish *wish,
                   struct plimsoll_comparison *out, struct text *words)
{
    struct comparison comparison;
    size_t bytes = out->bytes;
    if (comparison_make(runs, wish, &comparison, words) != 0)
        return -ENOENT;
    struct plimsoll_comparison filled = values_of(&comparison);
    memcpy(out, &filled, bytes < sizeof filled ? bytes : sizeof filled);
    out->bytes = bytes;
    put_differences(&comparison, words);
    comparison_fini(&comparison);
    return 0;
}

int plimsoll_compare(const struct plimsoll_sides *given, struct plimsoll_comparison *out,
                     char **words)
{
    struct plimsoll_sides sides = PLIMSOLL_SIDES_INIT;
    if (words)
        *words = NULL;
    if (given->bytes < sizeof given->bytes || out->bytes < sizeof out->bytes)
        return -EINVAL;
    memcpy(&sides, given, given->bytes < sizeof sides ? given->bytes : sizeof sides);
    if (sides.base_count == 0 || sides.now_count == 0)
        return -EINVAL;
    const struct result **base = results_of(sides.base, sides.base_count);
    const struct result **now = results_of(sides.now, sides.now_count);
    struct comparison_runs runs = {base, now, sides.base_count, sides.now_count};
    struct comparison_wish wish = {.metric = sides.metric,
                                   .alpha = sides.alpha > 0 && sides.alpha < 1 ? sides.alpha : 0.05,
                                   .margin = sides.margin > 0 ? sides.margin : 0};
    struct text said = TEXT_EMPTY;
    int error = base && now ? compare(&runs, &wish, out, &said) : -EINVAL;
    if (words && said.bytes)
        *words = text_take(&said);
    text_fini(&said);
    free(base);
    free(now);
    return error;
}
