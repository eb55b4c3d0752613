/* The stage: see engine_stage.h. Compiled twice, once for each world (STAGE_VIRTUAL). */
#include "support/engine_stage.h"

#include "base/check.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the probe driver ------------------------------------------------------------------------ */

struct probe_state {
    size_t index;
};

static void *probe_compile(const struct plan *plan, const struct plan_request *request,
                           struct notes *notes)
{
    (void)plan;
    (void)notes;
    return request->config;
}

static void probe_release(void *compiled)
{
    (void)compiled;
}

static void probe_compose(struct driver_call *call, struct exchange_request *out)
{
    struct stage *stage = (struct stage *)(uintptr_t)call->compiled;
    struct probe_state *state = call->state;
    *out = (struct exchange_request){.method = SPAN("GET"), .path = SPAN("/work")};
    if (!stage->keep)
        return;
    if (stage->seen_count == stage->seen_room) {
        stage->seen_room = stage->seen_room ? 2 * stage->seen_room : 4096;
        stage->seen = memory_resize(stage->seen, stage->seen_room, sizeof *stage->seen);
    }
    state->index = stage->seen_count++;
    stage->seen[state->index] = (struct seen){.intended_ns = call->intended_ns};
}

static struct driver_outcome probe_end(struct driver_call *call, int status, struct span body,
                                       nsec_t end_ns)
{
    struct stage *stage = (struct stage *)(uintptr_t)call->compiled;
    struct probe_state *state = call->state;
    (void)body;
    if (stage->keep) {
        stage->seen[state->index].sent_ns = call->sent_ns;
        stage->seen[state->index].end_ns = end_ns;
    }
    if (status == 200)
        return (struct driver_outcome){0};
    return (struct driver_outcome){.error = COUNT_ERROR_HTTP_STATUS, .words = SPAN("not 200")};
}

static const struct driver probe = {
    .name = "probe",
    .state_bytes = sizeof(struct probe_state),
    .compile = probe_compile,
    .release = probe_release,
    .compose = probe_compose,
    .end = probe_end,
};

/* ---- the plan -------------------------------------------------------------------------------- */

static char stage_name[] = "stage";

void stage_init(struct stage *stage, double duration_s)
{
    *stage = (struct stage){.keep = true};
    stage->testbed = testbed_defaults();
    stage->piece = (struct plan_stage){
        .duration_ns = (nsec_t)(duration_s * 1e9), .jump = true, .name = stage_name};
    stage->task = (struct plan_task){.name = stage_name, .weight = 1, .request_count = 1};
    stage->request = (struct plan_request){.name = stage_name, .verb = "probe"};
    stage->scenario = (struct plan_scenario){.name = stage_name,
                                             .stage_count = 1,
                                             .task_count = 1,
                                             .graceful_stop_ns = 3600 * NSEC_PER_SEC};
    stage->plan = (struct plan){
        .name = stage_name,
        .scenario_count = 1,
        .task_count = 1,
        .request_count = 1,
        .seed = 42,
        .interval_ns = NSEC_PER_SEC,
        .connections = {.mode = POOL_SHARED},
        .http = {.timeout_ns = 0},
    };
}

void stage_open(struct stage *stage, double rate, enum gaps gaps)
{
    stage->scenario.executor = EXECUTOR_CONSTANT_ARRIVAL_RATE;
    stage->scenario.gaps = gaps;
    stage->scenario.burstiness = 1;
    stage->piece.target = rate;
}

void stage_closed(struct stage *stage, double users, double think_mean_s)
{
    stage->scenario.executor = EXECUTOR_CONSTANT_VUS;
    stage->piece.target = users;
    stage->plan.connections.mode = POOL_PER_USER;
    if (think_mean_s > 0)
        stage->scenario.think =
            (struct distribution){.spread = SPREAD_EXPONENTIAL, .a = think_mean_s};
}

/* ---- playing --------------------------------------------------------------------------------- */

/* Adds up what the engine hands over, as the recorder would. */
struct collector {
    struct stage *stage;
    struct tally_exchange tallies;
    atomic_bool done;
};

static void collect(struct collector *collector)
{
    struct stage *stage = collector->stage;
    struct tally_block *full;
    while ((full = ring_take(&collector->tallies.full))) {
        tally_block_merge(stage->sum, full, &stage->metrics);
        tally_block_clear(full, &stage->metrics);
        ring_put(&collector->tallies.empty, full);
    }
}

#ifdef STAGE_VIRTUAL

/* The collector is a timer of the same virtual loop. */
struct virtual_collector {
    struct timer timer;
    struct collector *collector;
    struct loop *loop;
    nsec_t step_ns;
};

static void collect_again(struct timer *timer, nsec_t now_ns)
{
    struct virtual_collector *again = list_entry(timer, struct virtual_collector, timer);
    collect(again->collector);
    timer_start(again->loop, timer, now_ns + again->step_ns);
}

#else

struct testbed_thread {
    pthread_t thread;
    struct stage *stage;
    struct loop *loop;
    struct testbed *testbed;
    atomic_bool stop;
};

static void *serve(void *self)
{
    struct testbed_thread *thread = self;
    /* It polls instead of sleeping, so that the waking of its processor, tens of microseconds on a
     * virtual machine, is no part of what the generator is held to. */
    while (!atomic_load(&thread->stop))
        loop_turn(thread->loop, loop_now(thread->loop));
    testbed_counts(thread->testbed, &thread->stage->counts);
    testbed_free(thread->testbed);
    return NULL;
}

