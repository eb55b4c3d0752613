/* How much a resource could carry: its demand by the utilisation law, and the throughput at which
 * that fills it. A ceiling that is the measured capacity is the strongest sign there is without an
 * intervention.
 *
 *   Source   Lazowska et al., "Quantitative System Performance" (1984): the utilisation law. */
#include "study/evidence_part.h"

#include "base/memory.h"
#include "stat/regression.h"

#include <math.h>
#include <stdlib.h>

enum { FIT_LEAST = 3 };

static const double ceiling_match = 0.1; /* of the measured capacity */

/* Demand by the utilisation law: use = background + demand x throughput, before it is full, over
 * the first points of the curve. */
static bool fit_over(const struct case_file *file, size_t points, struct regression *fit,
                     bool *origin)
{
    const struct curve *curve = file->field->curve;
    double *x = memory_new(2 * curve->count, sizeof *x), *y = x + curve->count;
    size_t count = 0;
    double limit = file->whole > 0 ? 0.95 * file->whole : file->main->indicator->limit;
    for (size_t i = 0; i < points; i++) {
        const struct curve_point *point = &curve->points[i];
        bool bent = curve->retrograde && point->load > curve->most_load;
        if (!point->usable || bent || isnan(file->main->values[i]) ||
            file->main->values[i] >= limit)
            continue;
        x[count] = point->throughput;
        y[count++] = file->main->values[i];
    }
    bool fitted = count >= FIT_LEAST && regression_line(x, y, count, false, fit) == 0 &&
                  fit->b[1] > 0 && !(fit->b[1] < 2 * fit->error[1]);
    *origin = fitted && fabs(fit->b[0]) < 2 * fit->error[0];
    if (*origin) /* no background that could be told from none: a steadier line */
        fitted = regression_line(x, y, count, true, fit) == 0;
    free(x);
    return fitted;
}

/* Before the system bends, where that is enough: beyond, throughput is the same again and again and
 * tells nothing of a slope, while a server that is stopped and started by its quota, or too busy to
 * answer, says at odd moments only how full it is. */
static bool fit_demand(const struct case_file *file, struct regression *fit, bool *origin)
{
    size_t count = file->field->curve->count;
    return (file->bend < count && fit_over(file, file->bend, fit, origin)) ||
           fit_over(file, count, fit, origin);
}

/* The utilisation law as a validator: the level that it explains worst. */
static void find_residual(struct case_file *file, double full)
{
    const struct curve *curve = file->field->curve;
    struct bottleneck *out = file->out;
    for (size_t i = 0; i < curve->count; i++) {
        double wanted = out->background + out->demand * curve->points[i].throughput;
        double rest = fabs(file->main->values[i] - fmin(full, wanted)) / full;
        if (rest > out->residual || (isnan(out->residual) && !isnan(rest))) {
            out->residual = rest;
            out->residual_load = curve->points[i].load;
        }
    }
}

void evidence_find_ceiling(struct case_file *file)
{
    struct regression fit;
    bool origin;
    struct bottleneck *out = file->out;
    out->demand = out->background = out->ceiling = out->ceiling_low = out->ceiling_high = NAN;
    out->residual = out->residual_load = NAN;
    bool rate = file->main && (file->main->indicator->use == USE_SHARE || file->whole > 0);
    if (!rate || !fit_demand(file, &fit, &origin))
        return;
    out->background = origin ? 0 : fit.b[0];
    out->demand = origin ? fit.b[0] : fit.b[1];
    double full = file->whole > 0 ? file->whole : 1;
    out->ceiling = (full - out->background) / out->demand;
    if (origin) {
        double reach = 2 * fit.error[0];
        out->ceiling_low = full / (out->demand + reach);
        out->ceiling_high = out->demand > reach ? full / (out->demand - reach) : INFINITY;
    } else {
        struct regression_reach reach = regression_reaches(&fit, full, 0.95);
        out->ceiling_low = reach.low;
        out->ceiling_high = reach.high;
    }
    find_residual(file, full);
}

void evidence_weigh_ceiling(struct case_file *file)
{
    const struct curve *curve = file->field->curve;
    struct bottleneck *out = file->out;
    if (isnan(out->ceiling) || !curve->peak_observed || curve->retrograde)
        return;
    double ratio = out->ceiling / curve->most_rps;
    if (fabs(ratio - 1) > ceiling_match)
        return;
    struct evidence *evidence = bottleneck_add(
        out, EVIDENCE_CEILING, 3 - 10 * fabs(ratio - 1),
        "its ceiling, %.4g/s, is the measured capacity, %.4g/s", out->ceiling, curve->most_rps);
    evidence_source(evidence, file->main, out->ceiling, curve->most_rps, curve->most_load);
}
