/* A suite goes to JSON and comes back the same; what is no suite is said to be none. */
#include "show/suite_document.h"

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

static struct suite *new_suite(void)
{
    struct suite *suite = suite_new();
    suite->name = memory_copy_text("gateway");
    suite->target = memory_copy_text("http://127.0.0.1:8000");
    suite->wall_start_ns = 1800000000123456789;
    suite->slo_response_s = 0.2;
    struct level_series *series = suite_add(suite, SUITE_VERTICAL, "vertical");
    series->size_unit = memory_copy_text("slots");
    for (int i = 0; i < 2; i++) {
        struct level *level = series_add(series);
        level->users = 50 * (i + 1);
        level->size = 8;
        level->size_name = memory_copy_text("slots 8");
        level->throughput = 1.0 / 3;
        level->requests = 9007199254740993; /* no double holds it */
        level->state = LEVEL_NOT_STEADY;
        level->generator = 1;
        level->replicate = 2;
        level->run = memory_copy_text("level-1.plim");
        level_add_error(level, "503", 3);
        level_add_error(level, "503", 4);
        level_add_served(level, 9007199254740993);
        level_add_served(level, 7);
        level->served_by_users = i == 1;
        struct level_resource *resource = level_add_resource(level);
        resource->thing = memory_copy_text("gateway");
        resource->role = memory_copy_text("gateway");
        resource->metric = memory_copy_text("cpu.busy");
        resource->part = memory_copy_text("");
        resource->unit = memory_copy_text("1");
        resource->mean = 0.5;
        resource->count = 60;
    }
    suite_add_event(suite, 5, "scale", "2 \"instances\"");
    return suite;
}

static void comes_back_the_same(void **state)
{
    (void)state;
    struct suite *suite = new_suite(), *back = NULL;
    struct text one = TEXT_EMPTY, other = TEXT_EMPTY, why = TEXT_EMPTY;
    suite_document_write(suite, &one);
    assert_int_equal(suite_document_read(text_span(&one), &back, &why), 0);
    const struct level *level = &back->series[0].levels[1];
    assert_int_equal(back->series[0].kind, SUITE_VERTICAL);
    assert_int_equal(level->requests, 9007199254740993);
    assert_int_equal(level->state, LEVEL_NOT_STEADY);
    assert_int_equal(level->replicate, 2);
    assert_int_equal(level->served_count, 2);
    assert_int_equal(level->served[0], 9007199254740993);
    assert_true(level->served_by_users && !back->series[0].levels[0].served_by_users);
    assert_true(isnan(level->rate) && isnan(level->p99_s));
    assert_float_equal(level->throughput, 1.0 / 3, 1e-12);
    assert_int_equal(level->error_count, 1);
    assert_int_equal(level->errors[0].count, 7);
    assert_true(isnan(level->resources[0].slope));
    suite_document_write(back, &other);
    assert_string_equal(one.at, other.at);
    text_fini(&one);
    text_fini(&other);
    text_fini(&why);
    suite_free(back);
    suite_free(suite);
}

static void refuses_what_is_no_suite(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
        int outcome;
    } rows[] = {
        {"", "no JSON", SUITE_NOT_ONE},
        {"{\"a\": 1}", "\"scalability_results\" is missing", SUITE_NOT_ONE},
        {"[]", "is missing", SUITE_NOT_ONE},
        {"{\"scalability_results\": 2}", "newer version", SUITE_NEWER},
        {"{\"scalability_results\": 1, \"name\": 5}", "\"name\" has a value of another kind",
         SUITE_NOT_ONE},
        {"{\"scalability_results\": 1, \"series\": [{\"kind\": \"diagonal\"}]}",
         "\"diagonal\" is no kind", SUITE_NOT_ONE},
        {"{\"scalability_results\": 1, \"series\": [{\"levels\": [{\"requests\": -1}]}]}",
         "\"requests\"", SUITE_NOT_ONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text why = TEXT_EMPTY;
        struct suite *suite = NULL;
        assert_int_equal(suite_document_read(span_of(rows[i].text), &suite, &why), rows[i].outcome);
        assert_null(suite);
        assert_non_null(strstr(why.at, rows[i].why));
        text_fini(&why);
    }
}

static void a_file_that_is_not_there(void **state)
{
    (void)state;
    struct suite *suite = NULL;
    struct text why = TEXT_EMPTY;
    assert_true(suite_document_read_file("/nonexistent/x.json", &suite, &why) < 0);
    assert_true(why.bytes > 0);
    text_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_the_same),
        cmocka_unit_test(refuses_what_is_no_suite),
        cmocka_unit_test(a_file_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
