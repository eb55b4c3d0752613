/* What a target load means, and how far beyond the measurements it lies. */
#include "study/advise_part.h"

#include "base/memory.h"
#include "base/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Points of the law: throughput over what is in the system. With think time that is not the number
 * of users. */
struct law_data {
    double *n, *x;
    size_t count;
    double think_s, per_user, highest;
};

static struct law_data data_of(const struct advice_case *the_case)
{
    struct law_data data = {.n = memory_new(2 * the_case->level_count + 1, sizeof(double))};
    data.x = data.n + the_case->level_count;
    for (size_t i = 0; i < the_case->level_count; i++) {
        const struct case_level *level = &the_case->levels[i];
        if (!level->usable || !(level->load > 0) || !(level->throughput > 0))
            continue;
        double think = isfinite(level->think_s) ? level->think_s : 0;
        double inside = isfinite(level->concurrency) ? level->concurrency
                        : the_case->open             ? (double)NAN
                                                     : level->load - level->throughput * think;
        data.highest = fmax(data.highest, level->load);
        data.per_user = fmax(data.per_user, level->throughput / level->load);
        if (!(inside > 0))
            continue;
        data.think_s += think;
        data.n[data.count] = inside;
        data.x[data.count++] = level->throughput;
    }
    data.think_s /= data.count ? (double)data.count : 1;
    return data;
}

/* How many are in the system when so many users think and ask: n + Z X(n) = users. */
static double inside_at(struct usl law, double users, double think_s)
{
    double low = 0, high = users;
    for (int turn = 0; turn < 100; turn++) {
        double middle = (low + high) / 2;
        if (middle + think_s * usl_at(law, middle) > users)
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* Unless the analysis has said it already, of the same levels. */
static void warn_of(struct advice *advice, const char *code, const char *words)
{
    if (!study_warned(&advice->warnings, code))
        study_warn(&advice->warnings, code, "%s", words);
}

static void warn_of_fit(struct advice *advice, const struct usl_points *points,
                        const struct usl_fit *fit, double confidence)
{
    char number[UNIT_ROOM];
    struct usl_residuals residuals;
    usl_residuals(points, fit, NULL, &residuals);
    if (residuals.levels < 6)
        warn_of(advice, "FEW_LEVELS", "fewer than 6 levels carry the law");
    if (residuals.replicated == 0)
        warn_of(advice, "NO_REPLICATES", "no level was measured twice");
    if (residuals.structured)
        warn_of(advice, "STRUCTURED_RESIDUALS",
                "the law misses the data in a pattern: intervals are too narrow");
    if (fit->pinned[USL_ALPHA] || fit->pinned[USL_BETA])
        warn_of(advice, "PARAM_AT_BOUND",
                fit->pinned[USL_ALPHA] ? "contention was pinned at 0"
                                       : "coherency was pinned at 0");
    if (!(usl_profile(points, fit, USL_BETA, confidence).low > 0))
        warn_of(advice, "BETA_UNIDENTIFIED", "the data do not tell whether there is a peak at all");
    double most = 0;
    for (size_t i = 0; i < points->count; i++)
        most = fmax(most, points->n[i]);
    if (!(usl_peak(fit->law) <= most))
        warn_of(advice, "PEAK_NOT_OBSERVED", "no peak was seen in the tested loads");
    double highest = usl_peak_throughput_interval(fit, confidence, NULL).high;
    if (isfinite(highest) && advice->target_rate > highest)
        study_warn(
            &advice->warnings, "BEYOND_PEAK",
            "the target lies above the peak that the law of the measured levels has, at most "
            "%s req/s: more load on the system as it is gives no more",
            unit_write_number(number, highest));
}

static void forecast(struct advice *advice, const struct law_data *data, double load,
                     const struct advice_wish *wish)
{
    const struct usl_points points = {data->n, data->x, data->count};
    struct usl_fit fit;
    struct usl_range range;
    if (usl_fit(&points, USL_FULL, &fit) != 0)
        return;
    double n = inside_at(fit.law, load, data->think_s);
    if (usl_range(&points, n, wish->confidence, &range) == 0) {
        advice->expected_range = range.combined;
        advice->expected_range.low = fmax(range.combined.low, 0);
        /* Far outside, what is carried may have ended right after the highest level. */
        double seen = 0;
        for (size_t i = 0; i < data->count; i++)
            seen = fmax(seen, data->x[i]);
        if (advice->ratio > 2)
            advice->expected_range.low = fmin(advice->expected_range.low, seen);
        advice->expected = advice->ratio > 2 ? (double)NAN : range.value;
    }
    warn_of_fit(advice, &points, &fit, wish->confidence);
}

static void warn_of_reach(struct advice *advice)
{
    char number[UNIT_ROOM];
    unit_write_number(number, advice->ratio);
    if (advice->ratio > 2)
        study_warn(&advice->warnings, "EXTRAPOLATION_RATIO",
                   "%s: beyond 2 times the tested load a point estimate would not be honest",
                   number);
    else if (advice->ratio > 1.25)
        study_warn(&advice->warnings, "EXTRAPOLATION_RATIO",
                   "%s: the target lies well beyond the highest tested load", number);
    else if (advice->ratio > 1)
        study_warn(&advice->warnings, "EXTRAPOLATION_RATIO",
                   "%s: the target lies beyond the highest tested load", number);
}

void advise_forecast(struct advice *advice, const struct advice_case *the_case,
                     const struct advice_wish *wish)
{
    struct law_data data = data_of(the_case);
    /* A user asks the more often the faster the answers are: the most of any level is the rate
     * that the target must carry when nothing slows it down. */
    bool rate = wish->target_is_rate || the_case->open;
    advice->target_rate = rate ? wish->target : wish->target * data.per_user;
    advice->tested = data.highest;
    double load = rate && !the_case->open ? wish->target / data.per_user : wish->target;
    advice->ratio = data.highest > 0 ? load / data.highest : (double)NAN;
    warn_of_reach(advice);
    if (data.count >= 3)
        forecast(advice, &data, load, wish);
    free(data.n);
}
