/* The JSON scanner: what a path finds, what it refuses, texts, numbers and escapes. test/fuzz holds
 * it against another reader of JSON on many more documents. */
#include "wire/json.h"
#include "base/random.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* Last: it needs those above. */
// clang-format off
#include <cmocka.h>
// clang-format on

static struct json_value find(struct span bytes, const char *words)
{
    struct json_path path;
    size_t at;
    const char *why;
    assert_int_equal(json_path_compile(span_of(words), &path, &at, &why), 0);
    struct json_value value = json_find(bytes, &path);
    json_path_fini(&path);
    return value;
}

/* Finds in a copy that ends where the memory does. */
static void expect_found(const char *bytes, const char *path, enum json_kind kind, const char *raw)
{
    struct span whole = span_of(bytes);
    char *copy = malloc(whole.bytes ? whole.bytes : 1);
    memcpy(copy, whole.at, whole.bytes);
    struct json_value value = find((struct span){.at = copy, .bytes = whole.bytes}, path);
    print_message("%s of %s\n", path, bytes);
    assert_int_equal(value.kind, kind);
    assert_true(span_equal(value.raw, span_of(raw)));
    free(copy);
}

#define CHUNK                                                                                      \
    "{\"id\":\"x-1\",\"object\":\"chat.completion.chunk\",\"choices\": [ {\"index\":0,\"delta\""   \
    ":{\"role\":\"assistant\",\"content\":\"He said \\\"hi\\\" }]\"},\"finish_reason\":null} , "   \
    "{\"index\":1}],\"usage\":{\"total_tokens\":-12.5e+2},\"ok\":true,\"no\":false,\"\":7,"        \
    "\"odd.key[0]\":8,\"caf\\u00e9\":9,\"empty\":[],\"none\":{}}"

static void test_found(void **state)
{
    (void)state;
    expect_found(CHUNK, "id", JSON_STRING, "x-1");
    expect_found(CHUNK, "$.id", JSON_STRING, "x-1");
    expect_found(CHUNK, "choices[0].delta.content", JSON_STRING, "He said \\\"hi\\\" }]");
    expect_found(CHUNK, "$.choices[1].index", JSON_NUMBER, "1");
    expect_found(CHUNK, "choices[-1]", JSON_OBJECT, "{\"index\":1}");
    expect_found(CHUNK, "choices[-2].index", JSON_NUMBER, "0");
    expect_found(CHUNK, "choices[0].finish_reason", JSON_NULL, "null");
    expect_found(CHUNK, "$['usage'][\"total_tokens\"]", JSON_NUMBER, "-12.5e+2");
    expect_found(CHUNK, "ok", JSON_TRUE, "true");
    expect_found(CHUNK, "no", JSON_FALSE, "false");
    expect_found(CHUNK, "['']", JSON_NUMBER, "7");
    expect_found(CHUNK, "['odd.key[0]']", JSON_NUMBER, "8");
    expect_found(CHUNK, "caf\xc3\xa9", JSON_NUMBER, "9");
    expect_found(CHUNK, "empty", JSON_ARRAY, "[]");
    expect_found(CHUNK, "none", JSON_OBJECT, "{}");
    expect_found(CHUNK, "", JSON_OBJECT, CHUNK);
    expect_found(CHUNK, "$", JSON_OBJECT, CHUNK);
    expect_found(" \n\t\"x\"  ", "", JSON_STRING, "x");
    expect_found("-0", "", JSON_NUMBER, "-0");
    expect_found("[[1,2],[3,[4]]]", "[1][1][0]", JSON_NUMBER, "4");
    expect_found("{\"a\":1,\"a\":2}", "a", JSON_NUMBER, "1"); /* the first counts */
    expect_found("{\"it's\":1}", "['it\\'s']", JSON_NUMBER, "1");
    expect_found("{\"$x\":1}", "$x", JSON_NUMBER, "1");
    expect_found("{\"a\\\\\":1,\"b\":2}", "b", JSON_NUMBER, "2"); /* backslash before the quote */
    expect_found("{\"12345678\\\"\":1,\"b\":2}", "b", JSON_NUMBER, "2");
}

