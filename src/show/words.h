/* show/words.h - words from outside, made fit to be shown.
 *
 * Names, error messages and plan texts come from users and from servers under test. Before they
 * reach a terminal, a page or a JSON document, bytes that are not UTF-8 become U+FFFD, and control
 * characters (escape sequences that would repaint a terminal) and the marks that turn the writing
 * direction around become visible. */
#ifndef SHOW_WORDS_H
#define SHOW_WORDS_H

#include "base/text.h"

#include <stdbool.h>

/* Appends the words, cleaned. Line feeds and tabs are kept when `lines`, else become a blank. */
void words_put(struct text *out, const char *words, bool lines);

/* The cleaned words as a text of their own; NULL gives "". Owner: caller, free(). */
char *words_clean(const char *words, bool lines);

/* How many columns of a terminal valid UTF-8 takes: 0 for combining marks, 2 for wide letters.
 *   Source   Unicode 15, East Asian Width, the ranges that terminals agree on. */
unsigned words_width(const char *words);

/* Appends at most this many columns of valid UTF-8; what was cut ends in "…". */
void words_put_cut(struct text *out, const char *words, unsigned columns);

/* Appends words from outside, cleaned, broken at blanks to lines of this many columns; the first
 * line goes on where the text is, which is `indent` columns from the margin, and the others begin
 * there. Ends with a line feed. */
void words_put_wrapped(struct text *out, const char *words, unsigned indent, unsigned columns);

/* What a piece of text means, for colour. */
enum words_tone { TONE_PLAIN, TONE_STRONG, TONE_FAINT, TONE_GOOD, TONE_DOUBTFUL, TONE_BAD };

/* Appends the words in the colour of the tone; without `colour`, the words alone. */
void words_put_tone(struct text *out, bool colour, enum words_tone tone, const char *words);

#endif
