/* plug/probe/kubernetes_pods.h - inside of the kubernetes probe: what the lists of pods say. */
#ifndef PLUG_PROBE_KUBERNETES_PODS_H
#define PLUG_PROBE_KUBERNETES_PODS_H

#include "plug/probe/member.h"
#include "watch/probe.h"

/* Indices of the probe's metrics. */
enum {
    PODS_RUNNING,
    PODS_PENDING,
    PODS_FAILED,
    PODS_READY,
    POD_RESTARTS,
    POD_CPU_REQUEST,
    POD_CPU_LIMIT,
    POD_MEMORY_REQUEST,
    POD_MEMORY_LIMIT,
    POD_CPU,
    POD_MEMORY,
    POD_CPU_SHARE,
    POD_MEMORY_SHARE,
    DEPLOYMENT_REPLICAS,
    DEPLOYMENT_READY,
    DEPLOYMENT_UNAVAILABLE,
};

/* Hands out what a PodList says: phases, restarts, requests and limits. */
void kubernetes_pods(const json_t *pods, struct remembered *past, struct probe_sink *sink);
/* Hands out what a PodMetricsList says, and its shares of what the pods asked for. */
void kubernetes_use(const json_t *use, const json_t *pods, struct remembered *past,
                    struct probe_sink *sink);

#endif
