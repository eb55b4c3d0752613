/* How resources go with the load, and how the capacity goes with sizes and instances: what a later
 * recommendation rests on, and the only evidence that confirms. */
#include "study/candidate.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double flat_share = 0.1;   /* of the highest value */
static const double level_share = 0.9;  /* of the highest value: still on the plateau */
static const double level_reach = 1.25; /* of loads, that a plateau has to span */
static const double leak_share = 0.05;  /* of the value, grown over a level at constant load */

static const char *known(const char *words)
{
    return words ? words : "";
}

static bool rank_is_queue(enum indicator_use use)
{
    return use == USE_QUEUE || use == USE_EVENT || use == USE_WANT;
}

/* Whether the highest samples of a level stand far out of it, and are full. */
static bool is_burst(const struct track *track, size_t point)
{
    bool queue = rank_is_queue(track->indicator->use);
    double value = track->values[point], most = track->most[point];
    double far = queue ? 10 * fmax(value, 1) : 3 * value;
    return most > far && track->indicator->limit > 0 && most >= track->indicator->limit;
}

/* A plateau holds over at least a quarter more load, near the highest value. */
static bool is_plateau(const struct track *track, const struct curve *curve, double most)
{
    size_t from = curve->count;
    double first = track_first(track, curve->count);
    while (from > 0 && !(track->values[from - 1] < level_share * most))
        from--;
    return from > 0 && from + 1 < curve->count && first < level_share * most &&
           curve->points[curve->count - 1].load >= level_reach * curve->points[from].load;
}

static enum resource_pattern pattern_of(const struct track *track, const struct curve *curve)
{
    double most = track_most(track, curve->count), least = INFINITY;
    bool burst = false;
    for (size_t i = 0; i < curve->count; i++) {
        if (isnan(track->values[i]))
            continue;
        least = fmin(least, track->values[i]);
        burst |= is_burst(track, i);
    }
    if (burst)
        return PATTERN_BURST;
    double gone = track_last(track, curve->count) - track_first(track, curve->count);
    if (!(most > 0) || most - least <= flat_share * most || fabs(gone) <= flat_share * most)
        return PATTERN_FLAT;
    return is_plateau(track, curve, most) ? PATTERN_PLATEAU : PATTERN_LINEAR;
}

/* Growth at constant load at every level: the least of them; NAN: no leak. */
static double leak_of(const struct track *track, const struct curve *curve)
{
    double least = INFINITY;
    size_t known = 0;
    for (size_t i = 0; i < curve->count; i++) {
        double grown = track->slopes[i] * curve->points[i].levels[0]->measured_s;
        if (isnan(track->values[i]))
            continue;
        known++;
        if (!(grown > leak_share * fabs(track->values[i])) || !(grown > 0))
            return NAN;
        least = fmin(least, track->slopes[i]);
    }
    return known ? least : (double)NAN;
}

void analysis_fill_trends(struct analysis *analysis, const struct field *field)
{
    size_t count = field->curve->count;
    analysis->trends = memory_new(field->track_count, sizeof *analysis->trends);
    for (size_t i = 0; i < field->track_count; i++) {
        const struct track *track = &field->tracks[i];
        bool level = track->indicator->use == USE_LEVEL || track->indicator->use == USE_COUNT;
        struct resource_trend *trend = &analysis->trends[analysis->trend_count++];
        *trend = (struct resource_trend){.thing = memory_copy_text(known(track->like->thing)),
                                         .metric = memory_copy_text(known(track->like->metric)),
                                         .part = memory_copy_text(known(track->like->part)),
                                         .unit = memory_copy_text(known(track->like->unit)),
                                         .pattern = pattern_of(track, field->curve),
                                         .lowest = track_first(track, count),
                                         .highest = track_last(track, count),
                                         .leak_per_s = level ? leak_of(track, field->curve) : NAN};
        if (trend->leak_per_s > 0 && strstr(trend->metric, "memory"))
            study_warn(&analysis->warnings, "LEAK",
                       "%s of %s grows at constant load at every level: a soak test will tell",
                       trend->metric, trend->thing);
    }
}

/* ---- sizes ----------------------------------------------------------------------------------- */

static bool same(double one, double other)
{
    return (isnan(one) && isnan(other)) || (one <= other && one >= other);
}

