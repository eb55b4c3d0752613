/* kubernetes: replicas of a Deployment or StatefulSet, and processors or memory of its containers,
 * by a roll-out or in place. An autoscaler of the workload is left alone, paused, or pinned, and is
 * itself again at the end.
 *
 *   Source   Kubernetes API 1.33: the scale subresource, strategic merge patches with "$patch",
 *            pods/resize (KEP-1287), autoscaling/v2 behavior with selectPolicy Disabled. */
#include "plug/scaler/workload.h"

#include "base/memory.h"
#include "plug/scaler/await.h"
#include "plug/scaler/scaler_list.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kubernetes_config {
    char *workload, *space, *context, *kubeconfig, *server, *container, *hpa, *service;
    int what;
    bool in_place;
    nsec_t wait_ns;
};

struct kubernetes_scaler {
    const struct kubernetes_config *config;
    const struct scaler_place *place;
    struct workload workload;
    char address[SCALER_ADDRESS];
};

#define CONFIG(member) offsetof(struct kubernetes_config, member)

static const struct setting_word what_words[] = {
    {"cpu", "processors, in cores"}, {"memory", "memory, in bytes"}, {NULL, NULL}};

static const struct setting settings[] = {
    {.name = "workload",
     .type = SETTING_TEXT,
     .offset = CONFIG(workload),
     .required = true,
     .sentence = "deployment/NAME or statefulset/NAME"},
    {.name = "namespace",
     .type = SETTING_TEXT,
     .offset = CONFIG(space),
     .sentence = "its namespace; else that of the context"},
    {.name = "context",
     .type = SETTING_TEXT,
     .offset = CONFIG(context),
     .sentence = "context of the kubeconfig; else its current one"},
    {.name = "kubeconfig",
     .type = SETTING_PATH,
     .offset = CONFIG(kubeconfig),
     .sentence =
         "file with the cluster and how to be let in; else the pod's own, or ~/.kube/config"},
    {.name = "server",
     .type = SETTING_TEXT,
     .offset = CONFIG(server),
     .sentence = "URL of the API without credentials, as of kubectl proxy"},
    {.name = "container",
     .type = SETTING_TEXT,
     .offset = CONFIG(container),
     .sentence = "container whose size is changed; else the first"},
    {.name = "what",
     .type = SETTING_CHOICE,
     .offset = CONFIG(what),
     .words = what_words,
     .unset = "cpu",
     .sentence = "what the size is; requests and limits are set to it"},
    {.name = "in_place",
     .type = SETTING_BOOL,
     .offset = CONFIG(in_place),
     .unset = "false",
     .sentence = "resize running pods (Kubernetes 1.33) instead of rolling out new ones"},
    {.name = "hpa",
     .type = SETTING_TEXT,
     .offset = CONFIG(hpa),
     .unset = "leave",
     .sentence = "its HorizontalPodAutoscaler: leave, pause, or pin (pin N: to N where only the "
                 "size is changed)"},
    {.name = "service",
     .type = SETTING_TEXT,
     .offset = CONFIG(service),
     .sentence = "service/NAME whose external address load is sent to"},
    {.name = "wait",
     .type = SETTING_DURATION,
     .offset = CONFIG(wait_ns),
     .unset = "300s",
     .sentence = "how long a change may take until all pods are ready"},
    {.name = NULL},
};

/* ---- opening ------------------------------------------------------------------------------ */

static void kubernetes_close(void *self)
{
    struct kubernetes_scaler *scaler = self;
    workload_fini(&scaler->workload);
    free(scaler);
}

