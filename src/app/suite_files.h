/* app/suite_files.h - finds what runs and suites leave in a directory: their undo journals, and the
 * files that say that they run. */
#ifndef APP_SUITE_FILES_H
#define APP_SUITE_FILES_H

#include "base/text.h"

#include <stdbool.h>

/* Calls found for each file in the directory and in those straight below it whose name ends so. */
void files_find(const char *directory, const char *end, void (*found)(void *self, const char *path),
                void *self);

/* The newest of these files, by the time of its last change; NULL: none. Owner: caller, free(). */
char *files_newest(const char *directory, const char *end);

/* The file of this name that words mean: the file itself, one in that directory, one beside that
 * run file, or with "@last" the newest below `runs`. NULL: none. Owner: caller, free(). */
char *files_meant(const char *words, const char *runs, const char *name);

#endif