static void add_size(struct analysis *analysis, const struct level_series *series,
                     const struct level *like, const struct curve_wish *wish)
{
    for (size_t i = 0; i < analysis->size_count; i++)
        if (same(analysis->sizes[i].instances, like->instances) &&
            same(analysis->sizes[i].size, like->size) && analysis->sizes[i].kind == series->kind)
            return;
    const struct level **levels;
    size_t count = curve_slice(series, like->instances, like->size, &levels);
    struct curve *curve = curve_new(series, levels, count, wish);
    analysis->sizes =
        memory_resize(analysis->sizes, analysis->size_count + 1, sizeof *analysis->sizes);
    analysis->sizes[analysis->size_count++] =
        (struct size_capacity){.kind = series->kind,
                               .instances = like->instances,
                               .size = like->size,
                               .size_name = memory_copy_text(known(like->size_name)),
                               .size_unit = memory_copy_text(known(series->size_unit)),
                               .capacity_rps = curve->capacity_rps,
                               .low = curve->capacity_low,
                               .high = curve->capacity_high,
                               .most_rps = curve->most_rps,
                               .load = curve->most_load,
                               .peak_observed = curve->peak_observed};
    curve_free(curve);
    free(levels);
}

void analysis_fill_sizes(struct analysis *analysis, const struct suite *suite,
                         const struct curve_wish *wish)
{
    for (size_t i = 0; i < suite->series_count; i++) {
        const struct level_series *series = &suite->series[i];
        for (size_t k = 0; k < series->level_count; k++)
            if (series->levels[k].requests &&
                (series->kind == SUITE_VERTICAL || series->kind == SUITE_HORIZONTAL))
                add_size(analysis, series, &series->levels[k], wish);
    }
}

/* Whether what a vertical test has varied is this resource, by the names of both. */
static bool varies(const struct size_capacity *size, const char *kind)
{
    static const struct {
        const char *words, *kinds;
    } names[] = {{"cpu", " cpu cpu-quota "},
                 {"core", " cpu cpu-quota "},
                 {"processor", " cpu cpu-quota "},
                 {"slot", " slots "},
                 {"parallel", " slots "},
                 {"memory", " memory gpu-memory kv-cache "},
                 {"MiB", " memory "},
                 {"pool", " pool database "},
                 {"connection", " pool database balancer "},
                 {"gpu", " gpu-compute gpu-memory "},
                 {"bandwidth", " network "},
                 {"worker", " tools cpu "}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *at = strstr(names[i].kinds, kind);
        if ((strstr(size->size_name, names[i].words) || strstr(size->size_unit, names[i].words)) &&
            at && at[-1] == ' ' && at[strlen(kind)] == ' ')
            return true;
    }
    return false;
}

void analysis_weigh_sizes(const struct analysis *analysis, struct bottleneck *one)
{
    const struct size_capacity *least = NULL, *most = NULL;
    for (size_t i = 0; i < analysis->size_count; i++) {
        const struct size_capacity *size = &analysis->sizes[i];
        if (size->kind != SUITE_VERTICAL || !(size->size > 0) || !(size->most_rps > 0) ||
            !varies(size, one->kind))
            continue;
        if (!least || size->size < least->size)
            least = size;
        if (!most || size->size > most->size)
            most = size;
    }
    if (!least || most->size <= least->size || !least->peak_observed)
        return;
    double wanted = most->size / least->size - 1, got = most->most_rps / least->most_rps - 1;
    bool moved = got >= wanted / 2 || (got >= 0.25 && !most->peak_observed);
    if (!moved && got > 0.1 * wanted)
        return;
    struct evidence *evidence =
        bottleneck_add(one, EVIDENCE_INTERVENTION, moved ? 5 : -3,
                       "%s to %s %s the highest throughput from %.4g/s to %.4g/s", least->size_name,
                       most->size_name, moved ? "moved" : "left", least->most_rps, most->most_rps);
    evidence->metric = memory_copy_text("vertical test");
    evidence->value = got;
    evidence->limit = wanted / 2;
}

/* ---- words ----------------------------------------------------------------------------------- */

const char *standing_words(enum bottleneck_standing standing)
{
    static const char *const words[] = {"predicted", "observed", "corroborated", "confirmed"};
    return words[standing];
}

const char *confidence_words(enum bottleneck_confidence confidence)
{
    static const char *const words[] = {"low", "medium", "high"};
    return words[confidence];
}

const char *evidence_words(enum evidence_kind kind)
{
    static const char *const words[] = {"ceiling", "onset",        "plateau",   "queue",
                                        "errors",  "intervention", "generator", "engine"};
    return words[kind];
}

const char *pattern_words(enum resource_pattern pattern)
{
    static const char *const words[] = {"flat", "linear", "plateau", "burst"};
    return words[pattern];
}
