/* Decks of tasks; see deck.h. */
#include "load/deck.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

struct card {
    double place;
    uint32_t task;
};

static int compare_cards(const void *one, const void *other)
{
    const struct card *a = one, *b = other;
    return (a->place > b->place) - (a->place < b->place);
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* How far, at worst, a task's count strays from its share over all beginnings of the deck. */
static double worst_stray(const struct card *cards, size_t size, const uint32_t *weights,
                          size_t count, uint32_t *dealt)
{
    double worst = 0;
    for (size_t i = 0; i < count; i++)
        dealt[i] = 0;
    for (size_t k = 0; k < size; k++) {
        dealt[cards[k].task]++;
        for (size_t i = 0; i < count; i++) {
            double share = (double)weights[i] * (double)(k + 1) / (double)size;
            worst = fmax(worst, fabs((double)dealt[i] - share));
        }
    }
    return worst;
}

/* Each card of a task lies at a random place (jitter 1) or in the middle (jitter 0) of its own
 * stretch. */
static void shuffle(struct card *cards, const uint32_t *weights, size_t count,
                    struct random *random, double jitter)
{
    size_t card = 0;
    for (uint32_t task = 0; task < count; task++) {
        for (uint32_t i = 0; i < weights[task]; i++) {
            double within = 0.5 + jitter * (random_unit(random) - 0.5);
            cards[card++] =
                (struct card){.place = ((double)i + within) / weights[task], .task = task};
        }
    }
    qsort(cards, card, sizeof *cards, compare_cards);
}

void deck_init(struct deck *deck, const uint32_t *weights, size_t count, uint64_t key)
{
    uint32_t *unit = memory_new(count, sizeof *unit);
    uint32_t *dealt = memory_new(count, sizeof *dealt);
    uint32_t divisor = 0;
    for (size_t i = 0; i < count; i++)
        divisor = common_divisor(weights[i], divisor);
    *deck = (struct deck){.random = {.key = key}};
    for (size_t i = 0; i < count; i++) {
        unit[i] = weights[i] / divisor;
        deck->size += unit[i];
    }
    deck->variants = count == 1 || deck->size > DECK_MOST_CARDS / DECK_VARIANTS ? 1 : DECK_VARIANTS;
    deck->cards = memory_new(deck->size * deck->variants, sizeof *deck->cards);
    struct card *cards = memory_new(deck->size, sizeof *cards);
    for (size_t variant = 0; variant < deck->variants; variant++) {
        /* Random places nearly always stay within one; if not, ever more orderly ones do. */
        double jitter = 1;
        for (int tries = 0; tries < 64; tries++) {
            shuffle(cards, unit, count, &deck->random, jitter);
            if (worst_stray(cards, deck->size, unit, count, dealt) <= 1)
                break;
            jitter *= tries < 32 ? 1 : 0.8;
        }
        for (size_t i = 0; i < deck->size; i++)
            deck->cards[variant * deck->size + i] = cards[i].task;
    }
    free(cards);
    free(dealt);
    free(unit);
}

void deck_fini(struct deck *deck)
{
    free(deck->cards);
    *deck = (struct deck){0};
}

uint32_t deck_draw(struct deck *deck)
{
    uint32_t card = deck->cards[deck->variant * deck->size + deck->at];
    if (++deck->at == deck->size) {
        deck->at = 0;
        if (deck->variants > 1)
            deck->variant = (size_t)random_below_of(random_next(&deck->random), deck->variants);
    }
    return card;
}
