/* study/threshold.c - asks for the number, then compares it with the limit; what cannot be told
 * from the data is not judged, and says why. */
#include "study/threshold.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/unit.h"
#include "study/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void verdict_fini(struct result_verdict *verdict)
{
    free(verdict->words);
    free(verdict->scope);
    free(verdict->unit);
    free(verdict->why);
    *verdict = (struct result_verdict){0};
}

/* ---- comparing --------------------------------------------------------------------------- */

static bool holds(unsigned compare, double value, double limit)
{
    switch (compare) {
    case COMPARE_LESS:
        return value < limit;
    case COMPARE_AT_MOST:
        return value <= limit;
    case COMPARE_MORE:
        return value > limit;
    case COMPARE_AT_LEAST:
        return value >= limit;
    case COMPARE_EQUAL:
        return value == limit;
    case COMPARE_NOT:
        return value != limit;
    }
    return false;
}

/* Whether the comparison stays as it is for every value from this one upwards. */
static bool settled(unsigned compare, double value, double limit)
{
    switch (compare) {
    case COMPARE_LESS:
    case COMPARE_AT_MOST:
        return !holds(compare, value, limit);
    case COMPARE_MORE:
    case COMPARE_AT_LEAST:
        return holds(compare, value, limit);
    default:
        return value > limit;
    }
}

/* Not judged: why becomes the verdict's. The value stays where one is known as a bound. */
static void leave_open(struct result_verdict *out, struct text *why)
{
    out->verdict = VERDICT_NOT_JUDGED;
    out->why = text_take(why);
}

static void say_bound(struct text *why, const struct measured *measured)
{
    text_printf(why,
                "only a lower bound is known, %.4g %s: unfinished requests reach it, and it does "
                "not settle the limit",
                measured->value, measured->unit);
}

/* ---- thresholds -------------------------------------------------------------------------- */

static char *threshold_scope(const struct plan_threshold *threshold)
{
    if (threshold->filter_key == NULL)
        return memory_copy_text("");
    struct text scope = TEXT_EMPTY;
    text_printf(&scope, "%s %s", threshold->filter_key,
                threshold->filter_value ? threshold->filter_value : "");
    return text_take(&scope);
}

static struct measure_question threshold_question(const struct plan_threshold *threshold,
                                                  nsec_t at_ns)
{
    struct measure_question question = {
        .metric = threshold->metric,
        .aggregate = threshold->aggregate,
        .percentile = threshold->percentile,
        .scope = {.key = threshold->filter_key, .value = threshold->filter_value},
    };
    if (threshold->window_ns > 0) {
        question.scope.begin_ns = at_ns > threshold->window_ns ? at_ns - threshold->window_ns : 0;
        question.scope.end_ns = at_ns > 0 ? at_ns : 1;
    }
    return question;
}

/* Whether it is too early, or too little was measured, to judge. */
static bool threshold_waits(const struct plan_threshold *threshold, nsec_t at_ns, uint64_t count,
                            struct text *why)
{
    char words[UNIT_ROOM];
    if (at_ns < threshold->after_ns)
        text_printf(why, "not judged before %s", unit_write_duration(words, threshold->after_ns));
    else if (count < threshold->min_samples)
        text_printf(why, "n = %llu: fewer than min_samples (%llu)", (unsigned long long)count,
                    (unsigned long long)threshold->min_samples);
    return why->bytes > 0;
}

void threshold_judge(const struct plan_threshold *threshold, const struct result *result,
                     nsec_t at_ns, struct result_verdict *out)
{
    struct text words = TEXT_EMPTY, why = TEXT_EMPTY;
    text_printf(&words, "%s: %s", threshold->metric, threshold->words ? threshold->words : "");
    *out = (struct result_verdict){.words = text_take(&words),
                                   .scope = threshold_scope(threshold),
                                   .value = NAN,
                                   .limit = threshold->limit,
                                   .accept = threshold->limit};
    struct measure_question question = threshold_question(threshold, at_ns);
    struct measured measured;
    int rc = measure(result, &question, &measured, &why);
    out->unit = memory_copy_text(measured.unit);
    out->count = measured.count;
    if (rc == 0 && !threshold_waits(threshold, at_ns, measured.count, &why)) {
        out->value = measured.value;
        out->at_least = measured.at_least;
        if (measured.at_least && !settled(threshold->compare, measured.value, threshold->limit))
            say_bound(&why, &measured);
    }
    if (why.bytes > 0) {
        leave_open(out, &why);
        return;
    }
    bool met = holds(threshold->compare, measured.value, threshold->limit);
    out->verdict = met ? VERDICT_MET : VERDICT_FAILED;
    text_fini(&why);
}

