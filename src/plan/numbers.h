/* plan/numbers.h - columns of numbers out of a text file: what the analysis tools take.
 *
 * A row a line; cells are separated by commas, semicolons, tabs or blanks. A first line that is not
 * all numbers names the columns. Empty lines and what follows a # are left out. */
#ifndef PLAN_NUMBERS_H
#define PLAN_NUMBERS_H

#include "base/text.h"

#include <stddef.h>

enum { NUMBERS_BAD = 1, NUMBERS_COLUMNS = 32 };

struct numbers {
    size_t rows, columns;
    double *cells;                /* rows x columns, row by row */
    char *names[NUMBERS_COLUMNS]; /* in lower case; NULL: the file names none */
};

/* Reads it. Returns 0, or NUMBERS_BAD with a sentence in why that begins with file and line. Owner:
 * caller, numbers_fini. */
int numbers_read(const char *file, struct span bytes, struct numbers *out, struct text *why);
/* Frees it. */
void numbers_fini(struct numbers *numbers);

/* The column with one of these names (separated by blanks); else the fallback-th column, when the
 * file names none; -1: there is none. */
int numbers_column(const struct numbers *numbers, const char *names, int fallback);
/* A copy of a column. Owner: caller, free(). */
double *numbers_take(const struct numbers *numbers, int column);

#endif
