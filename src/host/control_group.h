/* host/control_group.h - one control group, from outside: what it uses, what it may, and how often
 * it was held back. Version 1 (a directory for each controller) and version 2 (one) are read alike.
 */
#ifndef HOST_CONTROL_GROUP_H
#define HOST_CONTROL_GROUP_H

#include "host/file.h"
#include "host/pressure.h"

#define CONTROL_GROUP_NO_LIMIT (UINT64_MAX - 1)

/* Where the files of a group are. */
struct control_group_place {
    bool two;                       /* version 2 */
    struct text cpu, usage, memory; /* directories; empty: there is none */
};

/* Each may be HOST_UNKNOWN. */
struct control_group {
    uint64_t cpu_us;                    /* processor time used */
    uint64_t quota_us, period_us;       /* quota CONTROL_GROUP_NO_LIMIT: none */
    uint64_t periods, throttled;        /* of the quota; in which it was stopped */
    uint64_t throttled_us;              /* for so long */
    uint64_t memory_bytes, limit_bytes; /* limit CONTROL_GROUP_NO_LIMIT: none */
    uint64_t cache_bytes;               /* part of memory that can be dropped: inactive files */
    uint64_t limit_hits;                /* how often the limit was met ("max", "failcnt") */
    uint64_t oom_kills;                 /* processes ended for it */
    uint64_t tasks;                     /* version 2 and pids controller only */
    struct pressure cpu, memory, io;    /* version 2 only */
};

/* Finds the group of a process (pid 0: this one). Returns 0 or HOST_NOT_KNOWN. Owner: caller,
 * control_group_place_fini. */
int control_group_place_of(const char *root, uint64_t pid, struct control_group_place *out);
/* Finds a group by its path below the mount of control groups ("/system.slice/nginx.service"), or
 * by that of its directory. */
int control_group_place_at(const char *root, const char *path, struct control_group_place *out);
void control_group_place_fini(struct control_group_place *place);

/* Reads it. Returns 0, or HOST_NOT_KNOWN when the group is gone. */
int control_group_read(const char *root, const struct control_group_place *place, struct text *room,
                       struct control_group *out);

#endif
