/* Plain HTTP: a method, a URL, header lines and a body, each maybe with holes. */
#include "plug/driver/driver_list.h"

#include "base/memory.h"
#include "plug/driver/http_request.h"

#include <stdlib.h>
#include <string.h>

/* ---- the words of the plan
 * ------------------------------------------------------------------------ */

struct http_config {
    struct template *url;
    struct plan_headers headers;
    struct template *body;
    struct template *json;
    char *method; /* verb `request` only */
};

#define HTTP_SETTINGS                                                                              \
    {.name = "url",                                                                                \
     .type = SETTING_TEMPLATE,                                                                     \
     .offset = offsetof(struct http_config, url),                                                  \
     .required = true,                                                                             \
     .sentence = "path on the target (\"/v1/models\"), or a whole URL"},                           \
        {.name = "headers",                                                                        \
         .type = SETTING_HEADERS,                                                                  \
         .offset = offsetof(struct http_config, headers),                                          \
         .sentence = "header lines of this request, beside those of http.headers"},                \
        {.name = "body",                                                                           \
         .type = SETTING_TEMPLATE,                                                                 \
         .offset = offsetof(struct http_config, body),                                             \
         .sentence = "the body as text"},                                                          \
    {                                                                                              \
        .name = "json", .type = SETTING_JSON, .offset = offsetof(struct http_config, json),        \
        .sentence = "the body as a value, sent as application/json"                                \
    }

static const struct setting http_settings[] = {HTTP_SETTINGS, {.name = NULL}};

static const struct setting request_settings[] = {
    HTTP_SETTINGS,
    {.name = "method",
     .type = SETTING_TEXT,
     .offset = offsetof(struct http_config, method),
     .unset = "GET",
     .sentence = "any HTTP method"},
    {.name = NULL},
};

#define HTTP_VERB(name, words)                                                                     \
    {                                                                                              \
        .word = (name), .sentence = (words), .settings = http_settings,                            \
        .config_bytes = sizeof(struct http_config), .shorthand = "url"                             \
    }

static const struct request_verb http_verbs[] = {
    HTTP_VERB("get", "HTTP GET"),
    HTTP_VERB("post", "HTTP POST"),
    HTTP_VERB("put", "HTTP PUT"),
    HTTP_VERB("patch", "HTTP PATCH"),
    HTTP_VERB("delete", "HTTP DELETE"),
    HTTP_VERB("head", "HTTP HEAD"),
    HTTP_VERB("options", "HTTP OPTIONS"),
    {.word = "request",
     .sentence = "HTTP with the method given",
     .settings = request_settings,
     .config_bytes = sizeof(struct http_config),
     .shorthand = "url"},
    {.word = NULL},
};

/* ---- requests ------------------------------------------------------------------------------- */

static void http_release(void *compiled)
{
    http_request_free(compiled);
}

static void *http_compile(const struct plan *plan, const struct plan_request *request,
                          struct notes *notes)
{
    const struct http_config *config = request->config;
    char *method =
        memory_copy_text(strcmp(request->verb, "request") == 0 ? config->method : request->verb);
    for (char *letter = method; *letter; letter++) {
        if (*letter >= 'a' && *letter <= 'z' && strcmp(request->verb, "request") != 0)
            *letter = (char)(*letter - 'a' + 'A');
    }
    const struct http_shape shape = {
        .method = method,
        .url = config->url,
        .headers = &config->headers,
        .body = config->json ? config->json : config->body,
        .json = config->json != NULL,
    };
    struct http_request *compiled = http_request_compile(plan, request->name, &shape, notes);
    free(method);
    if (config->body && config->json) {
        notes_error(notes, "%s: give either body or json, not both", request->name);
        compiled = http_request_free(compiled);
    }
    return compiled;
}

static const char *http_origin(const void *compiled)
{
    return http_request_origin(compiled);
}

static void http_compose(struct driver_call *call, struct exchange_request *out)
{
    http_request_compose(call->compiled, call, out);
}

/* ---- the reply
 * ----------------------------------------------------------------------------------------- */

/* Which bytes of a body are kept to show an error. */
enum { SHOWN_BYTES = 160 };

struct http_state {
    size_t bytes;
    char shown[SHOWN_BYTES];
};

static void http_data(struct driver_call *call, struct span bytes, nsec_t rx_ns)
{
    struct http_state *state = call->state;
    (void)rx_ns;
    if (call->status < 400 || state->bytes == SHOWN_BYTES)
        return;
    size_t take =
        bytes.bytes < SHOWN_BYTES - state->bytes ? bytes.bytes : SHOWN_BYTES - state->bytes;
    memcpy(state->shown + state->bytes, bytes.at, take);
    state->bytes += take;
}

static struct driver_outcome http_end(struct driver_call *call, int status, struct span body,
                                      nsec_t end_ns)
{
    struct http_state *state = call->state;
    (void)body;
    (void)end_ns;
    if (status < 400)
        return (struct driver_outcome){0};
    struct span shown = {.at = state->shown, .bytes = state->bytes};
    return (struct driver_outcome){.error = COUNT_ERROR_HTTP_STATUS, .words = span_trim(shown)};
}

const struct driver driver_http = {
    .name = "http",
    .sentence = "plain HTTP/1.1 requests",
    .verbs = http_verbs,
    .state_bytes = sizeof(struct http_state),
    .compile = http_compile,
    .release = http_release,
    .origin = http_origin,
    .compose = http_compose,
    .data = http_data,
    .end = http_end,
};
