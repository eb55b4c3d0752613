/* Sessions against a scripted server in virtual time: every session that the server has opened is
 * ended, once, in whatever way its user leaves; the time of set-up is not the request's; and the
 * accounts close whatever goes wrong. */
#include "host.h"

enum { MOST_SESSIONS = 4096 };

static const nsec_t open_ns = 50 * NSEC_PER_MSEC, work_ns = 20 * NSEC_PER_MSEC;

/* ---- the server ------------------------------------------------------------------------------ */

enum trouble { FINE, FAILS, RESETS, SILENT };

/* It numbers its sessions and gives the number in a header line of the reply to /open; /work/N and
 * /close/N use it. A table says what became of each. */
struct server {
    struct host host;
    enum trouble opening, working, closing;
    unsigned sessions, works;
    unsigned closed[MOST_SESSIONS]; /* times that it was asked to end this session */
    unsigned worked_after_end;      /* uses of a session that had been ended */
};

static void answer(struct visitor *visitor, enum trouble trouble, nsec_t delay_ns, unsigned session)
{
    visitor->resets = trouble == RESETS;
    if (trouble != SILENT)
        visitor_answer(visitor, delay_ns, false,
                       "HTTP/1.1 %s\r\nSession: %u\r\nContent-Length: 2\r\n\r\nok",
                       trouble == FAILS ? "503 Busy" : "200 OK", session);
}

static void serve(struct visitor *visitor, const char *path)
{
    struct server *server = list_entry(visitor->host, struct server, host);
    unsigned session = 0;
    if (strcmp(path, "/open") == 0) {
        if (server->opening == FINE)
            session = ++server->sessions;
        assert_true(session < MOST_SESSIONS);
        answer(visitor, server->opening, open_ns, session);
    } else if (sscanf(path, "/work/%u", &session) == 1) {
        assert_in_range(session, 1, server->sessions);
        server->works++;
        server->worked_after_end += server->closed[session] ? 1 : 0;
        answer(visitor, server->working, work_ns, session);
    } else {
        assert_int_equal(sscanf(path, "/close/%u", &session), 1);
        assert_in_range(session, 1, server->sessions);
        server->closed[session]++;
        answer(visitor, server->closing, NSEC_PER_MSEC, session);
    }
}

/* ---- the driver ------------------------------------------------------------------------------ */

/* Of a user: its session's number, 0 when it has none, and how many calls it made of it. */
struct holder {
    unsigned session, calls, parts;
};

enum sent { NOTHING, OPEN, WORK, CLOSE };

struct sent_state {
    enum sent sent;
};

static unsigned calls_per_session; /* 0: any number */
static unsigned farewells;
static unsigned more_parts; /* exchanges that a request takes beside its last */

static void *session_compile(const struct plan *plan, const struct plan_request *request,
                             struct notes *notes)
{
    (void)plan;
    (void)notes;
    return request->config;
}

static void session_release(void *compiled)
{
    (void)compiled;
}

static void session_compose(struct driver_call *call, struct exchange_request *out)
{
    struct holder *holder = call->user;
    struct sent_state *state = call->state;
    bool spent = calls_per_session && holder->calls >= calls_per_session;
    assert_int_equal(state->sent, NOTHING);
    *out = (struct exchange_request){.method = (struct span){0}};
    if (call->farewell && !holder->session)
        return;
    state->sent = !holder->session ? OPEN : call->farewell || spent ? CLOSE : WORK;
    if (state->sent == OPEN)
        text_puts(call->scratch, "/open");
    else
        text_printf(call->scratch, "/%s/%u", state->sent == WORK ? "work" : "close",
                    holder->session);
    out->method = SPAN("GET");
    out->path = text_span(call->scratch);
}

static struct driver_outcome session_end(struct driver_call *call, int status, struct span kept,
                                         nsec_t end_ns)
{
    struct holder *holder = call->user;
    struct sent_state *state = call->state;
    (void)kept;
    (void)end_ns;
    if (state->sent == CLOSE) {
        holder->session = holder->calls = 0;
        farewells += call->farewell ? 1 : 0;
        return (struct driver_outcome){.again = !call->farewell};
    }
    if (status >= 400)
        return (struct driver_outcome){.error = COUNT_ERROR_HTTP_STATUS, .words = SPAN("busy")};
    if (state->sent == WORK && holder->parts < more_parts) {
        holder->parts++;
        return (struct driver_outcome){.more = true};
    }
    if (state->sent == WORK) {
        holder->calls++;
        holder->parts = 0;
        return (struct driver_outcome){0};
    }
    const char *line = memmem(call->head.at, call->head.bytes, "Session: ", 9);
    assert_non_null(line);
    holder->session = (unsigned)strtoul(line + 9, NULL, 10);
    return (struct driver_outcome){.again = true};
}

