/* The answer about two groups of runs, and about the changes of many: a verdict by interval, never
 * "no difference" where none could have been found. */
#include "show/law_part.h"

#include "base/memory.h"
#include "show/document.h"
#include "show/table.h"
#include "show/verdict.h"
#include "show/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 80, FEW_VALUES = 10 };

static double median_of(const double *values, size_t count)
{
    double *copy = memory_new(count, sizeof *copy);
    memcpy(copy, values, count * sizeof *copy);
    double median = rank_median(copy, count);
    free(copy);
    return median;
}

static json_t *comparison_document(const struct groups *groups, const struct groups_found *found,
                                   double confidence)
{
    json_t *root = json_object();
    const struct rank_test *test = &found->test;
    double base = fabs(found->base_median);
    json_object_set_new(root, "tool", json_string("compare"));
    json_object_set_new(root, "schema", json_integer(1));
    json_object_set_new(root, "verdict", json_string(groups_verdict_words(found->verdict)));
    json_object_set_new(root, "base_runs", document_count(groups->base_count));
    json_object_set_new(root, "new_runs", document_count(groups->new_count));
    law_number(root, "base_median", found->base_median);
    law_number(root, "new_median", found->new_median);
    law_number(root, "shift", test->shift);
    law_number(root, "shift_ratio", test->shift / base);
    json_object_set_new(root, "shift_interval", law_interval(test->low, test->high));
    json_object_set_new(root, "shift_ratio_interval",
                        law_interval(test->low / base, test->high / base));
    law_number(root, "confidence", confidence);
    law_number(root, "coverage", test->coverage);
    law_number(root, "p", test->p);
    law_number(root, "p_new_greater", test->p_greater);
    law_number(root, "p_new_less", test->p_less);
    law_number(root, "p_normal", test->p_normal);
    law_number(root, "p_normal_uncorrected", test->p_normal_plain);
    json_object_set_new(root, "exact", json_boolean(test->exact));
    json_object_set_new(root, "ties", json_boolean(test->ties));
    double pairs = (double)groups->base_count * (double)groups->new_count;
    law_number(root, "u_new", test->u);
    law_number(root, "u_base", pairs - test->u);
    law_number(root, "common_language_effect", test->common);
    law_number(root, "cliffs_delta", test->cliff);
    law_number(root, "alpha", groups->alpha);
    law_number(root, "least_p", rank_least_p(groups->new_count, groups->base_count));
    json_object_set_new(root, "runs_needed", document_count(found->runs_needed));
    law_number(root, "margin_ratio", groups->margin);
    law_number(root, "margin", found->margin);
    law_number(root, "minimum_detectable_effect", found->detectable);
    law_number(root, "minimum_detectable_effect_ratio", found->detectable / base);
    json_object_set_new(root, "better", json_string(groups->higher_better ? "higher" : "lower"));
    return root;
}

static const char *percent(char out[LAW_ROOM], double share)
{
    if (isfinite(share))
        snprintf(out, LAW_ROOM, "%+.2f %%", share * 100);
    else
        law_digits(out, share);
    return out;
}

static void put_refusal(const struct groups *groups, const struct groups_found *found,
                        struct text *out)
{
    text_printf(out,
                "REFUSED: %zu and %zu runs can never reach p <= %g; the least p is %.3g.\n"
                "  need >= %zu runs of each\n",
                groups->base_count, groups->new_count, groups->alpha,
                rank_least_p(groups->new_count, groups->base_count), found->runs_needed);
}

