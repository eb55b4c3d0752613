/* Scalers ask a cancel flag while they wait, on the thread that a signal interrupts only for an
 * instant; so a herald stands beside each apply and turns interrupts into that flag. Undoing is
 * never cancelled: each step has a time limit of its own. */
#include "run/scaling.h"

#include "base/check.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "plan/setting_json.h"
#include "run/backoff.h"
#include "run/journal.h"
#include "run/lock.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HERALD_MS = 20, RESTORE_TRIES = 4 };

struct part {
    const struct scaler *scaler;
    const void *config;
    unsigned axes;
    void *self;
    uint64_t entry; /* of the journal; 0: nothing was changed */
    char *state;    /* as saved, until it is undone */
};

struct scaling {
    struct part *parts;
    size_t count;
    struct scaler_place place;
    const volatile sig_atomic_t *interrupts;
    atomic_bool cancel; /* of what is being applied; written by the herald */
    atomic_bool idle;   /* tells the herald to end */
    struct lock *lock;
    struct journal *journal;
    char *journal_path, *target, *directory, *root;
    struct scaler_goal last; /* what was applied; NAN: nothing */
    struct random random;
};

/* A sentence of an error, where the scaler gave none. */
static void complete(int rc, struct text *why)
{
    char sentence[100];
    if (rc < 0 && why->bytes == 0)
        text_puts(why, error_sentence(rc, sentence, sizeof sentence));
    text_reserve(why, why->bytes);
}

/* Appends "SCALER: SENTENCE". */
static void put_why(const struct scaler *scaler, struct text *words, struct text *why)
{
    text_printf(why, "%s%s: %s", why->bytes ? "\n" : "", scaler->name,
                words->bytes ? words->at : "failed");
}

/* The end of asking a scaler for something: says why it failed, and frees its words. Returns rc. */
static int answered(int rc, const struct scaler *scaler, struct text *words, struct text *why)
{
    if (rc) {
        complete(rc, words);
        put_why(scaler, words, why);
    }
    text_fini(words);
    return rc;
}

static void say(const struct scaling *scaling, const char *words)
{
    if (scaling->place.say)
        scaling->place.say(scaling->place.self, words);
}

/* ---- opening ------------------------------------------------------------------------------ */

static int take_lock(struct scaling *scaling, const char *directory, struct text *why)
{
    int rc = lock_take(directory, scaling->target, scaling->journal_path, &scaling->lock, why);
    if (rc == LOCK_TAKEN)
        return SCALING_LOCKED;
    if (rc == LOCK_UNFINISHED)
        return SCALING_UNFINISHED;
    if (rc < 0)
        text_puts(why, "the lock of the target could not be made: ");
    return rc;
}

static int open_parts(struct scaling *scaling, struct text *why)
{
    for (size_t i = 0; i < scaling->count; i++) {
        struct part *part = &scaling->parts[i];
        struct text words = TEXT_EMPTY;
        int rc = part->scaler->open(part->config, &scaling->place, &part->self, &words);
        if (answered(rc, part->scaler, &words, why) != 0)
            return rc;
    }
    return 0;
}

static struct scaling *scaling_new(const struct scaling_options *options)
{
    struct scaling *scaling = memory_new(1, sizeof *scaling);
    struct text path = TEXT_EMPTY;
    *scaling = (struct scaling){
        .parts = memory_new(options->part_count, sizeof *scaling->parts),
        .count = options->part_count,
        .place = options->place,
        .interrupts = options->interrupts,
        .target = memory_copy_text(options->place.target ? options->place.target : ""),
        .directory = memory_copy_text(options->place.directory),
        .root = memory_copy_text(options->place.root ? options->place.root : ""),
        .last = {NAN, NAN},
        .random = {.key = random_key((uint64_t)clock_monotonic_ns(), "scaling", 0)},
    };
    scaling->place.target = scaling->target;
    scaling->place.directory = scaling->directory;
    scaling->place.root = scaling->root;
    scaling->place.cancel = &scaling->cancel;
    text_printf(&path, "%s/" JOURNAL_FILE, scaling->directory);
    scaling->journal_path = text_take(&path);
    for (size_t i = 0; i < scaling->count; i++) {
        const struct scaling_part *from = &options->parts[i];
        scaling->parts[i] = (struct part){.scaler = from->scaler,
                                          .config = from->config,
                                          .axes = from->axes ? from->axes & from->scaler->axes
                                                             : from->scaler->axes};
    }
    return scaling;
}

