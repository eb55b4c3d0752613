/* What grows is told from what wanders, and how fast is told with an interval that holds it. */
#include "study/leak.h"

#include "base/memory.h"
#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

enum { SAMPLES = 600 };

/* Samples a second apart: a line, and noise of which each remembers half of the one before. */
struct samples {
    nsec_t at_ns[SAMPLES];
    double values[SAMPLES];
};

static struct result_series make(struct samples *samples, size_t count, double slope, uint64_t seed)
{
    struct random random = {.key = random_key(seed, "leak", 0)};
    double noise = 0;
    for (size_t i = 0; i < count; i++) {
        noise = 0.5 * noise + 10 * (random_unit(&random) - 0.5);
        samples->at_ns[i] = (nsec_t)i * NSEC_PER_SEC;
        samples->values[i] = 1000 + slope * (double)i + noise;
    }
    return (struct result_series){
        .count = count, .at_ns = samples->at_ns, .values = samples->values};
}

/* 95 of 100 intervals hold the slope, give or take what chance makes of 200. */
static void the_interval_holds_the_slope(void **state)
{
    (void)state;
    size_t held = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct samples samples;
        struct result_series series = make(&samples, SAMPLES, 0.05, seed);
        double low, high;
        leak_slope(&series, 0, SAMPLES * NSEC_PER_SEC, &low, &high);
        held += low <= 0.05 && 0.05 <= high;
        assert_true(high - low < 0.02);
    }
    assert_in_range(held, 180, 199);
}

static void only_certain_growth_that_matters_is_a_leak(void **state)
{
    (void)state;
    static const struct {
        char *metric, *unit, *role;
        double slope, low;
        enum leak leak;
    } rows[] = {
        {"process.rss", "bytes", "gateway", 1, 0.9, LEAK_GROWS},
        {"process.descriptors", "descriptors", "gateway", 1, 0.9, LEAK_GROWS},
        {"process.rss", "bytes", "gateway", 1, -0.1, LEAK_NONE},     /* not certain */
        {"process.rss", "bytes", "gateway", 0.01, 0.005, LEAK_NONE}, /* of no matter */
        {"process.rss", "bytes", "gateway", 1, NAN, LEAK_NOT_ASKED},
        {"process.rss", "bytes", "generator", 1, 0.9, LEAK_NOT_ASKED},
        {"cgroup.memory_cache", "bytes", "gateway", 1, 0.9, LEAK_NOT_ASKED},
        {"cgroup.memory_pressure", "1", "gateway", 1, 0.9, LEAK_NOT_ASKED},
        {"process.cpu", "processors", "gateway", 1, 0.9, LEAK_NOT_ASKED},
    };
    struct level level = {.measured_s = 100};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct level_resource resource = {.metric = rows[i].metric,
                                          .unit = rows[i].unit,
                                          .role = rows[i].role,
                                          .mean = 1000,
                                          .slope = rows[i].slope,
                                          .slope_low = rows[i].low};
        assert_int_equal(leak_of(&level, &resource), rows[i].leak);
    }
}

static void few_samples_tell_nothing(void **state)
{
    (void)state;
    struct samples samples;
    struct result_series series = make(&samples, 9, 1, 1);
    double low = 0, high = 0;
    leak_slope(&series, 0, SAMPLES * NSEC_PER_SEC, &low, &high);
    assert_true(isnan(low) && isnan(high));
    series = make(&samples, SAMPLES, 0, 1);
    for (size_t i = 0; i < SAMPLES; i++)
        samples.values[i] = 7;
    leak_slope(&series, 0, SAMPLES * NSEC_PER_SEC, &low, &high);
    assert_false(low > 1e-12); /* what does not move does not grow */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_interval_holds_the_slope),
        cmocka_unit_test(only_certain_growth_that_matters_is_a_leak),
        cmocka_unit_test(few_samples_tell_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
