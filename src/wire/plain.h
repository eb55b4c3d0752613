/* wire/plain.h - what a person reads in the body of an error: one line, and of a page its words. */
#ifndef WIRE_PLAIN_H
#define WIRE_PLAIN_H

#include "base/text.h"

/* Writes the words of a body into out, ended by a zero and cut to the room: runs of blanks and
 * control bytes become one blank, and where it begins as a page does ("<"), its tags, comments and
 * style sheets are left out, also one that is cut off. A body of tags alone is taken as it is. */
void plain_words(struct span body, char *out, size_t room);

#endif
