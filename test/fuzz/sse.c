/* Event streams: whatever the bytes, reading them in one piece, in pieces, and by a reader that is
 * as plain as the standard's own words gives the same events. Lines of JSON ride along, and JSON
 * in one pass never reads past its bytes. The first byte says how long the pieces are. */
#include "wire/sse.h"
#include "target.h"
#include "wire/json_pull.h"
#include "wire/ndjson.h"

#include <string.h>

static void note(void *self, const struct sse_event *event)
{
    struct text *out = self;
    text_put(out, event->type);
    text_putc(out, '\1');
    text_put(out, event->id);
    text_putc(out, '\1');
    text_put(out, event->data);
    text_putc(out, event->cut ? '\2' : '\3');
}

/* ---- the plain reader: the whole stream at once, line by line
 * ---------------------------------- */

struct plain {
    struct text data, type, id, *out;
    bool has_data;
};

static void plain_dispatch(struct plain *plain, bool cut)
{
    struct sse_event event = {.data = text_span(&plain->data),
                              .type = text_span(&plain->type),
                              .id = text_span(&plain->id),
                              .cut = cut};
    if (plain->has_data)
        note(plain->out, &event);
    plain->has_data = false;
    text_clear(&plain->data);
    text_clear(&plain->type);
}

static void plain_line(struct plain *plain, struct span line)
{
    size_t name = 0;
    while (name < line.bytes && line.at[name] != ':')
        name++;
    size_t from = name < line.bytes ? name + 1 : name;
    from += from < line.bytes && from > name && line.at[from] == ' ';
    struct span value = {.at = line.at + from, .bytes = line.bytes - from};
    struct span field = {.at = line.at, .bytes = name};
    if (line.bytes == 0) {
        plain_dispatch(plain, false);
    } else if (span_equal(field, SPAN("data"))) {
        if (plain->has_data)
            text_putc(&plain->data, '\n');
        text_put(&plain->data, value);
        plain->has_data = true;
    } else if (span_equal(field, SPAN("event"))) {
        text_clear(&plain->type);
        text_put(&plain->type, value);
    } else if (span_equal(field, SPAN("id")) &&
               !(value.bytes && memchr(value.at, '\0', value.bytes))) {
        text_clear(&plain->id);
        text_put(&plain->id, value);
    }
}

static void read_plainly(struct span bytes, struct text *out)
{
    struct plain plain = {.out = out};
    struct text line = TEXT_EMPTY;
    size_t at = span_begins(bytes, SPAN("\xEF\xBB\xBF")) ? 3 : 0;
    for (; at < bytes.bytes; at++) {
        char byte = bytes.at[at];
        if (byte != '\r' && byte != '\n') {
            text_putc(&line, byte);
            continue;
        }
        plain_line(&plain, text_span(&line));
        text_clear(&line);
        at += byte == '\r' && at + 1 < bytes.bytes && bytes.at[at + 1] == '\n';
    }
    if (line.bytes)
        plain_line(&plain, text_span(&line));
    plain_dispatch(&plain, true);
    text_fini(&line);
    text_fini(&plain.data);
    text_fini(&plain.type);
    text_fini(&plain.id);
}

/* ---- ours
 * --------------------------------------------------------------------------------------- */

static void read_in_pieces(struct span bytes, size_t piece, struct text *out)
{
    struct sse_reader reader;
    struct text kept = TEXT_EMPTY;
    sse_reader_init(&reader);
    for (size_t at = 0; at < bytes.bytes; at += piece) {
        size_t most = bytes.bytes - at < piece ? bytes.bytes - at : piece;
        check(sse_feed(&reader, &kept, (struct span){.at = bytes.at + at, .bytes = most}, note,
                       out) == 0);
    }
    sse_finish(&reader, &kept, note, out);
    text_fini(&kept);
}

static void note_line(void *self, struct span line, bool cut)
{
    struct text *out = self;
    (void)cut;
    text_put(out, line);
    text_putc(out, '\n');
}

static void read_lines(struct span bytes, size_t piece, struct text *out)
{
    struct text kept = TEXT_EMPTY;
    for (size_t at = 0; at < bytes.bytes; at += piece) {
        size_t most = bytes.bytes - at < piece ? bytes.bytes - at : piece;
        check(ndjson_feed(&kept, (struct span){.at = bytes.at + at, .bytes = most}, note_line,
                          out) == 0);
    }
    ndjson_finish(&kept, note_line, out);
    text_fini(&kept);
}

static void pull_all(struct json_pull *pull, int depth)
{
    struct span name;
    if (depth < 200 && json_pull_kind(pull) == JSON_OBJECT) {
        for (json_pull_object(pull); json_pull_member(pull, &name);)
            pull_all(pull, depth + 1);
    } else if (depth < 200 && json_pull_kind(pull) == JSON_ARRAY) {
        for (json_pull_array(pull); json_pull_element(pull);)
            pull_all(pull, depth + 1);
    } else {
        json_pull_skip(pull);
    }
    check(pull->at <= pull->end);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t count)
{
    if (count == 0)
        return 0;
    size_t piece = (size_t)input[0] % 31 + 1;
    struct span bytes = {.at = (const char *)input + 1, .bytes = count - 1};
    struct text plain = TEXT_EMPTY, whole = TEXT_EMPTY, pieces = TEXT_EMPTY;
    read_plainly(bytes, &plain);
    read_in_pieces(bytes, bytes.bytes + 1, &whole);
    read_in_pieces(bytes, piece, &pieces);
    check(span_equal(text_span(&plain), text_span(&whole)));
    check(span_equal(text_span(&plain), text_span(&pieces)));
    text_clear(&whole);
    text_clear(&pieces);
    read_lines(bytes, bytes.bytes + 1, &whole);
    read_lines(bytes, piece, &pieces);
    check(span_equal(text_span(&whole), text_span(&pieces)));
    struct json_pull pull = json_pull_of(bytes);
    pull_all(&pull, 0);
    text_fini(&plain);
    text_fini(&whole);
    text_fini(&pieces);
    return 0;
}
