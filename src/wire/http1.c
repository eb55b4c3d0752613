/* Requests out, responses in; see http1.h for the rules.
 *
 * llhttp tells no positions in its callbacks, but a parser that is paused knows where it stands. So
 * the reader pauses it twice: at the end of a response, to learn how many bytes it took, and, only
 * when somebody wants the head, at the end of the head. A head that nobody wants costs nothing. */
#include "wire/http1.h"

#include "base/check.h"

#include <errno.h>
#include <string.h>

/* ---- writing ----------------------------------------------------------------------------------
 */

static char *put(char *at, struct span bytes)
{
    if (bytes.bytes)
        memcpy(at, bytes.at, bytes.bytes);
    return at + bytes.bytes;
}

static char *put_decimal(char *at, uint64_t number)
{
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return put(at, (struct span){.at = digits + first, .bytes = sizeof digits - first});
}

void http1_write_request(const struct http1_request *request, struct text *out)
{
    enum { FRAME = 96 }; /* more than all the fixed words and the digits of a length */
    text_reserve(out, out->bytes + FRAME + request->method.bytes + request->path.bytes +
                          request->host.bytes + request->headers.bytes + request->body.bytes);
    char *at = out->at + out->bytes;
    at = put(at, request->method);
    *at++ = ' ';
    at = put(at, request->path.bytes ? request->path : SPAN("/"));
    at = put(at, SPAN(" HTTP/1.1\r\nHost: "));
    at = put(at, request->host);
    at = put(at, SPAN("\r\n"));
    at = put(at, request->headers);
    if (request->has_body || request->body.bytes) {
        at = put(at, SPAN("Content-Length: "));
        at = put_decimal(at, request->body.bytes);
        at = put(at, SPAN("\r\n"));
    }
    at = put(at, SPAN("\r\n"));
    at = put(at, request->body);
    *at = '\0';
    out->bytes = (size_t)(at - out->at);
}

static bool is_token_byte(unsigned char byte)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
        (byte >= '0' && byte <= '9'))
        return true;
    return byte && strchr("!#$%&'*+-.^_`|~", byte);
}

bool http1_header_ok(struct span name, struct span value)
{
    for (size_t i = 0; i < name.bytes; i++) {
        if (!is_token_byte((unsigned char)name.at[i]))
            return false;
    }
    for (size_t i = 0; i < value.bytes; i++) {
        char byte = value.at[i];
        if (byte == '\r' || byte == '\n' || byte == '\0')
            return false;
    }
    return name.bytes > 0;
}

/* ---- head lines -------------------------------------------------------------------------------
 */

/* The length of the first line, its LF included, with the lines folded onto it. */
static size_t line_bytes(struct span lines)
{
    size_t end = 0;
    do {
        const char *feed = memchr(lines.at + end, '\n', lines.bytes - end);
        if (!feed)
            return lines.bytes;
        end = (size_t)(feed - lines.at) + 1;
    } while (end < lines.bytes && (lines.at[end] == ' ' || lines.at[end] == '\t'));
    return end;
}

bool http1_head_next(struct span *lines, struct span *name, struct span *value)
{
    while (lines->bytes) {
        struct span line = {.at = lines->at, .bytes = line_bytes(*lines)};
        lines->at += line.bytes;
        lines->bytes -= line.bytes;
        const char *colon = memchr(line.at, ':', line.bytes);
        if (!colon)
            continue; /* llhttp lets none through */
        size_t before = (size_t)(colon - line.at);
        *name = span_trim((struct span){.at = line.at, .bytes = before});
        *value = span_trim((struct span){.at = colon + 1, .bytes = line.bytes - before - 1});
        return true;
    }
    return false;
}

bool http1_head_find(struct span lines, struct span name, struct span *value)
{
    struct span found_name, found_value;
    while (http1_head_next(&lines, &found_name, &found_value)) {
        if (span_equal_nocase(found_name, name)) {
            *value = found_value;
            return true;
        }
    }
    return false;
}

/* ---- reading: what llhttp calls ---------------------------------------------------------------
 */

static bool is_interim(const llhttp_t *parser)
{
    return parser->status_code < 200;
}

