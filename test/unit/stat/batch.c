/* The batching laws against closed figures, and against simulations of six million requests. */
#include "stat/batch.h"

#include "near.h"

static void a_decoder(void **state)
{
    (void)state;
    const struct batch_law law = {.step_s = .020, .sequence_s = .0005};
    const double b[] = {1, 2, 4, 8, 16, 32, 64, 128};
    const double wanted[] = {48.780488, 95.238095, 181.818,  333.333,
                             571.429,   888.889,   1230.769, 1523.810};
    double rates[8];
    for (int i = 0; i < 8; i++) {
        rates[i] = batch_rate(&law, b[i]);
        assert_near(rates[i], wanted[i], 2e-6);
    }
    assert_near(batch_ceiling(&law), 2000, 1e-12);
    assert_near(batch_half(&law), 40, 1e-12);
    assert_near(batch_rate(&law, 40), 1000, 1e-12);
    assert_near(batch_alpha(&law), .02439024, 2e-7);
    struct batch_law found;
    assert_int_equal(batch_fit(b, rates, 8, &found), 0);
    assert_near(found.step_s, .020, 1e-10);
    assert_near(found.sequence_s, .0005, 1e-10);
    assert_int_equal(batch_fit(b, rates, 1, &found), BATCH_TOO_FEW);
    assert_near(batch_most(100000, 1500), 66, 1e-15);
}

/* Simulated: 16.6547 +- .0072 and so on; the formula is a bound that lies within it. */
static void batches_without_a_limit(void **state)
{
    (void)state;
    const struct batch_law one = {5, 1}, other = {1.8874, .1438};
    assert_near(batch_response_mean(&one, .5), 16.6667, 3e-6);
    assert_near(batch_response_mean(&one, .7), 27.6471, 3e-6);
    assert_near(batch_response_mean(&other, .5 / .1438), 5.9019, 2e-5);
    assert_near(batch_response_mean(&other, .7 / .1438), 9.8176, 2e-5);
    assert_near(batch_response_mean(&other, .9 / .1438), 29.408, 2e-5);
    assert_near(batch_response_mean(&one, 1e-9), 6, 1e-6); /* alone: a batch of one */
    assert_true(isinf(batch_response_mean(&one, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decoder),
        cmocka_unit_test(batches_without_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
