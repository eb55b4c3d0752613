/* One mutex and one condition serve all barriers; they are touched a few times a run, never in the
 * data path. A thread walks through the steps below; the conductor moves `order` forward. */
#include "run/team.h"

#include "base/error.h"
#include "base/memory.h"
#include "host/thread.h"
#include "net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum { WORDS_ROOM = 400, LINE_ROOM = WORDS_ROOM + 100, WORKER_NAME_ROOM = 16 };

/* Where a thread is. */
enum step { STEP_MAKING, STEP_READY, STEP_RUNNING, STEP_DONE, STEP_TORN_DOWN, STEP_ENDED };

/* What the conductor has ordered so far. */
enum order { ORDER_MAKE, ORDER_RUN, ORDER_TEARDOWN, ORDER_END };

struct worker {
    struct team *team;
    pthread_t thread;
    bool launched;
    uint32_t index;
    struct tally_exchange tallies;
    struct loop *_Atomic loop;     /* written by the thread */
    struct engine *_Atomic engine; /* written by the thread */
    enum step step;                /* under the team's lock */
};

struct team {
    struct team_options options;
    struct engine_control control;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum order order;      /* under the lock, by the conductor */
    int error;             /* under the lock, by threads: the first -errno of a load */
    bool failed;           /* under the lock, by threads: could not make ready, or tear down */
    char words[LINE_ROOM]; /* under the lock: of the first failure */
    struct worker *workers;
    struct text *kept; /* what set-up captured; written by the first thread before the load */
};

static void fail(struct team *team, int error, const char *words)
{
    pthread_mutex_lock(&team->lock);
    if (!team->failed && !team->error)
        snprintf(team->words, sizeof team->words, "%s", words);
    if (error)
        team->error = team->error ? team->error : error;
    else
        team->failed = true;
    pthread_cond_broadcast(&team->changed);
    pthread_mutex_unlock(&team->lock);
}

static void step_to(struct worker *worker, enum step step)
{
    pthread_mutex_lock(&worker->team->lock);
    worker->step = step;
    pthread_cond_broadcast(&worker->team->changed);
    pthread_mutex_unlock(&worker->team->lock);
}

/* Waits for an order of at least this rank. Returns the order. */
static enum order await_order(struct team *team, enum order least)
{
    pthread_mutex_lock(&team->lock);
    while (team->order < least)
        pthread_cond_wait(&team->changed, &team->lock);
    enum order order = team->order;
    pthread_mutex_unlock(&team->lock);
    return order;
}

/* Makes the thread's loop and engine, and runs the set-up tasks on the first. */
static int make_ready(struct worker *worker)
{
    struct team *team = worker->team;
    const struct team_options *options = &team->options;
    const struct program *program = options->program;
    char words[WORDS_ROOM] = "", line[LINE_ROOM], sentence[80];
    struct loop *loop = NULL;
    struct engine *engine = NULL;
    int error = loop_new(&loop);
    worker->loop = loop;
    struct engine_options engine_options = {
        .plan = options->plan,
        .drivers = program->drivers,
        .driver_count = program->driver_count,
        .compiled = program->compiled,
        .metrics = &program->metrics,
        .driver_counters = program->driver_counters,
        .driver_hists = program->driver_hists,
        .target_counter = program->target_counter,
        .phases = options->phases,
        .phase_count = options->phase_count,
        .segment = worker->index,
        .segments = options->threads,
        .control = &team->control,
        .tallies = &worker->tallies,
        .loop = loop,
        .kept = team->kept,
    };
    if (error == 0)
        error = engine_new(&engine, &engine_options, words, sizeof words);
    worker->engine = engine;
    if (error) {
        snprintf(line, sizeof line, "%s%s%s", words, words[0] ? ": " : "loop thread: ",
                 error_sentence(error, sentence, sizeof sentence));
        fail(team, 0, line);
        return error;
    }
    if (worker->index == 0 && options->plan->setup_count) {
        error = engine_run_once(engine, options->plan->setup_task, options->plan->setup_count,
                                words, sizeof words);
        if (error) {
            snprintf(line, sizeof line, "set-up failed: %s", words[0] ? words : "interrupted");
            fail(team, 0, line);
        }
    }
    return error;
}

