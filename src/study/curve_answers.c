/* The four answers, each by a method of its own. What one of them says is never put in the place of
 * another: a system may be linear up to 150 users, degrade from 200 on, break its objective between
 * 240 and 260, and have had its most throughput at 300. */
#include "study/curve_part.h"

#include "base/memory.h"
#include "base/text.h"
#include "stat/knee.h"

#include <math.h>
#include <stdlib.h>

enum { KNEE_SEED = 1 };

/* Below this share of what more load would bring in proportion, throughput has levelled off. */
static const double flat_growth = 0.25;
/* Over at least this ratio of loads growth is looked at: noise decides over shorter ones. */
static const double growth_reach = 1.3;
/* Throughput that fell so far below the highest is retrograde. */
static const double fallen = 0.95;
static const double gradual_ratio = 1.5; /* of response times, against the lowest load */

static void answer(struct curve_answer *out, const char *method, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void answer(struct curve_answer *out, const char *method, const char *format, ...)
{
    struct text words = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&words, format, list);
    va_end(list);
    free(out->method);
    free(out->words);
    out->method = memory_copy_text(method);
    out->words = text_take(&words);
}

static void clear(struct curve_answer *out)
{
    *out = (struct curve_answer){.load = NAN, .low = NAN, .high = NAN};
}

static bool by_generator(const struct curve_point *point)
{
    for (size_t i = 0; i < point->level_count; i++)
        if (point->levels[i]->generator == 2)
            return true;
    return false;
}

/* ---- linear region --------------------------------------------------------------------------- */

/* The last load up to which all levels have it; low: certainly, high: possibly. */
static void answer_linear(struct curve *curve, const struct curve_wish *wish)
{
    struct curve_answer *out = &curve->linear;
    const char *method = "efficiency against the lowest load";
    double least = wish->efficiency;
    bool point = true, certain = true, possible = true;
    clear(out);
    for (size_t i = 0; i < curve->count; i++) {
        const struct curve_point *at = &curve->points[i];
        if (!at->usable && i + 1 < curve->count && at->efficiency_high < least && isnan(out->load))
            continue; /* below the lowest load that can be trusted */
        point = point && at->efficiency >= least;
        certain = certain && at->efficiency_low >= least;
        possible = possible && at->efficiency_high >= least;
        if (point)
            out->load = at->load;
        if (certain)
            out->low = at->load;
        if (possible)
            out->high = at->load;
    }
    out->observed = curve->count > 1 && !point;
    if (curve->count < 2)
        answer(out, method, "not observed: one load only");
    else if (point)
        answer(out, method, "not observed: efficiency is still %.2f at the highest tested load",
               curve->points[curve->count - 1].efficiency);
    else if (out->low >= out->load)
        answer(out, method, "efficiency at least %g", least);
    else
        answer(out, method, "efficiency at least %g; certain only up to %g", least, out->low);
}

/* ---- onset of degradation -------------------------------------------------------------------- */

/* Whether the 95th percentiles are compared, or the means: never one with the other. Levels of too
 * few requests have no percentile; where they are the smaller part they are left out. */
static bool by_p95(const struct curve *curve)
{
    size_t known = 0, all = 0;
    for (size_t i = 0; i < curve->level_count; i++) {
        all += curve->levels[i]->generator != 2;
        known += curve->levels[i]->generator != 2 && !isnan(curve->levels[i]->p95_s);
    }
    return 2 * known > all;
}

/* Loads and response times of every level that the generator did not hold back. */
static size_t times_of(const struct curve *curve, double *x, double *y)
{
    size_t count = 0;
    bool p95 = by_p95(curve);
    for (size_t i = 0; i < curve->level_count; i++) {
        const struct level *level = curve->levels[i];
        double response_s = p95 ? level->p95_s : level->mean_s;
        if (level->generator == 2 || isnan(response_s))
            continue;
        x[count] = isnan(level->rate) ? level->users : level->rate;
        if (isnan(x[count]))
            x[count] = level->concurrency;
        y[count++] = response_s;
    }
    return count;
}

/* What agrees or not, but never decides. */
static void corroborate(struct curve *curve)
{
    double *x = memory_new(2 * curve->count, sizeof *x), *y = x + curve->count, most = 0;
    size_t index = 0, count = 0;
    bool p95 = by_p95(curve);
    curve->kneedle = curve->power_peak = curve->gradual = NAN;
    for (size_t i = 0; i < curve->count; i++) {
        const struct curve_point *point = &curve->points[i];
        double response_s = p95 ? point->p95_s : point->mean_s;
        if (isnan(response_s) || by_generator(point))
            continue;
        x[count] = point->load;
        y[count++] = response_s;
        if (point->power > most) {
            most = point->power;
            curve->power_peak = point->load;
        }
        if (isnan(curve->gradual) && y[count - 1] >= gradual_ratio * y[0])
            curve->gradual = point->load;
    }
    if (count > 2 && knee_kneedle(x, y, count, KNEE_CONVEX, true, 1, &index) == 0)
        curve->kneedle = x[index];
    free(x);
}

