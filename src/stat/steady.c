/* Both tests work on means of neighbours: they are nearer to independent and nearer to normal than
 * what was measured. */
#include "stat/steady.h"

#include "base/memory.h"
#include "stat/quantile.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_BATCHES = 10, DRIFT_BATCHES = 20, DRIFT_LEAST = 5 };

static double mean_of(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return sum / (double)count;
}

/* From the last batch to the first, mean and squares of what follows a cut grow by one value each
 * (Welford), so that all cuts cost one pass. */
int steady_cut(const double *values, size_t count, size_t *cut, double *score)
{
    size_t batches = count / STEADY_BATCH, best = 0;
    double mean = 0, squares = 0, least = INFINITY;
    *cut = 0;
    if (score)
        *score = NAN;
    if (batches < LEAST_BATCHES)
        return STEADY_TOO_FEW;
    for (size_t d = batches; d-- > 0;) {
        double kept = (double)(batches - d);
        double batch = mean_of(values + d * STEADY_BATCH, STEADY_BATCH);
        double off = batch - mean;
        mean += off / kept;
        squares += off * (batch - mean);
        if (d <= batches / 2 && squares / (kept * kept) <= least) {
            least = squares / (kept * kept);
            best = d;
        }
    }
    *cut = best * STEADY_BATCH;
    if (score)
        *score = least;
    return best == batches / 2 ? STEADY_NOT : 0;
}

static double lag1_of(const double *values, size_t count, double mean)
{
    double squares = 0, products = 0;
    for (size_t i = 0; i < count; i++) {
        squares += (values[i] - mean) * (values[i] - mean);
        if (i > 0)
            products += (values[i] - mean) * (values[i - 1] - mean);
    }
    return squares > 0 ? products / squares : 0;
}

/* Least squares of batch means over -1/2 .. 1/2, so that the slope is the change over the whole. */
static void fit(const double *batches, size_t count, struct steady_drift *out)
{
    double mean = mean_of(batches, count), squares = 0, products = 0, residue = 0;
    for (size_t i = 0; i < count; i++) {
        double at = ((double)i + 0.5) / (double)count - 0.5;
        squares += at * at;
        products += at * (batches[i] - mean);
    }
    double slope = products / squares;
    double *rests = memory_new(count, sizeof *rests);
    for (size_t i = 0; i < count; i++) {
        double at = ((double)i + 0.5) / (double)count - 0.5;
        rests[i] = batches[i] - mean - slope * at;
        residue += rests[i] * rests[i];
    }
    /* What is left after the line tells of correlation; with the line in it, drift would pass for
     * correlation and so hide itself. */
    out->lag1 = lag1_of(rests, count, 0);
    free(rests);
    /* More correlation than a third is no noise of batch means but a bend or a step, which must not
     * widen the interval until it hides itself. */
    double lag = fmin(fmax(out->lag1, 0), 1.0 / 3);
    double effective = fmax((double)count * (1 - lag) / (1 + lag), 4);
    double degrees = effective - 2;
    double error = sqrt(residue / ((double)count - 2) / squares * (double)count / effective);
    double reach = t_quantile(0.995, degrees) * error;
    if (mean == 0)
        return;
    out->share = slope / fabs(mean);
    out->low = (slope - reach) / fabs(mean);
    out->high = (slope + reach) / fabs(mean);
}

struct steady_drift steady_drift_of(const double *values, size_t count)
{
    struct steady_drift drift = {.share = NAN, .low = NAN, .high = NAN, .lag1 = NAN};
    size_t size = count > DRIFT_BATCHES ? count / DRIFT_BATCHES : 1;
    drift.batches = count / size;
    if (drift.batches < DRIFT_LEAST)
        return drift;
    double *batches = memory_new(drift.batches, sizeof *batches);
    for (size_t i = 0; i < drift.batches; i++)
        batches[i] = mean_of(values + i * size, size);
    fit(batches, drift.batches, &drift);
    free(batches);
    return drift;
}

bool steady_is(const struct steady_drift *drift, double tolerance)
{
    if (isnan(drift->share))
        return false;
    bool within = drift->low >= -tolerance && drift->high <= tolerance;
    return within || (drift->low <= 0 && drift->high >= 0 && drift->lag1 <= STEADY_MOST_LAG1);
}
