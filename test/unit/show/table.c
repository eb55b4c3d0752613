/* Tables: alignment, and what gives way when the page is narrow. */
#include "show/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct table *sample(void)
{
    static const struct table_column columns[] = {
        {"request", false, 0},
        {"count", true, 0},
        {"min", true, 2},
        {"max", true, 1},
    };
    struct table *table = table_new(columns, 4);
    const char *const cells[] = {"chat", "5,335", "97ms", "≥10s", "a/very/long/name",
                                 "7",    "420µs", "1.35s"};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        table_cell(table, cells[i]);
    return table;
}

static void assert_table(unsigned indent, unsigned columns, const char *expected)
{
    struct table *table = sample();
    struct text out = TEXT_EMPTY;
    table_put(table, indent, columns, false, &out);
    assert_string_equal(out.at, expected);
    text_fini(&out);
    table_free(table);
}

static void test_aligned(void **state)
{
    (void)state;
    assert_table(0, 80,
                 "request           count    min    max\n"
                 "chat              5,335   97ms   ≥10s\n"
                 "a/very/long/name      7  420µs  1.35s\n");
    assert_table(2, 80,
                 "  request           count    min    max\n"
                 "  chat              5,335   97ms   ≥10s\n"
                 "  a/very/long/name      7  420µs  1.35s\n");
}

static void test_gives_way(void **state)
{
    (void)state;
    assert_table(0, 36, /* moves together */
                 "request          count   min   max\n"
                 "chat             5,335  97ms  ≥10s\n"
                 "a/very/long/name     7 420µs 1.35s\n");
    assert_table(0, 30, /* leaves out `min`, then fits */
                 "request          count   max\n"
                 "chat             5,335  ≥10s\n"
                 "a/very/long/name     7 1.35s\n");
    assert_table(0, 19, /* leaves out both, and cuts the name */
                 "request       count\n"
                 "chat          5,335\n"
                 "a/very/long/…     7\n");
}

static void test_narrowest(void **state)
{
    (void)state;
    assert_table(0, 1, "request      count\nchat         5,335\na/very/long…     7\n");
}

static void test_no_titles_and_tones(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{"", false, 0}, {"", false, 0}};
    struct table *table = table_new(columns, 2);
    struct text out = TEXT_EMPTY;
    table_put(table, 0, 80, true, &out);
    assert_null(out.at);
    table_cell(table, "a");
    table_cell_tone(table, "b", TONE_GOOD);
    table_cell(table, "c");
    table_cell(table, "");
    assert_int_equal(table_rows(table), 2);
    table_put(table, 0, 80, true, &out);
    assert_string_equal(out.at, "a  \x1b[32mb\x1b[0m\nc\n"); /* no line ends in blanks */
    text_fini(&out);
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aligned),
        cmocka_unit_test(test_gives_way),
        cmocka_unit_test(test_narrowest),
        cmocka_unit_test(test_no_titles_and_tones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
