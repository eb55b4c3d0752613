/* Takes of an analysis what advice needs; null and what is missing are NAN or "". */
#include "show/advice.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static const char *words(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

/* Words of a file may have been written by anyone. */
static char *own(const json_t *object, const char *key)
{
    return words_clean(words(object, key), false);
}

static bool flag(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static void read_levels(const json_t *list, struct advice_case *out)
{
    size_t i = 0;
    json_t *one = NULL;
    out->levels = memory_new(json_array_size(list), sizeof *out->levels);
    json_array_foreach(list, i, one) out->levels[out->level_count++] =
        (struct case_level){.load = number(one, "load"),
                            .concurrency = number(one, "concurrency"),
                            .think_s = number(one, "think_s"),
                            .throughput = number(one, "throughput_rps"),
                            .usable = !json_is_false(json_object_get(one, "usable")),
                            .mean_s = number(one, "mean_s"),
                            .p50_s = number(one, "p50_s"),
                            .p95_s = number(one, "p95_s")};
}

/* Whether the sizes that were tested moved the capacity, and are sizes of this. */
static bool intervened(const json_t *bound)
{
    const json_t *list = json_object_get(bound, "evidence");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (strcmp(words(one, "kind"), "intervention") == 0 && !flag(one, "against"))
            return true;
    }
    return false;
}

/* The words of the first evidence that speaks for it, and of the second. */
static char *evidence_of(const json_t *bound)
{
    struct text out = TEXT_EMPTY;
    size_t i = 0, taken = 0;
    const json_t *one = NULL, *list = json_object_get(bound, "evidence");
    text_puts(&out, "");
    for (; i < json_array_size(list) && taken < 2; i++) {
        one = json_array_get(list, i);
        if (flag(one, "against") || !*words(one, "words"))
            continue;
        char *clean = own(one, "words");
        text_printf(&out, "%s%s", taken++ ? "; " : "", clean);
        if (*words(one, "metric"))
            text_printf(&out, " [%s]", words(one, "metric"));
        free(clean);
    }
    return text_take(&out);
}

static void read_bound(const json_t *from, bool primary, struct case_bound *out)
{
    *out = (struct case_bound){.kind = own(from, "kind"),
                               .name = own(from, "name"),
                               .thing = own(from, "thing"),
                               .role = own(from, "role"),
                               .metric = own(from, "metric"),
                               .unit = own(from, "unit"),
                               .evidence = evidence_of(from),
                               .standing = own(from, "standing"),
                               .confidence = own(from, "confidence"),
                               .fix = own(json_object_get(from, "expected"), "fix"),
                               .load = number(from, "load"),
                               .load_low = number(from, "load_low"),
                               .load_high = number(from, "load_high"),
                               .ceiling = number(from, "ceiling_rps"),
                               .ceiling_low = number(from, "ceiling_low_rps"),
                               .ceiling_high = number(from, "ceiling_high_rps"),
                               .value = number(from, "value"),
                               .limit = number(from, "limit"),
                               .primary = primary,
                               .predicted = flag(from, "predicted"),
                               .intervened = intervened(from)};
}

static void read_bounds(const json_t *root, struct advice_case *out)
{
    const json_t *primary = json_object_get(root, "primary");
    const json_t *secondary = json_object_get(root, "secondary");
    out->bounds =
        memory_new(json_array_size(primary) + json_array_size(secondary) + 1, sizeof *out->bounds);
    for (size_t i = 0; i < json_array_size(primary); i++)
        read_bound(json_array_get(primary, i), true, &out->bounds[out->bound_count++]);
    for (size_t i = 0; i < json_array_size(secondary); i++)
        read_bound(json_array_get(secondary, i), false, &out->bounds[out->bound_count++]);
}

static void read_sizes(const json_t *list, struct advice_case *out)
{
    out->sizes = memory_new(json_array_size(list), sizeof *out->sizes);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        out->sizes[out->size_count++] =
            (struct case_size){.series = own(one, *words(one, "series") ? "series" : "kind"),
                               .name = own(one, "size_name"),
                               .unit = own(one, "size_unit"),
                               .full = !json_is_false(json_object_get(one, "peak_observed")),
                               .instances = number(one, "instances"),
                               .size = number(one, "size"),
                               .capacity = number(one, "capacity_rps"),
                               .low = number(one, "low_rps"),
                               .high = number(one, "high_rps"),
                               .most = number(one, "most_rps")};
    }
}

static void read_needs(const json_t *list, struct advice_case *out)
{
    out->needs = memory_new(json_array_size(list), sizeof *out->needs);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        out->needs[out->need_count++] = (struct case_need){.thing = own(one, "thing"),
                                                           .metric = own(one, "metric"),
                                                           .unit = own(one, "unit"),
                                                           .value = number(one, "value"),
                                                           .load = number(one, "load")};
    }
}

static void read_warnings(const json_t *list, struct advice_case *out)
{
    struct study_warnings *warnings = &out->warnings;
    warnings->rows = memory_new(json_array_size(list), sizeof *warnings->rows);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        warnings->rows[warnings->count++] =
            (struct study_warning){own(one, "code"), own(one, "words")};
    }
}

static void read_capacity(const json_t *curve, struct advice_case *out)
{
    const json_t *capacity = json_object_get(curve, "capacity");
    out->capacity_load = number(capacity, "load");
    out->capacity = number(capacity, "rps");
    out->capacity_low = number(capacity, "low_rps");
    out->capacity_high = number(capacity, "high_rps");
    out->capacity_known = isfinite(out->capacity);
    out->peak_observed = flag(json_object_get(curve, "most"), "peak_observed");
    out->most = number(json_object_get(curve, "most"), "rps");
}

static int read_root(const json_t *root, struct advice_case *out, struct text *why)
{
    const json_t *version = json_object_get(root, "bottleneck_analysis");
    if (!json_is_integer(version)) {
        text_puts(why, "this is no bottleneck analysis: plimsoll analyze writes one");
        return ADVICE_NOT_ONE;
    }
    if (json_integer_value(version) > 1) {
        text_puts(why, "this analysis was written by a newer plimsoll");
        return ADVICE_NEWER;
    }
    if (json_array_size(json_object_get(root, "levels")) == 0) {
        text_puts(why, "the analysis has no levels: there is nothing to go by");
        return ADVICE_NOT_ONE;
    }
    *out =
        (struct advice_case){.name = own(root, "name"),
                             .target = own(root, "target"),
                             .version = own(root, "version"),
                             .source = own(root, "source"),
                             .open = strcmp(words(root, "load_unit"), "req/s") == 0,
                             .instances = number(root, "instances"),
                             .slo_response_s = number(root, "slo_response_s"),
                             .inconclusive = strcmp(words(root, "verdict"), "inconclusive") == 0};
    read_levels(json_object_get(root, "levels"), out);
    read_capacity(json_object_get(root, "curve"), out);
    read_bounds(root, out);
    read_sizes(json_object_get(root, "sizes"), out);
    read_needs(json_object_get(root, "needs"), out);
    read_warnings(json_object_get(root, "warnings"), out);
    return 0;
}

int advice_case_read(struct span bytes, struct advice_case *out, struct text *why)
{
    json_error_t error;
    json_t *root = json_loadb(bytes.at ? bytes.at : "", bytes.bytes, 0, &error);
    if (!root) {
        text_printf(why, "line %d is no JSON: %s", error.line, error.text);
        return ADVICE_NOT_ONE;
    }
    int outcome = read_root(root, out, why);
    json_decref(root);
    return outcome;
}
