/* Batching in closed form. */
#include "stat/batch.h"

#include "base/memory.h"
#include "stat/regression.h"

#include <math.h>
#include <stdlib.h>

double batch_rate(const struct batch_law *law, double sequences)
{
    return sequences / (law->step_s + law->sequence_s * sequences);
}

double batch_ceiling(const struct batch_law *law)
{
    return law->sequence_s > 0 ? 1 / law->sequence_s : (double)INFINITY;
}

double batch_half(const struct batch_law *law)
{
    return law->sequence_s > 0 ? law->step_s / law->sequence_s : (double)INFINITY;
}

double batch_alpha(const struct batch_law *law)
{
    return law->sequence_s / (law->step_s + law->sequence_s);
}

int batch_fit(const double *sequences, const double *rates, size_t count, struct batch_law *out)
{
    struct regression line;
    double *steps = memory_new(count, sizeof *steps);
    for (size_t i = 0; i < count; i++)
        steps[i] = sequences[i] / rates[i];
    int error = regression_line(sequences, steps, count, false, &line);
    free(steps);
    if (error)
        return BATCH_TOO_FEW;
    *out = (struct batch_law){.step_s = line.b[0], .sequence_s = line.b[1]};
    return 0;
}

double batch_most(double cache_tokens, double tokens_each)
{
    return floor(cache_tokens / tokens_each);
}

double batch_response_mean(const struct batch_law *law, double rate)
{
    double a = law->sequence_s, t = law->step_s, busy = rate * a;
    if (busy >= 1)
        return INFINITY;
    double waits = (a + t) / (2 * (1 - busy)) * (1 + 2 * rate * t + (1 - rate * t) / (1 + busy));
    double full = 1.5 * t / (1 - busy) + a / 2 * (busy + 2) / (1 - busy * busy);
    return fmin(waits, full);
}
