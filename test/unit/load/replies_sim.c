/* The engine against a scripted server in virtual time: each kind of reply and failure is counted
 * where it belongs, every time is exactly what the script made it, and the accounts close.
 *
 * The server answers by the path that it is asked for; nothing but its delays takes time, so that
 * expectations are exact (to a histogram's bucket). */
#include "play.h"

/* ---- the tests ------------------------------------------------------------------------------- */

static void times_and_bytes_are_exact(void **state)
{
    (void)state;
    struct play *play = play_new((char[]){"/ok"}, 10, 60);
    const uint64_t *counters = perform(play, 0);
    /* A cycle is 20 ms of service and 30 ms of thought: 20 requests a second and user. */
    assert_int_equal(counters[COUNT_SUCCEEDED], 10 * 60 * 20);
    assert_int_equal(counters[COUNT_SUCCEEDED], play->server.requests);
    assert_int_equal(counters[COUNT_ATTEMPTS], play->server.requests);
    assert_int_equal(counters[COUNT_CONNECTIONS], 10);
    assert_int_equal(bytes_seen, play->server.body_bytes);
    assert_int_equal(play->sum->requests[0].status[200], play->server.requests);
    assert_int_equal(counters[COUNT_BYTES_IN],
                     play->server.requests *
                         (strlen(body) + strlen("HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n")));
    exactly(play, HIST_RESPONSE, 20 * NSEC_PER_MSEC);
    exactly(play, HIST_SERVICE, 20 * NSEC_PER_MSEC);
    exactly(play, HIST_WAIT, 20 * NSEC_PER_MSEC);
    exactly(play, HIST_LAG, 0);
    accounts_close(counters);
    play_free(play);
}

static void failing(char *path, uint32_t kind, nsec_t after_ns)
{
    struct play *play = play_new(path, 5, 10);
    const uint64_t *counters = perform(play, 0);
    assert_true(counters[COUNT_STARTED] > 100);
    assert_int_equal(counters[COUNT_SUCCEEDED], 0);
    assert_int_equal(counters[COUNT_FAILED], counters[COUNT_STARTED]);
    assert_int_equal(counters[kind], counters[COUNT_STARTED]);
    exactly(play, HIST_FAILED, after_ns);
    assert_true(play->sum->example_count > 0);
    assert_int_equal(play->sum->examples[0].error, kind);
    accounts_close(counters);
    play_free(play);
}

static void each_failure_has_its_kind(void **state)
{
    (void)state;
    failing((char[]){"/error"}, COUNT_ERROR_HTTP_STATUS, NSEC_PER_MSEC);
    failing((char[]){"/reset"}, COUNT_ERROR_RESET, NSEC_PER_MSEC);
    failing((char[]){"/cut"}, COUNT_ERROR_RESET, NSEC_PER_MSEC);
    failing((char[]){"/garbage"}, COUNT_ERROR_PROTOCOL, NSEC_PER_MSEC);
}

/* A server that says keep-alive and closes: no failure, a new connection each time. */
static void a_closed_connection_is_replaced(void **state)
{
    (void)state;
    struct play *play = play_new((char[]){"/close"}, 5, 10);
    const uint64_t *counters = perform(play, 0);
    assert_true(counters[COUNT_SUCCEEDED] > 1000);
    assert_int_equal(counters[COUNT_FAILED], 0);
    assert_int_equal(counters[COUNT_CONNECTIONS], counters[COUNT_STARTED]);
    accounts_close(counters);
    play_free(play);
}

/* A kept connection that dies without a byte: the request goes out once more, counted apart. */
static void a_stale_connection_costs_a_second_attempt(void **state)
{
    (void)state;
    struct play *play = play_new((char[]){"/second-dies"}, 5, 10);
    const uint64_t *counters = perform(play, 0);
    assert_true(counters[COUNT_SUCCEEDED] > 500);
    assert_int_equal(counters[COUNT_FAILED], 0);
    assert_int_equal(counters[COUNT_STALE], counters[COUNT_STARTED] - 5);
    assert_int_equal(counters[COUNT_ATTEMPTS], counters[COUNT_STARTED] + counters[COUNT_STALE]);
    assert_int_equal(counters[COUNT_ATTEMPTS], play->server.requests);
    accounts_close(counters);
    play_free(play);
}

