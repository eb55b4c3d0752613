/* The reply of /api/v1/query: a scalar, or a vector of series with labels and one value each.
 * Source: Prometheus' documentation of its HTTP API. */
#include "plug/probe/prometheus.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Values are texts, so that they may be NaN and infinite: [1435781451.781, "1"]. */
static double value_of(const json_t *pair)
{
    const char *words = json_string_value(json_array_get(pair, 1));
    char *end = NULL;
    double value = words ? strtod(words, &end) : NAN;
    return words && end != words && *end == '\0' ? value : NAN;
}

/* Its labels without the name, as in an exposition. */
static void put_part(json_t *labels, struct text *part)
{
    const char *name;
    json_t *value;
    json_object_foreach(labels, name, value)
    {
        if (strcmp(name, "__name__") == 0 || !json_string_value(value))
            continue;
        text_printf(part, "%s%s=\"%s\"", part->bytes ? "," : "", name, json_string_value(value));
    }
}

static size_t hand_out(json_t *result, const struct metric *metric, struct probe_sink *sink)
{
    size_t values = 0, i;
    json_t *series;
    struct text part = TEXT_EMPTY;
    json_array_foreach(result, i, series)
    {
        double value = value_of(json_object_get(series, "value"));
        text_clear(&part);
        put_part(json_object_get(series, "metric"), &part);
        probe_named(sink, metric, part.bytes ? part.at : "", value);
        values += isfinite(value) ? 1 : 0;
    }
    text_fini(&part);
    return values;
}

static int values_of(json_t *root, const struct metric *metric, struct probe_sink *sink,
                     struct text *why)
{
    const char *status = json_string_value(json_object_get(root, "status"));
    const char *error = json_string_value(json_object_get(root, "error"));
    json_t *data = json_object_get(root, "data"), *result = json_object_get(data, "result");
    const char *type = json_string_value(json_object_get(data, "resultType"));
    if (!status || strcmp(status, "success") != 0 || !type) {
        text_printf(why, "the query failed: %s",
                    error ? error : "the answer is not one of a Prometheus server");
        return PROBE_GAP;
    }
    size_t values = 0;
    if (strcmp(type, "scalar") == 0) {
        probe_named(sink, metric, "", value_of(result));
        values = isfinite(value_of(result)) ? 1 : 0;
    } else if (strcmp(type, "vector") == 0) {
        values = hand_out(result, metric, sink);
    } else {
        text_printf(why, "the query gives a %s; a vector or a scalar is wanted", type);
        return PROBE_GAP;
    }
    if (values == 0)
        text_puts(why, "the query gave no value");
    return values ? 0 : PROBE_GAP;
}

int query_values(struct span reply, const struct metric *metric, struct probe_sink *sink,
                 struct text *why)
{
    json_t *root = json_loadb(reply.at, reply.bytes, 0, NULL);
    int rc = values_of(root, metric, sink, why);
    json_decref(root);
    return rc;
}
