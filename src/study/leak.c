/* A leak is growth that is certain and that matters: either alone would name what is harmless. */
#include "study/leak.h"

#include "stat/quantile.h"
#include "stat/regression.h"

#include <math.h>
#include <string.h>

enum { BATCHES = 20, LEAST_BATCHES = 5, LEAST_OF_BATCH = 2 };
#define CONFIDENCE   0.95
#define LEAST_GROWTH 0.01 /* of the mean, over the level */

void leak_slope(const struct result_series *series, nsec_t begin_ns, nsec_t end_ns, double *low,
                double *high)
{
    double x[BATCHES] = {0}, y[BATCHES] = {0};
    struct regression line;
    size_t first = 0, past;
    *low = *high = NAN;
    while (first < series->count && series->at_ns[first] < begin_ns)
        first++;
    for (past = first; past < series->count && series->at_ns[past] <= end_ns;)
        past++;
    size_t count = past - first, batches = count / LEAST_OF_BATCH;
    if (batches < LEAST_BATCHES)
        return;
    batches = batches > BATCHES ? BATCHES : batches;
    for (size_t b = 0; b < batches; b++) {
        size_t begin = first + count * b / batches, end = first + count * (b + 1) / batches;
        for (size_t i = begin; i < end; i++) {
            x[b] += (double)(series->at_ns[i] - begin_ns) / 1e9 / (double)(end - begin);
            y[b] += series->values[i] / (double)(end - begin);
        }
    }
    if (regression_line(x, y, batches, false, &line) != 0)
        return;
    double half = t_quantile((1 + CONFIDENCE) / 2, (double)line.degrees) * line.error[1];
    *low = line.b[1] - half;
    *high = line.b[1] + half;
}

/* An amount that is held, and neither a limit, nor what can be dropped, nor a rate. */
static bool is_held(const struct level_resource *resource)
{
    static const char *const held[] = {"memory", ".rss", ".pss", ".descriptors", ".files_open"};
    static const char *const not_held[] = {"cache", "limit", "total", "available", "free"};
    bool is = false;
    if (strcmp(resource->unit, "bytes") != 0 && strcmp(resource->unit, "descriptors") != 0 &&
        strcmp(resource->unit, "files") != 0)
        return false;
    for (size_t i = 0; i < sizeof held / sizeof *held; i++)
        is |= strstr(resource->metric, held[i]) != NULL;
    for (size_t i = 0; i < sizeof not_held / sizeof *not_held; i++)
        is &= strstr(resource->metric, not_held[i]) == NULL;
    return is;
}

enum leak leak_of(const struct level *level, const struct level_resource *resource)
{
    if (!is_held(resource) || strcmp(resource->role, "generator") == 0 ||
        isnan(resource->slope_low))
        return LEAK_NOT_ASKED;
    double grown = resource->slope * level->measured_s;
    return resource->slope_low > 0 && grown >= LEAST_GROWTH * fabs(resource->mean) ? LEAK_GROWS
                                                                                   : LEAK_NONE;
}
