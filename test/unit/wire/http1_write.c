/* Requests to bytes, and lines of a head to names and values. */
#include "wire/http1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* Last: it needs those above. */
// clang-format off
#include <cmocka.h>
// clang-format on

static void expect_request(struct http1_request request, const char *expected)
{
    struct text out = TEXT_EMPTY;
    text_puts(&out, "before"); /* it appends */
    http1_write_request(&request, &out);
    assert_string_equal(out.at + 6, expected);
    assert_int_equal(out.bytes, 6 + strlen(expected));
    text_fini(&out);
}

static void test_requests(void **state)
{
    (void)state;
    struct http1_request request = {
        .method = SPAN("GET"), .path = SPAN("/v1/models?x=1"), .host = SPAN("example.org:8080")};
    expect_request(request, "GET /v1/models?x=1 HTTP/1.1\r\nHost: example.org:8080\r\n\r\n");
    request.headers = SPAN("Accept: */*\r\nX-A: b\r\n");
    expect_request(request, "GET /v1/models?x=1 HTTP/1.1\r\nHost: example.org:8080\r\n"
                            "Accept: */*\r\nX-A: b\r\n\r\n");
    request.method = SPAN("POST");
    request.path = (struct span){.at = NULL, .bytes = 0};
    request.has_body = true;
    expect_request(request, "POST / HTTP/1.1\r\nHost: example.org:8080\r\n"
                            "Accept: */*\r\nX-A: b\r\nContent-Length: 0\r\n\r\n");
    request.body = SPAN("{\"a\":\"0123456789\"}");
    request.has_body = false; /* a body is never sent without its length */
    expect_request(request, "POST / HTTP/1.1\r\nHost: example.org:8080\r\nAccept: */*\r\nX-A: b\r\n"
                            "Content-Length: 18\r\n\r\n{\"a\":\"0123456789\"}");
}

static void test_sizes(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < 300; bytes++) { /* room at every size of the text */
        char *body = malloc(bytes + 1);
        memset(body, 'b', bytes);
        struct http1_request request = {.method = SPAN("PUT"),
                                        .path = SPAN("/"),
                                        .host = SPAN("h"),
                                        .has_body = true,
                                        .body = {.at = body, .bytes = bytes}};
        struct text out = TEXT_EMPTY, expected = TEXT_EMPTY;
        http1_write_request(&request, &out);
        text_printf(&expected, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", bytes);
        text_put(&expected, request.body);
        assert_string_equal(out.at, expected.at);
        text_fini(&out);
        text_fini(&expected);
        free(body);
    }
}

static void test_header_ok(void **state)
{
    (void)state;
    assert_true(http1_header_ok(SPAN("X-Api_Key.1"), SPAN("any \xc3\xa9 \t value: ok")));
    assert_true(http1_header_ok(SPAN("a"), SPAN("")));
    assert_false(http1_header_ok(SPAN(""), SPAN("x")));
    assert_false(http1_header_ok(SPAN("a b"), SPAN("x")));
    assert_false(http1_header_ok(SPAN("a:"), SPAN("x")));
    assert_false(http1_header_ok(SPAN("a\r\nb"), SPAN("x")));
    assert_false(http1_header_ok(SPAN("a\0b"), SPAN("x")));
    assert_false(http1_header_ok(SPAN("a"), SPAN("x\r\nHost: evil")));
    assert_false(http1_header_ok(SPAN("a"), SPAN("x\ny")));
    assert_false(http1_header_ok(SPAN("a"), SPAN("x\0y")));
}

static void test_head_lines(void **state)
{
    (void)state;
    const struct span lines = SPAN("Date: today\r\nset-cookie:  a=1 \r\nX-Folded: one\r\n\ttwo\r\n"
                                   "Set-Cookie: b=2\nEmpty:\r\n");
    struct span value = {.at = NULL, .bytes = 0}, name, rest = lines;
    assert_true(http1_head_find(lines, SPAN("Set-Cookie"), &value));
    assert_true(span_equal(value, SPAN("a=1")));
    assert_true(http1_head_find(lines, SPAN("x-folded"), &value));
    assert_true(span_equal(value, SPAN("one\r\n\ttwo")));
    assert_true(http1_head_find(lines, SPAN("EMPTY"), &value));
    assert_int_equal(value.bytes, 0);
    assert_false(http1_head_find(lines, SPAN("two"), &value));
    assert_false(http1_head_find(SPAN(""), SPAN("a"), &value));
    int count = 0, cookies = 0;
    while (http1_head_next(&rest, &name, &value)) {
        count++;
        cookies += span_equal_nocase(name, SPAN("set-cookie"));
    }
    assert_int_equal(count, 5);
    assert_int_equal(cookies, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_header_ok),
        cmocka_unit_test(test_head_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
