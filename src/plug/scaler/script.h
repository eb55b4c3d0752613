/* plug/scaler/script.h - runs a program of the system (docker, systemctl) and makes its failure a
 * sentence. */
#ifndef PLUG_SCALER_SCRIPT_H
#define PLUG_SCALER_SCRIPT_H

#include "run/scaler.h"

/* Runs it, found in PATH, with its words (NULL-ended) for at most timeout_ns; appends what it
 * wrote. Returns 0; SCALER_ABSENT (there is no such program), SCALER_FORBIDDEN, SCALER_TIMEOUT or
 * SCALER_FAILED with why; or -errno. */
int script_run(const char *const *words, nsec_t timeout_ns, const atomic_bool *cancel,
               struct text *said, struct text *why);

/* The value of a line "KEY=value" in what a program wrote; "" when there is none. */
void script_value(const struct text *said, const char *key, struct text *out);

#endif
