/* Words from outside: cleaned, measured, cut. Expectations written by hand. */
#include "show/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_clean(const char *words, const char *expected)
{
    char *clean = words_clean(words, false);
    assert_string_equal(clean, expected);
    free(clean);
}

static void test_clean(void **state)
{
    (void)state;
    assert_clean(NULL, "");
    assert_clean("plain é 漢字 🚢", "plain é 漢字 🚢");
    assert_clean("\x1b[31mred", "\\x1b[31mred");
    assert_clean("a\nb\tc\r\n", "a b c ");
    assert_clean("\xc2\x9b", "\\x9b");           /* the one-byte control sequence introducer */
    assert_clean("x\xe2\x80\xaey", "x\\u202ey"); /* right-to-left override */
    assert_clean("\xff\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* not UTF-8, overlong */
    assert_clean("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
    assert_clean("cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd");
    assert_clean("\xef\xbf\xbf", "\\uffff"); /* not a character of XML */
    char *lines = words_clean("a\n\tb", true);
    assert_string_equal(lines, "a\n\tb");
    free(lines);
}

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(words_width(""), 0);
    assert_int_equal(words_width("abc"), 3);
    assert_int_equal(words_width("é≥µ–"), 4);
    assert_int_equal(words_width("e\xcc\x81"), 1); /* e and a combining accent */
    assert_int_equal(words_width("漢字"), 4);
    assert_int_equal(words_width("🚢"), 2);
}

static void assert_cut(const char *words, unsigned columns, const char *expected)
{
    struct text out = TEXT_EMPTY;
    words_put_cut(&out, words, columns);
    assert_string_equal(out.at ? out.at : "", expected);
    assert_true(words_width(out.at ? out.at : "") <= columns);
    text_fini(&out);
}

static void test_cut(void **state)
{
    (void)state;
    assert_cut("chat", 4, "chat");
    assert_cut("chats", 4, "cha…");
    assert_cut("chats", 1, "…");
    assert_cut("chats", 0, "");
    assert_cut("漢字字", 5, "漢字…");
    assert_cut("漢字字", 4, "漢…"); /* half a letter is none */
}

static void test_tone(void **state)
{
    (void)state;
    struct text out = TEXT_EMPTY;
    words_put_tone(&out, false, TONE_BAD, "x");
    words_put_tone(&out, true, TONE_PLAIN, "y");
    assert_string_equal(out.at, "xy");
    words_put_tone(&out, true, TONE_GOOD, "z");
    assert_string_equal(out.at, "xy\x1b[32mz\x1b[0m");
    text_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_tone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
