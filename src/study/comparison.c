/* Runs of two sides, one metric a row; see comparison.h. */
#include "study/comparison_part.h"

#include "base/memory.h"
#include "stat/quantile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS_MOST = 12, NAME_ROOM = 80 };

#define WITHIN_CONFIDENCE 0.95

/* A row to be filled, and of what. */
struct asking {
    const struct comparison_runs *runs;
    const struct comparison *comparison;
    const struct comparison_metric *metric;
    double level;      /* 0: the whole run */
    double detectable; /* of groups of these sizes, in standard deviations; 0: nothing */
};

static void row_fini(struct comparison_row *row)
{
    free(row->words);
    free(row->unit);
    free(row->base);
    free(row->new_values);
}

/* The values of a group of runs. Returns 0, or the number (from 1) of the run that has none, with
 * the reason in why. */
static size_t read_values(const struct asking *asking, const struct result *const *runs,
                          size_t count, struct comparison_row *row, struct text *why)
{
    bool base = runs == asking->runs->base;
    double *values = memory_new(count, sizeof *values);
    struct measure_question question = comparison_question(asking->metric);
    question.scope.level = asking->level;
    *(base ? &row->base : &row->new_values) = values;
    for (size_t i = 0; i < count; i++) {
        struct measured measured;
        if (measure(runs[i], &question, &measured, why) != 0)
            return i + 1;
        values[i] = measured.value;
        *(base ? &row->base_bound : &row->new_bound) |= measured.at_least;
        if (!row->unit)
            row->unit = memory_copy_text(measured.unit);
    }
    return 0;
}

/* Where a whole run's quantile of a time lies, by order statistics of its requests. */
static struct comparison_within time_within(const struct asking *asking, const struct result *run)
{
    struct comparison_within within = {NAN, NAN};
    const struct comparison_metric *metric = asking->metric;
    bool response =
        strcmp(metric->name, "response") == 0 || strcmp(metric->name, "response_time") == 0;
    const struct hist *hist = result_hist(run->total, HIST_RESPONSE);
    nsec_t low = 0, high = 0;
    if (response && !metric->key && asking->level <= 0 && metric->aggregate &&
        strcmp(metric->aggregate, "p") == 0 && metric->percentile > 0 && metric->percentile < 100 &&
        result_hist(run->total, HIST_CENSORED)->count == 0 &&
        hist_quantile_interval(hist, metric->percentile / 100, WITHIN_CONFIDENCE, &low, &high) == 0)
        within = (struct comparison_within){(double)low / (double)NSEC_PER_MSEC,
                                            (double)high / (double)NSEC_PER_MSEC};
    return within;
}

/* A bound says something in one direction only: a new run that is at least so slow may be worse,
 * never equal or better; with the base it is the reverse. */
static enum groups_verdict soften(const struct comparison_row *row)
{
    enum groups_verdict verdict = row->found.verdict;
    bool worse = verdict == GROUPS_WORSE, better = verdict == GROUPS_BETTER;
    if (verdict == GROUPS_REFUSED || (!row->base_bound && !row->new_bound))
        return verdict;
    if (row->new_bound && !row->base_bound && worse && !row->higher_better)
        return verdict;
    if (row->base_bound && !row->new_bound && better && !row->higher_better)
        return verdict;
    return GROUPS_INCONCLUSIVE;
}

static int fill_row(const struct asking *asking, struct comparison_row *row, struct text *why)
{
    const struct comparison_runs *runs = asking->runs;
    struct text reason = TEXT_EMPTY;
    *row = (struct comparison_row){.words = memory_copy_text(asking->metric->words),
                                   .higher_better = asking->metric->higher_better};
    size_t lacking = read_values(asking, runs->base, runs->base_count, row, &reason);
    const char *side = "base";
    if (!lacking) {
        side = "new";
        lacking = read_values(asking, runs->new_runs, runs->new_count, row, &reason);
    }
    if (lacking) {
        text_printf(why, "%s of %s run %zu is not known: %s", row->words, side, lacking,
                    reason.at ? reason.at : "");
        row_fini(row);
        text_fini(&reason);
        return 1;
    }
    struct groups groups = {
        .base = row->base,
        .new_values = row->new_values,
        .base_count = runs->base_count,
        .new_count = runs->new_count,
        .alpha = asking->comparison->alpha,
        .margin = asking->comparison->margin,
        .higher_better = row->higher_better,
        .detectable = asking->detectable,
    };
    groups_compare(&groups, &row->found);
    row->base_within = time_within(asking, runs->base[0]);
    row->new_within = time_within(asking, runs->new_runs[0]);
    row->p_holm = row->found.test.p;
    row->verdict = soften(row);
    return 0;
}