static void run_load(struct worker *worker)
{
    step_to(worker, STEP_RUNNING);
    int error = engine_run(worker->engine);
    if (error) {
        char sentence[100], line[LINE_ROOM];
        snprintf(line, sizeof line, "loop thread %u ended early: %s", worker->index,
                 error_sentence(error, sentence, sizeof sentence));
        fail(worker->team, error, line);
    }
}

static void run_teardown(struct worker *worker)
{
    const struct plan *plan = worker->team->options.plan;
    char words[WORDS_ROOM] = "", line[LINE_ROOM];
    if (worker->index != 0 || plan->teardown_count == 0)
        return;
    if (engine_run_once(worker->engine, plan->teardown_task, plan->teardown_count, words,
                        sizeof words) == 0)
        return;
    snprintf(line, sizeof line, "teardown failed: %s", words[0] ? words : "interrupted");
    fail(worker->team, 0, line);
}

static void *worker_main(void *self)
{
    struct worker *worker = self;
    char name[WORKER_NAME_ROOM];
    snprintf(name, sizeof name, "load-%u", worker->index);
    pthread_setname_np(pthread_self(), name);
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* waits end when due, not up to 50 us later */
    thread_wake_soon(); /* this program's own bookkeeping must not delay what it measures */
    enum order order = ORDER_END;
    if (make_ready(worker) == 0) {
        step_to(worker, STEP_READY);
        order = await_order(worker->team, ORDER_RUN);
    }
    if (order == ORDER_RUN) {
        run_load(worker);
        step_to(worker, STEP_DONE);
        order = await_order(worker->team, ORDER_TEARDOWN);
    }
    if (order == ORDER_TEARDOWN) {
        run_teardown(worker);
        step_to(worker, STEP_TORN_DOWN);
        await_order(worker->team, ORDER_END);
    }
    step_to(worker, STEP_ENDED);
    return NULL;
}

struct team *team_new(const struct team_options *options)
{
    struct team *team = memory_new(1, sizeof *team);
    team->options = *options;
    pthread_mutex_init(&team->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&team->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    team->workers = memory_new(options->threads, sizeof *team->workers);
    team->kept = memory_new(options->plan->symbols.slots, sizeof *team->kept);
    for (uint32_t i = 0; i < options->threads; i++) {
        struct worker *worker = &team->workers[i];
        worker->team = team;
        worker->index = i;
        tally_exchange_init(&worker->tallies, &options->program->metrics, i,
                            options->plan->request_count, options->plan->rule_count);
        if (options->plan->trace == PLAN_TRACE_REQUESTS)
            tally_exchange_trace(&worker->tallies);
    }
    return team;
}

static void give_order(struct team *team, enum order order)
{
    pthread_mutex_lock(&team->lock);
    team->order = order;
    pthread_cond_broadcast(&team->changed);
    pthread_mutex_unlock(&team->lock);
}

struct team *team_free(struct team *team)
{
    if (!team)
        return NULL;
    give_order(team, ORDER_END);
    for (uint32_t i = 0; i < team->options.threads; i++) {
        struct worker *worker = &team->workers[i];
        if (worker->launched)
            pthread_join(worker->thread, NULL);
        worker->engine = engine_free(worker->engine);
        worker->loop = loop_free(worker->loop);
        tally_exchange_fini(&worker->tallies);
    }
    pthread_cond_destroy(&team->changed);
    pthread_mutex_destroy(&team->lock);
    for (uint16_t i = 0; i < team->options.plan->symbols.slots; i++)
        text_fini(&team->kept[i]);
    free(team->kept);
    free(team->workers);
    free(team);
    return NULL;
}

int team_launch(struct team *team)
{
    for (uint32_t i = 0; i < team->options.threads; i++) {
        struct worker *worker = &team->workers[i];
        int error = pthread_create(&worker->thread, NULL, worker_main, worker);
        if (error)
            return -error;
        worker->launched = true;
    }
    return 0;
}

/* How many threads are at a step in least .. most; the lock is held. */
static uint32_t count_between(const struct team *team, enum step least, enum step most)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < team->options.threads; i++)
        count += team->workers[i].step >= least && team->workers[i].step <= most;
    return count;
}

