/* control/kubernetes.h - speaks to a Kubernetes API server: finds it, shows its credentials, asks.
 *
 * Where it is found, first come first taken: the server named in the options (as of `kubectl
 * proxy`, without credentials); the kubeconfig named; the service account of the pod this runs in;
 * ~/.kube/config. Of a kubeconfig it takes clusters (server, certificate-authority[-data],
 * insecure-skip-tls-verify, tls-server-name is refused), users (client-certificate[-data],
 * client-key[-data], token, tokenFile) and contexts; a user that needs a program (exec,
 * auth-provider) or a password is refused in words. A token file is read again for every request,
 * as bound tokens are renewed. */
#ifndef CONTROL_KUBERNETES_H
#define CONTROL_KUBERNETES_H

#include "control/control.h"

#include <stdint.h>

struct kubernetes_options {
    const char *server;     /* "http://127.0.0.1:8001"; or NULL */
    const char *kubeconfig; /* a file; or NULL */
    const char *context;    /* of the kubeconfig; NULL: its current-context */
    const char *space; /* namespace; NULL: the context's or the service account's or "default" */
    const char *root;  /* stands before /var/run/secrets and the home directory; NULL: "" */
    nsec_t timeout_ns; /* of a request; 0: 5 s */
    const atomic_bool *cancel; /* or NULL */
};

struct kubernetes;

/* Finds server and credentials; asks nothing yet. Texts are copied. Returns 0; CONTROL_ABSENT when
 * no server is known; CONTROL_FAILED when the kubeconfig is wrong or cannot be used here; why then
 * holds one sentence. Owner: caller, kubernetes_free. */
int kubernetes_new(const struct kubernetes_options *options, struct kubernetes **out,
                   struct text *why);
/* Frees it, its credentials wiped; NULL is fine; returns NULL. */
struct kubernetes *kubernetes_free(struct kubernetes *client);

/* The namespace that the options, the context or the service account name. */
const char *kubernetes_space(const struct kubernetes *client);
/* The server's URL, for words. */
const char *kubernetes_server(const struct kubernetes *client);

/* Asks, e.g. "/api/v1/namespaces/default/pods?labelSelector=app%3Dx". Statuses 200 to 299 give
 * CONTROL_DONE and the document (NULL when there was no body; out may be NULL); others an outcome
 * and why, with the message of the API's Status. Owner: caller, json_decref. */
int kubernetes_ask(struct kubernetes *client, const struct control_request *request,
                   struct json_t **out, struct text *why);

/* Reads a quantity: "500m", "2", "1.5", "128Mi", "1G", "1e3", "250000000n" (resource.Quantity of
 * the API). Returns 0 or -EINVAL; value is written on success only. */
int kubernetes_quantity(struct span words, double *value);

/* Seconds since 1970 of an RFC 3339 instant, "2026-11-20T14:02:11Z". Returns 0 or -EINVAL. */
int kubernetes_instant(struct span words, double *seconds);

#endif
