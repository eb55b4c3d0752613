/* show/table.h - columns that line up, whatever the letters: words to the left, numbers to the
 * right.
 *
 * A table wider than the page moves its columns together, cuts the first column, leaves out those
 * that say they may go (highest `leave` first), and cuts the first column once more, in this order
 * and only as far as needed. Numbers are never cut. */
#ifndef SHOW_TABLE_H
#define SHOW_TABLE_H

#include "base/text.h"
#include "show/words.h"

#include <stddef.h>

struct table;

struct table_column {
    const char *title; /* may be "" */
    bool right;        /* numbers */
    unsigned leave;    /* 0: never left out; else the highest is left out first */
};

/* A table without rows. Columns are copied; titles must outlive it. Owner: caller, table_free. */
struct table *table_new(const struct table_column *columns, size_t count);
/* Frees it; NULL is fine; returns NULL. */
struct table *table_free(struct table *table);

/* Writes the next cell, left to right and row by row. Words are copied and must be clean. */
void table_cell(struct table *table, const char *words);
/* The same in the colour of a tone. */
void table_cell_tone(struct table *table, const char *words, enum words_tone tone);

/* How many rows were begun. */
size_t table_rows(const struct table *table);

/* Appends the titles (unless all are "") and the rows, each line indented by this many blanks and
 * at most this many columns wide where leaving out and cutting can reach that. */
void table_put(const struct table *table, unsigned indent, unsigned columns, bool colour,
               struct text *out);

#endif
