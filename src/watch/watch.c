/* Looks when they are due: all probes of this machine on one thread, each remote one on its own.
 *
 * A look is kept in its sink until it is over and then handed out as one, under a lock, so that the
 * receiver is never called twice at once. What no look found is not there: the instants that were
 * left out, and the looks that found nothing, are told as events when they begin and end. */
#include "watch/watch.h"

#include "base/memory.h"
#include "base/unit.h"
#include "watch/sink.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LEAST_INTERVAL_NS (100 * NSEC_PER_MSEC)
#define LEAST_TIMEOUT_NS  NSEC_PER_SEC
#define MOST_TIMEOUT_NS   (10 * NSEC_PER_SEC)
#define MISSED_WORDS_NS   (10 * NSEC_PER_SEC) /* looks left out are told at most so often */

struct slot {
    struct watch *watch;
    size_t number; /* of the thing */
    const struct probe *probe;
    struct probe_place place;
    void *self;
    bool open;
    nsec_t interval_ns, due_ns;
    struct probe_sink sink;
    bool gap; /* the last look found nothing */
    nsec_t gap_since_ns;
    uint64_t missed; /* instants left out, not yet told */
    nsec_t missed_told_ns;
    pthread_t thread; /* of a remote one */
    bool threaded;
};

struct watch {
    struct watch_options options;
    char *root, *target;
    struct slot *slots;
    size_t count;
    nsec_t start_ns;
    atomic_bool cancel;
    pthread_mutex_t lock; /* of stop */
    pthread_cond_t wake;
    bool stop;
    pthread_mutex_t out_lock; /* held while the receiver is called */
    pthread_t local;
    bool local_runs;
};

/* ---- one look ---------------------------------------------------------------------------------
 */

static void tell(struct slot *slot, nsec_t at_ns, const char *kind, const char *words)
{
    struct watch *watch = slot->watch;
    if (watch->options.event)
        watch->options.event(watch->options.self, slot->number, at_ns, kind, words);
}

/* Tells when looks begin to find nothing, and when they find something again. */
static void note_gap(struct slot *slot, nsec_t at_ns, int outcome, struct text *why)
{
    if (outcome != 0 && !slot->gap) {
        text_reserve(why, 1);
        tell(slot, at_ns, "gap", why->bytes ? why->at : "nothing could be read");
        slot->gap_since_ns = at_ns;
    } else if (outcome == 0 && slot->gap) {
        char words[80], room[UNIT_ROOM];
        snprintf(words, sizeof words, "it can be read again, after %s",
                 unit_write_duration(room, at_ns - slot->gap_since_ns));
        tell(slot, at_ns, "back", words);
    }
    slot->gap = outcome != 0;
}

static void hand_out_events(struct slot *slot, nsec_t at_ns)
{
    const struct probe_sink *sink = &slot->sink;
    for (size_t i = 0; i < sink->event_count; i++)
        tell(slot, at_ns, sink_text(sink, sink->events[i].kind_at),
             sink_text(sink, sink->events[i].words_at));
}

static void hand_out_values(struct slot *slot, nsec_t at_ns, nsec_t took_ns)
{
    struct watch *watch = slot->watch;
    const struct probe_sink *sink = &slot->sink;
    for (size_t i = 0; i < sink->value_count && watch->options.sample; i++) {
        struct watch_sample sample = {.watched = slot->number,
                                      .metric = sink->values[i].metric,
                                      .part = sink_text(sink, sink->values[i].part_at),
                                      .at_ns = at_ns,
                                      .took_ns = took_ns,
                                      .value = sink->values[i].value};
        watch->options.sample(watch->options.self, &sample);
    }
}