static const struct driver session_driver = {.name = "session",
                                             .state_bytes = sizeof(struct sent_state),
                                             .user_bytes = sizeof(struct holder),
                                             .wants_head = true,
                                             .compile = session_compile,
                                             .release = session_release,
                                             .compose = session_compose,
                                             .end = session_end};

/* ---- a play ---------------------------------------------------------------------------------- */

struct play {
    struct server server;
    struct plan plan;
    struct plan_scenario scenario;
    struct plan_stage stages[4];
    struct plan_task task;
    struct plan_request request;
    struct metric_table metrics;
    struct tally_exchange tallies;
    struct engine_control control;
    struct engine *engine;
    struct tally_block *sum;
    struct timer change;
    int stop;      /* set at stop_s */
    double stop_s; /* 0: never */
    char words[200];
};

static char name[] = "play";

static struct play *play_new(double users, double seconds)
{
    struct play *play = memory_new(1, sizeof *play);
    play->stages[0] = (struct plan_stage){
        .duration_ns = (nsec_t)(seconds * 1e9), .target = users, .jump = true, .name = name};
    play->task = (struct plan_task){.name = name, .weight = 1, .request_count = 1};
    play->request = (struct plan_request){.name = name, .verb = "session", .config = name};
    play->scenario = (struct plan_scenario){.name = name,
                                            .executor = EXECUTOR_CONSTANT_VUS,
                                            .stages = play->stages,
                                            .stage_count = 1,
                                            .task_count = 1,
                                            .graceful_stop_ns = 5 * NSEC_PER_SEC,
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
                               .http = {.timeout_ns = NSEC_PER_SEC}};
    calls_per_session = farewells = more_parts = 0;
    return play;
}

static void change(struct timer *timer, nsec_t now_ns)
{
    struct play *play = list_entry(timer, struct play, change);
    (void)now_ns;
    atomic_store(&play->control.stop, play->stop);
}

static void make(struct play *play)
{
    static const struct driver *const drivers[] = {&session_driver};
    static void *compiled[] = {name};
    static const uint32_t none[] = {0};
    static const struct run_phase phase = {.name = name, .end_ns = 100 * NSEC_PER_SEC};
    static char url[100];
    host_open(&play->server.host, serve, url, sizeof url);
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
                                     .loop = play->server.host.loop};
    assert_int_equal(engine_new(&play->engine, &options, play->words, sizeof play->words), 0);
    timer_init(&play->change, change);
}

static const uint64_t *perform(struct play *play)
{
    make(play);
    play->control.start_ns = loop_now(play->server.host.loop) + NSEC_PER_MSEC;
    if (play->stop_s > 0)
        timer_start(play->server.host.loop, &play->change,
                    play->control.start_ns + (nsec_t)(play->stop_s * 1e9));
    assert_int_equal(engine_run(play->engine), 0);
    play->engine = engine_free(play->engine);
    play->sum = ring_take(&play->tallies.full);
    assert_non_null(play->sum);
    return play->sum->requests[0].counters;
}

static void play_free(struct play *play)
{
    engine_free(play->engine);
    timer_stop(play->server.host.loop, &play->change);
    host_close(&play->server.host);
    tally_exchange_fini(&play->tallies);
    metric_table_fini(&play->metrics);
    free(play);
}

static void each_session_was_ended_once(const struct play *play, unsigned sessions)
{
    assert_int_equal(play->server.sessions, sessions);
    for (unsigned i = 1; i <= play->server.sessions; i++)
        assert_int_equal(play->server.closed[i], 1);
    assert_int_equal(play->server.worked_after_end, 0);
}

static void exactly(const struct play *play, uint32_t hist, nsec_t least_ns, nsec_t most_ns)
{
    const struct hist *values = play->sum->requests[0].hists[hist];
    assert_non_null(values);
    assert_int_equal(values->least, least_ns);
    assert_int_equal(values->most, most_ns);
}

