/* The points of a curve: replicates of a load are one point, whose interval is theirs, or without
 * replicates that of a count; then the operational laws are tried on each, and what is broken or
 * not the system's own doing is kept out of all fits. */
#include "study/curve_part.h"

#include "base/memory.h"
#include "base/text.h"
#include "stat/distribution.h"
#include "stat/quantile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double law_tolerance = 0.05; /* of operational laws, a share */

/* ---- which levels ---------------------------------------------------------------------------- */

static bool same(double one, double other)
{
    return (isnan(one) && isnan(other)) || (one <= other && one >= other);
}

size_t curve_slice(const struct level_series *series, double instances, double size,
                   const struct level ***out)
{
    size_t count = 0;
    *out = memory_new(series->level_count, sizeof **out);
    for (size_t i = 0; i < series->level_count; i++) {
        const struct level *level = &series->levels[i];
        if (level->requests && same(level->instances, instances) && same(level->size, size))
            (*out)[count++] = level;
    }
    return count;
}

struct curve_wish curve_wish_of(const struct suite *suite)
{
    return (struct curve_wish){
        .response_s = suite->slo_response_s > 0 ? suite->slo_response_s : 0.2,
        .error_share = suite->slo_error_share >= 0 ? suite->slo_error_share : 0.01,
        .efficiency = 0.9,
        .confidence = 0.95,
    };
}

static double load_of(const struct level *level)
{
    if (!isnan(level->rate))
        return level->rate;
    return isnan(level->users) ? level->concurrency : level->users;
}

static int by_load(const void *one, const void *other)
{
    double a = load_of(*(const struct level *const *)one),
           b = load_of(*(const struct level *const *)other);
    return (a > b) - (a < b);
}

/* ---- one point ------------------------------------------------------------------------------- */

/* The mean of a field over the replicates that know it. */
static double mean_of(const struct curve_point *point, size_t offset)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < point->level_count; i++) {
        double value = *(const double *)(const void *)((const char *)point->levels[i] + offset);
        if (isnan(value))
            continue;
        sum += value;
        count++;
    }
    return count ? sum / (double)count : (double)NAN;
}

/* By Student's t between replicates; of one alone by its count, as if arrivals were Poisson, which
 * is wider than what a closed system does. */
static void fill_interval(struct curve_point *point, double confidence)
{
    double spread = 0, n = (double)point->level_count, half = NAN, requests = 0;
    for (size_t i = 0; i < point->level_count; i++) {
        double rest = point->levels[i]->throughput - point->throughput;
        spread += rest * rest;
        requests += (double)point->levels[i]->requests;
    }
    if (point->level_count > 1)
        half = t_quantile((1 + confidence) / 2, n - 1) * sqrt(spread / (n - 1) / n);
    else if (requests > 0)
        half = normal_quantile((1 + confidence) / 2) * point->throughput / sqrt(requests);
    point->throughput_low = fmax(0, point->throughput - half);
    point->throughput_high = point->throughput + half;
}

double curve_response_s(const struct curve_point *point)
{
    return isnan(point->p95_s) ? point->mean_s : point->p95_s;
}

/* What was in the system is looked at about once a second, and by chance: of few requests in a
 * short level it is not known to 5 %. Looks at a Poisson number, three deviations. */
static double tolerance_of(const struct curve_point *point)
{
    double looks = 0;
    for (size_t i = 0; i < point->level_count; i++)
        looks += point->levels[i]->measured_s;
    double chance = 3 / sqrt(fmax(point->concurrency * looks, 1e-9));
    return isnan(chance) ? law_tolerance : fmax(law_tolerance, chance);
}

static void judge(struct curve_point *point, const struct curve_wish *wish)
{
    double response_s = curve_response_s(point);
    bool steady = true;
    for (size_t i = 0; i < point->level_count; i++) {
        const struct level *level = point->levels[i];
        steady &= level->state != LEVEL_NOT_STEADY && level->state != LEVEL_STOPPED;
        steady &= level->generator < 2;
    }
    point->inconsistent = fabs(point->little) > tolerance_of(point);
    point->usable = steady && !point->inconsistent;
    point->good = point->throughput > 0 && response_s <= wish->response_s &&
                  !(point->error_share > wish->error_share);
}