/* The address by which a service is reached from outside; inside, its own. */
static int find_address(struct kubernetes_scaler *scaler, struct text *why)
{
    const char *name = scaler->config->service;
    json_t *service = NULL;
    name = strncmp(name, "service/", 8) == 0 ? name + 8 : name;
    int rc = workload_get(&scaler->workload, &service, why, "/api/v1/namespaces/%s/services/%s",
                          scaler->workload.space, name);
    if (rc)
        return rc;
    json_t *ingress = json_array_get(
        json_object_get(json_object_get(json_object_get(service, "status"), "loadBalancer"),
                        "ingress"),
        0);
    json_t *spec = json_object_get(service, "spec");
    json_t *port = json_array_get(json_object_get(spec, "ports"), 0);
    const char *host = json_string_value(json_object_get(ingress, "ip"));
    host = host ? host : json_string_value(json_object_get(ingress, "hostname"));
    host = host ? host : json_string_value(json_array_get(json_object_get(spec, "externalIPs"), 0));
    host = host ? host : json_string_value(json_object_get(spec, "clusterIP"));
    if (host && *host && strcmp(host, "None") != 0) {
        long long number = json_integer_value(json_object_get(port, "port"));
        snprintf(scaler->address, sizeof scaler->address,
                 strchr(host, ':') ? "%s://[%s]:%lld" : "%s://%s:%lld",
                 number == 443 ? "https" : "http", host, number ? number : 80);
    } else {
        text_printf(why, "service %s has no address yet", name);
        rc = SCALER_ABSENT;
    }
    json_decref(service);
    return rc;
}

static int kubernetes_open(const void *settings_of, const struct scaler_place *place, void **self,
                           struct text *why)
{
    const struct kubernetes_config *config = settings_of;
    struct kubernetes_scaler *scaler = memory_new(1, sizeof *scaler);
    *scaler = (struct kubernetes_scaler){.config = config, .place = place};
    struct workload_options options = {
        .workload = config->workload,
        .container = config->container,
        .hpa = config->hpa,
        .resource = config->what ? "memory" : "cpu",
        .in_place = config->in_place,
        .wait_ns = config->wait_ns,
        .cancel = place->cancel,
        .server = {.server = config->server,
                   .kubeconfig = config->kubeconfig,
                   .context = config->context,
                   .space = config->space,
                   .root = place->root},
    };
    int rc = workload_init(&scaler->workload, &options, why);
    if (rc == 0 && config->service)
        rc = find_address(scaler, why);
    if (rc)
        kubernetes_close(scaler);
    else
        *self = scaler;
    return rc;
}

/* ---- the contract ------------------------------------------------------------------------- */

static int kubernetes_look(void *self, struct scaler_view *out, struct text *why)
{
    struct kubernetes_scaler *scaler = self;
    struct workload_view view;
    int rc = workload_look(&scaler->workload, &view, why);
    if (rc)
        return rc;
    *out = (struct scaler_view){.instances = view.wanted,
                                .ready = view.ready,
                                .size = view.size,
                                .restarts = view.restarts,
                                .size_unit = scaler->config->what ? "bytes" : "cores"};
    snprintf(out->address, sizeof out->address, "%s", scaler->address);
    return 0;
}

static int kubernetes_save(void *self, struct text *state, struct text *why)
{
    struct kubernetes_scaler *scaler = self;
    return workload_save(&scaler->workload, state, why);
}

static int kubernetes_apply(void *self, const struct scaler_goal *goal, struct text *why)
{
    struct kubernetes_scaler *scaler = self;
    int rc = workload_hold_autoscaler(&scaler->workload, goal->instances, why);
    if (rc == 0 && !isnan(goal->size))
        rc = workload_resize(&scaler->workload, goal->size, why);
    if (rc == 0 && !isnan(goal->instances))
        rc = workload_scale(&scaler->workload, (long long)(goal->instances + 0.5), why);
    if (rc == 0)
        rc = workload_await(&scaler->workload, why);
    return rc;
}

static int kubernetes_restore(void *self, const char *state, struct text *why)
{
    struct kubernetes_scaler *scaler = self;
    return workload_restore(&scaler->workload, state, why);
}

const struct scaler scaler_kubernetes = {
    .name = "kubernetes",
    .sentence = "replicas, processors and memory of a Deployment or StatefulSet",
    .settings = settings,
    .config_bytes = sizeof(struct kubernetes_config),
    .axes = SCALER_INSTANCES | SCALER_SIZE,
    .size_unit = "cores",
    .open = kubernetes_open,
    .look = kubernetes_look,
    .save = kubernetes_save,
    .apply = kubernetes_apply,
    .restore = kubernetes_restore,
    .close = kubernetes_close,
};
