/* The histogram against exact sorted data, published values and hostile bytes. */
#include "stat/hist.h"

#include "base/memory.h"
#include "base/random.h"
#include "stat/distribution.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

static struct hist *new_hist(void)
{
    struct hist *hist = memory_new(1, sizeof(*hist));
    hist_init(hist);
    return hist;
}

static int by_value(const void *one, const void *other)
{
    nsec_t a = *(const nsec_t *)one, b = *(const nsec_t *)other;
    return (a > b) - (a < b);
}

static nsec_t quantile(const struct hist *hist, double share)
{
    nsec_t value = -7;
    assert_int_equal(hist_quantile(hist, share, &value), 0);
    return value;
}

static void assert_near(double value, double wanted, double relative)
{
    if (!(fabs(value - wanted) <= fabs(wanted) * relative))
        fail_msg("%.12g is not within %g of %.12g", value, relative, wanted);
}

/* The exact rank by integer arithmetic: share is millionths. */
static size_t exact_rank(uint64_t millionths, size_t count)
{
    uint64_t rank = (millionths * count + 999999) / 1000000;
    return rank == 0 ? 1 : (size_t)rank;
}

static void buckets_tile_the_range(void **state)
{
    (void)state;
    assert_int_equal(hist_bucket_low(0), 0);
    for (uint32_t bucket = 0; bucket < HIST_BUCKETS; bucket++) {
        nsec_t low = hist_bucket_low(bucket), high = hist_bucket_high(bucket);
        assert_true(low <= high);
        assert_int_equal(hist_bucket_of(low), bucket);
        assert_int_equal(hist_bucket_of(high), bucket);
        if (bucket + 1 < HIST_BUCKETS)
            assert_int_equal(hist_bucket_low(bucket + 1), high + 1);
        if (low > 0)
            assert_true((double)(high - low) <= (double)low / 256);
    }
    assert_int_equal(hist_bucket_high(HIST_BUCKETS - 1), ((nsec_t)1 << 42) - 1);
    assert_true(((nsec_t)1 << 42) > 3600 * NSEC_PER_SEC);
}

static void compare_with_sorted(nsec_t *values, size_t count)
{
    static const uint64_t millionths[] = {1,      10000,  100000, 250000, 500000,
                                          900000, 950000, 990000, 999000, 1000000};
    struct hist *hist = new_hist();
    long double sum = 0;
    for (size_t i = 0; i < count; i++) {
        hist_record(hist, values[i]);
        sum += (long double)values[i];
    }
    qsort(values, count, sizeof(*values), by_value);
    for (size_t i = 0; i < sizeof(millionths) / sizeof(*millionths); i++) {
        nsec_t exact = values[exact_rank(millionths[i], count) - 1];
        nsec_t found = quantile(hist, (double)millionths[i] / 1e6);
        if (found < exact || (double)(found - exact) > 0.004 * (double)exact)
            fail_msg("%g: found %lld, exact %lld", (double)millionths[i] / 1e6, (long long)found,
                     (long long)exact);
    }
    assert_int_equal(quantile(hist, 0), values[0]);
    assert_int_equal(quantile(hist, 1), values[count - 1]);
    assert_int_equal(hist->count, count);
    assert_near(hist_mean(hist), (double)(sum / (long double)count), 1e-12);
    long double squares = 0, mean = sum / (long double)count;
    for (size_t i = 0; i < count; i++)
        squares += ((long double)values[i] - mean) * ((long double)values[i] - mean);
    assert_near(hist_deviation(hist), (double)sqrtl(squares / (long double)(count - 1)), 1e-6);
    free(hist);
}

enum { MANY = 200000 };

static void quantiles_hold_their_bound(void **state)
{
    (void)state;
    nsec_t *values = memory_new(MANY, sizeof(*values));
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct random random = {.key = random_key(seed, "hist", 0)};
        for (size_t i = 0; i < MANY; i++)
            values[i] = (nsec_t)(exp(1.5 * normal_quantile(random_unit(&random))) * 1e6);
        compare_with_sorted(values, MANY); /* lognormal, median 1 ms */
        for (size_t i = 0; i < MANY; i++) {
            double value = 5e4 * pow(random_unit(&random), -1 / 1.1);
            values[i] = (nsec_t)(value < 4e12 ? value : 4e12);
        }
        compare_with_sorted(values, MANY); /* Pareto, infinite variance */
        for (size_t i = 0; i < MANY; i++)
            values[i] = random_unit(&random) < 0.95
                            ? 3 + (nsec_t)random_below_of(random_next(&random), 200)
                            : 2000000000 + (nsec_t)(1e8 * random_unit(&random));
        compare_with_sorted(values, MANY); /* a hit of 100 ns, a miss of 2 s */
    }
    free(values);
}