/* ---- the tests ------------------------------------------------------------------------------- */

static void a_closed_model_opens_and_ends_one_session_a_user(void **state)
{
    (void)state;
    struct play *play = play_new(10, 10);
    const uint64_t *counters = perform(play);
    /* The first cycle is 50 ms longer: (10,000 - 50) / 50 = 199 a user. */
    assert_int_equal(counters[COUNT_SUCCEEDED], 10 * 199);
    assert_int_equal(counters[COUNT_SUCCEEDED], play->server.works);
    assert_int_equal(counters[COUNT_ATTEMPTS], play->server.works + 10);
    exactly(play, HIST_RESPONSE, work_ns, work_ns);
    exactly(play, HIST_SERVICE, work_ns, work_ns);
    each_session_was_ended_once(play, 10);
    assert_int_equal(farewells, 10);
    accounts_close(counters);
    play_free(play);
}

static void an_open_model_ends_its_sessions_too(void **state)
{
    (void)state;
    struct play *play = play_new(0, 10);
    play->scenario.executor = EXECUTOR_CONSTANT_ARRIVAL_RATE;
    play->stages[0].target = 100;
    const uint64_t *counters = perform(play);
    assert_int_equal(counters[COUNT_SUCCEEDED], 1000);
    /* Seven requests come in the 70 ms that a first one takes: no more users are needed. */
    assert_in_range(play->server.sessions, 7, 8);
    each_session_was_ended_once(play, play->server.sessions);
    exactly(play, HIST_RESPONSE, work_ns, work_ns);
    accounts_close(counters);
    play_free(play);
}

/* What a request waited before its set-up began is its own: 20 arrivals at once and one user. */
static void a_queue_before_set_up_stays_in_the_response(void **state)
{
    (void)state;
    struct play *play = play_new(0, 1);
    play->scenario.executor = EXECUTOR_CONSTANT_ARRIVAL_RATE;
    play->stages[0].target = 20;
    play->scenario.max_vus = 1;
    calls_per_session = 1;
    const uint64_t *counters = perform(play);
    /* Each takes 50 + 20 ms, and 1 ms more to end the session of the last; due every 50 ms. */
    assert_int_equal(counters[COUNT_SUCCEEDED], 20);
    exactly(play, HIST_SERVICE, work_ns, work_ns);
    nsec_t last_done_ns = 20 * (open_ns + work_ns) + 19 * NSEC_PER_MSEC;
    exactly(play, HIST_RESPONSE, work_ns,
            last_done_ns - 19 * 50 * NSEC_PER_MSEC - open_ns - NSEC_PER_MSEC);
    each_session_was_ended_once(play, 20);
    assert_int_equal(farewells, 1);
    accounts_close(counters);
    play_free(play);
}

static void a_session_may_serve_a_number_of_calls(void **state)
{
    (void)state;
    struct play *play = play_new(2, 10);
    calls_per_session = 5;
    const uint64_t *counters = perform(play);
    assert_true(counters[COUNT_SUCCEEDED] > 300);
    unsigned each = ((unsigned)counters[COUNT_SUCCEEDED] / 2 + 4) / 5;
    each_session_was_ended_once(play, 2 * each);
    exactly(play, HIST_RESPONSE, work_ns, work_ns);
    accounts_close(counters);
    play_free(play);
}

/* A request may take several exchanges; its time is that of all, without the set-up's. */
static void a_request_of_several_exchanges(void **state)
{
    (void)state;
    struct play *play = play_new(2, 10);
    more_parts = 2;
    const uint64_t *counters = perform(play);
    /* Cycles of 90 ms after the 50 ms of set-up. */
    assert_int_equal(counters[COUNT_SUCCEEDED], 2 * 111);
    assert_int_equal(play->server.works, 3 * counters[COUNT_SUCCEEDED]);
    assert_int_equal(counters[COUNT_ATTEMPTS], play->server.works + 2);
    exactly(play, HIST_RESPONSE, 3 * work_ns, 3 * work_ns);
    exactly(play, HIST_SERVICE, work_ns, work_ns);
    each_session_was_ended_once(play, 2);
    accounts_close(counters);
    play_free(play);
}