/* Waits on the condition until an instant; the lock is held. False when the instant came. */
static bool wait_until(struct team *team, nsec_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / NSEC_PER_SEC, .tv_nsec = until_ns % NSEC_PER_SEC};
    return pthread_cond_timedwait(&team->changed, &team->lock, &until) != ETIMEDOUT;
}

int team_wait_ready(struct team *team, nsec_t until_ns)
{
    pthread_mutex_lock(&team->lock);
    bool waiting = true;
    while (waiting && !team->failed &&
           count_between(team, STEP_READY, STEP_READY) < team->options.threads)
        waiting = wait_until(team, until_ns);
    bool ready = count_between(team, STEP_READY, STEP_READY) == team->options.threads;
    int outcome = team->failed ? TEAM_FAILED : ready ? 0 : TEAM_NOT_YET;
    pthread_mutex_unlock(&team->lock);
    return outcome;
}

void team_start(struct team *team, nsec_t start_ns)
{
    atomic_store(&team->control.start_ns, start_ns);
    give_order(team, ORDER_RUN);
}

static uint32_t running(const struct team *team)
{
    return count_between(team, STEP_READY, STEP_RUNNING);
}

uint32_t team_running(struct team *team)
{
    pthread_mutex_lock(&team->lock);
    uint32_t count = running(team);
    pthread_mutex_unlock(&team->lock);
    return count;
}

uint32_t team_wait(struct team *team, nsec_t until_ns)
{
    pthread_mutex_lock(&team->lock);
    bool waiting = true;
    while (waiting && running(team))
        waiting = wait_until(team, until_ns);
    uint32_t count = running(team);
    pthread_mutex_unlock(&team->lock);
    return count;
}

static void wake_all(struct team *team)
{
    for (uint32_t i = 0; i < team->options.threads; i++) {
        struct loop *loop = team->workers[i].loop;
        if (loop)
            loop_wake(loop);
    }
}

void team_stop(struct team *team, enum engine_stop stop)
{
    atomic_store(&team->control.stop, stop);
    wake_all(team);
}

void team_reduce(struct team *team, double share)
{
    atomic_store(&team->control.cut_millionths, (uint32_t)((1 - share) * 1e6));
    wake_all(team);
}

void team_stop_scenario(struct team *team, size_t scenario)
{
    atomic_store(&team->control.scenario_stop[scenario], 1);
    wake_all(team);
}

void team_teardown(struct team *team)
{
    atomic_store(&team->control.stop, ENGINE_RUN);
    give_order(team, ORDER_TEARDOWN);
}

int team_wait_teardown(struct team *team, nsec_t until_ns)
{
    pthread_mutex_lock(&team->lock);
    bool waiting = true;
    while (waiting && count_between(team, STEP_DONE, STEP_DONE) > 0)
        waiting = wait_until(team, until_ns);
    bool done = count_between(team, STEP_DONE, STEP_DONE) == 0;
    int outcome = !done ? TEAM_NOT_YET : team->failed ? TEAM_FAILED : 0;
    pthread_mutex_unlock(&team->lock);
    return outcome;
}

const char *team_words(const struct team *team)
{
    return team->words;
}

int team_error(const struct team *team)
{
    return team->error;
}

struct tally_exchange *team_tallies(struct team *team, uint32_t thread)
{
    return &team->workers[thread].tallies;
}

struct team_live team_live(const struct team *team)
{
    struct team_live sum = {0};
    for (uint32_t i = 0; i < team->options.threads; i++) {
        struct engine *engine = team->workers[i].engine;
        const struct engine_live *live = engine ? engine_live(engine) : NULL;
        if (!live)
            continue;
        sum.users += atomic_load_explicit(&live->users, memory_order_relaxed);
        sum.in_flight += atomic_load_explicit(&live->in_flight, memory_order_relaxed);
        sum.waiting += atomic_load_explicit(&live->waiting, memory_order_relaxed);
    }
    return sum;
}
