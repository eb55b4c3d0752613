/* One pass over JSON: what is taken, what is passed over, and what is broken. */
#include "wire/json_pull.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* Last: it needs those above. */
// clang-format off
#include <cmocka.h>
// clang-format on

/* Writes a document out again, going through it value by value. */
static void copy(struct json_pull *pull, struct text *out)
{
    struct span name;
    bool first = true;
    if (json_pull_kind(pull) == JSON_OBJECT) {
        text_putc(out, '{');
        for (json_pull_object(pull); json_pull_member(pull, &name); first = false) {
            text_puts(out, first ? "\"" : ",\"");
            text_put(out, name);
            text_puts(out, "\":");
            copy(pull, out);
        }
        text_putc(out, '}');
    } else if (json_pull_kind(pull) == JSON_ARRAY) {
        text_putc(out, '[');
        for (json_pull_array(pull); json_pull_element(pull); first = false) {
            text_puts(out, first ? "" : ",");
            copy(pull, out);
        }
        text_putc(out, ']');
    } else {
        struct json_value value = json_pull_value(pull);
        bool string = value.kind == JSON_STRING;
        text_puts(out, string ? "\"" : "");
        text_put(out, value.raw);
        text_puts(out, string ? "\"" : "");
    }
}

/* The bytes in a block of their own, so that a sanitizer sees a read past them. */
static struct span own(const char *words)
{
    size_t bytes = strlen(words);
    char *block = malloc(bytes ? bytes : 1);
    memcpy(block, words, bytes);
    return (struct span){.at = block, .bytes = bytes};
}

static void whole(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "{}",
        "[]",
        "{\"a\":{\"b\":[1,-2.5e3,true,false,null,\"x\"]},\"c\":\"\"}",
        "[[],[[]],{},{\"a\":[]}]",
        "\"a \\\"quote\\\" and \\\\\"",
        "{\"\\\\\":\"\\\\\\\"\"}",
        "{\"a rather long name of a member\":\"a rather long text, longer than a dozen\"}"};
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        struct span bytes = own(documents[i]);
        struct json_pull pull = json_pull_of(bytes);
        struct text out = TEXT_EMPTY;
        copy(&pull, &out);
        assert_true(json_pull_ended(&pull));
        assert_string_equal(out.at, documents[i]);
        pull = json_pull_of(bytes);
        json_pull_skip(&pull);
        assert_true(json_pull_ended(&pull));
        text_fini(&out);
        free((void *)(uintptr_t)bytes.at);
    }
}

/* Every beginning of a document is broken, and nothing is read past it. */
static void cut(void **state)
{
    (void)state;
    static const char words[] = "{\"a\":{\"b\":[1,true,null,\"x\\\"y\"]},\"c\":\"z\"}";
    for (size_t bytes = 0; bytes < sizeof words - 1; bytes++) {
        char *block = malloc(bytes ? bytes : 1);
        memcpy(block, words, bytes);
        struct json_pull pull = json_pull_of((struct span){.at = block, .bytes = bytes});
        struct text out = TEXT_EMPTY;
        copy(&pull, &out);
        assert_false(json_pull_ended(&pull));
        pull = json_pull_of((struct span){.at = block, .bytes = bytes});
        json_pull_skip(&pull);
        assert_false(json_pull_ended(&pull));
        text_fini(&out);
        free(block);
    }
}

static void broken(void **state)
{
    (void)state;
    static const char *const documents[] = {"{a:1}", "{\"a\" 1}", "[1}", "{\"a\":tru}", "{\"a\":}",
                                            "nul",   "}",         "\"",  "{\"a\":[}",   "{} x"};
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        struct span bytes = own(documents[i]);
        struct json_pull pull = json_pull_of(bytes);
        struct text out = TEXT_EMPTY;
        copy(&pull, &out);
        assert_false(json_pull_ended(&pull));
        text_fini(&out);
        free((void *)(uintptr_t)bytes.at);
    }
}

static void deep(void **state)
{
    (void)state;
    char words[2 * JSON_DEPTH + 4];
    for (size_t depth = JSON_DEPTH; depth <= JSON_DEPTH + 1; depth++) {
        memset(words, '[', depth);
        memset(words + depth, ']', depth);
        struct json_pull pull = json_pull_of((struct span){.at = words, .bytes = 2 * depth});
        json_pull_skip(&pull);
        assert_int_equal(json_pull_ended(&pull), depth == JSON_DEPTH);
    }
}

static void numbers(void **state)
{
    (void)state;
    uint64_t number = 7;
    struct json_pull pull = json_pull_of(SPAN("[12, 1.5, -3, \"4\", 9007199254740993, 0]"));
    assert_true(json_pull_array(&pull));
    bool read[6];
    for (size_t i = 0; json_pull_element(&pull); i++)
        read[i] = json_pull_uint(&pull, &number);
    const bool expected[6] = {true, false, false, false, false, true};
    assert_memory_equal(read, expected, sizeof read);
    assert_int_equal(number, 0);
    assert_true(json_pull_ended(&pull));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole), cmocka_unit_test(cut),     cmocka_unit_test(broken),
        cmocka_unit_test(deep),  cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