static int refuse(llhttp_t *parser, const char *why)
{
    struct http1_reader *reader = parser->data;
    reader->why = why;
    return -1;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct http1_reader *reader = parser->data;
    int status = parser->status_code;
    if (parser->http_major != 1)
        return refuse(parser, "the reply's version is not HTTP/1.0 or HTTP/1.1");
    if (status < 100)
        return refuse(parser, "the reply's status code is below 100");
    if (status == 101)
        return refuse(parser, "the server switched protocols (status 101) without being asked");
    if (reader->head_request || is_interim(parser) || status == 204 || status == 304)
        parser->flags |= F_SKIPBODY;
    if (reader->wants_head || is_interim(parser))
        return HPE_PAUSED; /* feed() goes on: it learns here where the head ends */
    reader->in_head = false;
    reader->events->head(reader->self, status, (struct span){.at = "", .bytes = 0});
    return reader->stopped ? HPE_PAUSED : 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t bytes)
{
    struct http1_reader *reader = parser->data;
    reader->events->body(reader->self, (struct span){.at = at, .bytes = bytes});
    return reader->stopped ? HPE_PAUSED : 0;
}

static bool may_keep(const llhttp_t *parser)
{
    bool encoded = parser->flags & (F_TRANSFER_ENCODING | F_CHUNKED);
    if (encoded && ((parser->flags & F_CONTENT_LENGTH) || parser->http_minor == 0))
        return false; /* two lengths, or one that HTTP/1.0 does not know: RFC 9112, 6.1 */
    return llhttp_should_keep_alive(parser);
}

