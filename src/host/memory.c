/* host/memory.c - "MemTotal:  3902292 kB"; "pgmajfault 5". */
#include "host/memory.h"

static uint64_t kib(struct span text, const char *key)
{
    uint64_t number = host_value(text, key);
    return host_known(number) && number < UINT64_MAX / 1024 ? 1024 * number : HOST_UNKNOWN;
}

/* A sum of what is known of it; unknown when its first part is. */
static uint64_t plus(uint64_t sum, uint64_t more)
{
    return host_known(sum) && host_known(more) ? sum + more : sum;
}

void memory_parse(struct span meminfo, struct span vmstat, struct memory_figures *out)
{
    uint64_t cache = plus(kib(meminfo, "Cached"), kib(meminfo, "Buffers"));
    *out = (struct memory_figures){
        .total_bytes = kib(meminfo, "MemTotal"),
        .available_bytes = kib(meminfo, "MemAvailable"),
        .free_bytes = kib(meminfo, "MemFree"),
        .cache_bytes = plus(cache, kib(meminfo, "SReclaimable")),
        .swap_total_bytes = kib(meminfo, "SwapTotal"),
        .swap_free_bytes = kib(meminfo, "SwapFree"),
        .major_faults = host_value(vmstat, "pgmajfault"),
        .swapped_in = host_value(vmstat, "pswpin"),
        .swapped_out = host_value(vmstat, "pswpout"),
        .oom_kills = host_value(vmstat, "oom_kill"),
    };
}
