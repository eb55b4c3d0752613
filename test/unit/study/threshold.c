/* Thresholds and objectives on results made by hand, where every number can be checked by eye. */
#include "study/threshold.h"

#include "fixture.h"

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

static struct second steady(int t)
{
    (void)t;
    return (struct second){.times = 100, .first_ms = 101}; /* 101 .. 200 ms */
}

static struct second slower(int t)
{
    return (struct second){.times = 10, .first_ms = t < 10 ? 11 : 1001};
}

static struct second failing(int t)
{
    return (struct second){
        .times = 90, .first_ms = 11, .status_503 = t < 20 ? 0 : 9, .timed_out = t < 20 ? 0 : 1};
}

static struct second nothing(int t)
{
    (void)t;
    return (struct second){0};
}

/* ---- judging ------------------------------------------------------------------------------ */

struct row {
    struct plan_threshold threshold;
    double at_s;
    int verdict;
    double value; /* NAN: none */
    const char *why;
};

static void judge_rows(const struct result *result, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct result_verdict verdict;
        threshold_judge(&rows[i].threshold, result, (nsec_t)(rows[i].at_s * 1e9), &verdict);
        if ((int)verdict.verdict != rows[i].verdict)
            fail_msg("row %zu: verdict %d, value %g, why %s", i, (int)verdict.verdict,
                     verdict.value, verdict.why ? verdict.why : "");
        if (isnan(rows[i].value)
                ? !isnan(verdict.value)
                : !(fabs(verdict.value - rows[i].value) <= 0.004 * fabs(rows[i].value)))
            fail_msg("row %zu: value %g, not %g", i, verdict.value, rows[i].value);
        assert_true((verdict.why != NULL) == (rows[i].why != NULL));
        if (rows[i].why != NULL && strstr(verdict.why, rows[i].why) == NULL)
            fail_msg("row %zu: says \"%s\"", i, verdict.why);
        verdict_fini(&verdict);
    }
}

#define TIME(metric_, p_, compare_, limit_)                                                        \
    .metric = (char *)(uintptr_t)(metric_), .aggregate = (char *)(uintptr_t) "p",                  \
    .percentile = (p_), .compare = (compare_), .limit = (limit_)
#define OTHER(metric_, aggregate_, compare_, limit_)                                               \
    .metric = (char *)(uintptr_t)(metric_), .aggregate = (char *)(uintptr_t)(aggregate_),          \
    .compare = (compare_), .limit = (limit_)
#define FOR(key_, value_)                                                                          \
    .filter_key = (char *)(uintptr_t)(key_), .filter_value = (char *)(uintptr_t)(value_)
#define COUNT_OF(rows) (sizeof(rows) / sizeof(*(rows)))

static void times_are_judged_in_milliseconds(void **state)
{
    (void)state;
    struct result *result = new_result(steady, nothing);
    const struct row rows[] = {
        {{TIME("response", 95, COMPARE_LESS, 200)}, 30, VERDICT_MET, 195, NULL},
        {{TIME("response", 95, COMPARE_LESS, 190)}, 30, VERDICT_FAILED, 195, NULL},
        {{TIME("response_time", 99.9, COMPARE_LESS, 250)}, 30, VERDICT_MET, 200, NULL},
        /* k6's duration starts when the request is sent: our service time */
        {{TIME("http_req_duration", 95, COMPARE_LESS, 100)}, 30, VERDICT_MET, 97.5, NULL},
        {{TIME("service", 95, COMPARE_LESS, 97)}, 30, VERDICT_FAILED, 97.5, NULL},
        {{TIME("http_req_waiting", 50, COMPARE_AT_MOST, 40)}, 30, VERDICT_MET, 37.5, NULL},
        {{OTHER("response", "avg", COMPARE_LESS, 151)}, 30, VERDICT_MET, 150.5, NULL},
        {{OTHER("response", "med", COMPARE_LESS, 151)}, 30, VERDICT_MET, 150, NULL},
        {{OTHER("response", "max", COMPARE_AT_MOST, 200)}, 30, VERDICT_MET, 200, NULL},
        {{OTHER("response", "min", COMPARE_MORE, 101)}, 30, VERDICT_FAILED, 101, NULL},
        {{OTHER("response", "min", COMPARE_AT_LEAST, 101)}, 30, VERDICT_MET, 101, NULL},
        {{OTHER("response", "count", COMPARE_EQUAL, 3000)}, 30, VERDICT_MET, 3000, NULL},
        {{OTHER("response", "count", COMPARE_NOT, 3000)}, 30, VERDICT_FAILED, 3000, NULL},
        {{OTHER("response", "rps", COMPARE_MORE, 99)}, 30, VERDICT_MET, 100, NULL},
    };
    judge_rows(result, rows, COUNT_OF(rows));
    struct result_verdict verdict;
    struct plan_threshold threshold = {TIME("response", 95, COMPARE_LESS, 200),
                                       .words = (char *)(uintptr_t) "p(95)<200"};
    threshold_judge(&threshold, result, 30 * NSEC_PER_SEC, &verdict);
    assert_string_equal(verdict.words, "response: p(95)<200");
    assert_string_equal(verdict.unit, "ms");
    assert_string_equal(verdict.scope, "");
    assert_int_equal(verdict.count, 3000);
    assert_false(verdict.objective || verdict.at_least);
    verdict_fini(&verdict);
    result_free(result);
}

