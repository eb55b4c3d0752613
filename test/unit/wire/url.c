/* URLs: parts and refusals; percent-encoding; and joining by the examples of RFC 3986, 5.4. */
#include "wire/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* Last: it needs those above. */
// clang-format off
#include <cmocka.h>
// clang-format on

static void test_parts(void **state)
{
    (void)state;
    static const struct {
        const char *words, *host, *user, *path;
        unsigned port;
        bool tls, unix_socket, ipv6;
    } cases[] = {
        {"http://example.org", "example.org", "", "", 80, false, false, false},
        {"https://example.org/", "example.org", "", "/", 443, true, false, false},
        {"HTTPS://h:8443/a/b?c=d#e", "h", "", "/a/b?c=d", 8443, true, false, false},
        {"http://h:/x", "h", "", "/x", 80, false, false, false},
        {"http://h:65535", "h", "", "", 65535, false, false, false},
        {"http://me:pa@ss@h:1/", "h", "me:pa@ss", "/", 1, false, false, false},
        {"http://127.0.0.1:80/?a=/b:c@d", "127.0.0.1", "", "/?a=/b:c@d", 80, false, false, false},
        {"http://[::1]:8080/x", "::1", "", "/x", 8080, false, false, true},
        {"https://u:p@[2001:db8::1]", "2001:db8::1", "u:p", "", 443, true, false, true},
        {"http://[fe80::1%25eth0]/", "fe80::1%25eth0", "", "/", 80, false, false, true},
        {"http+unix:///run/x.sock:/path?q", "/run/x.sock", "", "/path?q", 0, false, true, false},
        {"http+unix:///run/x.sock", "/run/x.sock", "", "", 0, false, true, false},
        {"http+unix://%2Frun%2fx.sock/v1/x", "%2Frun%2fx.sock", "", "/v1/x", 0, false, true, false},
        {"http://h#x?y", "h", "", "", 80, false, false, false},
        {"http://h/{{id}}", "h", "", "/{{id}}", 80, false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct url url;
        const char *why = NULL;
        print_message("%s\n", cases[i].words);
        assert_int_equal(url_read(span_of(cases[i].words), &url, &why), 0);
        assert_true(span_equal(url.host, span_of(cases[i].host)));
        assert_true(span_equal(url.user, span_of(cases[i].user)));
        assert_true(span_equal(url.path, span_of(cases[i].path)));
        assert_int_equal(url.port, cases[i].port);
        assert_int_equal(url.tls, cases[i].tls);
        assert_int_equal(url.unix_socket, cases[i].unix_socket);
        assert_int_equal(url.ipv6, cases[i].ipv6);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "scheme"},
        {"localhost:8080/x", "scheme"},
        {"http:/h/", "scheme"},
        {"ftp://h/", "scheme"},
        {"://h", "scheme"},
        {"http://", "no host"},
        {"http:///x", "no host"},
        {"http://:80/", "no host"},
        {"http://u@/", "no host"},
        {"http://h:0/", "port"},
        {"http://h:65536/", "port"},
        {"http://h:8x/", "port"},
        {"http://h:-1/", "port"},
        {"http://::1/", "brackets"},
        {"http://[::1/", "bracket"},
        {"http://[::1]8/", "port"},
        {"http://[localhost]/", "IPv6"},
        {"http://[12]/", "IPv6"},
        {"http://a b/", "blank"},
        {"http://h/a b", "%20"},
        {"http://h/a\r\nX: y", "control"},
        {"http://h/\x7f", "control"},
        {"http://b\xc3\xbc"
         "cher.de/",
         "xn--"},
        {"http://h,i/", "character"},
        {"http://{{host}}/", "character"},
        {"http://h?x=1", "slash"},
        {"http+unix://x.sock:/a", "slash"},
        {"http+unix:///run/x.sock:a", "slash"},
        {"http+unix:///run/x?y", "question mark"},
        {"http+unix://", "slash"},
        {"http+unix:///", "no socket"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct url url = {.port = 7};
        const char *why = "";
        print_message("%s\n", cases[i][0]);
        assert_int_equal(url_read(span_of(cases[i][0]), &url, &why), URL_BAD);
        assert_non_null(strstr(why, cases[i][1]));
        assert_int_equal(url.port, 7); /* outputs are written on success only */
    }
    char name[300];
    memset(name, 'a', sizeof name);
    memcpy(name, "http://", 7);
    struct url url;
    const char *why;
    assert_int_equal(url_read((struct span){.at = name, .bytes = 7 + 253}, &url, &why), 0);
    assert_int_equal(url_read((struct span){.at = name, .bytes = 7 + 254}, &url, &why), URL_BAD);
}

static void test_encode(void **state)
{
    (void)state;
    struct text out = TEXT_EMPTY;
    text_puts(&out, "q=");
    url_encode(SPAN("aZ09-._~ &=+/?%\"\xc3\xbc\0!"), &out);
    assert_string_equal(out.at, "q=aZ09-._~%20%26%3D%2B%2F%3F%25%22%C3%BC%00%21");
    text_clear(&out);
    url_encode(SPAN(""), &out);
    assert_string_equal(out.at, "");
    text_fini(&out);
}

static void expect_join(const char *base, const char *reference, const char *expected)
{
    struct text out = TEXT_EMPTY;
    url_join(span_of(base), span_of(reference), &out);
    assert_string_equal(text_span(&out).at, expected);
    text_fini(&out);
}

/* RFC 3986, 5.4.1 and 5.4.2, as a strict reader has them. */
static void test_join_rfc(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y#s"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/./x", "http://a/b/c/g#s/./x"},
        {"g#s/../x", "http://a/b/c/g#s/../x"},
        {"http:g", "http:g"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_join("http://a/b/c/d;p?q", cases[i][0], cases[i][1]);
}

static void test_join_ours(void **state)
{
    (void)state;
    expect_join("http://h:81", "x", "http://h:81/x");
    expect_join("http://h:81", "?x", "http://h:81/?x");
    expect_join("https://h/a", "//i:9/b", "https://i:9/b");
    expect_join("https://h/a", "//i?b", "https://i/?b");
    expect_join("https://h/a", "http://j/../b", "http://j/b");
    expect_join("https://h/login", "/login?next=http://x/y", "https://h/login?next=http://x/y");
    expect_join("http+unix:///run/x.sock:/a/b", "c", "http+unix:///run/x.sock:/a/c");
    expect_join("http+unix:///run/x.sock:/a/b", "/c", "http+unix:///run/x.sock:/c");
    expect_join("http+unix:///run/x.sock", "/c", "http+unix:///run/x.sock:/c");
    expect_join("http+unix:///run/x.sock:/a", "//h/c", "http://h/c");
    expect_join("http+unix://%2Frun%2Fx/a", "/c", "http+unix://%2Frun%2Fx/c");
}

static void test_for_clients(void **state)
{
    (void)state;
    struct text url = TEXT_EMPTY, socket = TEXT_EMPTY;
    const char *why = NULL;
    assert_int_equal(url_client(SPAN("http://h:80/a"), SPAN("/metrics?x=1"), &url, &socket, &why),
                     0);
    assert_string_equal(url.at, "http://h:80/metrics?x=1");
    assert_int_equal(socket.bytes, 0);
    assert_int_equal(url_client(SPAN(""), SPAN("https://h/b"), &url, &socket, &why), 0);
    assert_string_equal(url.at, "https://h/b");
    assert_int_equal(
        url_client(SPAN("http+unix:///run/a%20b.sock:/v1"), SPAN("/health"), &url, &socket, &why),
        0);
    assert_string_equal(url.at, "http://localhost/health");
    assert_string_equal(socket.at, "/run/a b.sock");
    assert_int_equal(url_client(SPAN(""), SPAN("/metrics"), &url, &socket, &why), URL_BAD);
    text_fini(&url);
    text_fini(&socket);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),     cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_encode),    cmocka_unit_test(test_join_rfc),
        cmocka_unit_test(test_join_ours), cmocka_unit_test(test_for_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