static void constant_data_is_exact(void **state)
{
    (void)state;
    struct hist *hist = new_hist();
    for (int i = 0; i < 1000; i++)
        hist_record(hist, 123456789);
    for (int percent = 0; percent <= 100; percent++)
        assert_int_equal(quantile(hist, percent / 100.0), 123456789);
    assert_true(hist_deviation(hist) == 0);
    assert_true(hist_mean(hist) == 123456789);
    free(hist);
}

static void ranks_are_of_type_one(void **state)
{
    (void)state;
    static const nsec_t digits[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
    struct hist *hist = new_hist();
    for (size_t i = 0; i < 10; i++)
        hist_record(hist, digits[i]);
    assert_int_equal(quantile(hist, 0.95), 9);
    assert_int_equal(quantile(hist, 0.9), 6);
    assert_int_equal(quantile(hist, 0.5), 3);
    assert_int_equal(quantile(hist, 0.51), 4);
    assert_int_equal(quantile(hist, 0.1), 1);
    hist_clear(hist);
    for (nsec_t value = 1; value <= 100; value++)
        hist_record(hist, value);
    for (int percent = 1; percent <= 100; percent++) /* .07 * 100 is above 7 in binary */
        assert_int_equal(quantile(hist, percent / 100.0), percent);
    assert_int_equal(quantile(hist, 99.9 / 100), 100);
    free(hist);
}

/* HdrHistogram_c's own tests, where they do not depend on its other features. */
static void published_values_come_out(void **state)
{
    (void)state;
    struct hist *hist = new_hist();
    hist_record_many(hist, 1000, 10000);
    hist_record(hist, 100000000);
    assert_near((double)quantile(hist, 0.99), 1000, 0.004);
    assert_near((double)quantile(hist, 0.9999), 1000, 0.004);
    assert_int_equal(quantile(hist, 0.99999), 100000000);
    hist_clear(hist);
    hist_record(hist, 100000000);
    hist_record(hist, 20000000);
    hist_record(hist, 30000000);
    assert_near((double)quantile(hist, 0.5), 30000000, 0.004); /* rank 2 of 3 */
    assert_near((double)quantile(hist, 1.0 / 3), 20000000, 0.004);
    assert_near((double)quantile(hist, 0.6666), 30000000, 0.004);
    assert_int_equal(quantile(hist, 0.6667), 100000000);
    free(hist);
}

static void assert_same(const struct hist *one, const struct hist *other)
{
    assert_int_equal(one->count, other->count);
    assert_int_equal(one->above, other->above);
    assert_int_equal(one->below, other->below);
    assert_int_equal(one->least, other->least);
    assert_int_equal(one->most, other->most);
    assert_int_equal(one->first_bucket, other->first_bucket);
    assert_int_equal(one->last_bucket, other->last_bucket);
    assert_memory_equal(one->buckets, other->buckets, sizeof(one->buckets));
    assert_true(fabs(one->sum_ns - other->sum_ns) <= 1e-12 * fabs(one->sum_ns));
    assert_true(fabs(one->sum_squares - other->sum_squares) <= 1e-12 * one->sum_squares);
}

static nsec_t mixed_draw(struct random *random)
{
    uint64_t kind = random_below_of(random_next(random), 100);
    if (kind == 0)
        return -5;
    if (kind == 1)
        return ((nsec_t)1 << 42) + (nsec_t)random_below_of(random_next(random), 1000);
    return (nsec_t)exp(27 * random_unit(random));
}

static void merging_equals_recording_all(void **state)
{
    (void)state;
    struct hist *all = new_hist(), *merged = new_hist();
    struct random random = {.key = random_key(7, "merge", 0)};
    for (int part = 0; part < 20; part++) {
        struct hist *one = new_hist();
        for (int i = 0; i < part * 50; i++) { /* the first part is empty */
            nsec_t value = mixed_draw(&random);
            hist_record(one, value);
            hist_record(all, value);
        }
        hist_merge(merged, one);
        free(one);
    }
    assert_same(merged, all);
    assert_true(all->above > 0 && all->below > 0);
    hist_clear(merged);
    struct hist *empty = new_hist();
    assert_same(merged, empty);
    free(empty);
    free(all);
    free(merged);
}

static void init_empties_any_memory(void **state)
{
    (void)state;
    struct hist *dirty = memory_new(1, sizeof(*dirty)), *clean = new_hist();
    memset(dirty, 0xa5, sizeof(*dirty));
    hist_init(dirty);
    assert_same(dirty, clean);
    free(dirty);
    free(clean);
}

static void record_many_equals_records(void **state)
{
    (void)state;
    struct hist *one = new_hist(), *other = new_hist();
    static const nsec_t values[] = {-1, 0, 255, 256, 511, 512, 1000000, (nsec_t)1 << 42, INT64_MAX};
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        hist_record_many(one, values[i], 3);
        hist_record_many(one, values[i], 0);
        for (int times = 0; times < 3; times++)
            hist_record(other, values[i]);
    }
    assert_same(one, other);
    free(one);
    free(other);
}

