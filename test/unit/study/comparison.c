/* Comparisons of runs made by hand: false alarms and power on the verb's own path, what makes runs
 * incomparable, designs that are refused, and metrics as people write them. */
#include "study/comparison.h"

#include "base/memory.h"
#include "base/random.h"
#include "record/sum.h"
#include "record/tally.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

enum { SIDE = 5, REQUESTS = 200, ROUNDS = 1000, PLANTED = 500 };

static void own_words(struct metric *metrics, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        metrics[i].name = memory_copy_text(metrics[i].name);
        metrics[i].unit = memory_copy_text(metrics[i].unit);
        metrics[i].sentence = memory_copy_text(metrics[i].sentence);
        metrics[i].source = memory_copy_text(metrics[i].source);
    }
}

/* A run of so many requests whose times are 50 to 150 ms times a factor. */
static struct result *run_of(double factor, unsigned timed_out)
{
    struct result *run = memory_new(1, sizeof *run);
    struct tally *tally = memory_new(1, sizeof *tally);
    metric_table_init(&run->metrics);
    own_words(run->metrics.counters, run->metrics.counter_count);
    own_words(run->metrics.hists, run->metrics.hist_count);
    tally->counters = memory_new(run->metrics.counter_count, sizeof *tally->counters);
    tally->hists = memory_new(run->metrics.hist_count, sizeof(struct hist *));
    for (size_t i = 0; i < run->metrics.hist_count; i++) {
        tally->hists[i] = memory_new(1, sizeof(struct hist));
        hist_init(tally->hists[i]);
    }
    for (int i = 0; i < REQUESTS; i++)
        hist_record(tally->hists[HIST_RESPONSE],
                    (nsec_t)((50 + 100.0 * i / REQUESTS) * factor * 1e6));
    for (unsigned i = 0; i < timed_out; i++)
        hist_record(tally->hists[HIST_CENSORED], NSEC_PER_SEC);
    tally->counters[COUNT_SUCCEEDED] = REQUESTS;
    tally->counters[COUNT_TIMED_OUT] = timed_out;
    run->total = result_sum_new(&run->metrics);
    run->total->measured_ns = 10 * NSEC_PER_SEC;
    sum_add_tally(run->total, tally, &run->metrics);
    for (size_t i = 0; i < run->metrics.hist_count; i++)
        free(tally->hists[i]);
    free(tally->hists);
    free(tally->counters);
    free(tally);
    run->plan_source = memory_copy_text("target: http://a\nvus: 2\n");
    run->cpu = memory_copy_text("processor");
    run->kernel = memory_copy_text("Linux 6.1");
    run->version = memory_copy_text("0.1.0");
    run->host = memory_copy_text("here");
    run->target = memory_copy_text("http://a");
    run->cores = 2;
    run->time_scale = 1;
    run->finished = true;
    return run;
}

static void swap_words(char **words, const char *other)
{
    free(*words);
    *words = memory_copy_text(other);
}

struct sides {
    struct result *base[SIDE], *fresh[SIDE];
    struct comparison_runs runs;
};

static void sides_init(struct sides *sides, const double *base, const double *fresh, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sides->base[i] = run_of(base[i], 0);
        sides->fresh[i] = run_of(fresh[i], 0);
    }
    sides->runs =
        (struct comparison_runs){(const struct result *const *)sides->base,
                                 (const struct result *const *)sides->fresh, count, count};
}

static void sides_fini(struct sides *sides)
{
    for (size_t i = 0; i < sides->runs.base_count; i++) {
        result_free(sides->base[i]);
        result_free(sides->fresh[i]);
    }
}

static struct comparison_wish usual(void)
{
    return (struct comparison_wish){.alpha = 0.05};
}

static void compare(const struct sides *sides, const struct comparison_wish *wish,
                    struct comparison *out)
{
    struct text why = TEXT_EMPTY;
    if (comparison_make(&sides->runs, wish, out, &why) != 0)
        fail_msg("%s", why.at);
    text_fini(&why);
}

/* ---- false alarms and power ------------------------------------------------------------------ */

static double noise(struct random *random)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += random_unit(random);
    return sum;
}

/* How many of so many comparisons are worse, and better, when runs vary by 3 % and new ones are
 * slower by this share. */
