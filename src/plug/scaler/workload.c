/* Each change is one patch. That of replicas names the version it was made for, so that somebody
 * else's change in between is a conflict rather than lost. */
#include "plug/scaler/workload.h"

#include "plug/scaler/await.h"
#include "plug/scaler/workload_json.h"
#include "run/scaler.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 250, MOST_READ_FAILURES = 20 };

#define MERGE     "application/merge-patch+json"
#define STRATEGIC "application/strategic-merge-patch+json"

/* ---- asking ------------------------------------------------------------------------------- */

int workload_get(const struct workload *workload, json_t **out, struct text *why,
                 const char *format, ...)
{
    struct text path = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&path, format, list);
    va_end(list);
    struct control_request request = {.path = path.at};
    int rc = kubernetes_ask(workload->client, &request, out, why);
    text_fini(&path);
    return rc;
}

/* Sends a patch, which is given away. */
static int patch(const struct workload *workload, json_t *body, const char *type, struct text *why,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

static int patch(const struct workload *workload, json_t *body, const char *type, struct text *why,
                 const char *format, ...)
{
    struct text path = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&path, format, list);
    va_end(list);
    char *words = json_dumps(body, JSON_COMPACT);
    struct control_request request = {
        .method = "PATCH", .path = path.at, .body = span_of(words), .content_type = type};
    int rc = kubernetes_ask(workload->client, &request, NULL, why);
    free(words);
    json_decref(body);
    text_fini(&path);
    return rc;
}

static int get_own(const struct workload *workload, json_t **out, struct text *why)
{
    return workload_get(workload, out, why, "/apis/apps/v1/namespaces/%s/%s/%s", workload->space,
                        workload->kind, workload->name);
}

/* ---- life --------------------------------------------------------------------------------- */

static int read_name(struct workload *workload, struct text *why)
{
    const char *words = workload->options.workload, *slash = strchr(words, '/');
    size_t kind = slash ? (size_t)(slash - words) : 0;
    workload->name = slash ? slash + 1 : words;
    workload->kind = "deployments";
    if (kind == strlen("statefulset") && strncmp(words, "statefulset", kind) == 0)
        workload->kind = "statefulsets";
    else if (slash && !(kind == strlen("deployment") && strncmp(words, "deployment", kind) == 0)) {
        text_printf(why, "workload must be deployment/NAME or statefulset/NAME; it is \"%s\"",
                    words);
        return SCALER_FAILED;
    }
    return 0;
}

static int check_hpa(const char *words, struct text *why)
{
    if (strcmp(words, "leave") == 0 || strcmp(words, "pause") == 0 || strcmp(words, "pin") == 0 ||
        (strncmp(words, "pin ", 4) == 0 && atoll_of(words + 4) > 0))
        return 0;
    text_printf(why, "hpa must be leave, pause, pin or pin N; it is \"%s\"", words);
    return SCALER_FAILED;
}

int workload_init(struct workload *workload, const struct workload_options *options,
                  struct text *why)
{
    json_t *own = NULL;
    *workload = (struct workload){.options = *options};
    int rc = read_name(workload, why);
    if (rc == 0)
        rc = check_hpa(options->hpa, why);
    if (rc == 0)
        rc = kubernetes_new(&options->server, &workload->client, why);
    if (rc)
        return rc;
    workload->space = kubernetes_space(workload->client);
    rc = get_own(workload, &own, why);
    if (rc == 0 && !json_container(own, options->container)) {
        text_printf(why, "%s has no container \"%s\"", options->workload,
                    options->container ? options->container : "");
        rc = SCALER_ABSENT;
    }
    json_decref(own);
    return rc;
}

void workload_fini(struct workload *workload)
{
    workload->client = kubernetes_free(workload->client);
}

/* ---- how it is ---------------------------------------------------------------------------- */

