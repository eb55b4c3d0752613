/* plug/probe/endpoint.h - inside of the probes that ask over HTTP: the settings that they share,
 * and one request by them. */
#ifndef PLUG_PROBE_ENDPOINT_H
#define PLUG_PROBE_ENDPOINT_H

#include "net/fetch.h"
#include "watch/probe.h"

struct endpoint_config {
    char *url;   /* absolute, or a path on the plan's target */
    char *token; /* bearer; or NULL */
    char *ca, *certificate, *key;
    bool insecure;
    nsec_t timeout_ns; /* 0: as long as a look may take */
    uint64_t largest;  /* bytes of a reply; 0: 16 MiB */
};

/* The rows of an endpoint_config that lies at `at` in the probe's own; the row of the URL, which
 * differs in its sentence, is the probe's. */
#define ENDPOINT_SETTINGS(at)                                                                      \
    {.name = "token",                                                                              \
     .type = SETTING_TEXT,                                                                         \
     .offset = (at) + offsetof(struct endpoint_config, token),                                     \
     .secret = true,                                                                               \
     .sentence = "bearer token, best as ${NAME}"},                                                 \
        {.name = "ca",                                                                             \
         .type = SETTING_PATH,                                                                     \
         .offset = (at) + offsetof(struct endpoint_config, ca),                                    \
         .sentence = "certificates of the authorities to trust, PEM"},                             \
        {.name = "certificate",                                                                    \
         .type = SETTING_PATH,                                                                     \
         .offset = (at) + offsetof(struct endpoint_config, certificate),                           \
         .sentence = "certificate to show, PEM"},                                                  \
        {.name = "key",                                                                            \
         .type = SETTING_PATH,                                                                     \
         .offset = (at) + offsetof(struct endpoint_config, key),                                   \
         .sentence = "its key, PEM"},                                                              \
        {.name = "insecure",                                                                       \
         .type = SETTING_BOOL,                                                                     \
         .offset = (at) + offsetof(struct endpoint_config, insecure),                              \
         .sentence = "do not verify the server's certificate"},                                    \
        {.name = "largest_reply",                                                                  \
         .type = SETTING_BYTES,                                                                    \
         .offset = (at) + offsetof(struct endpoint_config, largest),                               \
         .least = 1024,                                                                            \
         .most = 1073741824,                                                                       \
         .unset = "16MiB",                                                                         \
         .sentence = "a longer reply is cut off, and is a gap"},                                   \
    {                                                                                              \
        .name = "timeout", .type = SETTING_DURATION,                                               \
        .offset = (at) + offsetof(struct endpoint_config, timeout_ns), .least = 0.001,             \
        .most = 3600, .sentence = "longest wait for a reply; else as long as a look may take"      \
    }

struct endpoint {
    const struct endpoint_config *config;
    const struct probe_place *place;
    struct fetch *fetch;
    struct fetch_reply reply; /* of the last request */
    struct text url, socket;
    bool fresh;      /* a new connection for each request */
    nsec_t asked_ns; /* when the last request began */
};

/* Makes ready. tail is appended to the URL ("/api/v1/query?query=up"); NULL: none. Returns 0, or
 * -EINVAL with why when the URL is none. Owner: caller, endpoint_fini, in both cases. */
int endpoint_init(struct endpoint *endpoint, const struct endpoint_config *config,
                  const struct probe_place *place, const char *tail, struct text *why);
void endpoint_fini(struct endpoint *endpoint);

/* Asks once. Returns the outcome; for others than FETCH_DONE why says which. */
enum fetch_outcome endpoint_ask(struct endpoint *endpoint, const char *const *headers, size_t count,
                                struct text *why);

#endif
