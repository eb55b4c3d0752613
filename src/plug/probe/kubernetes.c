/* Pods, deployments and warnings of a namespace, by the Kubernetes API, and the pods' use of
 * processors and memory where the cluster has metrics.k8s.io. That comes every 15 s or so: the same
 * measurement told again is a gap. */
#include "control/kubernetes.h"

#include "base/memory.h"
#include "plug/probe/kubernetes_pods.h"
#include "plug/probe/member.h"
#include "plug/probe/probe_list.h"
#include "wire/url.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EVENTS = 20 }; /* told of one look */

#define KUBERNETES(number, word, of, what, from)                                                   \
    [number] = METRIC_ROW(METRIC_GAUGE, word, of, what, from)

static const struct metric metrics[] = {
    KUBERNETES(PODS_RUNNING, "pods.running", "pods", "pods that run", "pods"),
    KUBERNETES(PODS_PENDING, "pods.pending", "pods", "pods that wait to run", "pods"),
    KUBERNETES(PODS_FAILED, "pods.failed", "pods", "pods that failed", "pods"),
    KUBERNETES(PODS_READY, "pods.ready", "pods", "pods that take traffic", "pods"),
    KUBERNETES(POD_RESTARTS, "pod.restarts", "restarts", "restarts since the look before", "pods"),
    KUBERNETES(POD_CPU_REQUEST, "pod.cpu_request", "cores", "processors asked for", "pods"),
    KUBERNETES(POD_CPU_LIMIT, "pod.cpu_limit", "cores", "processors allowed", "pods"),
    KUBERNETES(POD_MEMORY_REQUEST, "pod.memory_request", "bytes", "memory asked for", "pods"),
    KUBERNETES(POD_MEMORY_LIMIT, "pod.memory_limit", "bytes", "memory allowed", "pods"),
    KUBERNETES(POD_CPU, "pod.cpu", "cores", "processors used", "metrics.k8s.io"),
    KUBERNETES(POD_MEMORY, "pod.memory", "bytes", "working set", "metrics.k8s.io"),
    KUBERNETES(POD_CPU_SHARE, "pod.cpu_share", "1", "processors used over those asked for",
               "metrics.k8s.io"),
    KUBERNETES(POD_MEMORY_SHARE, "pod.memory_share", "1", "working set over the memory allowed",
               "metrics.k8s.io"),
    KUBERNETES(DEPLOYMENT_REPLICAS, "deployment.replicas", "pods", "replicas asked for",
               "deployments"),
    KUBERNETES(DEPLOYMENT_READY, "deployment.ready", "pods", "replicas that are ready",
               "deployments"),
    KUBERNETES(DEPLOYMENT_UNAVAILABLE, "deployment.unavailable", "pods",
               "replicas that are not available", "deployments"),
    {.name = NULL},
};

struct kubernetes_config {
    char *kubeconfig, *context, *server, *space, *selector;
    bool events;
};

#define CONFIG(field) offsetof(struct kubernetes_config, field)

static const struct setting settings[] = {
    {.name = "namespace",
     .type = SETTING_TEXT,
     .offset = CONFIG(space),
     .sentence = "namespace; else that of the kubeconfig's context or of this pod"},
    {.name = "selector",
     .type = SETTING_TEXT,
     .offset = CONFIG(selector),
     .sentence = "label selector of pods and deployments, such as app=gateway"},
    {.name = "kubeconfig",
     .type = SETTING_PATH,
     .offset = CONFIG(kubeconfig),
     .sentence = "kubeconfig; else this pod's service account, else ~/.kube/config"},
    {.name = "context",
     .type = SETTING_TEXT,
     .offset = CONFIG(context),
     .sentence = "context of the kubeconfig; else its current one"},
    {.name = "server",
     .type = SETTING_TEXT,
     .offset = CONFIG(server),
     .sentence = "URL of an API that asks for no credentials, as of kubectl proxy"},
    {.name = "events",
     .type = SETTING_BOOL,
     .offset = CONFIG(events),
     .unset = "true",
     .sentence = "tell the namespace's warnings as events"},
    {.name = NULL},
};

struct kubernetes_probe {
    const struct kubernetes_config *config;
    struct kubernetes *client;
    struct remembered *past;
    double warned_s; /* the newest warning that was told; NAN: the first look */
    bool no_metrics, no_deployments, no_events;
};

static void kubernetes_close(void *self)
{
    struct kubernetes_probe *probe = self;
    kubernetes_free(probe->client);
    remembered_free(probe->past);
    free(probe);
}

static int kubernetes_open(const void *config, const struct probe_place *place, void **self,
                           struct text *why)
{
    struct kubernetes_probe *probe = memory_new(1, sizeof *probe);
    const struct kubernetes_config *mine = probe->config = config;
    struct kubernetes_options options = {.server = mine->server,
                                         .kubeconfig = mine->kubeconfig,
                                         .context = mine->context,
                                         .space = mine->space,
                                         .root = place->root,
                                         .timeout_ns = place->timeout_ns,
                                         .cancel = place->cancel};
    probe->past = remembered_new();
    probe->warned_s = NAN;
    if (kubernetes_new(&options, &probe->client, why)) {
        kubernetes_close(probe);
        return PROBE_ABSENT;
    }
    *self = probe;
    return 0;
}

/* ---- asking -----------------------------------------------------------------------------------
 */

