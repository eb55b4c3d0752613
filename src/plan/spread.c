/* Spreads of a quantity: a number, a range "2s..5s", or {dist: lognormal, median: 3s, p95: 8s}. */
#include "plan/reader.h"

#include "base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a map may say; a negative number: not said. */
struct spread_form {
    int dist;
    double value, min, max, mean, stddev, median, p95, shape;
};

static const struct setting_word dist_words[] = {
    {"auto", "told by the other keys"},
    {"fixed", "always the value"},
    {"uniform", "between min and max"},
    {"exponential", "with a mean"},
    {"normal", "with a mean and a standard deviation"},
    {"lognormal", "with a median and a 95th percentile"},
    {"gamma", "with a mean and a shape"},
    {"pareto", "with a min and a shape"},
    {NULL, NULL}};

#define SPREAD_ROW(key, words)                                                                     \
    {                                                                                              \
        .name = #key, .type = SETTING_REAL, .offset = offsetof(struct spread_form, key),           \
        .least = 0, .sentence = (words)                                                            \
    }

static const struct setting spread_rows[] = {
    {.name = "dist",
     .type = SETTING_CHOICE,
     .offset = offsetof(struct spread_form, dist),
     .words = dist_words,
     .unset = "auto",
     .sentence = "shape of the distribution"},
    SPREAD_ROW(value, "the value of fixed"),
    SPREAD_ROW(min, "least value; draws are cut to it"),
    SPREAD_ROW(max, "most; draws are cut to it"),
    SPREAD_ROW(mean, "mean of exponential, normal and gamma"),
    SPREAD_ROW(stddev, "standard deviation of normal"),
    SPREAD_ROW(median, "median of lognormal"),
    SPREAD_ROW(p95, "95th percentile of lognormal"),
    SPREAD_ROW(shape, "shape of gamma (1: exponential) and pareto"),
    {.name = NULL},
};

static bool takes_durations(const struct setting *row)
{
    return !row->unit || strcmp(row->unit, "seconds") == 0;
}

static int read_quantity(const struct setting *row, struct span words, double *value)
{
    nsec_t duration = 0;
    if (unit_read_real(words, value) == 0)
        return 0;
    if (!takes_durations(row) || unit_read_duration(words, NSEC_PER_SEC, &duration))
        return 1;
    *value = (double)duration / (double)NSEC_PER_SEC;
    return 0;
}

/* "3s" or "2s..5s" */
static int read_short(const struct setting *row, struct span words, struct distribution *out)
{
    const char *dots = words.bytes ? memmem(words.at, words.bytes, "..", 2) : NULL;
    struct distribution spread = {.spread = SPREAD_FIXED};
    if (!dots) {
        if (read_quantity(row, words, &spread.a) || spread.a < 0)
            return 1;
        spread.spread = spread.a > 0 ? SPREAD_FIXED : SPREAD_NONE;
        *out = spread;
        return 0;
    }
    size_t at = (size_t)(dots - words.at);
    struct span low = span_trim((struct span){words.at, at});
    struct span high = span_trim((struct span){dots + 2, words.bytes - at - 2});
    spread.spread = SPREAD_UNIFORM;
    if (read_quantity(row, low, &spread.a) || read_quantity(row, high, &spread.b) || spread.a < 0 ||
        spread.b < spread.a)
        return 1;
    *out = spread;
    return 0;
}

static bool given(double value)
{
    return value >= 0;
}

static enum spread guess(const struct spread_form *form)
{
    if (given(form->value))
        return SPREAD_FIXED;
    if (given(form->median) || given(form->p95))
        return SPREAD_LOGNORMAL;
    if (given(form->stddev))
        return SPREAD_NORMAL;
    if (given(form->mean))
        return given(form->shape) ? SPREAD_GAMMA : SPREAD_EXPONENTIAL;
    return given(form->shape) ? SPREAD_PARETO : SPREAD_UNIFORM;
}

static double or_zero(double value)
{
    return given(value) ? value : 0;
}

/* Fills a and b of the spread; what is lacking, or NULL. */
static const char *fill(const struct spread_form *form, enum spread spread,
                        struct distribution *out)
{
    *out = (struct distribution){
        .spread = spread, .least = or_zero(form->min), .most = or_zero(form->max)};
    switch (spread) {
    case SPREAD_FIXED:
        out->a = form->value;
        return given(form->value) ? NULL : "fixed needs value";
    case SPREAD_UNIFORM:
        out->a = form->min;
        out->b = form->max;
        return given(form->min) && given(form->max) && form->max >= form->min
                   ? NULL
                   : "uniform needs min and max, max being the larger";
    case SPREAD_EXPONENTIAL:
        out->a = form->mean;
        return given(form->mean) ? NULL : "exponential needs mean";
    case SPREAD_NORMAL:
        out->a = form->mean;
        out->b = form->stddev;
        return given(form->mean) && given(form->stddev) ? NULL : "normal needs mean and stddev";
    case SPREAD_LOGNORMAL:
        out->a = form->median;
        out->b = form->p95;
        return form->median > 0 && form->p95 > form->median
                   ? NULL
                   : "lognormal needs median and p95, p95 being the larger";
    case SPREAD_GAMMA:
        out->a = form->mean;
        out->b = form->shape;
        return given(form->mean) && form->shape > 0 ? NULL : "gamma needs mean and shape";
    default:
        out->a = form->min;
        out->b = form->shape;
        return form->min > 0 && form->shape > 0 ? NULL : "pareto needs min and shape";
    }
}

/* The rows with the unit of what they spread, so that ranges and durations are said rightly. */
static void rows_with_unit(const struct setting *row, struct setting *rows)
{
    memcpy(rows, spread_rows, sizeof spread_rows);
    for (size_t i = 1; rows[i].name; i++) {
        if (strcmp(rows[i].name, "shape") != 0)
            rows[i].unit = row->unit ? row->unit : "seconds";
    }
}

static void read_map(struct reader *reader, const struct setting *row, const char *path,
                     const struct node *node, struct distribution *out)
{
    struct spread_form form = {0, -1, -1, -1, -1, -1, -1, -1, -1};
    struct setting rows[sizeof spread_rows / sizeof *spread_rows];
    size_t errors = reader->notes->errors;
    rows_with_unit(row, rows);
    struct setting_scope scope = {rows, &form};
    setting_read_map(reader, node, path, &scope, 1);
    if (reader->notes->errors > errors)
        return;
    struct distribution spread;
    enum spread kind = form.dist ? (enum spread)form.dist : guess(&form);
    const char *lacking = fill(&form, kind, &spread);
    if (lacking)
        reader_error(reader, node, NULL, "%s: %s", row->name, lacking);
    else
        *out = spread;
}

void spread_read(struct reader *reader, const struct setting *row, const char *path,
                 const struct node *node, struct distribution *out)
{
    if (node->kind == NODE_MAP) {
        read_map(reader, row, path, node, out);
        return;
    }
    if (!reader_wants(reader, node, NODE_TEXT, row->name))
        return;
    char *words = reader_words(reader, node, "a number, a range or a map");
    if (words && read_short(row, span_trim(span_of(words)), out))
        reader_error(reader, node,
                     takes_durations(row) ? "for example 2s, 2s..5s, or {dist: lognormal, "
                                            "median: 3s, p95: 8s}"
                                          : "for example 200, 100..300, or {mean: 200, stddev: 50}",
                     "%s must be a number, a range or a map; it is \"%s\"", row->name, words);
    free(words);
}
