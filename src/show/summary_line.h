/* show/summary_line.h - lines of the summary: a label in the left margin, then words broken to the
 * terminal's width. Used inside this room only. */
#ifndef SHOW_SUMMARY_LINE_H
#define SHOW_SUMMARY_LINE_H

#include "show/writer.h"

/* Appends a line; the words may be from outside. */
void summary_put_line(const char *label, const char *words, const struct show_options *options,
                      struct text *out);

#endif
