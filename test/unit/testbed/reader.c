/* Requests in one piece, byte by byte, and wrong ones. */
#include "testbed/reader.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Reads with the first `step` bytes shown, then `step` more, and so on, each time in memory of
 * exactly that size so that a sanitizer sees any look beyond it. */
static enum reader_result feed(const char *bytes, size_t count, size_t step,
                               struct request *request, int *status, char **kept)
{
    struct reader reader = {.searched = 0};
    enum reader_result result = READER_MORE;
    char *memory = NULL;
    for (size_t shown = 0; shown < count && result != READER_DONE && result != READER_BAD;) {
        size_t more = count - shown < step ? count - shown : step;
        memory = realloc(memory, shown + more);
        assert_non_null(memory);
        memcpy(memory + shown, bytes + shown, more); /* what was joined in place stays */
        shown += more;
        result = reader_read(&reader, memory, shown, 100, request, status);
    }
    *kept = memory;
    return result;
}

static void expect_done(const char *text, const char *path, const char *body, bool keep_alive)
{
    const size_t steps[] = {1, 2, 3, 7, 100000};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct request request;
        char *kept;
        int status = 0;
        enum reader_result result = feed(text, strlen(text), steps[i], &request, &status, &kept);
        if (result != READER_DONE)
            fail_msg("step %zu: result %d, status %d for\n%s", steps[i], result, status, text);
        assert_true(span_equal(request.path, span_of(path)));
        assert_true(span_equal(request.body, span_of(body)));
        assert_int_equal(request.keep_alive, keep_alive);
        assert_true(request.bytes <= strlen(text));
        free(kept);
    }
}

static void expect_bad(const char *text, int expected)
{
    const size_t steps[] = {1, 5, 100000};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct request request;
        char *kept;
        int status = 0;
        enum reader_result result = feed(text, strlen(text), steps[i], &request, &status, &kept);
        free(kept);
        if (result != READER_BAD || status != expected)
            fail_msg("step %zu: result %d, status %d, not %d for\n%s", steps[i], result, status,
                     expected, text);
    }
}