static void rates_and_counts(void **state)
{
    (void)state;
    struct result *result = new_result(failing, steady);
    /* chat: 2700 answered, 90 times 503, 10 timeouts; models: 3000 answered */
    const struct row rows[] = {
        {{OTHER("http_req_failed", "rate", COMPARE_LESS, 0.02)},
         30,
         VERDICT_MET,
         100.0 / 5800,
         NULL},
        {{OTHER("error_rate", "rate", COMPARE_LESS, 0.01)}, 30, VERDICT_FAILED, 100.0 / 5800, NULL},
        {{OTHER("http_req_failed", "rate", COMPARE_LESS, 0.01), FOR("task", "models")},
         30,
         VERDICT_MET,
         0,
         NULL},
        {{OTHER("http_req_failed", "rate", COMPARE_LESS, 0.01), FOR("task", "chat")},
         30,
         VERDICT_FAILED,
         100.0 / 2800,
         NULL},
        {{OTHER("http_req_failed", "rate", COMPARE_LESS, 0.01), FOR("error", "timeout")},
         30,
         VERDICT_MET,
         10.0 / 5800,
         NULL},
        {{OTHER("http_req_failed", "count", COMPARE_LESS, 90), FOR("status", "503")},
         30,
         VERDICT_FAILED,
         90,
         NULL},
        {{OTHER("http_req_failed", "count", COMPARE_LESS, 91), FOR("error", "5xx")},
         30,
         VERDICT_MET,
         90,
         NULL},
        {{OTHER("http_req_failed", "rate", COMPARE_LESS, 0.05), FOR("level", "100")},
         30,
         VERDICT_FAILED,
         100.0 / 2000,
         NULL},
        {{OTHER("http_req_failed", "rate", COMPARE_LESS, 0.05), FOR("level", "50")},
         30,
         VERDICT_MET,
         0,
         NULL},
        {{OTHER("success_rate", "rate", COMPARE_MORE, 0.98)}, 30, VERDICT_MET, 5700.0 / 5800, NULL},
        {{OTHER("checks", "rate", COMPARE_MORE, 0.99)}, 30, VERDICT_MET, 17100.0 / 17190, NULL},
        {{OTHER("http_reqs", "count", COMPARE_AT_LEAST, 5800)}, 30, VERDICT_MET, 5800, NULL},
        {{OTHER("http_reqs", "rate", COMPARE_MORE, 200)}, 30, VERDICT_FAILED, 5800 / 30.0, NULL},
        {{OTHER("throughput", "rate", COMPARE_MORE, 189)}, 30, VERDICT_MET, 190, NULL},
        {{OTHER("dropped_iterations", "count", COMPARE_LESS, 1)}, 30, VERDICT_MET, 0, NULL},
        {{OTHER("data_received", "count", COMPARE_MORE, 1)}, 30, VERDICT_MET, 5700000, NULL},
        {{OTHER("bytes_in", "count", COMPARE_MORE, 1)}, 30, VERDICT_MET, 5700000, NULL},
        {{OTHER("vus", "max", COMPARE_AT_MOST, 100)}, 30, VERDICT_MET, 100, NULL},
        {{OTHER("vus", "value", COMPARE_MORE, 100)}, 30, VERDICT_FAILED, 100, NULL},
        {{OTHER("vus", "avg", COMPARE_MORE, 10)}, 30, VERDICT_MET, 160.0 / 3, NULL},
    };
    judge_rows(result, rows, COUNT_OF(rows));
    result_free(result);
}

