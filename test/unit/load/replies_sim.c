/* The engine against a scripted server in virtual time: each kind of reply and failure is counted
 * where it belongs, every time is exactly what the script made it, and the accounts close.
 *
 * The server answers by the path that it is asked for; nothing but its delays takes time, so that
 * expectations are exact (to a histogram's bucket). */
#include "base/memory.h"
#include "load/engine.h"
#include "net/stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the server ------------------------------------------------------------------------------ */

struct visitor {
    struct stream stream;
    struct timer timer;
    struct server *server;
    char request[4096];
    size_t have;
    unsigned requests;
    bool closes, resets;
    char reply[8192];
    size_t reply_bytes;
};

struct server {
    struct loop *loop;
    struct listener listener;
    struct visitor *visitors[4096];
    size_t count;
    uint64_t requests;
    uint64_t body_bytes; /* sent in complete replies */
    bool deaf;           /* answers nothing any more */
};

static void answer(struct visitor *visitor, nsec_t delay_ns, bool closes, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    visitor->reply_bytes = (size_t)vsnprintf(visitor->reply, sizeof visitor->reply, format, list);
    va_end(list);
    visitor->closes = closes;
    timer_start(visitor->server->loop, &visitor->timer, loop_now(visitor->server->loop) + delay_ns);
}

static void send_reply(struct timer *timer, nsec_t now_ns)
{
    struct visitor *visitor = list_entry(timer, struct visitor, timer);
    (void)now_ns;
    if (visitor->stream.fd < 0)
        return;
    if (visitor->resets) {
        stream_close(&visitor->stream, true);
        return;
    }
    ssize_t written = stream_write(&visitor->stream, visitor->reply, visitor->reply_bytes);
    assert_int_equal(written, visitor->reply_bytes);
    if (visitor->closes)
        stream_close(&visitor->stream, false);
}

static const char body[] = "{\"answer\": 42, \"words\": \"twelve drummers\"}";

