/* Keeps the last few samples in a ring: intervals are judged about a second after they ended, so
 * a handful is enough. */
#include "run/machine_watch.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

enum { SAMPLES = 8 };

struct sample {
    nsec_t begin_ns, end_ns;
    struct generator_interval figures; /* only those of the machine */
};

struct machine_watch {
    struct sample samples[SAMPLES];
    size_t count; /* ever taken */
    nsec_t last_ns;
    nsec_t wall_offset_ns, boot_offset_ns; /* of the two clocks to the monotonic one */
};

static nsec_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (nsec_t)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* How far the wall clock was set, and how long the machine slept, since the look before. */
static void look_at_clocks(struct machine_watch *watch, struct generator_interval *figures)
{
    nsec_t monotonic = read_clock(CLOCK_MONOTONIC);
    nsec_t boot = read_clock(CLOCK_BOOTTIME) - monotonic;
    nsec_t wall = read_clock(CLOCK_REALTIME) - monotonic;
    figures->suspended_ns = boot - watch->boot_offset_ns;
    figures->clock_step_ns = wall - watch->wall_offset_ns - figures->suspended_ns;
    watch->boot_offset_ns = boot;
    watch->wall_offset_ns = wall;
}

struct machine_watch *machine_watch_new(void)
{
    struct machine_watch *watch = memory_new(1, sizeof *watch);
    struct generator_interval nothing;
    look_at_clocks(watch, &nothing);
    return watch;
}

struct machine_watch *machine_watch_free(struct machine_watch *watch)
{
    free(watch);
    return NULL;
}

void machine_watch_sample(struct machine_watch *watch, nsec_t now_ns)
{
    struct sample *sample = &watch->samples[watch->count++ % SAMPLES];
    *sample = (struct sample){.begin_ns = watch->last_ns, .end_ns = now_ns};
    sample->figures.descriptors_left = 1;
    sample->figures.ports_left = 1;
    look_at_clocks(watch, &sample->figures);
    watch->last_ns = now_ns;
}

static void take_worst(struct generator_interval *into, const struct generator_interval *from)
{
    into->steal_share = fmax(into->steal_share, from->steal_share);
    into->machine_share = fmax(into->machine_share, from->machine_share);
    into->throttled_share = fmax(into->throttled_share, from->throttled_share);
    if (from->listen_overflows > into->listen_overflows)
        into->listen_overflows = from->listen_overflows;
    into->descriptors_left = fmin(into->descriptors_left, from->descriptors_left);
    into->ports_left = fmin(into->ports_left, from->ports_left);
    if (from->suspended_ns > into->suspended_ns)
        into->suspended_ns = from->suspended_ns;
    if (llabs(from->clock_step_ns) > llabs(into->clock_step_ns))
        into->clock_step_ns = from->clock_step_ns;
}

void machine_watch_over(const struct machine_watch *watch, struct generator_interval *interval)
{
    size_t kept = watch->count < SAMPLES ? watch->count : SAMPLES;
    for (size_t i = 0; i < kept; i++) {
        const struct sample *sample = &watch->samples[i];
        if (sample->begin_ns < interval->end_ns && sample->end_ns > interval->begin_ns)
            take_worst(interval, &sample->figures);
    }
}
