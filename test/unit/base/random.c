/* Philox 2x64-10 against the known answers of Random123 (its file kat_vectors), and the numbers
 * that are made from its bits.
 *
 * base/random.h hands out no way to set the whole counter block, so the known answers check a
 * second implementation, written here from the paper with 32-bit multiplications; and the room's
 * own must agree with that one everywhere. */
#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void multiply(uint64_t one, uint64_t other, uint64_t *high, uint64_t *low)
{
    uint64_t a = one >> 32, b = one & UINT32_MAX, c = other >> 32, d = other & UINT32_MAX;
    uint64_t middle = a * d + ((b * d) >> 32);
    uint64_t carry = (middle & UINT32_MAX) + b * c;
    *high = a * c + (middle >> 32) + (carry >> 32);
    *low = one * other;
}

static void reference_philox(const uint64_t counter[2], uint64_t key, uint64_t out[2])
{
    uint64_t left = counter[0], right = counter[1];
    for (int round = 0; round < 10; round++) {
        uint64_t high = 0, low = 0;
        multiply(UINT64_C(0xD2B74407B1CE6E93), left, &high, &low);
        left = high ^ key ^ right;
        right = low;
        key += UINT64_C(0x9E3779B97F4A7C15);
    }
    out[0] = left;
    out[1] = right;
}

static void reference_gives_the_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint64_t counter[2], key, out[2];
    } known[] = {
        {{0, 0}, 0, {UINT64_C(0xca00a0459843d731), UINT64_C(0x66c24222c9a845b5)}},
        {{UINT64_MAX, UINT64_MAX},
         UINT64_MAX,
         {UINT64_C(0x65b021d60cd8310f), UINT64_C(0x4d02f3222f86df20)}},
        {{UINT64_C(0x243f6a8885a308d3), UINT64_C(0x13198a2e03707344)},
         UINT64_C(0xa4093822299f31d0),
         {UINT64_C(0x0a5e742c2997341c), UINT64_C(0xb0f883d38000de5d)}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint64_t out[2];
        reference_philox(known[i].counter, known[i].key, out);
        assert_int_equal(out[0], known[i].out[0]);
        assert_int_equal(out[1], known[i].out[1]);
    }
}

static void bits_agree_with_the_reference(void **state)
{
    (void)state;
    assert_int_equal(random_bits_at(0, 0), UINT64_C(0xca00a0459843d731));
    assert_int_equal(random_bits_at(0, 1), UINT64_C(0x66c24222c9a845b5));
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t key = i * UINT64_C(0x9E3779B97F4A7C15), counter = i * i * i * i;
        uint64_t block[2] = {counter / 2, 0}, out[2];
        reference_philox(block, key, out);
        assert_int_equal(random_bits_at(key, counter), out[counter % 2]);
    }
    uint64_t last[2] = {UINT64_MAX / 2, 0}, out[2];
    reference_philox(last, 1, out);
    assert_int_equal(random_bits_at(1, UINT64_MAX), out[1]);
}

/* The expected key was computed apart, in Python: FNV-1a of "arrivals", then Philox. */
static void keys_depend_on_every_argument(void **state)
{
    (void)state;
    uint64_t key = random_key(42, "arrivals", 7);
    assert_int_equal(key, UINT64_C(0x3357c307a84aa218));
    assert_int_not_equal(key, random_key(43, "arrivals", 7));
    assert_int_not_equal(key, random_key(42, "arrivalt", 7));
    assert_int_not_equal(key, random_key(42, "arrivals", 8));
}

static void a_sequence_is_the_draws_in_order(void **state)
{
    (void)state;
    struct random random = {.key = 99, .counter = 5};
    for (uint64_t i = 5; i < 50; i++)
        assert_int_equal(random_next(&random), random_bits_at(99, i));
    assert_int_equal(random.counter, 50);
}

static void units_stay_strictly_inside(void **state)
{
    (void)state;
    assert_true(random_unit_of(0) > 0.0);
    assert_true(random_unit_of(UINT64_MAX) < 1.0);
    assert_true(random_unit_of(UINT64_C(1) << 63) > 0.5);
    assert_true(random_unit_of((UINT64_C(1) << 63) - 1) < 0.5);
}

/* Mean, variance and lag-one correlation of n uniform draws, each within five standard errors:
 * sqrt(1/12/n), sqrt(1/180/n), sqrt(1/n). With a fixed seed this passes or fails for ever. */
static void units_are_uniform(void **state)
{
    (void)state;
    enum { DRAWS = 1000000 };
    struct random random = {.key = random_key(1, "test", 0), .counter = 0};
    double sum = 0, squares = 0, lagged = 0, before = 0;
    for (int i = 0; i < DRAWS; i++) {
        double off = random_unit(&random) - 0.5;
        sum += off;
        squares += off * off;
        lagged += off * before;
        before = off;
    }
    assert_true(fabs(sum / DRAWS) < 5 * sqrt(1.0 / 12 / DRAWS));
    assert_true(fabs(squares / DRAWS - 1.0 / 12) < 5 * sqrt(1.0 / 180 / DRAWS));
    assert_true(fabs(lagged / squares) < 5 * sqrt(1.0 / DRAWS));
}

/* Chi-square over 1000 cells: mean 999, standard deviation sqrt(2 * 999) = 44.7. */
static void below_covers_its_range_evenly(void **state)
{
    (void)state;
    enum { CELLS = 1000, DRAWS = 1000000 };
    static unsigned counts[CELLS];
    for (int i = 0; i < CELLS; i++)
        counts[i] = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        uint64_t cell = random_below_of(random_bits_at(3, i), CELLS);
        assert_in_range(cell, 0, CELLS - 1);
        counts[cell]++;
    }
    double chi_square = 0;
    for (int i = 0; i < CELLS; i++) {
        double off = counts[i] - (double)DRAWS / CELLS;
        chi_square += off * off / ((double)DRAWS / CELLS);
    }
    assert_true(fabs(chi_square - (CELLS - 1)) < 5 * sqrt(2.0 * (CELLS - 1)));
    assert_int_equal(random_below_of(UINT64_MAX, 1), 0);
    assert_int_equal(random_below_of(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
    assert_int_equal(random_below_of(0, UINT64_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_gives_the_known_answers),
        cmocka_unit_test(bits_agree_with_the_reference),
        cmocka_unit_test(keys_depend_on_every_argument),
        cmocka_unit_test(a_sequence_is_the_draws_in_order),
        cmocka_unit_test(units_stay_strictly_inside),
        cmocka_unit_test(units_are_uniform),
        cmocka_unit_test(below_covers_its_range_evenly),
    };
    return cmocka_run_group_tests_name("base/random", tests, NULL, NULL);
}