void law_comparison_put(const struct groups *groups, const struct groups_found *found,
                        const struct law_style *style, struct text *out)
{
    const struct rank_test *test = &found->test;
    double base = fabs(found->base_median);
    char one[LAW_ROOM], two[LAW_ROOM], three[LAW_ROOM];
    if (style->json) {
        law_dump(comparison_document(groups, found, style->confidence), out);
        return;
    }
    if (found->verdict == GROUPS_REFUSED) {
        put_refusal(groups, found, out);
    } else {
        text_printf(out, "%s",
                    found->verdict == GROUPS_WORSE        ? "WORSE"
                    : found->verdict == GROUPS_BETTER     ? "BETTER"
                    : found->verdict == GROUPS_EQUIVALENT ? "EQUIVALENT"
                                                          : "INCONCLUSIVE");
        text_printf(out, "    %s better, margin %.3g %%, alpha %g\n\n",
                    groups->higher_better ? "higher is" : "lower is", groups->margin * 100,
                    groups->alpha);
    }
    text_printf(out, "  base     %4zu runs   median %s\n", groups->base_count,
                law_digits(one, found->base_median));
    text_printf(out, "  new      %4zu runs   median %s\n", groups->new_count,
                law_digits(one, found->new_median));
    text_printf(out, "  shift    %s   %.4g %% interval %s to %s   (Hodges-Lehmann)\n",
                percent(one, test->shift / base), style->confidence * 100,
                percent(two, test->low / base), percent(three, test->high / base));
    text_printf(out, "  p        %.4g   (Mann-Whitney, two-sided, %s)\n", test->p,
                test->exact ? "exact" : "normal, ties corrected");
    if (isfinite(found->detectable))
        text_printf(out, "  a change of %.3g %% would be found 8 times of 10 with these runs\n",
                    found->detectable / base * 100);
    if (found->verdict == GROUPS_INCONCLUSIVE && groups->margin <= 0)
        text_puts(out,
                  "  without a margin (--margin 5%) equality cannot be claimed, only change\n");
}

/* One stretch between changes. */
static json_t *change_document(const double *values, const struct change *change, size_t begin,
                               size_t end, double confidence)
{
    struct rank_test test;
    size_t before = change->at - begin, after = end - change->at;
    json_t *object = json_object();
    json_object_set_new(object, "index", document_count(change->at));
    law_number(object, "p", change->p);
    law_number(object, "q", change->q);
    law_number(object, "q_unbiased", change->q_u);
    double old = median_of(values + begin, before);
    law_number(object, "median_before", old);
    law_number(object, "median_after", median_of(values + change->at, after));
    if (rank_compare(values + change->at, after, values + begin, before, confidence, &test) == 0) {
        law_number(object, "shift", test.shift);
        law_number(object, "shift_ratio", test.shift / fabs(old));
        json_object_set_new(object, "shift_interval", law_interval(test.low, test.high));
    }
    return object;
}

static void put_changes(const json_t *changes, const struct law_series *series, struct text *out)
{
    char one[LAW_ROOM], two[LAW_ROOM], three[LAW_ROOM];
    text_printf(out, "%zu change%s in %zu values\n", json_array_size(changes),
                json_array_size(changes) == 1 ? "" : "s", series->count);
    if (json_array_size(changes))
        text_puts(out, "\n  first value after      before       after       shift          p\n");
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);
        const json_t *ratio = json_object_get(change, "shift_ratio");
        text_printf(out, "  %-10lld %21s %11s %11s %10.4g\n",
                    (long long)json_integer_value(json_object_get(change, "index")),
                    law_digits(one, json_number_value(json_object_get(change, "median_before"))),
                    law_digits(two, json_number_value(json_object_get(change, "median_after"))),
                    percent(three, ratio ? json_number_value(ratio) : (double)NAN),
                    json_number_value(json_object_get(change, "p")));
    }
    text_puts(out, "\n  indexes count from 0; E-divisive means with random orders, seeded\n");
}