static void test_absent(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {CHUNK, "nothing"},
        {CHUNK, "id.more"},
        {CHUNK, "id[0]"},
        {CHUNK, "choices[2]"},
        {CHUNK, "choices[-3]"},
        {CHUNK, "choices.index"},
        {CHUNK, "empty[0]"},
        {CHUNK, "empty[-1]"},
        {CHUNK, "none.x"},
        {CHUNK, "ID"},
        {"", ""},
        {"   ", ""},
        {"", "a"},
        {"{", "a"},
        {"{\"a\"", "a"},
        {"{\"a\":", "a"},
        {"{\"a\":\"b", "a"},
        {"{\"a\":\"b\\", "a"},
        {"{\"a\":\"b\\\"", "a"},
        {"{\"a\":[1,2", "a"},
        {"{\"a\":[1,2}", "a"},
        {"{\"a\":{\"b\":1]}", "a"},
        {"{\"b\":[}],\"a\":1}", "a"},
        {"{\"b\" 1,\"a\":1}", "a"},
        {"{\"b\":1 \"a\":1}", "a"},
        {"{\"b\":1,,\"a\":1}", "a"},
        {"{b:1,\"a\":1}", "a"},
        {"{\"a\":01}", "a"},
        {"{\"a\":1.}", "a"},
        {"{\"a\":.5}", "a"},
        {"{\"a\":+1}", "a"},
        {"{\"a\":1e}", "a"},
        {"{\"a\":-}", "a"},
        {"{\"a\":1x}", "a"},
        {"{\"a\":NaN}", "a"},
        {"{\"a\":truex}", "a"},
        {"{\"a\":tru", "a"},
        {"{\"a\":True}", "a"},
        {"{\"a\":'x'}", "a"},
        {"[1 2]", "[1]"},
        {"[1,]", "[1]"},
        {"[,1]", "[1]"},
        {"[1 2]", "[-1]"},
        {"<html>", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_found(cases[i][0], cases[i][1], JSON_ABSENT, "");
}

static void test_depth(void **state)
{
    (void)state;
    for (size_t depth = 1; depth < JSON_DEPTH + 3; depth++) {
        struct text nested = TEXT_EMPTY;
        for (size_t i = 0; i < depth; i++)
            text_puts(&nested, i % 3 ? "[" : "{\"k\":");
        text_puts(&nested, "1");
        for (size_t i = depth; i > 0; i--)
            text_putc(&nested, (i - 1) % 3 ? ']' : '}');
        struct json_value value = find(text_span(&nested), "");
        assert_int_equal(value.kind, depth <= JSON_DEPTH ? JSON_OBJECT : JSON_ABSENT);
        text_fini(&nested);
    }
}

/* Cut anywhere, a document has either the same value or none. */
static void test_truncated(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "id", "choices[0].delta.content", "choices[-1].index", "usage.total_tokens", "none", ""};
    struct span whole = SPAN(CHUNK);
    for (size_t p = 0; p < sizeof paths / sizeof *paths; p++) {
        struct json_value expected = find(whole, paths[p]);
        for (size_t bytes = 0; bytes < whole.bytes; bytes++) {
            char *copy = malloc(bytes + 1);
            memcpy(copy, whole.at, bytes);
            struct json_value value = find((struct span){.at = copy, .bytes = bytes}, paths[p]);
            if (value.kind == JSON_NUMBER) /* a cut number may be a number still */
                assert_memory_equal(value.raw.at, expected.raw.at, value.raw.bytes);
            else if (value.kind != JSON_ABSENT)
                assert_true(span_equal(value.raw, expected.raw));
            free(copy);
        }
    }
}

static void test_path_refused(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        size_t at;
        const char *why;
    } cases[] = {
        {"a.", 2, "key"},
        {".a", 0, "key"},
        {"a..b", 2, "key"},
        {"$.", 2, "key"},
        {"a[", 2, "index"},
        {"a[]", 2, "index"},
        {"a[x]", 2, "index"},
        {"a[-]", 2, "index"},
        {"a[1", 1, "not closed"},
        {"a['b]", 2, "quote"},
        {"a['b'", 1, "not closed"},
        {"a[0]b", 4, "dot"},
        {"a]", 1, "dot"},
        {"a.*", 2, "*"},
        {"a[*]", 2, "*"},
        {"a[99999999999]", 2, "1000000000"},
        {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", 33, "16"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_path path;
        size_t at = 99;
        const char *why = "";
        print_message("%s\n", cases[i].words);
        assert_int_equal(json_path_compile(span_of(cases[i].words), &path, &at, &why),
                         JSON_PATH_BAD);
        assert_int_equal(at, cases[i].at);
        assert_non_null(strstr(why, cases[i].why));
    }
}

static void expect_text(const char *raw, const char *expected, size_t bytes)
{
    struct text out = TEXT_EMPTY;
    text_puts(&out, "was");
    struct json_value value = {.kind = JSON_STRING, .raw = span_of(raw)};
    int error = json_text(value, &out);
    if (!expected) {
        assert_int_equal(error, -EILSEQ);
        assert_string_equal(out.at, "was");
    } else {
        assert_int_equal(error, 0);
        assert_int_equal(out.bytes, bytes + 3);
        assert_memory_equal(out.at + 3, expected, bytes);
    }
    text_fini(&out);
}

#define EXPECT_TEXT(raw, expected) expect_text(raw, expected, sizeof(expected) - 1)

