/* The answer about where a curve bends: several methods side by side with their names, because they
 * answer different questions, and one number would hide that. */
#include "show/law_part.h"

#include "base/memory.h"
#include "base/unit.h"
#include "show/document.h"
#include "stat/knee.h"

#include <math.h>
#include <stdlib.h>

enum { KNEE_SEED = 1 };

/* One point a level: the mean of its replicates, sorted by n. */
struct levels {
    double *n, *y;
    size_t count;
};

struct point {
    double n, y;
};

static int by_n(const void *one, const void *other)
{
    const struct point *a = one, *b = other;
    return (a->n > b->n) - (a->n < b->n);
}

static struct levels levels_of(const struct law_curve *curve)
{
    struct point *points = memory_new(curve->count, sizeof *points);
    struct levels out = {.n = memory_new(2 * curve->count, sizeof *out.n)};
    out.y = out.n + curve->count;
    for (size_t i = 0; i < curve->count; i++)
        points[i] = (struct point){curve->n[i], curve->y[i]};
    qsort(points, curve->count, sizeof *points, by_n);
    for (size_t i = 0, end = 0; i < curve->count; i = end) {
        double sum = 0;
        for (end = i; end < curve->count && points[end].n == points[i].n; end++)
            sum += points[end].y;
        out.n[out.count] = points[i].n;
        out.y[out.count++] = sum / (double)(end - i);
    }
    free(points);
    return out;
}

static void put_segmented(const struct law_curve *curve, double confidence, json_t *root,
                          json_t *warnings)
{
    struct knee_break found;
    if (knee_segmented(curve->n, curve->y, curve->count, confidence, KNEE_SEED, &found) != 0) {
        json_object_set_new(root, "segmented", json_null());
        law_warn(warnings, "FEW_LEVELS", "a break needs three levels on each side of it");
        return;
    }
    json_t *object = json_object();
    law_number(object, "n", found.at);
    law_number(object, "standard_error", found.error);
    json_object_set_new(object, "interval", law_interval(found.low, found.high));
    json_object_set_new(object, "exists", json_boolean(found.exists));
    law_number(object, "p", found.p);
    law_number(object, "davies_p", found.davies_p);
    law_number(object, "f", found.f);
    law_number(object, "constant", found.constant);
    law_number(object, "slope_before", found.slope_before);
    law_number(object, "slope_before_standard_error", found.slope_before_error);
    law_number(object, "slope_after", found.slope_after);
    law_number(object, "slope_after_standard_error", found.slope_after_error);
    law_number(object, "residual_squares", found.squares);
    law_number(object, "line_residual_squares", found.line_squares);
    law_number(object, "bic", found.bic);
    law_number(object, "quadratic_bic", found.quadratic_bic);
    law_number(object, "hyperbola_bic", found.hyperbola_bic);
    json_object_set_new(root, "segmented", object);
    if (!found.exists)
        law_warn(warnings, "NO_BREAK",
                 found.p < 0.05 ? "a smooth curve explains these points as well as a break does"
                                : "no break: one straight line explains these points");
}

static void put_kneedle(const struct levels *levels, const struct law_curve *curve, json_t *root)
{
    bool rising =
        curve->rising >= 0 ? curve->rising > 0 : levels->y[levels->count - 1] >= levels->y[0];
    bool convex = curve->shape >= 0 ? curve->shape > 0 : curve->response;
    const struct knee_points points = {levels->n, levels->y, levels->count};
    struct knee_way way = {.knees = memory_new(levels->count, sizeof *way.knees)};
    json_t *object = json_object(), *all = json_array();
    bool any = knee_kneedle_way(&points, convex ? KNEE_CONVEX : KNEE_CONCAVE, rising,
                                curve->sensitivity, &way) == 0;
    law_number(object, "n", any ? levels->n[way.knees[0]] : (double)NAN);
    law_number(object, "y", any ? levels->y[way.knees[0]] : (double)NAN);
    law_number(object, "sensitivity", curve->sensitivity);
    law_number(object, "tested_to", levels->n[levels->count - 1]);
    json_object_set_new(object, "shape", json_string(convex ? "convex" : "concave"));
    json_object_set_new(object, "direction", json_string(rising ? "rising" : "falling"));
    law_number(object, "difference", way.difference);
    law_number(object, "threshold", way.threshold);
    for (size_t i = 0; i < way.found; i++)
        json_array_append_new(all, document_number(levels->n[way.knees[i]]));
    json_object_set_new(object, "all_n", all);
    json_object_set_new(root, "kneedle", object);
    free(way.knees);
}