/* Makes the journal; one of an earlier suite in this directory makes way when nothing is left of it
 * to undo. */
static int make_journal(struct scaling *scaling, struct text *why)
{
    struct journal_record record;
    const char *path = scaling->journal_path;
    int rc = journal_new(path, scaling->target, scaling->directory, &scaling->journal);
    if (rc != -EEXIST || journal_read(path, &record) != 0)
        return rc;
    bool left = journal_unfinished(&record);
    journal_record_fini(&record);
    if (left) {
        text_printf(why, "%s tells of changes that are not undone; undo them: plimsoll rollback %s",
                    path, path);
        return SCALING_UNFINISHED;
    }
    unlink(path);
    return journal_new(path, scaling->target, scaling->directory, &scaling->journal);
}

int scaling_open(const struct scaling_options *options, struct scaling **out, struct text *why)
{
    struct scaling *scaling = scaling_new(options);
    int rc = options->dry ? 0 : take_lock(scaling, options->lock_directory, why);
    if (rc == 0)
        rc = open_parts(scaling, why);
    if (rc == 0 && !options->dry)
        rc = make_journal(scaling, why);
    if (rc) {
        complete(rc, why);
        scaling_free(scaling);
        return rc;
    }
    *out = scaling;
    return 0;
}

int scaling_look(struct scaling *scaling, struct scaler_view *out, struct text *why)
{
    struct scaler_view all = {.instances = NAN, .ready = NAN, .size = NAN};
    for (size_t i = 0; i < scaling->count; i++) {
        struct part *part = &scaling->parts[i];
        struct scaler_view view = {.instances = NAN, .ready = NAN, .size = NAN};
        struct text words = TEXT_EMPTY;
        int rc = part->scaler->look(part->self, &view, &words);
        if (answered(rc, part->scaler, &words, why) != 0)
            return rc;
        all.instances = isnan(all.instances) ? view.instances : all.instances;
        all.ready = isnan(all.ready) ? view.ready : all.ready;
        all.size = isnan(all.size) ? view.size : all.size;
        all.restarts += view.restarts;
        if (!all.address[0])
            memcpy(all.address, view.address, sizeof all.address);
        if (!all.size_unit)
            all.size_unit = view.size_unit ? view.size_unit : part->scaler->size_unit;
    }
    *out = all;
    return 0;
}

void scaling_served(struct scaling *scaling, struct scaler_served *out)
{
    *out = (struct scaler_served){.count = 0};
    for (size_t i = 0; i < scaling->count && out->count == 0; i++) {
        struct part *part = &scaling->parts[i];
        struct text words = TEXT_EMPTY;
        free(out->counts);
        *out = (struct scaler_served){.count = 0};
        if (part->scaler->served && part->scaler->served(part->self, out, &words) != 0)
            out->count = 0;
        text_fini(&words);
    }
}

/* ---- applying ----------------------------------------------------------------------------- */

/* Writes the state of a scaler to the journal, once. */
static int save(struct scaling *scaling, struct part *part, struct text *why)
{
    struct text state = TEXT_EMPTY, config = TEXT_EMPTY;
    if (part->entry)
        return 0;
    int rc = part->scaler->save(part->self, &state, why);
    if (rc == 0) {
        text_reserve(&state, state.bytes);
        setting_write_json(part->scaler->settings, part->config, &config);
        rc = journal_add(scaling->journal, part->scaler->name, config.at, state.at, &part->entry);
        if (rc)
            text_puts(why, "nothing is changed, because the undo journal can not be written: ");
    }
    if (rc == 0)
        part->state = text_take(&state);
    text_fini(&state);
    text_fini(&config);
    return rc;
}

