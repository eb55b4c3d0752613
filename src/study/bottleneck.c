/* Who it was. The generator comes first, since a test that it held back says nothing; then whoever
 * has the most evidence, where there is anything to explain at all: a resource that is busy in a
 * system which is linear and meets its objective holds nothing back.
 *
 * When nothing that was watched is full and throughput has levelled off all the same, the limit is
 * in software (or was not watched), and that is said instead of blaming a processor. */
#include "study/candidate.h"

#include "base/memory.h"
#include "base/text.h"
#include "base/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SECONDARY_MOST = 5 };

static const double enough = 3.5; /* score of what is called a bottleneck */
static const double clean = 0.7;  /* of its limit: exonerated below */

static void push(struct bottleneck **list, size_t *count, struct bottleneck *one)
{
    *list = memory_resize(*list, *count + 1, sizeof **list);
    (*list)[(*count)++] = *one;
    *one = (struct bottleneck){.kind = NULL};
}

static void add_next(struct analysis *analysis, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_next(struct analysis *analysis, const char *format, ...)
{
    struct text words = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&words, format, list);
    va_end(list);
    analysis->next =
        memory_resize(analysis->next, analysis->next_count + 1, sizeof *analysis->next);
    analysis->next[analysis->next_count++] = text_take(&words);
}

/* ---- which curve ----------------------------------------------------------------------------- */

static struct curve *curve_of(const struct level_series *series, const struct curve_wish *wish,
                              double instances, double size)
{
    const struct level **levels;
    size_t count = curve_slice(series, instances, size, &levels);
    struct curve *curve = curve_new(series, levels, count, wish);
    free(levels);
    return curve;
}

/* The series and, in it, the size with the most loads; of equals the first. */
static struct curve *choose_curve(const struct suite *suite, const struct curve_wish *wish)
{
    struct curve *best = NULL;
    for (size_t i = 0; i < suite->series_count; i++)
        for (size_t k = 0; k < suite->series[i].level_count; k++) {
            const struct level *level = &suite->series[i].levels[k];
            struct curve *curve = curve_of(&suite->series[i], wish, level->instances, level->size);
            bool more = !best || curve->count > best->count;
            curve_free(more ? best : curve);
            best = more ? curve : best;
        }
    return best;
}

/* ---- the generator --------------------------------------------------------------------------- */

static bool late_at(const struct curve_point *point)
{
    for (size_t i = 0; i < point->level_count; i++)
        if (point->levels[i]->generator == 2)
            return true;
    return false;
}

static bool is_linear(const struct curve_point *point)
{
    return !(point->efficiency_high < 0.9) && !(point->efficiency < 0.85);
}

/* Whether throughput falls behind from here on: one point of many may be low by chance, but what
 * has bent does not become linear again at a higher load. */
static bool falls_behind(const struct curve *curve, size_t from)
{
    for (size_t i = from; i < curve->count; i++)
        if (is_linear(&curve->points[i]))
            return false;
    return from > 0;
}

/* The first point that is no longer linear or good; where the generator was late: not counted. */
static size_t first_lost(const struct curve *curve)
{
    for (size_t i = 0; i < curve->count; i++)
        if (!late_at(&curve->points[i]) && (!curve->points[i].good || falls_behind(curve, i)))
            return i;
    return SIZE_MAX;
}

/* Where the system bends: there, or before, where response times begin to degrade. That alone is no
 * bend, as long as throughput is linear and the objective is met: times grow a little in any queue,
 * and a smooth growth may pass for a break by chance. */
static size_t bend_of(const struct curve *curve)
{
    size_t lost = first_lost(curve);
    if (lost == SIZE_MAX && !curve->peak_observed)
        return SIZE_MAX;
    for (size_t i = 0; i < curve->count && i < lost; i++)
        if (!late_at(&curve->points[i]) && curve->points[i].load >= curve->knee.load)
            return i;
    return lost;
}

/* Whether it carried clearly more later, and in time: then it was held up for a moment, by what
 * else ran on its machine, and was not the limit. */
static bool was_passed(const struct curve *curve, size_t at)
{
    bool passed = false;
    for (size_t i = at + 1; i < curve->count; i++)
        passed |= !late_at(&curve->points[i]) &&
                  curve->points[i].throughput > 1.05 * curve->points[at].throughput;
    return passed;
}