static void fill_point(struct curve_point *point, const struct curve_wish *wish)
{
    point->load = load_of(point->levels[0]);
    point->throughput = mean_of(point, offsetof(struct level, throughput));
    point->goodput = mean_of(point, offsetof(struct level, goodput));
    point->concurrency = mean_of(point, offsetof(struct level, concurrency));
    point->think_s = mean_of(point, offsetof(struct level, think_s));
    point->mean_s = mean_of(point, offsetof(struct level, mean_s));
    point->p50_s = mean_of(point, offsetof(struct level, p50_s));
    point->p95_s = mean_of(point, offsetof(struct level, p95_s));
    point->p99_s = mean_of(point, offsetof(struct level, p99_s));
    point->error_share = mean_of(point, offsetof(struct level, error_share));
    point->timeout_share = mean_of(point, offsetof(struct level, timeout_share));
    point->little = mean_of(point, offsetof(struct level, little));
    point->power = point->mean_s > 0 ? point->throughput / point->mean_s : (double)NAN;
    fill_interval(point, wish->confidence);
    judge(point, wish);
}

const struct curve_point *curve_baseline(const struct curve *curve)
{
    for (size_t i = 0; i < curve->count; i++)
        if (curve->points[i].usable)
            return &curve->points[i];
    return &curve->points[0];
}

/* Against the lowest load, of which the uncertainty counts too (relative errors add up as squares;
 * ends of an interval of a ratio of two independent numbers). */
static void fill_efficiency(struct curve *curve)
{
    const struct curve_point *first = curve_baseline(curve);
    double one = first->throughput / first->load;
    double first_share = (first->throughput_high - first->throughput) / first->throughput;
    for (size_t i = 0; i < curve->count; i++) {
        struct curve_point *point = &curve->points[i];
        double share = (point->throughput_high - point->throughput) / point->throughput;
        double spread = point == first ? 0 : hypot(share, first_share);
        point->efficiency = point->throughput / point->load / one;
        point->efficiency_low = point->efficiency * fmax(0, 1 - spread);
        point->efficiency_high = point->efficiency * (1 + spread);
    }
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void fill_points(struct curve *curve, const struct curve_wish *wish)
{
    for (size_t i = 0, end = 0; i < curve->level_count; i = end) {
        for (end = i + 1; end < curve->level_count; end++)
            if (!same(load_of(curve->levels[end]), load_of(curve->levels[i])))
                break;
        struct curve_point *point = &curve->points[curve->count++];
        point->levels = curve->levels + i;
        point->level_count = end - i;
        fill_point(point, wish);
    }
    if (curve->count)
        fill_efficiency(curve);
}

struct curve *curve_new(const struct level_series *series, const struct level *const *levels,
                        size_t count, const struct curve_wish *wish)
{
    struct curve *curve = memory_new(1, sizeof *curve);
    curve->series = memory_copy_text(series->name ? series->name : "");
    curve->kind = series->kind;
    curve->slo_response_s = wish->response_s;
    curve->slo_error_share = wish->error_share;
    curve->levels = memory_new(count, sizeof *curve->levels);
    for (size_t i = 0; i < count; i++)
        curve->levels[i] = levels[i];
    curve->level_count = count;
    curve->instances = count ? levels[0]->instances : (double)NAN;
    curve->size = count ? levels[0]->size : (double)NAN;
    curve->open = count && !isnan(levels[0]->rate);
    curve->points = memory_new(count, sizeof *curve->points);
    qsort(curve->levels, count, sizeof *curve->levels, by_load);
    fill_points(curve, wish);
    curve_warn_all(curve);
    curve_answer_all(curve, wish);
    return curve;
}

const char *curve_unit(const struct curve *curve)
{
    return curve->open ? "/s" : " users";
}

static void answer_fini(struct curve_answer *answer)
{
    free(answer->method);
    free(answer->words);
}

struct curve *curve_free(struct curve *curve)
{
    if (!curve)
        return NULL;
    answer_fini(&curve->linear);
    answer_fini(&curve->knee);
    answer_fini(&curve->critical);
    answer_fini(&curve->capacity);
    study_warnings_fini(&curve->warnings);
    free(curve->levels);
    free(curve->points);
    free(curve->series);
    free(curve);
    return NULL;
}
