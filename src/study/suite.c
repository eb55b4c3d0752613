/* The lists of a suite: rows are added at the end, texts are owned, and what is not known is NAN
 * from the beginning, so that no zero stands for nothing. */
#include "study/level.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNBALANCED 0.05

struct suite *suite_new(void)
{
    struct suite *suite = memory_new(1, sizeof *suite);
    suite->time_scale = 1;
    suite->slo_response_s = suite->slo_error_share = NAN;
    return suite;
}

static void level_fini(struct level *level)
{
    for (size_t i = 0; i < level->resource_count; i++) {
        struct level_resource *resource = &level->resources[i];
        free(resource->thing);
        free(resource->role);
        free(resource->metric);
        free(resource->part);
        free(resource->unit);
    }
    for (size_t i = 0; i < level->error_count; i++)
        free(level->errors[i].words);
    free(level->resources);
    free(level->errors);
    free(level->served);
    free(level->size_name);
    free(level->run);
}

static void series_fini(struct level_series *series)
{
    for (size_t i = 0; i < series->level_count; i++)
        level_fini(&series->levels[i]);
    free(series->levels);
    free(series->name);
    free(series->size_unit);
}

struct suite *suite_free(struct suite *suite)
{
    if (!suite)
        return NULL;
    for (size_t i = 0; i < suite->series_count; i++)
        series_fini(&suite->series[i]);
    for (size_t i = 0; i < suite->event_count; i++) {
        free(suite->events[i].kind);
        free(suite->events[i].words);
    }
    free(suite->series);
    free(suite->events);
    free(suite->name);
    free(suite->target);
    free(suite->version);
    free(suite->host);
    free(suite);
    return NULL;
}

struct level_series *suite_add(struct suite *suite, enum suite_kind kind, const char *name)
{
    suite->series = memory_resize(suite->series, suite->series_count + 1, sizeof *suite->series);
    struct level_series *series = &suite->series[suite->series_count++];
    *series = (struct level_series){.kind = kind, .name = memory_copy_text(name)};
    return series;
}

struct level *series_add(struct level_series *series)
{
    series->levels = memory_resize(series->levels, series->level_count + 1, sizeof *series->levels);
    struct level *level = &series->levels[series->level_count++];
    *level = (struct level){
        .users = NAN,
        .rate = NAN,
        .instances = 1,
        .size = NAN,
        .measured_s = NAN,
        .warmup_s = NAN,
        .concurrency = NAN,
        .think_s = NAN,
        .throughput = NAN,
        .goodput = NAN,
        .error_share = NAN,
        .timeout_share = NAN,
        .mean_s = NAN,
        .p50_s = NAN,
        .p95_s = NAN,
        .p99_s = NAN,
        .most_s = NAN,
        .service_s = NAN,
        .ttft_p95_s = NAN,
        .tokens_s = NAN,
        .little = NAN,
    };
    return level;
}

struct level_resource *level_add_resource(struct level *level)
{
    level->resources =
        memory_resize(level->resources, level->resource_count + 1, sizeof *level->resources);
    struct level_resource *resource = &level->resources[level->resource_count++];
    *resource = (struct level_resource){
        .mean = NAN, .p95 = NAN, .most = NAN, .slope = NAN, .slope_low = NAN, .slope_high = NAN};
    return resource;
}

void level_add_error(struct level *level, const char *words, uint64_t count)
{
    for (size_t i = 0; i < level->error_count; i++)
        if (strcmp(level->errors[i].words, words) == 0) {
            level->errors[i].count += count;
            return;
        }
    level->errors = memory_resize(level->errors, level->error_count + 1, sizeof *level->errors);
    level->errors[level->error_count++] =
        (struct level_error){.words = memory_copy_text(words), .count = count};
}

void level_add_served(struct level *level, uint64_t count)
{
    level->served = memory_resize(level->served, level->served_count + 1, sizeof *level->served);
    level->served[level->served_count++] = count;
}

/* Least, most and sum of what the instances served. */
static void spread_of(const struct level *level, double *least, double *most, double *sum)
{
    *least = INFINITY;
    *most = *sum = 0;
    for (size_t i = 0; i < level->served_count; i++) {
        double count = (double)level->served[i];
        *least = fmin(*least, count);
        *most = fmax(*most, count);
        *sum += count;
    }
}

double level_skew(const struct level *level)
{
    double least, most, sum;
    spread_of(level, &least, &most, &sum);
    return level->served_count > 1 && sum > 0 ? (most - least) / (sum / (double)level->served_count)
                                              : NAN;
}

bool level_unbalanced(const struct level *level)
{
    double least, most, sum;
    spread_of(level, &least, &most, &sum);
    double chance = 4 * sqrt(sum / (double)level->served_count);
    return level_skew(level) > UNBALANCED && most - least > chance;
}

void suite_add_event(struct suite *suite, nsec_t at_ns, const char *kind, const char *words)
{
    suite->events = memory_resize(suite->events, suite->event_count + 1, sizeof *suite->events);
    suite->events[suite->event_count++] = (struct suite_event){
        .at_ns = at_ns, .kind = memory_copy_text(kind), .words = memory_copy_text(words)};
}
