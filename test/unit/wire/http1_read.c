/* The response reader: each case is fed whole, byte by byte, cut in two at every place, and in
 * random pieces, with and without the head wanted; all must tell the same story. */
#include "base/random.h"
#include "base/text.h"
#include "wire/http1.h"

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

struct story {
    struct text told;
    struct text body;
    int heads, ends;
};

static void tell_head(void *self, int status, struct span head)
{
    struct story *story = self;
    story->heads++;
    text_printf(&story->told, "head %d [%.*s] ", status, (int)head.bytes, head.at);
}

static void tell_body(void *self, struct span bytes)
{
    struct story *story = self;
    assert_true(bytes.bytes > 0);
    text_put(&story->body, bytes);
}

static void tell_end(void *self)
{
    struct story *story = self;
    story->ends++;
}

static const struct http1_events events = {.head = tell_head, .body = tell_body, .end = tell_end};

/* How the bytes are cut. */
enum { CUT_NONE, CUT_EACH, CUT_AT, CUT_RANDOM };
struct cut {
    int kind;
    size_t at;
    struct random random;
};

static size_t next_piece(struct cut *cut, size_t done, size_t left)
{
    size_t piece = left;
    if (cut->kind == CUT_EACH)
        piece = 1;
    if (cut->kind == CUT_AT && done < cut->at)
        piece = cut->at - done;
    if (cut->kind == CUT_RANDOM)
        piece = 1 + (size_t)random_below_of(random_next(&cut->random), 9);
    return piece < left ? piece : left;
}

/* Feeds a copy of each piece in memory of its own size, so that a sanitizer sees any reading
 * outside it. Returns the story in words. */
static char *story_of(struct span bytes, bool head_request, bool wants_head, struct cut cut)
{
    struct story story = {.told = TEXT_EMPTY, .body = TEXT_EMPTY};
    struct http1_reader reader;
    http1_reader_init(&reader);
    http1_reader_expect(&reader, &events, &story, head_request, wants_head);
    size_t done = 0;
    int result = HTTP1_MORE;
    while (result == HTTP1_MORE && done < bytes.bytes) {
        size_t piece = next_piece(&cut, done, bytes.bytes - done), used = 0;
        char *copy = malloc(piece);
        memcpy(copy, bytes.at + done, piece);
        result = http1_reader_feed(&reader, (struct span){.at = copy, .bytes = piece}, &used);
        free(copy);
        assert_true(used <= piece);
        if (result == HTTP1_MORE)
            assert_int_equal(used, piece);
        done += used;
    }
    if (result == HTTP1_MORE) {
        text_puts(&story.told, "eof ");
        result = http1_reader_finish(&reader);
    }
    text_printf(&story.told, "body [%.*s] ", (int)story.body.bytes, text_span(&story.body).at);
    if (result == HTTP1_DONE)
        text_printf(&story.told, "done used %zu %s", done,
                    http1_reader_keeps(&reader) ? "keep" : "close");
    else
        text_printf(&story.told, "%s",
                    result == -EBADMSG    ? "bad"
                    : result == -EMSGSIZE ? "long"
                                          : "cut");
    assert_int_equal(story.ends, result == HTTP1_DONE);
    assert_true(story.heads <= 1);
    if (result == -EBADMSG || result == -EMSGSIZE) {
        assert_true(strlen(http1_reader_why(&reader)) > 8);
        size_t used = 9;
        assert_int_equal(http1_reader_feed(&reader, SPAN("x"), &used), result);
        assert_int_equal(used, 0);
    }
    http1_reader_fini(&reader);
    text_fini(&story.body);
    return text_take(&story.told);
}

