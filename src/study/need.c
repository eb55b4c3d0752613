/* What a replica needs: what each watched thing used while one was at its capacity. */
#include "study/candidate.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* Processors and memory, by whichever probe sees them. */
static const char *const wanted[] = {"container.cpu",    "cgroup.cpu",    "process.cpu",
                                     "container.memory", "cgroup.memory", "process.rss",
                                     "gpu.memory_used"};

static bool is_wanted(const struct level_resource *resource)
{
    bool is = false;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        is |= strcmp(resource->metric, wanted[i]) == 0;
    return is && strcmp(resource->role, "generator") != 0 && !isnan(resource->mean);
}

/* The point of the capacity, or the highest. */
static const struct curve_point *place(const struct curve *curve)
{
    const struct curve_point *last = &curve->points[curve->count - 1];
    for (size_t i = 0; curve->capacity.observed && i < curve->count; i++)
        if (curve->points[i].load >= curve->capacity.load)
            return &curve->points[i];
    return last;
}

void analysis_fill_needs(struct analysis *analysis)
{
    const struct curve_point *at = place(analysis->curve);
    const struct level *level = at->levels[0];
    analysis->needs = memory_new(level->resource_count, sizeof *analysis->needs);
    for (size_t i = 0; i < level->resource_count; i++) {
        const struct level_resource *one = &level->resources[i];
        if (!is_wanted(one))
            continue;
        analysis->needs[analysis->need_count++] =
            (struct resource_need){.thing = memory_copy_text(one->thing),
                                   .metric = memory_copy_text(one->metric),
                                   .part = memory_copy_text(one->part),
                                   .unit = memory_copy_text(one->unit),
                                   .value = one->mean,
                                   .load = at->load};
    }
}
