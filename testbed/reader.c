/* The head is read in one go once it is whole; a body by its length or chunk by chunk, as it
 * comes. See reader.h for what is refused and why. */
#include "testbed/reader.h"

#include <errno.h>
#include <string.h>

/* How the body is delimited, as the head says. */
struct framing {
    uint64_t length;
    bool has_length, chunked, expects_continue;
};

/* ---- the head ---------------------------------------------------------------------------------
 */

/* The bytes of the head with its blank line, or 0 when that has not come. Lines may end with LF
 * alone (RFC 9112, 2.2). */
static size_t head_end(struct reader *reader, const char *bytes, size_t count)
{
    size_t at = reader->searched;
    while (at < count) {
        const char *feed = memchr(bytes + at, '\n', count - at);
        if (!feed)
            break;
        size_t next = (size_t)(feed - bytes) + 1;
        if (next < count && bytes[next] == '\n')
            return next + 1;
        if (next + 1 < count && bytes[next] == '\r' && bytes[next + 1] == '\n')
            return next + 2;
        if (next + 1 >= count) {
            reader->searched = next - 1;
            return 0;
        }
        at = next;
    }
    reader->searched = count;
    return 0;
}

static bool is_token_byte(char byte)
{
    unsigned char c = (unsigned char)byte;
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return c && strchr("!#$%&'*+-.^_`|~", c);
}

static bool is_token(struct span span)
{
    for (size_t i = 0; i < span.bytes; i++) {
        if (!is_token_byte(span.at[i]))
            return false;
    }
    return span.bytes > 0;
}

/* Takes the next line, without its end, off the head. */
static struct span take_line(struct span *head)
{
    const char *feed = memchr(head->at, '\n', head->bytes);
    size_t bytes = feed ? (size_t)(feed - head->at) : head->bytes;
    struct span line = {.at = head->at, .bytes = bytes};
    size_t used = feed ? bytes + 1 : bytes;
    head->at += used;
    head->bytes -= used;
    if (line.bytes && line.at[line.bytes - 1] == '\r')
        line.bytes--;
    return line;
}

/* Takes what stands before the next blank off the line. */
static struct span take_word(struct span *line)
{
    const char *blank = memchr(line->at, ' ', line->bytes);
    size_t bytes = blank ? (size_t)(blank - line->at) : line->bytes;
    struct span word = {.at = line->at, .bytes = bytes};
    size_t used = blank ? bytes + 1 : bytes;
    line->at += used;
    line->bytes -= used;
    return word;
}

/* "http://host/path" (what proxies send) is taken as its path. */
static struct span path_of(struct span target)
{
    if (!span_begins(target, SPAN("http://")))
        return target;
    const char *slash = memchr(target.at + 7, '/', target.bytes - 7);
    if (!slash)
        return SPAN("/");
    return (struct span){.at = slash, .bytes = target.bytes - (size_t)(slash - target.at)};
}

static bool has_controls(struct span span)
{
    for (size_t i = 0; i < span.bytes; i++) {
        unsigned char c = (unsigned char)span.at[i];
        if ((c < ' ' && c != '\t') || c == 127)
            return true;
    }
    return false;
}

static int read_request_line(struct span line, struct request *request)
{
    request->method = take_word(&line);
    request->target = take_word(&line);
    if (!is_token(request->method) || !request->target.bytes || has_controls(request->target))
        return 400;
    if (line.bytes != 8 || !span_begins(line, SPAN("HTTP/")) || line.at[6] != '.')
        return 400;
    if (line.at[5] != '1')
        return line.at[5] >= '0' && line.at[5] <= '9' ? 505 : 400;
    if (line.at[7] < '0' || line.at[7] > '9')
        return 400;
    request->minor = line.at[7] == '0' ? 0 : 1;
    struct span path = path_of(request->target);
    const char *mark = memchr(path.at, '?', path.bytes);
    request->path = path;
    request->query = (struct span){.at = path.at + path.bytes, .bytes = 0};
    if (mark) {
        request->path.bytes = (size_t)(mark - path.at);
        request->query.at = mark + 1;
        request->query.bytes = path.bytes - request->path.bytes - 1;
    }
    if (path.at[0] != '/' && !span_equal(path, SPAN("*")))
        return 400;
    return 0;
}

static int read_header(struct span line, struct request *request)
{
    if (request->header_count == READER_HEADERS)
        return 431;
    const char *colon = memchr(line.at, ':', line.bytes);
    if (!colon)
        return 400;
    size_t name_bytes = (size_t)(colon - line.at);
    struct reader_header *header = &request->headers[request->header_count++];
    header->name = (struct span){.at = line.at, .bytes = name_bytes};
    header->value = span_trim((struct span){.at = colon + 1, .bytes = line.bytes - name_bytes - 1});
    return is_token(header->name) && !has_controls(header->value) ? 0 : 400;
}

