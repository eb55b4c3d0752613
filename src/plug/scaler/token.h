/* plug/scaler/token.h - a mark that everything a suite started carries in its environment, by which
 * another process finds it after kill -9. Whatever such a process starts carries it too. */
#ifndef PLUG_SCALER_TOKEN_H
#define PLUG_SCALER_TOKEN_H

#include "base/clock.h"
#include "base/text.h"

#include <stdbool.h>

struct token {
    char variable[64]; /* "PLIMSOLL_INSTANCE_OF=0123456789abcdef" */
};

/* A new one. */
struct token token_new(void);
/* "0123456789abcdef" */
const char *token_number(const struct token *token);
/* Reads one at the front of a saved state. Returns 0 or 1. */
int token_read(const char *state, struct token *out);

/* Ends all that carry it: SIGTERM, and SIGKILL after patience_ns. Returns 0 or SCALER_TIMEOUT with
 * why. */
int token_sweep(const char *root, const struct token *token, nsec_t patience_ns, struct text *why);

#endif
