/* run/need.h - what a plan needs of this machine, against what there is: descriptors, ports. A plan
 * that needs more is refused with the arithmetic before anything is sent. Arithmetic but for
 * need_limits_read. */
#ifndef RUN_NEED_H
#define RUN_NEED_H

#include "plan/note.h"
#include "plan/plan.h"

#include <stdint.h>

/* What this machine allows; 0: not known. */
struct need_limits {
    uint64_t descriptors;      /* RLIMIT_NOFILE of this process */
    uint64_t descriptors_most; /* what it could be raised to */
    uint64_t processes;        /* of this user, ours and others together (RLIMIT_NPROC) */
    uint64_t ports;            /* ephemeral ports for one pair of addresses */
};

/* Asks this machine. */
void need_limits_read(struct need_limits *out);

/* The largest numbers at any instant of the plan. */
struct need {
    uint64_t users;       /* virtual users at once, over all scenarios; open ones: as bounded */
    uint64_t connections; /* open at once */
    uint64_t descriptors; /* connections and what else the program holds */
    uint64_t children;    /* servers run as child processes, at once */
    uint64_t pairs;       /* pairs of source and destination address that share the connections */
    bool bounded;         /* false: an open scenario without max_vus has no bound of its own */
};

/* Counts what the plan needs with this many loop threads. */
struct need need_of(const struct plan *plan, uint64_t threads);

/* Adds the child processes of so many servers that are spoken to over stdio, and what they take.
 * only: no request goes over a network, so that there are no connections. */
void need_add_children(struct need *need, const struct plan *plan, uint64_t threads,
                       uint64_t servers, bool only);

/* Adds an error with the arithmetic for each thing that is not enough. */
void need_check(const struct need *need, const struct plan *plan, const struct need_limits *limits,
                struct notes *notes);

#endif
