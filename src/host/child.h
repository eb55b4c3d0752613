/* host/child.h - starts programs of the user's: servers that stay, and commands that are waited
 * for.
 *
 * Every child leads a process group of its own, so that it can be ended with all that it started,
 * and gets the kernel's word to be killed when the thread that started it ends: so none outlives
 * this process, even after kill -9. Start lasting children from a thread that lasts as long. */
#ifndef HOST_CHILD_H
#define HOST_CHILD_H

#include "base/clock.h"
#include "base/text.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct child_options {
    const char *const *words;     /* the program (looked for in PATH) and its arguments; NULL-ended;
                                     or NULL: */
    const char *command;          /* a line for /bin/sh */
    const char *const *variables; /* "NAME=value" beside this process's own; NULL-ended; or NULL */
    const char *directory;        /* to work in; NULL: this one's */
    const char *log;              /* file that its output is appended to; NULL: nowhere */
    const char *const *groups;    /* cgroup.procs files that it enters before it becomes the
                                     program; NULL-ended; or NULL */
};

/* Starts it. Returns 0 with *pid, or -errno: also that of the child when the program can not be
 * run. The caller waits for it (child_ended, child_end_all). */
int child_start(const struct child_options *options, pid_t *pid);

/* Whether it has ended (and is then waited for); words appended: "ended with 3", "was killed by
 * signal 9 (Killed)". */
bool child_ended(pid_t pid, struct text *words);

/* Ends them and their groups: SIGTERM to all, and SIGKILL after patience_ns to those that still
 * run; waits for them. Returns how many went without SIGKILL. */
size_t child_end_all(const pid_t *pids, size_t count, nsec_t patience_ns);

/* What running to the end came to. */
enum { CHILD_TIMEOUT = 1, CHILD_CANCELLED = 2 };

/* Runs it to its end and appends what it wrote, both streams as they came, at most most_bytes (the
 * rest is thrown away). status: exit code, or 128 and the signal's number. Returns 0, CHILD_TIMEOUT
 * or CHILD_CANCELLED (its group was then killed), or -errno. cancel may be NULL. */
struct child_limits {
    nsec_t timeout_ns;
    size_t most_bytes;
    const atomic_bool *cancel;
};
int child_run(const struct child_options *options, const struct child_limits *limits,
              struct text *said, int *status);

#endif
