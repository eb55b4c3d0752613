/* Whether the levels of a curve were measured in one and the same place: a target that was started
 * anew, lost a process, or was given other resources between two of them is another target.
 *
 *   Tests   test/unit/study/advise. */
#include "study/candidate.h"

#include "base/unit.h"

#include <math.h>
#include <string.h>

enum { EVENTS_TOLD = 3 };

/* What does not change while one system is measured. */
static const char *const fixed[] = {"cpu.cores",        "memory.total",        "gpu.memory_total",
                                    "cgroup.cpu_quota", "cgroup.memory_limit", "pod.cpu_limit",
                                    "pod.memory_limit"};

static const double changed_share = 0.01;

static bool is_fixed(const struct level_resource *resource)
{
    bool is = false;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        is |= strcmp(resource->metric, fixed[i]) == 0;
    return is && strcmp(resource->role, "generator") != 0 && !isnan(resource->mean);
}

static const struct level_resource *same_at(const struct curve_point *point,
                                            const struct level_resource *like)
{
    for (size_t i = 0; i < point->levels[0]->resource_count; i++) {
        const struct level_resource *one = &point->levels[0]->resources[i];
        if (strcmp(one->metric, like->metric) == 0 && strcmp(one->thing, like->thing) == 0 &&
            strcmp(one->part, like->part) == 0)
            return one;
    }
    return NULL;
}

static const char *amount(char room[UNIT_ROOM], const struct level_resource *resource)
{
    return strcmp(resource->unit, "bytes") == 0 ? unit_write_bytes(room, resource->mean)
                                                : unit_write_number(room, resource->mean);
}

/* The first load at which it is not what it was at the lowest. */
static void compare(struct analysis *analysis, const struct level_resource *like)
{
    const struct curve *curve = analysis->curve;
    char before[UNIT_ROOM], after[UNIT_ROOM];
    for (size_t i = 1; i < curve->count; i++) {
        const struct level_resource *now = same_at(&curve->points[i], like);
        if (!now || isnan(now->mean) ||
            fabs(now->mean - like->mean) <= changed_share * fabs(like->mean))
            continue;
        study_warn(&analysis->warnings, "ENV_CHANGED", "%s of %s is %s at %g and %s at %g",
                   like->metric, like->thing, amount(before, like), curve->points[0].load,
                   amount(after, now), curve->points[i].load);
        return;
    }
}

/* Of the target: words begin with the thing that was watched. */
static bool is_change(const struct suite_event *event)
{
    bool is = strcmp(event->kind, "restart") == 0 || strcmp(event->kind, "gone") == 0 ||
              strcmp(event->kind, "oom") == 0;
    return is && strncmp(event->words, "generator ", 10) != 0;
}

void analysis_warn_of_surroundings(struct analysis *analysis, const struct suite *suite)
{
    const struct curve *curve = analysis->curve;
    size_t told = 0, all = 0;
    for (size_t i = 0; i < suite->event_count; i++)
        all += is_change(&suite->events[i]);
    for (size_t i = 0; i < suite->event_count && told < EVENTS_TOLD; i++)
        if (is_change(&suite->events[i])) {
            study_warn(&analysis->warnings, "ENV_CHANGED", "%s", suite->events[i].words);
            told++;
        }
    if (all > told)
        study_warn(&analysis->warnings, "ENV_CHANGED", "and %zu more such events", all - told);
    for (size_t i = 0; curve->count && i < curve->points[0].levels[0]->resource_count; i++)
        if (is_fixed(&curve->points[0].levels[0]->resources[i]))
            compare(analysis, &curve->points[0].levels[0]->resources[i]);
}
