/* Keeps the last few samples in a ring: intervals are judged about a second after they ended, so
 * a handful is enough. */
#include "run/machine_watch.h"

#include "base/memory.h"
#include "host/cgroup.h"
#include "host/clocks.h"
#include "host/cpu.h"
#include "host/netstat.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLES = 8 };

struct sample {
    nsec_t begin_ns, end_ns;
    struct generator_interval figures; /* only those of the machine */
};

/* Everything read at one instant. */
struct look {
    struct clocks clocks;
    struct cpu_times cpu;
    bool cpu_known;
    struct cgroup cgroup;
    struct netstat netstat;
};

struct machine_watch {
    struct sample samples[SAMPLES];
    size_t count; /* ever taken */
    nsec_t last_ns;
    struct look before;
};

static void look_around(struct look *look)
{
    struct cpu cpu;
    clocks_read(&look->clocks);
    look->cpu_known = cpu_read("", &cpu) == 0;
    look->cpu = cpu.all;
    cpu_fini(&cpu);
    cgroup_read("", &look->cgroup);
    netstat_read("", &look->netstat);
}

/* The growth of a counter; 0 when it is not known. */
static uint64_t growth(uint64_t before, uint64_t after)
{
    uint64_t grown = host_growth(before, after);
    return host_known(grown) ? grown : 0;
}

/* An unknown share counts as nothing. */
static double known_share(double share)
{
    return isnan(share) ? 0 : share;
}

static void compare(const struct look *before, const struct look *now,
                    struct generator_interval *figures)
{
    nsec_t length = now->clocks.monotonic_ns - before->clocks.monotonic_ns;
    figures->suspended_ns = clocks_suspended(&before->clocks, &now->clocks);
    figures->clock_step_ns = clocks_stepped(&before->clocks, &now->clocks);
    if (before->cpu_known && now->cpu_known) {
        figures->steal_share = known_share(cpu_steal_share(&before->cpu, &now->cpu));
        figures->machine_share = known_share(cpu_busy_share(&before->cpu, &now->cpu));
    }
    if (length > 0)
        figures->throttled_share =
            fmin(1, (double)growth(before->cgroup.throttled_ns, now->cgroup.throttled_ns) /
                        (double)length);
    figures->listen_overflows =
        growth(before->netstat.listen_overflows, now->netstat.listen_overflows);
}

struct machine_watch *machine_watch_new(void)
{
    struct machine_watch *watch = memory_new(1, sizeof *watch);
    look_around(&watch->before);
    return watch;
}

struct machine_watch *machine_watch_free(struct machine_watch *watch)
{
    free(watch);
    return NULL;
}

void machine_watch_sample(struct machine_watch *watch, nsec_t now_ns)
{
    struct look now;
    struct sample *sample = &watch->samples[watch->count++ % SAMPLES];
    *sample = (struct sample){.begin_ns = watch->last_ns, .end_ns = now_ns};
    look_around(&now);
    compare(&watch->before, &now, &sample->figures);
    watch->before = now;
    watch->last_ns = now_ns;
}

static void take_worst(struct generator_interval *into, const struct generator_interval *from)
{
    into->steal_share = fmax(into->steal_share, from->steal_share);
    into->machine_share = fmax(into->machine_share, from->machine_share);
    into->throttled_share = fmax(into->throttled_share, from->throttled_share);
    if (from->listen_overflows > into->listen_overflows)
        into->listen_overflows = from->listen_overflows;
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
