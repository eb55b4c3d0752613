/* There are no processes in the simulated world: starting one fails, and says so. */
#include "net/piped.h"

#include <errno.h>
#include <stdio.h>

int piped_start(struct piped *child, struct loop *loop, const struct piped_command *command,
                void (*ready)(struct stream *stream, unsigned what), char words[PIPED_WORDS_BYTES])
{
    (void)child;
    (void)loop;
    (void)ready;
    snprintf(words, PIPED_WORDS_BYTES,
             "%.90s cannot be started: there are no processes in simulation",
             command->arguments[0]);
    return -ENOTSUP;
}

void piped_close(struct piped *child)
{
    (void)child;
}

void piped_await(struct piped *child)
{
    (void)child;
}

void piped_kill(struct piped *child)
{
    (void)child;
}

const char *piped_describe(const struct piped *child, char *out, size_t room)
{
    (void)child;
    snprintf(out, room, "there are no processes in simulation");
    return out;
}
