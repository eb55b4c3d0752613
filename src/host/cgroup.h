/* host/cgroup.h - what this process's control group allows it, and how often it was held back.
 *
 * Version 2 and version 1 are read alike. A quota of any group above counts too, so the tightest on
 * the way to the root is taken, and the throttling is that of the group that has it. In a container
 * whose own group is mounted as the root, paths that are not there fall back to that root. */
#ifndef HOST_CGROUP_H
#define HOST_CGROUP_H

#include "host/file.h"

#include <math.h>

struct cgroup {
    double quota_cores;    /* processors allowed; INFINITY: no quota; NAN: not known */
    uint64_t periods;      /* of the quota so far; HOST_UNKNOWN as in all below */
    uint64_t throttled;    /* periods in which the group was stopped */
    uint64_t throttled_ns; /* time for which it was, summed over processors in version 1 */
    uint64_t memory_limit; /* bytes, the tightest above; UINT64_MAX - 1: no limit */
    uint64_t memory_used;  /* bytes of the own group */
};

#define CGROUP_NO_LIMIT (UINT64_MAX - 1)

/* Finds the path of a group in a text of /proc/PID/cgroup: of a version 1 controller, or of version
 * 2 for NULL. An empty span: it is not there (the root's path is "/"). */
struct span cgroup_path(struct span lines, const char *controller);

/* Reads what can be read; everything else is marked as not known. */
void cgroup_read(const char *root, struct cgroup *out);

#endif
