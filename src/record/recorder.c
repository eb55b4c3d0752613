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

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum said_kind { SAID_EVENT, SAID_FACT, SAID_SATURATED, SAID_METRIC, SAID_SAMPLE };

/* Something said by any thread, on its way to the picture and the file. */
struct said {
    struct list node;
    enum said_kind kind;
    nsec_t at_ns, end_ns; /* of a stretch; of a sample: how long it took */
    char *name;           /* kind of event, fact, or metric */
    char *words;          /* of an event, value of a fact, or label of a sample */
    double value;
    size_t number;        /* of a declared metric */
    struct metric metric; /* texts below */
    char *unit, *sentence, *source;
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
    struct tally_exchange **exchanges;
    size_t exchange_count;
    struct list said;
    char **declared; /* metrics of samples, by number; under said_lock */
    size_t declared_count;
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

/* The number of a declared sample metric, or SIZE_MAX; under said_lock. */
static size_t declared_find(const struct recorder *recorder, const char *name)
{
    for (size_t i = 0; i < recorder->declared_count; i++)
        if (strcmp(recorder->declared[i], name) == 0)
            return i;
    return SIZE_MAX;
}

void recorder_declare(struct recorder *recorder, const struct metric *metric)
{
    struct said *said = said_new(SAID_METRIC, metric->name, NULL);
    said->unit = copy_or_empty(metric->unit);
    said->sentence = copy_or_empty(metric->sentence);
    said->source = copy_or_empty(metric->source);
    pthread_mutex_lock(&recorder->said_lock);
    if (declared_find(recorder, said->name) == SIZE_MAX) {
        said->number = recorder->declared_count;
        recorder->declared =
            memory_resize(recorder->declared, said->number + 1, sizeof *recorder->declared);
        recorder->declared[recorder->declared_count++] = memory_copy_text(said->name);
        list_append(&recorder->said, &said->node);
        said = NULL;
    }
    pthread_mutex_unlock(&recorder->said_lock);
    if (said)
        said_free(said);
}

void recorder_sample(struct recorder *recorder, nsec_t at_ns, const char *metric, const char *label,
                     double value, nsec_t took_ns)
{
    struct said *said = said_new(SAID_SAMPLE, metric, label);
    said->at_ns = at_ns;
    said->end_ns = took_ns;
    said->value = value;
    pthread_mutex_lock(&recorder->said_lock);
    bool is_declared = declared_find(recorder, metric) != SIZE_MAX;
    check(is_declared);
    list_append(&recorder->said, &said->node);
    pthread_mutex_unlock(&recorder->said_lock);
}

/* ---- draining ---------------------------------------------------------------------------------
 */

static void said_to_picture(struct recorder *recorder, const struct said *said)
{
    pthread_mutex_lock(&recorder->picture_lock);
    if (said->kind == SAID_EVENT)
        picture_event(recorder->picture, said->at_ns, said->name, said->words);
    else if (said->kind == SAID_FACT)
        picture_fact(recorder->picture, said->name, said->words);
    else if (said->kind == SAID_SATURATED)
        picture_saturated(recorder->picture, said->at_ns, said->end_ns);
    pthread_mutex_unlock(&recorder->picture_lock);
}

static void said_to_file(struct run_file *file, const struct said *said)
{
    struct metric metric = {
        .name = said->name, .unit = said->unit, .sentence = said->sentence, .source = said->source};
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
    case SAID_METRIC:
        run_file_metric(file, "sample", said->number, &metric);
        break;
    case SAID_SAMPLE:
        run_file_sample(file, said->at_ns, said->name, said->words, said->value, said->end_ns);
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

static void drain_said(struct pass *pass)
{
    struct recorder *recorder = pass->recorder;
    struct list taken;
    list_init(&taken);
    pthread_mutex_lock(&recorder->said_lock);
    list_move_all(&recorder->said, &taken);
    pthread_mutex_unlock(&recorder->said_lock);
    for (struct list *node = list_take(&taken); node; node = list_take(&taken)) {
        struct said *said = list_entry(node, struct said, node);
        said_to_picture(recorder, said);
        if (pass_file(pass))
            said_to_file(recorder->file, said);
        said_free(said);
    }
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
    for (size_t i = 0; i < recorder->exchange_count; i++)
        drain_exchange(&pass, recorder->exchanges[i]);
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
    for (size_t i = 0; i < recorder->declared_count; i++)
        free(recorder->declared[i]);
    free(recorder->declared);
    free(recorder->exchanges);
    picture_free(recorder->picture);
    pthread_cond_destroy(&recorder->wake);
    pthread_mutex_destroy(&recorder->drain);
    pthread_mutex_destroy(&recorder->picture_lock);
    pthread_mutex_destroy(&recorder->said_lock);
    free(recorder);
}

int recorder_new(struct recorder **out, const char *path, const struct run_head *head,
                 const struct plan *plan, const struct metric_table *metrics,
                 const struct run_phase *phases, size_t phase_count)
{
    for (size_t i = 0; i < phase_count; i++)
        check(phases[i].number == i);
    struct recorder *recorder = memory_new(1, sizeof *recorder);
    recorder->metrics = metrics;
    list_init(&recorder->said);
    locks_init(recorder);
    struct result *declared = declare_run(head, plan, metrics, phases, phase_count);
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
    recorder->exchanges = memory_resize(recorder->exchanges, recorder->exchange_count + 1,
                                        sizeof(struct tally_exchange *));
    recorder->exchanges[recorder->exchange_count++] = exchange;
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