/* Whether a comma-separated list holds this word, without case. */
static bool lists(struct span list, struct span word)
{
    while (list.bytes) {
        const char *comma = memchr(list.at, ',', list.bytes);
        size_t bytes = comma ? (size_t)(comma - list.at) : list.bytes;
        if (span_equal_nocase(span_trim((struct span){.at = list.at, .bytes = bytes}), word))
            return true;
        size_t used = comma ? bytes + 1 : bytes;
        list.at += used;
        list.bytes -= used;
    }
    return false;
}

static int read_length(struct span value, struct framing *framing)
{
    uint64_t length = 0;
    if (span_uint(value, &length) || (framing->has_length && framing->length != length))
        return 400;
    framing->has_length = true;
    framing->length = length;
    return 0;
}

/* What the headers say about the body and the connection. */
static int read_framing(struct request *request, struct framing *framing)
{
    bool host = false;
    request->keep_alive = request->minor == 1;
    for (size_t i = 0; i < request->header_count; i++) {
        struct span name = request->headers[i].name, value = request->headers[i].value;
        int status = 0;
        switch (name.bytes) {
        case 4:
            host |= span_equal_nocase(name, SPAN("Host"));
            break;
        case 6:
            if (span_equal_nocase(name, SPAN("Expect")))
                framing->expects_continue = span_equal_nocase(value, SPAN("100-continue"));
            break;
        case 10:
            if (span_equal_nocase(name, SPAN("Connection"))) {
                if (lists(value, SPAN("close")))
                    request->keep_alive = false;
                else if (lists(value, SPAN("keep-alive")))
                    request->keep_alive = true;
            }
            break;
        case 14:
            if (span_equal_nocase(name, SPAN("Content-Length")))
                status = read_length(value, framing);
            break;
        case 17:
            if (span_equal_nocase(name, SPAN("Transfer-Encoding"))) {
                if (!span_equal_nocase(value, SPAN("chunked")) || framing->chunked)
                    status = 501;
                framing->chunked = true;
            }
            break;
        default:
            break;
        }
        if (status)
            return status;
    }
    if ((framing->chunked && framing->has_length) || (framing->chunked && request->minor == 0))
        return 400;
    return host || request->minor == 0 ? 0 : 400;
}

/* Reads the whole head; 0, or the status of the refusal. */
static int read_head(struct span head, struct request *request, struct framing *framing)
{
    request->header_count = 0;
    int status = read_request_line(take_line(&head), request);
    while (status == 0) {
        struct span line = take_line(&head);
        if (line.bytes == 0)
            return read_framing(request, framing);
        status = read_header(line, request);
    }
    return status;
}

/* ---- chunked bodies ---------------------------------------------------------------------------
 */

enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER };

/* "1a;name=value" without its end. Returns 0 or -EINVAL. */
static int read_chunk_size(struct span line, uint64_t *size)
{
    uint64_t sum = 0;
    size_t digits = 0;
    for (; digits < line.bytes; digits++) {
        char c = line.at[digits];
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            digit = (unsigned)((c | 32) - 'a' + 10);
        else
            break;
        if (digits == 15)
            return -EINVAL;
        sum = sum * 16 + digit;
    }
    struct span rest = {.at = line.at + digits, .bytes = line.bytes - digits};
    if (digits == 0 || has_controls(rest))
        return -EINVAL;
    rest = span_trim(rest);
    if (rest.bytes && rest.at[0] != ';')
        return -EINVAL;
    *size = sum;
    return 0;
}

/* Copies what has come of a chunk's data behind what was joined before. */
static void join(struct reader *reader, char *bytes, size_t count)
{
    size_t there = count - reader->raw_at;
    size_t take = reader->chunk_left < there ? (size_t)reader->chunk_left : there;
    memmove(bytes + reader->head_bytes + reader->body_bytes, bytes + reader->raw_at, take);
    reader->raw_at += take;
    reader->body_bytes += take;
    reader->chunk_left -= take;
    if (reader->chunk_left == 0)
        reader->chunk_state = CHUNK_DATA_END;
}

/* Handles one line of the chunk framing. */
static enum reader_result chunk_line(struct reader *reader, struct span line, uint64_t limit,
                                     int *status)
{
    *status = 400;
    switch (reader->chunk_state) {
    case CHUNK_SIZE:
        if (read_chunk_size(line, &reader->chunk_left))
            return READER_BAD;
        *status = 413;
        if (reader->chunk_left > limit || reader->body_bytes + reader->chunk_left > limit)
            return READER_BAD;
        reader->chunk_state = reader->chunk_left ? CHUNK_DATA : CHUNK_TRAILER;
        return READER_MORE;
    case CHUNK_DATA_END:
        if (line.bytes)
            return READER_BAD;
        reader->chunk_state = CHUNK_SIZE;
        return READER_MORE;
    default:
        return line.bytes ? READER_MORE : READER_DONE;
    }
}

