/* The answer about a scalability law: the parameters with their intervals, what follows from them,
 * how far the curve can be trusted, and what it says at the loads asked for. */
#include "show/law_part.h"

#include "base/memory.h"
#include "show/document.h"

#include <math.h>
#include <stdlib.h>

/* All that is known of a fit. */
struct answer {
    const struct usl_points *points;
    const struct law_wish *wish;
    double confidence, highest, peak_error, peak_x_error;
    struct usl_fit fit, amdahl, linear;
    bool amdahl_known, linear_known;
    struct usl_interval wald[USL_PARAMETERS], profile[USL_PARAMETERS], peak, peak_x;
    struct usl_residuals residuals;
    double *rests;
    json_t *warnings;
};

static const char *const names[USL_PARAMETERS] = {"gamma", "alpha", "beta"};

static double parameter(struct usl law, int index)
{
    const double all[] = {law.gamma, law.alpha, law.beta};
    return all[index];
}

/* Whether some n does better each than the least n. */
static bool superlinear(const struct answer *a)
{
    const struct usl_points *points = a->points;
    double least = INFINITY, first = 0, count = 0, most = 0;
    for (size_t i = 0; i < points->count; i++)
        least = fmin(least, points->n[i]);
    for (size_t i = 0; i < points->count; i++)
        if (points->n[i] == least) {
            first += points->x[i] / points->n[i];
            count++;
        } else {
            most = fmax(most, points->x[i] / points->n[i]);
        }
    return most > 1.05 * first / count;
}

static void warn(struct answer *a)
{
    double peak = usl_peak(a->fit.law);
    if (a->residuals.levels < 6)
        law_warn(a->warnings, "FEW_LEVELS", "fewer than 6 levels: intervals are wide at best");
    if (a->residuals.replicated == 0)
        law_warn(a->warnings, "NO_REPLICATES",
                 "no level was measured twice: noise and misfit cannot be told apart");
    for (int j = 1; j < USL_PARAMETERS; j++)
        if (a->fit.pinned[j])
            law_warn(a->warnings, "PARAM_AT_BOUND",
                     j == USL_ALPHA ? "alpha is pinned at 0: the best fit would have it negative"
                                    : "beta is pinned at 0: the best fit would have it negative");
    if (!(a->profile[USL_BETA].low > 0))
        law_warn(a->warnings, "BETA_UNIDENTIFIED",
                 "beta may be 0 by these data: not distinguishable from Amdahl's law");
    if (!isfinite(peak))
        law_warn(a->warnings, "PEAK_NOT_OBSERVED", "no peak inside the model");
    else if (peak > a->highest)
        law_warn(a->warnings, "PEAK_NOT_OBSERVED",
                 "the peak lies beyond the highest tested n: predicted, not measured");
    if (superlinear(a))
        law_warn(a->warnings, "SUPERLINEAR",
                 "throughput per n rises above that of the least n by more than 5 %: not this law");
    if (a->residuals.structured)
        law_warn(a->warnings, "STRUCTURED_RESIDUALS",
                 "residuals are not noise: the curve is not quite this law, and the\n"
                 "    intervals are too narrow");
}

static int analyse(struct answer *a, struct text *why)
{
    int error = usl_fit(a->points, USL_FULL, &a->fit);
    if (error == USL_TOO_FEW)
        text_puts(why, "three different n at least are needed to fit three parameters");
    else if (error)
        text_puts(why, "no law fits these points: throughput must be above 0");
    if (error)
        return 1;
    for (size_t i = 0; i < a->points->count; i++)
        a->highest = fmax(a->highest, a->points->n[i]);
    for (int j = 0; j < USL_PARAMETERS; j++) {
        a->wald[j] = usl_wald(&a->fit, j, a->confidence);
        a->profile[j] = usl_profile(a->points, &a->fit, j, a->confidence);
    }
    a->peak = usl_peak_interval(&a->fit, a->confidence, &a->peak_error);
    if (!(a->profile[USL_BETA].low > 0))
        a->peak.high = INFINITY;
    a->peak_x = usl_peak_throughput_interval(&a->fit, a->confidence, &a->peak_x_error);
    if (a->peak.low < 0) /* the delta method knows no bounds; users and throughput do */
        a->peak.low = 0;
    if (a->peak_x.low < 0)
        a->peak_x.low = 0;
    a->amdahl_known = usl_fit(a->points, USL_AMDAHL, &a->amdahl) == 0;
    a->linear_known = usl_fit(a->points, USL_LINEAR, &a->linear) == 0;
    a->rests = memory_new(a->points->count, sizeof *a->rests);
    usl_residuals(a->points, &a->fit, a->rests, &a->residuals);
    a->warnings = json_array();
    warn(a);
    return 0;
}

