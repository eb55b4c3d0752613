/* Model servers with a planted lack, and others that miss its pattern by one figure: the pattern is
 * named, with its evidence, and nothing else is. */
#include "study/bottleneck.h"

#include "base/memory.h"

#include "../stat/near.h"

#include <string.h>

enum { LOADS = 8 };

/* Figures at the highest load; between, in proportion to the load. NAN: not watched. */
struct made {
    double slots;                   /* so many run at once; 0: all that are there */
    double waiting;                 /* where all run */
    double cache, put_back;         /* KV cache, preemptions a second */
    double throttled;               /* of the server's processor time */
    double busy, moving, computing; /* gpu.utilization, .dram_active, .tensor_active */
    double token, first;            /* how often the times grow, from 1 at the lowest load */
};

static const struct made healthy = {.cache = .4,
                                    .busy = 1,
                                    .moving = NAN,
                                    .computing = NAN,
                                    .throttled = NAN,
                                    .token = 1,
                                    .first = 1};

static void watch(struct level *level, const char *thing, const char *role, const char *metric,
                  double value)
{
    struct level_resource *resource = level_add_resource(level);
    if (isnan(value)) {
        level->resource_count--;
        return;
    }
    bool share = strstr(metric, "share") || strncmp(metric, "gpu", 3) == 0 ||
                 strcmp(metric, "cgroup.throttled") == 0;
    resource->thing = memory_copy_text(thing);
    resource->role = memory_copy_text(role);
    resource->metric = memory_copy_text(metric);
    resource->part = memory_copy_text("");
    resource->unit = memory_copy_text(share ? "1" : "x");
    resource->mean = resource->p95 = resource->most = value;
    resource->count = 60;
}

/* 10 to 80 users without think time; 40 a second at most, so that it bends between 40 and 50. */
static struct suite *measure(const struct made *made)
{
    struct suite *suite = suite_new();
    struct level_series *series = suite_add(suite, SUITE_PROGRESSION, "progression");
    suite->slo_response_s = 1.5;
    suite->slo_error_share = .01;
    for (int i = 0; i < LOADS; i++) {
        struct level *level = series_add(series);
        double part = i / (LOADS - 1.0), noise = i % 2 ? 1.002 : .998;
        level->users = level->concurrency = 10 * (i + 1);
        level->throughput = noise * fmin(level->users, 40);
        level->requests = (uint64_t)(60 * level->throughput);
        level->measured_s = 60;
        level->mean_s = level->p50_s = level->users / level->throughput;
        level->p95_s = level->p99_s = 1.3 * level->mean_s;
        level->think_s = 0;
        level->error_share = level->timeout_share = level->little = 0;
        double running = made->slots > 0 ? fmin(level->users, made->slots) : level->users;
        double waiting = made->slots > 0 ? level->users - running : made->waiting * part;
        watch(level, "vllm", "llm", "llm.running", running);
        watch(level, "vllm", "llm", "llm.waiting", waiting);
        watch(level, "vllm", "llm", "llm.kv_cache_share", made->cache * fmin(1, level->users / 50));
        watch(level, "vllm", "llm", "llm.preemptions", part > .5 ? made->put_back : 0);
        watch(level, "vllm", "llm", "llm.itl.mean", noise * .02 * (1 + (made->token - 1) * part));
        watch(level, "vllm", "llm", "llm.ttft.mean", noise * .4 * (1 + (made->first - 1) * part));
        watch(level, "vllm", "llm", "llm.output_tokens", 50 * level->throughput);
        watch(level, "vllm", "llm", "cgroup.throttled", made->throttled * (part > .3 ? 1 : .05));
        watch(level, "gpu0", "gpu", "gpu.utilization", made->busy);
        watch(level, "gpu0", "gpu", "gpu.dram_active", made->moving * (.5 + part / 2));
        watch(level, "gpu0", "gpu", "gpu.tensor_active", made->computing * (.5 + part / 2));
    }
    return suite;
}

struct found {
    struct suite *suite;
    struct catalogue *catalogue;
    struct analysis *analysis;
};

static struct found analyze(const struct made *made)
{
    struct found found = {.suite = measure(made), .catalogue = catalogue_default()};
    struct curve_wish wish = curve_wish_of(found.suite);
    found.analysis = analysis_new(found.suite, &wish, found.catalogue);
    return found;
}

static void done(struct found *found)
{
    analysis_free(found->analysis);
    catalogue_free(found->catalogue);
    suite_free(found->suite);
}

/* The pattern that speaks for (or against) a kind; NULL: none does. */
static const struct evidence *pattern_of(const struct analysis *analysis, const char *kind)
{
    for (size_t i = 0; i < analysis->primary_count + analysis->secondary_count; i++) {
        const struct bottleneck *one = i < analysis->primary_count
                                           ? &analysis->primary[i]
                                           : &analysis->secondary[i - analysis->primary_count];
        for (size_t k = 0; strcmp(one->kind, kind) == 0 && k < one->evidence_count; k++)
            if (one->evidence[k].kind == EVIDENCE_ENGINE)
                return &one->evidence[k];
    }
    return NULL;
}