/* The generator is to blame where it was late and nothing had bent before. Returns whether. */
static bool blame_generator(struct analysis *analysis, size_t bend)
{
    const struct curve *curve = analysis->curve;
    size_t at = 0;
    while (at < curve->count && (!late_at(&curve->points[at]) || was_passed(curve, at)))
        at++;
    if (at == curve->count || bend < at)
        return false;
    struct bottleneck found = {.kind = memory_copy_text("generator"),
                               .name = memory_copy_text("the load generator"),
                               .thing = memory_copy_text("generator"),
                               .role = memory_copy_text("generator"),
                               .metric = memory_copy_text("generator.verdict"),
                               .part = memory_copy_text(""),
                               .unit = memory_copy_text(""),
                               .load = curve->points[at].load,
                               .load_low = curve->points[at ? at - 1 : 0].load,
                               .load_high = curve->points[at].load,
                               .ceiling = NAN,
                               .ceiling_low = NAN,
                               .ceiling_high = NAN,
                               .headroom = NAN,
                               .demand = NAN,
                               .residual = NAN,
                               .residual_load = NAN,
                               .background = NAN,
                               .value = NAN,
                               .value_there = NAN,
                               .limit = NAN,
                               .standing = STANDING_CORROBORATED,
                               .confidence = CONFIDENCE_HIGH};
    struct evidence *evidence = bottleneck_add(&found, EVIDENCE_GENERATOR, 10,
                                               "saturated from %g%s on: it could not send in time",
                                               curve->points[at].load, curve_unit(curve));
    evidence->metric = memory_copy_text("generator.verdict of the run");
    evidence->load = curve->points[at].load;
    push(&analysis->primary, &analysis->primary_count, &found);
    add_next(analysis,
             "give the generator more threads or another machine, and measure again from "
             "%g%s on",
             curve->points[at].load, curve_unit(curve));
    return true;
}

/* ---- software -------------------------------------------------------------------------------- */

static double share_of_error(const struct level *level, const char *words)
{
    for (size_t i = 0; i < level->error_count; i++)
        if (strcmp(level->errors[i].words, words) == 0 && level->requests)
            return (double)level->errors[i].count / (double)level->requests;
    return 0;
}

/* The first load at which more requests are refused than the objective allows to fail; of a curve
 * whose last load has such. */
static double refused_from(const struct curve *curve)
{
    size_t at = 0;
    while (share_of_error(curve->points[at].levels[0], "429") <= curve->slo_error_share)
        at++;
    return curve->points[at].load;
}

/* What is behind a limit that no resource explains: refusals by status 429, else software. */
static bool blame_software(struct analysis *analysis)
{
    const struct curve *curve = analysis->curve;
    const struct curve_point *last = &curve->points[curve->count - 1];
    double refused = share_of_error(last->levels[0], "429");
    bool limit = refused > curve->slo_error_share;
    if (!curve->peak_observed && !limit)
        return false;
    double load = limit ? refused_from(curve) : curve->asymptote;
    struct bottleneck found = {
        .kind = memory_copy_text(limit ? "rate-limit" : "software"),
        .name = memory_copy_text(limit ? "a rate limit"
                                       : "a limit in software, or of something not watched"),
        .thing = memory_copy_text(""),
        .role = memory_copy_text(""),
        .metric = memory_copy_text(limit ? "429" : "throughput"),
        .part = memory_copy_text(""),
        .unit = memory_copy_text("1/s"),
        .load = load,
        .load_low = load,
        .load_high = load,
        .ceiling = curve->most_rps,
        .ceiling_low = NAN,
        .ceiling_high = NAN,
        .headroom = 1,
        .demand = NAN,
        .residual = NAN,
        .residual_load = NAN,
        .background = NAN,
        .value = curve->most_rps,
        .value_there = curve->most_rps,
        .limit = NAN,
        .standing = STANDING_OBSERVED,
        .confidence = limit ? CONFIDENCE_MEDIUM : CONFIDENCE_LOW};
    struct evidence *evidence =
        bottleneck_add(&found, EVIDENCE_PLATEAU, 2, "throughput stays at %.4g/s from %g%s on",
                       curve->most_rps, curve->most_load, curve_unit(curve));
    evidence->metric = memory_copy_text("throughput of the run");
    evidence->value = curve->most_rps;
    evidence->load = curve->most_load;
    if (limit) {
        evidence =
            bottleneck_add(&found, EVIDENCE_ERRORS, 2, "%.2g %% of the answers are 429 at %g%s",
                           100 * refused, last->load, curve_unit(curve));
        evidence->metric = memory_copy_text("status codes of the run");
        evidence->value = refused;
    } else {
        evidence = bottleneck_add(
            &found, EVIDENCE_ONSET, 0, "%s",
            analysis->trend_count
                ? "nothing that was watched is full: a lock, a pool, a serial section, a limit on "
                  "requests at once, or a dependency"
                : "no resource of the target was watched");
        evidence->metric = memory_copy_text("all that was watched");
        add_next(analysis, "watch the target's processes, pools and dependencies (watch: in the "
                           "plan), and measure again");
    }
    push(&analysis->primary, &analysis->primary_count, &found);
    return true;
}

