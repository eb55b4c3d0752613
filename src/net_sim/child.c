/* There are no processes in the simulated world: starting one fails, and says so. */
#include "net/child.h"

#include <errno.h>
#include <stdio.h>

int child_start(struct child *child, struct loop *loop, const struct child_command *command,
                void (*ready)(struct stream *stream, unsigned what), char words[CHILD_WORDS_BYTES])
{
    (void)child;
    (void)loop;
    (void)ready;
    snprintf(words, CHILD_WORDS_BYTES,
             "%.90s cannot be started: there are no processes in simulation",
             command->arguments[0]);
    return -ENOTSUP;
}

void child_close(struct child *child)
{
    (void)child;
}

void child_await(struct child *child)
{
    (void)child;
}

void child_kill(struct child *child)
{
    (void)child;
}

const char *child_describe(const struct child *child, char *out, size_t room)
{
    (void)child;
    snprintf(out, room, "there are no processes in simulation");
    return out;
}
