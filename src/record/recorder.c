/* The recorder: drains the loop threads' blocks into the picture and the run file.
 *
 * Three locks, taken in this order and none of them by a loop thread:
 *   drain     the file, the exchanges' other ends, and who may drain
 *   picture   the live picture, held only while a block is added or a copy is made, so that a slow
 *             disk does not hold up who looks at the live result
 *   said      the queue of events, facts and samples, held for an append only */
#include "record/recorder.h"

#include "base/check.h"
#include "base/list.h"
#include "base/memory.h"
#include "record/declare.h"
#include "record/file.h"
#include "record/picture.h"
#include "record/result.h"
#include "record/series.h"
#include "record/trace_keep.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum said_kind { SAID_EVENT, SAID_FACT, SAID_SATURATED, SAID_WATCHED, SAID_SERIES };

/* Something said by any thread, on its way to the picture and the file. */
struct said {
    struct list node;
    enum said_kind kind;
    nsec_t at_ns, end_ns; /* of a stretch */
    char *name;           /* kind of event, fact, thing watched, or metric */
    char *words;          /* of an event, value of a fact, role of a thing, or part of a series */
    uint32_t number;      /* of a thing watched or a series */
    uint32_t watched, metric_number; /* of a series */
    bool fresh_metric;
    char *unit, *sentence, *source; /* of a series; unit also: the probe of a thing watched */
};

/* Samples on their way. */
struct queued_sample {
    uint32_t series;
    struct series_sample sample;
};

struct sample_queue {
    struct queued_sample *items;
    size_t count, room;
};

/* A loop thread's end. */
struct source_thread {
    struct tally_exchange *exchange;
    struct trace_keep *keep; /* NULL: no trace */
};

struct recorder {
    const struct metric_table *metrics;
    pthread_mutex_t drain, picture_lock, said_lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool closed;
    bool stop; /* under said_lock */
    _Atomic int error;
    _Atomic bool finished; /* closed without an error */
    struct run_file *file;
    struct picture *picture;
    struct source_thread *threads;
    size_t thread_count;
    uint64_t traced, trace_most, trace_over_limit; /* requests written, at most, and beyond */
    struct list said;
    uint32_t watched_count; /* these three under said_lock */
    struct series_book *book;
    struct sample_queue samples;
    struct sample_queue spare; /* emptied; under the drain lock */
};

/* ---- what any thread says
 * ------------------------------------------------------------------------------------
 */

static struct said *said_free(struct said *said)
{
    free(said->name);
    free(said->words);
    free(said->unit);
    free(said->sentence);
    free(said->source);
    free(said);
    return NULL;
}

static char *copy_or_empty(const char *text)
{
    return memory_copy_text(text ? text : "");
}

static struct said *said_new(enum said_kind kind, const char *name, const char *words)
{
    struct said *said = memory_new(1, sizeof *said);
    list_init(&said->node);
    said->kind = kind;
    said->name = copy_or_empty(name);
    said->words = copy_or_empty(words);
    return said;
}

static void said_put(struct recorder *recorder, struct said *said)
{
    pthread_mutex_lock(&recorder->said_lock);
    list_append(&recorder->said, &said->node);
    pthread_mutex_unlock(&recorder->said_lock);
}

void recorder_event(struct recorder *recorder, nsec_t at_ns, const char *kind, const char *words)
{
    struct said *said = said_new(SAID_EVENT, kind, words);
    said->at_ns = at_ns;
    said_put(recorder, said);
}

void recorder_fact(struct recorder *recorder, const char *name, const char *value)
{
    said_put(recorder, said_new(SAID_FACT, name, value));
}

void recorder_saturated(struct recorder *recorder, nsec_t begin_ns, nsec_t end_ns,
                        const char *words)
{
    struct said *said = said_new(SAID_SATURATED, NULL, words);
    said->at_ns = begin_ns;
    said->end_ns = end_ns;
    said_put(recorder, said);
}

uint32_t recorder_watched(struct recorder *recorder, const char *name, const char *role,
                          const char *probe)
{
    struct said *said = said_new(SAID_WATCHED, name, role);
    said->unit = copy_or_empty(probe);
    pthread_mutex_lock(&recorder->said_lock);
    uint32_t number = recorder->watched_count++;
    said->number = number;
    list_append(&recorder->said, &said->node);
    pthread_mutex_unlock(&recorder->said_lock);
    return number;
}

