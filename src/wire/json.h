/* wire/json.h - finds values in JSON bytes without building a tree: the scanner of the hot path.
 *
 * It does not validate what it skips beyond nesting and strings, so that it is fast; what it
 * returns is exact. For documents, use jansson. Never reads outside the span; depth is limited to
 * JSON_DEPTH. */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum { JSON_DEPTH = 128, JSON_PATH_STEPS = 16 };

enum json_kind {
    JSON_ABSENT,
    JSON_NULL,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_value {
    enum json_kind kind;
    struct span raw; /* as in the bytes; a string without its quotes and still escaped */
};

/* A compiled path: "choices[0].delta.content", "$.usage.total_tokens", "['odd key'][-1]", "" (the
 * whole). */
struct json_path {
    struct json_step {
        struct span key; /* at == NULL: an index */
        long index;      /* negative counts from the end */
    } steps[JSON_PATH_STEPS];
    size_t count;
    char *words; /* owned copy; keys point into it */
};

/* Compiles a path. Returns 0, or JSON_PATH_BAD with *at (offset in words) and *why set. */
enum { JSON_PATH_BAD = 1 };
int json_path_compile(struct span words, struct json_path *out, size_t *at, const char **why);
void json_path_fini(struct json_path *path);

/* The value at a path; kind JSON_ABSENT when it is not there or the bytes are not JSON up to it. Of
 * several members of one name the first counts. */
struct json_value json_find(struct span bytes, const struct json_path *path);

/* Appends the text of a string value, escapes and surrogates decoded to UTF-8; other kinds as they
 * stand. Returns 0 or -EILSEQ (bad escape; out is then unchanged). */
int json_text(struct json_value value, struct text *out);
/* The number of a JSON_NUMBER value. Returns 0 or -EINVAL. */
int json_number(struct json_value value, double *number);
/* Appends bytes escaped as the inside of a JSON string. Bytes that are not UTF-8 become U+FFFD. */
void json_escape(struct span bytes, struct text *out);

#endif