/* ---- objectives -------------------------------------------------------------------------- */

/* "p95", "p(99.9)", "avg": an aggregate and its percentile; NULL: the metric's own. */
static void read_stat(const char *stat, struct measure_question *question)
{
    question->aggregate = stat;
    if (stat == NULL)
        return;
    if (strcmp(stat, "mean") == 0)
        question->aggregate = "avg";
    if (strcmp(stat, "median") == 0)
        question->aggregate = "med";
    if (stat[0] != 'p')
        return;
    const char *digits = stat + 1 + (stat[1] == '(');
    char *end;
    double percentile = strtod(digits, &end);
    if (end != digits && (*end == '\0' || (stat[1] == '(' && strcmp(end, ")") == 0))) {
        question->aggregate = "p";
        question->percentile = percentile;
    }
}

static char *objective_scope(const struct plan_objective *objective)
{
    struct text scope = TEXT_EMPTY;
    if (objective->task != NULL)
        text_printf(&scope, "task %s", objective->task);
    if (objective->service != NULL)
        text_printf(&scope, "%sservice %s", scope.bytes > 0 ? ", " : "", objective->service);
    if (objective->at != 0)
        text_printf(&scope, "%slevel %g", scope.bytes > 0 ? ", " : "", objective->at);
    return text_take(&scope);
}

/* Milliseconds become seconds: objectives are in base units. */
static void to_base_units(struct measured *measured)
{
    if (strcmp(measured->unit, "ms") != 0)
        return;
    measured->value /= 1000;
    measured->unit = "s";
}

static void objective_compare(const struct plan_objective *objective,
                              const struct measured *measured, struct result_verdict *out,
                              struct text *why)
{
    unsigned compare = objective->least ? COMPARE_AT_LEAST : COMPARE_AT_MOST;
    if (measured->at_least && !settled(compare, measured->value, objective->accept)) {
        say_bound(why, measured);
        return;
    }
    if (holds(compare, measured->value, objective->target))
        out->verdict = VERDICT_MET;
    else if (holds(compare, measured->value, objective->accept))
        out->verdict = VERDICT_ACCEPTED;
    else
        out->verdict = VERDICT_FAILED;
}

void objective_judge(const struct plan_objective *objective, const struct result *result,
                     struct result_verdict *out)
{
    struct text why = TEXT_EMPTY;
    *out = (struct result_verdict){
        .words = memory_copy_text(objective->words ? objective->words : objective->metric),
        .scope = objective_scope(objective),
        .value = NAN,
        .limit = objective->target,
        .accept = objective->accept,
        .objective = true};
    struct measure_question question = {.metric = objective->metric,
                                        .scope = {.key = objective->service ? "service" : NULL,
                                                  .value = objective->service,
                                                  .task = objective->task,
                                                  .level = objective->at}};
    read_stat(objective->stat, &question);
    struct measured measured;
    int rc = measure(result, &question, &measured, &why);
    to_base_units(&measured); /* also where nothing was measured: the target has a unit too */
    if (rc == 0) {
        out->value = measured.value;
        out->at_least = measured.at_least;
        objective_compare(objective, &measured, out, &why);
    }
    out->unit = memory_copy_text(measured.unit);
    out->count = measured.count;
    if (why.bytes > 0)
        leave_open(out, &why);
    else
        text_fini(&why);
}

bool objectives_pass(const struct result_verdict *verdicts, size_t count, double needed,
                     size_t *met, size_t *judged)
{
    size_t all = 0;
    *met = 0;
    *judged = 0;
    for (size_t i = 0; i < count; i++) {
        if (!verdicts[i].objective)
            continue;
        all++;
        *judged += verdicts[i].verdict != VERDICT_NOT_JUDGED;
        *met += verdicts[i].verdict == VERDICT_MET || verdicts[i].verdict == VERDICT_ACCEPTED;
    }
    /* What was not judged was not met: silence is no pass. */
    return (double)*met >= needed * (double)all * (1 - 1e-12);
}