static void answer_knee(struct curve *curve, const struct curve_wish *wish)
{
    struct curve_answer *out = &curve->knee;
    const char *method = "segmented regression of response times";
    double *x = memory_new(2 * curve->level_count, sizeof *x), *y = x + curve->level_count;
    size_t count = times_of(curve, x, y);
    struct knee_break found;
    clear(out);
    corroborate(curve);
    curve->knee_p = NAN;
    if (knee_segmented(x, y, count, wish->confidence, KNEE_SEED, &found) != 0) {
        answer(out, method, "not observed: a break needs three loads on each side of it");
    } else if (curve->knee_p = found.p,
               found.p >= 0.05 || found.slope_after <= found.slope_before) {
        answer(out, method, "not observed: no break in the response times (p = %.2g)", found.p);
    } else if (!found.exists) {
        answer(out, method, "no break: a smooth curve explains the response times as well");
    } else {
        out->observed = true;
        out->load = found.at;
        out->low = fmax(found.low, curve->points[0].load);
        out->high = fmin(found.high, curve->points[curve->count - 1].load);
        answer(out, method, "p = %.2g", found.p);
    }
    free(x);
}

/* ---- critical threshold ---------------------------------------------------------------------- */

static void answer_critical(struct curve *curve)
{
    struct curve_answer *out = &curve->critical;
    const char *method = "first load that misses the objective, and the last before it that met it";
    const struct curve_point *bad = NULL;
    bool again = false;
    clear(out);
    for (size_t i = 0; i < curve->count; i++) {
        const struct curve_point *point = &curve->points[i];
        if (by_generator(point))
            continue;
        if (!point->good && !bad)
            bad = point;
        else if (point->good && !bad)
            out->low = point->load;
        else
            again |= point->good;
    }
    if (!bad) {
        answer(out, method,
               isnan(out->low) ? "not observed: no level that could be judged"
                               : "not observed: the objective was met at every tested load");
        out->low = NAN;
        return;
    }
    out->observed = true;
    out->load = out->high = bad->load;
    curve->critical_by_errors = bad->error_share > curve->slo_error_share;
    if (again)
        study_warn(&curve->warnings, "NOT_MONOTONE",
                   "the objective was missed at %g and met again at a higher load: chance, or "
                   "something that passed; measure these loads again",
                   bad->load);
    if (curve->critical_by_errors)
        answer(out, method, "errors %.3g %% > %.3g %%", 100 * bad->error_share,
               100 * curve->slo_error_share);
    else
        answer(out, method, "response time %.3g ms > %.4g ms", 1e3 * curve_response_s(bad),
               1e3 * curve->slo_response_s);
}

/* ---- capacity -------------------------------------------------------------------------------- */

/* Whether the last steps up brought (almost) nothing, or the highest lies below the last. */
static bool levelled_off(const struct curve *curve, size_t top)
{
    if (top + 1 < curve->count)
        return true;
    if (top == 0)
        return false;
    const struct curve_point *last = &curve->points[top], *before = last - 1;
    while (before > curve->points && last->load < growth_reach * before->load)
        before--;
    if (curve->open)
        return last->throughput < fallen * last->load;
    return last->throughput / before->throughput - 1 <
           flat_growth * (last->load / before->load - 1);
}

static void find_most(struct curve *curve)
{
    size_t top = SIZE_MAX;
    curve->most_rps = curve->most_load = curve->asymptote = NAN;
    for (size_t i = 0; i < curve->count; i++) {
        if (by_generator(&curve->points[i]))
            continue;
        if (top == SIZE_MAX || curve->points[i].throughput > curve->points[top].throughput)
            top = i;
    }
    if (top == SIZE_MAX)
        return;
    const struct curve_point *first = curve_baseline(curve),
                             *last = &curve->points[curve->count - 1];
    curve->most_rps = curve->points[top].throughput;
    curve->most_load = curve->points[top].load;
    curve->peak_observed = levelled_off(curve, top);
    curve->retrograde = last->throughput < fallen * curve->most_rps &&
                        last->throughput_high < curve->points[top].throughput_low &&
                        !by_generator(last);
    if (curve->peak_observed && curve->count > 2)
        curve->asymptote = curve->most_rps * first->load / first->throughput;
}

static void answer_capacity(struct curve *curve)
{
    struct curve_answer *out = &curve->capacity;
    const char *method = "highest throughput measured while the objective was met";
    const struct curve_point *best = NULL;
    clear(out);
    curve->capacity_rps = curve->capacity_low = curve->capacity_high = NAN;
    for (size_t i = 0; i < curve->count; i++) {
        const struct curve_point *point = &curve->points[i];
        if (point->good && !by_generator(point) && (!best || point->throughput > best->throughput))
            best = point;
    }
    if (!best) {
        answer(out, method, "not observed: no tested load met the objective");
        return;
    }
    bool last = best == &curve->points[curve->count - 1];
    out->observed = true;
    out->load = out->low = best->load;
    out->high = last ? (double)NAN : best[1].load;
    curve->capacity_rps = best->throughput;
    curve->capacity_low = best->throughput_low;
    curve->capacity_high = best->throughput_high;
    if (last && !curve->peak_observed) {
        answer(out, method, "measured at the highest tested load: there may be more");
        study_warn(&curve->warnings, "PEAK_NOT_OBSERVED",
                   "throughput still rises at the highest tested load, %g", best->load);
    } else {
        answer(out, method, "measured");
    }
}

void curve_answer_all(struct curve *curve, const struct curve_wish *wish)
{
    find_most(curve);
    answer_linear(curve, wish);
    answer_knee(curve, wish);
    answer_critical(curve);
    answer_capacity(curve);
}