static void outside_is_counted_apart(void **state)
{
    (void)state;
    struct hist *hist = new_hist();
    nsec_t value = 99;
    assert_int_equal(hist_quantile(hist, 0.5, &value), HIST_EMPTY);
    assert_int_equal(value, 99);
    hist_record(hist, (nsec_t)1 << 42);
    assert_int_equal(hist->above, 1);
    assert_int_equal(quantile(hist, 0), (nsec_t)1 << 42);
    hist_record(hist, -3);
    hist_record(hist, 5 * (nsec_t)1000000000000);
    assert_int_equal(hist->below, 1);
    assert_int_equal(hist->least, 0);
    assert_int_equal(hist->count, 3);
    assert_int_equal(quantile(hist, 0.3), 0);
    assert_int_equal(quantile(hist, 1), 5 * (nsec_t)1000000000000);
    assert_int_equal(hist_count_to(hist, 1000), 1);
    assert_int_equal(hist_count_to(hist, (nsec_t)1 << 43), 3);
    assert_int_equal(hist_count_to(hist, -1), 0);
    free(hist);
}

static void counts_up_to_a_value(void **state)
{
    (void)state;
    struct hist *hist = new_hist();
    assert_int_equal(hist_count_to(hist, 5), 0);
    for (nsec_t value = 10; value <= 100; value += 10)
        hist_record(hist, value * 1000);
    assert_int_equal(hist_count_to(hist, 9000), 0);
    assert_int_equal(hist_count_to(hist, 10000), 1);
    assert_int_equal(hist_count_to(hist, 55000), 5);
    assert_int_equal(hist_count_to(hist, 100000), 10);
    assert_int_equal(hist_count_to(hist, INT64_MAX), 10);
    free(hist);
}

static void full_buckets_spill(void **state)
{
    (void)state;
    struct hist *hist = new_hist(), *again = new_hist();
    for (int i = 0; i < 3; i++)
        hist_record_many(hist, 1000000, UINT32_MAX);
    hist_record_many(hist, 2000000, 1000);
    assert_int_equal(hist->count, 3 * (uint64_t)UINT32_MAX + 1000);
    assert_near((double)quantile(hist, 0.999), 1000000, 0.016);
    assert_int_equal(quantile(hist, 1), 2000000);
    struct text bytes = TEXT_EMPTY;
    hist_encode(hist, &bytes);
    assert_int_equal(hist_decode(text_span(&bytes), again), 0);
    assert_same(hist, again);
    text_fini(&bytes);
    free(hist);
    free(again);
}

/* ---- censored quantiles: rows by hand ---------------------------------------------------------
 */

struct censored_row {
    const char *done, *unfinished; /* decimal values in ns below 512, so exact */
    double share;
    nsec_t value;
    bool at_least;
};

static void record_words(struct hist *hist, const char *words)
{
    for (char *end; *words; words = end)
        hist_record(hist, strtoll(words, &end, 10));
}

