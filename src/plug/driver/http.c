/* Plain HTTP: a method, a URL, header lines and a body, each maybe with holes.
 *
 * What has no holes is written out once, at load time; composing such a request copies nothing. The
 * rest is rendered into the thread's scratch, where bytes that would break the request's shape
 * (line feeds in header values, blanks in paths) are made harmless, since they may come from a
 * reply or a feeder. */
#include "plug/driver/driver_list.h"

#include "base/memory.h"
#include "wire/http1.h"
#include "wire/url.h"

#include <stdio.h>
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

/* ---- compiling
 * -------------------------------------------------------------------------------------- */

struct header_row {
    struct span name;
    const struct template *value;
};

struct http_compiled {
    char *method, *origin;
    size_t origin_bytes;        /* of the URL, before the path */
    const struct template *url; /* NULL: path is constant */
    char *path;
    char *constant_lines;    /* header lines without holes */
    struct header_row *rows; /* those with holes */
    size_t row_count;
    const struct template *body; /* or json; NULL: none */
    struct span constant_body;   /* at != NULL: no holes */
    bool has_body;
};

/* Which bytes of a body are kept to show an error. */
enum { SHOWN_BYTES = 160 };

struct http_state {
    size_t bytes;
    char shown[SHOWN_BYTES];
};

static bool is_path_byte(unsigned char byte)
{
    return byte > ' ' && byte < 0x7f && byte != '"' && byte != '<' && byte != '>' && byte != '\\' &&
           byte != '^' && byte != '`' && byte != '{' && byte != '|' && byte != '}';
}

/* Appends a path, with the bytes that may not stand in one percent-encoded and a fragment cut off.
 */
static void put_path(struct span path, struct text *out)
{
    static const char digits[] = "0123456789ABCDEF";
    if (path.bytes == 0 || path.at[0] != '/')
        text_putc(out, '/');
    for (size_t i = 0; i < path.bytes && path.at[i] != '#'; i++) {
        unsigned char byte = (unsigned char)path.at[i];
        if (is_path_byte(byte)) {
            text_putc(out, (char)byte);
        } else {
            char coded[3] = {'%', digits[byte >> 4], digits[byte & 15]};
            text_put(out, (struct span){.at = coded, .bytes = 3});
        }
    }
}

static void put_line(struct span name, struct span value, struct text *out)
{
    text_put(out, name);
    text_put(out, SPAN(": "));
    size_t from = out->bytes;
    text_put(out, value);
    for (size_t i = from; i < out->bytes; i++) {
        char byte = out->at[i];
        if (byte == '\r' || byte == '\n' || byte == '\0')
            out->at[i] = ' ';
    }
    text_put(out, SPAN("\r\n"));
}

static bool has_line(const struct plan_headers *headers, const char *name)
{
    for (size_t i = 0; i < headers->count; i++) {
        if (span_equal_nocase(span_of(headers->items[i].name), span_of(name)))
            return true;
    }
    return false;
}

static bool add_header(const struct plan_header *header, struct text *constant,
                       struct http_compiled *compiled, struct notes *notes)
{
    struct span name = span_of(header->name);
    struct span value = template_constant(header->value);
    if (span_equal_nocase(name, SPAN("host")) || span_equal_nocase(name, SPAN("content-length")) ||
        span_equal_nocase(name, SPAN("transfer-encoding"))) {
        notes_error(notes, "header %s is written by Plimsoll itself: leave it out", header->name);
        return false;
    }
    if (!http1_header_ok(name, value.at ? value : SPAN("x"))) {
        notes_error(notes,
                    "header \"%s\" cannot be sent: its name must be a token, its value one line",
                    header->name);
        return false;
    }
    if (value.at) {
        put_line(name, value, constant);
        return true;
    }
    compiled->rows = memory_resize(compiled->rows, compiled->row_count + 1, sizeof *compiled->rows);
    compiled->rows[compiled->row_count++] =
        (struct header_row){.name = name, .value = header->value};
    return true;
}

