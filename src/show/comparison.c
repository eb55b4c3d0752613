/* A comparison of runs in words: first the verdict, then what it rests on, then the rest. */
#include "show/comparison.h"

#include "show/document.h"
#include "show/law_part.h"
#include "show/table.h"
#include "show/verdict.h"
#include "show/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 80, INDENT = 11, RUNS_SHOWN = 12 };

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *values_document(const double *values, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, document_number(values[i]));
    return list;
}

static json_t *row_document(const struct comparison *comparison, const struct comparison_row *row)
{
    const struct rank_test *test = &row->found.test;
    double base = fabs(row->found.base_median);
    json_t *object = json_object();
    json_object_set_new(object, "metric", document_text(row->words));
    json_object_set_new(object, "unit", document_text(row->unit));
    json_object_set_new(object, "better", json_string(row->higher_better ? "higher" : "lower"));
    json_object_set_new(object, "verdict", json_string(groups_verdict_words(row->verdict)));
    json_object_set_new(object, "base_values", values_document(row->base, comparison->base_count));
    json_object_set_new(object, "new_values",
                        values_document(row->new_values, comparison->new_count));
    json_object_set_new(object, "lower_bounds", json_boolean(row->base_bound || row->new_bound));
    law_number(object, "base_median", row->found.base_median);
    law_number(object, "new_median", row->found.new_median);
    law_number(object, "shift", test->shift);
    law_number(object, "shift_ratio", base > 0 ? test->shift / base : (double)NAN);
    json_object_set_new(object, "shift_interval", law_interval(test->low, test->high));
    json_object_set_new(object, "shift_ratio_interval",
                        base > 0 ? law_interval(test->low / base, test->high / base)
                                 : law_interval(NAN, NAN));
    law_number(object, "coverage", test->coverage);
    law_number(object, "p", test->p);
    law_number(object, "p_holm", row->p_holm);
    json_object_set_new(object, "exact", json_boolean(test->exact));
    law_number(object, "margin", row->found.margin);
    law_number(object, "minimum_detectable_effect", row->found.detectable);
    law_number(object, "minimum_detectable_effect_ratio",
               base > 0 ? row->found.detectable / base : (double)NAN);
    json_object_set_new(object, "base_within_run",
                        law_interval(row->base_within.low, row->base_within.high));
    json_object_set_new(object, "new_within_run",
                        law_interval(row->new_within.low, row->new_within.high));
    return object;
}

static json_t *names_document(const char *const *names, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, document_text(names[i]));
    return list;
}

