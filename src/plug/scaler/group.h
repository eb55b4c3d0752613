/* plug/scaler/group.h - one control group, of version 1 or 2, read and changed while what is in it
 * runs.
 *
 * Version 1 has a tree a controller; the same path in each is one group here. Version 2 is used
 * where its tree has the controllers. In a tree planted by a test the files must be there already.
 */
#ifndef PLUG_SCALER_GROUP_H
#define PLUG_SCALER_GROUP_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum group_limit { GROUP_CORES, GROUP_MEMORY, GROUP_CPUSET, GROUP_LIMITS };

struct group;

/* The group of a path below the hierarchy ("/plimsoll-7/1"); limits: bits of (1 << enum
 * group_limit) that will be asked of it. make: it is made where it is not there. Returns 0, or an
 * outcome of a scaler (SCALER_ABSENT, SCALER_FORBIDDEN, SCALER_FAILED) with why. Owner: caller,
 * group_free. */
int group_open(const char *root, const char *path, unsigned limits, bool make, struct group **out,
               struct text *why);
/* Frees it; the group itself stays; NULL is fine; returns NULL. */
struct group *group_free(struct group *group);

/* Where a new group may be made: "" at the top of the hierarchy. Appends the path of the nearest
 * one above this process that may be written. */
void group_home(const char *root, unsigned limits, struct text *out);

/* The path of the group that a process is in, for a limit's controller. Returns 0 or an outcome. */
int group_of_process(const char *root, pid_t pid, unsigned limits, struct text *out,
                     struct text *why);

/* The limits. Cores: INFINITY for none. Bytes: INFINITY for none. Returns 0 or an outcome. */
int group_read(const struct group *group, enum group_limit limit, double *value, struct text *why);
int group_write(const struct group *group, enum group_limit limit, double value, struct text *why);
/* Appends what the files of a limit say, in one line, and writes that back: exactly as it was, also
 * what the functions above would round. Returns 0 or an outcome. */
int group_save(const struct group *group, enum group_limit limit, struct text *out,
               struct text *why);
int group_restore(const struct group *group, const char *saved, struct text *why);
/* The processors that it may use, as "0-3,8"; "" for all that its parent may. */
int group_read_cpuset(const struct group *group, struct text *cpus, struct text *why);
int group_write_cpuset(const struct group *group, const char *cpus, struct text *why);

/* The files that a process writes itself into: NULL-ended; owned by the group. */
const char *const *group_doors(const struct group *group);
/* Moves a process into it. Returns 0 or an outcome. */
int group_enter(const struct group *group, pid_t pid, struct text *why);
/* Calls found for each process in it. Returns 0 or an outcome. */
int group_processes(const struct group *group, void (*found)(void *self, pid_t pid), void *self,
                    struct text *why);
/* Removes the group, which must be empty; one that is not there is fine. Returns 0 or an outcome.
 */
int group_remove(const struct group *group, struct text *why);

#endif