static void expect_story(struct span bytes, bool head_request, const char *expected)
{
    struct cut cuts[] = {{.kind = CUT_NONE}, {.kind = CUT_EACH}};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        char *told = story_of(bytes, head_request, true, cuts[i]);
        assert_string_equal(told, expected);
        free(told);
    }
    char *quiet = story_of(bytes, head_request, false, cuts[0]);
    for (size_t at = 0; at < bytes.bytes + 20; at++) {
        struct cut cut = {.kind = CUT_AT, .at = at};
        if (at >= bytes.bytes)
            cut = (struct cut){.kind = CUT_RANDOM, .random = {.key = at}};
        char *told = story_of(bytes, head_request, true, cut);
        assert_string_equal(told, expected);
        free(told);
        told = story_of(bytes, head_request, false, cut);
        assert_string_equal(told, quiet);
        free(told);
    }
    /* Without the lines the story differs in the lines only. */
    const char *lines = strchr(expected, '['), *rest = strstr(expected, "] ");
    if (strncmp(expected, "head", 4) == 0) {
        struct text bare = TEXT_EMPTY;
        rest = strstr(expected, "\r\n] ") ? strstr(expected, "\r\n] ") + 2
               : strstr(expected, "\n] ") ? strstr(expected, "\n] ") + 1
                                          : rest;
        text_put(&bare, (struct span){.at = expected, .bytes = (size_t)(lines + 1 - expected)});
        text_puts(&bare, rest);
        assert_string_equal(quiet, bare.at);
        text_fini(&bare);
    }
    free(quiet);
}

struct example {
    const char *bytes;
    bool head_request;
    const char *expected;
};

static const struct example examples[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false,
     "head 200 [Content-Length: 5\r\n] body [hello] done used 43 keep"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false,
     "head 200 [Content-Length: 0\r\n] body [] done used 38 keep"},
    {"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", false, /* no reason phrase */
     "head 200 [Content-Length: 2\r\n] body [hi] done used 37 keep"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, /* HEAD */
     "head 200 [Content-Length: 5\r\n] body [] done used 38 keep"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true,
     "head 200 [Transfer-Encoding: chunked\r\n] body [] done used 47 keep"},
    {"HTTP/1.1 200 OK\r\n\r\n", true, "head 200 [] body [] done used 19 keep"},
    {"HTTP/1.1 204 No Content\r\n\r\n", false, "head 204 [] body [] done used 27 keep"},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", false,
     "head 204 [Content-Length: 7\r\n] body [] done used 46 keep"},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 120\r\nETag: \"x\"\r\n\r\n", false,
     "head 304 [Content-Length: 120\r\nETag: \"x\"\r\n] body [] done used 61 keep"},
    {"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", false,
     "head 304 [Transfer-Encoding: chunked\r\n] body [] done used 57 keep"},
    /* interim replies are passed over, also two, with lines of their own */
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false,
     "head 200 [Content-Length: 2\r\n] body [ok] done used 65 keep"},
    {"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
     "HTTP/1.1 201 Created\r\nA: b\r\nContent-Length: 1\r\n\r\nx",
     false, "head 201 [A: b\r\nContent-Length: 1\r\n] body [x] done used 121 keep"},
    {"HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", false,
     "head 204 [] body [] done used 74 keep"}, /* an interim reply has no body whatever it says */
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", false,
     "body [] bad"},
    {"HTTP/1.1 100 Continue\r\n\r\n", false, "eof body [] cut"},
    /* chunks */
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
     false, "head 200 [Transfer-Encoding: chunked\r\n] body [hello world] done used 73 keep"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "5;flag;q=\"a;b\"\r\nhello\r\n000\r\nX-Sum: 9\r\nX-Too: 1\r\n\r\n",
     false, "head 200 [Transfer-Encoding: chunked\r\n] body [hello] done used 97 keep"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", false,
     "head 200 [Transfer-Encoding: chunked\r\n] eof body [hel] cut"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", false,
     "head 200 [Transfer-Encoding: chunked\r\n] eof body [] cut"}, /* last CRLF missing */
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", false,
     "head 200 [Transfer-Encoding: chunked\r\n] body [] bad"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx", false,
     "head 200 [Transfer-Encoding: chunked\r\n] body [] bad"},
    /* two lengths: the encoding wins, the connection is given up */
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
     "5\r\nhello\r\n0\r\n\r\n",
     false,
     "head 200 [Content-Length: 3\r\nTransfer-Encoding: chunked\r\n] body [hello] done used 81 "
     "close"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
     "5\r\nhello\r\n0\r\n\r\n",
     false,
     "head 200 [Transfer-Encoding: chunked\r\nContent-Length: 3\r\n] body [hello] done used 81 "
     "close"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", false, "body [] bad"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", false, "body [] bad"},
    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, "body [] bad"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n", false, "body [] bad"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3x\r\n\r\nabc", false, "body [] bad"},
    /* to the end of the stream */
    {"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nall of it", false,
     "head 200 [Server: x\r\n] eof body [all of it] done used 39 close"},
    {"HTTP/1.0 200 OK\r\n\r\n", false, "head 200 [] eof body [] done used 19 close"},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", false,
     "head 200 [Content-Length: 1\r\n] body [x] done used 39 close"},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", false,
     "head 200 [Connection: keep-alive\r\nContent-Length: 1\r\n] body [x] done used 63 keep"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc", false,
     "head 200 [Transfer-Encoding: gzip\r\n] eof body [abc] done used 47 close"},
    /* what follows the end is left alone */
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n", false,
     "head 200 [Content-Length: 2\r\n] body [ok] done used 40 keep"},
    {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nokjunk", false,
     "head 200 [Connection: close\r\nContent-Length: 2\r\n] body [ok] done used 59 close"},
    {"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1", false, "head 204 [] body [] done used 27 keep"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP", false,
     "head 200 [Transfer-Encoding: chunked\r\n] body [] done used 52 keep"},
    /* cut off, or never begun */
    {"", false, "eof body [] cut"},
    {"HTTP/1.1 20", false, "eof body [] cut"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", false,
     "head 200 [Content-Length: 5\r\n] eof body [hel] cut"},
    /* not HTTP */
    {"\x15\x03\x01\x00\x02\x02\x46", false, "body [] bad"},
    {"SSH-2.0-OpenSSH_9.2\r\n", false, "body [] bad"},
    {"HTTP/2.0 200 OK\r\n\r\n", false, "body [] bad"},
    {"HTTP/1.1 abc\r\n\r\n", false, "body [] bad"},
    {"HTTP/1.1 200 OK\r\nNo colon here\r\n\r\n", false, "body [] bad"},
    {"HTTP/1.1 200 OK\r\nBad\x01name: 1\r\n\r\n", false, "body [] bad"},
};

