/* Lines of documents: cut at every byte, with either end of line, blank lines, and no last end. */
#include "wire/ndjson.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* Last: it needs those above. */
// clang-format off
#include <cmocka.h>
// clang-format on

static void note(void *self, struct span line, bool cut)
{
    struct text *out = self;
    text_put(out, line);
    text_puts(out, cut ? "!" : ";");
}

static void reads_as(struct span stream, const char *lines)
{
    for (size_t first = 0; first <= stream.bytes; first++) {
        for (size_t second = first; second <= stream.bytes; second++) {
            struct text kept = TEXT_EMPTY, out = TEXT_EMPTY;
            const size_t at[] = {0, first, second, stream.bytes};
            for (int i = 0; i < 3; i++) {
                char *piece = malloc(at[i + 1] - at[i] + 1);
                memcpy(piece, stream.at + at[i], at[i + 1] - at[i]);
                assert_int_equal(
                    ndjson_feed(&kept, (struct span){piece, at[i + 1] - at[i]}, note, &out), 0);
                free(piece);
            }
            ndjson_finish(&kept, note, &out);
            text_reserve(&out, 1);
            assert_string_equal(out.at, lines);
            text_fini(&kept);
            text_fini(&out);
        }
    }
}

static void lines(void **state)
{
    (void)state;
    reads_as(SPAN("{\"a\":1}\n{\"b\":2}\n"), "{\"a\":1};{\"b\":2};");
    reads_as(SPAN("{\"a\":1}\r\n\r\n\n{\"b\":2}"), "{\"a\":1};{\"b\":2}!");
    reads_as(SPAN("\n\n  \n"), "");
    reads_as(SPAN(""), "");
}

static void at_rest(void **state)
{
    (void)state;
    struct text kept = TEXT_EMPTY, out = TEXT_EMPTY;
    ndjson_feed(&kept, SPAN("{}\n{}\n"), note, &out);
    assert_null(kept.at);
    ndjson_feed(&kept, SPAN("{}\n{"), note, &out);
    assert_int_equal(kept.bytes, 1);
    text_fini(&kept);
    text_fini(&out);
}

static void too_long(void **state)
{
    (void)state;
    struct text kept = TEXT_EMPTY, out = TEXT_EMPTY;
    char block[4096];
    int outcome = 0;
    size_t fed = 0;
    memset(block, 'x', sizeof block);
    for (; outcome == 0 && fed < 2 * (size_t)NDJSON_MOST_BYTES; fed += sizeof block)
        outcome = ndjson_feed(&kept, (struct span){block, sizeof block}, note, &out);
    assert_int_equal(outcome, -EMSGSIZE);
    text_fini(&kept);
    text_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(at_rest),
        cmocka_unit_test(too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
