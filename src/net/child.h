/* net/child.h - a child process that is spoken to over its standard input and output, each a stream
 * of the loop; what it says on its standard error is kept, the last of it.
 *
 * Both streams are socket pairs (as libuv makes them for its children), so that they are read and
 * written like any other stream. The child leads a process group of its own, so that what it starts
 * ends with it, and the kernel kills it when the thread that started it is gone (PR_SET_PDEATHSIG).
 * Ending: its standard input is closed; after CHILD_PATIENCE_MS it gets SIGTERM, after as long
 * again SIGKILL. In simulation a child cannot be started.
 *
 *   Descriptors   CHILD_DESCRIPTORS a child that runs */
#ifndef NET_CHILD_H
#define NET_CHILD_H

#include "net/loop.h"
#include "net/stream.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
    CHILD_DESCRIPTORS = 3,
    CHILD_SAID_BYTES = 400, /* of its standard error that are kept: the last */
    CHILD_WORDS_BYTES = 200,
    CHILD_PATIENCE_MS = 2000,
};

/* What is started. All texts must outlive the children. */
struct child_command {
    char *const *arguments;   /* the program first, looked for in PATH; ends with NULL */
    char *const *environment; /* "NAME=value", added to ours; ends with NULL; or NULL */
    const char *directory;    /* it starts in; NULL: ours */
};

/* How a child ended. */
enum child_end {
    CHILD_RUNS,
    CHILD_LEFT,   /* by itself: it exited, or its input was closed */
    CHILD_TERMED, /* it needed SIGTERM */
    CHILD_KILLED, /* it needed SIGKILL */
};

struct child {
    struct stream to, from; /* its input and its output */
    struct loop *loop;
    pid_t pid; /* 0: none */
    enum child_end end;
    int status; /* of waitpid, once it has ended */
    /* It has ended and was waited for; its output may still hold bytes. Called from the loop. */
    void (*gone)(struct child *child);
    struct watch error; /* private from here */
    bool ending;
    nsec_t step_ns; /* when the next means is due */
    struct timer timer;
    char said[CHILD_SAID_BYTES];
    size_t said_bytes;
};

/* Starts it. ready: of both streams. Returns 0, or -errno (-ENOTSUP in simulation) with words, one
 * sentence that names the program. */
int child_start(struct child *child, struct loop *loop, const struct child_command *command,
                void (*ready)(struct stream *stream, unsigned what), char words[CHILD_WORDS_BYTES]);

/* Begins to end it; `gone` comes later. Its output may be read on. Twice is fine. */
void child_close(struct child *child);

/* Waits for its end without asking for it: its output was closed. `gone` comes when it is over; it
 * is ended like a closed one if it stays. */
void child_await(struct child *child);

/* Kills it at once and waits for it; no `gone`. Fine when it has ended. */
void child_kill(struct child *child);

/* How it ended and the last line of its standard error, as one line of words; for people. Returns
 * out, always ended by a zero. */
const char *child_describe(const struct child *child, char *out, size_t room);

#endif
