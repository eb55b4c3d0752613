/* One world a run: the engine, the testbed, a collector that empties the tallies and a watcher that
 * fetches the page of metrics, all on one simulated loop. See planted.h. */
#include "planted/planted.h"

#include "base/check.h"
#include "base/memory.h"
#include "load/engine.h"
#include "net_sim/world.h"
#include "plan/read.h"
#include "plug/list.h"
#include "plug/probe/probe_list.h"
#include "plug/probe/prometheus.h"
#include "record/recorder.h"
#include "run/declared.h"
#include "run/overseer.h"
#include "run/program.h"
#include "run/run.h"
#include "testbed/options.h"
#include "watch/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS = 60, LINE_BYTES = 1000, READ_BYTES = 65536, THINGS = 8, URL_BYTES = 100 };

static const char level_duration[] = "40s", level_ramp[] = "10s";

/* Who fetches the page and hands it to the probes of the plan. */
struct watcher {
    struct timer timer;
    struct stream stream;
    struct loop *loop;
    struct recorder *recorder;
    const struct plan *plan;
    nsec_t start_ns, asked_ns;
    bool asking;
    struct text page;
    void *probes[THINGS];
    struct probe_sink sinks[THINGS];
    uint32_t numbers[THINGS];
};

struct world {
    const struct planted *row;
    struct plug_list plugs;
    struct plan_reading reading;
    struct program program;
    struct run_phase *phases;
    size_t phase_count;
    struct loop *loop;
    struct testbed *testbed;
    struct recorder *recorder;
    struct tally_exchange tallies;
    struct timer collector;
    struct watcher watcher;
};

static void fail_with(const struct planted *row, const char *what, const char *words)
{
    fprintf(stderr, "%s: %s: %s\n", row->name, what, words);
    abort();
}

/* ---- the watch ------------------------------------------------------------------------------- */

static void hand_over(struct watcher *watcher, size_t index)
{
    struct probe_sink *sink = &watcher->sinks[index];
    nsec_t at_ns = watcher->asked_ns - watcher->start_ns;
    nsec_t took_ns = loop_now(watcher->loop) - watcher->asked_ns;
    for (size_t i = 0; i < sink->value_count; i++)
        recorder_sample(watcher->recorder, watcher->numbers[index], sink->values[i].metric,
                        sink_text(sink, sink->values[i].part_at), at_ns, took_ns,
                        sink->values[i].value);
}

static void take_page(struct watcher *watcher, struct span body)
{
    struct prometheus_page page = {.content_type = "text/plain; version=0.0.4",
                                   .body = body,
                                   .begun_ns = loop_now(watcher->loop),
                                   .took_ns = loop_now(watcher->loop) - watcher->asked_ns};
    struct text why = TEXT_EMPTY;
    for (size_t i = 0; i < watcher->plan->watch.thing_count; i++) {
        sink_clear(&watcher->sinks[i]);
        check(prometheus_take(watcher->probes[i], &page, &watcher->sinks[i], &why) == 0);
        hand_over(watcher, i);
    }
    text_fini(&why);
}

/* Whether the reply is whole; then its body. */
static bool is_whole(const struct text *page, struct span *body)
{
    static const char length_line[] = "Content-Length: ";
    text_reserve((struct text *)(uintptr_t)page, 1);
    page->at[page->bytes] = '\0';
    const char *end = strstr(page->at, "\r\n\r\n"), *line = strstr(page->at, length_line);
    if (!end || !line)
        return false;
    size_t bytes = strtoul(line + sizeof length_line - 1, NULL, 10);
    *body = (struct span){.at = end + 4, .bytes = bytes};
    return page->bytes >= (size_t)(end + 4 - page->at) + bytes;
}

static void ask(struct watcher *watcher)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: testbed\r\n\r\n";
    watcher->asked_ns = loop_now(watcher->loop);
    watcher->asking = true;
    text_clear(&watcher->page);
    check(stream_write(&watcher->stream, request, sizeof request - 1) == sizeof request - 1);
}

static void on_page(struct stream *stream, unsigned what)
{
    struct watcher *watcher = list_entry(stream, struct watcher, stream);
    struct span body;
    enum rx_source source;
    nsec_t rx_ns;
    if (what & STREAM_CONNECTED)
        ask(watcher);
    if (!(what & STREAM_READABLE))
        return;
    for (;;) {
        text_reserve(&watcher->page, watcher->page.bytes + READ_BYTES);
        ssize_t bytes = stream_read(stream, watcher->page.at + watcher->page.bytes, READ_BYTES - 1,
                                    &rx_ns, &source);
        if (bytes <= 0)
            break;
        watcher->page.bytes += (size_t)bytes;
    }
    if (watcher->asking && is_whole(&watcher->page, &body)) {
        watcher->asking = false;
        take_page(watcher, body);
    }
}