/* ---- ranking --------------------------------------------------------------------------------- */

/* Kinds of evidence that differ from one another. */
static unsigned kinds_of(const struct bottleneck *one)
{
    unsigned kinds = 0, count = 0;
    for (size_t i = 0; i < one->evidence_count; i++)
        if (!one->evidence[i].against)
            kinds |= 1u << one->evidence[i].kind;
    for (; kinds; kinds &= kinds - 1)
        count++;
    return count;
}

static bool has_intervention(const struct bottleneck *one)
{
    for (size_t i = 0; i < one->evidence_count; i++)
        if (one->evidence[i].kind == EVIDENCE_INTERVENTION && !one->evidence[i].against)
            return true;
    return false;
}

static void rate(struct bottleneck *one)
{
    unsigned kinds = kinds_of(one);
    bool against = false;
    for (size_t i = 0; i < one->evidence_count; i++)
        against |= one->evidence[i].against;
    one->standing = has_intervention(one) ? STANDING_CONFIRMED
                    : one->predicted      ? STANDING_PREDICTED
                    : kinds > 1           ? STANDING_CORROBORATED
                                          : STANDING_OBSERVED;
    int level = has_intervention(one) || kinds >= 3 ? 2 : kinds == 2 ? 1 : 0;
    one->confidence = (enum bottleneck_confidence)(level - (against && level > 0));
}

static int by_score(const void *one, const void *other)
{
    const struct bottleneck *a = one, *b = other;
    return (a->score < b->score) - (a->score > b->score);
}

static int by_ceiling(const void *one, const void *other)
{
    double a = ((const struct bottleneck *)one)->ceiling,
           b = ((const struct bottleneck *)other)->ceiling;
    return isnan(a) != isnan(b) ? isnan(a) - isnan(b) : (a > b) - (a < b);
}

static void exonerate(struct analysis *analysis, const struct bottleneck *one)
{
    analysis->exonerated = memory_resize(analysis->exonerated, analysis->exonerated_count + 1,
                                         sizeof *analysis->exonerated);
    analysis->exonerated[analysis->exonerated_count++] =
        (struct exonerated){.name = memory_copy_text(one->name),
                            .thing = memory_copy_text(one->thing),
                            .metric = memory_copy_text(one->metric),
                            .part = memory_copy_text(one->part),
                            .unit = memory_copy_text(one->unit),
                            .value = one->value};
}

/* Primary, secondary, clean, or nothing to say. Takes the bottleneck. */
static void sort_one(struct analysis *analysis, struct bottleneck *one, bool bent)
{
    bool share = strcmp(one->unit, "1") == 0;
    rate(one);
    if (bent && !one->predicted && one->score >= enough)
        push(&analysis->primary, &analysis->primary_count, one);
    else if (!isnan(one->ceiling) || one->score >= 1.5)
        push(&analysis->secondary, &analysis->secondary_count, one);
    else if (one->score <= 0.5 && (share ? one->value < clean * one->limit : one->value < 1))
        exonerate(analysis, one);
    if (one->kind == NULL)
        return;
    bottleneck_fini(one);
}

