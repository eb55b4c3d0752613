/* The ledger: the tallies of this thread, handed over at the end of each interval and phase.
 *
 * When the recorder has no empty block to give (a slow disk), counting goes on in the same one: the
 * interval is then longer, and says so; nothing is lost and the loop never waits. */
#include "load/inside.h"

#include "base/check.h"
#include "base/memory.h"
#include "wire/plain.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const nsec_t late_ns = NSEC_PER_MSEC; /* an arrival later than this counts as late */

static nsec_t thread_cpu_ns(void)
{
    struct timespec used;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used))
        return 0;
    return (nsec_t)used.tv_sec * NSEC_PER_SEC + used.tv_nsec;
}

/* Second field of schedstat: ns that this thread was runnable but had no processor; 0 where the
 * kernel does not say. Read once an interval. */
static nsec_t thread_run_delay_ns(void)
{
    char line[128] = "";
    int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t bytes = read(fd, line, sizeof line - 1);
    close(fd);
    long long ran = 0, waited = 0;
    if (bytes <= 0 || sscanf(line, "%18lld %18lld", &ran, &waited) != 2)
        return 0;
    return waited;
}

static uint32_t phase_at(const struct engine *engine, nsec_t since_ns)
{
    uint32_t phase = 0;
    for (size_t i = 1; i < engine->options.phase_count; i++) {
        if (engine->options.phases[i].begin_ns <= since_ns)
            phase = (uint32_t)i;
    }
    return phase;
}

static void schedule(struct engine *engine, nsec_t since_ns)
{
    struct ledger *ledger = &engine->ledger;
    nsec_t interval_ns = engine->plan->interval_ns;
    nsec_t next_ns = (since_ns / interval_ns + 1) * interval_ns;
    for (size_t i = 0; i < engine->options.phase_count; i++) {
        nsec_t begin_ns = engine->options.phases[i].begin_ns;
        if (begin_ns > since_ns && begin_ns < next_ns)
            next_ns = begin_ns;
    }
    timer_start(engine->loop, &ledger->timer, engine->start_ns + next_ns);
}

static void open_block(struct engine *engine, struct tally_block *block, nsec_t since_ns)
{
    struct ledger *ledger = &engine->ledger;
    ledger->block = block;
    ledger->interval = (uint32_t)(since_ns / engine->plan->interval_ns);
    ledger->phase = phase_at(engine, since_ns);
    block->segment = engine->options.segment;
    block->phase = ledger->phase;
    block->first_interval = block->last_interval = ledger->interval;
    block->begin_ns = block->end_ns = since_ns;
    ledger->begun_ns = since_ns;
    ledger->cpu_ns = thread_cpu_ns();
    ledger->run_delay_ns = thread_run_delay_ns();
}

static void count_open_connections(struct engine *engine, double *open)
{
    for (size_t i = 0; i < engine->origin_count; i++) {
        struct pool_state state;
        pool_state(engine->origins[i]->pool, &state);
        *open += (double)state.open;
    }
}

static void take_gauges(struct engine *engine, nsec_t since_ns)
{
    struct ledger *ledger = &engine->ledger;
    double *gauges = ledger->block->gauges;
    nsec_t asleep_ns, worst_ns;
    for (int i = 0; i < CORE_GAUGES; i++)
        gauges[i] = 0;
    for (size_t i = 0; i < engine->crew_count; i++) {
        const struct crew *crew = engine->crews[i];
        double asked = course_at(&crew->course, since_ns);
        uint64_t resting = 0;
        for (const struct list *node = crew->idle.next; node != &crew->idle; node = node->next)
            resting++;
        gauges[GAUGE_USERS] += (double)(crew->alive - resting);
        gauges[GAUGE_USERS_ASKED] += asked / engine->options.segments;
        gauges[GAUGE_IN_FLIGHT] += (double)crew->in_flight;
        gauges[GAUGE_WAITING] += (double)crew->waiting;
    }
    count_open_connections(engine, &gauges[GAUGE_CONNECTIONS]);
    loop_usage(engine->loop, &asleep_ns, &worst_ns);
    nsec_t length_ns = since_ns - ledger->begun_ns;
    if (length_ns > 0)
        gauges[GAUGE_BUSY] = 1 - (double)asleep_ns / (double)length_ns;
    gauges[GAUGE_LOOP_LAG] = (double)worst_ns;
    gauges[GAUGE_RUN_DELAY] = (double)(thread_run_delay_ns() - ledger->run_delay_ns);
    gauges[GAUGE_CPU] = (double)(thread_cpu_ns() - ledger->cpu_ns);
}

