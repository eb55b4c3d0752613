/* run/scaler.h - the contract of scalers: what can make the target larger, smaller, or many.
 *
 * A scaler changes one axis: how many instances there are, or how large one is. It never decides;
 * it is told a goal, reaches it or says why not, and can tell and restore the state in which it
 * found things. The state is one line of text, written to the undo journal on disk *before* the
 * first change, so that another process can restore it after kill -9 (run/journal.h). */
#ifndef RUN_SCALER_H
#define RUN_SCALER_H

#include "base/clock.h"
#include "base/text.h"
#include "plan/setting.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum scaler_axis {
    SCALER_INSTANCES = 1, /* goal.instances */
    SCALER_SIZE = 2,      /* goal.size: processors, bytes, slots, as the scaler's unit says */
};

struct scaler_goal {
    double instances; /* NAN: leave */
    double size;      /* NAN: leave */
};

enum { SCALER_ADDRESS = 256 };

struct scaler_view {
    double instances, ready; /* wanted and ready now; NAN: not of this scaler */
    double size;
    uint64_t restarts;            /* of instances, since open */
    const char *size_unit;        /* where settings choose it; NULL: the scaler's own */
    char address[SCALER_ADDRESS]; /* base URL by which all instances are reached, where the scaler
                                     knows it ("http://203.0.113.7:80"); else "" */
};

/* Requests that each instance in use has served since it is there, always in the same order. */
struct scaler_served {
    uint64_t *counts;
    size_t count;
};

struct scaler_place {
    const char *target;    /* base URL of the plan */
    const char *directory; /* of the suite: logs of started processes, generated files */
    const char *root;      /* stands before /sys/fs/cgroup and the like; "" on a machine */
    const atomic_bool *cancel;
    /* Says what is being done, for --debug and the live view. */
    void (*say)(void *self, const char *words);
    void *self;
};

/* Outcomes above zero; why then holds one sentence with what to do. */
enum scaler_outcome {
    SCALER_ABSENT = 1, /* what it works on is not there */
    SCALER_FORBIDDEN,  /* no right to change it */
    SCALER_CONFLICT,   /* somebody else changed it meanwhile; trying again may help */
    SCALER_TIMEOUT,    /* not ready in time */
    SCALER_FAILED,
};

struct scaler {
    const char *name;
    const char *sentence;
    const struct setting *settings; /* of its config struct; ends with name NULL */
    size_t config_bytes;
    unsigned axes;         /* enum scaler_axis, or'ed */
    const char *size_unit; /* "cores", "slots", "bytes"; or NULL */

    /* Finds what it works on, and changes nothing. Returns 0 with *self, -errno or an outcome. */
    int (*open)(const void *config, const struct scaler_place *place, void **self,
                struct text *why);
    /* How things are. */
    int (*look)(void *self, struct scaler_view *out, struct text *why);
    /* What each instance has served so far; NULL: such a scaler does not know. Returns 0, with
     * count 0 where it is not known now, or an outcome. Owner: caller, free() of the counts. */
    int (*served)(void *self, struct scaler_served *out, struct text *why);
    /* Appends the state to return to, as one line without secrets. */
    int (*save)(void *self, struct text *state, struct text *why);
    /* Makes it so and waits until it is ready (its settings say how long). Repeating it is
     * harmless. */
    int (*apply)(void *self, const struct scaler_goal *goal, struct text *why);
    /* Returns to a saved state, from whatever is there now; also called by another process than
     * the one that saved it. Repeating it is harmless. */
    int (*restore)(void *self, const char *state, struct text *why);
    void (*close)(void *self);
};

#endif
