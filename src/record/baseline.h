/* record/baseline.h - runs that others are compared with, kept under a name: copies of the run
 * files, so that cleaning up runs loses nothing.
 *
 * A baseline is a directory DIRECTORY/NAME with run files in it. It is made beside its place and
 * put there in one step: a reader sees the old one or the new one, whole. */
#ifndef RECORD_BASELINE_H
#define RECORD_BASELINE_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Where baselines are when nothing else is said. */
#define BASELINE_DIRECTORY ".plimsoll/baselines"

/* Whether this may be a baseline's name: letters, digits, '.', '_', '-', none of which '.' first.
 */
bool baseline_name_fits(const char *name);

/* Its directory. Owner: caller. */
char *baseline_path(const char *directory, const char *name);

/* Keeps copies of these run files as the baseline; `more`: beside those that it has. The directory
 * must be there. Returns 0 or -errno; the baseline is then as it was. */
int baseline_store(const char *directory, const char *name, const char *const *paths, size_t count,
                   bool more);

/* Removes it. Returns 0 or -errno (-ENOENT: there is none). */
int baseline_remove(const char *directory, const char *name);

/* The names of all baselines, or the paths of one's run files; sorted, ended by NULL. Returns 0 or
 * -errno. Owner: caller, baseline_list_free. */
int baseline_names(const char *directory, char ***out);
int baseline_runs(const char *directory, const char *name, char ***out);
void baseline_list_free(char **list);

#endif