static void put_base64(struct span bytes, struct text *out)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.bytes; i += 3) {
        uint32_t group = 0;
        size_t have = bytes.bytes - i < 3 ? bytes.bytes - i : 3;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (k < have ? (unsigned char)bytes.at[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            text_putc(out, k <= have ? letters[group >> (18 - 6 * k) & 63] : '=');
    }
}

static void add_own_headers(const struct plan_http *http, const struct http_config *config,
                            struct text *out)
{
    if (!has_line(&http->headers, "user-agent") && !has_line(&config->headers, "user-agent"))
        put_line(SPAN("User-Agent"), SPAN("plimsoll/" PLIMSOLL_VERSION), out);
    if (!has_line(&http->headers, "accept") && !has_line(&config->headers, "accept"))
        put_line(SPAN("Accept"), SPAN("*/*"), out);
    if (config->json && !has_line(&http->headers, "content-type") &&
        !has_line(&config->headers, "content-type"))
        put_line(SPAN("Content-Type"), SPAN("application/json"), out);
    if (has_line(&http->headers, "authorization") || has_line(&config->headers, "authorization"))
        return;
    struct text value = TEXT_EMPTY;
    if (http->bearer) {
        text_puts(&value, "Bearer ");
        text_puts(&value, http->bearer);
    } else if (http->basic) {
        text_puts(&value, "Basic ");
        put_base64(span_of(http->basic), &value);
    }
    if (value.bytes)
        put_line(SPAN("Authorization"), text_span(&value), out);
    text_fini(&value);
}

static bool compile_headers(const struct plan *plan, const struct http_config *config,
                            struct http_compiled *compiled, struct notes *notes)
{
    struct text lines = TEXT_EMPTY;
    bool fine = true;
    add_own_headers(&plan->http, config, &lines);
    for (size_t i = 0; i < plan->http.headers.count; i++) {
        if (!has_line(&config->headers, plan->http.headers.items[i].name)) /* the nearer one wins */
            fine = add_header(&plan->http.headers.items[i], &lines, compiled, notes) && fine;
    }
    for (size_t i = 0; i < config->headers.count; i++)
        fine = add_header(&config->headers.items[i], &lines, compiled, notes) && fine;
    compiled->constant_lines = text_take(&lines);
    return fine;
}

/* Where the path begins in a URL, and the base before it. */
static bool compile_url(const struct plan_request *request, const struct http_config *config,
                        struct http_compiled *compiled, struct notes *notes)
{
    struct text shape = TEXT_EMPTY, path = TEXT_EMPTY;
    struct span words = template_constant(config->url);
    bool fine = true;
    if (!words.at) {
        struct span blanks[256] = {{0}};
        template_render(config->url, blanks, &shape);
        words = text_span(&shape);
        compiled->url = config->url;
    }
    if (words.bytes && words.at[0] != '/' && memmem(words.at, words.bytes, "://", 3)) {
        struct url url;
        const char *why = "";
        if (url_read(words, &url, &why)) {
            notes_error(notes, "%s: %.*s: %s", request->name, (int)words.bytes, words.at, why);
            fine = false;
        } else {
            compiled->origin_bytes =
                url.path.bytes ? (size_t)(url.path.at - words.at) : words.bytes;
            compiled->origin = memory_new(compiled->origin_bytes + 1, 1);
            memcpy(compiled->origin, words.at, compiled->origin_bytes);
        }
    } else if (words.bytes && words.at[0] != '/' && !compiled->url) {
        notes_error(notes, "%s: \"%.*s\" is neither a path (\"/...\") nor a whole URL",
                    request->name, (int)words.bytes, words.at);
        fine = false;
    }
    if (fine && !compiled->url)
        put_path((struct span){.at = words.at + compiled->origin_bytes,
                               .bytes = words.bytes - compiled->origin_bytes},
                 &path);
    compiled->path = text_take(&path);
    text_fini(&shape);
    return fine;
}

static const char *method_of(const struct plan_request *request, const struct http_config *config)
{
    return strcmp(request->verb, "request") == 0 ? config->method : request->verb;
}

static void http_release(void *compiled_request)
{
    struct http_compiled *compiled = compiled_request;
    if (!compiled)
        return;
    free(compiled->method);
    free(compiled->origin);
    free(compiled->path);
    free(compiled->constant_lines);
    free(compiled->rows);
    free(compiled);
}

static void *http_compile(const struct plan *plan, const struct plan_request *request,
                          struct notes *notes)
{
    const struct http_config *config = request->config;
    struct http_compiled *compiled = memory_new(1, sizeof *compiled);
    compiled->method = memory_copy_text(method_of(request, config));
    for (char *letter = compiled->method; *letter; letter++) {
        if (*letter >= 'a' && *letter <= 'z' && strcmp(request->verb, "request") != 0)
            *letter = (char)(*letter - 'a' + 'A');
    }
    bool fine = compile_url(request, config, compiled, notes);
    fine = compile_headers(plan, config, compiled, notes) && fine;
    if (!http1_header_ok(span_of(compiled->method), SPAN("x"))) {
        notes_error(notes, "%s: \"%s\" is not an HTTP method", request->name, compiled->method);
        fine = false;
    }
    if (config->body && config->json) {
        notes_error(notes, "%s: give either body or json, not both", request->name);
        fine = false;
    }
    compiled->body = config->json ? config->json : config->body;
    if (compiled->body)
        compiled->constant_body = template_constant(compiled->body);
    compiled->has_body = compiled->body || strcmp(compiled->method, "POST") == 0 ||
                         strcmp(compiled->method, "PUT") == 0 ||
                         strcmp(compiled->method, "PATCH") == 0;
    if (fine)
        return compiled;
    http_release(compiled);
    return NULL;
}

static const char *http_origin(const void *compiled)
{
    return ((const struct http_compiled *)compiled)->origin;
}

/* ---- composing
 * --------------------------------------------------------------------------------------- */

static struct span since(const struct text *scratch, size_t from)
{
    return (struct span){.at = scratch->at + from, .bytes = scratch->bytes - from};
}

static void render_path(const struct http_compiled *compiled, struct driver_call *call)
{
    struct text *scratch = call->scratch;
    size_t from = scratch->bytes;
    template_render(compiled->url, call->slots, scratch);
    bool clean = scratch->bytes > from + compiled->origin_bytes &&
                 scratch->at[from + compiled->origin_bytes] == '/';
    for (size_t i = from + compiled->origin_bytes; clean && i < scratch->bytes; i++)
        clean = is_path_byte((unsigned char)scratch->at[i]) && scratch->at[i] != '#';
    if (clean && compiled->origin_bytes == 0)
        return;
    struct text path = TEXT_EMPTY; /* rare: the path must be rewritten */
    put_path((struct span){.at = scratch->at + from + compiled->origin_bytes,
                           .bytes = scratch->bytes - from - compiled->origin_bytes},
             &path);
    scratch->bytes = from;
    text_put(scratch, text_span(&path));
    text_fini(&path);
}

static void http_compose(struct driver_call *call, struct exchange_request *out)
{
    const struct http_compiled *compiled = call->compiled;
    struct text *scratch = call->scratch;
    *out = (struct exchange_request){
        .method = span_of(compiled->method),
        .path = span_of(compiled->path),
        .headers = span_of(compiled->constant_lines),
        .body = compiled->constant_body,
        .has_body = compiled->has_body,
        .head_only = strcmp(compiled->method, "HEAD") == 0,
    };
    /* Render everything first: the scratch may move while it grows. */
    size_t path_at = scratch->bytes;
    if (compiled->url)
        render_path(compiled, call);
    size_t lines_at = scratch->bytes;
    if (compiled->row_count)
        text_puts(scratch, compiled->constant_lines);
    for (size_t i = 0; i < compiled->row_count; i++) {
        text_put(scratch, compiled->rows[i].name);
        text_put(scratch, SPAN(": "));
        size_t value_at = scratch->bytes;
        template_render(compiled->rows[i].value, call->slots, scratch);
        for (size_t k = value_at; k < scratch->bytes; k++) {
            if (scratch->at[k] == '\r' || scratch->at[k] == '\n' || scratch->at[k] == '\0')
                scratch->at[k] = ' ';
        }
        text_put(scratch, SPAN("\r\n"));
    }
    size_t body_at = scratch->bytes;
    bool renders_body = compiled->body && !compiled->constant_body.at;
    if (renders_body) {
        template_render(compiled->body, call->slots, scratch);
        out->body = since(scratch, body_at);
    }
    if (compiled->row_count)
        out->headers = (struct span){.at = scratch->at + lines_at, .bytes = body_at - lines_at};
    if (compiled->url)
        out->path = (struct span){.at = scratch->at + path_at, .bytes = lines_at - path_at};
}

/* ---- the reply
 * ----------------------------------------------------------------------------------------- */

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
