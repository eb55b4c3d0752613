/* Look-ups in JSON without a tree: members, elements, escapes, and what is not there. */
#include "testbed/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void is(struct span span, const char *text)
{
    assert_int_equal(span.bytes, strlen(text));
    assert_memory_equal(span.at, text, span.bytes);
}

static void members_are_found(void **state)
{
    struct span body =
        SPAN(" { \"a\" : 1 , \"b,}\" : { \"c\" : [ 1 , \"x]\" , {} ] , \"d\":\"\\\"}\"}"
             ", \"e\" : null,\"f\":-1.5e3}");
    struct span value, rest, element;
    double number;
    uint64_t whole;
    (void)state;
    assert_true(value_is_valid(body));
    assert_true(value_member(body, "a", &value));
    is(value, "1");
    assert_int_equal(value_uint(value, &whole), 0);
    assert_int_equal(whole, 1);
    assert_true(value_at(body, "b,}.c", &value));
    is(value, "[ 1 , \"x]\" , {} ]");
    rest = value_inside(value);
    assert_true(value_next(&rest, &element));
    is(element, "1");
    assert_true(value_next(&rest, &element));
    is(element, "\"x]\"");
    assert_true(value_next(&rest, &element));
    is(element, "{}");
    assert_false(value_next(&rest, &element));
    assert_true(value_at(body, "b,}.d", &value));
    is(value, "\"\\\"}\"");
    assert_true(value_member(body, "e", &value));
    assert_false(value_is_given(value));
    assert_true(value_member(body, "f", &value));
    assert_int_equal(value_real(value, &number), 0);
    assert_true(number > -1500.1 && number < -1499.9);
}

static void what_is_not_there_is_not_found(void **state)
{
    struct span value;
    (void)state;
    assert_false(value_member(SPAN("{\"a\":{\"b\":1}}"), "b", &value));
    assert_null(value.at);
    assert_false(value_at(SPAN("{\"a\":{\"b\":1}}"), "a.c", &value));
    assert_false(value_at(SPAN("{\"a\":[1]}"), "a.b", &value));
    assert_false(value_member(SPAN("[\"a\",1]"), "a", &value));
    assert_false(value_member(SPAN("{}"), "a", &value));
    assert_false(value_member(SPAN(""), "a", &value));
    struct span rest = value_inside(SPAN("[ ]"));
    assert_false(value_next(&rest, &value));
    assert_false(value_is_valid(SPAN("{\"a\":}")));
    assert_false(value_is_valid(SPAN("{} {}")));
}

static void escapes_are_undone(void **state)
{
    static const struct {
        const char *json, *text;
    } rows[] = {
        {"\"\"", ""},
        {"\"plain\"", "plain"},
        {"\"a\\nb\\t\\\"\\\\\\/\"", "a\nb\t\"\\/"},
        {"\"\\u00e9\\u20AC\"", "\xC3\xA9\xE2\x82\xAC"},
        {"\"\\ud83d\\ude00!\"", "\xF0\x9F\x98\x80!"},
        {"\"\\ud83dx\"", "\xEF\xBF\xBDx"},
        {"\"\\ud83d\\u0041\"", "\xEF\xBF\xBD"
                               "A"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text out = TEXT_EMPTY;
        assert_true(value_is_valid(span_of(rows[i].json)));
        assert_true(value_text(span_of(rows[i].json), &out));
        is(text_span(&out), rows[i].text);
        text_fini(&out);
    }
    struct text out = TEXT_EMPTY;
    assert_false(value_text(SPAN("17"), &out));
    assert_int_equal(out.bytes, 0);
}

/* Cut at any byte, and with any byte changed, nothing outside is read (seen by the sanitizers). */
static void broken_texts_do_no_harm(void **state)
{
    static const char whole[] = "{\"a\":{\"b\":[1,\"\\u12ab\\n\"]},\"c\":\"d\"}";
    (void)state;
    for (size_t bytes = 0; bytes < sizeof whole; bytes++) {
        for (int change = 0; change < 4; change++) {
            char copy[sizeof whole];
            struct span value;
            memcpy(copy, whole, bytes);
            if (bytes && change)
                copy[bytes / 2] = "\"]{"[change - 1];
            struct span cut = {.at = copy, .bytes = bytes};
            value_at(cut, "a.b", &value);
            value_member(cut, "c", &value);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(escapes_are_undone),
        cmocka_unit_test(broken_texts_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
