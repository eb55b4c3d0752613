/* The text of a reader holds, in this order: the last id, then of the unfinished event its type and
 * its data, then the unfinished line. While the bytes given are read, the first data line of an
 * event stays where it is (`here`), and is copied only when the event does not end with them or has
 * a second one. */
#include "wire/sse.h"

#include <errno.h>
#include <string.h>

/* One call of sse_feed. */
struct scan {
    struct sse_reader *reader;
    struct text *kept;
    sse_take *take;
    void *self;
    struct span here; /* the event's only data line, in the bytes given; at NULL: none */
};

void sse_reader_init(struct sse_reader *reader)
{
    memset(reader, 0, sizeof *reader);
}

static size_t front_bytes(const struct sse_reader *reader)
{
    return (size_t)reader->id_bytes + reader->type_bytes + reader->data_bytes;
}

/* Puts bytes in place of `old` bytes at a place of the text. */
static void splice(struct text *kept, size_t at, size_t old, struct span more)
{
    text_reserve(kept, kept->bytes + more.bytes + 1);
    memmove(kept->at + at + more.bytes, kept->at + at + old, kept->bytes - at - old);
    if (more.bytes)
        memcpy(kept->at + at, more.at, more.bytes);
    kept->bytes = kept->bytes - old + more.bytes;
    kept->at[kept->bytes] = '\0';
}

/* ---- fields -----------------------------------------------------------------------------------
 */

/* Puts a value in place of `old` bytes of the front. inside: it lies in the text itself, and is
 * first copied behind everything that will move. */
static void keep(struct scan *scan, size_t at, size_t old, struct span value, bool inside)
{
    struct text *kept = scan->kept;
    if (inside && value.bytes) {
        size_t offset = (size_t)(value.at - kept->at);
        text_reserve(kept, kept->bytes + 2 * value.bytes + 2);
        char *aside = kept->at + kept->bytes + value.bytes + 1;
        memcpy(aside, kept->at + offset, value.bytes);
        value.at = aside;
    }
    splice(kept, at, old, value);
}

static void keep_here(struct scan *scan)
{
    struct sse_reader *reader = scan->reader;
    if (!scan->here.at)
        return;
    splice(scan->kept, front_bytes(reader), 0, scan->here);
    reader->data_bytes = (uint32_t)scan->here.bytes;
    scan->here.at = NULL;
}

static void add_data(struct scan *scan, struct span value, bool inside)
{
    struct sse_reader *reader = scan->reader;
    if (reader->data_lines++ == 0 && !inside) {
        scan->here = value;
        return;
    }
    keep_here(scan);
    size_t at = front_bytes(reader);
    keep(scan, at, 0, value, inside);
    reader->data_bytes += (uint32_t)value.bytes;
    if (reader->data_lines > 1) {
        splice(scan->kept, at, 0, SPAN("\n"));
        reader->data_bytes++;
    }
}

static void set_type(struct scan *scan, struct span value, bool inside)
{
    struct sse_reader *reader = scan->reader;
    keep(scan, reader->id_bytes, reader->type_bytes, value, inside);
    reader->type_bytes = (uint32_t)value.bytes;
}

static void set_id(struct scan *scan, struct span value, bool inside)
{
    struct sse_reader *reader = scan->reader;
    if (value.bytes && memchr(value.at, '\0', value.bytes))
        return;
    keep(scan, 0, reader->id_bytes, value, inside);
    reader->id_bytes = (uint32_t)value.bytes;
}

static void set_retry(struct scan *scan, struct span value)
{
    uint64_t number = 0;
    if (span_uint(value, &number) == 0 && number <= UINT32_MAX)
        scan->reader->retry_ms = (uint32_t)number;
}

/* Fields other than data, which the caller has looked for already. */
static void other_field(struct scan *scan, struct span line, bool inside)
{
    const char *colon = memchr(line.at, ':', line.bytes);
    size_t name_bytes = colon ? (size_t)(colon - line.at) : line.bytes;
    struct span name = {.at = line.at, .bytes = name_bytes};
    struct span value = {.at = line.at + line.bytes, .bytes = 0};
    if (colon) {
        value = (struct span){.at = colon + 1, .bytes = line.bytes - name_bytes - 1};
        if (value.bytes && value.at[0] == ' ') {
            value.at++;
            value.bytes--;
        }
    }
    if (span_equal(name, SPAN("data")))
        add_data(scan, value, inside);
    else if (span_equal(name, SPAN("event")))
        set_type(scan, value, inside);
    else if (span_equal(name, SPAN("id")))
        set_id(scan, value, inside);
    else if (span_equal(name, SPAN("retry")))
        set_retry(scan, value);
}

/* ---- events -----------------------------------------------------------------------------------
 */

