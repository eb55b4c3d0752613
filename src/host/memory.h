/* host/memory.h - what the machine's memory holds (/proc/meminfo) and what was moved to and from
 * disks for want of it (/proc/vmstat). */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include "host/file.h"

/* Each may be HOST_UNKNOWN. */
struct memory_figures {
    uint64_t total_bytes, available_bytes; /* available: without swapping, the kernel's estimate */
    uint64_t free_bytes, cache_bytes;      /* cache: page cache, buffers, slab that can be freed */
    uint64_t swap_total_bytes, swap_free_bytes;
    uint64_t major_faults;            /* pages read from a disk because a process touched them */
    uint64_t swapped_in, swapped_out; /* pages */
    uint64_t oom_kills;               /* processes ended for want of memory; since kernel 4.13 */
};

/* Reads the texts of /proc/meminfo and /proc/vmstat. */
void memory_parse(struct span meminfo, struct span vmstat, struct memory_figures *out);

#endif
