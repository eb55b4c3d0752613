/* Spans, growing texts, and the distance behind "did you mean". */
#include "base/text.h"

#include "base/random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void spans_compare_bytes(void **state)
{
    (void)state;
    assert_true(span_equal(SPAN("abc"), span_of("abc")));
    assert_false(span_equal(SPAN("abc"), SPAN("abd")));
    assert_false(span_equal(SPAN("abc"), SPAN("ab")));
    assert_false(span_equal(SPAN("a\0b"), SPAN("a\0c")));
    assert_true(span_equal(span_of(NULL), SPAN("")));
    assert_true(span_equal_nocase(SPAN("Content-Length"), SPAN("content-LENGTH")));
    assert_false(span_equal_nocase(SPAN("Content-Length"), SPAN("content_length")));
    assert_false(span_equal_nocase(SPAN("a"), SPAN("ab")));
    assert_true(span_begins(SPAN("data: 1"), SPAN("data:")));
    assert_true(span_begins(SPAN("data"), SPAN("")));
    assert_true(span_begins(SPAN(""), span_of(NULL)));
    assert_false(span_begins(SPAN("dat"), SPAN("data")));
}

static void spans_are_trimmed_at_both_ends(void **state)
{
    (void)state;
    assert_true(span_equal(span_trim(SPAN(" \t\r\n a b \n")), SPAN("a b")));
    assert_true(span_equal(span_trim(SPAN(" \t ")), SPAN("")));
    assert_true(span_equal(span_trim(SPAN("")), SPAN("")));
    assert_true(span_equal(span_trim(SPAN("\v")), SPAN("\v")));
}

static void unsigned_decimals_fill_the_span(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_int_equal(span_uint(SPAN("0"), &value), 0);
    assert_int_equal(value, 0);
    assert_int_equal(span_uint(SPAN("18446744073709551615"), &value), 0);
    assert_int_equal(value, UINT64_MAX);
    assert_int_equal(span_uint(SPAN("0000000000000000000000042"), &value), 0);
    assert_int_equal(value, 42);
    static const char *const wrong[] = {
        "", "18446744073709551616", "99999999999999999999", "-1", "+1", " 1", "1 ", "0x1", "1e3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(span_uint(span_of(wrong[i]), &value), -EINVAL);
    assert_int_equal(value, 42);
}

static void texts_grow_and_stay_ended_by_a_zero(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    assert_int_equal(text_span(&text).bytes, 0);
    char expected[5001] = "";
    for (size_t i = 0; i < 5000; i++) {
        char byte = (char)('a' + i % 26);
        expected[i] = byte;
        text_putc(&text, byte);
        assert_int_equal(text.bytes, i + 1);
        assert_int_equal(text.at[i + 1], 0);
        assert_true(text.room > text.bytes);
    }
    assert_string_equal(text.at, expected);
    size_t room = text.room;
    text_clear(&text);
    assert_int_equal(text.room, room);
    assert_string_equal(text.at, "");
    text_fini(&text);
    assert_null(text.at);
    text_puts(&text, "again");
    assert_string_equal(text.at, "again");
    text_fini(&text);
}

static void texts_take_all_kinds(void **state)
{
    (void)state;
    struct text text = TEXT_EMPTY;
    text_puts(&text, NULL);
    text_put_uint(&text, 0);
    text_putc(&text, ' ');
    text_put_uint(&text, UINT64_MAX);
    text_printf(&text, " %s=%d%%", "share", 12);
    text_put(&text, SPAN("\0x"));
    assert_int_equal(text.bytes, 1 + 1 + 20 + 10 + 2);
    assert_memory_equal(text.at, "0 18446744073709551615 share=12%\0x", 35);
    char *taken = text_take(&text);
    assert_int_equal(taken[33], 'x');
    free(taken);
    assert_null(text.at);
    taken = text_take(&text);
    assert_string_equal(taken, "");
    free(taken);
}

/* printf at each length around the first growth, where an off-by-one would cut or overrun. */
static void printing_fits_at_every_length(void **state)
{
    (void)state;
    for (int before = 0; before < 140; before++) {
        struct text text = TEXT_EMPTY;
        text_printf(&text, "%*s", before, "");
        text_printf(&text, "%s", "0123456789");
        assert_int_equal(text.bytes, before + 10);
        assert_string_equal(text.at + before, "0123456789");
        text_fini(&text);
    }
}

static void words_of_a_list_are_whole_words(void **state)
{
    (void)state;
    assert_true(text_has_word("get", "get"));
    assert_true(text_has_word("get post  put", "put"));
    assert_true(text_has_word("get post", "get"));
    assert_false(text_has_word("get post", "pos"));
    assert_false(text_has_word("get post", "et"));
    assert_false(text_has_word("get post", "get post"));
    assert_false(text_has_word("get post", ""));
    assert_false(text_has_word("", "get"));
    assert_false(text_has_word(NULL, "get"));
}

static void distances_of_known_words(void **state)
{
    (void)state;
    assert_int_equal(text_distance("", ""), 0);
    assert_int_equal(text_distance("abc", ""), 3);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    assert_int_equal(text_distance("level_durations", "level_duration"), 1);
    assert_int_equal(text_distance("tagret", "target"), 1); /* two letters exchanged */
    assert_int_equal(text_distance("ca", "abc"), 3); /* restricted form: no edit inside a swap */
    assert_int_equal(text_distance("flaw", "lawn"), 2);
    char longer[200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(text_distance(longer, longer), 0);
    assert_in_range(text_distance(longer, "b"), 63, 199);
}

/* Distance is symmetric, 0 only for equal words, at most the longer length, and each single edit
 * changes it by at most one. */
static void distances_behave_as_distances(void **state)
{
    (void)state;
    struct random random = {.key = 5, .counter = 0};
    for (int i = 0; i < 2000; i++) {
        char words[2][9] = {"", ""};
        size_t lengths[2];
        for (int w = 0; w < 2; w++) {
            lengths[w] = random_below_of(random_next(&random), 8);
            for (size_t j = 0; j < lengths[w]; j++)
                words[w][j] = (char)('a' + random_below_of(random_next(&random), 3));
        }
        size_t distance = text_distance(words[0], words[1]);
        size_t longest = lengths[0] > lengths[1] ? lengths[0] : lengths[1];
        assert_int_equal(distance, text_distance(words[1], words[0]));
        assert_int_equal(distance == 0, strcmp(words[0], words[1]) == 0);
        assert_true(distance <= longest);
        words[0][lengths[0]] = 'z';
        size_t after = text_distance(words[0], words[1]);
        assert_true(after + 1 >= distance && after <= distance + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_compare_bytes),
        cmocka_unit_test(spans_are_trimmed_at_both_ends),
        cmocka_unit_test(unsigned_decimals_fill_the_span),
        cmocka_unit_test(texts_grow_and_stay_ended_by_a_zero),
        cmocka_unit_test(texts_take_all_kinds),
        cmocka_unit_test(printing_fits_at_every_length),
        cmocka_unit_test(words_of_a_list_are_whole_words),
        cmocka_unit_test(distances_of_known_words),
        cmocka_unit_test(distances_behave_as_distances),
    };
    return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
