/* One loop thread of the load: made from the plan, started with the others, run to its end.
 *
 * A turn of engine_run: act on a stop, begin the arrivals that are due, then let the loop wait for
 * the next arrival, timer or reply. Arrivals have this place of their own beside the timer wheel
 * because their instants matter most: they are the intended starts that all response times are
 * counted from. */
#include "load/engine.h"

#include "base/check.h"
#include "base/memory.h"
#include "load/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static bool looks_at_head(const struct engine *engine, const struct plan_request *request)
{
    const struct plan *plan = engine->plan;
    if (plan->http.compress || plan->http.cookies || plan->http.follow_redirects ||
        plan->rule_count || engine->options.drivers[request->driver]->wants_head)
        return true;
    for (size_t i = 0; i < request->check_count; i++) {
        if (check_needs_head(request->checks[i]))
            return true;
    }
    for (size_t i = 0; i < request->capture_count; i++) {
        if (capture_needs_head(request->captures[i]))
            return true;
    }
    return false;
}

static bool looks_at_body(const struct engine *engine, const struct plan_request *request)
{
    if (engine->plan->rule_count)
        return true;
    for (size_t i = 0; i < request->check_count; i++) {
        if (check_needs_body(request->checks[i]))
            return true;
    }
    for (size_t i = 0; i < request->capture_count; i++) {
        if (capture_needs_body(request->captures[i]))
            return true;
    }
    return false;
}

static void make_works(struct engine *engine)
{
    const struct engine_options *options = &engine->options;
    engine->works = memory_new(engine->plan->request_count, sizeof *engine->works);
    for (size_t i = 0; i < engine->plan->request_count; i++) {
        const struct plan_request *request = &engine->plan->requests[i];
        check(request->driver >= 0 && (size_t)request->driver < options->driver_count);
        engine->works[i] = (struct work){
            .request = request,
            .driver = options->drivers[request->driver],
            .compiled = options->compiled[i],
            .number = (uint32_t)i,
            .first_counter =
                options->driver_counters ? options->driver_counters[request->driver] : 0,
            .first_hist = options->driver_hists ? options->driver_hists[request->driver] : 0,
            .keeps_head = looks_at_head(engine, request),
            .keeps_body = looks_at_body(engine, request),
        };
    }
}

/* Where each driver's part of a user's state begins, and how much a request's state takes. */
static void lay_out_states(struct engine *engine)
{
    const struct engine_options *options = &engine->options;
    engine->user_offsets = memory_new(options->driver_count, sizeof *engine->user_offsets);
    for (size_t i = 0; i < engine->plan->request_count; i++) { /* only drivers that the plan uses */
        int driver = engine->plan->requests[i].driver;
        if (options->drivers[driver]->state_bytes > engine->state_bytes)
            engine->state_bytes = options->drivers[driver]->state_bytes;
        size_t bytes = (options->drivers[driver]->user_bytes + 15) & ~(size_t)15;
        if (!bytes || engine->user_offsets[driver])
            continue;
        engine->user_bytes = engine->user_bytes ? engine->user_bytes : 16; /* offset 0: not used */
        engine->user_offsets[driver] = engine->user_bytes;
        engine->user_bytes += bytes;
    }
}

enum { SCENARIOS_MOST = 64 }; /* places in engine_control */

static void make_crews(struct engine *engine)
{
    const struct plan *plan = engine->plan;
    check(plan->scenario_count <= SCENARIOS_MOST);
    engine->crews = memory_new(plan->scenario_count, sizeof(struct crew *));
    for (size_t i = 0; i < plan->scenario_count; i++)
        engine->crews[engine->crew_count++] = crew_new(engine, &plan->scenarios[i], (uint32_t)i);
}

int engine_new(struct engine **out, const struct engine_options *options, char *words, size_t room)
{
    struct engine *engine = memory_new(1, sizeof *engine);
    const struct plan *plan = options->plan;
    engine->options = *options;
    engine->plan = plan;
    engine->loop = options->loop;
    text_reserve(&engine->scratch, 4096);
    make_works(engine);
    lay_out_states(engine);
    int error =
        resolver_new(&engine->resolver, engine->loop, plan->resolve.items, plan->resolve.count);
    if (error)
        snprintf(words, room, "name resolution cannot be set up (--resolve is host:port:address)");
    if (!error)
        error = link_new(&engine->link, engine->loop, engine->resolver, NULL);
    if (!error)
        error = origins_init(engine, words, room);
    if (!error)
        error = ledger_init(engine);
    if (error) {
        engine_free(engine);
        return error;
    }
    make_crews(engine);
    *out = engine;
    return 0;
}

struct engine *engine_free(struct engine *engine)
{
    if (!engine)
        return NULL;
    for (size_t i = 0; i < engine->crew_count; i++)
        crew_free(engine->crews[i]);
    free(engine->crews);
    ledger_fini(engine);
    origins_fini(engine);
    link_free(engine->link);
    resolver_free(engine->resolver);
    tls_context_free(engine->tls);
    free(engine->works);
    free(engine->user_offsets);
    text_fini(&engine->scratch);
    text_fini(&engine->lines);
    free(engine);
    return NULL;
}