static void an_answer_that_never_comes_is_censored(void **state)
{
    (void)state;
    struct play *play = play_new((char[]){"/never"}, 3, 25);
    const uint64_t *counters = perform(play, 0);
    /* 10 s of timeout and 30 ms of thought: three in 25 s, the last one ending in the graceful
     * stop. */
    assert_int_equal(counters[COUNT_TIMED_OUT], 9);
    assert_int_equal(counters[COUNT_ERROR_RESPONSE_TIMEOUT], 9);
    assert_null(play->sum->requests[0].hists[HIST_RESPONSE]);
    exactly(play, HIST_CENSORED, 10 * NSEC_PER_SEC);
    accounts_close(counters);
    play_free(play);
}

static void what_a_stop_cuts_off_is_abandoned(void **state)
{
    (void)state;
    struct play *play = play_new((char[]){"/never"}, 3, 5);
    play->scenario.graceful_stop_ns = 2 * NSEC_PER_SEC;
    const uint64_t *counters = perform(play, 0);
    assert_int_equal(counters[COUNT_ABANDONED], 3);
    exactly(play, HIST_CENSORED, 7 * NSEC_PER_SEC);
    accounts_close(counters);
    play_free(play);
}

/* Users ramped away may finish for the grace they have; then their iterations are cut off. */
static void ramped_away_users_have_their_grace(void **state)
{
    (void)state;
    struct plan_stage stages[] = {
        {.duration_ns = 2 * NSEC_PER_SEC, .target = 4, .jump = true, .name = name},
        {.duration_ns = 4 * NSEC_PER_SEC, .target = 1, .jump = true, .name = name},
        {.duration_ns = 4 * NSEC_PER_SEC, .target = 2, .jump = true, .name = name}};
    struct play *play = play_new((char[]){"/never"}, 4, 2);
    play->scenario.executor = EXECUTOR_RAMPING_VUS;
    play->scenario.stages = stages;
    play->scenario.stage_count = 3;
    play->scenario.graceful_ramp_down_ns = 3 * NSEC_PER_SEC;
    play->scenario.graceful_stop_ns = 0;
    play->plan.http.timeout_ns = 0;
    const uint64_t *counters = perform(play, 0);
    /* Three are cut off at 5 s (none is wanted again before); the first and one who joins at 6 s
     * at 10 s. */
    assert_int_equal(counters[COUNT_STARTED], 5);
    assert_int_equal(counters[COUNT_ABANDONED], 5);
    const struct hist *bounds = play->sum->requests[0].hists[HIST_CENSORED];
    assert_int_equal(bounds->least, 4 * NSEC_PER_SEC);
    assert_int_equal(bounds->most, 10 * NSEC_PER_SEC);
    assert_int_equal(bounds->sum_ns, 3 * 5 * 1e9 + 10e9 + 4e9);
    accounts_close(counters);
    play_free(play);
}

/* An open model on one connection that goes silent: what finds the backlog full is dropped, what
 * waited to the end too; nothing is lost from the accounts. */
static void a_full_backlog_drops(void **state)
{
    (void)state;
    struct play *play = play_new((char[]){"/ok"}, 0, 20);
    play->scenario.executor = EXECUTOR_CONSTANT_ARRIVAL_RATE;
    play->stage.target = 40; /* 40/s; one connection does 50/s */
    play->scenario.max_backlog = 100;
    play->scenario.graceful_stop_ns = 0;
    play->plan.connections.mode = POOL_SHARED;
    play->plan.connections.most = 1;
    play->plan.http.timeout_ns = 0;
    const uint64_t *counters = perform(play, 10);
    assert_int_equal(counters[COUNT_OFFERED], 800);
    assert_true(counters[COUNT_SUCCEEDED] >= 398 && counters[COUNT_SUCCEEDED] <= 401);
    assert_int_equal(counters[COUNT_ABANDONED], 1);
    assert_int_equal(counters[COUNT_DROPPED], 800 - counters[COUNT_SUCCEEDED] - 1);
    assert_int_equal(play->sum->requests[0].hists[HIST_CENSORED]->count,
                     counters[COUNT_DROPPED] + 1);
    accounts_close(counters);
    play_free(play);
}

/* One connection, 100/s offered, 50/s served: response time grows with the queue, service time
 * does not. */
