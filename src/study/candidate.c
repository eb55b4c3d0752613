/* See study/candidate.h. A resource is one kind at one thing: the KV cache of a model server has a
 * share, and preemptions; what waits for it is counted with the slots, until the cache is full. */
#include "study/candidate.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double share_most = 1.1; /* what is more is no share */

double track_most(const struct track *track, size_t count)
{
    double most = NAN;
    for (size_t i = 0; i < count; i++)
        if (!isnan(track->values[i]) && !(most >= track->values[i]))
            most = track->values[i];
    return most;
}

double track_last(const struct track *track, size_t count)
{
    while (count > 0 && isnan(track->values[count - 1]))
        count--;
    return count ? track->values[count - 1] : (double)NAN;
}

double track_first(const struct track *track, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isnan(track->values[i]))
            return track->values[i];
    return NAN;
}

static bool is_generator(const struct level_resource *resource)
{
    return strcmp(resource->role, "generator") == 0;
}

/* One processor of many is looked at only where nothing says how busy all are. */
static bool is_watched(const struct level_resource *resource)
{
    return !is_generator(resource) && !isnan(resource->mean) &&
           !(strcmp(resource->metric, "cpu.busy") == 0 && *resource->part);
}

static struct track *track_of(struct field *field, const struct level_resource *resource,
                              const struct indicator *indicator)
{
    for (size_t i = 0; i < field->track_count; i++) {
        const struct level_resource *like = field->tracks[i].like;
        if (strcmp(like->metric, resource->metric) == 0 &&
            strcmp(like->thing, resource->thing) == 0 && strcmp(like->part, resource->part) == 0)
            return &field->tracks[i];
    }
    field->tracks = memory_resize(field->tracks, field->track_count + 1, sizeof *field->tracks);
    struct track *track = &field->tracks[field->track_count++];
    size_t count = field->curve->count;
    *track = (struct track){.indicator = indicator,
                            .like = resource,
                            .values = memory_new(4 * count, sizeof *track->values)};
    track->slopes = track->values + count;
    track->most = track->slopes + count;
    track->p95 = track->most + count;
    for (size_t i = 0; i < 4 * count; i++)
        track->values[i] = NAN;
    return track;
}

/* Means over the replicates of a point. */
static void read_level(struct field *field, size_t point, const struct level *level)
{
    double replicates = (double)field->curve->points[point].level_count;
    for (size_t i = 0; i < level->resource_count; i++) {
        const struct level_resource *resource = &level->resources[i];
        const struct indicator *indicator =
            is_watched(resource) ? indicator_find(resource->metric, resource->unit) : NULL;
        if (!indicator)
            continue;
        struct track *track = track_of(field, resource, indicator);
        double value = resource->mean / replicates;
        track->values[point] = isnan(track->values[point]) ? value : track->values[point] + value;
        if (!isnan(resource->slope))
            track->slopes[point] = resource->slope;
        track->p95[point] =
            fmax(isnan(track->p95[point]) ? resource->p95 : track->p95[point], resource->p95);
        track->most[point] =
            fmax(isnan(track->most[point]) ? resource->most : track->most[point], resource->most);
    }
}

/* What users call a resource that only its role tells. */
static const char *kind_by_role(const struct indicator *indicator,
                                const struct level_resource *like)
{
    static const struct {
        const char *role, *kind;
    } roles[] = {{"tool", "tools"},
                 {"mcp", "tools"},
                 {"vector", "vector-search"},
                 {"search", "vector-search"},
                 {"database", "database"},
                 {"balancer", "balancer"},
                 {"pool", "pool"},
                 {"depend", "dependency"},
                 {"slot", "slots"},
                 {"rate", "rate-limit"}};
    bool open = strcmp(indicator->kind, "resource") == 0 || strcmp(indicator->kind, "queue") == 0;
    for (size_t i = 0; open && i < sizeof roles / sizeof *roles; i++)
        if (strstr(like->role, roles[i].role) || strstr(like->metric, roles[i].role))
            return roles[i].kind;
    return indicator->kind;
}

/* How well a use shows how full something is; 0: not at all. */
static int rank_of(enum indicator_use use)
{
    static const int ranks[] = {[USE_SHARE] = 4, [USE_LEVEL] = 4, [USE_WEAK] = 2, [USE_COUNT] = 1,
                                [USE_QUEUE] = 0, [USE_WANT] = 0,  [USE_EVENT] = 0};
    return ranks[use];
}

/* "back/one" is a part of "back": a balancer's queue is for the servers behind it. */
static bool is_within(const char *part, const char *whole)
{
    size_t length = strlen(whole);
    return length && strncmp(part, whole, length) == 0 && part[length] == '/';
}

/* A sign without a part belongs to every part of its thing; parts of their own are apart. */
static struct candidate *candidate_of(struct field *field, size_t index)
{
    const struct track *track = &field->tracks[index];
    const char *kind = kind_by_role(track->indicator, track->like);
    for (size_t i = 0; i < field->count; i++) {
        struct candidate *candidate = &field->candidates[i];
        const char *part = track->like->part;
        bool alike =
            strcmp(candidate->part, part) == 0 || !*part || is_within(part, candidate->part);
        if (strcmp(candidate->kind, kind) == 0 && alike &&
            strcmp(candidate->thing, track->like->thing) == 0)
            return candidate;
    }
    field->candidates =
        memory_resize(field->candidates, field->count + 1, sizeof *field->candidates);
    struct candidate *candidate = &field->candidates[field->count++];
    *candidate = (struct candidate){.kind = kind,
                                    .label = track->indicator->label,
                                    .thing = track->like->thing,
                                    .role = track->like->role,
                                    .part = track->like->part,
                                    .main = SIZE_MAX};
    return candidate;
}

static void join(struct field *field, size_t index)
{
    struct candidate *candidate = candidate_of(field, index);
    candidate->tracks =
        memory_resize(candidate->tracks, candidate->track_count + 1, sizeof *candidate->tracks);
    candidate->tracks[candidate->track_count++] = index;
    int rank = rank_of(field->tracks[index].indicator->use);
    int before =
        candidate->main == SIZE_MAX ? 0 : rank_of(field->tracks[candidate->main].indicator->use);
    if (rank > before)
        candidate->main = index;
}

/* What a series of the user's own is called says whether it is a share or a number; of those that
 * have no unit only the values tell that "busy" counts servers. */
static void tell_counts(struct field *field)
{
    static const struct indicator counted = {"", "resource", "", USE_COUNT, 0};
    for (size_t i = 0; i < field->track_count; i++) {
        struct track *track = &field->tracks[i];
        bool share = track->indicator->use == USE_SHARE || track->indicator->use == USE_LEVEL;
        if (share && strcmp(track->indicator->kind, "resource") == 0 &&
            track_most(track, field->curve->count) > share_most)
            track->indicator = &counted;
    }
}

void field_init(struct field *field, const struct curve *curve)
{
    *field = (struct field){.curve = curve};
    for (size_t i = 0; i < curve->count; i++)
        for (size_t k = 0; k < curve->points[i].level_count; k++)
            read_level(field, i, curve->points[i].levels[k]);
    tell_counts(field);
    for (size_t i = 0; i < field->track_count; i++)
        join(field, i);
}

void field_fini(struct field *field)
{
    for (size_t i = 0; i < field->track_count; i++)
        free(field->tracks[i].values);
    for (size_t i = 0; i < field->count; i++)
        free(field->candidates[i].tracks);
    free(field->tracks);
    free(field->candidates);
    *field = (struct field){.curve = NULL};
}