static enum reader_result read_chunks(struct reader *reader, char *bytes, size_t count,
                                      uint64_t limit, int *status)
{
    while (reader->raw_at < count) {
        if (reader->chunk_state == CHUNK_DATA) {
            join(reader, bytes, count);
            continue;
        }
        struct span rest = {.at = bytes + reader->raw_at, .bytes = count - reader->raw_at};
        if (!memchr(rest.at, '\n', rest.bytes)) {
            *status = 400;
            return rest.bytes > READER_HEAD_BYTES ? READER_BAD : READER_MORE;
        }
        struct span line = take_line(&rest);
        reader->raw_at = count - rest.bytes;
        enum reader_result result = chunk_line(reader, line, limit, status);
        if (result != READER_MORE)
            return result;
    }
    return READER_MORE;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static enum reader_result read_body(struct reader *reader, char *bytes, size_t count,
                                    const struct framing *framing, uint64_t limit, int *status)
{
    if (framing->chunked)
        return read_chunks(reader, bytes, count, limit, status);
    if (framing->length > limit) {
        *status = 413;
        return READER_BAD;
    }
    if (count - reader->head_bytes < framing->length)
        return READER_MORE;
    reader->body_bytes = (size_t)framing->length;
    reader->raw_at = reader->head_bytes + reader->body_bytes;
    return READER_DONE;
}

/* Blank lines before a request are skipped (RFC 9112, 2.2). */
static size_t blank_start(const char *bytes, size_t count)
{
    size_t blank = 0;
    while (blank < count && (bytes[blank] == '\r' || bytes[blank] == '\n'))
        blank++;
    return blank;
}

static enum reader_result refuse(int *status, int why)
{
    *status = why;
    return READER_BAD;
}

enum reader_result reader_read(struct reader *reader, char *bytes, size_t count,
                               uint64_t body_limit, struct request *request, int *status)
{
    size_t blank =
        reader->head_bytes ? blank_start(bytes, reader->head_bytes) : blank_start(bytes, count);
    if (blank > READER_HEAD_BYTES)
        return refuse(status, 400);
    if (!reader->head_bytes) {
        if (reader->searched < blank)
            reader->searched = blank;
        reader->head_bytes = head_end(reader, bytes, count);
        reader->raw_at = reader->head_bytes;
        if (!reader->head_bytes)
            return count - blank > READER_HEAD_BYTES ? refuse(status, 431) : READER_MORE;
        if (reader->head_bytes - blank > READER_HEAD_BYTES)
            return refuse(status, 431);
    }
    struct framing framing = {.length = 0};
    struct span head = {.at = bytes + blank, .bytes = reader->head_bytes - blank};
    int why = read_head(head, request, &framing);
    if (why)
        return refuse(status, why);
    enum reader_result result = read_body(reader, bytes, count, &framing, body_limit, status);
    if (result == READER_DONE) {
        request->body =
            (struct span){.at = bytes + reader->head_bytes, .bytes = reader->body_bytes};
        request->bytes = reader->raw_at;
        *reader = (struct reader){.searched = 0};
    } else if (result == READER_MORE && framing.expects_continue && !reader->told_continue) {
        reader->told_continue = true;
        return READER_CONTINUE;
    }
    return result;
}

struct span request_header(const struct request *request, const char *name)
{
    struct span wanted = span_of(name);
    for (size_t i = 0; i < request->header_count; i++) {
        if (span_equal_nocase(request->headers[i].name, wanted))
            return request->headers[i].value;
    }
    return span_of(NULL);
}

struct span request_query(const struct request *request, const char *key)
{
    struct span wanted = span_of(key), rest = request->query;
    while (rest.bytes) {
        const char *mark = memchr(rest.at, '&', rest.bytes);
        struct span pair = {.at = rest.at, .bytes = mark ? (size_t)(mark - rest.at) : rest.bytes};
        if (pair.bytes > wanted.bytes && span_begins(pair, wanted) && pair.at[wanted.bytes] == '=')
            return (struct span){.at = pair.at + wanted.bytes + 1,
                                 .bytes = pair.bytes - wanted.bytes - 1};
        size_t used = mark ? pair.bytes + 1 : pair.bytes;
        rest.at += used;
        rest.bytes -= used;
    }
    return span_of(NULL);
}
