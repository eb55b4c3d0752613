/* Absent members read as what Kubernetes takes them for. */
#include "plug/scaler/workload_json.h"

#include "control/kubernetes.h"
#include "wire/url.h"

#include <math.h>
#include <string.h>

long long atoll_of(const char *words)
{
    uint64_t number = 0;
    struct span digits = span_trim(span_of(words));
    return span_uint(digits, &number) == 0 && number < 1000000 ? (long long)number : 0;
}

bool json_is(const json_t *object, const char *key, const char *words)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value && strcmp(value, words) == 0;
}

double json_count(const json_t *document, const char *part, const char *key, double unset)
{
    const json_t *value = json_object_get(json_object_get(document, part), key);
    return json_is_number(value) ? json_number_value(value) : unset;
}

json_t *json_container(const json_t *workload, const char *name)
{
    json_t *spec = json_object_get(workload, "spec"), *each = NULL;
    json_t *list =
        json_object_get(json_object_get(json_object_get(spec, "template"), "spec"), "containers");
    size_t i;
    json_array_foreach(list, i, each)
    {
        if (!name || json_is(each, "name", name))
            return each;
    }
    return NULL;
}

double json_size(const json_t *container, const char *resource)
{
    static const char *const parts[] = {"limits", "requests"};
    const json_t *resources = json_object_get(container, "resources");
    for (size_t i = 0; i < 2; i++) {
        const json_t *value = json_object_get(json_object_get(resources, parts[i]), resource);
        double size = 0;
        if (json_is_string(value) &&
            kubernetes_quantity(span_of(json_string_value(value)), &size) == 0)
            return size;
        if (json_is_number(value))
            return json_number_value(value);
    }
    return INFINITY;
}

void json_selector(const json_t *workload, struct text *out)
{
    json_t *spec = json_object_get(workload, "spec"), *value = NULL;
    json_t *labels = json_object_get(json_object_get(spec, "selector"), "matchLabels");
    const char *key = NULL;
    struct text plain = TEXT_EMPTY;
    json_object_foreach(labels, key, value)
        text_printf(&plain, "%s%s=%s", plain.bytes ? "," : "", key,
                    json_is_string(value) ? json_string_value(value) : "");
    url_encode(text_span(&plain), out);
    text_reserve(out, out->bytes);
    text_fini(&plain);
}

uint64_t json_restarts(const json_t *pods)
{
    json_t *pod = NULL, *status = NULL;
    uint64_t restarts = 0;
    size_t i, k;
    json_array_foreach(json_object_get(pods, "items"), i, pod)
    {
        json_t *list = json_object_get(json_object_get(pod, "status"), "containerStatuses");
        json_array_foreach(list, k, status) restarts +=
            (uint64_t)json_integer_value(json_object_get(status, "restartCount"));
    }
    return restarts;
}

/* A condition that says that it will never be ready. */
static bool is_stuck(const json_t *workload, struct text *words)
{
    json_t *each = NULL;
    size_t i;
    json_array_foreach(json_object_get(json_object_get(workload, "status"), "conditions"), i, each)
    {
        bool late = json_is(each, "type", "Progressing") && json_is(each, "status", "False");
        bool failed = json_is(each, "type", "ReplicaFailure") && json_is(each, "status", "True");
        const char *message = json_string_value(json_object_get(each, "message"));
        if (late || failed) {
            text_clear(words);
            text_puts(words, message ? message : "its roll-out has failed");
            return true;
        }
    }
    return false;
}

enum json_progress json_progress_of(const json_t *workload, struct text *words)
{
    double wanted = json_count(workload, "spec", "replicas", 1);
    double ready = json_count(workload, "status", "readyReplicas", 0);
    double updated = json_count(workload, "status", "updatedReplicas", 0);
    double there = json_count(workload, "status", "replicas", 0);
    double generation = json_count(workload, "metadata", "generation", 0);
    double observed = json_count(workload, "status", "observedGeneration", generation);
    text_printf(words, "%g of %g replicas are ready, %g of them new", ready, wanted, updated);
    if (observed < generation)
        return JSON_WAITS;
    if (ready == wanted && there == wanted && updated == wanted)
        return JSON_READY;
    return is_stuck(workload, words) ? JSON_STUCK : JSON_WAITS;
}

bool json_pods_resized(const json_t *pods)
{
    json_t *pod = NULL, *each = NULL;
    size_t i, k;
    json_array_foreach(json_object_get(pods, "items"), i, pod)
    {
        json_array_foreach(json_object_get(json_object_get(pod, "status"), "conditions"), k, each)
        {
            bool resizing = json_is(each, "type", "PodResizePending") ||
                            json_is(each, "type", "PodResizeInProgress");
            if (resizing && json_is(each, "status", "True"))
                return false;
        }
    }
    return true;
}

/* A copy of a member, or null, which takes a member away in a merge patch. */
static json_t *copy_or_null(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return value ? json_deep_copy(value) : json_null();
}

/* The behavior as a merge patch that also takes away what a pause adds. */
static json_t *behavior_back(const json_t *spec)
{
    static const char *const ways[] = {"scaleUp", "scaleDown"};
    json_t *behavior = copy_or_null(spec, "behavior");
    for (size_t i = 0; json_is_object(behavior) && i < 2; i++) {
        json_t *way = json_object_get(behavior, ways[i]);
        if (!way)
            json_object_set_new(behavior, ways[i], json_null());
        else if (!json_object_get(way, "selectPolicy"))
            json_object_set_new(way, "selectPolicy", json_null());
    }
    return behavior;
}

json_t *json_saved(const json_t *workload, const char *container, const json_t *autoscaler)
{
    json_t *resources = json_object_get(json_container(workload, container), "resources");
    json_t *saved =
        json_pack("{s:I,s:o}", "replicas", (json_int_t)json_count(workload, "spec", "replicas", 1),
                  "resources", resources ? json_deep_copy(resources) : json_object());
    json_t *spec = json_object_get(autoscaler, "spec");
    if (spec)
        json_object_set_new(
            saved, "hpa",
            json_pack("{s:O,s:{s:o,s:o,s:o}}", "name",
                      json_object_get(json_object_get(autoscaler, "metadata"), "name"), "spec",
                      "minReplicas", copy_or_null(spec, "minReplicas"), "maxReplicas",
                      copy_or_null(spec, "maxReplicas"), "behavior", behavior_back(spec)));
    return saved;
}
