/* host/limits.h - how many descriptors, ports and waiting connections this machine grants. */
#ifndef HOST_LIMITS_H
#define HOST_LIMITS_H

#include "host/file.h"

#define LIMIT_NONE (UINT64_MAX - 1) /* "unlimited" */

struct limits {
    uint64_t descriptors_soft, descriptors_hard; /* of this process; LIMIT_NONE: unlimited */
    uint64_t descriptors_open;                   /* by this process, at this instant */
    uint64_t files_most, files_open;             /* of the whole machine */
    uint64_t port_first, port_last;              /* that connect() picks from, both included */
    uint64_t ports;       /* how many: less those that are reserved, for one address and target */
    uint64_t listen_most; /* connections that may wait for accept(): net.core.somaxconn */
};

/* Reads them; what is not said is HOST_UNKNOWN. */
void limits_read(const char *root, struct limits *out);
/* The same without those of this process, which take the longer the more it has open. */
void limits_read_machine(const char *root, struct limits *out);

/* Raises this process's soft limit of descriptors towards `wanted`, never above the hard limit, and
 * never lowers it; now: the soft limit after it (LIMIT_NONE: unlimited). Returns 0 or -errno. */
int limits_raise_descriptors(uint64_t wanted, uint64_t *now);

#endif
