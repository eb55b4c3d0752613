/* plan/feeder.h - rows out of CSV and JSONL bytes. Used inside the plan room only. */
#ifndef PLAN_FEEDER_H
#define PLAN_FEEDER_H

#include "plan/plan.h"

/* Where and why the reading of rows stopped. */
struct feed_error {
    unsigned line, column; /* from 1 */
    char why[160];
};

enum { FEED_BAD = 1, FEED_COLUMNS = 1024 };

/* Reads CSV as RFC 4180 has it (quotes, line feeds in quotes, CRLF or LF) with a head line. The
 * bytes are changed in place (quotes are taken out) and the cells point into them. Returns 0, or
 * FEED_BAD with *error set. */
int csv_read(char *bytes, size_t count, struct plan_feeder *feeder, struct feed_error *error);

/* Reads JSONL: an object a line, all with the keys of the first; or a text or number a line, column
 * "value". The cells point into feeder->bytes, which is made anew. */
int jsonl_read(const char *bytes, size_t count, struct plan_feeder *feeder,
               struct feed_error *error);

/* Adds a cell to the last row. */
void feeder_add_cell(struct plan_feeder *feeder, struct span cell);
/* Adds a column; the name is copied. */
void feeder_add_column(struct plan_feeder *feeder, struct span name);

#endif