static json_t *fit_document(const struct usl_fit *fit)
{
    json_t *object = json_object();
    law_number(object, "gamma", fit->law.gamma);
    law_number(object, "alpha", fit->law.alpha);
    law_number(object, "beta", fit->law.beta);
    law_number(object, "residual_squares", fit->squares);
    law_number(object, "residual_deviation", fit->deviation);
    law_number(object, "aic", fit->aic);
    law_number(object, "aicc", fit->aicc);
    return object;
}

static void put_parameters(const struct answer *a, json_t *root)
{
    json_t *all = json_object();
    for (int j = 0; j < USL_PARAMETERS; j++) {
        json_t *one = json_object();
        law_number(one, "value", parameter(a->fit.law, j));
        law_number(one, "standard_error", a->fit.error[j]);
        json_object_set_new(one, "wald", law_interval(a->wald[j].low, a->wald[j].high));
        json_object_set_new(one, "profile", law_interval(a->profile[j].low, a->profile[j].high));
        json_object_set_new(one, "pinned", json_boolean(a->fit.pinned[j]));
        law_number(one, "unbounded_value", parameter(a->fit.unbounded, j));
        law_number(one, "unbounded_standard_error", a->fit.unbounded_error[j]);
        json_object_set_new(all, names[j], one);
        law_number(root, names[j], parameter(a->fit.law, j));
    }
    json_object_set_new(root, "parameters", all);
    json_t *covariance = json_array();
    for (int i = 0; i < USL_PARAMETERS; i++) {
        json_t *row = json_array();
        for (int j = 0; j < USL_PARAMETERS; j++)
            json_array_append_new(row, document_number(a->fit.covariance[i][j]));
        json_array_append_new(covariance, row);
    }
    json_object_set_new(root, "covariance", covariance);
}

static json_t *peak_document(const struct answer *a)
{
    json_t *peak = json_object();
    struct usl law = a->fit.law;
    law_number(peak, "n", usl_peak(law));
    law_number(peak, "n_standard_error", a->peak_error);
    json_object_set_new(peak, "n_interval", law_interval(a->peak.low, a->peak.high));
    json_object_set_new(peak, "n_unbounded_above", json_boolean(isinf(a->peak.high)));
    law_number(peak, "n_whole", usl_peak_whole(law));
    double x = isfinite(usl_peak(law)) ? usl_peak_throughput(law) : (double)NAN;
    law_number(peak, "throughput", x);
    law_number(peak, "throughput_standard_error", a->peak_x_error);
    json_object_set_new(peak, "throughput_interval", law_interval(a->peak_x.low, a->peak_x.high));
    json_object_set_new(peak, "observed", json_boolean(usl_peak(law) <= a->highest));
    law_number(peak, "roof_throughput", usl_roof(law));
    law_number(peak, "roof_meets_n", usl_roof_meets(law));
    law_number(peak, "power_n", usl_power_peak(law));
    law_number(peak, "coherency_rules_from_n", usl_coherency_rules(law));
    return peak;
}

static json_t *quality_document(const struct answer *a)
{
    json_t *quality = json_object();
    law_number(quality, "residual_squares", a->fit.squares);
    law_number(quality, "residual_deviation", a->fit.deviation);
    json_object_set_new(quality, "degrees_of_freedom", document_count(a->fit.degrees));
    law_number(quality, "r_squared", a->fit.fit);
    law_number(quality, "aic", a->fit.aic);
    law_number(quality, "aicc", a->fit.aicc);
    law_number(quality, "condition", a->fit.condition);
    law_number(quality, "durbin_watson", a->residuals.durbin_watson);
    law_number(quality, "lag_one_correlation", a->residuals.lag_one);
    json_object_set_new(quality, "runs", document_count(a->residuals.runs));
    law_number(quality, "runs_p", a->residuals.runs_p);
    law_number(quality, "lack_of_fit_p", a->residuals.lack_p);
    json_object_set_new(quality, "structured", json_boolean(a->residuals.structured));
    return quality;
}

static json_t *points_document(const struct answer *a)
{
    json_t *all = json_array();
    for (size_t i = 0; i < a->points->count; i++) {
        json_t *one = json_object();
        double n = a->points->n[i], x = a->points->x[i];
        law_number(one, "n", n);
        law_number(one, "throughput", x);
        law_number(one, "fitted", usl_at(a->fit.law, n));
        law_number(one, "residual", a->rests[i]);
        law_number(one, "efficiency_ratio", x / n / a->fit.law.gamma);
        struct usl_overhead overhead = usl_overhead(a->fit.law, n);
        law_number(one, "ideal_ratio", overhead.ideal);
        law_number(one, "contention_ratio", overhead.contention);
        law_number(one, "coherency_ratio", overhead.coherency);
        json_array_append_new(all, one);
    }
    return all;
}