static void hand_over(struct engine *engine, nsec_t since_ns, struct tally_block *next)
{
    struct ledger *ledger = &engine->ledger;
    struct tally_block *full = ledger->block;
    take_gauges(engine, since_ns);
    full->end_ns = since_ns;
    bool taken = ring_put(&engine->options.tallies->full, full);
    check(taken); /* there are fewer blocks than places */
    if (next)
        open_block(engine, next, since_ns);
}

static void interval_over(struct timer *timer, nsec_t now_ns)
{
    struct engine *engine = list_entry(timer, struct engine, ledger.timer);
    nsec_t since_ns = engine_since(engine, now_ns);
    /* The boundary itself, when the loop was in time to within a tenth of it: rows then line up. */
    nsec_t due_ns = engine_since(engine, timer->due_ns);
    if (since_ns - due_ns < engine->plan->interval_ns / 10)
        since_ns = due_ns;
    struct tally_block *next = ring_take(&engine->options.tallies->empty);
    if (next)
        hand_over(engine, since_ns, next);
    else
        engine->ledger.block->last_interval = (uint32_t)(since_ns / engine->plan->interval_ns);
    schedule(engine, since_ns);
}

int ledger_init(struct engine *engine)
{
    timer_init(&engine->ledger.timer, interval_over);
    engine->ledger.block = ring_take(&engine->options.tallies->empty);
    check(engine->ledger.block);
    return 0;
}

void ledger_begin(struct engine *engine)
{
    /* What set-up counted is not part of the load. */
    nsec_t asleep_ns, worst_ns;
    tally_block_clear(engine->ledger.block, engine->options.metrics);
    loop_usage(engine->loop, &asleep_ns, &worst_ns);
    open_block(engine, engine->ledger.block, 0);
    schedule(engine, 0);
    engine->recording = true;
}

void ledger_end(struct engine *engine)
{
    timer_stop(engine->loop, &engine->ledger.timer);
    engine->recording = false;
    hand_over(engine, engine_since(engine, loop_now(engine->loop)), NULL);
    engine->ledger.block = NULL;
}

void ledger_fini(struct engine *engine)
{
    timer_stop(engine->loop, &engine->ledger.timer);
}

void ledger_trace_over(struct engine *engine, const struct job *job, uint32_t outcome,
                       uint32_t error, nsec_t end_ns)
{
    struct trace_ring *trace = ledger_trace(engine);
    if (!trace)
        return;
    const struct exchange_times *times = &job->exchange.times;
    const struct trace_end end = {
        .start_ns = engine->start_ns,
        .intended_ns = job->intended_ns,
        .asked_ns = times->asked_ns,
        .sent_ns = times->sent_ns,
        .end_ns = end_ns,
        .request = job->work->number,
        .phase = engine->ledger.phase,
        .outcome = outcome,
        .error = error,
        .status = job->status,
        .attempts = 1U + job->attempt,
    };
    trace_over(trace, job->number, &end);
}

void ledger_late(struct engine *engine, struct tally *tally, nsec_t by_ns)
{
    tally_time(tally, HIST_LATE, by_ns);
    hist_record(engine->ledger.block->loop_lag, by_ns);
    if (by_ns > late_ns)
        tally_count(tally, COUNT_LATE, 1);
}

void ledger_example(struct engine *engine, const struct work *work, uint32_t error, int status,
                    struct span words, nsec_t at_ns)
{
    struct tally_example example = {.at_ns = engine_since(engine, at_ns),
                                    .request = work->number,
                                    .error = error,
                                    .status = status};
    if (engine->ledger.block->example_count >= TALLY_EXAMPLES)
        return; /* spares the copying when errors come in floods */
    plain_words(words, example.words, sizeof example.words);
    tally_example(engine->ledger.block, example);
}
