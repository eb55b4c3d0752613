/* Event streams: the standard's rules one by one, each stream cut at every byte and in threes, and
 * what is kept of a stream at rest. */
#include "wire/sse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* Last: it needs those above. */
// clang-format off
#include <cmocka.h>
// clang-format on

/* Writes an event as "type|id|data;" so that a whole stream is one text to compare. */
static void note(void *self, const struct sse_event *event)
{
    struct text *out = self;
    text_put(out, event->type);
    text_putc(out, '|');
    text_put(out, event->id);
    text_putc(out, '|');
    text_put(out, event->data);
    text_puts(out, event->cut ? "!" : ";");
}

/* Reads a stream in pieces that end at these places. Owner: caller. */
static char *read_cut(struct span stream, const size_t *cuts, size_t count, uint32_t *retry_ms)
{
    struct sse_reader reader;
    struct text kept = TEXT_EMPTY, out = TEXT_EMPTY;
    size_t from = 0;
    sse_reader_init(&reader);
    for (size_t i = 0; i <= count; i++) {
        size_t to = i < count ? cuts[i] : stream.bytes;
        /* A block of its own, so that a sanitizer sees a read past the piece. */
        char *piece = malloc(to - from + 1);
        memcpy(piece, stream.at + from, to - from);
        assert_int_equal(sse_feed(&reader, &kept, (struct span){piece, to - from}, note, &out), 0);
        free(piece);
        from = to;
    }
    sse_finish(&reader, &kept, note, &out);
    if (retry_ms)
        *retry_ms = reader.retry_ms;
    text_fini(&kept);
    return text_take(&out);
}

/* The same events come out however the stream is cut. */
static void reads_as(struct span stream, const char *events)
{
    char *whole = read_cut(stream, NULL, 0, NULL);
    assert_string_equal(whole, events);
    free(whole);
    for (size_t first = 0; first <= stream.bytes; first++) {
        for (size_t second = first; second <= stream.bytes; second++) {
            size_t cuts[] = {first, second};
            char *pieces = read_cut(stream, cuts, 2, NULL);
            assert_string_equal(pieces, events);
            free(pieces);
        }
    }
    size_t all[512];
    assert_in_range(stream.bytes, 0, 512);
    for (size_t i = 0; i < stream.bytes; i++)
        all[i] = i;
    char *bytes = read_cut(stream, all, stream.bytes, NULL);
    assert_string_equal(bytes, events);
    free(bytes);
}

static void line_ends(void **state)
{
    (void)state;
    reads_as(SPAN("data: a\n\ndata: b\n\n"), "||a;||b;");
    reads_as(SPAN("data: a\r\n\r\ndata: b\r\n\r\n"), "||a;||b;");
    reads_as(SPAN("data: a\r\rdata: b\r\r"), "||a;||b;");
    reads_as(SPAN("data: a\r\n\rdata: b\n\r\ndata: c\r\n\n"), "||a;||b;||c;");
    reads_as(SPAN("data: a\n\n\n\n\ndata: b\n\n"), "||a;||b;");
}

static void fields(void **state)
{
    (void)state;
    reads_as(SPAN("data:a\n\ndata: b\n\ndata:  c\n\n"), "||a;||b;|| c;");
    reads_as(SPAN("data: one\ndata:two\ndata: three\n\n"), "||one\ntwo\nthree;");
    reads_as(SPAN("data\n\ndata:\n\ndata\ndata\n\n"), "||;||;||\n;");
    reads_as(SPAN("event: error\ndata: x\n\ndata: y\n\n"), "error||x;||y;");
    reads_as(SPAN("data: x\nevent: one\nevent: two\n\n"), "two||x;");
    reads_as(SPAN("id: 7\ndata: x\n\ndata: y\n\nid\ndata: z\n\n"), "|7|x;|7|y;||z;");
    reads_as(SPAN("data: x\nid: 12\ndata: y\nevent: t\nid: 3\ndata: z\n\n"), "t|3|x\ny\nz;");
    reads_as(SPAN("id: a\0b\ndata: x\n\n"), "||x;");
    reads_as(SPAN("Data: a\ndatas: b\n data: c\ndata : d\n: e\nfoo\n\n"), "");
    reads_as(SPAN("data: a:b: c\n\n"), "||a:b: c;");
    reads_as(SPAN("event: ping\n\ndata: x\n\n"), "||x;");
}

static void comments(void **state)
{
    (void)state;
    reads_as(SPAN(": ping\n\n:\n\n: data: no\ndata: a\n: between\ndata: b\n\n: end\n"), "||a\nb;");
    reads_as(SPAN("\xEF\xBB\xBF"
                  "data: a\n\n\xEF\xBB\xBF"
                  "data: b\n\n"),
             "||a;");
    reads_as(SPAN("\xEF\xBB"
                  "data: a\n\ndata: b\n\n"),
             "||b;");
}

/* The standard drops an event that the stream's end cuts; we say so and leave it to the caller. */
static void unfinished(void **state)
{
    (void)state;
    reads_as(SPAN("data: a\n\ndata: b\n"), "||a;||b!");
    reads_as(SPAN("data: a\n\ndata: [DONE]"), "||a;||[DONE]!");
    reads_as(SPAN("data: a\n\ndata: b\r\n\r"), "||a;||b;");
    reads_as(SPAN("data: a\n\n: x"), "||a;");
    reads_as(SPAN(""), "");
}

static void retry(void **state)
{
    (void)state;
    uint32_t retry_ms = 0;
    free(read_cut(SPAN("retry: 1500\nretry: 15x\nretry:\n\n"), NULL, 0, &retry_ms));
    assert_int_equal(retry_ms, 1500);
}

/* Events that come whole leave nothing behind, not even memory. */
static void at_rest(void **state)
{
    (void)state;
    struct sse_reader reader;
    struct text kept = TEXT_EMPTY, out = TEXT_EMPTY;
    sse_reader_init(&reader);
    sse_feed(&reader, &kept, SPAN("data: a\n\ndata: bb\n\n: ping\n\n"), note, &out);
    assert_string_equal(out.at, "||a;||bb;");
    assert_null(kept.at);
    sse_feed(&reader, &kept, SPAN("data: ccc\n\nda"), note, &out);
    assert_int_equal(kept.bytes, 2);
    sse_feed(&reader, &kept, SPAN("ta: d\n\n"), note, &out);
    assert_int_equal(kept.bytes, 0);
    assert_string_equal(out.at, "||a;||bb;||ccc;||d;");
    text_fini(&kept);
    text_fini(&out);
}

/* A line that never ends is given up, not collected for ever. */
static void too_long(void **state)
{
    (void)state;
    struct sse_reader reader;
    struct text kept = TEXT_EMPTY, out = TEXT_EMPTY;
    char block[4096];
    int outcome = 0;
    size_t fed = 0;
    memset(block, 'x', sizeof block);
    sse_reader_init(&reader);
    for (; outcome == 0 && fed < 2 * (size_t)SSE_MOST_BYTES; fed += sizeof block)
        outcome = sse_feed(&reader, &kept, (struct span){block, sizeof block}, note, &out);
    assert_int_equal(outcome, -EMSGSIZE);
    assert_in_range(fed, SSE_MOST_BYTES, SSE_MOST_BYTES + 2 * sizeof block);
    text_fini(&kept);
    text_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_ends),  cmocka_unit_test(fields), cmocka_unit_test(comments),
        cmocka_unit_test(unfinished), cmocka_unit_test(retry),  cmocka_unit_test(at_rest),
        cmocka_unit_test(too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
