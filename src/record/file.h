/* record/file.h - inside of record: writes the rows of a run file.
 *
 * One thread owns it. The first error stays: every later call does nothing but return it. */
#ifndef RECORD_FILE_H
#define RECORD_FILE_H

#include "record/result.h"
#include "record/series.h"
#include "record/tally.h"
#include "record/trace_keep.h"

#include <sqlite3.h>

struct run_file;

/* The -errno that an SQLite result code of this connection stands for (-ENOSPC: disk full). */
int sqlite_errno(sqlite3 *db, int code);

/* Creates the file with all declarations, ready to be written (WAL). Returns 0 or -errno (-EEXIST);
 * nothing is left behind on an error. */
int run_file_create(struct run_file **out, const char *path, const struct result *declared);

/* Rows between begin and commit are seen by readers, and survive a kill, together. These and all
 * that write rows return 0 or the first error, as -errno. */
int run_file_begin(struct run_file *file);
int run_file_commit(struct run_file *file);

/* A block but its examples. */
int run_file_block(struct run_file *file, const struct tally_block *block,
                   const struct metric_table *metrics);
/* A traced request of a thread. */
int run_file_trace(struct run_file *file, uint32_t segment, const struct trace_row *row);
/* Writes an example, or its new count. */
int run_file_example(struct run_file *file, const struct result_example *example);
/* What recorder_event, recorder_saturated and recorder_fact were told; a fact's last value wins. */
int run_file_event(struct run_file *file, nsec_t at_ns, const char *kind, const char *words);
int run_file_saturated(struct run_file *file, nsec_t begin_ns, nsec_t end_ns, const char *words);
int run_file_fact(struct run_file *file, const char *name, const char *value);
/* A metric that was declared: its kind in words, and its number among those of the kind. */
int run_file_metric(struct run_file *file, const char *kind, size_t number,
                    const struct metric *metric);
/* A thing that is watched, a series of it, and a sample (a finite one) of the series. */
int run_file_watched(struct run_file *file, uint32_t number, const struct result_watched *watched);
int run_file_series(struct run_file *file, uint32_t number, uint32_t watched, const char *metric,
                    const char *part);
int run_file_sample(struct run_file *file, uint32_t series, const struct series_sample *sample);

/* The first error, or 0. */
int run_file_error(const struct run_file *file);

/* Marks the run finished, makes one plain file of it and frees it. When there was an error, the
 * file stays as it is (a reader takes the WAL with it). Returns as run_file_error; NULL is fine. */
int run_file_close(struct run_file *file);

#endif
