/* The machine's memory: how much is used, and whether the lack of it hurts. Used is what is not
 * available without swapping, as the kernel estimates it; a full page cache is no use. */
#include "host/memory.h"

#include "base/memory.h"
#include "plug/probe/local.h"
#include "plug/probe/probe_list.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum {
    TOTAL,
    USED,
    USED_SHARE,
    AVAILABLE,
    CACHE,
    SWAP_USED,
    SWAP_IN,
    SWAP_OUT,
    MAJOR_FAULTS,
    OOM_KILLS,
    PRESSURE_SOME,
    PRESSURE_FULL,
};

#define MEMINFO "/proc/meminfo"
#define VMSTAT  "/proc/vmstat"

static const struct metric metrics[] = {
    [TOTAL] = LOCAL_METRIC("memory.total", "bytes", "memory of the machine", MEMINFO),
    [USED] = LOCAL_METRIC("memory.used", "bytes", "memory that is not available without swapping",
                          MEMINFO),
    [USED_SHARE] = LOCAL_METRIC("memory.used_share", "1", "the same as a share of all", MEMINFO),
    [AVAILABLE] = LOCAL_METRIC("memory.available", "bytes",
                               "memory that programs could get without swapping", MEMINFO),
    [CACHE] =
        LOCAL_METRIC("memory.cache", "bytes", "page cache, buffers and slab to be freed", MEMINFO),
    [SWAP_USED] = LOCAL_METRIC("memory.swap_used", "bytes", "swap space in use", MEMINFO),
    [SWAP_IN] = LOCAL_METRIC("memory.swapped_in", "pages/s", "pages read from swap", VMSTAT),
    [SWAP_OUT] = LOCAL_METRIC("memory.swapped_out", "pages/s", "pages written to swap", VMSTAT),
    [MAJOR_FAULTS] =
        LOCAL_METRIC("memory.major_faults", "1/s", "page faults that waited for a disk", VMSTAT),
    [OOM_KILLS] = LOCAL_METRIC("memory.oom_kills", "processes",
                               "processes ended for want of memory since the look before", VMSTAT),
    [PRESSURE_SOME] = LOCAL_METRIC("memory.pressure", "1",
                                   "share of the time in which some task waited for memory",
                                   "/proc/pressure/memory"),
    [PRESSURE_FULL] =
        LOCAL_METRIC("memory.pressure_full", "1", "share of the time in which all tasks did",
                     "/proc/pressure/memory"),
    {.name = NULL},
};

static const struct setting settings[] = {{.name = NULL}};

struct memory_probe {
    struct local local;
    struct text vmstat;
    struct memory_figures before;
    struct pressure pressure;
};

static int memory_open(const void *config, const struct probe_place *place, void **self,
                       struct text *why)
{
    (void)config;
    (void)why;
    struct memory_probe *probe = memory_new(1, sizeof *probe);
    probe->local.place = place;
    *self = probe;
    return 0;
}

static void put_levels(const struct memory_figures *now, struct probe_sink *sink)
{
    uint64_t used = host_growth(now->available_bytes, now->total_bytes);
    double share = local_known(used) / local_known(now->total_bytes);
    probe_value(sink, TOTAL, "", local_known(now->total_bytes));
    probe_value(sink, USED, "", local_known(used));
    probe_value(sink, USED_SHARE, "", share);
    probe_value(sink, AVAILABLE, "", local_known(now->available_bytes));
    probe_value(sink, CACHE, "", local_known(now->cache_bytes));
    probe_value(sink, SWAP_USED, "",
                local_known(host_growth(now->swap_free_bytes, now->swap_total_bytes)));
}

static void put_growths(const struct memory_probe *probe, const struct memory_figures *now,
                        struct probe_sink *sink)
{
    const struct memory_figures *before = &probe->before;
    const struct local *local = &probe->local;
    uint64_t kills = host_growth(before->oom_kills, now->oom_kills);
    probe_value(sink, SWAP_IN, "", local_rate(local, before->swapped_in, now->swapped_in));
    probe_value(sink, SWAP_OUT, "", local_rate(local, before->swapped_out, now->swapped_out));
    probe_value(sink, MAJOR_FAULTS, "", local_rate(local, before->major_faults, now->major_faults));
    probe_value(sink, OOM_KILLS, "", local_known(kills));
    if (host_known(kills) && kills > 0)
        probe_event(sink, "oom", "the kernel ended %" PRIu64 " process%s for want of memory", kills,
                    kills == 1 ? "" : "es");
}

static int memory_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    struct memory_probe *probe = self;
    struct memory_figures now;
    local_begin(&probe->local, at_ns);
    host_read(probe->local.place->root, VMSTAT, &probe->vmstat);
    memory_parse(local_read(&probe->local, MEMINFO), text_span(&probe->vmstat), &now);
    if (!host_known(now.total_bytes)) {
        probe->local.last_ns = 0;
        text_puts(why, MEMINFO " does not say how much memory there is");
        return PROBE_GAP;
    }
    put_levels(&now, sink);
    if (probe->local.elapsed_ns > 0)
        put_growths(probe, &now, sink);
    probe->before = now;
    local_pressure(&probe->local, "/proc/pressure/memory", &probe->pressure, sink, PRESSURE_SOME,
                   PRESSURE_FULL);
    return 0;
}

static void memory_close(void *self)
{
    struct memory_probe *probe = self;
    local_fini(&probe->local);
    text_fini(&probe->vmstat);
    free(probe);
}

const struct probe probe_memory = {
    .name = "memory",
    .sentence = "the memory of this machine",
    .settings = settings,
    .metrics = metrics,
    .role = "host",
    .unasked = "",
    .open = memory_open,
    .look = memory_look,
    .close = memory_close,
};
