/* load/deck.h - exact mixes: which task comes next, drawn from shuffled decks of cards instead of
 * dice, so that after any number of draws each task's count is within one of its exact share.
 *
 * A deck has one card for each unit of weight (over their greatest common divisor). Cards of a task
 * are spread over the deck, each at a random place within its own stretch; decks that stray from
 * the exact share by more than one card at any point are drawn again. A few decks are made
 * beforehand and follow each other in random order. */
#ifndef LOAD_DECK_H
#define LOAD_DECK_H

#include "base/random.h"

#include <stddef.h>
#include <stdint.h>

enum { DECK_MOST_CARDS = 100000, DECK_VARIANTS = 16 };

struct deck {
    uint32_t *cards; /* variants * size */
    size_t size, variants, at, variant;
    struct random random;
};

/* Makes the decks. weights: count of them, each at least 1. key: random_key of the scenario and
 * thread. */
void deck_init(struct deck *deck, const uint32_t *weights, size_t count, uint64_t key);
void deck_fini(struct deck *deck);
/* The index of the next task. */
uint32_t deck_draw(struct deck *deck);

#endif