static void keep(struct comparison *out, const struct comparison_row *row)
{
    out->rows = memory_resize(out->rows, out->row_count + 1, sizeof *out->rows);
    out->rows[out->row_count++] = *row;
}

/* A metric beside the primary, where all runs have it and anything happened. */
static void add_beside(struct asking *asking, const char *words, double level,
                       struct comparison *out)
{
    struct comparison_metric metric;
    struct comparison_row row;
    struct text why = TEXT_EMPTY, name = TEXT_EMPTY;
    if (comparison_metric_read(words, &metric, &why) == 0) {
        asking->metric = &metric;
        asking->level = level;
        if (level > 0)
            metric.higher_better = out->rows[0].higher_better;
        bool primary = level <= 0 && strcmp(metric.words, out->rows[0].words) == 0;
        if (!primary && fill_row(asking, &row, &why) == 0) {
            if (level > 0) {
                text_printf(&name, "%s at %g", row.words, level);
                free(row.words);
                row.words = text_take(&name);
            }
            keep(out, &row);
        }
        asking->metric = NULL;
        comparison_metric_fini(&metric);
    }
    text_fini(&why);
    text_fini(&name);
}

/* The primary at each load level, where there are several: curves are compared, not one point. */
static void add_levels(struct asking *asking, struct comparison *out)
{
    const struct result *first = asking->runs->base[0];
    double seen[LEVELS_MOST];
    size_t count = 0;
    for (size_t i = 0; i < first->phase_count && count < LEVELS_MOST; i++) {
        const struct result_phase *phase = &first->phases[i];
        bool again = !phase->level || phase->excluded || !(phase->target > 0);
        for (size_t k = 0; k < count && !again; k++)
            again = fabs(seen[k] - phase->target) < 1e-9 * phase->target;
        if (!again)
            seen[count++] = phase->target;
    }
    char *words = memory_copy_text(out->rows[0].words);
    for (size_t i = 0; count > 1 && i < count; i++)
        add_beside(asking, words, seen[i], out);
    free(words);
}

/* What the adjustment for many questions leaves of the others' verdicts. */
static void adjust(struct comparison *out)
{
    size_t count = out->row_count - 1;
    double *p = memory_new(count, sizeof *p);
    for (size_t i = 0; i < count; i++)
        p[i] = out->rows[i + 1].p_holm;
    rank_holm(p, count);
    for (size_t i = 0; i < count; i++) {
        struct comparison_row *row = &out->rows[i + 1];
        bool change = row->verdict == GROUPS_WORSE || row->verdict == GROUPS_BETTER;
        row->p_holm = p[i];
        if (change && p[i] > out->alpha)
            row->verdict = GROUPS_INCONCLUSIVE;
    }
    free(p);
}

int comparison_make(const struct comparison_runs *runs, const struct comparison_wish *wish,
                    struct comparison *out, struct text *why)
{
    static const char *const beside[] = {"response p50", "response p95", "response p99",
                                         "response avg", "throughput",   "error_rate",
                                         "ttft p95",     "tpot p95",     "itl p95"};
    struct comparison_metric metric;
    struct comparison_row row;
    *out = (struct comparison){.base_count = runs->base_count,
                               .new_count = runs->new_count,
                               .alpha = wish->alpha,
                               .margin = wish->margin};
    int error = comparison_metric_read(wish->metric ? wish->metric : "response p95", &metric, why);
    if (error)
        return error;
    if (wish->better)
        metric.higher_better = wish->better > 0;
    struct asking asking = {.runs = runs, .comparison = out, .metric = &metric};
    if (runs->base_count + runs->new_count > 2)
        asking.detectable =
            rank_detectable(runs->new_count, runs->base_count, wish->alpha, GROUPS_POWER);
    error = fill_row(&asking, &row, why);
    if (error == 0) {
        keep(out, &row);
        for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
            add_beside(&asking, beside[i], 0, out);
        add_levels(&asking, out);
        adjust(out);
        comparison_look(runs, out);
        out->forced = !out->comparable && wish->force;
        out->verdict = out->rows[0].verdict;
    }
    comparison_metric_fini(&metric);
    return error;
}

void comparison_fini(struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->row_count; i++)
        row_fini(&comparison->rows[i]);
    for (size_t i = 0; i < comparison->difference_count; i++)
        free(comparison->differences[i].words);
    free(comparison->rows);
    free(comparison->differences);
    *comparison = (struct comparison){0};
}

const char *comparison_words(const struct comparison *comparison)
{
    if (!comparison->comparable && !comparison->forced)
        return "not comparable";
    return groups_verdict_words(comparison->verdict);
}
