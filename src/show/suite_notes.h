/* show/suite_notes.h - what stands under the tables of a scale test: the capacity that was found,
 * the machine before and after, and each level whose figures need a word of caution. */
#ifndef SHOW_SUITE_NOTES_H
#define SHOW_SUITE_NOTES_H

#include "base/text.h"
#include "study/level.h"

/* Appends a line each; nothing where there is nothing to say. */
void suite_notes(const struct suite *suite, bool markdown, struct text *out);

#endif
