/* run/scaling.h - the scalers of a suite together: one goal in, reached by all of them in order,
 * journalled before the first change, and undone in reverse.
 *
 * Growing goes through the scalers as the plan lists them (start an instance, then tell the
 * balancer), shrinking the other way round (drain it, then stop it). All calls of one scaling come
 * from one thread, which must live as long as it: what it starts ends with that thread. */
#ifndef RUN_SCALING_H
#define RUN_SCALING_H

#include "run/scaler.h"

#include <signal.h>

/* A scaler with its settings; axes: which of its own it is to change (0: all). */
struct scaling_part {
    const struct scaler *scaler;
    const void *config; /* outlives the scaling */
    unsigned axes;
};

struct scaling_options {
    const struct scaling_part *parts; /* copied */
    size_t part_count;
    struct scaler_place place;               /* directory is absolute, and there; copied */
    const volatile sig_atomic_t *interrupts; /* > 0: give up what is being applied; or NULL */
    const char *lock_directory;              /* see run/lock.h; or NULL */
    bool dry; /* only to look and to plan: neither lock nor journal is made */
};

struct scaling;

/* Takes the lock of the target, opens the scalers and makes place.directory/undo.journal; changes
 * nothing. Returns 0, -errno, an outcome of a scaler, SCALING_LOCKED (another suite is at this
 * target), or SCALING_UNFINISHED (one was killed and its changes stand yet: plimsoll rollback);
 * why then holds one sentence. Owner: caller, scaling_free. */
enum { SCALING_LOCKED = 20, SCALING_UNFINISHED };
int scaling_open(const struct scaling_options *options, struct scaling **out, struct text *why);

/* How things are: of each figure that of the first scaler that knows it; restarts summed. */
int scaling_look(struct scaling *scaling, struct scaler_view *out, struct text *why);

/* What each instance has served so far, from the first scaler that knows; count 0: none does.
 * Owner: caller, free() of the counts. */
void scaling_served(struct scaling *scaling, struct scaler_served *out);

/* Saves the state, on disk, before the first change of each scaler; then makes it so, trying
 * conflicts again with growing pauses. Returns 0, -errno or an outcome; why names the scaler. */
int scaling_apply(struct scaling *scaling, const struct scaler_goal *goal, struct text *why);

/* Appends what scaling_apply would change, one line a scaler: for --dry-run and before the start.
 */
void scaling_plan(struct scaling *scaling, const struct scaler_goal *goal, struct text *out);

/* Undoes every change in reverse order, whatever fails on the way. Returns how many could not be
 * undone; why then has a line for each, with what to do by hand. Repeating it is harmless. Works
 * also when place.cancel is true. */
size_t scaling_restore(struct scaling *scaling, struct text *why);

/* Restores what was not, closes the scalers and the journal, and gives the lock back; NULL is fine;
 * returns NULL. */
struct scaling *scaling_free(struct scaling *scaling);

/* Finishes what a killed suite left: reads its journal and undoes what stands. scalers: all that
 * there are. Returns 0 (also when there was nothing to do; done is how many were undone), -errno,
 * JOURNAL_NOT_ONE, ROLLBACK_RUNNING (that suite still runs), ROLLBACK_LEFT (some could not be
 * undone); why then holds sentences. */
enum { ROLLBACK_RUNNING = 30, ROLLBACK_LEFT };
struct rollback_options {
    const char *journal; /* path */
    const struct scaler *const *scalers;
    size_t scaler_count;
    const char *root; /* see struct scaler_place */
    void (*say)(void *self, const char *words);
    void *self;
};
int scaling_rollback(const struct rollback_options *options, size_t *done, struct text *why);

#endif
