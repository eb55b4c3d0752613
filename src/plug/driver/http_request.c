/* Requests over HTTP/1.1, compiled once and composed for each sending; see http_request.h.
 *
 * What has no holes is written out once, at load time; composing such a request copies nothing. The
 * rest is rendered into the thread's scratch, where bytes that would break the request's shape
 * (line feeds in header values, blanks in paths) are made harmless, since they may come from a
 * reply or a feeder. */
#include "plug/driver/http_request.h"

#include "base/memory.h"
#include "wire/http1.h"
#include "wire/url.h"

#include <stdlib.h>
#include <string.h>

struct header_row {
    struct span name;
    const struct template *value;
};

struct http_request {
    char *method, *origin;
    size_t origin_bytes;        /* of the URL, before the path */
    const struct template *url; /* NULL: path is constant */
    char *path;
    char *constant_lines;    /* header lines without holes */
    struct header_row *rows; /* those with holes */
    size_t row_count;
    const struct template *body; /* NULL: none, or the driver's own */
    struct span constant_body;   /* at != NULL: no holes */
    bool has_body;
};

/* ---- compiling --------------------------------------------------------------------------------
 */

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
                       struct http_request *request, struct notes *notes)
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
    request->rows = memory_resize(request->rows, request->row_count + 1, sizeof *request->rows);
    request->rows[request->row_count++] = (struct header_row){.name = name, .value = header->value};
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

