/* host/machine.h - which machine this is, and how much of it this process may use. */
#ifndef HOST_MACHINE_H
#define HOST_MACHINE_H

#include "host/file.h"

struct machine {
    char *host, *kernel,
        *cpu;               /* "web-3", "Linux 6.1.0-18-amd64", "AMD EPYC 7763"; or "not known" */
    uint64_t cores;         /* online */
    uint64_t cores_allowed; /* that this process may run on (affinity, cpuset) */
    double cores_usable;    /* allowed, cut by the control group's quota; NAN: not known */
    uint64_t memory_bytes;  /* of the machine */
    uint64_t memory_usable; /* cut by the control group's limit */
    uint64_t memory_available; /* of the machine, as the kernel estimates it */
};

/* Reads it; numbers that the machine does not say are HOST_UNKNOWN, texts never NULL. Owner of the
 * texts: caller, machine_fini. */
void machine_read(const char *root, struct machine *out);
void machine_fini(struct machine *machine);

#endif