static void windows_forget_the_past(void **state)
{
    (void)state;
    struct result *result = new_result(failing, slower);
    const nsec_t ten = 10 * NSEC_PER_SEC;
    const struct row rows[] = {
        {{OTHER("error_rate", "rate", COMPARE_LESS, 0.01), .window_ns = ten},
         20,
         VERDICT_MET,
         0,
         NULL},
        {{OTHER("error_rate", "rate", COMPARE_LESS, 0.01), .window_ns = ten},
         25,
         VERDICT_FAILED,
         50.0 / 1050,
         NULL},
        {{OTHER("response", "max", COMPARE_LESS, 100), .window_ns = ten, FOR("task", "models")},
         10,
         VERDICT_MET,
         20,
         NULL},
        {{OTHER("response", "max", COMPARE_LESS, 100), .window_ns = ten, FOR("task", "models")},
         20,
         VERDICT_FAILED,
         1010,
         NULL},
        {{OTHER("throughput", "rate", COMPARE_MORE, 99), .window_ns = ten},
         30,
         VERDICT_MET,
         100,
         NULL},
        {{OTHER("vus", "max", COMPARE_AT_MOST, 10), .window_ns = ten}, 10, VERDICT_MET, 10, NULL},
        {{TIME("response", 95, COMPARE_LESS, 100), .window_ns = ten},
         90,
         VERDICT_NOT_JUDGED,
         NAN,
         "n = 0"},
    };
    judge_rows(result, rows, COUNT_OF(rows));
    /* Models did nothing from 20 to 25: its rate is still one over the whole window. */
    for (int t = 20; t < 25; t++)
        result->points[t].requests[1] =
            result_sum_free(result->points[t].requests[1], &result->metrics);
    const struct row pause[] = {
        {{OTHER("throughput", "rate", COMPARE_LESS, 6), .window_ns = ten, FOR("task", "models")},
         30,
         VERDICT_MET,
         5,
         NULL},
        {{OTHER("throughput", "rate", COMPARE_LESS, 11), FOR("task", "models")},
         30,
         VERDICT_MET,
         10,
         NULL},
    };
    judge_rows(result, pause, COUNT_OF(pause));
    result_free(result);
}

static struct second with_drops(int t)
{
    return (struct second){.times = 100, .first_ms = 101, .dropped = t < 3 ? 10 : 0};
}

static struct second mostly_timeouts(int t)
{
    (void)t;
    return (struct second){.times = 10, .first_ms = 101, .timed_out = 2};
}

static void unfinished_requests_never_pass(void **state)
{
    (void)state;
    struct result *result = new_result(mostly_timeouts, nothing);
    /* 300 answered in 101 .. 110 ms, 60 cut off at 60 s: p95 falls among the unfinished */
    const struct row rows[] = {
        {{TIME("response", 95, COMPARE_LESS, 200)}, 30, VERDICT_FAILED, 60000, NULL},
        {{TIME("response", 95, COMPARE_LESS, 60000)}, 30, VERDICT_FAILED, 60000, NULL},
        {{TIME("response", 95, COMPARE_LESS, 90000)}, 30, VERDICT_NOT_JUDGED, 60000, "lower bound"},
        {{TIME("response", 95, COMPARE_MORE, 90)}, 30, VERDICT_MET, 60000, NULL},
        {{TIME("response", 50, COMPARE_LESS, 200)}, 30, VERDICT_MET, 106, NULL},
        {{OTHER("response", "max", COMPARE_LESS, 90000)},
         30,
         VERDICT_NOT_JUDGED,
         60000,
         "lower bound"},
        {{OTHER("response", "avg", COMPARE_LESS, 10000)},
         30,
         VERDICT_FAILED,
         (300 * 105.5 + 60 * 60000) / 360,
         NULL},
        /* a stage of requests that got that far */
        {{TIME("http_req_waiting", 95, COMPARE_LESS, 30)}, 30, VERDICT_MET, 27.5, NULL},
    };
    judge_rows(result, rows, COUNT_OF(rows));
    result_free(result);

    result = new_result(with_drops, nothing); /* 3000 answered, 30 dropped at once */
    struct result_verdict verdict;
    struct plan_threshold p95 = {TIME("response", 95, COMPARE_LESS, 201)};
    threshold_judge(&p95, result, 30 * NSEC_PER_SEC, &verdict);
    assert_true(verdict.at_least); /* served at once they would have made p95 smaller */
    assert_int_equal(verdict.verdict, VERDICT_NOT_JUDGED);
    assert_true(verdict.value >= 195 && verdict.value <= 197);
    verdict_fini(&verdict);
    p95.limit = 190;
    threshold_judge(&p95, result, 30 * NSEC_PER_SEC, &verdict);
    assert_int_equal(verdict.verdict, VERDICT_FAILED);
    verdict_fini(&verdict);
    result_free(result);
}

