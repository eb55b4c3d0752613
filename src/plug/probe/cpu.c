/* The processors: what share of the time they did what, each of them too, and who waits. Shares are
 * of the time between two looks, all processors together; time stolen by a hypervisor counts as
 * time, neither as busy nor as idle. */
#include "host/cpu.h"
#include "base/memory.h"
#include "plug/probe/local.h"
#include "plug/probe/probe_list.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    BUSY,
    USER,
    SYSTEM,
    IOWAIT,
    STEAL,
    CORES,
    RUNNING,
    BLOCKED,
    SWITCHES,
    PRESSURE,
};

enum { TICKS = 100 }; /* a second, on all of Linux' /proc */

static const struct metric metrics[] = {
    [BUSY] = LOCAL_METRIC("cpu.busy", "1", "share of the time that was used; by processor too",
                          "/proc/stat"),
    [USER] = LOCAL_METRIC("cpu.user", "1", "share used by programs", "/proc/stat"),
    [SYSTEM] = LOCAL_METRIC("cpu.system", "1", "share used by the kernel, interrupts included",
                            "/proc/stat"),
    [IOWAIT] = LOCAL_METRIC("cpu.iowait", "1", "share idle while something waited for a disk",
                            "/proc/stat"),
    [STEAL] = LOCAL_METRIC("cpu.steal", "1", "share taken by the hypervisor", "/proc/stat"),
    [CORES] = LOCAL_METRIC("cpu.cores", "processors", "processors online", "/proc/stat"),
    [RUNNING] =
        LOCAL_METRIC("cpu.run_queue", "tasks", "tasks running or ready to run", "/proc/stat"),
    [BLOCKED] = LOCAL_METRIC("cpu.blocked", "tasks", "tasks that wait for a disk", "/proc/stat"),
    [SWITCHES] =
        LOCAL_METRIC("cpu.context_switches", "1/s", "switches between tasks", "/proc/stat"),
    [PRESSURE] = LOCAL_METRIC("cpu.pressure", "1",
                              "share of the time in which some task waited for a processor",
                              "/proc/pressure/cpu"),
    {.name = NULL},
};

static const struct setting settings[] = {{.name = NULL}};

struct cpu_probe {
    struct local local;
    struct cpu before, now;
    struct pressure pressure;
};

static int cpu_open(const void *config, const struct probe_place *place, void **self,
                    struct text *why)
{
    (void)config;
    (void)why;
    struct cpu_probe *probe = memory_new(1, sizeof *probe);
    probe->local.place = place;
    *self = probe;
    return 0;
}

/* Ticks that passed on so many processors: those that the kernel accounted for, or by the clock
 * when it lost some. Virtual machines do, of idle processors above all: shares of what is left
 * would overstate the rest by a third. */
static double ticks_between(const struct cpu_probe *probe, const struct cpu_times *before,
                            const struct cpu_times *now, size_t cores)
{
    double accounted = local_known(host_growth(before->busy, now->busy)) +
                       local_known(host_growth(before->idle, now->idle)) +
                       local_known(host_growth(before->steal, now->steal));
    double passed = TICKS * (double)cores * (double)probe->local.elapsed_ns / (double)NSEC_PER_SEC;
    return passed > accounted ? passed : accounted;
}

static double share_of(uint64_t before, uint64_t now, double ticks)
{
    return local_known(host_growth(before, now)) / ticks;
}

static void put_cores(const struct cpu_probe *probe, struct probe_sink *sink)
{
    for (size_t i = 0; i < probe->now.core_count; i++) {
        const struct cpu_core *core = &probe->now.cores[i];
        const struct cpu_times *before = cpu_core_times(&probe->before, core->number);
        char part[16];
        snprintf(part, sizeof part, "cpu%u", core->number);
        if (before)
            probe_value(sink, BUSY, part,
                        share_of(before->busy, core->times.busy,
                                 ticks_between(probe, before, &core->times, 1)));
    }
}

static void put_shares(const struct cpu_probe *probe, struct probe_sink *sink)
{
    const struct cpu_times *before = &probe->before.all, *now = &probe->now.all;
    size_t cores = probe->before.core_count < probe->now.core_count ? probe->before.core_count
                                                                    : probe->now.core_count;
    double ticks = ticks_between(probe, before, now, cores);
    probe_value(sink, BUSY, "", share_of(before->busy, now->busy, ticks));
    probe_value(sink, USER, "", share_of(before->user, now->user, ticks));
    probe_value(sink, SYSTEM, "", share_of(before->system, now->system, ticks));
    probe_value(sink, IOWAIT, "", share_of(before->iowait, now->iowait, ticks));
    probe_value(sink, STEAL, "", share_of(before->steal, now->steal, ticks));
    probe_value(sink, SWITCHES, "",
                local_rate(&probe->local, probe->before.switches, probe->now.switches));
    put_cores(probe, sink);
}

static int cpu_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    struct cpu_probe *probe = self;
    struct cpu spare = probe->before;
    local_begin(&probe->local, at_ns);
    probe->before = probe->now;
    probe->now = spare;
    if (cpu_parse(local_read(&probe->local, "/proc/stat"), &probe->now) != 0) {
        probe->local.last_ns = 0; /* the next look has none before it */
        text_puts(why, "/proc/stat does not say what the processors did");
        return PROBE_GAP;
    }
    if (probe->local.elapsed_ns > 0)
        put_shares(probe, sink);
    probe_value(sink, CORES, "", (double)probe->now.core_count);
    probe_value(sink, RUNNING, "", local_known(probe->now.running));
    probe_value(sink, BLOCKED, "", local_known(probe->now.blocked));
    local_pressure(&probe->local, "/proc/pressure/cpu", &probe->pressure, sink, PRESSURE, SIZE_MAX);
    return 0;
}

static void cpu_close(void *self)
{
    struct cpu_probe *probe = self;
    cpu_fini(&probe->before);
    cpu_fini(&probe->now);
    local_fini(&probe->local);
    free(probe);
}

const struct probe probe_cpu = {
    .name = "cpu",
    .sentence = "the processors of this machine",
    .settings = settings,
    .metrics = metrics,
    .role = "host",
    .unasked = "",
    .open = cpu_open,
    .look = cpu_look,
    .close = cpu_close,
};
