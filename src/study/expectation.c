/* Each bottleneck that the catalogue expects has an indicator: a watched metric, or a figure of the
 * run itself. It was seen, it was not, or nobody watched it, which is not the same. */
#include "study/candidate.h"

#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double share_of(const struct level *level, const char *words)
{
    uint64_t count = 0;
    for (size_t i = 0; i < level->error_count; i++)
        if (strcmp(level->errors[i].words, words) == 0)
            count += level->errors[i].count;
    return level->requests ? (double)count / (double)level->requests : (double)NAN;
}

/* How far response time grows as users do: the slope between their logarithms, against the lowest
 * load. 1: in proportion, as where one thing is done after another. */
static double growth_of(const struct curve *curve, const struct curve_point *point)
{
    const struct curve_point *first = curve_baseline(curve);
    double loads = log(point->load / first->load);
    return loads > 0 ? log(point->mean_s / first->mean_s) / loads : (double)NAN;
}

static bool fits(const struct catalogue_entry *entry, const struct level_resource *resource)
{
    return !*entry->role || strstr(resource->role, entry->role) ||
           strstr(resource->thing, entry->role);
}

/* Whether a thing of the entry's role was there: a timeout of a run is not yet one of its vector
 * search. */
static bool is_there(const struct curve_point *point, const struct catalogue_entry *entry)
{
    for (size_t i = 0; i < point->levels[0]->resource_count; i++)
        if (fits(entry, &point->levels[0]->resources[i]))
            return true;
    return !*entry->role;
}

/* A store is looked at where it is full for one look of twenty: it need not stay so. */
static double value_of(const struct level_resource *resource)
{
    const struct indicator *indicator = indicator_find(resource->metric, resource->unit);
    bool store = indicator && indicator->use == USE_LEVEL && !isnan(resource->p95);
    return store ? resource->p95 : resource->mean;
}

/* The highest value of a watched metric at a point, of things that fit the role; which of the
 * entry's metrics it is. */
static double watched(const struct curve_point *point, const struct catalogue_entry *entry,
                      const char **metric)
{
    double most = NAN;
    for (size_t i = 0; i < point->level_count; i++)
        for (size_t k = 0; k < point->levels[i]->resource_count; k++) {
            const struct level_resource *resource = &point->levels[i]->resources[k];
            if (!fits(entry, resource) || strcmp(resource->role, "generator") == 0 ||
                !text_has_word(entry->metric, resource->metric) || most >= value_of(resource))
                continue;
            most = value_of(resource);
            *metric = resource->metric;
        }
    return most;
}

static double value_at(const struct curve *curve, size_t index, const struct catalogue_entry *entry,
                       const char **metric)
{
    *metric = entry->metric;
    const struct curve_point *point = &curve->points[index];
    const struct {
        const char *name;
        double value;
    } own[] = {
        {"timeout_share", point->timeout_share},
        {"error_share", point->error_share},
        {"refused_share", share_of(point->levels[0], "refused")},
        {"limited_share", share_of(point->levels[0], "429")},
        {"p95_s", point->p95_s},
        {"mean_s", point->mean_s},
        {"mean_growth", growth_of(curve, point)},
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(own[i].name, entry->metric) == 0)
            return is_there(point, entry) ? own[i].value : (double)NAN;
    return watched(point, entry, metric);
}

void analysis_expect(struct analysis *analysis, const struct catalogue *catalogue)
{
    const struct curve *curve = analysis->curve;
    analysis->expectations = memory_new(catalogue->count, sizeof *analysis->expectations);
    analysis->expectation_count = catalogue->count;
    for (size_t i = 0; i < catalogue->count; i++) {
        struct expectation *one = &analysis->expectations[i];
        *one = (struct expectation){.entry = &catalogue->rows[i],
                                    .metric = catalogue->rows[i].metric,
                                    .value = NAN,
                                    .load = NAN};
        for (size_t k = 0; k < curve->count; k++) {
            const char *metric;
            double value = value_at(curve, k, one->entry, &metric);
            if (isnan(value))
                continue;
            if (one->state == EXPECTED_NOT_KNOWN)
                one->state = EXPECTED_NOT_SEEN;
            if (!(one->value >= value)) {
                one->value = value;
                one->metric = metric;
            }
            bool late = isnan(one->entry->load) || curve->points[k].load >= one->entry->load;
            if (value < one->entry->limit || !late || one->state == EXPECTED_SEEN)
                continue;
            one->state = EXPECTED_SEEN;
            one->load = curve->points[k].load;
        }
    }
}
