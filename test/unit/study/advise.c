/* Advice about systems whose truth is known, made by hand: what binds, in which order, and what may
 * not be said. */
#include "study/advise.h"

#include "../stat/near.h"
#include "base/memory.h"
#include "stat/queue.h"
#include "study/bottleneck.h"

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
        made.the_case.levels[i] = (struct case_level){load, load - 3 * x, 3, x, true, 0, 0, 0};
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

/* The words of a warning, which is there once only; NULL: it is not. */
static const char *words_of(const struct advice *advice, const char *code)
{
    const char *found = NULL;
    for (size_t i = 0; i < advice->warnings.count; i++)
        if (strcmp(advice->warnings.rows[i].code, code) == 0) {
            assert_null(found);
            found = advice->warnings.rows[i].words;
        }
    return found;
}

static bool warned(const struct advice *advice, const char *code)
{
    return words_of(advice, code) != NULL;
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

/* ---- by the response time -------------------------------------------------------------------- */

/* Makes the lowest load a light one of known times, and the objective one of p95. */
static void time_it(struct made *made, double mean_s, double p50_s, double p95_s, double limit_s)
{
    struct case_level *level = &made->the_case.levels[0];
    level->mean_s = mean_s;
    level->p50_s = p50_s;
    level->p95_s = p95_s;
    made->the_case.slo_response_s = limit_s;
    made->the_case.peak_observed = true;
    made->the_case.most = 60;
}

/* An exponential service: its median is ln 2 of its mean and its p95 ln 20, so that the variation
 * by both, as a lognormal's, is exp((ln(ln 20 / ln 2) / 1.645)^2) - 1. Replicas are the least whose
 * M/G/c queues, of the rate that each gets, keep the p95 after one has failed. */
static void replicas_by_the_response_time(void **state)
{
    (void)state;
    const double service_s = 0.1, limit_s = 0.45, rate = 100; /* 400 users of 0.25 */
    struct made made = made_with(400);
    add_bound(&made, "slots", 240, 60);
    time_it(&made, service_s, .69315 * service_s, 2.99573 * service_s, limit_s);
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    const struct advice_delay *delay = &advice->delay;
    double variation = exp(pow(log(2.99573 / .69315) / 1.6448536, 2)) - 1;
    assert_int_equal(delay->state, DELAY_SIZED);
    assert_int_equal(delay->servers, 6); /* 60/s x 0.1 s */
    assert_near(delay->service_s, .1, 1e-12);
    assert_near(delay->variation, variation, 1e-4);
    for (uint32_t n = 2; n <= delay->replicas; n++) {
        double wait = mmc_wait_quantile(6, rate / (n - 1), service_s, .95);
        double p95_s = rate / (n - 1) * service_s >= 6
                           ? INFINITY
                           : 2.99573 * service_s + (1 + variation) / 2 * wait;
        assert_int_equal(p95_s <= limit_s, n == delay->replicas);
    }
    assert_true(delay->replicas_shared <= delay->replicas);
    assert_near(delay->utilisation, rate * service_s / (6 * delay->replicas), 1e-12);
    assert_int_equal(advice->count, delay->replicas > advice->replicas.replicas
                                        ? delay->replicas
                                        : advice->replicas.replicas);
    unmake(&made, advice);
}

static void what_one_request_misses_no_replica_helps(void **state)
{
    (void)state;
    struct made made = made_with(400);
    add_bound(&made, "slots", 240, 60);
    time_it(&made, .1, .07, .3, .25);
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    assert_int_equal(advice->delay.state, DELAY_TOO_SLOW);
    unmake(&made, advice);
    /* A lowest load that was busy already says nothing of the service alone. */
    made = made_with(400);
    add_bound(&made, "slots", 240, 60);
    time_it(&made, .1, .07, .2, .25);
    made.the_case.levels[0].throughput = 40;
    advice = advice_new(&made.the_case, &made.wish);
    assert_int_equal(advice->delay.state, DELAY_NOT_KNOWN);
    unmake(&made, advice);
}

/* ---- larger ones ----------------------------------------------------------------------------- */

static void a_larger_one_is_of_use_until_the_next_binds(void **state)
{
    (void)state;
    struct made made = made_with(400); /* 100 req/s */
    add_bound(&made, "kv-cache", 240, 60);
    add_bound(&made, "cpu", 330, 84);
    add_bound(&made, "network", NAN, 900);
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    assert_near(advice->steps[0].useful, 84.0 / 60, 1e-12);
    assert_near(advice->steps[0].allows, 84, 1e-12);
    /* then the processor, until what the first step was lifted to: 60 x 100 / (60 x 0.7) */
    assert_near(advice->steps[1].useful, 100 / .7 / 84, 1e-9);
    assert_near(advice->steps[1].allows, 100 / .7, 1e-9);
    unmake(&made, advice);
}

/* Sizes 4, 8, 16 whose law ends at 200/s: X = 14.29 n / (1 + (n - 1) / 14). */
static void add_sizes(struct made *made)
{
    for (double n = 4; n <= 16; n *= 2) {
        double x = 200.0 / 14 * n / (1 + (n - 1) / 14);
        struct case_size *size = &made->the_case.sizes[made->the_case.size_count++];
        *size = (struct case_size){.series = memory_copy_text("vertical"),
                                   .name = memory_copy_text("slots"),
                                   .unit = memory_copy_text("slots"),
                                   .instances = 1,
                                   .size = n,
                                   .capacity = x,
                                   .most = x};
    }
    made->the_case.bounds[0].intervened = true;
}

static void sizes_that_were_tested_go_before_factors(void **state)
{
    (void)state;
    struct made made = made_with(1200); /* 300 req/s: 7.1 times 60 */
    add_bound(&made, "slots", 240, 60);
    add_sizes(&made);
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    assert_true(advice->sizes.known && !advice->sizes.carries);
    assert_near(advice->sizes.roof, 200, 1);
    assert_non_null(strstr(item_of(advice, "slots")->action, "to 16 slots"));
    assert_non_null(strstr(item_of(advice, "slots")->impact, "measured"));
    unmake(&made, advice);
    made = made_with(240); /* 60 req/s: with headroom 85.7, which 8 slots carry (76.2) not, 16 do */
    add_bound(&made, "slots", 240, 60);
    add_sizes(&made);
    advice = advice_new(&made.the_case, &made.wish);
    assert_true(advice->sizes.carries);
    assert_near(made.the_case.sizes[advice->sizes.best].size, 16, 0);
    unmake(&made, advice);
}

/* Side by side each carried what it was asked for, 30 of 60: how they add up is known, and what one
 * carries is the capacity, 60 (at least 58). */
static void replicas_that_were_not_full_count_as_much_as_one_alone(void **state)
{
    (void)state;
    struct made made = made_with(400); /* 100 req/s */
    add_bound(&made, "slots", 240, 60);
    for (int n = 1; n <= 3; n++)
        add_size(&made, n, 30 * n);
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    assert_true(advice->scaled);
    assert_int_equal(advice->replicas_known, REPLICAS_SIZED);
    assert_int_equal(advice->replicas.replicas, 3); /* 100 / (60 x 0.7) = 2.4, and not 4.8 */
    unmake(&made, advice);
}

/* ---- warnings -------------------------------------------------------------------------------- */

static void add_warning(struct made *made, const char *code, const char *words)
{
    study_warn(&made->the_case.warnings, code, "%s", words);
}

/* Levels of exactly this law of what is in the system; think time 0. */
static void follow(struct made *made, struct usl law)
{
    for (size_t i = 0; i < made->the_case.level_count; i++) {
        struct case_level *level = &made->the_case.levels[i];
        double wave = i % 2 ? 1.001 : .999;
        level->concurrency = level->load;
        level->think_s = 0;
        level->throughput = wave * usl_at(law, level->load);
    }
}

static void each_code_is_one_line(void **state)
{
    (void)state;
    struct made made = made_with(1000);
    add_bound(&made, "gpu-memory", 240, 60);
    add_bound(&made, "database", NAN, 200);
    for (int n = 1; n <= 3; n++)
        add_size(&made, n, 60.0 * n / (1 + .05 * (n - 1)));
    static const char *const handed_on[] = {"NO_REPLICATES",    "NOT_STEADY",  "LITTLE_VIOLATION",
                                            "ERRORS_IN_WINDOW", "ENV_CHANGED", "FEW_LEVELS",
                                            "P99_UNDERSAMPLED", "NOT_STEADY",  "NO_REPLICATES"};
    for (size_t i = 0; i < sizeof handed_on / sizeof *handed_on; i++)
        add_warning(&made, handed_on[i], i < 7 ? "at 50 users" : "at 100 users");
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    for (size_t i = 0; i < advice->warnings.count; i++) /* words_of asserts that it is there once */
        assert_non_null(words_of(advice, advice->warnings.rows[i].code));
    assert_string_equal(words_of(advice, "NOT_STEADY"), "at 50 users; at 100 users");
    /* both loads that it is about: users, and replicas */
    assert_non_null(strstr(words_of(advice, "EXTRAPOLATION_RATIO"), "3.33"));
    assert_non_null(strstr(words_of(advice, "EXTRAPOLATION_RATIO"), "side by side"));
    assert_true(warned(advice, "SHARED_DEPENDENCY_NOT_SCALED"));
    assert_true(warned(advice, "SINGLE_WORKLOAD_MIX"));
    assert_true(warned(advice, "NEXT_BOTTLENECK_UNKNOWN"));
    assert_true(warned(advice, "BEYOND_PEAK"));   /* one of them alone ends at 60 */
    assert_true(warned(advice, "REGION_CHANGE")); /* more than 8 GPUs */
    unmake(&made, advice);
}

/* A law with a peak inside, levels twice, noise without a pattern: nothing to say of the fit. */
static void codes_of_the_law_only_where_they_are_true(void **state)
{
    (void)state;
    struct made made = made_with(320);
    add_bound(&made, "cpu", 240, 60);
    follow(&made, (struct usl){1, .001, 5e-5}); /* peak at 141 */
    struct advice *advice = advice_new(&made.the_case, &made.wish);
    assert_false(warned(advice, "PEAK_NOT_OBSERVED") || warned(advice, "BETA_UNIDENTIFIED") ||
                 warned(advice, "PARAM_AT_BOUND") || warned(advice, "STRUCTURED_RESIDUALS") ||
                 warned(advice, "FEW_LEVELS") || warned(advice, "SHARED_DEPENDENCY_NOT_SCALED") ||
                 warned(advice, "REGION_CHANGE") || warned(advice, "ENV_CHANGED") ||
                 warned(advice, "GENERATOR_LIMITED"));
    assert_true(warned(advice, "NO_REPLICATES"));
    unmake(&made, advice);
    made = made_with(320);
    add_bound(&made, "cpu", 240, 60);
    follow(&made, (struct usl){1, 0, 0}); /* linear: no peak, and nothing tells of one */
    made.the_case.level_count = 5;
    advice = advice_new(&made.the_case, &made.wish);
    assert_true(warned(advice, "PEAK_NOT_OBSERVED") && warned(advice, "BETA_UNIDENTIFIED") &&
                warned(advice, "PARAM_AT_BOUND") && warned(advice, "FEW_LEVELS"));
    unmake(&made, advice);
    made = made_with(900); /* straight, then flat: no such law, and 16 levels that show it */
    add_bound(&made, "cpu", 240, 60);
    made.the_case.levels = memory_resize(made.the_case.levels, 16, sizeof *made.the_case.levels);
    made.the_case.level_count = 16;
    for (size_t i = 0; i < 16; i++) {
        double load = 50 * (double)(i + 1);
        made.the_case.levels[i] =
            (struct case_level){load, load, 0, fmin(load, 300), true, 0, 0, 0};
    }
    advice = advice_new(&made.the_case, &made.wish);
    assert_true(warned(advice, "STRUCTURED_RESIDUALS"));
    unmake(&made, advice);
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
        cmocka_unit_test(replicas_by_the_response_time),
        cmocka_unit_test(what_one_request_misses_no_replica_helps),
        cmocka_unit_test(a_larger_one_is_of_use_until_the_next_binds),
        cmocka_unit_test(sizes_that_were_tested_go_before_factors),
        cmocka_unit_test(replicas_that_were_not_full_count_as_much_as_one_alone),
        cmocka_unit_test(each_code_is_one_line),
        cmocka_unit_test(codes_of_the_law_only_where_they_are_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
