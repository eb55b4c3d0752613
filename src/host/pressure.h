/* host/pressure.h - pressure stall information: for how long something waited for processors,
 * memory or disks (/proc/pressure, and the files *.pressure of a control group). Kernels before
 * 4.20, and those started with psi=0, do not say. */
#ifndef HOST_PRESSURE_H
#define HOST_PRESSURE_H

#include "host/file.h"

/* Microseconds since the start; each may be HOST_UNKNOWN. */
struct pressure {
    uint64_t some_us; /* at least one task waited */
    uint64_t full_us; /* all that were not idle waited, so nothing got done */
};

/* Reads the text of such a file; an empty one says nothing. */
void pressure_parse(struct span text, struct pressure *out);

#endif
