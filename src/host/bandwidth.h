/* host/bandwidth.h - bytes moved between memory and the processors, where the machine counts them:
 * memory bandwidth monitoring of resctrl (Documentation/arch/x86/resctrl.rst of Linux), else the
 * counters of the memory controllers (host/uncore.h). */
#ifndef HOST_BANDWIDTH_H
#define HOST_BANDWIDTH_H

#include "host/file.h"

struct bandwidth;

/* Looks which counters there are; NULL: none. Owner: caller, bandwidth_close. */
struct bandwidth *bandwidth_open(const char *root);
/* Frees it; NULL is fine. */
void bandwidth_close(struct bandwidth *bandwidth);

/* Bytes counted so far, all memory controllers; HOST_UNKNOWN when one of them does not say. */
uint64_t bandwidth_read(struct bandwidth *bandwidth);

#endif