static void test_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        print_message("example %zu: %s\n", i, examples[i].expected);
        expect_story(span_of(examples[i].bytes), examples[i].head_request, examples[i].expected);
    }
}

/* A bare LF ends lines of the head, as RFC 9112, 2.2 allows, but not of chunks (7.1). */
static void test_bare_lf(void **state)
{
    (void)state;
    expect_story(SPAN("HTTP/1.1 200 OK\nA: b\nContent-Length: 2\n\nok"), false,
                 "head 200 [A: b\nContent-Length: 2\n] body [ok] done used 42 keep");
    expect_story(SPAN("HTTP/1.1 200 OK\r\nA: b\nContent-Length: 2\r\n\nok"), false,
                 "head 200 [A: b\nContent-Length: 2\r\n] body [ok] done used 44 keep");
    expect_story(SPAN("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n"), false,
                 "head 200 [Transfer-Encoding: chunked\r\n] body [] bad");
}

/* A head of exactly the limit passes; one byte more does not, whatever the cuts. */
static void test_head_limit(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct text bytes = TEXT_EMPTY;
        text_puts(&bytes, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nA: ");
        while (bytes.bytes < HTTP1_MOST_HEAD_BYTES - 4 + over)
            text_putc(&bytes, 'a');
        text_puts(&bytes, "\r\n\r\nHTTP/1.1 200 OK");
        struct cut cuts[] = {{.kind = CUT_NONE}, {.kind = CUT_EACH}, {.kind = CUT_RANDOM}};
        for (size_t i = 0; i < 6; i++) {
            char *told = story_of(text_span(&bytes), false, i % 2, cuts[i / 2]);
            size_t length = strlen(told);
            if (over)
                assert_string_equal(told, "body [] long");
            else
                assert_string_equal(told + length - 15, "used 65536 keep");
            free(told);
        }
        text_fini(&bytes);
    }
}

