/* record/read.h - inside of record: the declarations of an open run file. */
#ifndef RECORD_READ_H
#define RECORD_READ_H

#include "record/result.h"
#include "record/source.h"

/* Which metric of the result a metric number of the file stands for; UINT32_MAX: none. */
struct read_map {
    uint32_t *counters;
    size_t counter_count;
    uint32_t *hists;
    size_t hist_count;
    uint32_t gauges[CORE_GAUGES];
};

/* Reads head, labels, metrics, requests, phases and rules. Returns 0, -errno or an outcome of
 * result_read. Owner: caller, result_free and read_map_fini. */
int read_declared(const struct source *source, struct result **out, struct read_map *map);
void read_map_fini(struct read_map *map);

/* A statement over the file, stepped row by row. */
struct rows {
    sqlite3 *db;
    sqlite3_stmt *statement;
    int error; /* 0, -errno or an outcome of result_read: stays */
};

/* Prepares; the first row comes with rows_next. */
struct rows rows_of(sqlite3 *db, const char *sql);
/* Whether there is one more row. */
bool rows_next(struct rows *rows);
/* A text of the row; "" for NULL. Owner: caller. */
char *rows_text(const struct rows *rows, int column);
/* A number of the row within 0 .. most; anything else is damage. */
int64_t rows_whole(struct rows *rows, int column, int64_t most);
/* Ends it and returns its error. */
int rows_end(struct rows *rows);

#endif
