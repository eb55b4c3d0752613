/* record/path.h - how run files are called, and where "@last" is.
 *
 * A run's file is DIRECTORY/2026-11-20T14-02-03-NAME.plim: the wall clock's UTC at its start, no
 * colons (they trouble other systems and tools), and the plan's name with everything but letters,
 * digits, '.', '_' and '-' made '-'. Names sort by time. */
#ifndef RECORD_PATH_H
#define RECORD_PATH_H

#include "base/clock.h"

#define RUN_FILE_ENDING ".plim"

/* A path in this directory that does not exist yet; when the second's name is taken, "-2", "-3" and
 * so on follow the name. The directory need not exist. Two programs may still be told the same
 * name: recorder_new refuses the second. name NULL or without usable letters: "run". Owner:
 * caller. */
char *run_path_new(const char *directory, const char *name, nsec_t wall_start_ns);

/* What the user wrote for a run: a path as it is, or "@last", the newest run file in the directory
 * (by the time in its name; files named otherwise by when they were changed). Writes the path
 * (owner: caller) and returns 0, or -errno (-ENOENT: no run there). */
int run_path_resolve(const char *words, const char *directory, char **out);

#endif
