/* host/uncore.h - counters of memory controllers ("uncore"), which some processors have beside
 * their cores: what the kernel names under /sys/bus/event_source/devices/uncore_imc*.
 *
 * A device there says how its events are coded: `type` for perf_event_open, `events/cas_count_read`
 * with terms such as "event=0x04,umask=0x03", `format/umask` with the bits that a term takes
 * ("config:8-15"), and how much one count is (`events/cas_count_read.scale` and `.unit`). Only
 * root, or who has CAP_PERFMON, may count on a whole processor.
 *   Source   Documentation/ABI/testing/sysfs-bus-event_source-devices-* of Linux. */
#ifndef HOST_UNCORE_H
#define HOST_UNCORE_H

#include "host/file.h"

/* One event of one device, as perf_event_open wants it. */
struct uncore_event {
    uint32_t type;
    uint64_t config;
    uint32_t cpu; /* on which it is counted: the first of the device's cpumask */
    double bytes; /* that one count stands for */
};

/* Reads how an event is coded. Returns 0, or HOST_NOT_KNOWN: no such event, or terms or units that
 * are not understood; then it must not be counted. */
int uncore_event_read(const char *root, const char *device, const char *event,
                      struct uncore_event *out);

struct uncore;

/* Begins to count what memory controllers read and write; NULL: this machine has no such counters,
 * or this process may not use them. Owner: caller, uncore_close. */
struct uncore *uncore_open(const char *root);
/* Frees it; NULL is fine. */
void uncore_close(struct uncore *uncore);

/* Bytes read and written since it was opened; HOST_UNKNOWN when a counter does not say. */
uint64_t uncore_read(struct uncore *uncore);

#endif
