/* host/interface.h - what each network interface carried since the start (/proc/net/dev), of this
 * network namespace. */
#ifndef HOST_INTERFACE_H
#define HOST_INTERFACE_H

#include "host/file.h"

enum { INTERFACE_NAME = 64 };

struct interface {
    char name[INTERFACE_NAME];
    uint64_t in_bytes, in_packets, in_errors, in_drops;
    uint64_t out_bytes, out_packets, out_errors, out_drops;
};

/* Takes the next interface from a text of /proc/net/dev; false at its end. */
bool interface_next(struct span *lines, struct interface *out);

/* Bits a second that its link carries, each way (/sys/class/net/NAME/speed); HOST_UNKNOWN for
 * virtual ones, and while it is down. */
uint64_t interface_speed(const char *root, const char *name);

#endif
