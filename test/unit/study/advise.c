/* Advice about systems whose truth is known, made by hand: what binds, in which order, and what may
 * not be said. */
#include "study/advise.h"

#include "../stat/near.h"
#include "base/memory.h"

#include <string.h>

/* A system that is linear up to 240 users (0.25 req/s each) and then full. */
struct made {
    struct advice_case the_case;
    struct advice_wish wish;
    struct remedies *remedies;
};

static void add_bound(struct made *made, const char *kind, double load, double ceiling)
{
    struct case_bound *bound = &made->the_case.bounds[made->the_case.bound_count++];
    bool primary = load <= 300;
    *bound = (struct case_bound){.kind = memory_copy_text(kind),
                                 .name = memory_copy_text(kind),
                                 .thing = memory_copy_text("thing"),
                                 .role = memory_copy_text("role"),
                                 .metric = memory_copy_text("m"),
                                 .unit = memory_copy_text("share"),
                                 .evidence = memory_copy_text("97 % [m]"),
                                 .standing = memory_copy_text("observed"),
                                 .confidence = memory_copy_text("high"),
                                 .fix = memory_copy_text(""),
                                 .load = load,
                                 .ceiling = ceiling,
                                 .ceiling_low = ceiling * .97,
                                 .ceiling_high = ceiling * 1.03,
                                 .primary = primary,
                                 .predicted = !primary};
}

static void add_size(struct made *made, double instances, double capacity)
{
    made->the_case.sizes[made->the_case.size_count++] =
        (struct case_size){.series = memory_copy_text("horizontal"),
                           .name = memory_copy_text(""),
                           .instances = instances,
                           .size = NAN,
                           .capacity = capacity,
                           .low = capacity * .98,
                           .high = capacity * 1.02,
                           .most = capacity};
}

static struct made made_with(double target)
{
    struct made made = {.remedies = remedies_default()};
    made.the_case = (struct advice_case){.name = memory_copy_text("a"),
                                         .target = memory_copy_text("gateway"),
                                         .version = memory_copy_text(""),
                                         .source = memory_copy_text(""),
                                         .instances = 1,
                                         .capacity_known = true,
                                         .capacity_load = 240,
                                         .capacity = 60,
                                         .capacity_low = 58,
                                         .capacity_high = 62,
                                         .levels = memory_new(6, sizeof(struct case_level)),
                                         .level_count = 6,
                                         .bounds = memory_new(8, sizeof(struct case_bound)),
                                         .sizes = memory_new(8, sizeof(struct case_size))};
    for (int i = 0; i < 6; i++) {
        double load = 50 * (i + 1), x = fmin(load * .25, 60);
        made.the_case.levels[i] = (struct case_level){load, load - 3 * x, 3, x, true};
    }
    made.wish = (struct advice_wish){.target = target,
                                     .ceiling = .7,
                                     .spare = 1,
                                     .confidence = .95,
                                     .gpu_memory_gb = NAN,
                                     .memory_gb = NAN,
                                     .remedies = made.remedies};
    return made;
}

static void unmake(struct made *made, struct advice *advice)
{
    advice_free(advice);
    advice_case_fini(&made->the_case);
    remedies_free(made->remedies);
}

static bool warned(const struct advice *advice, const char *code)
{
    for (size_t i = 0; i < advice->warning_count; i++)
        if (strcmp(advice->warnings[i].code, code) == 0)
            return true;
    return false;
}

static const struct advice_item *item_of(const struct advice *advice, const char *id)
{
    for (size_t i = 0; i < advice->item_count; i++)
        if (strcmp(advice->items[i].id, id) == 0)
            return &advice->items[i];
    return NULL;
}

static void what_binds_in_order_and_what_comes_then(void **state)
{
    (void)state;
    struct made made = made_with(400);
    add_bound(&made, "kv-cache", 240, 60);
    add_bound(&made, "cpu", 330, 84);
    add_bound(&made, "network", NAN, 900);
    made.wish.gpu_memory_gb = 24;
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    assert_int_equal(advice->verdict, ADVICE_STEPS);
    assert_near(advice->target_rate, 100, 1e-9); /* 400 users of 0.25 req/s */
    assert_near(advice->ratio, 400.0 / 300, 1e-9);
    assert_int_equal(advice->step_count, 2); /* the network is far beyond */
    assert_int_equal(advice->steps[0].bound, 0);
    assert_near(advice->steps[0].factor, 100 / (60 * .7), 1e-9);
    assert_int_equal(advice->steps[0].next, 1);
    assert_false(advice->steps[0].last);
    assert_int_equal(advice->steps[1].next, 2);
    assert_true(advice->steps[1].last);
    /* 24 GB x 2.38: 57.1 GB; the least GPU that has it. */
    assert_string_equal(item_of(advice, "gpu-upgrade")->action,
                        "Upgrade to A100 80GB GPUs (80GB VRAM each)");
    assert_string_equal(item_of(advice, "cores")->action, "Give thing 1.8 times the cores");
    assert_null(item_of(advice, "link"));
    assert_true(strstr(item_of(advice, "cores")->reason, "97 % [m]") != NULL);
    assert_true(strstr(item_of(advice, "cores")->reason, "predicted") != NULL);
    for (size_t i = 1; i < advice->item_count; i++)
        assert_true(advice->items[i].group >= advice->items[i - 1].group);
    unmake(&made, advice);
}

