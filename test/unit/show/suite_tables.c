/* The tables, letter by letter as the operators' documents show them. */
#include "show/suite_tables.h"

#include "base/memory.h"

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

static void watch(struct level *level, const char *metric, const char *part, double mean)
{
    struct level_resource *resource = level_add_resource(level);
    resource->thing = memory_copy_text("gateway");
    resource->role = memory_copy_text("gateway");
    resource->metric = memory_copy_text(metric);
    resource->part = memory_copy_text(part);
    resource->unit = memory_copy_text("1");
    resource->mean = mean;
}

static struct level *add(struct level_series *series, double users, double rate, double mean_ms)
{
    struct level *level = series_add(series);
    level->users = users;
    level->throughput = rate;
    level->requests = 1000;
    level->mean_s = mean_ms / 1e3;
    level->size_name = memory_copy_text("");
    return level;
}

static void vertical_is_as_in_the_document(void **state)
{
    (void)state;
    static const struct {
        double users, cpu, memory, gpu0, gpu1, rate, mean_ms;
    } rows[] = {{150, .82, .67, .88, .85, 220, 125}, /* in any order */
                {50, .45, .38, .65, .60, 125, 78},
                {200, .95, .78, .95, .92, 245, 180},
                {100, .68, .52, .78, .75, 185, 95}};
    struct suite *suite = suite_new();
    struct level_series *series = suite_add(suite, SUITE_VERTICAL, "vertical");
    for (size_t i = 0; i < 4; i++) {
        struct level *level = add(series, rows[i].users, rows[i].rate, rows[i].mean_ms);
        watch(level, "cpu.busy", "", rows[i].cpu);
        watch(level, "cpu.busy", "cpu0", 1);
        watch(level, "memory.used_share", "", rows[i].memory);
        watch(level, "gpu.utilization", "GPU0", rows[i].gpu0);
        watch(level, "gpu.utilization", "GPU1", rows[i].gpu1);
    }
    struct text out = TEXT_EMPTY;
    suite_tables(suite, &out);
    assert_string_equal(
        out.at, "Vertical Scaling Test Results:\n"
                "Load Level    | Users | CPU%  | Memory% | GPU0% | GPU1% | RPS   | Avg Latency\n"
                "Baseline      | 50    | 45%   | 38%     | 65%   | 60%   | 125   | 78ms\n"
                "Medium        | 100   | 68%   | 52%     | 78%   | 75%   | 185   | 95ms\n"
                "High          | 150   | 82%   | 67%     | 88%   | 85%   | 220   | 125ms\n"
                "Peak          | 200   | 95%   | 78%     | 95%   | 92%   | 245   | 180ms\n"
                "\n");
    text_fini(&out);
    suite_free(suite);
}

static void horizontal_is_as_in_the_document(void **state)
{
    (void)state;
    static const struct {
        double rate, mean_ms, cpu, memory;
    } rows[] = {{185, 95, .68, .52}, {340, 105, .72, .55}, {485, 115, .75, .58}};
    struct suite *suite = suite_new();
    struct level_series *series = suite_add(suite, SUITE_HORIZONTAL, "horizontal");
    for (size_t i = 0; i < 3; i++) {
        struct level *level = add(series, 100 * (double)(i + 1), rows[i].rate, rows[i].mean_ms);
        level->instances = (double)(i + 1);
        watch(level, "cpu.busy", "", rows[i].cpu);
        watch(level, "memory.used_share", "", rows[i].memory);
    }
    struct text out = TEXT_EMPTY;
    suite_tables(suite, &out);
    assert_string_equal(
        out.at,
        "Horizontal Scaling Test Results:\n"
        "Instances | Users | Total RPS | Avg Latency | CPU per Instance | Memory per Instance\n"
        "1         | 100   | 185       | 95ms        | 68%              | 52%\n"
        "2         | 200   | 340       | 105ms       | 72%              | 55%\n"
        "3         | 300   | 485       | 115ms       | 75%              | 58%\n"
        "\n"
        "2 instances: 1.84 times the first (efficiency 92 %)\n"
        "3 instances: 2.62 times the first (efficiency 87 %)\n"
        "\n");
    text_fini(&out);
    suite_free(suite);
}

