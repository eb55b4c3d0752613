/* control/docker.h - speaks to a container engine (Docker, or Podman's same API) over its socket.
 *
 * Paths are asked without a version ("/containers/json"), which is the engine's own newest. */
#ifndef CONTROL_DOCKER_H
#define CONTROL_DOCKER_H

#include "control/control.h"

struct docker_options {
    const char *engine;        /* "/var/run/docker.sock", "unix:///run/podman.sock",
                                  "tcp://127.0.0.1:2375" or "http://..."; NULL: the first */
    nsec_t timeout_ns;         /* of a request; 0: 5 s */
    const atomic_bool *cancel; /* or NULL */
};

struct docker;

/* A client; asks nothing yet. Texts are copied. Returns 0, or CONTROL_FAILED with why when the
 * engine's address is none. Owner: caller, docker_free. */
int docker_new(const struct docker_options *options, struct docker **out, struct text *why);
/* Frees it; NULL is fine; returns NULL. */
struct docker *docker_free(struct docker *client);

/* Asks, e.g. "/containers/web/json". 200 to 299 give CONTROL_DONE and the document (NULL when the
 * answer had no body; out may be NULL); 304 (already so) gives CONTROL_DONE too; others an outcome
 * and why, with the engine's message. Owner: caller, json_decref. */
int docker_ask(struct docker *client, const struct control_request *request, struct json_t **out,
               struct text *why);

#endif
