/* See token.h. */
#include "plug/scaler/token.h"

#include "base/random.h"
#include "host/process.h"
#include "plug/scaler/await.h"
#include "run/scaler.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "PLIMSOLL_INSTANCE_OF="

enum { SWEEP_MS = 50, MOST_FOUND = 1024, DIGITS = 16 };

struct token token_new(void)
{
    struct token token;
    uint64_t number =
        random_key((uint64_t)clock_wall_ns(), "token", (uint64_t)clock_monotonic_ns()) ^
        (uint64_t)getpid();
    snprintf(token.variable, sizeof token.variable, NAME "%016llx", (unsigned long long)number);
    return token;
}

const char *token_number(const struct token *token)
{
    return token->variable + sizeof NAME - 1;
}

int token_read(const char *state, struct token *out)
{
    size_t length = sizeof NAME - 1 + DIGITS;
    if (strncmp(state, NAME, sizeof NAME - 1) != 0 ||
        strspn(state + sizeof NAME - 1, "0123456789abcdef") != DIGITS)
        return 1;
    memcpy(out->variable, state, length);
    out->variable[length] = '\0';
    return 0;
}

struct found {
    pid_t pids[MOST_FOUND];
    size_t count;
};

static void keep_found(void *self, const struct process_mark *mark)
{
    struct found *found = self;
    if (found->count < MOST_FOUND)
        found->pids[found->count++] = mark->pid;
}

int token_sweep(const char *root, const struct token *token, nsec_t patience_ns, struct text *why)
{
    struct found found = {.count = 0};
    nsec_t until_ns = clock_monotonic_ns() + patience_ns;
    for (int number = SIGTERM;;) {
        found.count = 0;
        process_find(root, token->variable, keep_found, &found);
        if (found.count == 0)
            return 0;
        for (size_t i = 0; i < found.count; i++)
            kill(found.pids[i], number);
        if (clock_monotonic_ns() > until_ns + NSEC_PER_SEC)
            break;
        await_pause(SWEEP_MS * NSEC_PER_MSEC, NULL);
        number = clock_monotonic_ns() > until_ns ? SIGKILL : SIGTERM;
    }
    text_puts(why, "these do not end; by hand: kill -9");
    for (size_t i = 0; i < found.count; i++)
        text_printf(why, " %ld", (long)found.pids[i]);
    return SCALER_TIMEOUT;
}