/* A prediction, and what has to be said of it. */
static json_t *prediction_document(struct answer *a)
{
    struct usl_range range;
    if (usl_range(a->points, a->wish->at, a->confidence, &range) != 0)
        return json_null();
    json_t *object = json_object();
    struct usl_prediction own = usl_predict(&a->fit, a->wish->at, a->confidence);
    law_number(object, "n", a->wish->at);
    law_number(object, "throughput", range.ratio > 2 ? (double)NAN : range.value);
    law_number(object, "model_throughput", range.value);
    json_object_set_new(object, "curve_interval", law_interval(own.mean.low, own.mean.high));
    json_object_set_new(object, "usl_interval", law_interval(range.own.low, range.own.high));
    struct usl_interval wide =
        usl_predict_wide(a->points, &a->fit, a->wish->at, a->confidence).next;
    json_object_set_new(object, "usl_all_parameters_interval", law_interval(wide.low, wide.high));
    law_number(object, "inflation", range.inflation);
    json_object_set_new(object, "inflated_interval",
                        law_interval(range.inflated.low, range.inflated.high));
    json_object_set_new(object, "amdahl_interval",
                        law_interval(range.amdahl.low, range.amdahl.high));
    json_object_set_new(object, "range", law_interval(range.combined.low, range.combined.high));
    law_number(object, "extrapolation_ratio", range.ratio);
    if (range.ratio > 2)
        law_warn(a->warnings, "EXTRAPOLATION_RATIO",
                 "more than twice the highest tested n: a range, and no point");
    else if (range.ratio > 1)
        law_warn(a->warnings, "EXTRAPOLATION_RATIO",
                 "beyond the highest tested n: the range joins two laws, and is a heuristic");
    return object;
}

static json_t *inverse_document(struct answer *a, double wanted, bool response)
{
    json_t *object = json_object();
    double n = NAN;
    int error = response ? usl_inverse_response(a->fit.law, wanted, &n)
                         : usl_inverse(a->fit.law, wanted, &n);
    law_number(object, response ? "response_s" : "throughput", wanted);
    json_object_set_new(object, "reachable", json_boolean(error == 0));
    law_number(object, "n", error ? (double)NAN : n);
    double x = error ? (double)NAN : usl_at(a->fit.law, n);
    law_number(object, response ? "at_throughput" : "response_s",
               error      ? (double)NAN
               : response ? x
                          : usl_response(a->fit.law, n));
    if (error && !response)
        law_warn(a->warnings, "BEYOND_PEAK", "this throughput is above the peak: unreachable");
    return object;
}

static json_t *document_of(struct answer *a)
{
    json_t *root = json_object();
    json_object_set_new(root, "tool", json_string("fit usl"));
    json_object_set_new(root, "schema", json_integer(1));
    json_object_set_new(root, "points", document_count(a->points->count));
    json_object_set_new(root, "levels", document_count(a->residuals.levels));
    law_number(root, "confidence", a->confidence);
    law_number(root, "think_s", a->wish->think_s);
    const char *law = a->fit.family == USL_FULL     ? "usl"
                      : a->fit.family == USL_AMDAHL ? "amdahl"
                      : a->fit.family == USL_LINEAR ? "linear"
                                                    : "usl without contention";
    json_object_set_new(root, "law", json_string(law));
    put_parameters(a, root);
    json_object_set_new(root, "peak", peak_document(a));
    json_object_set_new(root, "quality", quality_document(a));
    json_t *others = json_object();
    if (a->amdahl_known)
        json_object_set_new(others, "amdahl", fit_document(&a->amdahl));
    if (a->linear_known)
        json_object_set_new(others, "linear", fit_document(&a->linear));
    json_object_set_new(root, "other_laws", others);
    if (isfinite(a->wish->at))
        json_object_set_new(root, "prediction", prediction_document(a));
    if (isfinite(a->wish->throughput))
        json_object_set_new(root, "n_for_throughput",
                            inverse_document(a, a->wish->throughput, false));
    if (isfinite(a->wish->response_s))
        json_object_set_new(root, "n_for_response", inverse_document(a, a->wish->response_s, true));
    json_object_set_new(root, "measured", points_document(a));
    json_object_set(root, "warnings", a->warnings);
    return root;
}

