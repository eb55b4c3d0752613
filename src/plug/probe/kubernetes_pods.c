/* A pod's requests and limits are the sums of its containers'; a limit that one container lacks is
 * no limit of the pod. */
#include "plug/probe/kubernetes_pods.h"

#include "control/kubernetes.h"

#include <math.h>
#include <string.h>

/* A quantity; NAN when it is none. The API gives numbers as texts, and clients may give numbers. */
static double quantity_of(const json_t *resources, const char *path)
{
    double value = member_number(resources, path);
    if (!isfinite(value))
        kubernetes_quantity(span_of(member_text(resources, path)), &value);
    return value;
}

/* The sum over a pod's containers; NAN when one of them does not say it. */
static double sum_containers(const json_t *containers, const char *path)
{
    size_t i;
    json_t *one;
    double sum = json_array_size(containers) ? 0 : (double)NAN;
    json_array_foreach((json_t *)(uintptr_t)containers, i, one) sum += quantity_of(one, path);
    return sum;
}

static bool is_ready(const json_t *pod)
{
    size_t i;
    json_t *one;
    json_array_foreach(member_at(pod, "status.conditions"), i, one)
    {
        if (strcmp(member_text(one, "type"), "Ready") == 0)
            return strcmp(member_text(one, "status"), "True") == 0;
    }
    return false;
}

/* Why the container that was restarted last had ended: "OOMKilled", "Error", "Completed". */
static const char *reason_of(const json_t *pod)
{
    size_t i;
    json_t *one;
    json_array_foreach(member_at(pod, "status.containerStatuses"), i, one)
    {
        const char *reason = member_text(one, "lastState.terminated.reason");
        if (*reason)
            return reason;
    }
    return "no reason told";
}

static void hand_out_restarts(const json_t *pod, const char *name, struct remembered *past,
                              struct probe_sink *sink)
{
    size_t i;
    json_t *one, *all = member_at(pod, "status.containerStatuses");
    double restarts = 0;
    json_array_foreach(all, i, one) restarts += member_number(one, "restartCount");
    double growth = restarts - remembered_swap(past, name, "restarts", restarts);
    if (!(growth >= 0))
        return;
    probe_value(sink, POD_RESTARTS, name, growth);
    if (growth > 0) {
        const char *reason = reason_of(pod);
        bool memory = strcmp(reason, "OOMKilled") == 0;
        probe_event(sink, memory ? "oom" : "restart", "pod %s was restarted: %s", name, reason);
    }
}

static void hand_out_resources(const json_t *pod, const char *name, struct probe_sink *sink)
{
    const json_t *containers = member_at(pod, "spec.containers");
    probe_value(sink, POD_CPU_REQUEST, name, sum_containers(containers, "resources.requests.cpu"));
    probe_value(sink, POD_CPU_LIMIT, name, sum_containers(containers, "resources.limits.cpu"));
    probe_value(sink, POD_MEMORY_REQUEST, name,
                sum_containers(containers, "resources.requests.memory"));
    probe_value(sink, POD_MEMORY_LIMIT, name,
                sum_containers(containers, "resources.limits.memory"));
}

void kubernetes_pods(const json_t *pods, struct remembered *past, struct probe_sink *sink)
{
    size_t i, running = 0, pending = 0, failed = 0, ready = 0;
    json_t *pod;
    json_array_foreach(member_at(pods, "items"), i, pod)
    {
        const char *name = member_text(pod, "metadata.name");
        const char *phase = member_text(pod, "status.phase");
        running += strcmp(phase, "Running") == 0;
        pending += strcmp(phase, "Pending") == 0;
        failed += strcmp(phase, "Failed") == 0;
        ready += is_ready(pod);
        hand_out_restarts(pod, name, past, sink);
        hand_out_resources(pod, name, sink);
    }
    probe_value(sink, PODS_RUNNING, "", (double)running);
    probe_value(sink, PODS_PENDING, "", (double)pending);
    probe_value(sink, PODS_FAILED, "", (double)failed);
    probe_value(sink, PODS_READY, "", (double)ready);
}

static const json_t *pod_named(const json_t *pods, const char *name)
{
    size_t i;
    json_t *pod;
    json_array_foreach(member_at(pods, "items"), i, pod)
    {
        if (strcmp(member_text(pod, "metadata.name"), name) == 0)
            return member_at(pod, "spec.containers");
    }
    return NULL;
}

void kubernetes_use(const json_t *use, const json_t *pods, struct remembered *past,
                    struct probe_sink *sink)
{
    size_t i;
    json_t *one;
    json_array_foreach(member_at(use, "items"), i, one)
    {
        const char *name = member_text(one, "metadata.name");
        const json_t *containers = pod_named(pods, name);
        double at_s = NAN, cpu = sum_containers(member_at(one, "containers"), "usage.cpu");
        double memory = sum_containers(member_at(one, "containers"), "usage.memory");
        kubernetes_instant(span_of(member_text(one, "timestamp")), &at_s);
        if (remembered_swap(past, name, "measured", at_s) == at_s)
            continue; /* the measurement of the look before */
        probe_value(sink, POD_CPU, name, cpu);
        probe_value(sink, POD_MEMORY, name, memory);
        probe_value(sink, POD_CPU_SHARE, name,
                    cpu / sum_containers(containers, "resources.requests.cpu"));
        probe_value(sink, POD_MEMORY_SHARE, name,
                    memory / sum_containers(containers, "resources.limits.memory"));
    }
}
