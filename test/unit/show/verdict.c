/* The verdict: which word, in which order of importance, and the two flags of the requirements. */
#include "show/verdict.h"

#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void set_fact(struct result *result, const char *name, const char *value)
{
    for (size_t i = 0; i < result->fact_count; i++) {
        if (strcmp(result->facts[i].name, name) == 0) {
            free(result->facts[i].value);
            result->facts[i].value = memory_copy_text(value);
            return;
        }
    }
    result->facts = memory_resize(result->facts, result->fact_count + 1, sizeof *result->facts);
    result->facts[result->fact_count++] =
        (struct result_fact){.name = memory_copy_text(name), .value = memory_copy_text(value)};
}

static enum verdict_word word_of(const struct result *result)
{
    struct verdict verdict;
    show_verdict(result, &verdict);
    assert_non_null(verdict.sentence);
    assert_true(verdict.sentence[0] != '\0');
    show_verdict_fini(&verdict);
    return verdict.word;
}

static void test_words(void **state)
{
    (void)state;
    struct result *result = fixture_result(FIXTURE_WHOLE);
    assert_int_equal(word_of(result), VERDICT_WORD_PASS);
    result->verdicts[3].verdict = VERDICT_FAILED; /* a threshold */
    assert_int_equal(word_of(result), VERDICT_WORD_FAIL);
    result->verdicts[3].verdict = VERDICT_MET;
    result->verdicts[1].verdict = VERDICT_FAILED; /* one of two objectives, 80 % needed */
    assert_int_equal(word_of(result), VERDICT_WORD_FAIL);
    set_fact(result, "objectives.needed", "0.5");
    assert_int_equal(word_of(result), VERDICT_WORD_PASS);
    set_fact(result, "outcome", "interrupted");
    assert_int_equal(word_of(result), VERDICT_WORD_INCOMPLETE);
    set_fact(result, "generator.verdict", "saturated");
    assert_int_equal(word_of(result), VERDICT_WORD_INVALID);
    result_free(result);
}

/* A limit that stopped a run whose generator was saturated: the reader must know of both. */
static void test_stopped_and_saturated(void **state)
{
    (void)state;
    struct result *result = fixture_result(FIXTURE_WHOLE);
    struct verdict verdict;
    set_fact(result, "generator.verdict", "saturated");
    set_fact(result, "generator.reason", "a loop thread was busy");
    set_fact(result, "outcome.stopped", "stopped by a limit of watch.stop: memory 91 %");
    show_verdict(result, &verdict);
    assert_int_equal(verdict.word, VERDICT_WORD_INVALID);
    assert_string_equal(verdict.sentence,
                        "the generator was the bottleneck, not the target: a loop thread was busy; "
                        "stopped by a limit of watch.stop: memory 91 %");
    show_verdict_fini(&verdict);
    result_free(result);
}

static void example_says(int status, const char *words, const char *wanted)
{
    struct result_example example = {.status = status, .words = (char *)(uintptr_t)words};
    struct text out = TEXT_EMPTY;
    result_put_example(&example, &out);
    assert_string_equal(out.at, wanted);
    text_fini(&out);
}

/* The status stands before the words of the answer, and once. */
static void test_examples(void **state)
{
    (void)state;
    example_says(503, "no free slot", "HTTP 503, no free slot");
    example_says(502, "502 Bad Gateway nginx", "HTTP 502 Bad Gateway nginx");
    example_says(404, "", "HTTP 404");
    example_says(200, "not a JSON object: <html>", "not a JSON object: <html>");
    example_says(0, "connection refused", "connection refused");
}

/* Whatever else is judged, it is said first that nothing succeeded. */
static void test_nothing_succeeded(void **state)
{
    (void)state;
    struct result *result = fixture_result(FIXTURE_WHOLE);
    struct verdict verdict;
    result->total->counters[COUNT_SUCCEEDED] = 0;
    show_verdict(result, &verdict);
    assert_int_equal(verdict.word, VERDICT_WORD_FAIL);
    assert_non_null(strstr(verdict.sentence, "no request succeeded; 2 of 2 objectives met"));
    show_verdict_fini(&verdict);
    result_free(result);
}