static const char *first_kind(const struct analysis *analysis)
{
    return analysis->primary_count ? analysis->primary[0].kind : "";
}

/* ---- a place in the batch -------------------------------------------------------------------- */

static void waiting_with_a_free_cache_wants_slots(void **state)
{
    (void)state;
    struct made made = healthy;
    made.slots = 40;
    struct found found = analyze(&made);
    const struct evidence *pattern = pattern_of(found.analysis, "slots");
    assert_string_equal(first_kind(found.analysis), "slots");
    assert_non_null(pattern);
    assert_string_equal(pattern->clears, "KV cache");
    assert_non_null(strstr(pattern->words, "40 wait while 40 run and the KV cache is 40 % full"));
    assert_non_null(strstr(pattern->metric, "llm.waiting"));
    assert_near(pattern->value, .4, 1e-9);
    done(&found);
    made.cache = .92; /* neither free nor full: not said */
    found = analyze(&made);
    assert_null(pattern_of(found.analysis, "slots"));
    done(&found);
    /* 5 at once that hold 17 % each: not full, and no room for one more. */
    made.slots = 5;
    made.cache = .85;
    found = analyze(&made);
    assert_string_equal(first_kind(found.analysis), "kv-cache");
    assert_non_null(
        strstr(pattern_of(found.analysis, "kv-cache")->words, "hardly room for one more"));
    assert_true(!pattern_of(found.analysis, "slots") ||
                pattern_of(found.analysis, "slots")->against);
    done(&found);
    made.slots = 40;
    made.cache = NAN; /* not watched: not said */
    found = analyze(&made);
    assert_null(pattern_of(found.analysis, "slots"));
    done(&found);
    made = healthy; /* nobody waits */
    found = analyze(&made);
    assert_null(pattern_of(found.analysis, "slots"));
    done(&found);
    made.waiting = 30; /* some wait, but ever more run: for the step to end, not for a place */
    found = analyze(&made);
    assert_null(pattern_of(found.analysis, "slots"));
    for (size_t i = 0; i < found.analysis->primary_count; i++)
        assert_string_not_equal(found.analysis->primary[i].kind, "slots");
    done(&found);
}

/* ---- memory for contexts --------------------------------------------------------------------- */

static void a_full_cache_that_puts_back_wants_memory(void **state)
{
    (void)state;
    struct made made = healthy;
    made.slots = 40;
    made.cache = .98;
    made.put_back = 2;
    struct found found = analyze(&made);
    const struct evidence *pattern = pattern_of(found.analysis, "kv-cache");
    assert_string_equal(first_kind(found.analysis), "kv-cache");
    assert_non_null(pattern);
    assert_string_equal(pattern->clears, "slots");
    assert_false(pattern->against);
    done(&found);
    /* Full, and nobody waits for it: that is what it is for. */
    made.slots = made.put_back = 0;
    found = analyze(&made);
    pattern = pattern_of(found.analysis, "kv-cache");
    assert_true(!pattern || pattern->against);
    assert_string_not_equal(first_kind(found.analysis), "kv-cache");
    done(&found);
    made.slots = 40; /* a queue, but nothing is put back: the pattern is not whole */
    found = analyze(&made);
    assert_null(pattern_of(found.analysis, "kv-cache"));
    done(&found);
}

/* ---- processors for tokenizing --------------------------------------------------------------- */

static void a_throttled_server_with_an_idle_gpu_wants_processors(void **state)
{
    (void)state;
    struct made made = healthy;
    made.throttled = .6;
    made.busy = .4;
    made.first = 3;
    struct found found = analyze(&made);
    const struct evidence *pattern = pattern_of(found.analysis, "cpu-quota");
    assert_string_equal(first_kind(found.analysis), "cpu-quota");
    assert_non_null(pattern);
    assert_string_equal(pattern->clears, "GPU");
    assert_non_null(strstr(pattern->words, "60 %"));
    assert_non_null(strstr(pattern->words, "40 %"));
    done(&found);
    const struct made misses[] = {
        {.cache = .4,
         .throttled = .6,
         .busy = .9,
         .moving = NAN,
         .computing = NAN,
         .token = 1,
         .first = 3}, /* the GPU works */
        {.cache = .4,
         .throttled = .6,
         .busy = NAN,
         .moving = NAN,
         .computing = NAN,
         .token = 1,
         .first = 3}, /* the GPU was not watched */
        {.cache = .4,
         .throttled = .1,
         .busy = .4,
         .moving = NAN,
         .computing = NAN,
         .token = 1,
         .first = 3}, /* hardly throttled */
        {.cache = .4,
         .throttled = .6,
         .busy = .4,
         .moving = NAN,
         .computing = NAN,
         .token = 1,
         .first = 1}, /* and nothing is slower for it */
    };
    for (size_t i = 0; i < sizeof misses / sizeof *misses; i++) {
        found = analyze(&misses[i]);
        if (pattern_of(found.analysis, "cpu-quota"))
            fail_msg("near miss %zu is taken for it", i);
        done(&found);
    }
}