/* Pipelined responses: each feed begins where the last response ended. */
static void test_one_after_the_other(void **state)
{
    (void)state;
    struct span rest =
        SPAN("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 304 N\r\n\r\n"
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n"
             "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nc");
    struct http1_reader reader;
    http1_reader_init(&reader);
    struct story story = {.told = TEXT_EMPTY, .body = TEXT_EMPTY};
    for (int i = 0; i < 4; i++) {
        size_t used = 0;
        http1_reader_expect(&reader, &events, &story, false, i % 2);
        assert_false(http1_reader_started(&reader));
        int result = http1_reader_feed(&reader, rest, &used);
        assert_int_equal(result, i < 3 ? HTTP1_DONE : HTTP1_MORE);
        assert_true(http1_reader_started(&reader));
        assert_int_equal(http1_reader_keeps(&reader), i < 3);
        rest.at += used;
        rest.bytes -= used;
        story.heads = 0;
    }
    assert_int_equal(rest.bytes, 0);
    assert_int_equal(http1_reader_finish(&reader), HTTP1_DONE);
    assert_false(http1_reader_keeps(&reader));
    assert_string_equal(text_span(&story.body).at, "abc");
    assert_int_equal(story.ends, 4);
    http1_reader_fini(&reader);
    text_fini(&story.told);
    text_fini(&story.body);
}

struct stopper {
    struct http1_reader reader;
    bool at_head;
    int bodies, ends;
};

static void stop_head(void *self, int status, struct span head)
{
    struct stopper *stopper = self;
    (void)status, (void)head;
    if (stopper->at_head)
        http1_reader_stop(&stopper->reader);
}

static void stop_body(void *self, struct span bytes)
{
    struct stopper *stopper = self;
    (void)bytes;
    stopper->bodies++;
    http1_reader_stop(&stopper->reader);
}

static void stop_end(void *self)
{
    ((struct stopper *)self)->ends++;
}

static void test_stop(void **state)
{
    (void)state;
    static const struct http1_events stopping = {stop_head, stop_body, stop_end};
    for (int i = 0; i < 4; i++) {
        struct stopper stopper = {.at_head = i % 2};
        size_t used;
        http1_reader_init(&stopper.reader);
        http1_reader_expect(&stopper.reader, &stopping, &stopper, false, i / 2);
        assert_int_equal(http1_reader_feed(&stopper.reader,
                                           SPAN("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                                                "\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"),
                                           &used),
                         -ECANCELED);
        assert_int_equal(stopper.bodies, i % 2 ? 0 : 1);
        assert_int_equal(stopper.ends, 0);
        assert_int_equal(http1_reader_finish(&stopper.reader), -ECANCELED);
        http1_reader_fini(&stopper.reader);
    }
}

static void test_words(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"\x15\x03\x01", "is https:// meant?"},
        {"<html>", "does not begin as HTTP/1.x does"},
        {"HTTP/1.1 101 Switching\r\n\r\n", "101"},
        {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "Content-Length"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http1_reader reader;
        struct story story = {.told = TEXT_EMPTY};
        size_t used;
        http1_reader_init(&reader);
        http1_reader_expect(&reader, &events, &story, false, false);
        assert_int_equal(http1_reader_feed(&reader, span_of(cases[i][0]), &used), -EBADMSG);
        assert_non_null(strstr(http1_reader_why(&reader), cases[i][1]));
        http1_reader_fini(&reader);
        text_fini(&story.told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),   cmocka_unit_test(test_bare_lf),
        cmocka_unit_test(test_head_limit), cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_stop),       cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
