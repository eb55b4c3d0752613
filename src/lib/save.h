/* lib/save.h - reports as files: written beside their place and then moved there, so that a full
 * disk or an interrupt never leaves half a page. */
#ifndef LIB_SAVE_H
#define LIB_SAVE_H

#include "base/text.h"
#include "plug/list.h"
#include "record/result.h"

/* Writes bytes to a file, whole or not at all (a new file takes the place of an old one). Returns 0
 * or -errno. */
int save_file(const char *path, struct span bytes);

/* Writes the report of every writer that names a file into the directory, made when missing.
 * run_path: of the run file, or NULL. failed: the path that could not be written is appended.
 * Returns 0, or -errno of the first that could not. */
int save_reports(const struct plug_list *plugs, const struct result *result, const char *run_path,
                 const char *directory, struct text *failed);

#endif