/* Puts a series on its way, before its first sample; under said_lock. */
static void series_say(struct recorder *recorder, uint32_t watched, const struct metric *metric,
                       const char *part, const struct series_entry *entry)
{
    struct said *said = said_new(SAID_SERIES, metric->name, part);
    said->unit = copy_or_empty(metric->unit);
    said->sentence = copy_or_empty(metric->sentence);
    said->source = copy_or_empty(metric->source);
    said->number = entry->series;
    said->watched = watched;
    said->fresh_metric = entry->fresh_metric;
    said->metric_number = entry->metric_number;
    list_append(&recorder->said, &said->node);
}

void recorder_sample(struct recorder *recorder, uint32_t watched, const struct metric *metric,
                     const char *part, nsec_t at_ns, nsec_t took_ns, double value)
{
    if (!isfinite(value)) /* what is not known is not there */
        return;
    pthread_mutex_lock(&recorder->said_lock);
    check(watched < recorder->watched_count);
    struct series_entry entry = series_book_at(recorder->book, watched, metric->name, part);
    if (entry.fresh)
        series_say(recorder, watched, metric, part, &entry);
    struct sample_queue *queue = &recorder->samples;
    if (queue->count == queue->room) {
        queue->room = queue->room ? 2 * queue->room : 256;
        queue->items = memory_resize(queue->items, queue->room, sizeof *queue->items);
    }
    queue->items[queue->count++] =
        (struct queued_sample){entry.series, {.at_ns = at_ns, .took_ns = took_ns, .value = value}};
    pthread_mutex_unlock(&recorder->said_lock);
}

/* ---- draining ---------------------------------------------------------------------------------
 */

static struct metric said_metric(const struct said *said)
{
    return (struct metric){.name = said->name,
                           .kind = METRIC_GAUGE,
                           .unit = said->unit,
                           .sentence = said->sentence,
                           .source = said->source};
}

static void said_to_picture(struct recorder *recorder, const struct said *said)
{
    struct metric metric = said_metric(said);
    pthread_mutex_lock(&recorder->picture_lock);
    if (said->kind == SAID_EVENT)
        picture_event(recorder->picture, said->at_ns, said->name, said->words);
    else if (said->kind == SAID_FACT)
        picture_fact(recorder->picture, said->name, said->words);
    else if (said->kind == SAID_SATURATED)
        picture_saturated(recorder->picture, said->at_ns, said->end_ns);
    else if (said->kind == SAID_WATCHED)
        picture_watched(recorder->picture,
                        &(struct result_watched){said->name, said->words, said->unit});
    else
        picture_series(recorder->picture, said->watched, &metric, said->words);
    pthread_mutex_unlock(&recorder->picture_lock);
}

static void said_to_file(struct run_file *file, const struct said *said)
{
    struct metric metric = said_metric(said);
    switch (said->kind) {
    case SAID_EVENT:
        run_file_event(file, said->at_ns, said->name, said->words);
        break;
    case SAID_FACT:
        run_file_fact(file, said->name, said->words);
        break;
    case SAID_SATURATED:
        run_file_saturated(file, said->at_ns, said->end_ns, said->words);
        break;
    case SAID_WATCHED:
        run_file_watched(file, said->number,
                         &(struct result_watched){said->name, said->words, said->unit});
        break;
    case SAID_SERIES:
        if (said->fresh_metric)
            run_file_metric(file, "sample", said->metric_number, &metric);
        run_file_series(file, said->number, said->watched, said->name, said->words);
        break;
    }
}

/* Where a pass writes to; the transaction begins with its first row. */
struct pass {
    struct recorder *recorder;
    bool began;
};

static struct run_file *pass_file(struct pass *pass)
{
    struct run_file *file = pass->recorder->file;
    if (file && !pass->began) {
        pass->began = true;
        run_file_begin(file);
    }
    return file;
}

static void drain_samples(struct pass *pass, const struct sample_queue *queue)
{
    struct recorder *recorder = pass->recorder;
    if (queue->count == 0)
        return;
    pthread_mutex_lock(&recorder->picture_lock);
    for (size_t i = 0; i < queue->count; i++)
        picture_sample(recorder->picture, queue->items[i].series, &queue->items[i].sample);
    pthread_mutex_unlock(&recorder->picture_lock);
    for (size_t i = 0; i < queue->count && pass_file(pass); i++)
        run_file_sample(recorder->file, queue->items[i].series, &queue->items[i].sample);
}