/* Three times the instances at three times the load, and hardly more throughput. */
static void what_does_not_scale_is_said(void **state)
{
    (void)state;
    struct suite *suite = suite_new();
    struct level_series *series = suite_add(suite, SUITE_HORIZONTAL, "horizontal");
    for (size_t i = 0; i < 3; i++)
        add(series, 100 * (double)(i + 1), 100 + 5 * (double)i, 95)->instances = (double)(i + 1);
    struct text out = TEXT_EMPTY;
    suite_tables(suite, &out);
    assert_non_null(strstr(out.at, "SHARED_DEPENDENCY"));
    assert_non_null(strstr(out.at, "–")); /* nothing was watched, and no zero stands for that */
    text_fini(&out);
    suite_free(suite);
}

/* 70 and 130 of 300 requests are 60 apart, and four standard deviations of their mean of 100 are
 * 40; of few, or a few per cent of many, is chance; 700 of 3,000 for one instance are not (four of
 * 1,000 are 126). */
static void unequal_parts_are_said(void **state)
{
    (void)state;
    static const uint64_t served[][3] = {
        {70, 100, 130}, {10, 11, 12}, {602, 591, 570}, {95, 100, 105}, {1150, 1150, 700}};
    static const bool unbalanced[] = {true, false, false, false, true};
    for (size_t s = 0; s < 5; s++) {
        struct suite *suite = suite_new();
        struct level *level = add(suite_add(suite, SUITE_HORIZONTAL, "horizontal"), 9, 300, 95);
        level->instances = 3;
        level->served_by_users = s > 2;
        assert_true(isnan(level_skew(level)));
        for (size_t i = 0; i < 3; i++)
            level_add_served(level, served[s][i]);
        struct text out = TEXT_EMPTY;
        suite_tables(suite, &out);
        assert_int_equal(strstr(out.at, "UNBALANCED") != NULL, unbalanced[s]);
        if (s == 4)
            assert_non_null(strstr(out.at, "users who are spread"));
        if (s == 0)
            assert_non_null(
                strstr(out.at, "3 instances served 70, 100, 130 requests: 60.0 % apart"));
        text_fini(&out);
        suite_free(suite);
    }
}

/* Each level that is not simply steady is named with what there is to know of it. */
static void doubts_are_explained(void **state)
{
    (void)state;
    struct suite *suite = suite_new();
    struct level_series *series = suite_add(suite, SUITE_PROGRESSION, "progression");
    add(series, 1, 100, 95)->state = LEVEL_SHORT;
    for (size_t i = 0; i < 5; i++)
        add(series, 10, 100, 95);
    series->levels[2].requests = 0;
    series->levels[3].failed = 1000;
    level_add_error(&series->levels[3], "refused", 100);
    level_add_error(&series->levels[3], "503", 900);
    series->levels[4].generator = 2;
    series->levels[5].state = LEVEL_NOT_STEADY;
    struct text out = TEXT_EMPTY;
    suite_tables(suite, &out);
    const char *doubts = strstr(out.at, "! ");
    assert_non_null(doubts);
    assert_string_equal(
        doubts, "! progression, 1 user: short, too few answers for its percentiles; a longer "
                "--step-duration helps\n"
                "! progression, 10 users: nothing ended, no answer came within it\n"
                "! progression, 10 users: all failed, most by HTTP 503 (900 of 1,000)\n"
                "! progression, 10 users: generator saturated, its figures are not the target's\n"
                "! progression, 10 users: not steady, its figures still moved at its end\n");
    text_fini(&out);
    suite_free(suite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vertical_is_as_in_the_document),
        cmocka_unit_test(horizontal_is_as_in_the_document),
        cmocka_unit_test(what_does_not_scale_is_said),
        cmocka_unit_test(unequal_parts_are_said),
        cmocka_unit_test(doubts_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
