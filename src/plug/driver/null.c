/* The null driver: the least request there is, and no opinion about the reply. What it costs is
 * what the engine costs; it is also the shortest example of a driver. */
#include "plug/driver/driver_list.h"

#include "base/memory.h"

#include <stdlib.h>

struct null_config {
    char *path;
};

static const struct setting null_settings[] = {
    {.name = "path",
     .type = SETTING_TEXT,
     .offset = offsetof(struct null_config, path),
     .unset = "/",
     .sentence = "what is asked for"},
    {.name = NULL},
};

static const struct request_verb null_verbs[] = {
    {.word = "null",
     .sentence = "GET and accept any answer",
     .settings = null_settings,
     .config_bytes = sizeof(struct null_config),
     .shorthand = "path"},
    {.word = NULL},
};

static void *null_compile(const struct plan *plan, const struct plan_request *request,
                          struct notes *notes)
{
    const struct null_config *config = request->config;
    (void)plan;
    (void)notes;
    return memory_copy_text(config->path && config->path[0] == '/' ? config->path : "/");
}

static void null_compose(struct driver_call *call, struct exchange_request *out)
{
    *out = (struct exchange_request){.method = SPAN("GET"), .path = span_of(call->compiled)};
}

static struct driver_outcome null_end(struct driver_call *call, int status, struct span body,
                                      nsec_t end_ns)
{
    (void)call;
    (void)status;
    (void)body;
    (void)end_ns;
    return (struct driver_outcome){0};
}

const struct driver driver_null = {
    .name = "null",
    .sentence = "the least request, any answer: measures the engine itself",
    .verbs = null_verbs,
    .compile = null_compile,
    .release = free,
    .compose = null_compose,
    .end = null_end,
};