static struct second rare(int t)
{
    return (struct second){.times = t < 29 ? 2 : 0, .first_ms = 50};
}

static void levels_have_numbers_and_names(void **state)
{
    (void)state;
    struct result *result = new_result(failing, steady);
    result->phases[2].name = memory_copy_text("level 3 of 3: 100 users");
    const struct row rows[] = {
        {{OTHER("http_reqs", "count", COMPARE_EQUAL, 2000),
          FOR("level", "level 3 of 3: 100 users")},
         30,
         VERDICT_MET,
         2000,
         NULL},
        {{OTHER("http_reqs", "count", COMPARE_EQUAL, 2000), FOR("level", "100.0")},
         30,
         VERDICT_MET,
         2000,
         NULL},
        {{OTHER("http_reqs", "count", COMPARE_EQUAL, 2000), FOR("level", "100 or so")},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "no load level \"100 or so\""},
        {{OTHER("failed", "rate", COMPARE_LESS, 0.01)}, 30, VERDICT_FAILED, 100.0 / 5800, NULL},
        {{OTHER("late", "count", COMPARE_LESS, 1)}, 30, VERDICT_MET, 0, NULL},
        {{TIME("late", 99, COMPARE_LESS, 1)}, 30, VERDICT_NOT_JUDGED, NAN, "n = 0"},
    };
    judge_rows(result, rows, COUNT_OF(rows));
    result_free(result);
}

static void too_little_is_not_judged(void **state)
{
    (void)state;
    struct result *result = new_result(rare, nothing); /* 58 requests */
    const struct row rows[] = {
        {{TIME("response", 95, COMPARE_LESS, 200)},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "n = 58: too few for p95 (needs 59)"},
        {{TIME("response", 99.9, COMPARE_LESS, 1)},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "too few for p99.9 (needs 2995)"},
        {{TIME("response", 90, COMPARE_LESS, 200)}, 30, VERDICT_MET, 51, NULL},
        {{OTHER("response", "avg", COMPARE_LESS, 200), .min_samples = 59},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "n = 58: fewer than min_samples (59)"},
        {{OTHER("response", "avg", COMPARE_LESS, 200), .min_samples = 58},
         30,
         VERDICT_MET,
         50.5,
         NULL},
        {{OTHER("response", "avg", COMPARE_LESS, 1), .after_ns = 20 * NSEC_PER_SEC},
         19.9,
         VERDICT_NOT_JUDGED,
         NAN,
         "not judged before"},
        {{OTHER("response", "avg", COMPARE_LESS, 1), .after_ns = 20 * NSEC_PER_SEC},
         20,
         VERDICT_FAILED,
         50.5,
         NULL},
        {{TIME("http_req_connecting", 95, COMPARE_LESS, 1)}, 30, VERDICT_NOT_JUDGED, NAN, "n = 0"},
        {{OTHER("http_req_failed", "rate", COMPARE_LESS, 1), FOR("task", "models")},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "n = 0"},
        {{OTHER("http_req_failed", "rate", COMPARE_LESS, 1), FOR("task", "chatt")},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "no request of this run has task \"chatt\""},
        {{OTHER("http_req_failed", "rate", COMPARE_LESS, 1), FOR("level", "70")},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "no load level \"70\""},
        {{OTHER("http_req_failed", "rate", COMPARE_LESS, 1), FOR("error", "bad")},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "no error \"bad\""},
        {{OTHER("http_req_failed", "p", COMPARE_LESS, 1)},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "has no \"p\""},
        {{OTHER("http_reqs", "avg", COMPARE_LESS, 1)},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "has no \"avg\""},
        {{OTHER("response", "avg", COMPARE_LESS, 1), FOR("error", "reset")},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "not recorded by error"},
        {{TIME("http_req_durations", 95, COMPARE_LESS, 1)},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "no metric \"http_req_durations\""},
    };
    judge_rows(result, rows, COUNT_OF(rows));
    result_free(result);
}