/* Waits before a next try; false: cancelled. */
static bool wait_for(const struct scaling *scaling, nsec_t wait_ns)
{
    nsec_t until_ns = clock_monotonic_ns() + wait_ns;
    while (clock_monotonic_ns() < until_ns && !atomic_load(&scaling->cancel))
        nanosleep(&(struct timespec){.tv_nsec = HERALD_MS * NSEC_PER_MSEC}, NULL);
    return !atomic_load(&scaling->cancel);
}

/* Applies, again when somebody else changed it meanwhile. */
static int apply_part(struct scaling *scaling, struct part *part, const struct scaler_goal *goal,
                      struct text *why)
{
    struct backoff backoff = BACKOFF_CONTROL;
    for (uint32_t failed = 1;; failed++) {
        text_clear(why);
        int rc = part->scaler->apply(part->self, goal, why);
        if (rc != SCALER_CONFLICT)
            return rc;
        nsec_t wait_ns = backoff_wait(&backoff, failed, random_unit(&scaling->random));
        if (wait_ns < 0 || !wait_for(scaling, wait_ns))
            return rc;
        say(scaling, "somebody else changed it meanwhile: trying again");
    }
}

/* The goal as far as it is this scaler's; false: none of it. */
static bool own_goal(const struct part *part, const struct scaler_goal *goal,
                     struct scaler_goal *out)
{
    out->instances = part->axes & SCALER_INSTANCES ? goal->instances : NAN;
    out->size = part->axes & SCALER_SIZE ? goal->size : NAN;
    return !isnan(out->instances) || !isnan(out->size);
}

static void say_goal(const struct scaling *scaling, const struct part *part,
                     const struct scaler_goal *goal)
{
    struct text words = TEXT_EMPTY;
    text_printf(&words, "%s:", part->scaler->name);
    if (!isnan(goal->instances))
        text_printf(&words, " to instances %g", goal->instances);
    if (!isnan(goal->size))
        text_printf(&words, " to size %g", goal->size);
    say(scaling, words.at);
    text_fini(&words);
}

static int apply_one(struct scaling *scaling, struct part *part, const struct scaler_goal *goal,
                     struct text *why)
{
    struct scaler_goal own;
    struct text words = TEXT_EMPTY;
    if (!own_goal(part, goal, &own))
        return 0;
    int rc = save(scaling, part, &words);
    if (rc == 0) {
        say_goal(scaling, part, &own);
        rc = apply_part(scaling, part, &own, &words);
    }
    return answered(rc, part->scaler, &words, why);
}

static void *herald(void *self)
{
    struct scaling *scaling = self;
    while (!atomic_load(&scaling->idle)) {
        if (scaling->interrupts && *scaling->interrupts)
            atomic_store(&scaling->cancel, true);
        nanosleep(&(struct timespec){.tv_nsec = HERALD_MS * NSEC_PER_MSEC}, NULL);
    }
    return NULL;
}

int scaling_apply(struct scaling *scaling, const struct scaler_goal *goal, struct text *why)
{
    pthread_t thread;
    check(scaling->journal != NULL); /* a dry one only looks */
    bool shrinks = !isnan(goal->instances) && goal->instances < scaling->last.instances;
    atomic_store(&scaling->idle, false);
    bool heralded = pthread_create(&thread, NULL, herald, scaling) == 0;
    int rc = 0;
    for (size_t i = 0; i < scaling->count && rc == 0; i++)
        rc = apply_one(scaling, &scaling->parts[shrinks ? scaling->count - 1 - i : i], goal, why);
    atomic_store(&scaling->idle, true);
    if (heralded)
        pthread_join(thread, NULL);
    if (rc == 0)
        scaling->last = *goal;
    return rc;
}

