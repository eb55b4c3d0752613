/* app/report_files.h - the reports of a run as files beside it. */
#ifndef APP_REPORT_FILES_H
#define APP_REPORT_FILES_H

#include "app/verb.h"
#include "record/result.h"

/* Where the reports of a run file go: its path without ".plim". Owner: caller, free(). */
char *report_directory(const char *run_path);

/* Writes the report of every writer that names a file into the directory, made when missing.
 * Returns 0, or -errno after saying on the error stream which file could not be written. */
int report_files_write(struct app *app, const struct result *result, const char *run_path,
                       const char *directory);

/* Writes bytes to a file, whole or not at all (a new file takes the place of an old one). Returns 0
 * or -errno. */
int file_write(const char *path, struct span bytes);

#endif
