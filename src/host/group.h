/* host/group.h - one control group, from outside: what it uses, what it may, and how often it was
 * held back. Version 1 (a directory for each controller) and version 2 (one) are read alike. */
#ifndef HOST_GROUP_H
#define HOST_GROUP_H

#include "host/file.h"
#include "host/pressure.h"

#define GROUP_NO_LIMIT (UINT64_MAX - 1)

/* Where the files of a group are. */
struct group_place {
    bool two;                       /* version 2 */
    struct text cpu, usage, memory; /* directories; empty: there is none */
};

/* Each may be HOST_UNKNOWN. */
struct group {
    uint64_t cpu_us;                    /* processor time used */
    uint64_t quota_us, period_us;       /* quota GROUP_NO_LIMIT: none */
    uint64_t periods, throttled;        /* of the quota; in which it was stopped */
    uint64_t throttled_us;              /* for so long */
    uint64_t memory_bytes, limit_bytes; /* limit GROUP_NO_LIMIT: none */
    uint64_t cache_bytes;               /* part of memory that can be dropped: inactive files */
    uint64_t limit_hits;                /* how often the limit was met ("max", "failcnt") */
    uint64_t oom_kills;                 /* processes ended for it */
    uint64_t tasks;                     /* version 2 and pids controller only */
    struct pressure cpu, memory, io;    /* version 2 only */
};

/* Finds the group of a process (pid 0: this one). Returns 0 or HOST_NOT_KNOWN. Owner: caller,
 * group_place_fini. */
int group_place_of(const char *root, uint64_t pid, struct group_place *out);
/* Finds a group by its path below the mount of control groups ("/system.slice/nginx.service"), or
 * by that of its directory. */
int group_place_at(const char *root, const char *path, struct group_place *out);
void group_place_fini(struct group_place *place);

/* Reads it. Returns 0, or HOST_NOT_KNOWN when the group is gone. */
int group_read(const char *root, const struct group_place *place, struct text *room,
               struct group *out);

#endif
