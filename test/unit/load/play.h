/* test/unit/load/play.h - a play for the engine: a scripted server on the simulated net, a driver
 * that asks for a path, a plan made by hand, and what was counted in the end.
 *
 * The server answers by the path that it is asked for; nothing but its delays takes time, so that
 * expectations are exact (to a histogram's bucket). */
#ifndef TEST_UNIT_LOAD_PLAY_H
#define TEST_UNIT_LOAD_PLAY_H

#include "host.h"

/* ---- the server ------------------------------------------------------------------------------ */

struct server {
    struct host host;
    uint64_t requests;
    uint64_t body_bytes; /* sent in complete replies */
    bool deaf;           /* answers nothing any more */
};

static const char body[] = "{\"answer\": 42, \"words\": \"twelve drummers\"}";

/* The same body as gzip makes it. */
static const unsigned char packed[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x4a, 0xcc, 0x2b,
    0x2e, 0x4f, 0x2d, 0x52, 0xb2, 0x52, 0x30, 0x31, 0xd2, 0x51, 0x50, 0x2a, 0xcf, 0x2f, 0x4a,
    0x29, 0x06, 0x72, 0x94, 0x4a, 0xca, 0x53, 0x73, 0xca, 0x52, 0x15, 0x52, 0x8a, 0x4a, 0x73,
    0x73, 0x53, 0x8b, 0x8a, 0x95, 0x6a, 0x01, 0xad, 0xa9, 0xde, 0xce, 0x2a, 0x00, 0x00, 0x00};

/* Sends the packed body, or all but its last bytes. */
static void answer_packed(struct visitor *visitor, size_t missing)
{
    size_t bytes = sizeof packed - missing;
    visitor_answer(visitor, NSEC_PER_MSEC, false,
                   "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                   bytes);
    memcpy(visitor->reply + visitor->reply_bytes, packed, bytes);
    visitor->reply_bytes += bytes;
}

static void serve(struct visitor *visitor, const char *path)
{
    const nsec_t ms = NSEC_PER_MSEC;
    struct server *server = list_entry(visitor->host, struct server, host);
    server->requests++;
    visitor->requests++;
    visitor->resets = false;
    if (server->deaf || strcmp(path, "/never") == 0)
        return;
    if (strcmp(path, "/packed") == 0) {
        answer_packed(visitor, 0);
    } else if (strcmp(path, "/packed-cut") == 0) {
        answer_packed(visitor, 9);
    } else if (strcmp(path, "/error") == 0) {
        visitor_answer(visitor, ms, false,
                       "HTTP/1.1 503 Busy\r\nContent-Length: 12\r\n\r\nno free slot");
    } else if (strcmp(path, "/close") == 0) { /* says keep-alive, and closes */
        server->body_bytes += strlen(body);
        visitor_answer(visitor, ms, true, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                       strlen(body), body);
    } else if (strcmp(path, "/second-dies") == 0 && visitor->requests > 1) {
        visitor->resets = true; /* a kept connection dies without a byte */
        visitor_answer(visitor, 0, false, "");
    } else if (strcmp(path, "/reset") == 0) {
        visitor->resets = true;
        visitor_answer(visitor, ms, false, "");
    } else if (strcmp(path, "/cut") == 0) {
        visitor_answer(visitor, ms, true, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    } else if (strcmp(path, "/garbage") == 0) {
        visitor_answer(visitor, ms, true, "SSH-2.0-nothing to see here\r\n\r\n");
    } else {
        server->body_bytes += strlen(body);
        visitor_answer(visitor, 20 * ms, false, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                       strlen(body), body);
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
    char url[100], words[200] = "";
    uint32_t none[] = {0};
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
    struct engine *engine = NULL;
    bytes_seen = 0;
    assert_int_equal(engine_new(&engine, &options, words, sizeof words), 0);
    play->control.start_ns = loop_now(play->server.host.loop) + NSEC_PER_MSEC;
    timer_init(&play->deafness, go_deaf);
    if (deaf_after_s > 0)
        timer_start(play->server.host.loop, &play->deafness,
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
    timer_stop(play->server.host.loop, &play->deafness);
    host_close(&play->server.host);
    tally_exchange_fini(&play->tallies);
    metric_table_fini(&play->metrics);
    free(play);
    return NULL;
}

static void exactly(const struct play *play, uint32_t hist, nsec_t expected_ns)
{
    const struct hist *values = play->sum->requests[0].hists[hist];
    assert_non_null(values);
    assert_int_equal(values->least, expected_ns);
    assert_int_equal(values->most, expected_ns);
}

#endif