/* Takes what was said and sampled up to one instant: a series is said before its samples. */
static void drain_said(struct pass *pass)
{
    struct recorder *recorder = pass->recorder;
    struct list taken;
    list_init(&taken);
    pthread_mutex_lock(&recorder->said_lock);
    list_move_all(&recorder->said, &taken);
    struct sample_queue samples = recorder->samples;
    recorder->samples = recorder->spare;
    pthread_mutex_unlock(&recorder->said_lock);
    for (struct list *node = list_take(&taken); node; node = list_take(&taken)) {
        struct said *said = list_entry(node, struct said, node);
        said_to_picture(recorder, said);
        if (pass_file(pass))
            said_to_file(recorder->file, said);
        said_free(said);
    }
    drain_samples(pass, &samples);
    samples.count = 0;
    recorder->spare = samples;
}

static void drain_examples(struct pass *pass, const struct tally_block *block)
{
    for (uint32_t i = 0; i < block->example_count; i++) {
        pthread_mutex_lock(&pass->recorder->picture_lock);
        const struct result_example *row =
            picture_example(pass->recorder->picture, &block->examples[i]);
        pthread_mutex_unlock(&pass->recorder->picture_lock);
        /* Only drains change examples, so the row stands without the lock. */
        if (row && pass_file(pass))
            run_file_example(pass->recorder->file, row);
    }
}

static void drain_exchange(struct pass *pass, struct tally_exchange *exchange)
{
    struct recorder *recorder = pass->recorder;
    for (struct tally_block *block = ring_take(&exchange->full); block;
         block = ring_take(&exchange->full)) {
        pthread_mutex_lock(&recorder->picture_lock);
        picture_block(recorder->picture, block);
        pthread_mutex_unlock(&recorder->picture_lock);
        drain_examples(pass, block);
        if (pass_file(pass))
            run_file_block(recorder->file, block, recorder->metrics);
        tally_block_clear(block, recorder->metrics);
        bool room = ring_put(&exchange->empty, block);
        check(room);
    }
}

static void drain_trace(struct pass *pass, const struct source_thread *thread)
{
    struct recorder *recorder = pass->recorder;
    struct tally_exchange *exchange = thread->exchange;
    struct trace_row row;
    while (thread->keep && trace_keep_next(thread->keep, exchange->trace, &row)) {
        if (recorder->traced == recorder->trace_most) {
            recorder->trace_over_limit++;
            continue;
        }
        recorder->traced++;
        if (pass_file(pass))
            run_file_trace(recorder->file, exchange->blocks[0]->segment, &row);
    }
}

/* What the trace holds, told at the end. */
static void conclude_trace(struct recorder *recorder)
{
    uint64_t lost = recorder->trace_over_limit;
    bool any = false;
    for (size_t i = 0; i < recorder->thread_count; i++) {
        if (!recorder->threads[i].keep)
            continue;
        any = true;
        lost += trace_lost_requests(recorder->threads[i].exchange->trace);
    }
    if (!any)
        return;
    char number[24];
    snprintf(number, sizeof number, "%" PRIu64, recorder->traced);
    recorder_fact(recorder, "trace.requests", number);
    snprintf(number, sizeof number, "%" PRIu64, lost);
    recorder_fact(recorder, "trace.lost", number);
}

static void keep_error(struct recorder *recorder, int error)
{
    int none = 0;
    if (error)
        atomic_compare_exchange_strong(&recorder->error, &none, error);
}

/* One pass over everything that was handed in, in one transaction; under the drain lock. */
static void drain(struct recorder *recorder)
{
    struct pass pass = {.recorder = recorder};
    drain_said(&pass);
    for (size_t i = 0; i < recorder->thread_count; i++) {
        drain_exchange(&pass, recorder->threads[i].exchange);
        drain_trace(&pass, &recorder->threads[i]);
    }
    if (pass.began)
        keep_error(recorder, run_file_commit(recorder->file));
}

void recorder_drain(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->drain);
    if (!recorder->closed)
        drain(recorder);
    pthread_mutex_unlock(&recorder->drain);
}

static struct timespec cadence_from_now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += RECORDER_CADENCE_MS * NSEC_PER_MSEC;
    if (at.tv_nsec >= NSEC_PER_SEC) {
        at.tv_nsec -= NSEC_PER_SEC;
        at.tv_sec++;
    }
    return at;
}