static void obey(struct engine *engine)
{
    struct engine_control *control = engine->options.control;
    int stop = atomic_load_explicit(&control->stop, memory_order_relaxed);
    uint32_t cut = atomic_load_explicit(&control->cut_millionths, memory_order_relaxed);
    bool changed = cut != engine->cut_millionths;
    engine->cut_millionths = cut;
    engine->stop = stop;
    for (size_t i = 0; i < engine->crew_count; i++) {
        struct crew *crew = engine->crews[i];
        bool wanted = atomic_load_explicit(&control->scenario_stop[i], memory_order_relaxed);
        if (changed)
            crew_follow(crew, loop_now(engine->loop));
        if (stop == ENGINE_STOP_NOW && !crew->over)
            crew_silence(crew);
        else if ((stop == ENGINE_STOP_GRACEFULLY || wanted) && !crew->ended)
            crew_wind_up(crew, crew->plan->graceful_stop_ns);
    }
}

static void publish(struct engine *engine)
{
    uint64_t users = 0, in_flight = 0, waiting = 0;
    for (size_t i = 0; i < engine->crew_count; i++) {
        users += engine->crews[i]->alive;
        in_flight += engine->crews[i]->in_flight;
        waiting += engine->crews[i]->waiting;
    }
    atomic_store_explicit(&engine->live.users, users, memory_order_relaxed);
    atomic_store_explicit(&engine->live.in_flight, in_flight, memory_order_relaxed);
    atomic_store_explicit(&engine->live.waiting, waiting, memory_order_relaxed);
}

static bool is_over(const struct engine *engine)
{
    for (size_t i = 0; i < engine->crew_count; i++) {
        if (!engine->crews[i]->over)
            return false;
    }
    return true;
}

/* Waits for the instant at which all threads begin. */
static int await_start(struct engine *engine)
{
    struct engine_control *control = engine->options.control;
    while ((engine->start_ns = atomic_load(&control->start_ns)) == 0) {
        if (atomic_load(&control->stop) != ENGINE_RUN)
            return 0;
        int turned = loop_turn(engine->loop, loop_now(engine->loop) + NSEC_PER_MSEC);
        if (turned < 0 && turned != -EDEADLK)
            return turned;
    }
    while (loop_now(engine->loop) < engine->start_ns) {
        int turned = loop_turn(engine->loop, engine->start_ns);
        if (turned < 0)
            return turned;
    }
    return 0;
}

int engine_run(struct engine *engine)
{
    int error = await_start(engine);
    if (error || engine->start_ns == 0)
        return error;
    ledger_begin(engine);
    for (size_t i = 0; i < engine->crew_count; i++)
        crew_begin(engine->crews[i]);
    while (!is_over(engine)) {
        nsec_t until_ns = loop_now(engine->loop), next_ns = NSEC_NEVER;
        for (size_t i = 0; i < engine->crew_count; i++) {
            if (!engine->crews[i]->arrivals)
                continue;
            nsec_t arrival_ns = crew_arrive(engine->crews[i], until_ns);
            next_ns = arrival_ns < next_ns ? arrival_ns : next_ns;
        }
        int turned = loop_turn(engine->loop, next_ns);
        if (turned < 0) {
            error = turned;
            break;
        }
        obey(engine);
        publish(engine);
    }
    for (size_t i = 0; error && i < engine->crew_count; i++)
        crew_silence(engine->crews[i]);
    ledger_end(engine);
    publish(engine);
    if (engine->stop != ENGINE_STOP_NOW)
        link_settle(engine->link);
    return error;
}

/* What failed or took too long is cut off; its sessions are still ended, each in bounded time. */
static int await_farewells(struct engine *engine, struct crew *crew)
{
    int error = 0;
    crew_cut_off(crew);
    while (!crew->over && error >= 0 &&
           atomic_load(&engine->options.control->stop) != ENGINE_STOP_NOW)
        error = loop_turn(engine->loop, loop_now(engine->loop) + 100 * NSEC_PER_MSEC);
    return error;
}

/* Set-up and teardown: a crew of one user that takes the tasks in order. */
int engine_run_once(struct engine *engine, uint32_t first, uint32_t count, char *words, size_t room)
{
    struct plan_scenario alone = {.name = (char[]){"once"},
                                  .executor = EXECUTOR_PER_VU_ITERATIONS,
                                  .iterations = count,
                                  .vus = 1};
    alone.symbols = engine->plan->symbols;
    bool after = engine->ledger.block == NULL;
    if (after) /* teardown: the last block was handed over, and the recorder has given others back
                */
        engine->ledger.block = ring_take(&engine->options.tallies->empty);
    if (!engine->ledger.block)
        return -EBUSY;
    int error = 0;
    struct crew *crew = crew_new(engine, &alone, SCENARIOS_MOST); /* draws of its own */
    engine->once_failed = false;
    nsec_t now_ns = loop_now(engine->loop);
    nsec_t limit_ns =
        now_ns + (nsec_t)(count + 1) * (engine->plan->http.timeout_ns + 60 * NSEC_PER_SEC);
    crew_begin_once(crew, first, count);
    while (!crew->over && error >= 0 && !engine->once_failed && loop_now(engine->loop) < limit_ns) {
        if (atomic_load(&engine->options.control->stop) == ENGINE_STOP_NOW)
            break;
        error = loop_turn(engine->loop, loop_now(engine->loop) + 100 * NSEC_PER_MSEC);
    }
    bool complete = crew->over && !engine->once_failed;
    if (!crew->over && error >= 0)
        error = await_farewells(engine, crew);
    crew_silence(crew);
    crew_free(crew);
    link_settle(engine->link);
    if (after) {
        tally_block_clear(engine->ledger.block, engine->options.metrics);
        engine->ledger.block = NULL;
    }
    if (error < 0)
        return error;
    if (complete)
        return 0;
    snprintf(words, room, "%s",
             engine->once_failed ? engine->once_words : "it was stopped, or took too long");
    return ENGINE_TASK_FAILED;
}

const struct engine_live *engine_live(const struct engine *engine)
{
    return &engine->live;
}