static void judged_name(const char *words, const char *scope, bool objective, const char *wanted)
{
    struct result_verdict judged = {.words = (char *)(uintptr_t)words,
                                    .scope = (char *)(uintptr_t)scope,
                                    .objective = objective};
    struct text out = TEXT_EMPTY;
    show_judged_name(&judged, &out);
    assert_string_equal(out.at, wanted);
    text_fini(&out);
}

/* The goal has a column of its own in tables. */
static void test_names(void **state)
{
    (void)state;
    judged_name("response_time p95 < 2s accept 2.5s at 100 task chat", "task chat, level 100", true,
                "response_time p95, task chat, level 100");
    judged_name("throughput>10/s", "", true, "throughput");
    judged_name("http_req_duration: p(95)<800", "task h", false,
                "http_req_duration: p(95)<800, task h");
}

static void test_unjudged(void **state)
{
    (void)state;
    struct result *result = fixture_result(FIXTURE_WHOLE);
    for (size_t i = 0; i < result->verdict_count; i++)
        result->verdicts[i].verdict = VERDICT_NOT_JUDGED;
    assert_int_equal(word_of(result), VERDICT_WORD_UNJUDGED); /* never a pass */
    result_free(result);
}

static void test_kinds(void **state)
{
    (void)state;
    static const enum verdict_word expected[FIXTURE_KINDS] = {
        [FIXTURE_WHOLE] = VERDICT_WORD_PASS,        [FIXTURE_EMPTY] = VERDICT_WORD_EMPTY,
        [FIXTURE_NOTHING] = VERDICT_WORD_EMPTY,     [FIXTURE_SINGLE] = VERDICT_WORD_MEASURED,
        [FIXTURE_KILLED] = VERDICT_WORD_INCOMPLETE, [FIXTURE_CENSORED] = VERDICT_WORD_MEASURED,
        [FIXTURE_LONG] = VERDICT_WORD_MEASURED,     [FIXTURE_HOSTILE] = VERDICT_WORD_PASS,
        [FIXTURE_STREAMED] = VERDICT_WORD_MEASURED,
    };
    for (int kind = 0; kind < FIXTURE_KINDS; kind++) {
        struct result *result = fixture_result((enum fixture_kind)kind);
        assert_int_equal(word_of(result), expected[kind]);
        result_free(result);
    }
}

static void test_flags(void **state)
{
    (void)state;
    struct verdict verdict;
    struct result *result = fixture_result(FIXTURE_WHOLE);
    show_verdict(result, &verdict);
    assert_int_equal(verdict.availability_passed, ANSWER_YES);
    assert_int_equal(verdict.latency_p95_passed, ANSWER_YES);
    show_verdict_fini(&verdict);
    result->verdicts[3].verdict = VERDICT_FAILED; /* http_req_failed */
    result->verdicts[2].verdict = VERDICT_NOT_JUDGED;
    result->verdicts[0].verdict = VERDICT_NOT_JUDGED;
    show_verdict(result, &verdict);
    assert_int_equal(verdict.availability_passed, ANSWER_NO);
    assert_int_equal(verdict.latency_p95_passed, ANSWER_UNKNOWN);
    show_verdict_fini(&verdict);
    result_free(result);
}

static void assert_value(const char *unit, double value, bool at_least, const char *expected)
{
    struct text words = TEXT_EMPTY;
    show_judged_value(unit, value, at_least, &words);
    assert_string_equal(words.at, expected);
    text_fini(&words);
}

static void test_values(void **state)
{
    (void)state;
    assert_value("s", 2.21, false, "2.21 s");
    assert_value("ms", 800, true, "≥ 800 ms");
    assert_value("share", 0.003, false, "0.3 %");
    assert_value("/s", 61.3, false, "61.3/s");
    assert_value("requests", 12, false, "12 requests");
    assert_value("1", 0.95, false, "95 %");
    assert_value(NULL, 12, false, "12");
    assert_value("ms", (double)NAN, false, "not observed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_stopped_and_saturated),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_nothing_succeeded),
        cmocka_unit_test(test_unjudged),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