static void test_text(void **state)
{
    (void)state;
    EXPECT_TEXT("plain \xc3\xa9", "plain \xc3\xa9");
    EXPECT_TEXT("", "");
    EXPECT_TEXT("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t");
    EXPECT_TEXT("a\\u0041\\u00e9\\u20ac\\uD83D\\uDE00b", "aA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"
                                                         "b");
    EXPECT_TEXT("\\u0000", "\0");
    EXPECT_TEXT("\\u007f\\u0080\\u07ff\\u0800\\uffff",
                "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf");
    EXPECT_TEXT("\\udbff\\udfff", "\xf4\x8f\xbf\xbf");
    static const char *const wrong[] = {"\\",      "\\x",       "\\u12",         "\\u12g4",
                                        "\\ud83d", "\\ud83dx",  "\\ud83d\\n",    "\\ud83d\\u0041",
                                        "\\ude00", "ok\\u 123", "\\ud83d\\ud83d"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_text(wrong[i], NULL, 0);
}

static void test_number(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        double number;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"1", 1},
        {"-12.5e+2", -1250},
        {"0.1", 0.1},
        {"3.14159", 3.14159},
        {"1e308", 1e308},
        {"123456789012345", 123456789012345},
        {"5e-324", 5e-324},
        {"0.000000000000001", 1e-15},
        {"9007199254740993", 9007199254740992.0}, /* halfway goes to even */
        {"0.30000000000000004", 0.30000000000000004},
        {"1e-400", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_value value = {.kind = JSON_NUMBER, .raw = span_of(cases[i].raw)};
        double number = 99;
        assert_int_equal(json_number(value, &number), 0);
        assert_true(number == cases[i].number);
    }
    double untouched = 99;
    struct json_value huge = {.kind = JSON_NUMBER, .raw = SPAN("1e999")};
    struct json_value text = {.kind = JSON_STRING, .raw = SPAN("1")};
    assert_int_equal(json_number(huge, &untouched), -EINVAL);
    assert_int_equal(json_number(text, &untouched), -EINVAL);
    assert_true(untouched == 99);
}

/* Every double printed with 17 digits comes back the same; so does every short decimal. */
static void test_number_round_trip(void **state)
{
    (void)state;
    struct random random = {.key = 1};
    for (int i = 0; i < 20000; i++) {
        char words[64];
        uint64_t bits = random_next(&random);
        double number, back = 0;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number))
            continue;
        if (i % 2)
            number = (double)(int64_t)(bits % 100000000) / 1000;
        snprintf(words, sizeof words, i % 2 ? "%.3f" : "%.17g", number);
        struct json_value value = {.kind = JSON_NUMBER, .raw = span_of(words)};
        assert_int_equal(json_number(value, &back), 0);
        assert_true(back == number);
    }
}

static void test_escape(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"plain \xc3\xa9 \xf0\x9f\x98\x80", "plain \xc3\xa9 \xf0\x9f\x98\x80"},
        {"\"\\/\b\f\n\r\t\x01\x1f\x7f", "\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f"},
        /* Not UTF-8: stray, overlong, surrogate, too high, cut. Unicode 15, tables 3-8 to 3-11. */
        {"a\x80z", "a\xef\xbf\xbdz"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x91\x92\x93", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x41"},
        {"x\xe2\x82", "x\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text out = TEXT_EMPTY;
        json_escape(span_of(cases[i][0]), &out);
        assert_string_equal(text_span(&out).at, cases[i][1]);
        text_fini(&out);
    }
    struct text zero = TEXT_EMPTY;
    json_escape(SPAN("a\0b"), &zero);
    assert_string_equal(zero.at, "a\\u0000b");
    text_fini(&zero);
}

/* Escaping and reading back gives the same text, for all that is UTF-8. */
static void test_escape_round_trip(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 0x800; code++) {
        char bytes[2] = {(char)code, 0};
        size_t count = 1;
        if (code >= 0x80) {
            bytes[0] = (char)(0xc0 | code >> 6);
            bytes[1] = (char)(0x80 | (code & 0x3f));
            count = 2;
        }
        struct text escaped = TEXT_EMPTY, back = TEXT_EMPTY;
        json_escape((struct span){.at = bytes, .bytes = count}, &escaped);
        struct json_value value = {.kind = JSON_STRING, .raw = text_span(&escaped)};
        assert_int_equal(json_text(value, &back), 0);
        assert_true(span_equal(text_span(&back), (struct span){.at = bytes, .bytes = count}));
        text_fini(&escaped);
        text_fini(&back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_depth),        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_path_refused), cmocka_unit_test(test_text),
        cmocka_unit_test(test_number),       cmocka_unit_test(test_number_round_trip),
        cmocka_unit_test(test_escape),       cmocka_unit_test(test_escape_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
