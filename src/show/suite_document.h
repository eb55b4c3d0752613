/* show/suite_document.h - a suite as one JSON document, `scalability_results.json`, and back. Its
 * schema is doc/scalability-results.schema.json.
 *
 * Every key says its unit (_s, _ns, _rps, _share). What is not known is null. The document holds
 * all that the studies of a curve look at, so that `plimsoll analyze --test-results` needs nothing
 * else. */
#ifndef SHOW_SUITE_DOCUMENT_H
#define SHOW_SUITE_DOCUMENT_H

#include "base/text.h"
#include "study/level.h"

#include <jansson.h>

enum { SUITE_SCHEMA_VERSION = 1 };

/* The whole document. Never NULL. Owner: caller, json_decref. */
json_t *suite_document(const struct suite *suite);

/* Appends it as text, indented, keys in the order of the schema, ended by a line feed. */
void suite_document_write(const struct suite *suite, struct text *out);

enum { SUITE_NOT_ONE = 1, SUITE_NEWER = 2 };
/* Reads a document. Returns 0, SUITE_NOT_ONE (no JSON, or not of this kind) or SUITE_NEWER, with
 * one sentence appended to why. Owner: caller, suite_free. */
int suite_document_read(struct span bytes, struct suite **out, struct text *why);

/* The same from a file; also -errno. */
int suite_document_read_file(const char *path, struct suite **out, struct text *why);

#endif
