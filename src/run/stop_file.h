/* run/stop_file.h - says which process makes a run, so that another terminal can stop it: a file
 * beside the run file (RUN.running, mode 0600) that is there as long as the run. It names the
 * process and its start, since a number alone may be somebody else's after a kill -9. */
#ifndef RUN_STOP_FILE_H
#define RUN_STOP_FILE_H

#include "base/text.h"
#include "host/process.h"

#define STOP_FILE_END ".running"

/* Writes the file of a run. What can not be written is left out: nothing but the stop from another
 * terminal depends on it. */
void stop_file_write(const char *run_path);
/* Removes it. */
void stop_file_remove(const char *run_path);

/* Reads one. Returns 0 with the mark; STOP_FILE_NONE: it is not there, or no such file. */
enum { STOP_FILE_NONE = 1 };
int stop_file_read(const char *path, struct process_mark *out);

#endif
