/* control/kubeconfig.h - inside of control: whom to ask and how to prove who asks, by a kubeconfig
 * or a pod's service account. */
#ifndef CONTROL_KUBECONFIG_H
#define CONTROL_KUBECONFIG_H

#include "control/kubernetes.h"

struct kubeconfig {
    char *server; /* "https://10.0.0.1:6443" */
    char *space;  /* namespace, or NULL */
    char *ca_file, *cert_file, *key_file;
    struct text ca_pem, cert_pem, key_pem; /* of the ...-data members, decoded */
    char *token;                           /* or NULL */
    char *token_file;                      /* read anew for each request; or NULL */
    bool insecure;
};

/* Reads a kubeconfig's context (NULL: the current one). Returns 0, CONTROL_ABSENT (no such file) or
 * CONTROL_FAILED with why. Owner: caller, kubeconfig_fini, in every case. */
int kubeconfig_read(const char *file, const char *context, struct kubeconfig *out,
                    struct text *why);
/* Takes the service account of the pod that this runs in. Returns 0 or CONTROL_ABSENT. */
int kubeconfig_of_pod(const char *root, struct kubeconfig *out);
/* Wipes and frees. */
void kubeconfig_fini(struct kubeconfig *config);

#endif