/* ---- decoding -------------------------------------------------------------------------------- */

/* A step of a + c b: from 20 ms with 10 to 60 ms with 80, that is c = 4 / 7 ms a sequence; answers
 * of 50 tokens end at 1 / (50 c) = 35 a second. */
static void tokens_that_slow_with_the_batch_are_decoding(void **state)
{
    (void)state;
    struct made made = healthy;
    made.token = 3;
    struct found found = analyze(&made);
    const struct bottleneck *one = found.analysis->primary;
    const struct evidence *pattern = pattern_of(found.analysis, "decode");
    assert_string_equal(first_kind(found.analysis), "decode");
    assert_non_null(pattern);
    assert_non_null(strstr(pattern->words, "alone would prove nothing"));
    assert_int_equal(one->confidence, CONFIDENCE_MEDIUM); /* by NVML's figure no more than that */
    assert_near(one->ceiling, 35, .5);
    assert_true(one->ceiling_low < 35 && one->ceiling_high > 35);
    done(&found);
    made.moving = .8; /* by what it moves: the GPU's bandwidth itself, and surely */
    found = analyze(&made);
    assert_string_equal(first_kind(found.analysis), "gpu-bandwidth");
    assert_int_equal(found.analysis->primary[0].confidence, CONFIDENCE_HIGH);
    assert_non_null(pattern_of(found.analysis, "gpu-bandwidth"));
    assert_null(pattern_of(found.analysis, "decode"));
    done(&found);
}

static void what_is_not_decoding(void **state)
{
    (void)state;
    struct made misses[6];
    for (size_t i = 0; i < sizeof misses / sizeof *misses; i++) {
        misses[i] = healthy;
        misses[i].token = 3;
    }
    misses[0].token = 1.1;  /* tokens hardly slower */
    misses[1].waiting = 20; /* a queue */
    misses[2].busy = .6;    /* the GPU has time */
    misses[3].busy = NAN;   /* not watched */
    misses[4].moving = .3;  /* it runs kernels all the time, and moves little */
    misses[5].slots = 12;   /* what is in the system waits elsewhere */
    for (size_t i = 0; i < sizeof misses / sizeof *misses; i++) {
        struct found found = analyze(&misses[i]);
        if (pattern_of(found.analysis, "decode") || pattern_of(found.analysis, "gpu-bandwidth"))
            fail_msg("near miss %zu is taken for it", i);
        bool asked = false; /* what would tell is said */
        for (size_t k = 0; k < found.analysis->next_count; k++)
            asked |= strstr(found.analysis->next[k], "watch the GPU") != NULL;
        assert_int_equal(asked, i == 3);
        done(&found);
    }
}

/* Trap T17: busy all the time, and nothing else: no sign. */
static void a_busy_gpu_alone_is_nothing(void **state)
{
    (void)state;
    struct found found = analyze(&healthy);
    assert_null(pattern_of(found.analysis, "decode"));
    assert_null(pattern_of(found.analysis, "prefill"));
    for (size_t i = 0; i < found.analysis->primary_count; i++)
        assert_null(strstr(found.analysis->primary[i].kind, "gpu"));
    done(&found);
}

/* ---- prefill --------------------------------------------------------------------------------- */

static void first_tokens_that_slow_alone_are_prefill(void **state)
{
    (void)state;
    struct made made = healthy;
    made.first = 3;
    struct found found = analyze(&made);
    assert_string_equal(first_kind(found.analysis), "prefill");
    assert_non_null(pattern_of(found.analysis, "prefill"));
    assert_non_null(strstr(pattern_of(found.analysis, "prefill")->clears, "decoding"));
    done(&found);
    made.computing = .8;
    found = analyze(&made);
    assert_string_equal(first_kind(found.analysis), "gpu-compute");
    assert_int_equal(found.analysis->primary[0].confidence, CONFIDENCE_HIGH);
    done(&found);
    struct made misses[4];
    for (size_t i = 0; i < sizeof misses / sizeof *misses; i++) {
        misses[i] = healthy;
        misses[i].first = 3;
    }
    misses[0].token = 3;    /* later tokens are slower as well */
    misses[1].waiting = 20; /* it is the queue that makes them late */
    misses[2].busy = .6;
    misses[3].first = 1.2;
    for (size_t i = 0; i < sizeof misses / sizeof *misses; i++) {
        found = analyze(&misses[i]);
        if (pattern_of(found.analysis, "prefill"))
            fail_msg("near miss %zu is taken for it", i);
        done(&found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_with_a_free_cache_wants_slots),
        cmocka_unit_test(a_full_cache_that_puts_back_wants_memory),
        cmocka_unit_test(a_throttled_server_with_an_idle_gpu_wants_processors),
        cmocka_unit_test(tokens_that_slow_with_the_batch_are_decoding),
        cmocka_unit_test(what_is_not_decoding),
        cmocka_unit_test(a_busy_gpu_alone_is_nothing),
        cmocka_unit_test(first_tokens_that_slow_alone_are_prefill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