static void put_line(struct text *out, const char *what, double value, struct usl_interval range)
{
    char v[LAW_ROOM], low[LAW_ROOM], high[LAW_ROOM];
    bool ranged = !isnan(range.low) || !isnan(range.high);
    text_printf(out, "  %-24s %-*s", what, ranged ? 11 : 0, law_digits(v, value));
    if (ranged)
        text_printf(out, " %s to %s", law_digits(low, range.low), law_digits(high, range.high));
    text_putc(out, '\n');
}

static double json_at(const json_t *root, const char *object, const char *key)
{
    const json_t *value = json_object_get(json_object_get(root, object), key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void put_wishes(const struct answer *a, const json_t *root, struct text *out)
{
    char one[LAW_ROOM], two[LAW_ROOM], three[LAW_ROOM], four[LAW_ROOM];
    const json_t *range = json_object_get(json_object_get(root, "prediction"), "range");
    if (range)
        text_printf(out, "\n  at n = %s    X = %s, between %s and %s\n",
                    law_digits(one, a->wish->at),
                    law_digits(two, json_at(root, "prediction", "throughput")),
                    law_digits(three, json_number_value(json_object_get(range, "low"))),
                    law_digits(four, json_number_value(json_object_get(range, "high"))));
    if (isfinite(a->wish->throughput))
        text_printf(out, "\n  X = %s needs n = %s (response %s s)\n",
                    law_digits(one, a->wish->throughput),
                    law_digits(two, json_at(root, "n_for_throughput", "n")),
                    law_digits(three, json_at(root, "n_for_throughput", "response_s")));
    if (isfinite(a->wish->response_s))
        text_printf(out, "\n  a mean response of %s s is reached at n = %s\n",
                    law_digits(one, a->wish->response_s),
                    law_digits(two, json_at(root, "n_for_response", "n")));
}

static void put_text(const struct answer *a, const json_t *root, struct text *out)
{
    struct usl law = a->fit.law;
    const struct usl_interval none = {NAN, NAN};
    char one[LAW_ROOM], two[LAW_ROOM];
    text_printf(out,
                "X(N) = gamma N / (1 + alpha (N - 1) + beta N (N - 1))    %zu points, %zu "
                "levels\n\n  %-24s %-11s %.0f %% interval\n",
                a->points->count, a->residuals.levels, "", "", a->confidence * 100);
    if (a->wish->think_s > 0)
        text_printf(out, "  N is users less those who think: n - x times %s s\n",
                    law_digits(one, a->wish->think_s));
    put_line(out, "gamma  (of one)", law.gamma, a->profile[USL_GAMMA]);
    put_line(out, a->fit.pinned[1] ? "alpha  (pinned at 0)" : "alpha  (contention)", law.alpha,
             a->profile[USL_ALPHA]);
    put_line(out, a->fit.pinned[2] ? "beta   (pinned at 0)" : "beta   (coherency)", law.beta,
             a->profile[USL_BETA]);
    if (isfinite(usl_peak(law))) {
        put_line(out, usl_peak(law) <= a->highest ? "peak at N" : "peak at N (predicted)",
                 usl_peak(law), a->peak);
        put_line(out, "  throughput there", usl_peak_throughput(law), a->peak_x);
    } else {
        text_puts(out, "  peak                     not observed: none inside the model\n");
    }
    put_line(out, "roof without beta", usl_roof(law), none);
    put_line(out, "most power (X / R) at N", usl_power_peak(law), none);
    put_wishes(a, root, out);
    text_printf(out, "\n  fit    residual deviation %s, R² %.5f, Durbin-Watson %s\n",
                law_digits(one, a->fit.deviation), a->fit.fit,
                law_digits(two, a->residuals.durbin_watson));
    text_puts(out, "  signs  ");
    for (size_t i = 0; i < a->points->count && i < 64; i++)
        text_putc(out, a->rests[i] >= 0 ? '+' : '-');
    text_putc(out, '\n');
    law_warnings_put(a->warnings, out);
}

int law_usl(const struct usl_points *points, const struct law_wish *wish,
            const struct law_style *style, struct text *out, struct text *why)
{
    struct answer a = {.points = points, .wish = wish, .confidence = style->confidence};
    for (size_t i = 0; i < points->count; i++)
        if (!(points->n[i] > 0) || !(points->x[i] >= 0)) {
            text_printf(why, "point %zu: n must be above 0, and x at least 0", i + 1);
            return 1;
        }
    if (analyse(&a, why) != 0)
        return 1;
    json_t *root = document_of(&a);
    if (style->json) {
        law_dump(root, out);
    } else {
        put_text(&a, root, out);
        json_decref(root);
    }
    json_decref(a.warnings);
    free(a.rests);
    return 0;
}
