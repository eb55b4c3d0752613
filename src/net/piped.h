/* net/piped.h - a child process that is spoken to over its standard input and output, each a stream
 * of the loop; what it says on its standard error is kept, the last of it.
 *
 * Both streams are socket pairs (as libuv makes them for its children), so that they are read and
 * written like any other stream. The child leads a process group of its own, so that what it starts
 * ends with it, and the kernel kills it when the thread that started it is gone (PR_SET_PDEATHSIG).
 * Ending: its standard input is closed; after PIPED_PATIENCE_MS it gets SIGTERM, after as long
 * again SIGKILL. In simulation a child cannot be started.
 *
 *   Descriptors   PIPED_DESCRIPTORS a child that runs */
#ifndef NET_PIPED_H
#define NET_PIPED_H

#include "net/loop.h"
#include "net/stream.h"

#include <stdbool.h>
#include <string.h>
#include <sys/types.h>

enum {
    PIPED_DESCRIPTORS = 3,
    PIPED_SAID_BYTES = 4000, /* of its standard error that are kept: the last, a stack trace long */
    PIPED_TOLD_BYTES = 90,   /* of each line of it that is told, where two are */
    PIPED_WORDS_BYTES = 200,
    PIPED_PATIENCE_MS = 2000,
};

/* What is started. All texts must outlive the children. */
struct piped_command {
    char *const *arguments;   /* the program first, looked for in PATH; ends with NULL */
    char *const *environment; /* "NAME=value", added to ours; ends with NULL; or NULL */
    const char *directory;    /* it starts in; NULL: ours */
};

/* Whether two lists of texts that end with NULL are the same; either may be NULL. */
static inline bool piped_texts_same(char *const *one, char *const *other)
{
    size_t i = 0;
    if (!one || !other)
        return one == other;
    while (one[i] && other[i] && strcmp(one[i], other[i]) == 0)
        i++;
    return one[i] == other[i]; /* both ended */
}

/* Whether two commands start the same. */
static inline bool piped_command_same(const struct piped_command *one,
                                      const struct piped_command *other)
{
    const char *here = one->directory ? one->directory : "";
    return piped_texts_same(one->arguments, other->arguments) &&
           piped_texts_same(one->environment, other->environment) &&
           strcmp(here, other->directory ? other->directory : "") == 0;
}

/* How a child ended. */
enum piped_end {
    PIPED_RUNS,
    PIPED_LEFT,   /* by itself: it exited, or its input was closed */
    PIPED_TERMED, /* it needed SIGTERM */
    PIPED_KILLED, /* it needed SIGKILL */
};

struct piped {
    struct stream to, from; /* its input and its output */
    struct loop *loop;
    pid_t pid; /* 0: none */
    enum piped_end end;
    int status; /* of waitpid, once it has ended */
    /* It has ended and was waited for; its output may still hold bytes. Called from the loop. */
    void (*gone)(struct piped *child);
    struct watch error; /* private from here */
    bool ending;
    nsec_t step_ns; /* when the next means is due */
    struct timer timer;
    char said[PIPED_SAID_BYTES];
    size_t said_bytes;
};

/* Starts it. ready: of both streams. Returns 0, or -errno (-ENOTSUP in simulation) with words, one
 * sentence that names the program. */
int piped_start(struct piped *child, struct loop *loop, const struct piped_command *command,
                void (*ready)(struct stream *stream, unsigned what), char words[PIPED_WORDS_BYTES]);

/* Begins to end it; `gone` comes later. Its output may be read on. Twice is fine. */
void piped_close(struct piped *child);

/* Waits for its end without asking for it: its output was closed. `gone` comes when it is over; it
 * is ended like a closed one if it stays. */
void piped_await(struct piped *child);

/* Kills it at once and waits for it; no `gone`. Fine when it has ended. */
void piped_kill(struct piped *child);

/* How it ended and what its standard error says of that, as one line of words; for people: the line
 * that names an error (or the first, where none does and all is kept), and the last one. Returns
 * out, always ended by a zero. */
const char *piped_describe(const struct piped *child, char *out, size_t room);

#endif