static void reads_requests(void **state)
{
    (void)state;
    expect_done("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "/", "", true);
    expect_done("GET /a?b=c HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", "/a", "", false);
    expect_done("GET /a HTTP/1.0\r\n\r\n", "/a", "", false);
    expect_done("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "/a", "", true);
    expect_done("\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", "/a", "", true);
    expect_done("GET /a HTTP/1.1\nHost: a\n\n", "/a", "", true);
    expect_done("GET http://a:80/b HTTP/1.1\r\nHost: a\r\n\r\n", "/b", "", true);
    expect_done("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "*", "", true);
    expect_done("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET", "/a", "hello",
                true);
    expect_done("POST /a HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n", "/a", "", true);
}

static void reads_chunked_bodies(void **state)
{
    (void)state;
    expect_done("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\nhello\r\n6;x=\"y\"\r\n world\r\n0\r\n\r\n",
                "/a", "hello world", true);
    expect_done("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                "00a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET /next",
                "/a", "0123456789", true);
    expect_done("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "/a",
                "", true);
}

static void refuses_what_is_wrong(void **state)
{
    (void)state;
    expect_bad("\x16\x03\x01\x02\n\n", 400);
    expect_bad("GET\r\n\r\n", 400);
    expect_bad("GET / HTTP/1.1\r\n\r\n", 400); /* no Host */
    expect_bad("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505);
    expect_bad("GET / HTTX/1.1\r\nHost: a\r\n\r\n", 400);
    expect_bad("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect_bad("GET nopath HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect_bad("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect_bad("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400);
    expect_bad("GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", 400);
    expect_bad("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400);
    expect_bad("GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", 400);
    expect_bad("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400);
    expect_bad("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400);
    expect_bad("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400);
    expect_bad("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", 413);
    expect_bad("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501);
    expect_bad("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
               "Content-Length: 1\r\n\r\n",
               400);
    expect_bad("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    expect_bad(CHUNKED "x\r\n", 400);
    expect_bad(CHUNKED "\r\n", 400);
    expect_bad(CHUNKED "-1\r\n", 400);
    expect_bad(CHUNKED "5 6\r\n", 400);
    expect_bad(CHUNKED "2\r\nabc\r\n0\r\n\r\n", 400);
    expect_bad(CHUNKED "65\r\n", 413);
    expect_bad(CHUNKED "40\r\n0123456789012345678901234567890123456789012345678901234567890123\r\n"
                       "40\r\n",
               413);
    expect_bad(CHUNKED "ffffffffffffffff\r\n", 400);
}

static void limits_the_head(void **state)
{
    size_t bytes = READER_HEAD_BYTES + 100;
    char *long_line = malloc(bytes + 1);
    (void)state;
    memset(long_line, 'a', bytes);
    long_line[bytes] = '\0';
    memcpy(long_line, "GET /", 5);
    struct request request;
    struct reader reader = {.searched = 0};
    int status = 0;
    assert_int_equal(reader_read(&reader, long_line, bytes, 100, &request, &status), READER_BAD);
    assert_int_equal(status, 431);
    free(long_line);
    char many[4096] = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < READER_HEADERS; i++)
        strcat(many, "A: b\r\n");
    strcat(many, "\r\n");
    expect_bad(many, 431);
}

static void asks_once_to_continue(void **state)
{
    char bytes[] =
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi";
    size_t all = sizeof bytes - 1;
    struct reader reader = {.searched = 0};
    struct request request;
    int status = 0;
    (void)state;
    assert_int_equal(reader_read(&reader, bytes, all - 2, 9, &request, &status), READER_CONTINUE);
    assert_int_equal(reader_read(&reader, bytes, all - 1, 9, &request, &status), READER_MORE);
    assert_int_equal(reader_read(&reader, bytes, all, 9, &request, &status), READER_DONE);
    assert_true(span_equal(request.body, SPAN("hi")));
}

static void finds_headers_and_query(void **state)
{
    char bytes[] = "GET /w?service_us=12&x=&service=3 HTTP/1.1\r\nHost: a\r\nX-One:  two \r\n\r\n";
    struct reader reader = {.searched = 0};
    struct request request;
    int status = 0;
    (void)state;
    assert_int_equal(reader_read(&reader, bytes, sizeof bytes - 1, 9, &request, &status),
                     READER_DONE);
    assert_true(span_equal(request_header(&request, "x-one"), SPAN("two")));
    assert_null(request_header(&request, "x-on").at);
    assert_true(span_equal(request_query(&request, "service_us"), SPAN("12")));
    assert_true(span_equal(request_query(&request, "service"), SPAN("3")));
    assert_non_null(request_query(&request, "x").at);
    assert_null(request_query(&request, "us").at);
}

/* Whatever bytes come in whatever pieces, the reader ends with an answer, looks at nothing beyond
 * what it was shown (a sanitizer sees to that) and hands out only spans within it. */
static void survives_mutations(void **state)
{
    static const char *const seeds[] = {
        "GET /a?b=c HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, x\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n",
        ("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
         "1;x\r\n!\r\n0\r\nT: x\r\n\r\n"),
    };
    struct random random = {.key = random_key(1, "mutations", 0)};
    size_t results[4] = {0};
    (void)state;
    for (int round = 0; round < 60000; round++) {
        const char *seed = seeds[random_below_of(random_next(&random), 3)];
        char bytes[256];
        size_t count = strlen(seed);
        memcpy(bytes, seed, count);
        uint64_t changes = random_below_of(random_next(&random), 4);
        for (uint64_t i = 0; i < changes; i++) {
            size_t at = (size_t)random_below_of(random_next(&random), count);
            if (random_next(&random) & 1)
                bytes[at] = "\r\n:; 0f\0"[random_next(&random) & 7];
            else
                memmove(bytes + at, bytes + at + 1, --count - at);
        }
        struct request request;
        char *kept;
        int status = 0;
        enum reader_result result =
            feed(bytes, count, 1 + (size_t)random_below_of(random_next(&random), 40), &request,
                 &status, &kept);
        results[result]++;
        if (result == READER_DONE) {
            assert_true(request.bytes <= count);
            assert_true(request.body.at >= kept &&
                        request.body.at + request.body.bytes <= kept + request.bytes);
        } else if (result == READER_BAD) {
            assert_true(status >= 400 && status <= 505);
        }
        free(kept);
    }
    assert_true(results[READER_DONE] > 10000 && results[READER_BAD] > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_requests),        cmocka_unit_test(reads_chunked_bodies),
        cmocka_unit_test(refuses_what_is_wrong), cmocka_unit_test(limits_the_head),
        cmocka_unit_test(asks_once_to_continue), cmocka_unit_test(finds_headers_and_query),
        cmocka_unit_test(survives_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