static void count_verdicts(double slower, uint64_t seed, size_t rounds, size_t verdicts[5])
{
    struct random random = {.key = random_key(seed, "comparison", 0)};
    for (size_t round = 0; round < rounds; round++) {
        double base[SIDE], fresh[SIDE];
        for (int i = 0; i < SIDE; i++) {
            base[i] = 1 + 0.03 * noise(&random);
            fresh[i] = (1 + slower) * (1 + 0.03 * noise(&random));
        }
        struct sides sides;
        struct comparison found;
        struct comparison_wish wish = usual();
        sides_init(&sides, base, fresh, SIDE);
        compare(&sides, &wish, &found);
        verdicts[found.verdict]++;
        comparison_fini(&found);
        sides_fini(&sides);
    }
}

static void the_same_twice_is_seldom_called_different(void **state)
{
    (void)state;
    size_t verdicts[5] = {0};
    count_verdicts(0, 42, ROUNDS, verdicts);
    print_message("of %d A/A comparisons %zu worse, %zu better\n", ROUNDS, verdicts[GROUPS_WORSE],
                  verdicts[GROUPS_BETTER]);
    assert_true(verdicts[GROUPS_WORSE] + verdicts[GROUPS_BETTER] <= ROUNDS * 65 / 1000);
    assert_true(verdicts[GROUPS_WORSE] + verdicts[GROUPS_BETTER] >= ROUNDS / 100);
}

