/* testbed/value.h - finds its way in a JSON text that json_walk has found to be one.
 *
 * No tree is built: a value is the span of its bytes, blanks around it taken off, and its members
 * and elements are spans inside it. Each look-up passes over the bytes before it, so that reading
 * members of a large object one by one costs its length each time. */
#ifndef TESTBED_VALUE_H
#define TESTBED_VALUE_H

#include "base/text.h"

/* The value of an object's first member of this name (compared byte by byte, escapes not undone).
 * Returns false, and an empty span with at NULL, when there is none or it is no object. */
bool value_member(struct span object, const char *name, struct span *value);
/* The same through several objects: "params.arguments.path". */
bool value_at(struct span object, const char *path, struct span *value);

/* What is between the brackets of an array or the braces of an object; an empty span for others. */
struct span value_inside(struct span value);
/* Takes the next element off what value_inside gave of an array. Returns false at its end. */
bool value_next(struct span *rest, struct span *element);

/* By its first byte. */
bool value_is_array(struct span value);
/* By its first byte. */
bool value_is_object(struct span value);
/* By its first byte. */
bool value_is_text(struct span value);
/* Neither missing nor null. */
bool value_is_given(struct span value);

/* Appends a string with its escapes undone, as UTF-8 (a lone surrogate becomes U+FFFD). Returns
 * false, with nothing appended, when it is no string. */
bool value_text(struct span value, struct text *out);
/* Reads a number. Returns 0 or -EINVAL. */
int value_real(struct span value, double *number);
/* Reads a whole number that is not negative. Returns 0 or -EINVAL. */
int value_uint(struct span value, uint64_t *number);

/* Whether the whole is one JSON value, to be asked before anything else here. */
bool value_is_valid(struct span text);

#endif
