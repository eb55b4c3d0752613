/* base/random.h - random numbers that are a function of (key, counter), so that the n-th draw of a
 * run is the same for any number of threads and any order of drawing.
 *
 *   Source   Philox 2x64-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
 *            1, 2, 3" (SC'11); checked against their known answers in test/unit/base.
 *   Cost     about 10 ns a draw. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

/* A key for one purpose ("arrivals", "think"), made from the run's seed and an index (a scenario,
 * a virtual user); different purposes and indices give unrelated sequences. */
uint64_t random_key(uint64_t seed, const char *purpose, uint64_t index);

/* The counter-th 64 random bits under this key. */
uint64_t random_bits_at(uint64_t key, uint64_t counter);

/* The bits as a number strictly between 0 and 1. */
double random_unit_of(uint64_t bits);

/* The bits as a whole number below limit (limit at least 1), without bias worth naming
 * (at most limit / 2^64). */
uint64_t random_below_of(uint64_t bits, uint64_t limit);

/* A place in a sequence, for those who draw in order. */
struct random {
    uint64_t key;
    uint64_t counter;
};

/* The next 64 bits; moves the counter. */
static inline uint64_t random_next(struct random *random)
{
    return random_bits_at(random->key, random->counter++);
}

/* The next number strictly between 0 and 1. */
static inline double random_unit(struct random *random)
{
    return random_unit_of(random_next(random));
}

#endif