static void response_counts_from_the_intended_start(void **state)
{
    (void)state;
    struct play *play = play_new((char[]){"/ok"}, 0, 10);
    play->scenario.executor = EXECUTOR_CONSTANT_ARRIVAL_RATE;
    play->stage.target = 100;
    play->plan.connections.mode = POOL_SHARED;
    play->plan.connections.most = 1;
    const uint64_t *counters = perform(play, 0);
    assert_int_equal(counters[COUNT_SUCCEEDED], 1000);
    exactly(play, HIST_SERVICE, 20 * NSEC_PER_MSEC);
    /* Request n is due at 10 n ms and done at 20 (n + 1) ms. */
    const struct hist *response = play->sum->requests[0].hists[HIST_RESPONSE];
    assert_int_equal(response->least, 20 * NSEC_PER_MSEC);
    assert_int_equal(response->most, (20 * 1000 - 10 * 999) * NSEC_PER_MSEC);
    nsec_t median_ns = 0;
    hist_quantile(response, 0.5, &median_ns);
    assert_true(median_ns >= (20 * 500 - 10 * 499) * NSEC_PER_MSEC);
    assert_true((double)median_ns <= (20 * 500 - 10 * 499) * 1.004 * NSEC_PER_MSEC);
    accounts_close(counters);
    play_free(play);
}

static void retries_are_attempts_of_one_request(void **state)
{
    (void)state;
    char *on[] = {(char[]){"5xx"}};
    struct play *play = play_new((char[]){"/error"}, 2, 10);
    play->plan.http.retries = 3;
    play->plan.http.retry_base_ns = 10 * NSEC_PER_MSEC;
    play->plan.http.retry_on = (struct plan_texts){.items = on, .count = 1};
    const uint64_t *counters = perform(play, 0);
    assert_true(counters[COUNT_STARTED] > 50);
    assert_int_equal(counters[COUNT_ATTEMPTS], 4 * counters[COUNT_STARTED]);
    assert_int_equal(counters[COUNT_RETRIED], 3 * counters[COUNT_STARTED]);
    assert_int_equal(counters[COUNT_FAILED], counters[COUNT_STARTED]);
    accounts_close(counters);
    play_free(play);
}

static void nobody_listens(void **state)
{
    (void)state;
    struct play *play = play_new((char[]){"/ok"}, 2, 5);
    play->request.target = (char[]){"http://127.0.0.1:9"};
    const uint64_t *counters = perform(play, 0);
    assert_true(counters[COUNT_STARTED] > 10);
    assert_int_equal(counters[COUNT_ERROR_REFUSED], counters[COUNT_STARTED]);
    accounts_close(counters);
    play_free(play);
}

static void compressed_bodies_are_decoded(void **state)
{
    (void)state;
    struct play *play = play_new((char[]){"/packed"}, 3, 5);
    play->plan.http.compress = true;
    const uint64_t *counters = perform(play, 0);
    assert_true(counters[COUNT_SUCCEEDED] > 100);
    assert_int_equal(counters[COUNT_FAILED], 0);
    assert_int_equal(bytes_seen, counters[COUNT_SUCCEEDED] * strlen(body));
    play_free(play);
    play = play_new((char[]){"/packed"}, 3, 5); /* not asked for: the bytes are as they came */
    counters = perform(play, 0);
    assert_int_equal(bytes_seen, counters[COUNT_SUCCEEDED] * sizeof packed);
    play_free(play);
    play = play_new((char[]){"/packed-cut"}, 3, 5);
    play->plan.http.compress = true;
    counters = perform(play, 0);
    assert_true(counters[COUNT_STARTED] > 100);
    assert_int_equal(counters[COUNT_ERROR_PROTOCOL], counters[COUNT_STARTED]);
    accounts_close(counters);
    play_free(play);
}

/* Users without think time do not knock at a closed door as fast as the machine can. */
static void a_closed_door_is_knocked_at_slowly(void **state)
{
    (void)state;
    struct play *play = play_new((char[]){"/ok"}, 2, 5);
    play->request.target = (char[]){"http://127.0.0.1:9"};
    play->scenario.think = (struct distribution){0};
    const uint64_t *counters = perform(play, 0);
    assert_int_equal(counters[COUNT_STARTED], 2 * 50);
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_and_bytes_are_exact),
        cmocka_unit_test(each_failure_has_its_kind),
        cmocka_unit_test(a_closed_connection_is_replaced),
        cmocka_unit_test(a_stale_connection_costs_a_second_attempt),
        cmocka_unit_test(an_answer_that_never_comes_is_censored),
        cmocka_unit_test(what_a_stop_cuts_off_is_abandoned),
        cmocka_unit_test(ramped_away_users_have_their_grace),
        cmocka_unit_test(a_full_backlog_drops),
        cmocka_unit_test(response_counts_from_the_intended_start),
        cmocka_unit_test(retries_are_attempts_of_one_request),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(a_closed_door_is_knocked_at_slowly),
        cmocka_unit_test(compressed_bodies_are_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
