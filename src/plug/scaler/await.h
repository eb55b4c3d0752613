/* plug/scaler/await.h - waits until something answers, and words filled with numbers: what several
 * scalers do. */
#ifndef PLUG_SCALER_AWAIT_H
#define PLUG_SCALER_AWAIT_H

#include "run/scaler.h"

/* What is asked, and for how long. */
struct await {
    const char *url; /* healthy is a status from 200 to 399 */
    bool any;        /* any answer will do, also one that is not HTTP: only that somebody listens */
    nsec_t timeout_ns;
    const atomic_bool *cancel;
    /* Says that waiting is of no use, with a sentence in why; or NULL. */
    bool (*hopeless)(void *self, struct text *why);
    void *self;
};

/* Asks every 50 ms at most. Returns 0, SCALER_TIMEOUT (also when cancelled) or SCALER_FAILED
 * (hopeless), with why. */
int await_healthy(const struct await *await, struct text *why);

/* Asks once; whether it is healthy. */
bool await_once(const char *url, const atomic_bool *cancel);

/* A pause of that length, cut short by cancel (may be NULL). Returns false when it was. */
bool await_pause(nsec_t pause_ns, const atomic_bool *cancel);

/* Values for words such as {port}: NAN leaves the braces as they are. */
struct await_words {
    double port, index, instances, size;
};
/* Appends the words with {port}, {index}, {instances} and {size} replaced. */
void await_fill(const char *words, const struct await_words *values, struct text *out);

/* Host and port of a base URL, as "127.0.0.1:8000"; "" when it is none. */
void await_place_of(const char *url, struct text *out);

#endif
