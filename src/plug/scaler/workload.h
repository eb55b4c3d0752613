/* plug/scaler/workload.h - one Deployment or StatefulSet, its pods and its autoscaler, as the
 * Kubernetes API tells and changes them. */
#ifndef PLUG_SCALER_WORKLOAD_H
#define PLUG_SCALER_WORKLOAD_H

#include "control/kubernetes.h"

#include <stdbool.h>
#include <stddef.h>

struct json_t;

/* Texts outlive the workload. */
struct workload_options {
    const char *workload;  /* "deployment/gateway" */
    const char *container; /* NULL: the first */
    const char *hpa;       /* "leave", "pause", "pin", "pin 3" */
    const char *resource;  /* "cpu" or "memory" */
    bool in_place;
    nsec_t wait_ns;
    const atomic_bool *cancel;
    struct kubernetes_options server; /* its timeout and cancel are left out */
};

struct workload {
    struct workload_options options;
    struct kubernetes *client;
    const char *space;
    const char *kind; /* "deployments", "statefulsets" */
    const char *name;
};

struct workload_view {
    double wanted, ready;
    double size; /* limit, or request where there is none; INFINITY: neither */
    uint64_t restarts;
};

/* Finds it; as all below, returns 0 or an outcome of a scaler (control/control.h has the same) with
 * why. Owner: caller, workload_fini, also after an outcome. */
int workload_init(struct workload *workload, const struct workload_options *options,
                  struct text *why);
/* Lets go of the client. */
void workload_fini(struct workload *workload);

/* Asks for a document; the path as by printf. Owner: caller, json_decref. */
int workload_get(const struct workload *workload, struct json_t **out, struct text *why,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* How it is; restarts stay 0 where pods may not be seen. */
int workload_look(const struct workload *workload, struct workload_view *out, struct text *why);
/* Appends replicas, the container's resources and the autoscaler as one line of JSON. */
int workload_save(const struct workload *workload, struct text *state, struct text *why);
/* Sets the replicas. */
int workload_scale(const struct workload *workload, long long replicas, struct text *why);
/* Sets limit and request of the resource. */
int workload_resize(const struct workload *workload, double size, struct text *why);
/* Pauses or pins the autoscaler, where that is asked for and there is one. replicas NAN: not
 * changed. */
int workload_hold_autoscaler(const struct workload *workload, double replicas, struct text *why);
/* Waits until as many are ready as are wanted, all of the newest kind. */
int workload_await(const struct workload *workload, struct text *why);
/* Back to what workload_save told; waits until it is ready. */
int workload_restore(const struct workload *workload, const char *state, struct text *why);

#endif