/* The same for runs, whose names say where to look. */
static void put_run_changes(const json_t *changes, const struct law_series *series,
                            struct text *out)
{
    static const struct table_column columns[] = {{.title = "first run after"},
                                                  {.title = "before", .right = true},
                                                  {.title = "after", .right = true},
                                                  {.title = "shift", .right = true},
                                                  {.title = "p", .right = true}};
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    struct text words = TEXT_EMPTY;
    char number[LAW_ROOM];
    text_printf(out, "%zu change%s of %s in %zu runs\n", json_array_size(changes),
                json_array_size(changes) == 1 ? "" : "s", series->metric, series->count);
    for (size_t i = 0; i < json_array_size(changes); i++) {
        static const char *const keys[] = {"median_before", "median_after"};
        const json_t *change = json_array_get(changes, i);
        const json_t *ratio = json_object_get(change, "shift_ratio");
        char *name =
            words_clean(series->names[json_integer_value(json_object_get(change, "index"))], false);
        table_cell(table, name);
        free(name);
        for (size_t k = 0; k < 2; k++) {
            text_clear(&words);
            show_judged_value(series->unit, json_number_value(json_object_get(change, keys[k])),
                              false, &words);
            table_cell(table, words.at);
        }
        table_cell(table, percent(number, ratio ? json_number_value(ratio) : (double)NAN));
        snprintf(number, sizeof number, "%.3g", json_number_value(json_object_get(change, "p")));
        table_cell(table, number);
    }
    if (json_array_size(changes)) {
        text_putc(out, '\n');
        table_put(table, 2, COLUMNS, false, out);
    }
    text_puts(out, "\n  oldest first; E-divisive means with random orders, seeded\n");
    table_free(table);
    text_fini(&words);
}

/* What the runs were, in the order of their values. */
static void add_runs(json_t *root, const struct law_series *series)
{
    json_t *runs = json_array(), *values = json_array();
    for (size_t i = 0; i < series->count; i++) {
        json_array_append_new(runs, document_text(series->names[i]));
        json_array_append_new(values, document_number(series->values[i]));
    }
    json_object_set_new(root, "metric", document_text(series->metric));
    json_object_set_new(root, "unit", document_text(series->unit));
    json_object_set_new(root, "runs", runs);
    json_object_set_new(root, "run_values", values);
}

void law_changes_put(const struct law_series *series, const struct change_rules *rules,
                     const struct law_style *style, struct text *out)
{
    size_t found = 0, count = series->count;
    struct change *changes = change_find(series->values, count, rules, &found);
    json_t *root = json_object(), *list = json_array();
    for (size_t i = 0; i < found; i++) {
        size_t begin = i ? changes[i - 1].at : 0;
        size_t end = i + 1 < found ? changes[i + 1].at : count;
        json_t *change =
            change_document(series->values, &changes[i], begin, end, style->confidence);
        if (series->names)
            json_object_set_new(change, "run", document_text(series->names[changes[i].at]));
        json_array_append_new(list, change);
    }
    json_object_set_new(root, "tool", json_string("detect"));
    json_object_set_new(root, "schema", json_integer(1));
    json_object_set_new(root, "values", document_count(count));
    law_number(root, "p_most", rules->p_most);
    json_object_set_new(root, "orders", document_count(rules->orders));
    json_object_set_new(root, "seed", document_count(rules->seed));
    if (series->names)
        add_runs(root, series);
    json_t *indexes = json_array();
    for (size_t i = 0; i < found; i++)
        json_array_append_new(indexes, document_count(changes[i].at));
    json_object_set_new(root, "indexes", indexes);
    json_object_set(root, "changes", list);
    json_t *warnings = json_array();
    if (count < FEW_VALUES)
        law_warn(warnings, "FEW_VALUES",
                 "fewer than 10 values: a change needs about five on each side to be seen");
    json_object_set(root, "warnings", warnings);
    if (style->json) {
        law_dump(root, out);
    } else {
        if (series->names)
            put_run_changes(list, series, out);
        else
            put_changes(list, series, out);
        law_warnings_put(warnings, out);
        json_decref(root);
    }
    json_decref(list);
    json_decref(warnings);
    free(changes);
}
