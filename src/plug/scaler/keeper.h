/* plug/scaler/keeper.h - keeps so many instances of a command running.
 *
 * A thread of its own starts them, looks after them twenty times a second, starts one that died
 * again (counted, and after a pause), and ends those that are too many. As the kernel ends a child
 * when the thread that started it ends, none outlives this process. */
#ifndef PLUG_SCALER_KEEPER_H
#define PLUG_SCALER_KEEPER_H

#include "base/clock.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { KEEPER_MOST = 256 }; /* instances */

/* Texts outlive the keeper. */
struct keeper_options {
    const char *command;          /* for /bin/sh; {port} and {index} are replaced */
    uint64_t port;                /* of instance 0; the others count up; 0: none */
    double size;                  /* replaces {size}; NAN: nothing */
    const char *const *variables; /* "NAME=value" for each; NULL-ended */
    const char *directory;        /* to work in; NULL: this one's */
    const char *logs;             /* directory of instance-0.log and so on */
    nsec_t patience_ns;           /* between SIGTERM and SIGKILL */
    nsec_t pause_ns;              /* before one that died is started again */
    /* The cgroup.procs files that an instance enters; NULL: none. Called by the keeper's thread. */
    const char *const *(*doors)(void *self, size_t index);
    void *self;
};

struct keeper;

/* Starts the thread; no instance yet. Returns 0 or -errno. Owner: caller, keeper_free. */
int keeper_new(const struct keeper_options *options, struct keeper **out);
/* Ends all instances and the thread; NULL is fine; returns NULL. */
struct keeper *keeper_free(struct keeper *keeper);

/* How many there shall be, at most KEEPER_MOST. */
void keeper_want(struct keeper *keeper, size_t count);

struct keeper_view {
    size_t wanted, running;
    uint64_t restarts; /* in all */
    uint64_t deaths;   /* since the last keeper_want */
};
struct keeper_view keeper_look(struct keeper *keeper);

/* The process of an instance; 0: it does not run now. */
pid_t keeper_pid(struct keeper *keeper, size_t index);

/* Moves what happened since the last call, a sentence a line, to the end of a text. */
void keeper_words(struct keeper *keeper, struct text *out);

#endif
