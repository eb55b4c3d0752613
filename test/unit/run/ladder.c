/* Which levels are measured: by hand for the commands of the documents, and the last always exactly
 * the most. */
#include "run/ladder.h"

#include "base/memory.h"
#include "run/capacity.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

/* cmocka's own compares floats. */
#define assert_near(value, expected, reach) assert_true(fabs((value) - (expected)) <= (reach))

static struct plan_scenario scenario = {.spawn_rate = 20, .share = 1, .vus = 40};

static struct plan plan_of(struct plan_scale scale)
{
    if (scale.prolong < 1)
        scale.prolong = 2;
    return (struct plan){
        .scenarios = &scenario, .scenario_count = 1, .time_scale = 1, .seed = 1, .scale = scale};
}

static void expect_loads(const struct plan *plan, const double *loads, size_t expected)
{
    size_t count = 0;
    double *made = ladder_loads(plan, &count);
    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++)
        assert_near(made[i], loads[i], 1e-9);
    free(made);
}

static void the_last_level_is_exactly_the_most(void **state)
{
    (void)state;
    struct plan documents =
        plan_of((struct plan_scale){.start_users = 10, .max_users = 500, .step_size = 50});
    expect_loads(&documents, (double[]){10, 60, 110, 160, 210, 260, 310, 360, 410, 460, 500}, 11);
    struct plan batches = plan_of((struct plan_scale){.max_users = 50, .step_size = 10});
    expect_loads(&batches, (double[]){10, 20, 30, 40, 50}, 5);
    struct plan doubled =
        plan_of((struct plan_scale){.start_users = 1, .max_users = 20, .geometric = 2});
    expect_loads(&doubled, (double[]){1, 2, 4, 8, 16, 20}, 6);
    struct plan peak = plan_of((struct plan_scale){.max_users = 0}); /* of the scenario: 40 */
    expect_loads(&peak, (double[]){8, 16, 24, 32, 40}, 5);
    struct plan open = plan_of((struct plan_scale){.rate = 12.5});
    expect_loads(&open, (double[]){2.5, 5, 7.5, 10, 12.5}, 5);
    double given[] = {3, 1, 7};
    struct plan named = plan_of((struct plan_scale){.levels = {given, 3}, .max_users = 500});
    expect_loads(&named, given, 3);
    for (uint64_t most = 1; most < 200; most++)
        for (uint64_t step = 1; step < 30; step += 7) {
            size_t count = 0;
            struct plan plan = plan_of((struct plan_scale){.max_users = most, .step_size = step});
            double *loads = ladder_loads(&plan, &count);
            assert_true(loads[count - 1] == (double)most);
            for (size_t i = 1; i < count; i++)
                assert_true(loads[i] > loads[i - 1]);
            free(loads);
        }
}

/* `--max-users=200 --duration=300` is four loads of 75 s; `--instances=3 --max-users=300
 * --duration=400` is 100, 200 and 300 users on 1, 2 and 3 instances, for 400 s in all. */
static void tests_of_the_documents(void **state)
{
    (void)state;
    struct text why = TEXT_EMPTY;
    struct ladder ladder = {.rungs = NULL};
    struct plan vertical =
        plan_of((struct plan_scale){.max_users = 200, .duration_ns = 300 * NSEC_PER_SEC});
    assert_int_equal(ladder_add(&ladder, &vertical, SUITE_VERTICAL, &why), 0);
    assert_int_equal(ladder.rung_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_near(ladder.rungs[i].users, 50 * (double)(i + 1), 1e-9);
        assert_int_equal(ladder.rungs[i].measure_ns, 75 * NSEC_PER_SEC);
        assert_true(isnan(ladder.rungs[i].size));
    }
    /* 10 s for 200 users to arrive at 20 a second, and twice the measured time at most */
    assert_int_equal(ladder.rungs[3].most_ns, 160 * NSEC_PER_SEC);
    assert_true(ladder.limit_ns > ladder.planned_ns);
    ladder_fini(&ladder);

    struct plan horizontal = plan_of(
        (struct plan_scale){.max_users = 300, .instances = 3, .duration_ns = 400 * NSEC_PER_SEC});
    assert_int_equal(ladder_add(&ladder, &horizontal, SUITE_HORIZONTAL, &why), 0);
    assert_int_equal(ladder.rung_count, 3);
    nsec_t all_ns = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_near(ladder.rungs[i].users, 100 * (double)(i + 1), 1e-9);
        assert_near(ladder.rungs[i].instances, (double)(i + 1), 1e-9);
        all_ns += ladder.rungs[i].measure_ns;
    }
    assert_true(400 * NSEC_PER_SEC - all_ns >= 0 && 400 * NSEC_PER_SEC - all_ns < 3);
    ladder_fini(&ladder);

    struct plan nobody = plan_of((struct plan_scale){.max_users = 300});
    assert_int_equal(ladder_add(&ladder, &nobody, SUITE_HORIZONTAL, &why), 1);
    assert_non_null(strstr(why.at, "--instances"));
    ladder_fini(&ladder);
    text_fini(&why);
}

/* Sizes and loads are crossed; replicates hold each pair as often, in an order of the seed. */
static void sizes_loads_and_replicates(void **state)
{
    (void)state;
    double sizes[] = {0.25, 0.5, 1};
    struct text why = TEXT_EMPTY;
    struct ladder ladder = {.rungs = NULL};
    struct plan plan =
        plan_of((struct plan_scale){.max_users = 40, .sizes = {sizes, 3}, .repeat = 3});
    assert_int_equal(ladder_add(&ladder, &plan, SUITE_VERTICAL, &why), 0);
    assert_int_equal(ladder.rung_count, 36);
    unsigned seen[3][4] = {{0}}, moved = 0;
    for (size_t i = 0; i < 36; i++) {
        const struct rung *rung = &ladder.rungs[i];
        size_t s = rung->size < 0.3 ? 0 : rung->size < 0.6 ? 1 : 2;
        size_t load = (size_t)(rung->users / 10) - 1;
        seen[s][load] |= 1u << rung->replicate;
        moved += i > 0 && rung->users < ladder.rungs[i - 1].users;
    }
    for (size_t s = 0; s < 3; s++)
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(seen[s][i], 7);
    assert_true(moved > 9); /* in order, it would fall back 8 times */
    ladder_fini(&ladder);
    text_fini(&why);
}

/* A law that keeps its objective up to a load: found to the resolution, in few tries. */
static void capacity_is_found_by_halving(void **state)
{
    (void)state;
    for (int truth = 1; truth < 400; truth += 3) {
        struct capacity capacity = {.bad = INFINITY, .resolution = 0.02, .whole = true};
        double load;
        for (int users = 100; users <= 400; users += 100)
            capacity_take(&capacity, users, users <= truth);
        while (capacity_next(&capacity, &load))
            capacity_take(&capacity, load, load <= truth);
        assert_true(capacity.good <= truth && truth < capacity.bad);
        assert_true(capacity.bad - capacity.good <= fmax(1, 0.02 * capacity.bad));
        assert_true(capacity.tries <= 7);
    }
    struct capacity healthy = {.bad = INFINITY, .resolution = 0.02};
    double load = 0;
    capacity_take(&healthy, 500, true);
    assert_false(capacity_next(&healthy, &load)); /* not observed, and so not made up */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_level_is_exactly_the_most),
        cmocka_unit_test(tests_of_the_documents),
        cmocka_unit_test(sizes_loads_and_replicates),
        cmocka_unit_test(capacity_is_found_by_halving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
