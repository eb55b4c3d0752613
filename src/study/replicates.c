/* Levels belong together when all their axes are the same, to within rounding. */
#include "study/replicates.h"

#include "base/memory.h"
#include "stat/quantile.h"

#include <math.h>
#include <stdlib.h>

#define CONFIDENCE 0.95

static bool same(double one, double other)
{
    return (isnan(one) && isnan(other)) || fabs(one - other) <= 1e-9 * fabs(one);
}

static bool together(const struct level *one, const struct level *other)
{
    return same(one->users, other->users) && same(one->rate, other->rate) &&
           same(one->instances, other->instances) && same(one->size, other->size);
}

static bool says_something(const struct level *level)
{
    return level->state != LEVEL_STOPPED && level->generator != 2;
}

struct replicates_figure replicates_figure_of(const double *values, size_t count)
{
    struct replicates_figure figure = {NAN, NAN, NAN};
    double sum = 0, squares = 0;
    size_t known = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i])) {
            sum += values[i];
            known++;
        }
    if (known < 2)
        return figure;
    double mean = sum / (double)known, degrees = (double)known - 1;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]))
            squares += (values[i] - mean) * (values[i] - mean);
    double half =
        t_quantile((1 + CONFIDENCE) / 2, degrees) * sqrt(squares / degrees / (double)known);
    return (struct replicates_figure){mean, fmax(0, mean - half), mean + half};
}

/* Fills what stands at the load of series->levels[index]. Returns whether it is measured first
 * there, and twice or more. values has room for two figures of all levels. */
static bool combine(const struct level_series *series, size_t index, double *values,
                    struct replicates *out)
{
    const struct level *first = &series->levels[index];
    double *rates = values, *times = values + series->level_count;
    *out = (struct replicates){.first = first};
    for (size_t i = 0; i < series->level_count; i++) {
        const struct level *level = &series->levels[i];
        if (!says_something(level) || !together(first, level))
            continue;
        if (i < index)
            return false;
        rates[out->count] = level->throughput;
        times[out->count++] = level->p95_s;
    }
    out->throughput = replicates_figure_of(rates, out->count);
    out->p95_s = replicates_figure_of(times, out->count);
    return out->count > 1;
}

size_t replicates_find(const struct level_series *series, struct replicates **out)
{
    size_t count = 0;
    double *values = memory_new(2 * series->level_count + 1, sizeof *values);
    *out = memory_new(series->level_count + 1, sizeof **out);
    for (size_t i = 0; i < series->level_count; i++)
        if (says_something(&series->levels[i]) && combine(series, i, values, &(*out)[count]))
            count++;
    free(values);
    return count;
}