static void on_look(struct timer *timer, nsec_t now_ns)
{
    struct watcher *watcher = list_entry(timer, struct watcher, timer);
    if (!watcher->asking) /* a look that takes long leaves out the next */
        ask(watcher);
    timer_start(watcher->loop, timer, now_ns + watcher->plan->watch.interval_ns);
}

static void watch_begin(struct world *world, const struct net_address *address)
{
    struct watcher *watcher = &world->watcher;
    const struct plan *plan = world->reading.plan;
    struct probe_place place = {.root = "", .target = plan->target, .timeout_ns = NSEC_PER_SEC};
    struct text why = TEXT_EMPTY;
    *watcher = (struct watcher){.loop = world->loop,
                                .recorder = world->recorder,
                                .plan = plan,
                                .start_ns = loop_now(world->loop) + NSEC_PER_MSEC};
    check(plan->watch.thing_count <= THINGS);
    for (size_t i = 0; i < plan->watch.thing_count; i++) {
        const struct plan_watched *thing = &plan->watch.things[i];
        const struct probe *probe = world->plugs.probes[thing->probe.number];
        check(probe == &probe_prometheus);
        check(probe->open(thing->probe.config, &place, &watcher->probes[i], &why) == 0);
        sink_init(&watcher->sinks[i], probe->metrics);
        watcher->numbers[i] =
            recorder_watched(world->recorder, thing->name, thing->role, probe->name);
    }
    timer_init(&watcher->timer, on_look);
    if (plan->watch.thing_count == 0)
        return;
    watcher->asking = true;
    check(stream_connect(&watcher->stream, world->loop, address, NULL, on_page) == 0);
    timer_start(world->loop, &watcher->timer, watcher->start_ns + plan->watch.interval_ns);
}

static void watch_end(struct world *world)
{
    struct watcher *watcher = &world->watcher;
    size_t count = world->reading.plan->watch.thing_count;
    timer_stop(world->loop, &watcher->timer);
    if (count)
        stream_close(&watcher->stream, true);
    for (size_t i = 0; i < count; i++) {
        probe_prometheus.close(watcher->probes[i]);
        sink_fini(&watcher->sinks[i]);
    }
    text_fini(&watcher->page);
}

/* ---- the plan -------------------------------------------------------------------------------- */

static void read_plan(struct world *world, const char *target, uint64_t seed)
{
    const struct planted *row = world->row;
    struct text yaml = TEXT_EMPTY, words = TEXT_EMPTY;
    text_printf(&yaml, "schema: 1\nname: planted\ntarget: http://%s\nseed: %llu\n", target,
                (unsigned long long)seed);
    text_puts(&yaml, "scenarios:\n  users:\n    pattern: step\n    levels: [");
    for (size_t i = 0; i < PLANTED_LEVELS && row->levels[i] > 0; i++)
        text_printf(&yaml, "%s%g", i ? ", " : "", row->levels[i]);
    text_printf(&yaml, "]\n    level_duration: %s\n    level_ramp: %s\n", level_duration,
                level_ramp);
    if (row->open)
        text_puts(&yaml, "    rate: 1/s\n    gaps: poisson\n");
    else
        text_printf(&yaml, "    think: {dist: exponential, mean: %gs}\n", row->think_s);
    text_printf(&yaml, "    tasks: %s\n", row->tasks);
    text_printf(&yaml, "watch:\n  interval: 1s\n  local: false\n  probes: %s\n",
                row->watch ? row->watch : "[]");
    struct plan_source source = {.file = "planted.yaml", .text = yaml.at};
    check(plan_read(&source, &world->plugs.vocabulary, &world->reading) == 0);
    notes_write(&world->reading.notes, yaml.at, &words);
    if (!world->reading.plan)
        fail_with(row, "the plan", words.at);
    text_fini(&words);
    text_fini(&yaml);
    program_init(&world->program, world->reading.plan, world->plugs.drivers,
                 world->plugs.driver_count, &world->reading.notes);
    check(world->reading.notes.errors == 0);
    world->phases = run_phases(world->reading.plan, &world->phase_count);
}

static void open_testbed(struct world *world, uint64_t seed, struct net_address *address)
{
    struct command_line line;
    char copy[LINE_BYTES], words[256], *arguments[ARGUMENTS], *rest = NULL;
    int count = 0;
    snprintf(copy, sizeof copy, "--seed %llu --port 0 %s", (unsigned long long)seed,
             world->row->testbed);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        check(count < ARGUMENTS);
        arguments[count++] = word;
    }
    if (options_read(&line, count, arguments, words, sizeof words) != 0)
        fail_with(world->row, "the testbed", words);
    check(testbed_new(&world->testbed, world->loop, &line.testbed) == 0);
    testbed_address(world->testbed, address);
}