static void look(struct slot *slot, nsec_t now_ns)
{
    struct watch *watch = slot->watch;
    struct text why = TEXT_EMPTY;
    nsec_t begin_ns = clock_monotonic_ns(), at_ns = now_ns - watch->start_ns;
    sink_clear(&slot->sink);
    int outcome = slot->probe->look(slot->self, now_ns, &slot->sink, &why);
    nsec_t took_ns = clock_monotonic_ns() - begin_ns;
    if (outcome == 0 || !atomic_load(&watch->cancel)) { /* else it was we who cut it off */
        pthread_mutex_lock(&watch->out_lock);
        hand_out_events(slot, at_ns); /* also what a look found out that came to nothing */
        if (outcome == 0)
            hand_out_values(slot, at_ns, took_ns);
        note_gap(slot, at_ns, outcome, &why);
        pthread_mutex_unlock(&watch->out_lock);
    }
    text_fini(&why);
}

void watch_look(struct watch *watch, nsec_t at_ns)
{
    for (size_t i = 0; i < watch->count; i++)
        if (watch->slots[i].open)
            look(&watch->slots[i], at_ns);
}

/* ---- when to look -----------------------------------------------------------------------------
 */

/* Waits until an instant; false when the watch is to stop. */
static bool wait_until(struct watch *watch, nsec_t at_ns)
{
    struct timespec at = {.tv_sec = at_ns / NSEC_PER_SEC, .tv_nsec = at_ns % NSEC_PER_SEC};
    pthread_mutex_lock(&watch->lock);
    int waited = 0;
    while (!watch->stop && waited == 0)
        waited = pthread_cond_timedwait(&watch->wake, &watch->lock, &at);
    bool stop = watch->stop;
    pthread_mutex_unlock(&watch->lock);
    return !stop;
}

/* Tells of instants at which no look was begun, because the one before was not over. */
static void note_missed(struct slot *slot, nsec_t now_ns)
{
    char words[120], room[UNIT_ROOM];
    if (slot->missed == 0 ||
        (slot->missed_told_ns && now_ns - slot->missed_told_ns < MISSED_WORDS_NS))
        return;
    snprintf(words, sizeof words, "%llu looks were left out: looking took longer than %s",
             (unsigned long long)slot->missed, unit_write_duration(room, slot->interval_ns));
    pthread_mutex_lock(&slot->watch->out_lock);
    tell(slot, now_ns - slot->watch->start_ns, "gap", words);
    pthread_mutex_unlock(&slot->watch->out_lock);
    slot->missed = 0;
    slot->missed_told_ns = now_ns;
}

/* Looks, and sets the next instant that is not yet over. */
static void look_when_due(struct slot *slot)
{
    look(slot, clock_monotonic_ns());
    slot->due_ns += slot->interval_ns;
    nsec_t now_ns = clock_monotonic_ns();
    if (now_ns <= slot->due_ns)
        return;
    nsec_t over = (now_ns - slot->due_ns + slot->interval_ns - 1) / slot->interval_ns;
    slot->due_ns += over * slot->interval_ns;
    slot->missed += (uint64_t)over;
    note_missed(slot, now_ns);
}

static void *remote_main(void *argument)
{
    struct slot *slot = argument;
    while (wait_until(slot->watch, slot->due_ns))
        look_when_due(slot);
    return NULL;
}

static struct slot *first_local(struct watch *watch)
{
    struct slot *first = NULL;
    for (size_t i = 0; i < watch->count; i++) {
        struct slot *slot = &watch->slots[i];
        if (slot->open && !slot->probe->remote && (!first || slot->due_ns < first->due_ns))
            first = slot;
    }
    return first;
}

/* All probes of this machine are due together, and take a few milliseconds together. A rest between
 * them lets a thread that makes load, and waits for this processor, go first: else it would stamp
 * what arrives meanwhile too late. */
static void make_way(void)
{
    struct timespec rest = {.tv_nsec = 20 * NSEC_PER_USEC};
    nanosleep(&rest, NULL);
}

static void *local_main(void *argument)
{
    struct watch *watch = argument;
    for (;;) {
        struct slot *slot = first_local(watch);
        if (!wait_until(watch, slot->due_ns))
            return NULL;
        look_when_due(slot);
        make_way();
    }
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void locks_init(struct watch *watch)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&watch->lock, NULL);
    pthread_mutex_init(&watch->out_lock, NULL);
}

