/* net/fetch.h - asks a control plane: one HTTP request, whole, on the calling thread (libcurl).
 *
 * For Prometheus, Kubernetes, Docker, HAProxy's and services' own health pages: things asked once a
 * second, never load. It blocks at most timeout_ns, reads at most most_bytes, and gives up early
 * when *cancel becomes true; so a thread that asks can always be ended. */
#ifndef NET_FETCH_H
#define NET_FETCH_H

#include "base/clock.h"
#include "base/text.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* What is asked. Zeroed fields are the defaults. Texts are read only during the call. */
struct fetch_request {
    const char *url;         /* http:// or https:// */
    const char *unix_socket; /* path of a socket to connect to instead of the URL's host; or NULL */
    const char *method;      /* NULL: GET, or POST with a body */
    struct span body;
    const char *const *headers; /* "Name: value" */
    size_t header_count;
    const char *bearer;               /* token; never shows in words; or NULL */
    const char *ca_file;              /* NULL: the system's */
    const char *cert_file, *key_file; /* client certificate; or NULL */
    struct span ca_pem;               /* the same three as PEM bytes, instead of files; or empty */
    struct span cert_pem, key_pem;
    const char *const *resolve; /* "host:port:address": known names; or NULL */
    size_t resolve_count;
    bool fresh;    /* on a new connection, which is closed afterwards */
    bool insecure; /* do not verify the server */
    bool follow;   /* redirects of a GET, at most 4, only to the same scheme, host and port; another
                    is handed out as the reply that it is */
    nsec_t connect_timeout_ns; /* 0: 2 s */
    nsec_t timeout_ns;         /* of the whole; 0: 5 s */
    size_t most_bytes;         /* of the body; 0: 16 MiB */
    const atomic_bool *cancel; /* or NULL */
};

struct fetch_reply {
    int status; /* of HTTP */
    struct text body;
    char content_type[128]; /* "" when there was none */
    nsec_t took_ns;         /* from the call to the last byte */
    nsec_t first_byte_ns;   /* from the call to the first byte */
};

/* The outcomes; words (fetch_words, one sentence without the URL's secrets) say more. */
enum fetch_outcome {
    FETCH_DONE = 0, /* a whole reply, whatever its status */
    FETCH_NAME,     /* the host's name is not known */
    FETCH_REFUSED,  /* nothing listens, or no way there */
    FETCH_TIMEOUT,
    FETCH_TLS,
    FETCH_TOO_LARGE, /* more than most_bytes; nothing of it is handed out */
    FETCH_BROKEN,    /* cut off, or not HTTP */
    FETCH_CANCELLED,
};

struct fetch; /* keeps its connection between calls; one thread at a time */

/* Owner: caller, fetch_free. */
struct fetch *fetch_new(void);
/* Frees it; NULL is fine; returns NULL. */
struct fetch *fetch_free(struct fetch *fetch);

/* Asks, and waits for the whole answer. out is filled for FETCH_DONE only; its body lies in the
 * text given there, which the caller frees with text_fini and may hand in again. */
enum fetch_outcome fetch_ask(struct fetch *fetch, const struct fetch_request *request,
                             struct fetch_reply *out);

/* What went wrong in the last call, e.g. "127.0.0.1:9100 refused the connection"; "" when nothing
 * did. Valid until the next call. */
const char *fetch_words(const struct fetch *fetch);

#endif
