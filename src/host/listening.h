/* host/listening.h - which TCP ports of this machine somebody listens on. */
#ifndef HOST_LISTENING_H
#define HOST_LISTENING_H

#include "host/file.h"

#include <stddef.h>

struct listening {
    uint16_t *ports; /* rising, each once, of IPv4 and IPv6 together */
    size_t count;
};

/* Reads them (of this network namespace). Returns 0, or HOST_NOT_KNOWN, out then being empty.
 * Owner: caller, listening_fini. */
int listening_read(const char *root, struct listening *out);
void listening_fini(struct listening *listening);

#endif
