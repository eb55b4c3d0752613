/* A timer that starts itself again on a fixed raster; see timer_error.h. */
#include "testbed/timer_error.h"

#include <stdlib.h>

enum { ROUNDS = 200 };

struct measure {
    struct loop *loop;
    struct timer timer;
    unsigned count;
    nsec_t late_ns[ROUNDS];
};

static void on_fire(struct timer *timer, nsec_t now_ns)
{
    struct measure *measure = list_entry(timer, struct measure, timer);
    nsec_t due_ns = timer->due_ns;
    (void)now_ns;
    measure->late_ns[measure->count++] = loop_now(measure->loop) - due_ns;
    if (measure->count < ROUNDS)
        timer_start(measure->loop, timer, due_ns + NSEC_PER_MSEC);
}

static int compare(const void *one, const void *other)
{
    const nsec_t *a = one, *b = other;
    return (*a > *b) - (*a < *b);
}

void timer_error_measure(struct loop *loop, struct timer_error *out)
{
    struct measure measure = {.loop = loop};
    timer_init(&measure.timer, on_fire);
    timer_start(loop, &measure.timer, loop_now(loop) + NSEC_PER_MSEC);
    while (measure.count < ROUNDS && loop_turn(loop, NSEC_NEVER) >= 0)
        continue;
    timer_stop(loop, &measure.timer);
    *out = (struct timer_error){.count = measure.count};
    if (measure.count == 0)
        return;
    qsort(measure.late_ns, measure.count, sizeof measure.late_ns[0], compare);
    out->p50_ns = measure.late_ns[(measure.count - 1) / 2];
    out->p99_ns = measure.late_ns[(measure.count * 99 + 99) / 100 - 1];
}
