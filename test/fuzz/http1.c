/* The response reader: whatever comes, in whatever pieces, tells the same story, and a chunked body
 * is what a second, plain decoder makes of it.
 *
 * The input's first byte says how: bit 0 HEAD, bit 1 the head is wanted, bit 2 what follows is a
 * chunked body (the rest is cut where the other bits fall). */
#include "wire/http1.h"
#include "base/random.h"
#include "base/text.h"
#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct story {
    struct text head, body;
    int status, heads, ends, result;
    size_t used;
    bool keep;
};

static void on_head(void *self, int status, struct span head)
{
    struct story *story = self;
    story->status = status;
    story->heads++;
    text_put(&story->head, head);
}

static void on_body(void *self, struct span bytes)
{
    struct story *story = self;
    check(story->heads == 1 && story->ends == 0 && bytes.bytes > 0);
    text_put(&story->body, bytes);
}

static void on_end(void *self)
{
    ((struct story *)self)->ends++;
}

static const struct http1_events events = {.head = on_head, .body = on_body, .end = on_end};

/* Reads one response; most: bytes a feed, 0: random pieces. */
static struct story read_response(struct span bytes, unsigned flags, size_t most)
{
    struct story story = {.head = TEXT_EMPTY, .body = TEXT_EMPTY};
    struct http1_reader reader;
    struct random random = {.key = bytes.bytes};
    http1_reader_init(&reader);
    http1_reader_expect(&reader, &events, &story, flags & 1, flags & 2);
    story.result = HTTP1_MORE;
    while (story.result == HTTP1_MORE && story.used < bytes.bytes) {
        size_t piece = bytes.bytes - story.used, used = 0;
        size_t wanted = most ? most : 1 + (size_t)random_below_of(random_next(&random), 40);
        piece = piece < wanted ? piece : wanted;
        char *copy = malloc(piece);
        memcpy(copy, bytes.at + story.used, piece);
        story.result = http1_reader_feed(&reader, (struct span){.at = copy, .bytes = piece}, &used);
        free(copy);
        check(used <= piece && (story.result != HTTP1_MORE || used == piece));
        story.used += used;
    }
    if (story.result == HTTP1_MORE)
        story.result = http1_reader_finish(&reader);
    story.keep = http1_reader_keeps(&reader);
    check(story.result == HTTP1_DONE || story.result == -EBADMSG || story.result == -EMSGSIZE ||
          story.result == -ECONNRESET);
    check((story.result == HTTP1_DONE) == (story.ends == 1) && story.heads <= 1);
    check(story.result != -EBADMSG || http1_reader_why(&reader)[0]);
    http1_reader_fini(&reader);
    return story;
}

static void forget(struct story *story)
{
    text_fini(&story->head);
    text_fini(&story->body);
}

/* A plain decoder of chunks without extensions or trailers (RFC 9112, 7.1). Returns whether the
 * bytes begin with a whole body of that kind. */
static bool decode_chunks(struct span bytes, struct text *body, size_t *used)
{
    size_t at = 0;
    for (;;) {
        uint64_t size = 0;
        size_t digits = 0;
        for (; at < bytes.bytes && digits < 8; at++, digits++) {
            char byte = bytes.at[at], lower = (char)(byte | 32);
            if (byte >= '0' && byte <= '9')
                size = size * 16 + (uint64_t)(byte - '0');
            else if (lower >= 'a' && lower <= 'f')
                size = size * 16 + (uint64_t)(lower - 'a') + 10;
            else
                break;
        }
        if (digits == 0 || bytes.bytes - at < 2 || memcmp(bytes.at + at, "\r\n", 2) != 0)
            return false;
        at += 2;
        if (bytes.bytes - at < size || bytes.bytes - at - size < 2 ||
            memcmp(bytes.at + at + size, "\r\n", 2) != 0)
            return false;
        text_put(body, (struct span){.at = bytes.at + at, .bytes = (size_t)size});
        at += (size_t)size + 2;
        if (size == 0) {
            *used = at;
            return true;
        }
    }
}

static void try_chunks(struct span bytes, unsigned flags)
{
    const struct span head = SPAN("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    struct text whole = TEXT_EMPTY, body = TEXT_EMPTY;
    size_t used = 0;
    text_put(&whole, head);
    text_put(&whole, bytes);
    struct story story = read_response(text_span(&whole), flags & 2, 0);
    if (decode_chunks(bytes, &body, &used)) {
        check(story.result == HTTP1_DONE && story.used == head.bytes + used);
        check(span_equal(text_span(&story.body), text_span(&body)));
    }
    forget(&story);
    text_fini(&whole);
    text_fini(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count < 1)
        return 0;
    unsigned flags = bytes[0];
    struct span response = {.at = (const char *)bytes + 1, .bytes = count - 1};
    if (flags & 4) {
        try_chunks(response, flags);
        return 0;
    }
    struct story whole = read_response(response, flags, SIZE_MAX);
    const size_t most[] = {1, 0, 7};
    for (size_t i = 0; i < 3; i++) {
        struct story cut = read_response(response, flags, most[i]);
        check(cut.result == whole.result && cut.status == whole.status);
        check(cut.heads == whole.heads && cut.keep == whole.keep);
        check(span_equal(text_span(&cut.head), text_span(&whole.head)));
        if (whole.result == HTTP1_DONE) {
            check(cut.used == whole.used);
            check(span_equal(text_span(&cut.body), text_span(&whole.body)));
        }
        forget(&cut);
    }
    forget(&whole);
    return 0;
}