static void add_own_headers(const struct plan_http *http, const struct http_shape *shape,
                            struct text *out)
{
    if (!has_line(&http->headers, "user-agent") && !has_line(shape->headers, "user-agent"))
        put_line(SPAN("User-Agent"), SPAN("plimsoll/" PLIMSOLL_VERSION), out);
    if (!has_line(&http->headers, "accept") && !has_line(shape->headers, "accept"))
        put_line(SPAN("Accept"), span_of(shape->accept ? shape->accept : "*/*"), out);
    if (http->compress && !has_line(&http->headers, "accept-encoding") &&
        !has_line(shape->headers, "accept-encoding"))
        put_line(SPAN("Accept-Encoding"), SPAN("gzip, deflate"), out);
    if (shape->json && !has_line(&http->headers, "content-type") &&
        !has_line(shape->headers, "content-type"))
        put_line(SPAN("Content-Type"), SPAN("application/json"), out);
    if (has_line(&http->headers, "authorization") || has_line(shape->headers, "authorization"))
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

static bool compile_headers(const struct plan *plan, const struct http_shape *shape,
                            struct http_request *request, struct notes *notes)
{
    struct text lines = TEXT_EMPTY;
    bool fine = true;
    add_own_headers(&plan->http, shape, &lines);
    for (size_t i = 0; i < plan->http.headers.count; i++) {
        if (!has_line(shape->headers, plan->http.headers.items[i].name)) /* the nearer one wins */
            fine = add_header(&plan->http.headers.items[i], &lines, request, notes) && fine;
    }
    for (size_t i = 0; i < shape->headers->count; i++)
        fine = add_header(&shape->headers->items[i], &lines, request, notes) && fine;
    request->constant_lines = text_take(&lines);
    return fine;
}

/* Where the path begins in a URL, and the base before it. */
static bool compile_url(const char *name, const struct http_shape *shape,
                        struct http_request *request, struct notes *notes)
{
    struct text sketch = TEXT_EMPTY, path = TEXT_EMPTY;
    struct span words = template_constant(shape->url);
    bool fine = true;
    if (!words.at) {
        struct span blanks[256] = {{0}};
        template_render(shape->url, blanks, &sketch);
        words = text_span(&sketch);
        request->url = shape->url;
    }
    if (words.bytes && words.at[0] != '/' && memmem(words.at, words.bytes, "://", 3)) {
        struct url url;
        const char *why = "";
        if (url_read(words, &url, &why)) {
            notes_error(notes, "%s: %.*s: %s", name, (int)words.bytes, words.at, why);
            fine = false;
        } else {
            request->origin_bytes = url.path.bytes ? (size_t)(url.path.at - words.at) : words.bytes;
            request->origin = memory_new(request->origin_bytes + 1, 1);
            memcpy(request->origin, words.at, request->origin_bytes);
        }
    } else if (words.bytes && words.at[0] != '/' && !request->url) {
        notes_error(notes, "%s: \"%.*s\" is neither a path (\"/...\") nor a whole URL", name,
                    (int)words.bytes, words.at);
        fine = false;
    }
    if (fine && !request->url)
        put_path((struct span){.at = words.at + request->origin_bytes,
                               .bytes = words.bytes - request->origin_bytes},
                 &path);
    request->path = text_take(&path);
    text_fini(&sketch);
    return fine;
}

struct http_request *http_request_free(struct http_request *request)
{
    if (!request)
        return NULL;
    free(request->method);
    free(request->origin);
    free(request->path);
    free(request->constant_lines);
    free(request->rows);
    free(request);
    return NULL;
}

struct http_request *http_request_compile(const struct plan *plan, const char *name,
                                          const struct http_shape *shape, struct notes *notes)
{
    struct http_request *request = memory_new(1, sizeof *request);
    request->method = memory_copy_text(shape->method);
    bool fine = compile_url(name, shape, request, notes);
    fine = compile_headers(plan, shape, request, notes) && fine;
    if (!http1_header_ok(span_of(request->method), SPAN("x"))) {
        notes_error(notes, "%s: \"%s\" is not an HTTP method", name, request->method);
        fine = false;
    }
    request->body = shape->body;
    if (request->body)
        request->constant_body = template_constant(request->body);
    request->has_body = request->body || strcmp(request->method, "POST") == 0 ||
                        strcmp(request->method, "PUT") == 0 ||
                        strcmp(request->method, "PATCH") == 0;
    return fine ? request : http_request_free(request);
}

const char *http_request_origin(const struct http_request *request)
{
    return request->origin;
}

/* ---- composing --------------------------------------------------------------------------------
 */

static struct span since(const struct text *scratch, size_t from)
{
    return (struct span){.at = scratch->at + from, .bytes = scratch->bytes - from};
}

static void render_path(const struct http_request *request, struct driver_call *call)
{
    struct text *scratch = call->scratch;
    size_t from = scratch->bytes;
    template_render(request->url, call->slots, scratch);
    bool clean = scratch->bytes > from + request->origin_bytes &&
                 scratch->at[from + request->origin_bytes] == '/';
    for (size_t i = from + request->origin_bytes; clean && i < scratch->bytes; i++)
        clean = is_path_byte((unsigned char)scratch->at[i]) && scratch->at[i] != '#';
    if (clean && request->origin_bytes == 0)
        return;
    struct text path = TEXT_EMPTY; /* rare: the path must be rewritten */
    put_path((struct span){.at = scratch->at + from + request->origin_bytes,
                           .bytes = scratch->bytes - from - request->origin_bytes},
             &path);
    scratch->bytes = from;
    text_put(scratch, text_span(&path));
    text_fini(&path);
}

void http_request_compose(const struct http_request *request, struct driver_call *call,
                          struct exchange_request *out)
{
    struct text *scratch = call->scratch;
    *out = (struct exchange_request){
        .method = span_of(request->method),
        .path = span_of(request->path),
        .headers = span_of(request->constant_lines),
        .body = request->constant_body,
        .has_body = request->has_body,
        .head_only = strcmp(request->method, "HEAD") == 0,
    };
    /* Render everything first: the scratch may move while it grows. */
    size_t path_at = scratch->bytes;
    if (request->url)
        render_path(request, call);
    size_t lines_at = scratch->bytes;
    if (request->row_count)
        text_puts(scratch, request->constant_lines);
    for (size_t i = 0; i < request->row_count; i++) {
        text_put(scratch, request->rows[i].name);
        text_put(scratch, SPAN(": "));
        size_t value_at = scratch->bytes;
        template_render(request->rows[i].value, call->slots, scratch);
        for (size_t k = value_at; k < scratch->bytes; k++) {
            if (scratch->at[k] == '\r' || scratch->at[k] == '\n' || scratch->at[k] == '\0')
                scratch->at[k] = ' ';
        }
        text_put(scratch, SPAN("\r\n"));
    }
    size_t body_at = scratch->bytes;
    bool renders_body = request->body && !request->constant_body.at;
    if (renders_body) {
        template_render(request->body, call->slots, scratch);
        out->body = since(scratch, body_at);
    }
    if (request->row_count)
        out->headers = (struct span){.at = scratch->at + lines_at, .bytes = body_at - lines_at};
    if (request->url)
        out->path = (struct span){.at = scratch->at + path_at, .bytes = lines_at - path_at};
}
