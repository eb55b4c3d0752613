/* Arrival instants; see arrival.h. A gap takes its random numbers from 32 counters of its own, so
 * that it does not depend on how many numbers the gaps before it took. */
#include "load/arrival.h"

#include "base/memory.h"
#include "stat/distribution.h"

#include <stdlib.h>

enum { COUNTERS_A_GAP = 32 };

struct arrivals {
    const struct plan_scenario *scenario;
    const struct course *course;
    uint64_t key;
    double *starts; /* sum of all gaps before block b */
    size_t known, room;
    uint64_t block; /* the block whose sums are in `sums` */
    double *sums;   /* ARRIVAL_BLOCK: sum up to and with each gap */
};

struct arrivals *arrivals_new(const struct plan_scenario *scenario, const struct course *course,
                              uint64_t key)
{
    struct arrivals *arrivals = memory_new(1, sizeof *arrivals);
    arrivals->scenario = scenario;
    arrivals->course = course;
    arrivals->key = key;
    arrivals->block = UINT64_MAX;
    if (scenario->executor != EXECUTOR_REPLAY && scenario->gaps != GAPS_CONSTANT) {
        arrivals->sums = memory_new(ARRIVAL_BLOCK, sizeof *arrivals->sums);
        arrivals->room = 64;
        arrivals->starts = memory_new(arrivals->room, sizeof *arrivals->starts);
        arrivals->known = 1;
    }
    return arrivals;
}

struct arrivals *arrivals_free(struct arrivals *arrivals)
{
    if (!arrivals)
        return NULL;
    free(arrivals->starts);
    free(arrivals->sums);
    free(arrivals);
    return NULL;
}

static void draw_block(struct arrivals *arrivals, uint64_t block)
{
    struct distribution gap = {.spread = SPREAD_EXPONENTIAL, .a = 1};
    if (arrivals->scenario->gaps == GAPS_GAMMA)
        gap = (struct distribution){
            .spread = SPREAD_GAMMA, .a = 1, .b = arrivals->scenario->burstiness};
    double sum = arrivals->starts[block];
    for (uint64_t i = 0; i < ARRIVAL_BLOCK; i++) {
        struct random random = {.key = arrivals->key,
                                .counter = (block * ARRIVAL_BLOCK + i) * COUNTERS_A_GAP};
        sum += distribution_draw(&gap, &random);
        arrivals->sums[i] = sum;
    }
    arrivals->block = block;
    if (block + 1 < arrivals->known)
        return;
    if (arrivals->known == arrivals->room) {
        arrivals->room *= 2;
        arrivals->starts =
            memory_resize(arrivals->starts, arrivals->room, sizeof *arrivals->starts);
    }
    arrivals->starts[arrivals->known++] = sum;
}

static double random_area(struct arrivals *arrivals, uint64_t n)
{
    uint64_t block = n / ARRIVAL_BLOCK;
    while (arrivals->known <= block)
        draw_block(arrivals, arrivals->known - 1);
    if (arrivals->block != block)
        draw_block(arrivals, block);
    return arrivals->sums[n % ARRIVAL_BLOCK];
}

nsec_t arrivals_instant(struct arrivals *arrivals, uint64_t n)
{
    const struct plan_scenario *scenario = arrivals->scenario;
    if (scenario->iterations && n >= scenario->iterations)
        return NSEC_NEVER;
    if (scenario->executor == EXECUTOR_REPLAY) {
        nsec_t at_ns = n < scenario->instant_count
                           ? course_begin(arrivals->course) + scenario->instants[n]
                           : NSEC_NEVER;
        return at_ns < course_end(arrivals->course) ? at_ns : NSEC_NEVER;
    }
    double area = arrivals->sums ? random_area(arrivals, n) : (double)n;
    return course_area_instant(arrivals->course, area);
}