static void *collect_all(void *self)
{
    struct collector *collector = self;
    struct timespec nap = {.tv_nsec = 20 * NSEC_PER_MSEC};
    while (!atomic_load(&collector->done)) {
        collect(collector);
        nanosleep(&nap, NULL);
    }
    return NULL;
}

#endif

static struct tally_block *new_sum(const struct metric_table *metrics)
{
    /* A block like the others: an exchange of its own is the way to get one. */
    struct tally_exchange *spare = memory_new(1, sizeof *spare);
    tally_exchange_init(spare, metrics, 0, 1, 0);
    return ring_take(&spare->empty); /* a test's memory: given back with the process */
}

static void run_engine(struct stage *stage, struct collector *collector, struct loop *loop)
{
    static const struct driver *const drivers[] = {&probe};
    void *compiled[] = {stage};
    uint32_t none[] = {0};
    struct engine_control control = {.stop = ENGINE_RUN};
    struct run_phase phase = {.name = stage_name, .end_ns = stage->piece.duration_ns};
    struct engine_options options = {.plan = &stage->plan,
                                     .drivers = drivers,
                                     .driver_count = 1,
                                     .compiled = compiled,
                                     .metrics = &stage->metrics,
                                     .driver_counters = none,
                                     .driver_hists = none,
                                     .phases = &phase,
                                     .phase_count = 1,
                                     .segments = 1,
                                     .control = &control,
                                     .tallies = &collector->tallies,
                                     .loop = loop};
    struct engine *engine = NULL;
    char words[200] = "";
    int error = engine_new(&engine, &options, words, sizeof words);
    if (error)
        fprintf(stderr, "engine_new: %d: %s\n", error, words);
    check(error == 0);
    control.start_ns = loop_now(loop) + NSEC_PER_MSEC;
    stage->begun_ns = control.start_ns;
    error = engine_run(engine);
    check(error == 0);
    stage->ended_ns = loop_now(loop);
    engine_free(engine);
}

static void wire_plan(struct stage *stage, char *url)
{
    stage->scenario.stages = &stage->piece;
    stage->plan.scenarios = &stage->scenario;
    stage->plan.tasks = &stage->task;
    stage->plan.requests = &stage->request;
    stage->plan.target = url;
    metric_table_init(&stage->metrics);
    stage->sum = new_sum(&stage->metrics);
}

static void open_testbed(struct stage *stage, struct loop *loop, struct testbed **testbed,
                         char *url, size_t room)
{
    struct net_address address;
    char literal[80];
    int error = testbed_new(testbed, loop, &stage->testbed);
    check(error == 0);
    testbed_address(*testbed, &address);
    snprintf(url, room, "http://%s", net_address_write(&address, literal, sizeof literal));
}

#ifdef STAGE_VIRTUAL

void stage_play(struct stage *stage)
{
    struct collector collector = {.stage = stage};
    struct loop *loop = NULL;
    struct testbed *testbed = NULL;
    char url[100];
    int error = loop_new(&loop);
    check(error == 0);
    open_testbed(stage, loop, &testbed, url, sizeof url);
    wire_plan(stage, url);
    tally_exchange_init(&collector.tallies, &stage->metrics, 0, 1, 0);
    struct virtual_collector again = {
        .collector = &collector, .loop = loop, .step_ns = stage->plan.interval_ns};
    timer_init(&again.timer, collect_again);
    timer_start(loop, &again.timer, loop_now(loop) + again.step_ns);
    run_engine(stage, &collector, loop);
    timer_stop(loop, &again.timer);
    collect(&collector);
    testbed_counts(testbed, &stage->counts);
    testbed_free(testbed);
    loop_free(loop);
    tally_exchange_fini(&collector.tallies);
}

#else

void stage_play(struct stage *stage)
{
    struct collector collector = {.stage = stage};
    struct testbed_thread server = {.stage = stage};
    struct loop *loop = NULL;
    pthread_t collecting;
    char url[100];
    int error = loop_new(&loop);
    check(error == 0);
    error = loop_new(&server.loop);
    check(error == 0);
    open_testbed(stage, server.loop, &server.testbed, url, sizeof url);
    wire_plan(stage, url);
    tally_exchange_init(&collector.tallies, &stage->metrics, 0, 1, 0);
    pthread_create(&server.thread, NULL, serve, &server);
    pthread_create(&collecting, NULL, collect_all, &collector);
    run_engine(stage, &collector, loop);
    atomic_store(&server.stop, true);
    loop_wake(server.loop);
    pthread_join(server.thread, NULL);
    atomic_store(&collector.done, true);
    pthread_join(collecting, NULL);
    collect(&collector);
    loop_free(server.loop);
    loop_free(loop);
    tally_exchange_fini(&collector.tallies);
}

#endif

void stage_fini(struct stage *stage)
{
    free(stage->seen);
    metric_table_fini(&stage->metrics);
}

double stage_mean(const struct stage *stage, uint32_t hist)
{
    const struct hist *values = stage->sum->requests[0].hists[hist];
    return values ? hist_mean(values) / 1e9 : 0;
}

double stage_quantile(const struct stage *stage, uint32_t hist, double share)
{
    const struct hist *values = stage->sum->requests[0].hists[hist];
    nsec_t value_ns = 0;
    if (values)
        hist_quantile(values, share, &value_ns);
    return (double)value_ns / 1e9;
}

uint64_t stage_count(const struct stage *stage, uint32_t counter)
{
    return stage->sum->requests[0].counters[counter];
}