/* The pods that the workload selects. */
static int get_pods(const struct workload *workload, const json_t *own, json_t **out,
                    struct text *why)
{
    struct text selector = TEXT_EMPTY;
    json_selector(own, &selector);
    int rc = workload_get(workload, out, why, "/api/v1/namespaces/%s/pods?labelSelector=%s",
                          workload->space, selector.at);
    text_fini(&selector);
    return rc;
}

int workload_look(const struct workload *workload, struct workload_view *out, struct text *why)
{
    json_t *own = NULL, *pods = NULL;
    struct text ignored = TEXT_EMPTY;
    int rc = get_own(workload, &own, why);
    if (rc)
        return rc;
    *out = (struct workload_view){
        .wanted = json_count(own, "spec", "replicas", 1),
        .ready = json_count(own, "status", "readyReplicas", 0),
        .size =
            json_size(json_container(own, workload->options.container), workload->options.resource),
    };
    if (get_pods(workload, own, &pods, &ignored) == 0) /* who may scale need not see pods */
        out->restarts = json_restarts(pods);
    text_fini(&ignored);
    json_decref(pods);
    json_decref(own);
    return 0;
}

/* The autoscaler of the workload; NULL: none. */
static int get_autoscaler(const struct workload *workload, json_t **out, struct text *why)
{
    json_t *list = NULL, *each = NULL;
    size_t i;
    const char *kind = strcmp(workload->kind, "deployments") == 0 ? "Deployment" : "StatefulSet";
    int rc = workload_get(workload, &list, why,
                          "/apis/autoscaling/v2/namespaces/%s/horizontalpodautoscalers",
                          workload->space);
    *out = NULL;
    json_array_foreach(json_object_get(list, "items"), i, each)
    {
        json_t *target = json_object_get(json_object_get(each, "spec"), "scaleTargetRef");
        if (json_is(target, "kind", kind) && json_is(target, "name", workload->name))
            *out = json_incref(each);
    }
    json_decref(list);
    return rc;
}

int workload_save(const struct workload *workload, struct text *state, struct text *why)
{
    json_t *own = NULL, *autoscaler = NULL;
    bool holds = strcmp(workload->options.hpa, "leave") != 0;
    int rc = get_own(workload, &own, why);
    if (rc == 0 && holds)
        rc = get_autoscaler(workload, &autoscaler, why);
    if (rc == 0) {
        json_t *saved = json_saved(own, workload->options.container, autoscaler);
        char *words = json_dumps(saved, JSON_COMPACT);
        text_puts(state, words);
        free(words);
        json_decref(saved);
    }
    json_decref(own);
    json_decref(autoscaler);
    return rc;
}

/* ---- changes ------------------------------------------------------------------------------ */

int workload_scale(const struct workload *workload, long long replicas, struct text *why)
{
    json_t *scale = NULL;
    int rc = workload_get(workload, &scale, why, "/apis/apps/v1/namespaces/%s/%s/%s/scale",
                          workload->space, workload->kind, workload->name);
    if (rc)
        return rc;
    const char *version =
        json_string_value(json_object_get(json_object_get(scale, "metadata"), "resourceVersion"));
    json_t *body = json_pack("{s:{s:s?},s:{s:I}}", "metadata", "resourceVersion", version, "spec",
                             "replicas", (json_int_t)replicas);
    if (!version)
        json_object_del(body, "metadata");
    bool same = (long long)json_count(scale, "spec", "replicas", -1) == replicas;
    json_decref(scale);
    if (same) {
        json_decref(body);
        return 0;
    }
    return patch(workload, body, MERGE, why, "/apis/apps/v1/namespaces/%s/%s/%s/scale",
                 workload->space, workload->kind, workload->name);
}

/* Sets the resources of the container in the template: new pods are rolled out. */
static int roll_out(const struct workload *workload, const char *container, json_t *resources,
                    struct text *why)
{
    json_t *body = json_pack("{s:{s:{s:{s:[{s:s,s:o}]}}}}", "spec", "template", "spec",
                             "containers", "name", container, "resources", resources);
    return patch(workload, body, STRATEGIC, why, "/apis/apps/v1/namespaces/%s/%s/%s",
                 workload->space, workload->kind, workload->name);
}