static int on_message_complete(llhttp_t *parser)
{
    struct http1_reader *reader = parser->data;
    if (is_interim(parser))
        return 0;
    reader->keep = may_keep(parser);
    reader->ended = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- reading: the reader ----------------------------------------------------------------------
 */

void http1_reader_init(struct http1_reader *reader)
{
    memset(reader, 0, sizeof *reader);
    reader->ended = true; /* nothing is expected yet */
}

void http1_reader_fini(struct http1_reader *reader)
{
    text_fini(&reader->head_kept);
}

void http1_reader_expect(struct http1_reader *reader, const struct http1_events *events, void *self,
                         bool head_request, bool wants_head)
{
    llhttp_init(&reader->parser, HTTP_RESPONSE, &settings);
    llhttp_set_lenient_chunked_length(&reader->parser, 1);
    llhttp_set_lenient_headers(&reader->parser, 1); /* takes a bare LF behind a value */
    reader->parser.data = reader;
    reader->events = events;
    reader->self = self;
    reader->head_bytes = 0;
    reader->failed = 0;
    reader->head_request = head_request;
    reader->wants_head = wants_head;
    reader->started = reader->ended = reader->keep = reader->stopped = false;
    reader->in_head = true;
    reader->why = NULL;
    text_clear(&reader->head_kept);
}

static const char *why_of(const struct http1_reader *reader)
{
    if (reader->why)
        return reader->why;
    switch (llhttp_get_errno(&reader->parser)) {
    case HPE_INVALID_CONSTANT:
    case HPE_INVALID_VERSION:
        if (reader->first == 0x15 || reader->first == 0x16)
            return "the reply is TLS, not HTTP: is https:// meant?";
        return "the reply does not begin as HTTP/1.x does";
    case HPE_INVALID_STATUS:
        return "the reply's status line has no status code";
    case HPE_INVALID_CONTENT_LENGTH:
        return "the reply's Content-Length is not a length";
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        return "the reply has more than one Content-Length";
    case HPE_INVALID_CHUNK_SIZE:
        return "a chunk of the reply has no valid size";
    case HPE_INVALID_TRANSFER_ENCODING:
        return "the reply's Transfer-Encoding is not understood";
    case HPE_INVALID_HEADER_TOKEN:
        return "a header line of the reply has a character that may not be there";
    default:
        return llhttp_get_error_reason(&reader->parser);
    }
}

static int fail(struct http1_reader *reader, int error)
{
    reader->why = error == -EMSGSIZE    ? "the reply's head is longer than 64 KiB"
                  : error == -ECANCELED ? "reading was stopped"
                                        : why_of(reader);
    return reader->failed = error;
}

/* The header lines within a head that ends with its blank line. */
static struct span lines_of(struct span head)
{
    while (head.bytes && (head.at[0] == '\r' || head.at[0] == '\n')) {
        head.at++; /* llhttp passes over empty lines before the status line */
        head.bytes--;
    }
    const char *feed = head.bytes ? memchr(head.at, '\n', head.bytes) : NULL;
    if (!feed)
        return (struct span){.at = "", .bytes = 0};
    head.bytes -= (size_t)(feed + 1 - head.at);
    head.at = feed + 1;
    if (head.bytes && head.at[head.bytes - 1] == '\n')
        head.bytes--;
    if (head.bytes && head.at[head.bytes - 1] == '\r')
        head.bytes--;
    return head;
}

/* The parser stands behind a blank line: hands the head over, or passes over an interim one. */
static void end_head(struct http1_reader *reader, struct span last)
{
    if (!is_interim(&reader->parser)) {
        reader->in_head = false;
        struct span head = last;
        if (reader->head_kept.bytes) {
            text_put(&reader->head_kept, last);
            head = text_span(&reader->head_kept);
        }
        reader->events->head(reader->self, reader->parser.status_code, lines_of(head));
    }
    text_clear(&reader->head_kept);
}

enum { FEED_REST = 0, FEED_AGAIN = HTTP1_DONE + 1 };

/* Feeds what the limit on heads lets pass. Returns FEED_REST (go on while bytes are left),
 * FEED_AGAIN (go on even with none: a parser paused behind a head may have more to say), HTTP1_DONE
 * or -errno. */
static int feed_some(struct http1_reader *reader, struct span bytes, size_t *used)
{
    bool in_head = reader->in_head;
    size_t allowed = HTTP1_MOST_HEAD_BYTES - reader->head_bytes;
    if (in_head && bytes.bytes > allowed)
        bytes.bytes = allowed;
    llhttp_errno_t result = llhttp_execute(&reader->parser, bytes.at, bytes.bytes);
    *used = bytes.bytes;
    if (result != HPE_OK && llhttp_get_error_pos(&reader->parser))
        *used = (size_t)(llhttp_get_error_pos(&reader->parser) - bytes.at);
    struct span taken = {.at = bytes.at, .bytes = *used};
    if (in_head)
        reader->head_bytes += (uint32_t)taken.bytes;
    if (reader->stopped)
        return fail(reader, -ECANCELED);
    if (result == HPE_PAUSED) {
        llhttp_resume(&reader->parser);
        if (reader->ended)
            return HTTP1_DONE;
        end_head(reader, taken);
        return reader->stopped ? fail(reader, -ECANCELED) : FEED_AGAIN;
    }
    if (result != HPE_OK)
        return fail(reader, -EBADMSG);
    if (reader->in_head && reader->wants_head)
        text_put(&reader->head_kept, taken);
    if (reader->in_head && reader->head_bytes == HTTP1_MOST_HEAD_BYTES)
        return fail(reader, -EMSGSIZE);
    return FEED_REST;
}

int http1_reader_feed(struct http1_reader *reader, struct span bytes, size_t *used)
{
    *used = 0;
    if (reader->failed)
        return reader->failed;
    if (reader->ended)
        return HTTP1_DONE;
    if (bytes.bytes && !reader->started) {
        reader->started = true;
        reader->first = (unsigned char)bytes.at[0];
    }
    int result = FEED_REST;
    while (result == FEED_AGAIN || (result == FEED_REST && bytes.bytes)) {
        size_t some = 0;
        result = feed_some(reader, bytes, &some);
        bytes.at += some;
        bytes.bytes -= some;
        *used += some;
    }
    if (result == HTTP1_DONE)
        reader->events->end(reader->self);
    return result == FEED_REST ? HTTP1_MORE : result;
}

void http1_reader_stop(struct http1_reader *reader)
{
    reader->stopped = true;
}

int http1_reader_finish(struct http1_reader *reader)
{
    if (reader->failed)
        return reader->failed;
    if (reader->ended)
        return HTTP1_DONE;
    bool to_the_end = reader->parser.finish == HTTP_FINISH_SAFE_WITH_CB;
    if (!reader->started || reader->in_head || !to_the_end)
        return -ECONNRESET;
    reader->ended = true;
    reader->events->end(reader->self);
    return HTTP1_DONE;
}

bool http1_reader_keeps(const struct http1_reader *reader)
{
    return reader->ended && reader->keep;
}

bool http1_reader_started(const struct http1_reader *reader)
{
    return reader->started;
}

const char *http1_reader_why(const struct http1_reader *reader)
{
    return reader->why ? reader->why : "";
}