static void serve(struct visitor *visitor, const char *path)
{
    const nsec_t ms = NSEC_PER_MSEC;
    struct server *server = visitor->server;
    server->requests++;
    visitor->requests++;
    visitor->resets = false;
    if (server->deaf || strcmp(path, "/never") == 0)
        return;
    if (strcmp(path, "/error") == 0) {
        answer(visitor, ms, false, "HTTP/1.1 503 Busy\r\nContent-Length: 12\r\n\r\nno free slot");
    } else if (strcmp(path, "/close") == 0) { /* says keep-alive, and closes */
        server->body_bytes += strlen(body);
        answer(visitor, ms, true, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
               body);
    } else if (strcmp(path, "/second-dies") == 0 && visitor->requests > 1) {
        visitor->resets = true; /* a kept connection dies without a byte */
        answer(visitor, 0, false, "");
    } else if (strcmp(path, "/reset") == 0) {
        visitor->resets = true;
        answer(visitor, ms, false, "");
    } else if (strcmp(path, "/cut") == 0) {
        answer(visitor, ms, true, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    } else if (strcmp(path, "/garbage") == 0) {
        answer(visitor, ms, true, "SSH-2.0-nothing to see here\r\n\r\n");
    } else {
        server->body_bytes += strlen(body);
        answer(visitor, 20 * ms, false, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
               strlen(body), body);
    }
}

static void visitor_ready(struct stream *stream, unsigned what)
{
    struct visitor *visitor = list_entry(stream, struct visitor, stream);
    nsec_t rx_ns;
    enum rx_source source;
    (void)what;
    for (;;) {
        ssize_t bytes = stream_read(stream, visitor->request + visitor->have,
                                    sizeof visitor->request - 1 - visitor->have, &rx_ns, &source);
        if (bytes == -EAGAIN)
            return;
        if (bytes <= 0) {
            timer_stop(visitor->server->loop, &visitor->timer);
            stream_close(stream, false);
            return;
        }
        visitor->have += (size_t)bytes;
        visitor->request[visitor->have] = '\0';
        char path[64];
        if (!strstr(visitor->request, "\r\n\r\n") ||
            sscanf(visitor->request, "GET %63s", path) != 1)
            continue;
        visitor->have = 0;
        serve(visitor, path);
    }
}

static void accepted(struct listener *listener)
{
    struct server *server = list_entry(listener, struct server, listener);
    for (;;) {
        struct visitor *visitor = memory_new(1, sizeof *visitor);
        if (listener_accept(listener, &visitor->stream, visitor_ready)) {
            free(visitor);
            return;
        }
        visitor->server = server;
        timer_init(&visitor->timer, send_reply);
        assert_true(server->count < 4096);
        server->visitors[server->count++] = visitor;
        visitor_ready(&visitor->stream, STREAM_READABLE);
    }
}

/* ---- the driver ------------------------------------------------------------------------------ */

static uint64_t bytes_seen;

static void *path_compile(const struct plan *plan, const struct plan_request *request,
                          struct notes *notes)
{
    (void)plan;
    (void)notes;
    return request->config;
}

static void path_release(void *compiled)
{
    (void)compiled;
}

static void path_compose(struct driver_call *call, struct exchange_request *out)
{
    *out = (struct exchange_request){.method = SPAN("GET"), .path = span_of(call->compiled)};
}

static void path_data(struct driver_call *call, struct span bytes, nsec_t rx_ns)
{
    (void)call;
    (void)rx_ns;
    bytes_seen += bytes.bytes;
}

static struct driver_outcome path_end(struct driver_call *call, int status, struct span kept,
                                      nsec_t end_ns)
{
    (void)call;
    (void)kept;
    (void)end_ns;
    if (status < 400)
        return (struct driver_outcome){0};
    return (struct driver_outcome){.error = COUNT_ERROR_HTTP_STATUS, .words = SPAN("no free slot")};
}

static const struct driver path_driver = {.name = "path",
                                          .compile = path_compile,
                                          .release = path_release,
                                          .compose = path_compose,
                                          .data = path_data,
                                          .end = path_end};

/* ---- a play ---------------------------------------------------------------------------------- */

struct play {
    struct server server;
    struct plan plan;
    struct plan_scenario scenario;
    struct plan_stage stage;
    struct plan_task task;
    struct plan_request request;
    struct metric_table metrics;
    struct tally_exchange tallies;
    struct engine_control control;
    struct tally_block *sum;
    struct timer deafness;
};

static char name[] = "play";

static struct play *play_new(char *path, double users, double seconds)
{
    struct play *play = memory_new(1, sizeof *play);
    play->stage = (struct plan_stage){
        .duration_ns = (nsec_t)(seconds * 1e9), .target = users, .jump = true, .name = name};
    play->task = (struct plan_task){.name = name, .weight = 1, .request_count = 1};
    play->request = (struct plan_request){.name = name, .verb = "path", .config = path};
    play->scenario = (struct plan_scenario){.name = name,
                                            .executor = EXECUTOR_CONSTANT_VUS,
                                            .stages = &play->stage,
                                            .stage_count = 1,
                                            .task_count = 1,
                                            .graceful_stop_ns = 60 * NSEC_PER_SEC,
                                            .think = {.spread = SPREAD_FIXED, .a = 0.030}};
    play->plan = (struct plan){.name = name,
                               .scenarios = &play->scenario,
                               .scenario_count = 1,
                               .tasks = &play->task,
                               .task_count = 1,
                               .requests = &play->request,
                               .request_count = 1,
                               .seed = 1,
                               .interval_ns = 3600 * NSEC_PER_SEC,
                               .connections = {.mode = POOL_PER_USER},
                               .http = {.timeout_ns = 10 * NSEC_PER_SEC}};
    return play;
}

static void go_deaf(struct timer *timer, nsec_t now_ns)
{
    (void)now_ns;
    list_entry(timer, struct play, deafness)->server.deaf = true;
}

/* Runs it; deaf_after_s > 0: the server answers nothing from then on. */
static const uint64_t *perform(struct play *play, double deaf_after_s)
{
    static const struct driver *const drivers[] = {&path_driver};
    void *compiled[] = {play->request.config};
    struct run_phase phase = {.name = name, .end_ns = play->stage.duration_ns};
    struct net_address at;
    char url[100], literal[80], words[200] = "";
    uint32_t none[] = {0};
    assert_int_equal(loop_new(&play->server.loop), 0);
    assert_int_equal(net_address_read("127.0.0.1", 8000, &at), 0);
    assert_int_equal(
        listener_open(&play->server.listener, play->server.loop, &at, 1000, false, accepted), 0);
    snprintf(url, sizeof url, "http://%s", net_address_write(&at, literal, sizeof literal));
    play->plan.target = url;
    metric_table_init(&play->metrics);
    tally_exchange_init(&play->tallies, &play->metrics, 0, 1, 0);
    struct engine_options options = {.plan = &play->plan,
                                     .drivers = drivers,
                                     .driver_count = 1,
                                     .compiled = compiled,
                                     .metrics = &play->metrics,
                                     .driver_counters = none,
                                     .driver_hists = none,
                                     .phases = &phase,
                                     .phase_count = 1,
                                     .segments = 1,
                                     .control = &play->control,
                                     .tallies = &play->tallies,
                                     .loop = play->server.loop};
    struct engine *engine = NULL;
    bytes_seen = 0;
    assert_int_equal(engine_new(&engine, &options, words, sizeof words), 0);
    play->control.start_ns = loop_now(play->server.loop) + NSEC_PER_MSEC;
    timer_init(&play->deafness, go_deaf);
    if (deaf_after_s > 0)
        timer_start(play->server.loop, &play->deafness,
                    play->control.start_ns + (nsec_t)(deaf_after_s * 1e9));
    assert_int_equal(engine_run(engine), 0);
    engine_free(engine);
    play->sum = ring_take(&play->tallies.full);
    assert_non_null(play->sum);
    assert_null(ring_take(&play->tallies.full));
    return play->sum->requests[0].counters;
}

static struct play *play_free(struct play *play)
{
    struct server *server = &play->server;
    for (size_t i = 0; i < server->count; i++) {
        timer_stop(server->loop, &server->visitors[i]->timer);
        stream_close(&server->visitors[i]->stream, false);
        free(server->visitors[i]);
    }
    timer_stop(server->loop, &play->deafness);
    listener_close(&server->listener);
    loop_free(server->loop);
    tally_exchange_fini(&play->tallies);
    metric_table_fini(&play->metrics);
    free(play);
    return NULL;
}

static void accounts_close(const uint64_t *counters)
{
    assert_int_equal(counters[COUNT_OFFERED], counters[COUNT_STARTED] + counters[COUNT_DROPPED]);
    assert_int_equal(counters[COUNT_STARTED], counters[COUNT_SUCCEEDED] + counters[COUNT_FAILED] +
                                                  counters[COUNT_TIMED_OUT] +
                                                  counters[COUNT_ABANDONED]);
    uint64_t errors = 0;
    for (int kind = COUNT_ERROR_DNS; kind <= COUNT_ERROR_GENERATOR; kind++)
        errors += counters[kind];
    assert_int_equal(errors, counters[COUNT_FAILED] + counters[COUNT_TIMED_OUT]);
}

static void exactly(const struct play *play, uint32_t hist, nsec_t expected_ns)
{
    const struct hist *values = play->sum->requests[0].hists[hist];
    assert_non_null(values);
    assert_int_equal(values->least, expected_ns);
    assert_int_equal(values->most, expected_ns);
}

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