/* Where set-up fails, the request fails, and nobody says farewell to what was never opened. */
static void set_up_fails(void **state)
{
    (void)state;
    for (enum trouble trouble = FAILS; trouble <= SILENT; trouble++) {
        struct play *play = play_new(3, 5);
        play->server.opening = trouble;
        const uint64_t *counters = perform(play);
        assert_true(counters[COUNT_STARTED] > 9);
        assert_int_equal(counters[COUNT_SUCCEEDED], 0);
        assert_int_equal(counters[trouble == FAILS    ? COUNT_ERROR_HTTP_STATUS
                                  : trouble == RESETS ? COUNT_ERROR_RESET
                                                      : COUNT_ERROR_RESPONSE_TIMEOUT],
                         counters[COUNT_STARTED]);
        assert_int_equal(play->server.works, 0);
        assert_int_equal(farewells, 0);
        accounts_close(counters);
        play_free(play);
    }
}

/* Requests that fail leave the session, which is ended like any. */
static void requests_fail(void **state)
{
    (void)state;
    for (enum trouble trouble = FAILS; trouble <= SILENT; trouble++) {
        struct play *play = play_new(3, 5);
        play->server.working = trouble;
        const uint64_t *counters = perform(play);
        assert_int_equal(counters[COUNT_SUCCEEDED], 0);
        assert_int_equal(counters[COUNT_FAILED] + counters[COUNT_TIMED_OUT],
                         counters[COUNT_STARTED]);
        each_session_was_ended_once(play, 3);
        accounts_close(counters);
        play_free(play);
    }
}

/* A farewell that fails is over: waited for a bounded time, counted nowhere, and asked for once,
 * but for a kept connection that dies of it: as with any request, a fresh one is tried. */
static void farewells_fail(void **state)
{
    (void)state;
    for (enum trouble trouble = FAILS; trouble <= SILENT; trouble++) {
        struct play *play = play_new(3, 5);
        play->server.closing = trouble;
        const uint64_t *counters = perform(play);
        nsec_t end_ns = play->control.start_ns + 5 * NSEC_PER_SEC;
        assert_true(counters[COUNT_SUCCEEDED] > 250);
        assert_int_equal(counters[COUNT_FAILED] + counters[COUNT_TIMED_OUT], 0);
        if (trouble != RESETS)
            each_session_was_ended_once(play, 3);
        for (unsigned i = 1; i <= 3 && trouble == RESETS; i++)
            assert_int_equal(play->server.closed[i], 2);
        assert_int_equal(farewells, 3);
        assert_true(loop_now(play->server.host.loop) < end_ns + 3 * NSEC_PER_SEC);
        accounts_close(counters);
        play_free(play);
    }
}

/* Without grace, what runs is cut off at the end; its sessions are ended all the same. */
static void a_cut_off_ends_sessions(void **state)
{
    (void)state;
    for (int open = 0; open <= 1; open++) {
        struct play *play = play_new(4, 5);
        play->scenario.graceful_stop_ns = 0;
        play->plan.http.timeout_ns = 60 * NSEC_PER_SEC;
        play->server.working = SILENT;
        if (open) {
            play->scenario.executor = EXECUTOR_CONSTANT_ARRIVAL_RATE;
            play->stages[0].target = 2;
            play->scenario.max_vus = 4;
        }
        const uint64_t *counters = perform(play);
        assert_int_equal(counters[COUNT_ABANDONED], 4);
        assert_int_equal(counters[COUNT_DROPPED], open ? 6 : 0);
        each_session_was_ended_once(play, 4);
        assert_int_equal(farewells, 4);
        accounts_close(counters);
        play_free(play);
    }
}

static void a_graceful_stop_ends_sessions(void **state)
{
    (void)state;
    for (int open = 0; open <= 1; open++) {
        struct play *play = play_new(4, 60);
        play->stop = ENGINE_STOP_GRACEFULLY;
        play->stop_s = 2.005;
        if (open) {
            play->scenario.executor = EXECUTOR_CONSTANT_ARRIVAL_RATE;
            play->stages[0].target = 20;
        }
        const uint64_t *counters = perform(play);
        assert_int_equal(counters[COUNT_SUCCEEDED], counters[COUNT_STARTED]);
        each_session_was_ended_once(play, play->server.sessions);
        assert_true(play->server.sessions > 0);
        accounts_close(counters);
        play_free(play);
    }
}