static nsec_t timeout_of(nsec_t interval_ns)
{
    if (interval_ns < LEAST_TIMEOUT_NS)
        return LEAST_TIMEOUT_NS;
    return interval_ns < MOST_TIMEOUT_NS ? interval_ns : MOST_TIMEOUT_NS;
}

static int slot_open(struct slot *slot, const struct watched *thing)
{
    struct watch *watch = slot->watch;
    struct text why = TEXT_EMPTY;
    nsec_t interval_ns = thing->interval_ns ? thing->interval_ns : watch->options.interval_ns;
    slot->probe = thing->probe;
    slot->interval_ns = interval_ns < LEAST_INTERVAL_NS ? LEAST_INTERVAL_NS : interval_ns;
    sink_init(&slot->sink, thing->probe->metrics);
    slot->place = (struct probe_place){.root = watch->root,
                                       .target = watch->target,
                                       .timeout_ns = timeout_of(slot->interval_ns),
                                       .cancel = &watch->cancel};
    int outcome = thing->probe->open(thing->config, &slot->place, &slot->self, &why);
    slot->open = outcome == 0;
    if (outcome != 0 && outcome != -ENOMEM) {
        text_reserve(&why, 1);
        tell(slot, 0, "absent", why.bytes ? why.at : "it is not there");
    }
    text_fini(&why);
    return outcome == -ENOMEM ? outcome : 0;
}

int watch_new(const struct watch_options *options, struct watch **out)
{
    struct watch *watch = memory_new(1, sizeof *watch);
    watch->options = *options;
    watch->root = memory_copy_text(options->root ? options->root : "");
    watch->target = memory_copy_text(options->target);
    watch->count = options->thing_count;
    watch->slots = memory_new(watch->count, sizeof *watch->slots);
    atomic_init(&watch->cancel, false);
    locks_init(watch);
    int error = 0;
    for (size_t i = 0; i < watch->count && !error; i++) {
        watch->slots[i].watch = watch;
        watch->slots[i].number = i;
        error = slot_open(&watch->slots[i], &options->things[i]);
    }
    watch->options.things = NULL;
    if (error)
        watch_free(watch);
    else
        *out = watch;
    return error;
}

int watch_start(struct watch *watch, nsec_t start_ns)
{
    watch->start_ns = start_ns;
    int error = 0;
    for (size_t i = 0; i < watch->count; i++)
        watch->slots[i].due_ns = start_ns;
    for (size_t i = 0; i < watch->count && !error; i++) {
        struct slot *slot = &watch->slots[i];
        if (!slot->open || !slot->probe->remote)
            continue;
        error = -pthread_create(&slot->thread, NULL, remote_main, slot);
        slot->threaded = error == 0;
    }
    if (!error && first_local(watch)) {
        error = -pthread_create(&watch->local, NULL, local_main, watch);
        watch->local_runs = error == 0;
    }
    if (error)
        watch_stop(watch);
    return error;
}

void watch_stop(struct watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->stop = true;
    atomic_store(&watch->cancel, true);
    pthread_cond_broadcast(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    if (watch->local_runs)
        pthread_join(watch->local, NULL);
    watch->local_runs = false;
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->slots[i].threaded)
            pthread_join(watch->slots[i].thread, NULL);
        watch->slots[i].threaded = false;
    }
}

struct watch *watch_free(struct watch *watch)
{
    if (!watch)
        return NULL;
    watch_stop(watch);
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->slots[i].open)
            watch->slots[i].probe->close(watch->slots[i].self);
        sink_fini(&watch->slots[i].sink);
    }
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->lock);
    pthread_mutex_destroy(&watch->out_lock);
    free(watch->slots);
    free(watch->root);
    free(watch->target);
    free(watch);
    return NULL;
}