static const struct censored_row censored_rows[] = {
    {"10 20 30", "", 0.5, 20, false},
    {"10 20 30", "", 1, 30, false},
    {"10 20 30", "100", 0.5, 20, false},  /* rank 2 of 4, either way 20 */
    {"10 20 30", "100", 0.75, 30, false}, /* rank 3 */
    {"10 20 30", "100", 0.95, 100, true}, /* rank 4 is the unfinished one */
    {"10 20 30", "0", 0.5, 20, true},     /* at its bound 0 it would make rank 2 be 10 */
    {"10 20 30", "0", 0.95, 30, true},    /* no answer at all: above 30 */
    {"10 20 30", "25", 0.5, 20, false},   /* 10 20 25 30: still 20 */
    {"10 20 30", "25", 0.75, 30, true},   /* 10 20 25 30: would be 25 */
    {"10 20 30", "0", 0.25, 10, true},    /* 0 10 20 30: would be 0 */
    {"10 20 30", "10", 0.25, 10, false},  /* 10 10 20 30: the same */
    {"", "100 200", 0.5, 100, true},
    {"", "100 200", 1, 200, true},
    {"", "0", 0.5, 0, true},
    {"50 50 50 50", "60 300", 0.5, 50, false},
    {"50 50 50 50", "60 300", 0.8, 60, true},
    {"50 50 50 50", "60 300", 0.9, 300, true},
    {"10 20 30 40 50 60 70 80 90 100", "5 5 5", 0.1, 20, true},
    {"10 20 30", "100", 0, 10, false},
};

static void censored_quantiles_follow_the_table(void **state)
{
    (void)state;
    struct hist *done = new_hist(), *unfinished = new_hist();
    nsec_t value = 99;
    bool at_least = false;
    assert_int_equal(hist_quantile_censored(done, unfinished, 0.5, &value, &at_least), HIST_EMPTY);
    assert_int_equal(value, 99);
    for (size_t i = 0; i < sizeof(censored_rows) / sizeof(*censored_rows); i++) {
        const struct censored_row *row = &censored_rows[i];
        hist_clear(done);
        hist_clear(unfinished);
        record_words(done, row->done);
        record_words(unfinished, row->unfinished);
        assert_int_equal(hist_quantile_censored(done, unfinished, row->share, &value, &at_least),
                         0);
        if (value != row->value || at_least != row->at_least)
            fail_msg("row %zu: %s%lld", i, at_least ? ">= " : "", (long long)value);
    }
    free(done);
    free(unfinished);
}

/* ---- the compact form -------------------------------------------------------------------------
 */

static void encoding_returns_the_same(void **state)
{
    (void)state;
    struct random random = {.key = random_key(3, "encode", 0)};
    struct text bytes = TEXT_EMPTY;
    static const int sizes[] = {0, 1, 2, 10, 1000, 50000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct hist *hist = new_hist(), *again = new_hist(), *twice = new_hist();
        for (int n = 0; n < sizes[i]; n++)
            hist_record(hist, mixed_draw(&random));
        text_clear(&bytes);
        hist_encode(hist, &bytes);
        assert_int_equal(hist_decode(text_span(&bytes), again), 0);
        assert_same(hist, again);
        assert_int_equal(hist_decode(text_span(&bytes), again), 0);
        hist_merge(twice, hist);
        hist_merge(twice, hist);
        assert_same(again, twice); /* decoding adds */
        free(hist);
        free(again);
        free(twice);
    }
    text_fini(&bytes);
}

/* The layout is a promise to files already written: these bytes must be read for ever. */
static void encoding_is_the_documented_one(void **state)
{
    (void)state;
    static const unsigned char wanted[] = {
        1, 3, 0,    0,    7,    0xe8, 0x07,       /* layout, count .. most 1000 */
        0, 0, 0,    0,    0,    0xb0, 0x8f, 0x40, /* sum 1014.0 */
        0, 0, 0,    0,    0x44, 0x85, 0x2e, 0x41, /* squares 1000098.0 */
        7, 2, 0xec, 0x05, 1,                      /* bucket 7 twice, 756 once */
    };
    struct hist *hist = new_hist();
    hist_record(hist, 7);
    hist_record(hist, 7);
    hist_record(hist, 1000);
    struct text bytes = TEXT_EMPTY;
    hist_encode(hist, &bytes);
    assert_int_equal(bytes.bytes, sizeof(wanted));
    assert_memory_equal(bytes.at, wanted, sizeof(wanted));
    text_fini(&bytes);
    free(hist);
}

