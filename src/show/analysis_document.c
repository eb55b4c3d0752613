/* The analysis as a document. Each part is written from a table of its fields, in the order in
 * which people look at them. */
#include "show/analysis.h"

#include "show/document.h"

#include <stddef.h>
#include <stdlib.h>

enum column_type { COLUMN_REAL, COLUMN_TEXT, COLUMN_BOOL };

struct column {
    const char *key;
    enum column_type type;
    size_t offset;
};

#define COLUMN(key, type, kind, member)                                                            \
    {                                                                                              \
        key, type, offsetof(struct kind, member)                                                   \
    }

static const struct column point_columns[] = {
    COLUMN("load", COLUMN_REAL, curve_point, load),
    COLUMN("concurrency", COLUMN_REAL, curve_point, concurrency),
    COLUMN("think_s", COLUMN_REAL, curve_point, think_s),
    COLUMN("throughput_rps", COLUMN_REAL, curve_point, throughput),
    COLUMN("throughput_low_rps", COLUMN_REAL, curve_point, throughput_low),
    COLUMN("throughput_high_rps", COLUMN_REAL, curve_point, throughput_high),
    COLUMN("goodput_rps", COLUMN_REAL, curve_point, goodput),
    COLUMN("mean_s", COLUMN_REAL, curve_point, mean_s),
    COLUMN("p50_s", COLUMN_REAL, curve_point, p50_s),
    COLUMN("p95_s", COLUMN_REAL, curve_point, p95_s),
    COLUMN("p99_s", COLUMN_REAL, curve_point, p99_s),
    COLUMN("error_share", COLUMN_REAL, curve_point, error_share),
    COLUMN("timeout_share", COLUMN_REAL, curve_point, timeout_share),
    COLUMN("efficiency_ratio", COLUMN_REAL, curve_point, efficiency),
    COLUMN("efficiency_low_ratio", COLUMN_REAL, curve_point, efficiency_low),
    COLUMN("efficiency_high_ratio", COLUMN_REAL, curve_point, efficiency_high),
    COLUMN("little_ratio", COLUMN_REAL, curve_point, little),
    COLUMN("good", COLUMN_BOOL, curve_point, good),
    COLUMN("usable", COLUMN_BOOL, curve_point, usable),
    {NULL, COLUMN_REAL, 0},
};

static const struct column answer_columns[] = {
    COLUMN("observed", COLUMN_BOOL, curve_answer, observed),
    COLUMN("load", COLUMN_REAL, curve_answer, load),
    COLUMN("low", COLUMN_REAL, curve_answer, low),
    COLUMN("high", COLUMN_REAL, curve_answer, high),
    COLUMN("method", COLUMN_TEXT, curve_answer, method),
    COLUMN("words", COLUMN_TEXT, curve_answer, words),
    {NULL, COLUMN_REAL, 0},
};

static const struct column bottleneck_columns[] = {
    COLUMN("kind", COLUMN_TEXT, bottleneck, kind),
    COLUMN("name", COLUMN_TEXT, bottleneck, name),
    COLUMN("thing", COLUMN_TEXT, bottleneck, thing),
    COLUMN("role", COLUMN_TEXT, bottleneck, role),
    COLUMN("metric", COLUMN_TEXT, bottleneck, metric),
    COLUMN("part", COLUMN_TEXT, bottleneck, part),
    COLUMN("unit", COLUMN_TEXT, bottleneck, unit),
    COLUMN("load", COLUMN_REAL, bottleneck, load),
    COLUMN("load_low", COLUMN_REAL, bottleneck, load_low),
    COLUMN("load_high", COLUMN_REAL, bottleneck, load_high),
    COLUMN("predicted", COLUMN_BOOL, bottleneck, predicted),
    COLUMN("ceiling_rps", COLUMN_REAL, bottleneck, ceiling),
    COLUMN("ceiling_low_rps", COLUMN_REAL, bottleneck, ceiling_low),
    COLUMN("ceiling_high_rps", COLUMN_REAL, bottleneck, ceiling_high),
    COLUMN("headroom_ratio", COLUMN_REAL, bottleneck, headroom),
    COLUMN("demand", COLUMN_REAL, bottleneck, demand),
    COLUMN("background", COLUMN_REAL, bottleneck, background),
    COLUMN("residual_share", COLUMN_REAL, bottleneck, residual),
    COLUMN("residual_load", COLUMN_REAL, bottleneck, residual_load),
    COLUMN("value", COLUMN_REAL, bottleneck, value),
    COLUMN("value_at_load", COLUMN_REAL, bottleneck, value_there),
    COLUMN("limit", COLUMN_REAL, bottleneck, limit),
    COLUMN("score", COLUMN_REAL, bottleneck, score),
    {NULL, COLUMN_REAL, 0},
};

