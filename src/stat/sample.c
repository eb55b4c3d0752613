/* Numbers kept whole. Sums are Neumaier's, so that the order of a million values does not matter to
 * the digits that anybody prints. */
#include "stat/sample.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

void sample_add(struct sample *sample, double value)
{
    if (sample->count == sample->room) {
        sample->room = sample->room ? 2 * sample->room : 256;
        sample->values = memory_resize(sample->values, sample->room, sizeof *sample->values);
    }
    sample->values[sample->count++] = value;
}

void sample_fini(struct sample *sample)
{
    free(sample->values);
    *sample = (struct sample){.values = NULL};
}

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

void sample_sort(struct sample *sample)
{
    if (sample->count)
        qsort(sample->values, sample->count, sizeof *sample->values, compare);
}

double sample_between(const struct sample *sample, double share)
{
    if (sample->count == 0)
        return (double)NAN;
    double place = share * (double)(sample->count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= sample->count)
        return sample->values[sample->count - 1];
    double part = place - (double)below;
    return sample->values[below] + part * (sample->values[below + 1] - sample->values[below]);
}

double sample_rank(const struct sample *sample, double share)
{
    if (sample->count == 0)
        return (double)NAN;
    size_t rank = (size_t)ceil(share * (double)sample->count);
    rank = rank < 1 ? 1 : rank > sample->count ? sample->count : rank;
    return sample->values[rank - 1];
}

double sample_sum(const struct sample *sample)
{
    double sum = 0, lost = 0;
    for (size_t i = 0; i < sample->count; i++) {
        double value = sample->values[i], next = sum + value;
        lost += fabs(sum) >= fabs(value) ? (sum - next) + value : (value - next) + sum;
        sum = next;
    }
    return sum + lost;
}

double sample_mean(const struct sample *sample)
{
    return sample->count ? sample_sum(sample) / (double)sample->count : (double)NAN;
}

double sample_deviation(const struct sample *sample)
{
    double mean = sample_mean(sample), squares = 0;
    for (size_t i = 0; i < sample->count; i++)
        squares += (sample->values[i] - mean) * (sample->values[i] - mean);
    return sample->count ? sqrt(squares / (double)sample->count) : (double)NAN;
}
