/* The cut of MSER-5 on series whose answers were computed with R, and drift on series whose truth
 * is known. */
#include "stat/steady.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

/* cmocka's own compares floats. */
#define assert_near(value, expected, reach) assert_true(fabs((value) - (expected)) <= (reach))

enum { COUNT = 400 };

/* Any other implementation makes the same numbers from these three constants. */
static double lcg(uint64_t *state)
{
    *state = (1103515245u * *state + 12345u) % 2147483648u;
    return (double)*state / 2147483648.0;
}

static double fill(double *values, double start, double decay, double ramp)
{
    uint64_t state = 12345;
    double sum = 0;
    for (int i = 0; i < COUNT; i++) {
        double warm = decay > 0 ? start * exp(-i / decay) : 0;
        values[i] = 100 + warm + ramp * i + 4 * (lcg(&state) - 0.5);
        sum += values[i];
    }
    return sum / COUNT;
}

static void the_generator_is_the_same(void **state)
{
    (void)state;
    uint64_t seed = 12345;
    assert_near(lcg(&seed), 0.65515405, 5e-9);
    assert_near(lcg(&seed), 0.30481432, 5e-9);
    assert_near(lcg(&seed), 0.67496063, 5e-9);
}

/* The three series and R's answers: a decay that is cut, nothing to cut, and a ramp that never
 * becomes steady. */
static void mser_finds_what_r_finds(void **state)
{
    (void)state;
    double values[COUNT], score, after = 0;
    size_t cut;
    assert_near(fill(values, 50, 40, 0), 105.01859399, 5e-9);
    assert_int_equal(steady_cut(values, COUNT, &cut, &score), 0);
    assert_int_equal(cut, 175);
    assert_near(score, 0.007191889916, 5e-13);
    for (size_t i = cut; i < COUNT; i++)
        after += values[i] / (double)(COUNT - cut);
    assert_near(after, 100.01166242, 5e-9);

    fill(values, 0, 0, 0);
    assert_int_equal(steady_cut(values, COUNT, &cut, &score), 0);
    assert_int_equal(cut, 0);
    assert_near(score, 0.003191660678, 5e-13);

    fill(values, 0, 0, 0.1);
    assert_int_equal(steady_cut(values, COUNT, &cut, NULL), STEADY_NOT);
    assert_int_equal(cut, 200);
}

static void few_values_are_said_to_be_few(void **state)
{
    (void)state;
    double values[49] = {0};
    size_t cut = 7;
    assert_int_equal(steady_cut(values, 49, &cut, NULL), STEADY_TOO_FEW);
    assert_int_equal(cut, 0);
    struct steady_drift drift = steady_drift_of(values, 4);
    assert_true(isnan(drift.share));
    assert_false(steady_is(&drift, 0.01));
}

/* A straight line has its slope, and no error to speak of. */
static void drift_is_the_change_over_the_stretch(void **state)
{
    (void)state;
    double values[100];
    for (int i = 0; i < 100; i++)
        values[i] = 90 + 20 * (i + 0.5) / 100;
    struct steady_drift drift = steady_drift_of(values, 100);
    assert_int_equal(drift.batches, 20);
    assert_near(drift.share, 0.2, 1e-12);
    assert_near(drift.low, drift.high, 1e-9);
    assert_false(steady_is(&drift, 0.01));
    assert_true(steady_is(&drift, 0.25));
}

/* Of 1,000 series without drift 1 % may be called drifting (the interval is one at 99 %): at most
 * 20 with a probability of 0.998. Of 1,000 that drift by 10 % with 5 % of noise a value, none of
 * 20 batches of 5 misses it: the slope's standard error is 1.7 %. */
static void false_alarms_are_as_rare_as_they_should_be(void **state)
{
    (void)state;
    int alarms = 0, missed = 0;
    for (uint64_t series = 0; series < 1000; series++) {
        struct random random = {.key = random_key(7, "drift", series)};
        double flat[100], rising[100];
        for (int i = 0; i < 100; i++) {
            double noise = 0;
            for (int k = 0; k < 12; k++)
                noise += random_unit(&random);
            flat[i] = 100 + 5 * (noise - 6);
            rising[i] = flat[i] + 10.0 * i / 100;
        }
        struct steady_drift one = steady_drift_of(flat, 100), other = steady_drift_of(rising, 100);
        alarms += !steady_is(&one, 0);
        missed += steady_is(&other, 0);
    }
    assert_in_range(alarms, 0, 20);
    assert_in_range(missed, 0, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_is_the_same),
        cmocka_unit_test(mser_finds_what_r_finds),
        cmocka_unit_test(few_values_are_said_to_be_few),
        cmocka_unit_test(drift_is_the_change_over_the_stretch),
        cmocka_unit_test(false_alarms_are_as_rare_as_they_should_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
