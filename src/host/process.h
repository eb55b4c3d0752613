/* host/process.h - which process it is, for certain: numbers of processes are used again, so that a
 * number alone, read from a file later, may mean a stranger. With the instant at which the kernel
 * started it, it does not. */
#ifndef HOST_PROCESS_H
#define HOST_PROCESS_H

#include "base/text.h"
#include "host/file.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_mark {
    pid_t pid;
    uint64_t start_ticks; /* of the kernel's clock, since boot */
};

/* Fills the mark of a process that is there, a zombie included. Returns 0 or HOST_NOT_KNOWN. */
int process_mark(const char *root, pid_t pid, struct process_mark *out);

/* Whether the very process of a mark still runs; a zombie does not. */
bool process_runs(const char *root, const struct process_mark *mark);

/* Calls found for every running process whose environment holds exactly `variable`
 * ("NAME=value"), this one left out. Only those of the same user can be seen, unless root asks. */
void process_find(const char *root, const char *variable,
                  void (*found)(void *self, const struct process_mark *mark), void *self);

/* The name of this boot of the machine, by which marks of an earlier one are told; "" when not
 * known. */
void process_boot(const char *root, struct text *out);

#endif
