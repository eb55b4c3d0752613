/* Philox 2x64-10 and what is drawn from it; see random.h for the source. */
#include "base/random.h"

#define PHILOX_MULTIPLIER UINT64_C(0xD2B74407B1CE6E93)
#define PHILOX_WEYL       UINT64_C(0x9E3779B97F4A7C15)

__extension__ typedef unsigned __int128 wide_t; /* a breach: ISO C has no 128-bit integer */

static void philox(uint64_t key, uint64_t words[2])
{
    for (int round = 0; round < 10; round++) {
        wide_t product = (wide_t)PHILOX_MULTIPLIER * words[0];
        words[0] = (uint64_t)(product >> 64) ^ key ^ words[1];
        words[1] = (uint64_t)product;
        key += PHILOX_WEYL;
    }
}

/* Two draws of 64 bits come from each block; counter / 2 names the block. */
uint64_t random_bits_at(uint64_t key, uint64_t counter)
{
    uint64_t words[2] = {counter >> 1, 0};
    philox(key, words);
    return words[counter & 1];
}

uint64_t random_key(uint64_t seed, const char *purpose, uint64_t index)
{
    uint64_t name = UINT64_C(0xCBF29CE484222325); /* FNV-1a offset and prime */
    for (; *purpose; purpose++)
        name = (name ^ (unsigned char)*purpose) * UINT64_C(0x100000001B3);
    uint64_t words[2] = {name, index};
    philox(seed, words);
    return words[0];
}

/* 52 bits and a half: with 53 the largest would round to 1, whose logarithm somebody takes. */
double random_unit_of(uint64_t bits)
{
    return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

uint64_t random_below_of(uint64_t bits, uint64_t limit)
{
    return (uint64_t)(((wide_t)bits * limit) >> 64);
}