/* What would bind next: nothing below what binds already, and only so many. */
static void trim_secondary(struct analysis *analysis)
{
    double first = analysis->primary_count ? analysis->primary[0].ceiling : (double)NAN;
    if (isnan(first))
        first = analysis->curve->most_rps;
    if (analysis->secondary_count)
        qsort(analysis->secondary, analysis->secondary_count, sizeof *analysis->secondary,
              by_ceiling);
    size_t kept = 0;
    for (size_t i = 0; i < analysis->secondary_count; i++) {
        struct bottleneck *one = &analysis->secondary[i];
        one->headroom = one->ceiling / first;
        bool far = one->headroom > 20;
        if (kept < SECONDARY_MOST && !far) {
            struct bottleneck moved = *one;
            analysis->secondary[kept++] = moved;
            continue;
        }
        if (one->value < clean * one->limit)
            exonerate(analysis, one);
        bottleneck_fini(one);
    }
    analysis->secondary_count = kept;
}

/* ---- what would settle it -------------------------------------------------------------------- */

/* Twice as long as the longest level, and so long that the slowest one has 1,000 requests. */
static nsec_t longer_of(const struct curve *curve)
{
    double most_s = 0, least = INFINITY;
    for (size_t i = 0; i < curve->count; i++) {
        most_s = fmax(most_s, curve->points[i].levels[0]->measured_s);
        if (curve->points[i].throughput > 0)
            least = fmin(least, curve->points[i].throughput);
    }
    double wanted_s = fmax(2 * most_s, isfinite(least) ? fmin(1000 / least, 10 * most_s) : 0);
    return (nsec_t)(ceil(wanted_s) * 1e9);
}

/* Where an unexplained bend is to be looked at again, and how. */
static void put_bend(struct analysis *analysis, const char *time)
{
    const struct curve *curve = analysis->curve;
    size_t bend = bend_of(curve);
    if (bend == SIZE_MAX || bend == 0)
        return;
    double from = curve->points[bend - 1].load, to = curve->points[bend].load;
    double step = curve->open ? (to - from) / 4 : fmax(1, floor((to - from) / 4));
    add_next(analysis,
             "nothing watched explains the bend between %g and %g%s: measure there in steps of "
             "%.3g, %s each, with pools and dependencies watched",
             from, to, curve_unit(curve), step, time);
}

static void advise(struct analysis *analysis, const struct field *field)
{
    const struct curve *curve = analysis->curve;
    const struct curve_point *last = &curve->points[curve->count - 1];
    const char *unit = curve_unit(curve);
    char time[UNIT_ROOM];
    unit_write_duration(time, longer_of(curve));
    if (curve->count < 6)
        add_next(analysis, "measure at least 6 loads (now %zu): a smaller --step-size",
                 curve->count);
    for (size_t i = 0; i < curve->warnings.count; i++)
        if (strcmp(curve->warnings.rows[i].code, "NOT_STEADY") == 0)
            add_next(analysis, "hold each level longer (--step-duration %s) until it is steady",
                     time);
        else if (strcmp(curve->warnings.rows[i].code, "NO_REPLICATES") == 0)
            add_next(analysis, "measure each load several times (--repeat 3): then intervals are "
                               "those of whole runs");
    if (analysis->inconclusive)
        put_bend(analysis, time);
    if (curve->critical.observed && curve->critical.low > 0 &&
        curve->critical.high > 1.25 * curve->critical.low)
        add_next(analysis,
                 "measure between %g and %g%s in finer steps to narrow the critical "
                 "threshold",
                 curve->critical.low, curve->critical.high, unit);
    if (engine_question(field))
        add_next(analysis, "%s", engine_question(field));
    if (!curve->peak_observed)
        add_next(analysis, "go on beyond %g%s: the peak was not observed", last->load, unit);
}