void scaling_plan(struct scaling *scaling, const struct scaler_goal *goal, struct text *out)
{
    for (size_t i = 0; i < scaling->count; i++) {
        const struct part *part = &scaling->parts[i];
        struct scaler_view view = {.instances = NAN, .ready = NAN, .size = NAN};
        struct scaler_goal own;
        struct text words = TEXT_EMPTY;
        if (!own_goal(part, goal, &own))
            continue;
        bool seen = part->scaler->look(part->self, &view, &words) == 0;
        text_fini(&words);
        const char *unit = view.size_unit ? view.size_unit : part->scaler->size_unit;
        text_printf(out, "%s:", part->scaler->name);
        if (!isnan(own.instances))
            text_printf(out, seen && !isnan(view.instances) ? " instances %g to %g" : " instances",
                        view.instances, own.instances);
        if (!isnan(own.size))
            text_printf(out, seen && !isnan(view.size) ? "%s size %g to %g %s" : "%s size",
                        isnan(own.instances) ? "" : ",", view.size, own.size, unit ? unit : "");
        text_putc(out, '\n');
    }
    text_reserve(out, out->bytes);
}

/* ---- undoing ------------------------------------------------------------------------------ */

/* Restores a state, a few times when it does not go; words: why not. */
static int restore_state(const struct scaler *scaler, void *self, const char *state,
                         struct text *words)
{
    struct backoff backoff = BACKOFF_CONTROL;
    struct random random = {.key = random_key((uint64_t)clock_monotonic_ns(), "restore", 0)};
    backoff.tries = RESTORE_TRIES;
    for (uint32_t failed = 1;; failed++) {
        text_clear(words);
        int rc = scaler->restore(self, state, words);
        if (rc == 0 || rc == SCALER_FORBIDDEN || rc == SCALER_ABSENT)
            return rc;
        nsec_t wait_ns = backoff_wait(&backoff, failed, random_unit(&random));
        if (wait_ns < 0) {
            complete(rc, words);
            return rc;
        }
        nanosleep(
            &(struct timespec){.tv_sec = wait_ns / NSEC_PER_SEC, .tv_nsec = wait_ns % NSEC_PER_SEC},
            NULL);
    }
}

size_t scaling_restore(struct scaling *scaling, struct text *why)
{
    size_t left = 0;
    atomic_store(&scaling->cancel, false);
    for (size_t i = scaling->count; i-- > 0;) {
        struct part *part = &scaling->parts[i];
        struct text words = TEXT_EMPTY;
        if (!part->entry)
            continue;
        if (restore_state(part->scaler, part->self, part->state, &words) == 0) {
            journal_undone(scaling->journal, part->entry);
            free(part->state);
            part->state = NULL;
            part->entry = 0;
        } else {
            put_why(part->scaler, &words, why);
            left++;
        }
        text_fini(&words);
    }
    scaling->last = (struct scaler_goal){NAN, NAN};
    return left;
}

struct scaling *scaling_free(struct scaling *scaling)
{
    struct text why = TEXT_EMPTY;
    if (!scaling)
        return NULL;
    size_t left = scaling->journal ? scaling_restore(scaling, &why) : 0;
    text_fini(&why);
    for (size_t i = scaling->count; i-- > 0;) {
        if (scaling->parts[i].self)
            scaling->parts[i].scaler->close(scaling->parts[i].self);
        free(scaling->parts[i].state);
    }
    journal_close(scaling->journal);
    lock_free(scaling->lock, left > 0);
    free(scaling->parts);
    free(scaling->journal_path);
    free(scaling->target);
    free(scaling->directory);
    free(scaling->root);
    free(scaling);
    return NULL;
}