static void a_tenth_slower_is_found(void **state)
{
    (void)state;
    size_t verdicts[5] = {0};
    count_verdicts(0.1, 7, PLANTED, verdicts);
    print_message("of %d planted 10 %% regressions %zu worse, %zu better\n", PLANTED,
                  verdicts[GROUPS_WORSE], verdicts[GROUPS_BETTER]);
    assert_true(verdicts[GROUPS_WORSE] >= PLANTED * 95 / 100);
    assert_int_equal(verdicts[GROUPS_BETTER], 0);
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static const double same[SIDE] = {1.00, 1.01, 0.99, 1.005, 0.995};
static const double near_same[SIDE] = {1.002, 1.012, 0.992, 1.007, 0.997};
static const double slow[SIDE] = {1.30, 1.31, 1.29, 1.305, 1.295};

static void verdicts_against_a_margin(void **state)
{
    (void)state;
    struct sides sides;
    struct comparison found;
    struct comparison_wish wish = usual();
    sides_init(&sides, same, near_same, SIDE);
    compare(&sides, &wish, &found);
    assert_int_equal(found.verdict, GROUPS_INCONCLUSIVE);
    comparison_fini(&found);
    wish.margin = 0.05;
    compare(&sides, &wish, &found);
    assert_int_equal(found.verdict, GROUPS_EQUIVALENT);
    assert_true(found.comparable);
    comparison_fini(&found);
    sides_fini(&sides);
    sides_init(&sides, same, slow, SIDE);
    compare(&sides, &wish, &found);
    assert_int_equal(found.verdict, GROUPS_WORSE);
    assert_true(fabs(found.rows[0].found.test.shift / found.rows[0].found.base_median - .3) < .01);
    assert_string_equal(found.rows[0].words, "response p95");
    for (size_t i = 1; i < found.row_count; i++) /* each of p50, avg, throughput, errors once */
        assert_true(found.rows[i].p_holm >= found.rows[i].found.test.p);
    comparison_fini(&found);
    wish.metric = "throughput"; /* 20 a second on both sides */
    compare(&sides, &wish, &found);
    assert_int_equal(found.verdict, GROUPS_EQUIVALENT);
    comparison_fini(&found);
    wish.margin = 0.4;
    wish.metric = "p95";
    compare(&sides, &wish, &found);
    assert_int_equal(found.verdict, GROUPS_EQUIVALENT);
    comparison_fini(&found);
    sides_fini(&sides);
}

static void too_few_runs_are_refused(void **state)
{
    (void)state;
    struct sides sides;
    struct comparison found;
    struct comparison_wish wish = usual();
    sides_init(&sides, same, slow, 3);
    compare(&sides, &wish, &found);
    assert_int_equal(found.verdict, GROUPS_REFUSED);
    assert_int_equal(found.rows[0].found.runs_needed, 4);
    comparison_fini(&found);
    sides.runs.base_count = sides.runs.new_count = 1;
    compare(&sides, &wish, &found);
    assert_int_equal(found.verdict, GROUPS_REFUSED);
    assert_true(found.rows[0].base_within.low < found.rows[0].base[0] &&
                found.rows[0].base[0] < found.rows[0].base_within.high);
    comparison_fini(&found);
    sides.runs.base_count = sides.runs.new_count = 3;
    sides_fini(&sides);
}

/* ---- comparable ------------------------------------------------------------------------------ */

static void expect_difference(const struct sides *sides, bool blocks, const char *words)
{
    struct comparison found;
    struct comparison_wish wish = usual();
    compare(sides, &wish, &found);
    bool said = false;
    for (size_t i = 0; i < found.difference_count; i++)
        said |= strstr(found.differences[i].words, words) && found.differences[i].blocks == blocks;
    if (!said || found.comparable == blocks)
        fail_msg("not said: %s", words);
    if (blocks)
        assert_string_equal(comparison_words(&found), "not comparable");
    comparison_fini(&found);
    wish.force = true;
    compare(sides, &wish, &found);
    assert_string_equal(comparison_words(&found), "worse");
    comparison_fini(&found);
}

static void what_differs_is_told(void **state)
{
    (void)state;
    struct sides sides;
    sides_init(&sides, same, slow, SIDE);
    struct result *one = sides.fresh[2];
    swap_words(&one->target, "http://b");
    swap_words(&one->plan_source, "target: http://b\nvus: 2\n");
    expect_difference(&sides, false, "target: http://a in the base, http://b in 1 of 5 new runs");
    swap_words(&one->plan_source, "target: http://b\nthresholds:\n  response: [\"avg<5\"]\n"
                                  "baseline: x\n\n# a comment\nvus: 2\n");
    expect_difference(&sides, false, "target: http://a in the base, http://b in 1 of 5 new runs");
    swap_words(&one->plan_source, "target: http://b\nvus: 3\n");
    expect_difference(&sides, true, "plan: another in 1 of 5 new runs");
    swap_words(&one->plan_source, "target: http://b\nvus: 2\n");
    swap_words(&one->kernel, "Linux 6.12");
    expect_difference(&sides, true, "kernel: Linux 6.1 in the base, Linux 6.12 in 1 of 5 new runs");
    swap_words(&one->kernel, "Linux 6.1");
    one->cores = 4;
    expect_difference(&sides, true, "processor: processor, 2 cores in the base, processor, 4");
    one->cores = 2;
    one->finished = false;
    expect_difference(&sides, true, "new run 3 was killed before its end");
    one->finished = true;
    swap_words(&one->id, "1-a");
    swap_words(&sides.base[0]->id, "1-a");
    expect_difference(&sides, true, "1 run is given twice, on both sides or on one: run 1-a");
    sides_fini(&sides);
}

static void bounds_speak_in_one_direction(void **state)
{
    (void)state;
    struct sides sides;
    struct comparison found;
    struct comparison_wish wish = usual();
    sides_init(&sides, slow, same, SIDE); /* the new ones are faster, but time out */
    result_free(sides.fresh[0]);
    sides.fresh[0] = run_of(1, 20);
    compare(&sides, &wish, &found);
    assert_true(found.rows[0].new_bound);
    assert_int_equal(found.verdict, GROUPS_INCONCLUSIVE);
    comparison_fini(&found);
    sides_fini(&sides);
}

/* ---- metrics --------------------------------------------------------------------------------- */

static void metrics_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *words, *tidy;
        bool higher;
    } rows[] = {
        {"p95", "response p95", false},
        {"p(99.9)", "response p99.9", false},
        {"ttft p95", "ttft p95", false},
        {"ttft:p99", "ttft p99", false},
        {"throughput", "throughput", true},
        {"error_rate", "error_rate", false},
        {"response{task:chat} p50", "response{task:chat} p50", false},
        {"mean", "response avg", false},
        {" iterations  rate ", "iterations rate", true},
    };
    static const char *const wrong[] = {"", "response p95 p99", "response{chat} p95", "p195 of it"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct comparison_metric metric;
        struct text why = TEXT_EMPTY;
        assert_int_equal(comparison_metric_read(rows[i].words, &metric, &why), 0);
        assert_string_equal(metric.words, rows[i].tidy);
        assert_int_equal(metric.higher_better, rows[i].higher);
        comparison_metric_fini(&metric);
        text_fini(&why);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct comparison_metric metric;
        struct text why = TEXT_EMPTY;
        if (comparison_metric_read(wrong[i], &metric, &why) == 0)
            fail_msg("taken: \"%s\"", wrong[i]);
        assert_non_null(strstr(why.at, "is no metric; for example p95"));
        text_fini(&why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_twice_is_seldom_called_different),
        cmocka_unit_test(a_tenth_slower_is_found),
        cmocka_unit_test(verdicts_against_a_margin),
        cmocka_unit_test(too_few_runs_are_refused),
        cmocka_unit_test(what_differs_is_told),
        cmocka_unit_test(bounds_speak_in_one_direction),
        cmocka_unit_test(metrics_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