static void *thread_main(void *argument)
{
    struct recorder *recorder = argument;
    for (;;) {
        struct timespec at = cadence_from_now();
        pthread_mutex_lock(&recorder->said_lock);
        int waited = 0;
        while (!recorder->stop && waited == 0)
            waited = pthread_cond_timedwait(&recorder->wake, &recorder->said_lock, &at);
        bool stop = recorder->stop;
        pthread_mutex_unlock(&recorder->said_lock);
        recorder_drain(recorder);
        if (stop)
            return NULL;
    }
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void locks_init(struct recorder *recorder)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&recorder->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&recorder->drain, NULL);
    pthread_mutex_init(&recorder->picture_lock, NULL);
    pthread_mutex_init(&recorder->said_lock, NULL);
}

static void recorder_release(struct recorder *recorder)
{
    for (struct list *node = list_take(&recorder->said); node; node = list_take(&recorder->said))
        said_free(list_entry(node, struct said, node));
    series_book_free(recorder->book);
    free(recorder->samples.items);
    free(recorder->spare.items);
    for (size_t i = 0; i < recorder->thread_count; i++)
        trace_keep_free(recorder->threads[i].keep);
    free(recorder->threads);
    picture_free(recorder->picture);
    pthread_cond_destroy(&recorder->wake);
    pthread_mutex_destroy(&recorder->drain);
    pthread_mutex_destroy(&recorder->picture_lock);
    pthread_mutex_destroy(&recorder->said_lock);
    free(recorder);
}

int recorder_new(struct recorder **out, const char *path, const struct run_declared *run)
{
    for (size_t i = 0; i < run->phase_count; i++)
        check(run->phases[i].number == i);
    struct recorder *recorder = memory_new(1, sizeof *recorder);
    recorder->metrics = run->metrics;
    recorder->book = series_book_new();
    recorder->trace_most = run->trace_most;
    list_init(&recorder->said);
    locks_init(recorder);
    struct result *declared = declare_run(run);
    int error = path ? run_file_create(&recorder->file, path, declared) : 0;
    recorder->picture = picture_new(declared, 1);
    if (!error)
        error = -pthread_create(&recorder->thread, NULL, thread_main, recorder);
    if (error) {
        run_file_close(recorder->file);
        recorder_release(recorder);
        return error;
    }
    *out = recorder;
    return 0;
}

void recorder_attach(struct recorder *recorder, struct tally_exchange *exchange)
{
    pthread_mutex_lock(&recorder->drain);
    recorder->threads =
        memory_resize(recorder->threads, recorder->thread_count + 1, sizeof *recorder->threads);
    recorder->threads[recorder->thread_count++] = (struct source_thread){
        .exchange = exchange, .keep = exchange->trace ? trace_keep_new() : NULL};
    pthread_mutex_unlock(&recorder->drain);
}

int recorder_error(struct recorder *recorder)
{
    return atomic_load(&recorder->error);
}

int recorder_close(struct recorder *recorder)
{
    if (recorder->closed)
        return recorder_error(recorder);
    pthread_mutex_lock(&recorder->said_lock);
    recorder->stop = true;
    pthread_cond_signal(&recorder->wake);
    pthread_mutex_unlock(&recorder->said_lock);
    pthread_join(recorder->thread, NULL);
    pthread_mutex_lock(&recorder->drain);
    drain(recorder);
    conclude_trace(recorder);
    drain(recorder);
    keep_error(recorder, run_file_close(recorder->file));
    recorder->file = NULL;
    recorder->closed = true;
    atomic_store(&recorder->finished, recorder_error(recorder) == 0);
    pthread_mutex_unlock(&recorder->drain);
    return recorder_error(recorder);
}

struct recorder *recorder_free(struct recorder *recorder)
{
    if (!recorder)
        return NULL;
    recorder_close(recorder);
    recorder_release(recorder);
    return NULL;
}

struct result *recorder_result(struct recorder *recorder, nsec_t window_ns)
{
    pthread_mutex_lock(&recorder->picture_lock);
    struct result *result = picture_result(recorder->picture, window_ns);
    pthread_mutex_unlock(&recorder->picture_lock);
    result->finished = atomic_load(&recorder->finished);
    return result;
}