static const struct column evidence_columns[] = {
    COLUMN("words", COLUMN_TEXT, evidence, words),
    COLUMN("metric", COLUMN_TEXT, evidence, metric),
    COLUMN("value", COLUMN_REAL, evidence, value),
    COLUMN("limit", COLUMN_REAL, evidence, limit),
    COLUMN("load", COLUMN_REAL, evidence, load),
    COLUMN("clears", COLUMN_TEXT, evidence, clears),
    COLUMN("against", COLUMN_BOOL, evidence, against),
    {NULL, COLUMN_REAL, 0},
};

static const struct column expected_columns[] = {
    COLUMN("id", COLUMN_TEXT, catalogue_entry, id),
    COLUMN("name", COLUMN_TEXT, catalogue_entry, name),
    COLUMN("symptom", COLUMN_TEXT, catalogue_entry, symptom),
    COLUMN("root_cause", COLUMN_TEXT, catalogue_entry, root_cause),
    COLUMN("fix", COLUMN_TEXT, catalogue_entry, fix),
    COLUMN("impact", COLUMN_TEXT, catalogue_entry, impact),
    COLUMN("probability", COLUMN_TEXT, catalogue_entry, probability),
    COLUMN("metric", COLUMN_TEXT, catalogue_entry, metric),
    COLUMN("limit", COLUMN_REAL, catalogue_entry, limit),
    COLUMN("from_load", COLUMN_REAL, catalogue_entry, load),
    {NULL, COLUMN_REAL, 0},
};

static const struct column exonerated_columns[] = {
    COLUMN("name", COLUMN_TEXT, exonerated, name),
    COLUMN("thing", COLUMN_TEXT, exonerated, thing),
    COLUMN("metric", COLUMN_TEXT, exonerated, metric),
    COLUMN("part", COLUMN_TEXT, exonerated, part),
    COLUMN("unit", COLUMN_TEXT, exonerated, unit),
    COLUMN("value", COLUMN_REAL, exonerated, value),
    {NULL, COLUMN_REAL, 0},
};

static const struct column trend_columns[] = {
    COLUMN("thing", COLUMN_TEXT, resource_trend, thing),
    COLUMN("metric", COLUMN_TEXT, resource_trend, metric),
    COLUMN("part", COLUMN_TEXT, resource_trend, part),
    COLUMN("unit", COLUMN_TEXT, resource_trend, unit),
    COLUMN("lowest", COLUMN_REAL, resource_trend, lowest),
    COLUMN("highest", COLUMN_REAL, resource_trend, highest),
    COLUMN("leak_per_s", COLUMN_REAL, resource_trend, leak_per_s),
    {NULL, COLUMN_REAL, 0},
};

static const struct column size_columns[] = {
    COLUMN("instances", COLUMN_REAL, size_capacity, instances),
    COLUMN("size", COLUMN_REAL, size_capacity, size),
    COLUMN("size_name", COLUMN_TEXT, size_capacity, size_name),
    COLUMN("size_unit", COLUMN_TEXT, size_capacity, size_unit),
    COLUMN("capacity_rps", COLUMN_REAL, size_capacity, capacity_rps),
    COLUMN("low_rps", COLUMN_REAL, size_capacity, low),
    COLUMN("high_rps", COLUMN_REAL, size_capacity, high),
    COLUMN("most_rps", COLUMN_REAL, size_capacity, most_rps),
    COLUMN("load", COLUMN_REAL, size_capacity, load),
    COLUMN("peak_observed", COLUMN_BOOL, size_capacity, peak_observed),
    {NULL, COLUMN_REAL, 0},
};

static const struct column need_columns[] = {
    COLUMN("thing", COLUMN_TEXT, resource_need, thing),
    COLUMN("metric", COLUMN_TEXT, resource_need, metric),
    COLUMN("part", COLUMN_TEXT, resource_need, part),
    COLUMN("unit", COLUMN_TEXT, resource_need, unit),
    COLUMN("value", COLUMN_REAL, resource_need, value),
    COLUMN("load", COLUMN_REAL, resource_need, load),
    {NULL, COLUMN_REAL, 0},
};

