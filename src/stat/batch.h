/* stat/batch.h - servers that work on many requests at once, as language models do: cost per step,
 * not contention.
 *
 * A decoding step of b sequences takes a + c b seconds: a to read the weights, c for each. Tokens
 * a second, b / (a + c b), are Amdahl's law with gamma = 1 / (a + c) and alpha = c / (a + c): a
 * fitted alpha of such a server is a ratio of costs. c grows with the context, so that levels of
 * different lengths must not be mixed.
 *
 *   Source   algebra; batches without a limit: Inoue, "Queueing analysis of GPU-based inference
 *            servers with dynamic batching" (2021, arXiv 1912.06322).
 *   Tests    test/unit/stat/batch. */
#ifndef STAT_BATCH_H
#define STAT_BATCH_H

#include <stddef.h>

struct batch_law {
    double step_s;     /* a: of a step, whatever its size */
    double sequence_s; /* c: more for each sequence in it */
};

enum { BATCH_TOO_FEW = 1 };

/* Tokens a second of all sequences together, with this many at once. */
double batch_rate(const struct batch_law *law, double sequences);
/* The most tokens a second (1 / c), and the sequences at which half of that is reached (a / c). */
double batch_ceiling(const struct batch_law *law);
double batch_half(const struct batch_law *law);
/* The share of a step that one sequence costs, c / (a + c): what a fit of Amdahl calls alpha. */
double batch_alpha(const struct batch_law *law);

/* Fits step and sequence to measured rates: b / X is a straight line over b. Returns 0, or
 * BATCH_TOO_FEW (fewer than two different b). */
int batch_fit(const double *sequences, const double *rates, size_t count, struct batch_law *out);

/* How many sequences fit into a cache of tokens, when each holds this many on the mean. */
double batch_most(double cache_tokens, double tokens_each);

/* The mean response of a server that takes all that wait as one batch of step + sequence b, with
 * Poisson arrivals: an upper bound that is nearly exact. INFINITY at rates it cannot carry. */
double batch_response_mean(const struct batch_law *law, double rate);

#endif
