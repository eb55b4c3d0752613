/* Asks a health page as a user of it would: on a connection of its own, never one that load goes
 * over, so that a service which no longer accepts connections is seen. An answer with a status of
 * 400 or above is a value (healthy is 0), and no gap: it was seen. So is no answer at all, though
 * its latency is a gap. */
#include "base/memory.h"
#include "plug/probe/endpoint.h"
#include "plug/probe/probe_list.h"

#include <errno.h>
#include <stdlib.h>

enum { HEALTHY, STATUS, LATENCY, FIRST_BYTE };

static const struct metric metrics[] = {
    [HEALTHY] = {.name = "http.healthy",
                 .kind = METRIC_GAUGE,
                 .unit = "1",
                 .sentence = "1 when it answered with a status from 200 to 399, else 0",
                 .source = "probe http"},
    [STATUS] = {.name = "http.status",
                .kind = METRIC_GAUGE,
                .unit = "status",
                .sentence = "the status of its answer",
                .source = "probe http"},
    [LATENCY] = {.name = "http.latency",
                 .kind = METRIC_GAUGE,
                 .unit = "s",
                 .sentence = "from the beginning of the connection to the last byte",
                 .source = "probe http"},
    [FIRST_BYTE] = {.name = "http.first_byte",
                    .kind = METRIC_GAUGE,
                    .unit = "s",
                    .sentence = "from the beginning of the connection to the first byte",
                    .source = "probe http"},
    {.name = NULL},
};

struct http_config {
    struct endpoint_config endpoint;
    bool keep;
};

static const struct setting settings[] = {
    {.name = "url",
     .type = SETTING_TEXT,
     .offset = offsetof(struct http_config, endpoint.url),
     .required = true,
     .sentence = "health page: a URL, or a path on the target"},
    {.name = "keep_connection",
     .type = SETTING_BOOL,
     .offset = offsetof(struct http_config, keep),
     .sentence = "keep one connection between looks, rather than open one for each"},
    ENDPOINT_SETTINGS(offsetof(struct http_config, endpoint)),
    {.name = NULL},
};

struct http_probe {
    struct endpoint endpoint;
    bool was_healthy, asked;
};

static void http_close(void *self)
{
    struct http_probe *probe = self;
    endpoint_fini(&probe->endpoint);
    free(probe);
}

static int http_open(const void *config, const struct probe_place *place, void **self,
                     struct text *why)
{
    const struct http_config *http = config;
    struct http_probe *probe = memory_new(1, sizeof *probe);
    int rc = endpoint_init(&probe->endpoint, &http->endpoint, place, NULL, why);
    probe->endpoint.fresh = !http->keep;
    if (rc)
        http_close(probe);
    else
        *self = probe;
    return rc;
}

static void tell_change(struct http_probe *probe, bool healthy, const char *words,
                        struct probe_sink *sink)
{
    if (probe->asked ? healthy != probe->was_healthy : !healthy)
        probe_event(sink, healthy ? "healthy" : "unhealthy", "%s", words);
    probe->was_healthy = healthy;
    probe->asked = true;
}

static int http_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    struct http_probe *probe = self;
    const struct fetch_reply *reply = &probe->endpoint.reply;
    (void)at_ns;
    enum fetch_outcome outcome = endpoint_ask(&probe->endpoint, NULL, 0, why);
    if (outcome == FETCH_CANCELLED)
        return PROBE_GAP;
    bool healthy = outcome == FETCH_DONE && reply->status >= 200 && reply->status < 400;
    probe_value(sink, HEALTHY, "", healthy ? 1 : 0);
    if (outcome == FETCH_DONE) {
        struct text words = TEXT_EMPTY;
        text_printf(&words, "%s answered %d", probe->endpoint.url.at, reply->status);
        tell_change(probe, healthy, words.at, sink);
        text_fini(&words);
        probe_value(sink, STATUS, "", reply->status);
        probe_value(sink, LATENCY, "", (double)reply->took_ns / NSEC_PER_SEC);
        probe_value(sink, FIRST_BYTE, "", (double)reply->first_byte_ns / NSEC_PER_SEC);
        return 0;
    }
    /* That nobody answers was seen; the latency is what could not be, and has the gap. */
    tell_change(probe, false, why->at, sink);
    return 0;
}

const struct probe probe_http = {
    .name = "http",
    .sentence = "a health page and its latency, on a connection of its own",
    .settings = settings,
    .config_bytes = sizeof(struct http_config),
    .shorthand = "url",
    .metrics = metrics,
    .role = "service",
    .remote = true,
    .open = http_open,
    .look = http_look,
    .close = http_close,
};