static json_t *row(const struct column *columns, const void *from)
{
    json_t *object = json_object();
    for (; columns->key; columns++) {
        const char *at = (const char *)from + columns->offset;
        json_t *value = columns->type == COLUMN_BOOL ? json_boolean(*(const bool *)at)
                        : columns->type == COLUMN_TEXT
                            ? document_text(*(char *const *)at)
                            : document_number(*(const double *)(const void *)at);
        json_object_set_new(object, columns->key, value);
    }
    return object;
}

static json_t *words(const char *text)
{
    return json_string(text);
}

/* ---- parts ----------------------------------------------------------------------------------- */

static json_t *levels_of(const struct curve *curve)
{
    json_t *list = json_array();
    for (size_t i = 0; i < curve->count; i++) {
        json_t *object = row(point_columns, &curve->points[i]);
        json_object_set_new(object, "replicates", document_count(curve->points[i].level_count));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *curve_of(const struct curve *curve)
{
    json_t *object = json_object(), *knee = row(answer_columns, &curve->knee),
           *critical = row(answer_columns, &curve->critical),
           *capacity = row(answer_columns, &curve->capacity), *most = json_object();
    json_object_set_new(knee, "p", document_number(curve->knee_p));
    json_object_set_new(knee, "kneedle_load", document_number(curve->kneedle));
    json_object_set_new(knee, "power_load", document_number(curve->power_peak));
    json_object_set_new(knee, "asymptote_load", document_number(curve->asymptote));
    json_object_set_new(knee, "gradual_load", document_number(curve->gradual));
    json_object_set_new(critical, "by",
                        !curve->critical.observed   ? json_null()
                        : curve->critical_by_errors ? words("errors")
                                                    : words("response time"));
    json_object_set_new(capacity, "rps", document_number(curve->capacity_rps));
    json_object_set_new(capacity, "low_rps", document_number(curve->capacity_low));
    json_object_set_new(capacity, "high_rps", document_number(curve->capacity_high));
    json_object_set_new(most, "rps", document_number(curve->most_rps));
    json_object_set_new(most, "load", document_number(curve->most_load));
    json_object_set_new(most, "peak_observed", json_boolean(curve->peak_observed));
    json_object_set_new(most, "retrograde", json_boolean(curve->retrograde));
    json_object_set_new(object, "linear", row(answer_columns, &curve->linear));
    json_object_set_new(object, "knee", knee);
    json_object_set_new(object, "critical", critical);
    json_object_set_new(object, "capacity", capacity);
    json_object_set_new(object, "most", most);
    return object;
}

static json_t *bottlenecks_of(const struct bottleneck *rows, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct bottleneck *one = &rows[i];
        json_t *object = row(bottleneck_columns, one), *evidence = json_array();
        json_object_set_new(object, "standing", words(standing_words(one->standing)));
        json_object_set_new(object, "confidence", words(confidence_words(one->confidence)));
        for (size_t k = 0; k < one->evidence_count; k++) {
            json_t *item = row(evidence_columns, &one->evidence[k]);
            json_object_set_new(item, "kind", words(evidence_words(one->evidence[k].kind)));
            json_array_append_new(evidence, item);
        }
        json_object_set_new(object, "evidence", evidence);
        json_object_set_new(object, "expected",
                            one->expected ? row(expected_columns, one->expected) : json_null());
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *trends_of(const struct analysis *analysis)
{
    json_t *list = json_array();
    for (size_t i = 0; i < analysis->trend_count; i++) {
        json_t *object = row(trend_columns, &analysis->trends[i]);
        json_object_set_new(object, "pattern", words(pattern_words(analysis->trends[i].pattern)));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *expectations_of(const struct analysis *analysis)
{
    static const char *const states[] = {"not known", "not seen", "seen"};
    json_t *list = json_array();
    for (size_t i = 0; i < analysis->expectation_count; i++) {
        const struct expectation *one = &analysis->expectations[i];
        json_t *object = row(expected_columns, one->entry);
        json_object_set_new(object, "metric", words(one->metric)); /* of several that one */
        json_object_set_new(object, "state", words(states[one->state]));
        json_object_set_new(object, "value", document_number(one->value));
        json_object_set_new(object, "load", document_number(one->load));
        json_array_append_new(list, object);
    }
    return list;
}

static const char *kind_words(enum suite_kind kind)
{
    static const char *const all[] = {"progression", "vertical", "horizontal", "run", "soak"};
    return all[kind];
}

static json_t *sizes_of(const struct analysis *analysis)
{
    json_t *list = json_array();
    for (size_t i = 0; i < analysis->size_count; i++) {
        json_t *object = row(size_columns, &analysis->sizes[i]);
        json_object_set_new(object, "kind", words(kind_words(analysis->sizes[i].kind)));
        json_array_append_new(list, object);
    }
    return list;
}

static void put_lists(json_t *root, const struct analysis *analysis)
{
    json_t *exonerated = json_array(), *needs = json_array(), *warnings = json_array(),
           *next = json_array();
    for (size_t i = 0; i < analysis->exonerated_count; i++)
        json_array_append_new(exonerated, row(exonerated_columns, &analysis->exonerated[i]));
    for (size_t i = 0; i < analysis->need_count; i++)
        json_array_append_new(needs, row(need_columns, &analysis->needs[i]));
    for (size_t i = 0; i < analysis->warnings.count; i++) {
        json_t *warning = json_object();
        json_object_set_new(warning, "code", document_text(analysis->warnings.rows[i].code));
        json_object_set_new(warning, "words", document_text(analysis->warnings.rows[i].words));
        json_array_append_new(warnings, warning);
    }
    for (size_t i = 0; i < analysis->next_count; i++)
        json_array_append_new(next, document_text(analysis->next[i]));
    json_object_set_new(root, "primary",
                        bottlenecks_of(analysis->primary, analysis->primary_count));
    json_object_set_new(root, "secondary",
                        bottlenecks_of(analysis->secondary, analysis->secondary_count));
    json_object_set_new(root, "exonerated", exonerated);
    json_object_set_new(root, "trends", trends_of(analysis));
    json_object_set_new(root, "sizes", sizes_of(analysis));
    json_object_set_new(root, "needs", needs);
    json_object_set_new(root, "expected", expectations_of(analysis));
    json_object_set_new(root, "warnings", warnings);
    json_object_set_new(root, "next", next);
}

json_t *analysis_document(const struct suite *suite, const struct analysis *analysis,
                          const char *source)
{
    const struct curve *curve = analysis->curve;
    json_t *root = json_object();
    json_object_set_new(root, "bottleneck_analysis", json_integer(ANALYSIS_SCHEMA_VERSION));
    json_object_set_new(root, "name", document_text(suite->name));
    json_object_set_new(root, "target", document_text(suite->target));
    json_object_set_new(root, "version", document_text(suite->version));
    json_object_set_new(root, "source", document_text(source));
    json_object_set_new(root, "series", curve ? document_text(curve->series) : json_null());
    json_object_set_new(root, "kind", curve ? words(kind_words(curve->kind)) : json_null());
    json_object_set_new(root, "load_unit", words(curve && curve->open ? "req/s" : "users"));
    json_object_set_new(root, "instances", curve ? document_number(curve->instances) : json_null());
    json_object_set_new(root, "size", curve ? document_number(curve->size) : json_null());
    json_object_set_new(root, "confidence_level", json_real(0.95));
    json_object_set_new(root, "slo_response_s",
                        curve ? document_number(curve->slo_response_s) : json_null());
    json_object_set_new(root, "slo_error_share",
                        curve ? document_number(curve->slo_error_share) : json_null());
    json_object_set_new(root, "verdict",
                        words(analysis->inconclusive    ? "inconclusive"
                              : analysis->none_observed ? "none observed"
                                                        : "bottleneck"));
    json_object_set_new(root, "levels", curve ? levels_of(curve) : json_array());
    json_object_set_new(root, "curve", curve ? curve_of(curve) : json_null());
    put_lists(root, analysis);
    return root;
}

void analysis_document_write(const struct suite *suite, const struct analysis *analysis,
                             const char *source, struct text *out)
{
    json_t *root = analysis_document(suite, analysis, source);
    char *dump = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    text_puts(out, dump);
    text_putc(out, '\n');
    free(dump);
    json_decref(root);
}