static void dispatch(struct scan *scan, bool cut)
{
    struct sse_reader *reader = scan->reader;
    if (reader->data_lines) {
        const char *front = scan->kept->at ? scan->kept->at : "";
        size_t type_at = reader->id_bytes, data_at = type_at + reader->type_bytes;
        struct span data = {.at = front + data_at, .bytes = reader->data_bytes};
        struct sse_event event = {
            .data = scan->here.at ? scan->here : data,
            .type = {.at = front + type_at, .bytes = reader->type_bytes},
            .id = {.at = front, .bytes = reader->id_bytes},
            .cut = cut,
        };
        scan->take(scan->self, &event);
    }
    scan->here.at = NULL;
    reader->data_lines = 0;
    if (reader->type_bytes || reader->data_bytes) {
        splice(scan->kept, reader->id_bytes, (size_t)reader->type_bytes + reader->data_bytes,
               (struct span){.at = "", .bytes = 0});
        reader->type_bytes = reader->data_bytes = 0;
    }
}

/* A whole line, without its end. inside: it is the last part of the text. */
static void take_line(struct scan *scan, struct span line, bool inside)
{
    if (!scan->reader->begun) {
        scan->reader->begun = true;
        if (span_begins(line, SPAN("\xEF\xBB\xBF"))) {
            line.at += 3;
            line.bytes -= 3;
        }
    }
    if (line.bytes == 0) {
        dispatch(scan, false);
    } else if (!inside && line.bytes > 6 && memcmp(line.at, "data: ", 6) == 0) {
        add_data(scan, (struct span){.at = line.at + 6, .bytes = line.bytes - 6}, false);
    } else if (line.at[0] != ':') {
        other_field(scan, line, inside);
    }
}

/* ---- bytes ------------------------------------------------------------------------------------
 */

/* The first CR or LF; NULL: there is none. `returns`: whether any CR may be ahead. */
static const char *line_end(const char *at, const char *end, bool returns)
{
    const char *feed = memchr(at, '\n', (size_t)(end - at));
    if (!returns)
        return feed;
    const char *cr = memchr(at, '\r', (size_t)((feed ? feed : end) - at));
    return cr ? cr : feed;
}

/* Completes the line that was begun in earlier bytes. Returns where reading goes on. */
static const char *end_kept_line(struct scan *scan, const char *at, const char *end, bool returns)
{
    size_t front = front_bytes(scan->reader);
    const char *stop = line_end(at, end, returns);
    text_put(scan->kept, (struct span){.at = at, .bytes = (size_t)((stop ? stop : end) - at)});
    if (!stop)
        return end;
    struct span line = {.at = scan->kept->at + front, .bytes = scan->kept->bytes - front};
    size_t line_bytes = line.bytes;
    take_line(scan, line, true);
    scan->kept->bytes -= line_bytes;
    scan->kept->at[scan->kept->bytes] = '\0';
    return stop;
}

/* Passes over a line's end. A CR that is the last byte may be half of one. */
static const char *pass_end(struct scan *scan, const char *stop, const char *end)
{
    if (*stop == '\n')
        return stop + 1;
    if (stop + 1 == end)
        scan->reader->skip_feed = true;
    else if (stop[1] == '\n')
        stop++;
    return stop + 1;
}

int sse_feed(struct sse_reader *reader, struct text *kept, struct span bytes, sse_take *take,
             void *self)
{
    struct scan scan = {.reader = reader, .kept = kept, .take = take, .self = self};
    const char *at = bytes.at, *end = bytes.at + bytes.bytes;
    if (bytes.bytes == 0)
        return 0;
    if (reader->skip_feed) {
        reader->skip_feed = false;
        at += *at == '\n';
    }
    bool returns = memchr(at, '\r', (size_t)(end - at)) != NULL;
    if (kept->bytes > front_bytes(reader) && at < end) {
        at = end_kept_line(&scan, at, end, returns);
        if (at < end)
            at = pass_end(&scan, at, end);
    }
    while (at < end) {
        const char *stop = line_end(at, end, returns);
        if (!stop)
            break;
        take_line(&scan, (struct span){.at = at, .bytes = (size_t)(stop - at)}, false);
        at = pass_end(&scan, stop, end);
    }
    keep_here(&scan);
    if (at < end)
        text_put(kept, (struct span){.at = at, .bytes = (size_t)(end - at)});
    return kept->bytes > SSE_MOST_BYTES ? -EMSGSIZE : 0;
}

void sse_finish(struct sse_reader *reader, struct text *kept, sse_take *take, void *self)
{
    struct scan scan = {.reader = reader, .kept = kept, .take = take, .self = self};
    size_t front = front_bytes(reader);
    if (kept->bytes > front) {
        struct span line = {.at = kept->at + front, .bytes = kept->bytes - front};
        size_t line_bytes = line.bytes;
        take_line(&scan, line, true);
        kept->bytes -= line_bytes;
        kept->at[kept->bytes] = '\0';
    }
    dispatch(&scan, true);
}
