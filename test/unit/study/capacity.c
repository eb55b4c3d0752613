/* Sizes against worked figures: those of the analysis reference (recomputed in R 4.2.2), those that
 * octave-queueing gives, and cases small enough to be counted by hand. */
#include "study/capacity.h"

#include "../stat/near.h"

#include <math.h>

static const struct usl worked = {130, .02, .0005};

static struct capacity_answer sized(struct usl law, struct capacity_wish wish)
{
    struct capacity_answer answer;
    assert_int_equal(capacity_replicas(law, &wish, &answer), 0);
    return answer;
}

/* Linear would say 8: 130 x 8 = 1040. The law says 10, which carry 1061.224. */
static void the_linear_answer_is_too_few(void **state)
{
    (void)state;
    struct capacity_answer found = sized(worked, (struct capacity_wish){1000, 1, 0, 0});
    assert_near(found.linear, 8, 0);
    assert_int_equal(found.replicas, 10);
    assert_int_equal(found.bare, 10);
    assert_near(found.carries, 1061.224, 1e-6);
    assert_near(found.peak, 44.27, 1e-4);
    assert_near(found.peak_most, 2038.489, 5e-7);
}

static void headroom_by_the_ceiling(void **state)
{
    (void)state;
    struct usl linear = {130, 0, 0};
    struct capacity_answer found = sized(linear, (struct capacity_wish){1000, .7, 0, 0});
    assert_int_equal(found.replicas, 11); /* ceil(1000 / (130 x 0.7)) */
    assert_near(found.linear, 11, 0);
    assert_true(isinf(found.peak) && isinf(found.peak_most));
    found = sized(worked, (struct capacity_wish){1000, .7, 0, 0});
    assert_true(usl_at(worked, found.replicas) >= 1000 / .7);
    assert_true(usl_at(worked, found.replicas - 1) < 1000 / .7);
}

static void what_may_fail_is_added(void **state)
{
    (void)state;
    struct usl linear = {100, 0, 0};
    /* 10 carry 1,000; two may fail: 12. The ceiling alone would say 10. */
    assert_int_equal(sized(linear, (struct capacity_wish){1000, 1, 2, 0}).replicas, 12);
    /* Three zones: 15 lose 5. 14 would lose 5 as well, and 9 do not carry it. */
    struct capacity_answer found = sized(linear, (struct capacity_wish){1000, 1, 0, 3});
    assert_int_equal(found.replicas, 15);
    assert_near(found.carries_failed, 1000, 1e-12);
    /* Headroom is there already: 15 for 0.7 survive one. */
    assert_int_equal(sized(linear, (struct capacity_wish){1000, .7, 1, 0}).replicas, 15);
    /* One replica that may fail needs another. */
    assert_int_equal(sized(linear, (struct capacity_wish){50, .7, 1, 0}).replicas, 2);
}

static void beyond_the_peak_there_is_no_number(void **state)
{
    (void)state;
    struct capacity_answer found;
    const struct capacity_wish beyond = {2100, 1, 0, 0}, headless = {1800, .7, 0, 0};
    assert_int_equal(capacity_replicas(worked, &beyond, &found), CAPACITY_UNREACHABLE);
    assert_int_equal(found.replicas, 0);
    assert_int_equal(found.bare, 0);
    assert_near(found.linear, 17, 0); /* what must not be recommended */
    assert_near(found.peak, 44.27, 1e-4);
    /* Carried, but not with headroom. */
    assert_int_equal(capacity_replicas(worked, &headless, &found), CAPACITY_UNREACHABLE);
    assert_int_equal(found.replicas, 0);
    assert_true(found.bare > 0);
    /* Amdahl: a roof of gamma / alpha and no peak. */
    const struct usl roofed = {130, .1, 0};
    const struct capacity_wish over = {1301, 1, 0, 0}, under = {1200, 1, 0, 0};
    assert_int_equal(capacity_replicas(roofed, &over, &found), CAPACITY_UNREACHABLE);
    assert_near(found.peak_most, 1300, 1e-9);
    assert_int_equal(capacity_replicas(roofed, &under, &found), 0);
    assert_true(found.replicas > found.linear);
}

static void draws_surround_the_answer(void **state)
{
    (void)state;
    double n[8], x[8];
    const double noise[8] = {.01, -.02, .015, -.005, -.01, .02, .005, -.015};
    for (int i = 0; i < 8; i++) {
        n[i] = i + 1;
        x[i] = usl_at(worked, n[i]) * (1 + noise[i]);
    }
    const struct usl_points points = {n, x, 8};
    const struct capacity_wish wish = {1000, .7, 1, 0};
    uint32_t truth = sized(worked, wish).replicas;
    struct capacity_spread spread, again;
    assert_int_equal(capacity_draw(&points, &wish, truth, 7, &spread), 0);
    assert_true(spread.low <= truth && truth <= spread.high);
    assert_true(spread.low <= spread.median && spread.median <= spread.high);
    assert_true(spread.low < spread.high);
    assert_true(spread.suffices > 0 && spread.suffices < 1);
    assert_int_equal(capacity_draw(&points, &wish, truth, 7, &again), 0);
    assert_near(again.suffices, spread.suffices, 0);
    assert_int_equal(capacity_draw(&points, &wish, 10 * truth, 7, &again), 0);
    assert_true(again.suffices > spread.suffices);
    const struct usl_points few = {n, x, 2};
    assert_int_equal(capacity_draw(&few, &wish, truth, 7, &spread), USL_TOO_FEW);
}