static void services_and_tags(void **state)
{
    (void)state;
    struct result *result = new_result(steady, slower);
    result->service_count = 3;
    result->services = memory_new(3, sizeof(*result->services));
    static const struct {
        const char *service, *outcome;
        bool failure;
        uint64_t hits;
    } hits[] = {
        {"qdrant", "ok", false, 95}, {"qdrant", "timeout", true, 5}, {"db", "ok", false, 7}};
    for (size_t i = 0; i < 3; i++)
        result->services[i] = (struct result_service){memory_copy_text(hits[i].service),
                                                      memory_copy_text(hits[i].outcome),
                                                      hits[i].failure, hits[i].hits};
    result->fact_count = 1;
    result->facts = memory_new(1, sizeof(*result->facts));
    result->facts[0] =
        (struct result_fact){memory_copy_text("tags models"), memory_copy_text("slow team=search")};
    const struct row rows[] = {
        {{OTHER("http_req_failed", "rate", COMPARE_LESS, 0.05), FOR("service", "qdrant")},
         30,
         VERDICT_FAILED,
         0.05,
         NULL},
        {{OTHER("success_rate", "rate", COMPARE_AT_LEAST, 1), FOR("service", "db")},
         30,
         VERDICT_MET,
         1,
         NULL},
        {{OTHER("success_rate", "rate", COMPARE_MORE, 1), FOR("service", "redis")},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "service \"redis\""},
        {{OTHER("success_rate", "rate", COMPARE_MORE, 1), FOR("service", "db"),
          .window_ns = NSEC_PER_SEC},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "over the whole run"},
        {{OTHER("response", "count", COMPARE_EQUAL, 300), FOR("tag", "slow")},
         30,
         VERDICT_MET,
         300,
         NULL},
        {{OTHER("response", "count", COMPARE_EQUAL, 300), FOR("team", "search")},
         30,
         VERDICT_MET,
         300,
         NULL},
        {{OTHER("response", "count", COMPARE_EQUAL, 300), FOR("team", "chat")},
         30,
         VERDICT_NOT_JUDGED,
         NAN,
         "team \"chat\""},
    };
    judge_rows(result, rows, COUNT_OF(rows));
    result_free(result);
}

/* ---- objectives --------------------------------------------------------------------------- */

#define OBJECTIVE(metric_, stat_, target_, accept_)                                                \
    .metric = (char *)(uintptr_t)(metric_), .stat = (char *)(uintptr_t)(stat_),                    \
    .target = (target_), .accept = (accept_)

