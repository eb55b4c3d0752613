/* Texts that are JSON and texts that are not; and that values are told with their paths. */
#include "testbed/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void note(void *self, struct span path, enum json_kind kind, struct span value)
{
    text_printf(self, "%.*s(%d)=%.*s;", (int)path.bytes, path.at, (int)kind, (int)value.bytes,
                value.at);
}

static void tells_paths(void **state)
{
    struct text told = TEXT_EMPTY;
    (void)state;
    assert_int_equal(
        json_walk(SPAN(" {\"a\": {\"b\": [1, -2.5e+3, {\"c\": \"x\\\"y\\u00e9\"}], \"d\": true},"
                       "\"e\": [], \"f\": {}, \"g\": null, \"h\": false}\n"),
                  note, &told),
        0);
    assert_string_equal(told.at, "a.b.[](1)=1;a.b.[](1)=-2.5e+3;a.b.[].c(0)=x\\\"y\\u00e9;"
                                 "a.d(2)=true;g(4)=null;h(3)=false;");
    text_fini(&told);
}

static void refuses_what_is_not_json(void **state)
{
    static const char *const wrong[] = {
        "",       "{",         "}",          "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
        "[1,]",   "[1 2]",     "01",         "1.",      ".5",       "1e",
        "-",      "tru",       "nullx",      "\"a",     "\"\\x\"",  "\"\\u12g4\"",
        "\"\t\"", "{a:1}",     "{\"a\":1}}", "1 2",     "'a'",      "\"\\",
        "[1}",    "{\"a\":1]", "\"\\u12\"",  "--1",     "+1",       "[",
    };
    struct text told = TEXT_EMPTY;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (json_walk(span_of(wrong[i]), note, &told) == 0)
            fail_msg("taken: %s", wrong[i]);
    }
    text_fini(&told);
}

static void limits_depth_and_path(void **state)
{
    char deep[2 * JSON_DEPTH + 4];
    struct text told = TEXT_EMPTY, wide = TEXT_EMPTY;
    (void)state;
    memset(deep, '[', JSON_DEPTH);
    memset(deep + JSON_DEPTH, ']', JSON_DEPTH);
    struct span most = {.at = deep, .bytes = 2 * JSON_DEPTH};
    assert_int_equal(json_walk(most, note, &told), 0);
    memset(deep, '[', JSON_DEPTH + 1);
    memset(deep + JSON_DEPTH + 1, ']', JSON_DEPTH + 1);
    most.bytes += 2;
    assert_true(json_walk(most, note, &told) < 0);
    text_puts(&wide, "{\"");
    for (int i = 0; i < 1000; i++)
        text_putc(&wide, 'w');
    text_puts(&wide, "\":{\"x\":1}}");
    text_clear(&told);
    assert_int_equal(json_walk(text_span(&wide), note, &told), 0);
    assert_int_equal(told.bytes, JSON_PATH + strlen("(1)=1;"));
    text_fini(&told);
    text_fini(&wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_paths),
        cmocka_unit_test(refuses_what_is_not_json),
        cmocka_unit_test(limits_depth_and_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