static json_t *comparison_document(const struct comparison *comparison,
                                   const struct comparison_names *names)
{
    json_t *root = json_object(), *beside = json_array(), *differences = json_array();
    json_object_set_new(root, "tool", json_string("compare"));
    json_object_set_new(root, "schema", json_integer(1));
    json_object_set_new(root, "verdict", json_string(comparison_words(comparison)));
    json_object_set_new(root, "comparable", json_boolean(comparison->comparable));
    json_object_set_new(root, "forced", json_boolean(comparison->forced));
    json_object_set_new(root, "base_runs", document_count(comparison->base_count));
    json_object_set_new(root, "new_runs", document_count(comparison->new_count));
    json_object_set_new(root, "base_files", names_document(names->base, comparison->base_count));
    json_object_set_new(root, "new_files", names_document(names->new_runs, comparison->new_count));
    law_number(root, "alpha", comparison->alpha);
    law_number(root, "margin_ratio", comparison->margin);
    law_number(root, "least_p", rank_least_p(comparison->new_count, comparison->base_count));
    json_object_set_new(root, "runs_needed", document_count(comparison->rows[0].found.runs_needed));
    json_object_set_new(root, "primary", row_document(comparison, &comparison->rows[0]));
    for (size_t i = 1; i < comparison->row_count; i++)
        json_array_append_new(beside, row_document(comparison, &comparison->rows[i]));
    json_object_set_new(root, "secondary", beside);
    for (size_t i = 0; i < comparison->difference_count; i++) {
        json_t *object = json_object();
        json_object_set_new(object, "words", document_text(comparison->differences[i].words));
        json_object_set_new(object, "blocks", json_boolean(comparison->differences[i].blocks));
        json_array_append_new(differences, object);
    }
    json_object_set_new(root, "differences", differences);
    return root;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* A value in its unit, as all reports write it. */
static const char *value_words(const struct comparison_row *row, double value, struct text *out)
{
    text_clear(out);
    show_judged_value(row->unit, value, false, out);
    return out->at;
}

/* A shift as a share of the base, or in its unit where the base is 0. */
static const char *shift_words(const struct comparison_row *row, double shift, struct text *out)
{
    double base = fabs(row->found.base_median);
    text_clear(out);
    if (!isfinite(shift))
        text_puts(out, "unknown");
    else if (base > 0)
        text_printf(out, "%+.3g %%", shift / base * 100);
    else if (shift > 0 || shift < 0)
        text_printf(out, "%+.3g %s", shift, row->unit);
    else
        text_puts(out, "none");
    return out->at;
}

static enum words_tone tone_of(enum groups_verdict verdict)
{
    return verdict == GROUPS_WORSE        ? TONE_BAD
           : verdict == GROUPS_BETTER     ? TONE_GOOD
           : verdict == GROUPS_EQUIVALENT ? TONE_GOOD
                                          : TONE_DOUBTFUL;
}

static void put_title(const struct comparison *comparison, const struct law_style *style,
                      struct text *out)
{
    const struct comparison_row *row = &comparison->rows[0];
    bool told = comparison->comparable || comparison->forced;
    char title[32];
    snprintf(title, sizeof title, "%s", comparison_words(comparison));
    for (char *at = title; *at; at++)
        *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
    words_put_tone(out, style->colour, told ? tone_of(comparison->verdict) : TONE_BAD, title);
    text_printf(out, "    %s, %s is better, margin %.3g %%, alpha %.3g\n", row->words,
                row->higher_better ? "higher" : "lower", comparison->margin * 100,
                comparison->alpha);
}

/* Why there is no verdict, and how to get one. */
static void put_refusal(const struct comparison *comparison, struct text *out)
{
    if (!comparison->comparable && !comparison->forced)
        text_puts(out,
                  "  the runs differ in more than what was measured (below); --force compares\n"
                  "  them all the same\n");
    if (comparison->verdict != GROUPS_REFUSED)
        return;
    text_printf(out,
                "  %zu and %zu runs can never reach p <= %.3g (least p %.3g): what follows is no\n"
                "  test. Runs differ by themselves; need >= %zu runs of each side\n",
                comparison->base_count, comparison->new_count, comparison->alpha,
                rank_least_p(comparison->base_count, comparison->new_count),
                comparison->rows[0].found.runs_needed);
}

/* One side of the primary metric: its median and spread between runs, or within the only one. */
static void put_side(const struct comparison_row *row, const char *side, const double *values,
                     size_t count, struct text *out)
{
    struct text one = TEXT_EMPTY, two = TEXT_EMPTY;
    bool base = values == row->base;
    double least = values[0], most = values[0];
    for (size_t i = 1; i < count; i++) {
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    double median = base ? row->found.base_median : row->found.new_median;
    const struct comparison_within *within = base ? &row->base_within : &row->new_within;
    text_printf(out, "  %-8s %4zu run%s   %s%s", side, count, count == 1 ? " " : "s",
                (base ? row->base_bound : row->new_bound) ? "≥ " : "",
                value_words(row, median, &one));
    if (count > 1)
        text_printf(out, "   (%s to %s between runs)", value_words(row, least, &one),
                    value_words(row, most, &two));
    else if (isfinite(within->low))
        text_printf(out, "   (%s to %s within the run, at least)",
                    value_words(row, within->low, &one), value_words(row, within->high, &two));
    text_putc(out, '\n');
    text_fini(&one);
    text_fini(&two);
}

static void put_primary(const struct comparison *comparison, struct text *out)
{
    const struct comparison_row *row = &comparison->rows[0];
    const struct rank_test *test = &row->found.test;
    struct text one = TEXT_EMPTY, two = TEXT_EMPTY, three = TEXT_EMPTY;
    bool tested = comparison->verdict != GROUPS_REFUSED;
    put_side(row, "base", row->base, comparison->base_count, out);
    put_side(row, "new", row->new_values, comparison->new_count, out);
    text_printf(out, "  shift    %s", shift_words(row, test->shift, &one));
    if (tested)
        text_printf(out,
                    "   %.4g %% interval %s to %s   (Hodges-Lehmann)\n"
                    "  p        %.3g   (Mann-Whitney, two-sided, %s)\n",
                    (1 - comparison->alpha) * 100, shift_words(row, test->low, &two),
                    shift_words(row, test->high, &three), test->p,
                    test->exact ? "exact" : "normal, ties corrected");
    else
        text_puts(out, "   not a test\n");
    if (tested && isfinite(row->found.detectable) && row->found.base_median != 0)
        text_printf(out, "  a change of %.3g %% would be found 8 times of 10 with these runs\n",
                    row->found.detectable / fabs(row->found.base_median) * 100);
    if (comparison->verdict == GROUPS_INCONCLUSIVE && comparison->margin <= 0)
        text_puts(out,
                  "  without a margin (--margin 5%) equality cannot be claimed, only change\n");
    text_fini(&one);
    text_fini(&two);
    text_fini(&three);
}

static void put_beside(const struct comparison *comparison, const struct law_style *style,
                       struct text *out)
{
    static const struct table_column columns[] = {
        {.title = "beside it, decides nothing"}, {.title = "base", .right = true},
        {.title = "new", .right = true},         {.title = "shift", .right = true},
        {.title = "p (Holm)", .right = true},    {.title = ""}};
    bool tested = comparison->verdict != GROUPS_REFUSED;
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    struct text words = TEXT_EMPTY;
    char number[LAW_ROOM];
    for (size_t i = 1; i < comparison->row_count; i++) {
        const struct comparison_row *row = &comparison->rows[i];
        char *clean = words_clean(row->words, false);
        table_cell(table, clean);
        free(clean);
        table_cell(table, value_words(row, row->found.base_median, &words));
        table_cell(table, value_words(row, row->found.new_median, &words));
        table_cell(table, shift_words(row, row->found.test.shift, &words));
        snprintf(number, sizeof number, "%.2g", row->p_holm);
        table_cell(table, tested ? number : "–");
        if (tested && row->verdict != GROUPS_INCONCLUSIVE)
            table_cell_tone(table, groups_verdict_words(row->verdict), tone_of(row->verdict));
        else
            table_cell(table, "");
    }
    if (comparison->row_count > 1) {
        text_putc(out, '\n');
        table_put(table, 2, COLUMNS, style->colour, out);
    }
    table_free(table);
    text_fini(&words);
}

static void put_differences(const struct comparison *comparison, struct text *out)
{
    for (int blocks = 1; blocks >= 0; blocks--)
        for (size_t i = 0; i < comparison->difference_count; i++) {
            const struct comparison_difference *difference = &comparison->differences[i];
            if (difference->blocks != (blocks == 1))
                continue;
            text_puts(out, blocks ? "  ! " : "  differs  ");
            words_put_wrapped(out, difference->words, blocks ? 4 : INDENT, COLUMNS);
        }
}

void comparison_put(const struct comparison *comparison, const struct comparison_names *names,
                    const struct law_style *style, struct text *out)
{
    if (style->json) {
        law_dump(comparison_document(comparison, names), out);
        return;
    }
    put_title(comparison, style, out);
    put_refusal(comparison, out);
    text_putc(out, '\n');
    put_primary(comparison, out);
    put_beside(comparison, style, out);
    if (comparison->difference_count)
        text_putc(out, '\n');
    put_differences(comparison, out);
}