/* A stop at once sends nothing more, also while farewells are on their way. */
static void a_stop_at_once_says_nothing(void **state)
{
    (void)state;
    struct play *play = play_new(4, 60);
    play->stop = ENGINE_STOP_NOW;
    play->stop_s = 2.005;
    const uint64_t *counters = perform(play);
    assert_int_equal(play->server.sessions, 4);
    assert_int_equal(play->server.closed[1] + play->server.closed[2], 0);
    accounts_close(counters);
    play_free(play);

    play = play_new(4, 5);
    play->server.closing = SILENT;
    play->stop = ENGINE_STOP_NOW;
    play->stop_s = 5.2;
    counters = perform(play);
    each_session_was_ended_once(play, 4);
    assert_true(loop_now(play->server.host.loop) < play->control.start_ns + (nsec_t)(5.4 * 1e9));
    accounts_close(counters);
    play_free(play);
}

/* Users ramped away end theirs; those wanted again open new ones. */
static void ramped_away_users_end_theirs(void **state)
{
    (void)state;
    for (int silent = 0; silent <= 1; silent++) {
        struct play *play = play_new(4, 2);
        play->stages[1] = (struct plan_stage){
            .duration_ns = 2 * NSEC_PER_SEC, .target = 1, .jump = true, .name = name};
        play->stages[2] = (struct plan_stage){
            .duration_ns = 2 * NSEC_PER_SEC, .target = 3, .jump = true, .name = name};
        play->scenario.executor = EXECUTOR_RAMPING_VUS;
        play->scenario.stage_count = 3;
        play->scenario.graceful_ramp_down_ns = NSEC_PER_SEC;
        if (silent) { /* all are cut off by their grace or the end's */
            play->server.working = SILENT;
            play->plan.http.timeout_ns = 60 * NSEC_PER_SEC;
        }
        const uint64_t *counters = perform(play);
        each_session_was_ended_once(play, 6);
        assert_int_equal(counters[COUNT_ABANDONED], silent ? 6 : 0);
        accounts_close(counters);
        play_free(play);
    }
}

/* A user that is wanted again while its farewell is under way waits for it, then opens anew. */
static void a_user_wanted_again_during_its_farewell(void **state)
{
    (void)state;
    struct play *play = play_new(2, 2);
    play->stages[1] =
        (struct plan_stage){.duration_ns = NSEC_PER_SEC, .target = 1, .jump = true, .name = name};
    play->stages[2] = (struct plan_stage){
        .duration_ns = 4 * NSEC_PER_SEC, .target = 2, .jump = true, .name = name};
    play->scenario.executor = EXECUTOR_RAMPING_VUS;
    play->scenario.stage_count = 3;
    play->server.closing = SILENT; /* it lasts 2 s */
    const uint64_t *counters = perform(play);
    each_session_was_ended_once(play, 3);
    assert_int_equal(counters[COUNT_SUCCEEDED], counters[COUNT_STARTED]);
    accounts_close(counters);
    play_free(play);
}

static void set_up_tasks_of_a_run_end_theirs(void **state)
{
    (void)state;
    for (enum trouble trouble = FINE; trouble <= SILENT; trouble++) {
        struct play *play = play_new(1, 1);
        play->server.working = trouble;
        make(play);
        int result = engine_run_once(play->engine, 0, 1, play->words, sizeof play->words);
        assert_int_equal(result, trouble == FINE ? 0 : ENGINE_TASK_FAILED);
        each_session_was_ended_once(play, 1);
        play_free(play);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_model_opens_and_ends_one_session_a_user),
        cmocka_unit_test(an_open_model_ends_its_sessions_too),
        cmocka_unit_test(a_queue_before_set_up_stays_in_the_response),
        cmocka_unit_test(a_session_may_serve_a_number_of_calls),
        cmocka_unit_test(a_request_of_several_exchanges),
        cmocka_unit_test(set_up_fails),
        cmocka_unit_test(requests_fail),
        cmocka_unit_test(farewells_fail),
        cmocka_unit_test(a_cut_off_ends_sessions),
        cmocka_unit_test(a_graceful_stop_ends_sessions),
        cmocka_unit_test(a_stop_at_once_says_nothing),
        cmocka_unit_test(ramped_away_users_end_theirs),
        cmocka_unit_test(a_user_wanted_again_during_its_farewell),
        cmocka_unit_test(set_up_tasks_of_a_run_end_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