/* Sets the resources of the container in each running pod. */
static int resize_pods(const struct workload *workload, const json_t *own, const char *container,
                       json_t *resources, struct text *why)
{
    json_t *pods = NULL, *pod = NULL;
    size_t i;
    int rc = get_pods(workload, own, &pods, why);
    json_array_foreach(json_object_get(pods, "items"), i, pod)
    {
        const char *name =
            json_string_value(json_object_get(json_object_get(pod, "metadata"), "name"));
        json_t *body = json_pack("{s:{s:[{s:s,s:O}]}}", "spec", "containers", "name", container,
                                 "resources", resources);
        if (rc == 0)
            rc = patch(workload, json_incref(body), STRATEGIC, why,
                       "/api/v1/namespaces/%s/pods/%s/resize", workload->space, name ? name : "");
        json_decref(body);
    }
    if (rc == SCALER_ABSENT)
        text_puts(why, "; pods are resized in place by Kubernetes 1.33 and later: leave in_place "
                       "away");
    json_decref(pods);
    json_decref(resources);
    return rc;
}

/* Sets resources, which are given away, either way. */
static int set_resources(const struct workload *workload, json_t *resources, struct text *why)
{
    json_t *own = NULL;
    int rc = get_own(workload, &own, why);
    const char *container = json_string_value(
        json_object_get(json_container(own, workload->options.container), "name"));
    if (rc || !container)
        json_decref(resources);
    else if (workload->options.in_place)
        rc = resize_pods(workload, own, container, resources, why);
    else
        rc = roll_out(workload, container, resources, why);
    json_decref(own);
    return rc;
}

int workload_resize(const struct workload *workload, double size, struct text *why)
{
    char quantity[64];
    if (strcmp(workload->options.resource, "cpu") == 0)
        snprintf(quantity, sizeof quantity, "%.0fm", size * 1000);
    else
        snprintf(quantity, sizeof quantity, "%.0f", size);
    const char *resource = workload->options.resource;
    return set_resources(workload,
                         json_pack("{s:{s:s},s:{s:s}}", "limits", resource, quantity, "requests",
                                   resource, quantity),
                         why);
}

static int patch_autoscaler(const struct workload *workload, const char *name, json_t *spec,
                            struct text *why)
{
    return patch(workload, json_pack("{s:o}", "spec", spec), MERGE, why,
                 "/apis/autoscaling/v2/namespaces/%s/horizontalpodautoscalers/%s", workload->space,
                 name);
}

int workload_hold_autoscaler(const struct workload *workload, double replicas, struct text *why)
{
    json_t *autoscaler = NULL, *spec = NULL;
    const char *words = workload->options.hpa;
    if (strcmp(words, "leave") == 0)
        return 0;
    int rc = get_autoscaler(workload, &autoscaler, why);
    if (rc || !autoscaler)
        return rc;
    const char *name =
        json_string_value(json_object_get(json_object_get(autoscaler, "metadata"), "name"));
    long long pinned = !isnan(replicas) ? (long long)(replicas + 0.5) : atoll_of(words + 3);
    if (strcmp(words, "pause") == 0)
        spec = json_pack("{s:{s:{s:s},s:{s:s}}}", "behavior", "scaleUp", "selectPolicy", "Disabled",
                         "scaleDown", "selectPolicy", "Disabled");
    else if (pinned > 0)
        spec = json_pack("{s:I,s:I}", "minReplicas", (json_int_t)pinned, "maxReplicas",
                         (json_int_t)pinned);
    if (spec)
        rc = patch_autoscaler(workload, name ? name : "", spec, why);
    json_decref(autoscaler);
    return rc;
}

/* ---- waiting ------------------------------------------------------------------------------ */