static void vertical_ends_at_the_next_ceiling(void **state)
{
    (void)state;
    size_t binding = 9;
    struct capacity_ceiling all[] = {{62, 1}, {84, 1}, {200, 1}};
    assert_near(capacity_vertical(all, 3, &binding), 62, 0);
    assert_int_equal(binding, 0);
    assert_near(capacity_useful_factor(all, 3), 84.0 / 62, 1e-15);
    all[0].factor = 2; /* twice the GPU memory: 124, but the second binds at 84 */
    assert_near(capacity_vertical(all, 3, &binding), 84, 0);
    assert_int_equal(binding, 1);
    assert_true(isinf(capacity_vertical(all, 0, &binding)));
    assert_true(isinf(capacity_useful_factor(all, 1)));
}

/* lambda 100, mu 12: nine servers hold a mean of 0.2 s, ten a mean of 0.12 s. */
static void servers_by_response_time(void **state)
{
    (void)state;
    uint32_t servers = 0;
    struct capacity_queue queue = {100, 1.0 / 12, NAN, 1, 1, NAN};
    assert_int_equal(capacity_servers(&queue, .2, &servers), 0);
    assert_int_equal(servers, 9);
    assert_near(capacity_response(&queue, 9), .178382, 3e-6);
    assert_int_equal(capacity_servers(&queue, .12, &servers), 0);
    assert_int_equal(servers, 10);
    assert_near(capacity_response(&queue, 10), .107714, 3e-6);
    /* The mean hides the tail: the 95th percentile of the wait alone is 0.340 s with nine. */
    queue.share = .95;
    struct capacity_queue wait = queue;
    wait.service_quantile_s = 0;
    assert_near(capacity_response(&wait, 9), .340, 2e-3);
    assert_int_equal(capacity_servers(&queue, .34, &servers), 0);
    assert_true(servers > 9);
    assert_true(capacity_response(&queue, servers) <= .34);
    assert_true(capacity_response(&queue, servers - 1) > .34);
    assert_true(isinf(capacity_response(&queue, 8)));
    assert_int_equal(capacity_servers(&queue, .05, &servers), CAPACITY_UNREACHABLE);
}

/* With one server Allen and Cunneen's is Pollaczek and Khinchine's, which is exact. */
static void variation_makes_queues_longer(void **state)
{
    (void)state;
    struct capacity_queue queue = {8, .1, NAN, 1, 0, NAN};
    assert_near(capacity_response(&queue, 1), .1 + .8 * .1 / (2 * .2), 1e-12);
    queue.service_variation = 4;
    assert_near(capacity_response(&queue, 1), .1 + .8 * .1 * 5 / (2 * .2), 1e-12);
}

static void ceilings_from_utilisation(void **state)
{
    (void)state;
    const double x[] = {10, 20, 30, 40, 50}, u[] = {.12, .22, .32, .42, .52};
    const struct usl_points levels = {x, u, 5};
    struct capacity_demand demand;
    assert_int_equal(capacity_demand(&levels, .92, .95, &demand), 0);
    assert_near(demand.idle, .02, 1e-9);
    assert_near(demand.demand_s, .01, 1e-9);
    assert_near(demand.ceiling, 90, 1e-9);
    assert_near(demand.span.low, 90, 1e-6);
    const double flat[] = {.3, .3, .3, .3, .3}, noisy[] = {.3, .1, .4, .2, .35};
    const struct usl_points still = {x, flat, 5}, wild = {x, noisy, 5}, two = {x, u, 2};
    assert_int_equal(capacity_demand(&still, .92, .95, &demand), CAPACITY_NO_DEMAND);
    assert_int_equal(capacity_demand(&two, .92, .95, &demand), CAPACITY_NO_DEMAND);
    if (capacity_demand(&wild, .92, .95, &demand) == 0)
        assert_true(isinf(demand.span.high));
    struct usl_interval span;
    size_t binding = 9;
    const struct capacity_demand all[] = {{.ceiling = 90, .span = {80, 100}},
                                          {.ceiling = 85, .span = {60, INFINITY}}};
    assert_int_equal(capacity_least(all, 2, &span, &binding), 0);
    assert_int_equal(binding, 1);
    assert_near(span.low, 60, 0);
    assert_near(span.high, 100, 0);
}

static void money(void **state)
{
    (void)state;
    struct capacity_cost cost = capacity_cost(11, .5, 1000);
    assert_near(cost.hour, 5.5, 1e-15);
    assert_near(cost.million, 5.5 / 3.6, 1e-12); /* 3.6 million requests an hour */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_linear_answer_is_too_few),
        cmocka_unit_test(headroom_by_the_ceiling),
        cmocka_unit_test(what_may_fail_is_added),
        cmocka_unit_test(beyond_the_peak_there_is_no_number),
        cmocka_unit_test(draws_surround_the_answer),
        cmocka_unit_test(vertical_ends_at_the_next_ceiling),
        cmocka_unit_test(servers_by_response_time),
        cmocka_unit_test(variation_makes_queues_longer),
        cmocka_unit_test(ceilings_from_utilisation),
        cmocka_unit_test(money),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
