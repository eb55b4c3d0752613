/* record/source.h - inside of record: opens a run file for reading, whatever state it was left in.
 *
 * A run that was killed has its last seconds in the WAL beside it. Where the directory may be
 * written, SQLite reads both as they are. Where it may not, the two are copied to a temporary
 * directory first, since SQLite needs to write its index of the WAL beside them. Reading never
 * changes the run file or its WAL. */
#ifndef RECORD_SOURCE_H
#define RECORD_SOURCE_H

#include <sqlite3.h>

struct source {
    sqlite3 *db;
    char *uri;  /* for ATTACH */
    char *copy; /* path of the copy in a temporary directory of its own, or NULL */
};

/* Opens it and begins a read transaction. Returns 0, -errno, or an outcome of result_read. */
int source_open(struct source *source, const char *path);
/* Closes it and removes the copy. */
void source_close(struct source *source);

/* What an SQLite result code means to who reads: 0, -errno, or RESULT_DAMAGED. */
int source_error(sqlite3 *db, int code);

/* Looks at the file's head only. Returns 0, -errno, or an outcome of result_read. */
int source_probe(const char *path);

#endif