/* Efficiency against the first level, and power X / R = X^2 / n. */
static void put_throughput(const struct levels *levels, const struct law_curve *curve, json_t *root)
{
    double one = levels->y[0] / levels->n[0], last = NAN, most = -INFINITY, at = NAN, top = 0;
    bool holds = true;
    for (size_t i = 0; i < levels->count; i++) {
        double power = levels->y[i] * levels->y[i] / levels->n[i];
        holds = holds && levels->y[i] / levels->n[i] / one >= curve->efficiency;
        if (holds)
            last = levels->n[i];
        if (power > most) {
            most = power;
            at = levels->n[i];
        }
        if (levels->y[i] > levels->y[(size_t)top])
            top = (double)i;
    }
    json_t *linear = json_object(), *power = json_object(), *peak = json_object();
    law_number(linear, "n", last);
    law_number(linear, "efficiency_ratio", curve->efficiency);
    json_object_set_new(root, "linear_to", linear);
    law_number(power, "n", at);
    json_object_set_new(root, "power_peak", power);
    law_number(peak, "n", levels->n[(size_t)top]);
    law_number(peak, "throughput", levels->y[(size_t)top]);
    json_object_set_new(peak, "observed", json_boolean((size_t)top + 1 < levels->count));
    json_object_set_new(root, "highest", peak);
}

static double at(const json_t *root, const char *object, const char *key)
{
    const json_t *value = json_object_get(json_object_get(root, object), key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void put_text(const json_t *root, const struct law_curve *curve, const json_t *warnings,
                     struct text *out)
{
    char one[LAW_ROOM], two[LAW_ROOM], three[LAW_ROOM];
    const json_t *segmented = json_object_get(root, "segmented");
    const json_t *interval = json_object_get(segmented, "interval");
    text_printf(out, "where %s bends, by method\n\n",
                curve->response ? "response time" : "throughput");
    if (interval) {
        bool exists = json_is_true(json_object_get(segmented, "exists"));
        text_printf(out, "  %-22s %-9s %s to %s, p = %.3g%s\n", "segmented regression",
                    law_digits(one, at(root, "segmented", "n")),
                    law_digits(two, json_number_value(json_object_get(interval, "low"))),
                    law_digits(three, json_number_value(json_object_get(interval, "high"))),
                    at(root, "segmented", "p"), exists ? "" : "; not a break");
    } else {
        text_puts(out, "  segmented regression   not observed: too few levels\n");
    }
    char share[UNIT_ROOM];
    double kneedle = at(root, "kneedle", "n");
    text_printf(out, "  %-22s %-9s sensitivity %g, tested to %s\n", "Kneedle",
                isnan(kneedle) ? "none" : law_digits(one, kneedle), curve->sensitivity,
                law_digits(two, at(root, "kneedle", "tested_to")));
    if (json_object_get(root, "linear_to")) {
        text_printf(out, "  %-22s %-9s efficiency at least %s of the first level\n", "linear up to",
                    law_digits(one, at(root, "linear_to", "n")),
                    unit_write_share(share, curve->efficiency));
        text_printf(out, "  %-22s %-9s throughput over response time\n", "most power",
                    law_digits(one, at(root, "power_peak", "n")));
        bool seen = json_is_true(json_object_get(json_object_get(root, "highest"), "observed"));
        text_printf(out, "  %-22s %-9s %s%s\n", "highest throughput",
                    law_digits(one, at(root, "highest", "n")),
                    law_digits(two, at(root, "highest", "throughput")),
                    seen ? "" : ", at the highest load: a peak was not observed");
    }
    law_warnings_put(warnings, out);
}

int law_knee(const struct law_curve *curve, const struct law_style *style, struct text *out,
             struct text *why)
{
    struct levels levels = levels_of(curve);
    if (levels.count < 3) {
        text_puts(why, "three levels at least are needed");
        free(levels.n);
        return 1;
    }
    /* Other axes than a load have breaks and knees as well, but no efficiency. */
    bool load = !curve->response && levels.n[0] > 0 && levels.y[0] > 0;
    json_t *root = json_object(), *warnings = json_array();
    json_object_set_new(root, "tool", json_string("fit knee"));
    json_object_set_new(root, "schema", json_integer(1));
    json_object_set_new(root, "curve", json_string(curve->response ? "response" : "throughput"));
    json_object_set_new(root, "levels", document_count(levels.count));
    law_number(root, "confidence", style->confidence);
    put_segmented(curve, style->confidence, root, warnings);
    put_kneedle(&levels, curve, root);
    if (load)
        put_throughput(&levels, curve, root);
    json_object_set(root, "warnings", warnings);
    if (style->json) {
        law_dump(root, out);
    } else {
        put_text(root, curve, warnings, out);
        json_decref(root);
    }
    json_decref(warnings);
    free(levels.n);
    return 0;
}