/* Whether pods resized in place have what they were given. */
static int pods_resized(const struct workload *workload, const json_t *own, bool *done,
                        struct text *why)
{
    json_t *pods = NULL;
    int rc = workload->options.in_place ? get_pods(workload, own, &pods, why) : 0;
    *done = !pods || json_pods_resized(pods);
    json_decref(pods);
    return rc;
}

static int await_with(const struct workload *workload, const atomic_bool *cancel, struct text *why)
{
    nsec_t until_ns = clock_monotonic_ns() + workload->options.wait_ns;
    struct text state = TEXT_EMPTY;
    int rc = 0;
    for (unsigned failures = 0;;) {
        json_t *own = NULL;
        bool done = false;
        text_clear(why);
        rc = get_own(workload, &own, why);
        if (rc == 0)
            rc = pods_resized(workload, own, &done, why);
        text_clear(&state);
        enum json_progress progress = rc ? JSON_WAITS : json_progress_of(own, &state);
        json_decref(own);
        /* An API server that fails to answer now and then is no failure of the roll-out. */
        bool passing = rc == SCALER_TIMEOUT || rc == SCALER_FAILED;
        if (rc && (!passing || ++failures > MOST_READ_FAILURES))
            break;
        if (rc == 0 && progress == JSON_READY && done)
            break;
        if (progress == JSON_STUCK) {
            text_printf(why, "%s does not become ready: %s", workload->options.workload, state.at);
            rc = SCALER_FAILED;
            break;
        }
        bool goes_on = await_pause(POLL_MS * NSEC_PER_MSEC, cancel);
        if (!goes_on || clock_monotonic_ns() > until_ns) {
            text_clear(why);
            text_printf(why, "%s is not ready%s: %s", workload->options.workload,
                        goes_on ? " in time" : " (given up, as was asked)",
                        state.bytes ? state.at : "the API does not answer");
            rc = SCALER_TIMEOUT;
            break;
        }
    }
    text_fini(&state);
    return rc;
}

int workload_await(const struct workload *workload, struct text *why)
{
    return await_with(workload, workload->options.cancel, why);
}

/* ---- undoing ------------------------------------------------------------------------------ */

/* Puts back what differs, the autoscaler last: it would scale in between. */
static int put_back(const struct workload *workload, const json_t *saved, struct text *why)
{
    json_t *own = NULL, *resources = json_object_get(saved, "resources");
    json_t *hpa = json_object_get(saved, "hpa");
    int rc = get_own(workload, &own, why);
    bool resized =
        rc == 0 &&
        (workload->options.in_place ||
         !json_equal(resources, json_object_get(json_container(own, workload->options.container),
                                                "resources")));
    if (resized) {
        json_t *whole = json_deep_copy(resources);
        json_object_set_new(whole, "$patch", json_string("replace"));
        rc = set_resources(workload, whole, why);
    }
    if (rc == 0)
        rc = workload_scale(workload, json_integer_value(json_object_get(saved, "replicas")), why);
    if (rc == 0 && json_is_object(hpa))
        rc = patch_autoscaler(workload, json_string_value(json_object_get(hpa, "name")),
                              json_incref(json_object_get(hpa, "spec")), why);
    json_decref(own);
    return rc;
}

int workload_restore(const struct workload *workload, const char *state, struct text *why)
{
    json_t *saved = json_loads(state, 0, NULL);
    if (!json_is_integer(json_object_get(saved, "replicas"))) {
        text_puts(why, "the saved state is none of this scaler");
        json_decref(saved);
        return SCALER_FAILED;
    }
    long long replicas = json_integer_value(json_object_get(saved, "replicas"));
    int rc = put_back(workload, saved, why);
    if (rc == 0)
        rc = await_with(workload, NULL, why);
    if (rc)
        text_printf(why, "; by hand: kubectl -n %s scale %s/%s --replicas=%lld", workload->space,
                    workload->kind, workload->name, replicas);
    json_decref(saved);
    return rc;
}
