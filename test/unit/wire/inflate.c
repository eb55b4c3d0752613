/* gzip and deflate: made by zlib's other half and by gzip(1), taken in pieces of every size. */
#include "wire/inflate.h"
#define ZLIB_CONST /* zlib then takes const input */
#include "base/random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
/* Last: it needs those above. */
// clang-format off
#include <cmocka.h>
// clang-format on

static void keep(void *self, struct span bytes)
{
    assert_true(bytes.bytes > 0);
    text_put(self, bytes);
}

/* Compresses. bits: as zlib's windowBits. */
static struct text deflated(struct span plain, int bits)
{
    struct text out = TEXT_EMPTY;
    z_stream zlib = {.next_in = (const unsigned char *)plain.at, .avail_in = (uInt)plain.bytes};
    assert_int_equal(deflateInit2(&zlib, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    text_reserve(&out, deflateBound(&zlib, plain.bytes) + 64);
    zlib.next_out = (unsigned char *)out.at;
    zlib.avail_out = (uInt)out.room;
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    out.bytes = zlib.total_out;
    deflateEnd(&zlib);
    return out;
}

/* Feeds pieces of so many bytes. Returns the last result, or that of the end. */
static int inflated(struct inflater *inflater, struct span bytes, size_t piece, struct text *out)
{
    text_clear(out);
    for (size_t at = 0; at < bytes.bytes;) {
        size_t some = bytes.bytes - at < piece ? bytes.bytes - at : piece;
        char *copy = malloc(some);
        memcpy(copy, bytes.at + at, some);
        int error = inflater_feed(inflater, (struct span){.at = copy, .bytes = some}, keep, out);
        free(copy);
        if (error) {
            assert_int_equal(inflater_finish(inflater), error);
            return error;
        }
        at += some;
    }
    return inflater_finish(inflater);
}

static struct text some_plain(size_t bytes)
{
    struct text plain = TEXT_EMPTY;
    struct random random = {.key = bytes};
    while (plain.bytes < bytes) {
        uint64_t word = random_next(&random);
        text_printf(&plain, word & 1 ? "the same again " : "%llx", (unsigned long long)word);
    }
    plain.bytes = bytes;
    return plain;
}

static void test_codings(void **state)
{
    (void)state;
    static const struct {
        int bits;
        enum inflate_coding coding;
    } cases[] = {{31, INFLATE_GZIP},
                 {15, INFLATE_DEFLATE},
                 {9, INFLATE_DEFLATE},
                 {-15, INFLATE_DEFLATE},
                 {-9, INFLATE_DEFLATE}};
    static const size_t sizes[] = {0, 1, 5, 4095, 4096, 4097, 8192, 100000};
    static const size_t pieces[] = {1, 2, 7, 4096, SIZE_MAX};
    struct inflater *inflater = inflater_new(); /* one for all */
    struct text out = TEXT_EMPTY;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            struct text plain = some_plain(sizes[s]);
            struct text packed = deflated(text_span(&plain), cases[c].bits);
            for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
                inflater_start(inflater, cases[c].coding, 0);
                assert_int_equal(inflated(inflater, text_span(&packed), pieces[p], &out), 0);
                assert_true(span_equal(text_span(&out), text_span(&plain)));
            }
            text_fini(&plain);
            text_fini(&packed);
        }
    }
    text_fini(&out);
    inflater_free(inflater);
    assert_null(inflater_free(NULL));
}

/* printf 'hello\n' | gzip -n, by gzip 1.12 */
static void test_gzip_program(void **state)
{
    (void)state;
    static const char packed[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7"
                                 "\x02\x00\x20\x30\x3a\x36\x06\x00\x00\x00";
    struct inflater *inflater = inflater_new();
    struct text out = TEXT_EMPTY;
    struct span bytes = {.at = packed, .bytes = sizeof packed - 1};
    assert_int_equal(inflated(inflater, bytes, 1, &out), 0);
    assert_string_equal(out.at, "hello\n");
    for (size_t cut = 1; cut < bytes.bytes; cut++) { /* cut anywhere, it is not whole */
        inflater_start(inflater, INFLATE_GZIP, 0);
        struct span part = {.at = packed, .bytes = cut};
        assert_int_equal(inflated(inflater, part, 3, &out), -EBADMSG);
    }
    inflater_start(inflater, INFLATE_GZIP, 0);
    assert_int_equal(inflater_finish(inflater), 0); /* nothing at all is whole */
    text_fini(&out);
    inflater_free(inflater);
}

static void test_members(void **state)
{
    (void)state;
    struct inflater *inflater = inflater_new();
    struct text one = deflated(SPAN("one "), 31), two = deflated(SPAN("two"), 31), out = TEXT_EMPTY;
    struct text both = TEXT_EMPTY;
    text_put(&both, text_span(&one));
    text_put(&both, text_span(&two));
    for (size_t piece = 1; piece < 50; piece++) {
        inflater_start(inflater, INFLATE_GZIP, 0);
        assert_int_equal(inflated(inflater, text_span(&both), piece, &out), 0);
        assert_string_equal(out.at, "one two");
    }
    text_put(&both, SPAN("\0\0\0 whatever"));
    inflater_start(inflater, INFLATE_GZIP, 0);
    assert_int_equal(inflated(inflater, text_span(&both), 5, &out), 0);
    assert_string_equal(out.at, "one two");
    text_fini(&one), text_fini(&two), text_fini(&both), text_fini(&out);
    inflater_free(inflater);
}

static void test_damage(void **state)
{
    (void)state;
    struct inflater *inflater = inflater_new();
    struct text plain = some_plain(3000), out = TEXT_EMPTY;
    struct text packed = deflated(text_span(&plain), 31);
    for (size_t at = 10; at < packed.bytes; at++) { /* behind the header, each byte counts */
        packed.at[at] = (char)(packed.at[at] ^ 0x10);
        inflater_start(inflater, INFLATE_GZIP, 0);
        assert_int_equal(inflated(inflater, text_span(&packed), 100, &out), -EBADMSG);
        packed.at[at] = (char)(packed.at[at] ^ 0x10);
    }
    inflater_start(inflater, INFLATE_GZIP, 0);
    assert_int_equal(inflated(inflater, SPAN("<html>"), 100, &out), -EBADMSG);
    text_fini(&plain), text_fini(&packed), text_fini(&out);
    inflater_free(inflater);
}

/* Ten mebibytes of zeros in ten kilobytes: no more comes out than is allowed, to the byte. */
static void test_limit(void **state)
{
    enum { MUCH = 10 << 20 };
    (void)state;
    struct inflater *inflater = inflater_new();
    struct text out = TEXT_EMPTY;
    char *zeros = calloc(MUCH, 1);
    struct text packed = deflated((struct span){.at = zeros, .bytes = MUCH}, 31);
    assert_true(packed.bytes < 12000);
    static const uint64_t limits[] = {1, 4095, 4096, 4097, 1000000, MUCH - 1};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        inflater_start(inflater, INFLATE_GZIP, limits[i]);
        assert_int_equal(inflated(inflater, text_span(&packed), 1000, &out), -EMSGSIZE);
        assert_int_equal(out.bytes, limits[i]);
    }
    inflater_start(inflater, INFLATE_GZIP, MUCH);
    assert_int_equal(inflated(inflater, text_span(&packed), 1000, &out), 0);
    assert_int_equal(out.bytes, MUCH);
    free(zeros);
    text_fini(&packed), text_fini(&out);
    inflater_free(inflater);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codings), cmocka_unit_test(test_gzip_program),
        cmocka_unit_test(test_members), cmocka_unit_test(test_damage),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