/* ---- the run --------------------------------------------------------------------------------- */

static void on_collect(struct timer *timer, nsec_t now_ns)
{
    struct world *world = list_entry(timer, struct world, collector);
    recorder_drain(world->recorder);
    timer_start(world->loop, timer, now_ns + NSEC_PER_SEC);
}

static void run_engine(struct world *world)
{
    struct engine_control control = {.stop = ENGINE_RUN};
    struct engine_options options = {.plan = world->reading.plan,
                                     .drivers = world->program.drivers,
                                     .driver_count = world->program.driver_count,
                                     .compiled = world->program.compiled,
                                     .metrics = &world->program.metrics,
                                     .driver_counters = world->program.driver_counters,
                                     .driver_hists = world->program.driver_hists,
                                     .phases = world->phases,
                                     .phase_count = world->phase_count,
                                     .segments = 1,
                                     .control = &control,
                                     .tallies = &world->tallies,
                                     .loop = world->loop};
    struct engine *engine = NULL;
    char words[200] = "";
    if (engine_new(&engine, &options, words, sizeof words) != 0)
        fail_with(world->row, "the engine", words);
    control.start_ns = world->watcher.start_ns;
    timer_init(&world->collector, on_collect);
    timer_start(world->loop, &world->collector, control.start_ns + NSEC_PER_SEC);
    check(engine_run(engine) == 0);
    timer_stop(world->loop, &world->collector);
    engine_free(engine);
}

/* The generator is judged as in a run, by its intervals, which marks those that say nothing of the
 * target; how long this very process waits for a processor is nothing of that world. */
static void judge_generator(struct world *world)
{
    struct overseer *overseer = overseer_new(world->reading.plan, world->recorder, 1);
    recorder_drain(world->recorder);
    struct result *result = recorder_result(world->recorder, 0);
    for (size_t i = 0; i < result->point_count; i++)
        result->points[i].gauges[GAUGE_RUN_DELAY] = result->points[i].gauges[GAUGE_CPU] = 0;
    overseer_judge(overseer, result, true);
    overseer_conclude(overseer, result);
    result_free(result);
    overseer_free(overseer);
}

static struct suite *read_suite(struct world *world)
{
    struct result *result = recorder_result(world->recorder, 0);
    struct suite *suite = suite_of_run(result, world->row->slo_s);
    result_free(result);
    return suite;
}

static void begin(struct world *world, uint64_t seed)
{
    struct net_address address;
    char literal[URL_BYTES];
    struct sim_options sim = {.seed = seed,
                              .link_bytes_per_second = world->row->link_bytes_per_second,
                              .client_ns = world->row->client_ns};
    check(loop_new(&world->loop) == 0);
    sim_configure(world->loop, &sim);
    plug_list_init(&world->plugs);
    open_testbed(world, seed, &address);
    read_plan(world, net_address_write(&address, literal, sizeof literal), seed);
    const struct plan *plan = world->reading.plan;
    struct run_declared run = {.metrics = &world->program.metrics,
                               .phases = world->phases,
                               .phase_count = world->phase_count};
    run.head = (struct run_head){.id = "planted",
                                 .name = plan->name,
                                 .plan_source = "",
                                 .target = plan->target,
                                 .version = "test",
                                 .segments = 1,
                                 .interval_ns = plan->interval_ns,
                                 .time_scale = 1};
    declared_init(&run, plan);
    check(recorder_new(&world->recorder, NULL, &run) == 0);
    declared_fini(&run);
    tally_exchange_init(&world->tallies, &world->program.metrics, 0, plan->request_count,
                        plan->rule_count);
    recorder_attach(world->recorder, &world->tallies);
    watch_begin(world, &address);
}

static void end(struct world *world)
{
    recorder_free(world->recorder);
    tally_exchange_fini(&world->tallies);
    run_phases_free(world->phases, world->phase_count);
    program_fini(&world->program);
    plan_reading_fini(&world->reading);
    plug_list_fini(&world->plugs);
    testbed_free(world->testbed);
    loop_free(world->loop);
}

struct suite *planted_play(const struct planted *row, uint64_t seed)
{
    struct world world = {.row = row};
    begin(&world, seed);
    run_engine(&world);
    watch_end(&world);
    judge_generator(&world);
    check(recorder_close(world.recorder) == 0);
    struct suite *suite = read_suite(&world);
    end(&world);
    return suite;
}
