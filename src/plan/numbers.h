/* plan/numbers.h - columns of numbers out of a text file: what the analysis tools take.
 *
 * A row a line; cells are separated by commas, semicolons, tabs or blanks. A first line that is not
 * a number in any cell names the columns. Empty lines and what follows a # are left out. A column
 * may hold words (dates, commits) as long as nobody takes it for numbers. */
#ifndef PLAN_NUMBERS_H
#define PLAN_NUMBERS_H

#include "base/text.h"

#include <stddef.h>

enum { NUMBERS_BAD = 1, NUMBERS_COLUMNS = 1024 };

struct numbers {
    size_t rows, columns;
    double *cells; /* rows x columns, row by row; NAN: not a number */
    char **names;  /* of the columns, in lower case; NULL: the file names none */
    char **words; /* of the columns: a sentence on their first cell that is no number; NULL: none */
};

/* Reads it. Returns 0, or NUMBERS_BAD with a sentence in why that begins with file and line. Owner:
 * caller, numbers_fini. */
int numbers_read(const char *file, struct span bytes, struct numbers *out, struct text *why);
/* Frees it. */
void numbers_fini(struct numbers *numbers);

/* The column with one of these names (separated by blanks); else the fallback-th column, when the
 * file names none; -1: there is none. */
int numbers_column(const struct numbers *numbers, const char *names, int fallback);
/* The column that a user names, by its name or its number from 1; -1: there is none. */
int numbers_column_said(const struct numbers *numbers, struct span said);
/* A copy of a column, numbers->rows long; NULL when a cell is no number: why says which. Owner:
 * caller, free(). */
double *numbers_take(const struct numbers *numbers, int column, struct text *why);
/* A copy of all cells, rows x columns, likewise. */
double *numbers_take_all(const struct numbers *numbers, struct text *why);

#endif
