/* app/tool_file.h - what the tools of analysis share: files read whole, numbers out of them, and
 * the style of the answer. */
#ifndef APP_TOOL_FILE_H
#define APP_TOOL_FILE_H

#include "app/verb.h"
#include "plan/numbers.h"
#include "show/law.h"

/* Reads a file ("-": standard input) of at most 64 MiB. Returns 0, or an exit code after saying
 * why. Owner: caller, text_fini. */
int tool_read(struct app *app, const char *path, struct text *out);
/* Reads columns of numbers likewise. Owner: caller, numbers_fini. */
int tool_numbers(struct app *app, const char *path, struct numbers *out);
/* The column that option --column (or another name) says, else `fallback`. Returns it, or -1 after
 * saying what there is. */
int tool_column(struct app *app, const char *path, const struct numbers *numbers,
                const struct span *said, int fallback);
/* A copy of a column, or of all cells (column -1); NULL after saying which cell is no number.
 * Owner: caller, free(). */
double *tool_take(struct app *app, const struct numbers *numbers, int column);
/* The style that the options --json and --confidence ask for. Returns 0 or EXIT_USAGE. */
int tool_style(struct app *app, const struct verb *verb, const struct arguments *arguments,
               struct law_style *out);
/* The value of a real or share option ("5%", "0.05"); unset when not given; NAN: not a number. */
double tool_real(const struct arguments *arguments, const char *name, double unset);
/* Prints the answer, or the reason after the file's name; frees both. Returns the exit code. */
int tool_answer(struct app *app, const char *path, int error, struct text *out, struct text *why);

#endif
