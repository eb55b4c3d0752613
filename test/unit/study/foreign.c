/* Foreign traffic told from the ends of a stretch, and from chance. */
#include "study/foreign.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

enum { SECONDS = 20 };

static bool is_foreign(double theirs, double ours, double slack)
{
    struct foreign_counts counts = {.seconds = 10, .theirs = theirs, .ours = ours, .slack = slack};
    double share = 0;
    return foreign_traffic(&counts, &share);
}

static void only_what_exceeds_ours_by_more_than_chance_is_foreign(void **state)
{
    (void)state;
    assert_false(is_foreign(1000, 1000, 10));
    assert_false(is_foreign(1005, 1000, 10));
    assert_false(is_foreign(1040, 1000, 10)); /* under 5 % */
    assert_false(is_foreign(900, 1000, 10));  /* it counts less: a path it leaves out */
    assert_true(is_foreign(1200, 1000, 10));
    assert_true(is_foreign(500, 0, 10));
    assert_false(is_foreign(0, 0, 0));
    struct foreign_counts counts = {.seconds = 10, .theirs = 200, .ours = 150, .slack = 5};
    double share = 0;
    assert_true(foreign_traffic(&counts, &share));
    assert_float_equal(share, 0.25, 1e-12);
}

/* We send 100 a second; the target's two instances count what they are told to. */
static size_t find(double each, struct text *words)
{
    struct metric_table metrics;
    nsec_t at_ns[SECONDS], took_ns[SECONDS] = {0};
    double values[SECONDS];
    struct result_series series[2];
    struct result_point points[SECONDS];
    metric_table_init(&metrics);
    memset(points, 0, sizeof points);
    for (int i = 0; i < SECONDS; i++) {
        at_ns[i] = i * NSEC_PER_SEC;
        values[i] = each;
        points[i].begin_ns = i * NSEC_PER_SEC;
        points[i].end_ns = (i + 1) * NSEC_PER_SEC;
        points[i].sum = result_sum_new(&metrics);
        points[i].sum->counters[COUNT_ATTEMPTS] = 100;
    }
    for (int i = 0; i < 2; i++)
        series[i] = (struct result_series){.metric = (char *)(uintptr_t) "llm.requests",
                                           .unit = (char *)(uintptr_t) "1/s",
                                           .part = (char *)(uintptr_t)(i ? "b" : "a"),
                                           .count = SECONDS,
                                           .at_ns = at_ns,
                                           .took_ns = took_ns,
                                           .values = values};
    struct result result = {.series = series,
                            .series_count = 2,
                            .points = points,
                            .point_count = SECONDS,
                            .interval_ns = NSEC_PER_SEC};
    size_t found = foreign_find(&result, words);
    for (int i = 0; i < SECONDS; i++)
        result_sum_free(points[i].sum, &metrics);
    metric_table_fini(&metrics);
    return found;
}

static void instances_are_counted_together(void **state)
{
    (void)state;
    struct text words = TEXT_EMPTY;
    assert_int_equal(find(50, &words), 0); /* 2 x 50 are all ours */
    assert_int_equal(find(55, &words), 0); /* 10 % more may come from the ends */
    assert_int_equal(find(100, &words), 1);
    assert_string_equal(words.at, "50 % of the target's requests are not ours: it counted 3,800 "
                                  "(llm.requests), we sent 1,900");
    text_fini(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_exceeds_ours_by_more_than_chance_is_foreign),
        cmocka_unit_test(instances_are_counted_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