static void objectives_have_three_answers(void **state)
{
    (void)state;
    struct result *result = new_result(failing, slower);
    const struct {
        struct plan_objective objective;
        int verdict;
        double value;
        const char *scope;
    } rows[] = {
        {{OBJECTIVE("response_time", "p95", 2, 2.5)}, VERDICT_MET, 1.006, ""},
        {{OBJECTIVE("response_time", "p95", 1, 1.2)}, VERDICT_ACCEPTED, 1.006, ""},
        {{OBJECTIVE("response_time", "p95", 0.5, 0.9)}, VERDICT_FAILED, 1.006, ""},
        {{OBJECTIVE("response_time", NULL, 0.02, 0.02), .task = (char *)(uintptr_t) "models",
          .at = 10},
         VERDICT_MET,
         0.02,
         "task models, level 10"},
        {{OBJECTIVE("response_time", "max", 0.1, 0.1), .task = (char *)(uintptr_t) "models"},
         VERDICT_FAILED,
         1.010,
         "task models"},
        {{OBJECTIVE("response_time", "p99", 0.1, 0.1), .at = 70},
         VERDICT_NOT_JUDGED,
         NAN,
         "level 70"},
        {{OBJECTIVE("error_rate", NULL, 0.01, 0.05), .at = 100},
         VERDICT_FAILED,
         100.0 / 1100,
         "level 100"},
        {{OBJECTIVE("error_rate", NULL, 0.01, 0.05)}, VERDICT_ACCEPTED, 100.0 / 3100, ""},
        {{OBJECTIVE("throughput", NULL, 99, 90), .least = true}, VERDICT_MET, 100, ""},
        {{OBJECTIVE("throughput", NULL, 110, 95), .least = true, .at = 50},
         VERDICT_ACCEPTED,
         100,
         "level 50"},
        {{OBJECTIVE("throughput", NULL, 110, 105), .least = true}, VERDICT_FAILED, 100, ""},
        {{OBJECTIVE("error_rate", NULL, 0.2, 0.3), .service = (char *)(uintptr_t) "qdrant"},
         VERDICT_ACCEPTED,
         0.25,
         "service qdrant"},
        {{OBJECTIVE("error_rate", NULL, 0, 0), .service = (char *)(uintptr_t) "database"},
         VERDICT_NOT_JUDGED,
         NAN,
         "service database"},
    };
    result->service_count = 2;
    result->services = memory_new(2, sizeof(*result->services));
    result->services[0] =
        (struct result_service){memory_copy_text("qdrant"), memory_copy_text("timeout"), true, 25};
    result->services[1] = (struct result_service){memory_copy_text("qdrant"),
                                                  memory_copy_text("answered"), false, 75};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct result_verdict verdict;
        objective_judge(&rows[i].objective, result, &verdict);
        if ((int)verdict.verdict != rows[i].verdict)
            fail_msg("row %zu: verdict %d, value %g, why %s", i, (int)verdict.verdict,
                     verdict.value, verdict.why ? verdict.why : "");
        assert_true(isnan(rows[i].value) ||
                    fabs(verdict.value - rows[i].value) <= 0.005 * rows[i].value);
        assert_string_equal(verdict.scope, rows[i].scope);
        assert_true(verdict.objective);
        assert_true((verdict.verdict == VERDICT_NOT_JUDGED) == (verdict.why != NULL));
        verdict_fini(&verdict);
    }
    result_free(result);
}

static void enough_objectives_pass(void **state)
{
    (void)state;
    struct result_verdict verdicts[7] = {
        {.objective = true, .verdict = VERDICT_MET},
        {.objective = true, .verdict = VERDICT_ACCEPTED},
        {.objective = true, .verdict = VERDICT_MET},
        {.objective = true, .verdict = VERDICT_MET},
        {.objective = true, .verdict = VERDICT_FAILED},
        {.objective = false, .verdict = VERDICT_FAILED},
        {.objective = true, .verdict = VERDICT_NOT_JUDGED},
    };
    size_t met = 9, judged = 9;
    assert_true(objectives_pass(verdicts, 5, 0.8, &met, &judged)); /* 4 of 5 is .8 */
    assert_int_equal(met, 4);
    assert_int_equal(judged, 5);
    assert_false(objectives_pass(verdicts, 7, 0.8, &met, &judged)); /* 4 of 6 */
    assert_int_equal(judged, 5);
    assert_false(objectives_pass(verdicts, 5, 1, &met, &judged));
    assert_true(objectives_pass(verdicts, 0, 1, &met, &judged));
    assert_true(objectives_pass(&verdicts[5], 1, 1, &met, &judged)); /* a threshold alone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_judged_in_milliseconds),
        cmocka_unit_test(rates_and_counts),
        cmocka_unit_test(windows_forget_the_past),
        cmocka_unit_test(unfinished_requests_never_pass),
        cmocka_unit_test(levels_have_numbers_and_names),
        cmocka_unit_test(too_little_is_not_judged),
        cmocka_unit_test(services_and_tags),
        cmocka_unit_test(objectives_have_three_answers),
        cmocka_unit_test(enough_objectives_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
