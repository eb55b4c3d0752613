/* host/cpu.h - what the machine's processors did: busy, idle, and stolen by a hypervisor. */
#ifndef HOST_CPU_H
#define HOST_CPU_H

#include "host/file.h"

#include <stddef.h>

/* Ticks since the machine started (guests are inside user already). */
struct cpu_times {
    uint64_t busy;         /* user, nice, system, interrupts */
    uint64_t idle;         /* idle and waiting for disks */
    uint64_t steal;        /* taken by the hypervisor while something was ready to run */
    uint64_t user, system; /* parts of busy: user and nice; system and interrupts */
    uint64_t iowait;       /* part of idle, in which something waited for a disk */
};

struct cpu_core {
    uint32_t number;
    struct cpu_times times;
};

struct cpu {
    struct cpu_times all;
    struct cpu_core *cores; /* ascending by number; those that are online */
    size_t core_count;
    uint64_t running, blocked; /* now: ready or running; waiting for a disk; or HOST_UNKNOWN */
    uint64_t switches;         /* of tasks since the start; or HOST_UNKNOWN */
};

/* Reads a text of /proc/stat into out, using its cores again (zeroed at first; cpu_fini). Returns
 * 0, or HOST_NOT_KNOWN, out then being empty. */
int cpu_parse(struct span text, struct cpu *out);

/* Reads /proc/stat into out, whose cores are new (cpu_fini). Returns 0, or HOST_NOT_KNOWN, out then
 * being empty. */
int cpu_read(const char *root, struct cpu *out);
void cpu_fini(struct cpu *cpu);

/* Shares (0 .. 1) of the time between two readings; NAN when there was none between them, or a
 * counter went back. */
double cpu_busy_share(const struct cpu_times *before, const struct cpu_times *after);
double cpu_steal_share(const struct cpu_times *before, const struct cpu_times *after);

/* The times of one processor, or NULL when it is not in the reading. */
const struct cpu_times *cpu_core_times(const struct cpu *cpu, uint32_t number);

#endif