static void damaged_bytes_change_nothing(void **state)
{
    (void)state;
    struct random random = {.key = random_key(5, "damage", 0)};
    struct hist *hist = new_hist(), *to = new_hist(), *before = memory_new(1, sizeof(*before));
    for (int n = 0; n < 40; n++)
        hist_record(hist, mixed_draw(&random));
    record_words(to, "1 2 3 400 70000");
    memcpy(before, to, sizeof(*to));
    struct text bytes = TEXT_EMPTY;
    hist_encode(hist, &bytes);
    for (size_t cut = 0; cut < bytes.bytes; cut++) {
        char *copy = memory_new(cut, 1); /* its own block, so that a sanitizer sees overreading */
        memcpy(copy, bytes.at, cut);
        assert_int_equal(hist_decode((struct span){.at = copy, .bytes = cut}, to), -EBADMSG);
        assert_memory_equal(before, to, sizeof(*to));
        free(copy);
    }
    text_putc(&bytes, 0);
    assert_int_equal(hist_decode(text_span(&bytes), to), -EBADMSG);
    bytes.at[0] = 2; /* another layout */
    bytes.bytes--;
    assert_int_equal(hist_decode(text_span(&bytes), to), -EBADMSG);
    bytes.at[0] = HIST_LAYOUT;
    int refused = 0;
    for (int round = 0; round < 20000; round++) {
        size_t place = random_below_of(random_next(&random), bytes.bytes);
        char kept = bytes.at[place];
        bytes.at[place] = (char)(uint8_t)random_below_of(random_next(&random), 256);
        int outcome = hist_decode(text_span(&bytes), to);
        bytes.at[place] = kept;
        if (outcome != 0) {
            assert_int_equal(outcome, -EBADMSG);
            assert_memory_equal(before, to, sizeof(*to));
            refused++;
        }
        memcpy(to, before, sizeof(*to));
    }
    assert_true(refused > 10000);
    text_fini(&bytes);
    free(hist);
    free(to);
    free(before);
}

static void garbage_never_crashes(void **state)
{
    (void)state;
    struct random random = {.key = random_key(6, "garbage", 0)};
    struct hist *to = new_hist();
    for (int round = 0; round < 20000; round++) {
        size_t length = random_below_of(random_next(&random), 60);
        char *bytes = memory_new(length, 1);
        for (size_t i = 0; i < length; i++)
            bytes[i] = (char)(uint8_t)random_below_of(random_next(&random), round % 2 ? 256 : 4);
        if (length > 0)
            bytes[0] = HIST_LAYOUT;
        int outcome = hist_decode((struct span){.at = bytes, .bytes = length}, to);
        assert_true(outcome == 0 || outcome == -EBADMSG);
        free(bytes);
    }
    free(to);
}

static void counts_that_carry_a_quantile(void **state)
{
    (void)state;
    assert_int_equal(hist_count_for(0.5), 6);
    assert_int_equal(hist_count_for(0.9), 29);
    assert_int_equal(hist_count_for(0.95), 59);
    assert_int_equal(hist_count_for(0.99), 299);
    assert_int_equal(hist_count_for(0.999), 2995);
    assert_int_equal(hist_count_for(0.05), 59);
    assert_int_equal(hist_count_for(0), 1);
    assert_int_equal(hist_count_for(1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_tile_the_range),
        cmocka_unit_test(quantiles_hold_their_bound),
        cmocka_unit_test(constant_data_is_exact),
        cmocka_unit_test(ranks_are_of_type_one),
        cmocka_unit_test(published_values_come_out),
        cmocka_unit_test(merging_equals_recording_all),
        cmocka_unit_test(init_empties_any_memory),
        cmocka_unit_test(record_many_equals_records),
        cmocka_unit_test(outside_is_counted_apart),
        cmocka_unit_test(counts_up_to_a_value),
        cmocka_unit_test(full_buckets_spill),
        cmocka_unit_test(censored_quantiles_follow_the_table),
        cmocka_unit_test(encoding_returns_the_same),
        cmocka_unit_test(encoding_is_the_documented_one),
        cmocka_unit_test(damaged_bytes_change_nothing),
        cmocka_unit_test(garbage_never_crashes),
        cmocka_unit_test(counts_that_carry_a_quantile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