/* Asks for a list of the namespace: "/api/v1", "pods". Owner: caller, json_decref. */
static int ask_list(struct kubernetes_probe *probe, const char *group, const char *kind,
                    const char *query, json_t **out, struct text *why)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s/namespaces/", group);
    url_encode(span_of(kubernetes_space(probe->client)), &path);
    text_printf(&path, "/%s?limit=500", kind);
    if (probe->config->selector && !query) {
        text_puts(&path, "&labelSelector=");
        url_encode(span_of(probe->config->selector), &path);
    }
    text_puts(&path, query);
    int rc = kubernetes_ask(probe->client, &(struct control_request){.path = path.at}, out, why);
    text_fini(&path);
    return rc;
}

/* Says once that a part of what is watched cannot be had. Returns whether it can. */
static bool is_there(int rc, bool *told, const char *what, const struct text *why,
                     struct probe_sink *sink)
{
    if (rc && !*told && (rc == CONTROL_ABSENT || rc == CONTROL_FORBIDDEN)) {
        *told = true;
        probe_event(sink, "absent", "%s: %s", what, why->at);
    }
    return rc == CONTROL_DONE;
}

static void look_at_deployments(struct kubernetes_probe *probe, struct probe_sink *sink)
{
    struct text why = TEXT_EMPTY;
    json_t *list = NULL, *one;
    size_t i;
    int rc = probe->no_deployments
                 ? CONTROL_ABSENT
                 : ask_list(probe, "/apis/apps/v1", "deployments", NULL, &list, &why);
    if (is_there(rc, &probe->no_deployments, "deployments are not watched", &why, sink))
        json_array_foreach(member_at(list, "items"), i, one)
        {
            const char *name = member_text(one, "metadata.name");
            /* A status leaves out what is 0. */
            double ready = member_number(one, "status.readyReplicas");
            double missing = member_number(one, "status.unavailableReplicas");
            probe_value(sink, DEPLOYMENT_REPLICAS, name, member_number(one, "spec.replicas"));
            probe_value(sink, DEPLOYMENT_READY, name, isfinite(ready) ? ready : 0);
            probe_value(sink, DEPLOYMENT_UNAVAILABLE, name, isfinite(missing) ? missing : 0);
        }
    json_decref(list);
    text_fini(&why);
}

static void look_at_use(struct kubernetes_probe *probe, const json_t *pods, struct probe_sink *sink)
{
    struct text why = TEXT_EMPTY;
    json_t *list = NULL;
    int rc = probe->no_metrics
                 ? CONTROL_ABSENT
                 : ask_list(probe, "/apis/metrics.k8s.io/v1beta1", "pods", NULL, &list, &why);
    if (is_there(rc, &probe->no_metrics, "the pods' use is not watched", &why, sink))
        kubernetes_use(list, pods, probe->past, sink);
    json_decref(list);
    text_fini(&why);
}

/* When a warning was last seen: events of both API generations. */
static double instant_of(const json_t *event)
{
    static const char *const places[] = {"series.lastObservedTime", "lastTimestamp", "eventTime",
                                         "metadata.creationTimestamp"};
    double at_s = NAN;
    for (size_t i = 0; i < sizeof places / sizeof *places && !isfinite(at_s); i++)
        kubernetes_instant(span_of(member_text(event, places[i])), &at_s);
    return at_s;
}

/* Tells the warnings that are newer than those of the look before; the first look only learns how
 * new the newest is. */
static void look_at_events(struct kubernetes_probe *probe, struct probe_sink *sink)
{
    struct text why = TEXT_EMPTY;
    json_t *list = NULL, *one;
    size_t i, told = 0;
    double newest_s = probe->warned_s;
    int rc = CONTROL_ABSENT;
    if (probe->config->events && !probe->no_events)
        rc = ask_list(probe, "/api/v1", "events", "&fieldSelector=type%3DWarning", &list, &why);
    if (!probe->config->events ||
        !is_there(rc, &probe->no_events, "warnings are not told", &why, sink)) {
        text_fini(&why);
        return;
    }
    json_array_foreach(member_at(list, "items"), i, one)
    {
        double at_s = instant_of(one);
        newest_s = fmax(newest_s, at_s); /* of a number and NAN, the number */
        if (!(at_s > probe->warned_s) || told++ >= MOST_EVENTS)
            continue;
        probe_event(sink, "kubernetes", "%s of %s %s: %.200s", member_text(one, "reason"),
                    member_text(one, "involvedObject.kind"),
                    member_text(one, "involvedObject.name"), member_text(one, "message"));
    }
    probe->warned_s = isfinite(newest_s) ? newest_s : 0;
    json_decref(list);
    text_fini(&why);
}

static int kubernetes_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    struct kubernetes_probe *probe = self;
    json_t *pods = NULL;
    (void)at_ns;
    if (ask_list(probe, "/api/v1", "pods", NULL, &pods, why))
        return PROBE_GAP;
    remembered_begin(probe->past);
    kubernetes_pods(pods, probe->past, sink);
    look_at_use(probe, pods, sink);
    look_at_deployments(probe, sink);
    look_at_events(probe, sink);
    json_decref(pods);
    return 0;
}

const struct probe probe_kubernetes = {
    .name = "kubernetes",
    .sentence = "pods, deployments and warnings of a namespace, by the Kubernetes API",
    .settings = settings,
    .config_bytes = sizeof(struct kubernetes_config),
    .shorthand = "namespace",
    .metrics = metrics,
    .role = "cluster",
    .remote = true,
    .open = kubernetes_open,
    .look = kubernetes_look,
    .close = kubernetes_close,
};
