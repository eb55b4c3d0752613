/* testbed/json.h - walks a JSON text and tells of each plain value with its path.
 *
 * Enough to read a chat request strictly (RFC 8259): no tree is built, nothing is kept.
 *   Limits   JSON_DEPTH levels; a path longer than JSON_PATH bytes is cut. */
#ifndef TESTBED_JSON_H
#define TESTBED_JSON_H

#include "base/text.h"

enum { JSON_DEPTH = 32, JSON_PATH = 128 };

enum json_kind { JSON_STRING, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL };

/* Told of each string, number, true, false and null.
 *   path   member names joined by dots, elements of arrays as "[]": "messages.[].content"
 *   value  as it stands in the text; a string without its quotes, escapes not undone */
typedef void json_value_fn(void *self, struct span path, enum json_kind kind, struct span value);

/* Walks a whole text. Returns 0, or -EINVAL: it is not one JSON value (some may have been told). */
int json_walk(struct span text, json_value_fn *told, void *self);

#endif