/* Two were never measured side by side: a lower bound. ceil(100 / (58 x 0.7)) = 3. */
static void one_replica_carries_a_lower_bound_only(void **state)
{
    (void)state;
    struct made made = made_with(400);
    add_bound(&made, "cpu", 240, 60);
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    assert_int_equal(advice->replicas_known, REPLICAS_AT_LEAST);
    assert_int_equal(advice->replicas.replicas, 3);
    assert_true(isnan(advice->replica_median));
    assert_true(warned(advice, "EXTRAPOLATION_RATIO"));
    assert_true(warned(advice, "NEXT_BOTTLENECK_UNKNOWN"));
    assert_true(strstr(item_of(advice, "replicas")->action, "at least 3") != NULL);
    unmake(&made, advice);
}

static void replicas_by_their_law_and_not_linearly(void **state)
{
    (void)state;
    const struct usl law = {60, .05, .002};
    struct made made = made_with(1000); /* 250 req/s */
    add_bound(&made, "cpu", 240, 60);
    for (int n = 1; n <= 6; n++)
        add_size(&made, n, usl_at(law, n));
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    struct capacity_answer truth;
    const struct capacity_wish wish = {250, .7, 1, 0};
    assert_int_equal(capacity_replicas(law, &wish, &truth), 0);
    assert_int_equal(advice->replicas_known, REPLICAS_SIZED);
    assert_int_equal(advice->replicas.replicas, truth.replicas);
    assert_true(advice->replicas.replicas > advice->replicas.linear);
    assert_true(advice->replica_range.low <= truth.replicas);
    assert_true(advice->replica_range.high >= truth.replicas);
    assert_true(isnan(advice->expected)); /* 1,000 of 300 users: a range only */
    assert_true(isfinite(advice->expected_range.low));
    assert_true(warned(advice, "EXTRAPOLATION_RATIO"));
    unmake(&made, advice);
}

static void beyond_the_peak_the_linear_answer_is_refused(void **state)
{
    (void)state;
    const struct usl law = {60, .05, .03}; /* peak near 5.6 replicas, below 170 req/s */
    struct made made = made_with(1000);
    add_bound(&made, "cpu", 240, 60);
    add_bound(&made, "database", NAN, 200);
    for (int n = 1; n <= 4; n++)
        add_size(&made, n, usl_at(law, n));
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    assert_int_equal(advice->replicas_known, REPLICAS_UNREACHABLE);
    assert_int_equal(advice->replicas.replicas, 0);
    assert_near(advice->replicas.peak, sqrt(.95 / .03), 1e-3);
    assert_true(warned(advice, "BEYOND_PEAK"));
    assert_null(item_of(advice, "replicas"));
    assert_non_null(item_of(advice, "read-replicas")); /* no number of ours in it */
    unmake(&made, advice);
}

static void enough_is_said(void **state)
{
    (void)state;
    struct made made = made_with(150); /* 37.5 req/s of 58 x 0.7 = 40.6 */
    add_bound(&made, "cpu", 240, 60);
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    assert_int_equal(advice->verdict, ADVICE_ENOUGH);
    assert_int_equal(advice->item_count, 0);
    assert_false(warned(advice, "EXTRAPOLATION_RATIO"));
    unmake(&made, advice);
    made = made_with(41);
    made.wish.target_is_rate = true;
    advice = advice_new(&made.the_case, &made.wish);
    assert_near(advice->target_rate, 41, 0);
    assert_int_equal(advice->verdict, ADVICE_UNKNOWN); /* more than 40.6, and nothing binds */
    unmake(&made, advice);
}

static void a_limited_generator_allows_no_advice(void **state)
{
    (void)state;
    struct made made = made_with(1000);
    add_bound(&made, "generator", 200, 60);
    add_bound(&made, "cpu", 250, 62);
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    assert_int_equal(advice->verdict, ADVICE_GENERATOR);
    assert_int_equal(advice->item_count, 0);
    assert_int_equal(advice->replicas_known, REPLICAS_NOT_KNOWN);
    assert_true(warned(advice, "GENERATOR_LIMITED"));
    unmake(&made, advice);
}

static void money_by_a_dated_price(void **state)
{
    (void)state;
    struct made made = made_with(400);
    struct price row = {memory_copy_text("*"), 2};
    struct prices prices = {memory_copy_text("2026-11-01"), memory_copy_text("EUR"), &row, 1};
    add_bound(&made, "cpu", 240, 60);
    made.wish.prices = &prices;
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    assert_near(advice->cost.hour, 6, 1e-12);
    assert_near(advice->cost.million, 6e6 / (100 * 3600), 1e-9);
    unmake(&made, advice);
    free(row.name);
    free(prices.date);
    free(prices.currency);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_binds_in_order_and_what_comes_then),
        cmocka_unit_test(one_replica_carries_a_lower_bound_only),
        cmocka_unit_test(replicas_by_their_law_and_not_linearly),
        cmocka_unit_test(beyond_the_peak_the_linear_answer_is_refused),
        cmocka_unit_test(enough_is_said),
        cmocka_unit_test(a_limited_generator_allows_no_advice),
        cmocka_unit_test(money_by_a_dated_price),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