static void conclude(struct analysis *analysis, size_t bend)
{
    const struct curve *curve = analysis->curve;
    bool bent = bend != SIZE_MAX && (curve->peak_observed || bend > 0);
    bool explained = analysis->primary_count > 0;
    if (!explained && bent)
        explained = blame_software(analysis);
    analysis->none_observed = !bent;
    analysis->inconclusive = bent && !explained;
    if (bend == 0 && !curve->peak_observed) {
        study_warn(
            &analysis->warnings, "OBJECTIVE_MISSED_ALWAYS",
            "the objective is missed at the lowest load already: a matter of the time of one "
            "request, not of load");
        analysis->inconclusive = false;
    }
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void judge_all(struct analysis *analysis, const struct field *field, size_t bend)
{
    const struct curve *curve = analysis->curve;
    bool bent = bend != SIZE_MAX && (curve->peak_observed || bend > 0);
    for (size_t i = 0; i < field->count; i++) {
        struct bottleneck one;
        candidate_judge(field, &field->candidates[i], bend, &one);
        analysis_weigh_sizes(analysis, &one);
        engine_weigh(field, &field->candidates[i], bend, &one);
        if (one.residual > 0.05)
            study_warn(
                &analysis->warnings, "UTILISATION_VIOLATION",
                "at %g%s the use of %s differs by %.0f %% of full from what throughput explains: "
                "its demand changes with the load, or something else used it",
                one.residual_load, curve_unit(curve), one.name, 100 * one.residual);
        sort_one(analysis, &one, bent);
    }
    struct bottleneck shown;
    for (size_t i = 0; engine_bottleneck(field, bend, i, &shown); i++)
        sort_one(analysis, &shown, bent);
    if (analysis->primary_count)
        qsort(analysis->primary, analysis->primary_count, sizeof *analysis->primary, by_score);
}

static void look_up(struct analysis *analysis, const struct catalogue *catalogue)
{
    for (size_t i = 0; i < analysis->primary_count; i++)
        analysis->primary[i].expected =
            catalogue_find(catalogue, analysis->primary[i].kind, analysis->primary[i].thing,
                           analysis->primary[i].role);
    for (size_t i = 0; i < analysis->secondary_count; i++)
        analysis->secondary[i].expected =
            catalogue_find(catalogue, analysis->secondary[i].kind, analysis->secondary[i].thing,
                           analysis->secondary[i].role);
}

struct analysis *analysis_new(const struct suite *suite, const struct curve_wish *wish,
                              const struct catalogue *catalogue)
{
    struct analysis *analysis = memory_new(1, sizeof *analysis);
    analysis->curve = choose_curve(suite, wish);
    if (!analysis->curve || analysis->curve->count == 0) {
        analysis->inconclusive = true;
        add_next(analysis, "measure at least one level with requests");
        return analysis;
    }
    struct field field;
    size_t bend = bend_of(analysis->curve);
    for (size_t i = 0; i < analysis->curve->warnings.count; i++)
        study_warn(&analysis->warnings, analysis->curve->warnings.rows[i].code, "%s",
                   analysis->curve->warnings.rows[i].words);
    field_init(&field, analysis->curve);
    analysis_warn_of_surroundings(analysis, suite);
    analysis_fill_sizes(analysis, suite, wish);
    analysis_fill_trends(analysis, &field);
    analysis_fill_needs(analysis);
    if (!blame_generator(analysis, bend)) {
        judge_all(analysis, &field, bend);
        conclude(analysis, bend);
        trim_secondary(analysis);
        advise(analysis, &field);
    }
    look_up(analysis, catalogue);
    analysis_expect(analysis, catalogue);
    field_fini(&field);
    return analysis;
}

struct analysis *analysis_free(struct analysis *analysis)
{
    if (!analysis)
        return NULL;
    for (size_t i = 0; i < analysis->primary_count; i++)
        bottleneck_fini(&analysis->primary[i]);
    for (size_t i = 0; i < analysis->secondary_count; i++)
        bottleneck_fini(&analysis->secondary[i]);
    for (size_t i = 0; i < analysis->exonerated_count; i++) {
        struct exonerated *one = &analysis->exonerated[i];
        char *const texts[] = {one->name, one->thing, one->metric, one->part, one->unit};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            free(texts[k]);
    }
    for (size_t i = 0; i < analysis->trend_count; i++) {
        free(analysis->trends[i].thing);
        free(analysis->trends[i].metric);
        free(analysis->trends[i].part);
        free(analysis->trends[i].unit);
    }
    for (size_t i = 0; i < analysis->size_count; i++) {
        free(analysis->sizes[i].size_name);
        free(analysis->sizes[i].size_unit);
    }
    for (size_t i = 0; i < analysis->need_count; i++) {
        free(analysis->needs[i].thing);
        free(analysis->needs[i].metric);
        free(analysis->needs[i].part);
        free(analysis->needs[i].unit);
    }
    for (size_t i = 0; i < analysis->next_count; i++)
        free(analysis->next[i]);
    free(analysis->primary);
    free(analysis->secondary);
    free(analysis->exonerated);
    free(analysis->trends);
    free(analysis->expectations);
    free(analysis->sizes);
    free(analysis->needs);
    free(analysis->next);
    study_warnings_fini(&analysis->warnings);
    curve_free(analysis->curve);
    free(analysis);
    return NULL;
}
