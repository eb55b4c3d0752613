/* wire/json_pull.h - goes through JSON once, taking what is wanted and passing over the rest: for
 * messages of which several members matter, where json_find would read them once for each.
 *
 *     struct json_pull pull = json_pull_of(bytes);
 *     struct span key;
 *     if (json_pull_object(&pull))
 *         while (json_pull_member(&pull, &key))
 *             if (span_equal(key, SPAN("usage")))
 *                 ...
 *             else
 *                 json_pull_skip(&pull);
 *
 * It checks nesting, strings and that values are there, not every comma. A member's name is given
 * as it stands in the bytes. Never reads outside the span; depth is limited to JSON_DEPTH. */
#ifndef WIRE_JSON_PULL_H
#define WIRE_JSON_PULL_H

#include "wire/json.h"

#include <stdint.h>
#include <string.h>

struct json_pull {
    const char *at, *end;
    bool broken; /* what came is not JSON; every call from then on gives nothing */
};

/* Stands before the first value of these bytes. */
struct json_pull json_pull_of(struct span bytes);

/* The kind of the value ahead, by its first byte; JSON_ABSENT when there is none. */
enum json_kind json_pull_kind(struct json_pull *pull);

/* Enters the object ahead. Returns false when the value ahead is none: it is passed over then. */
bool json_pull_object(struct json_pull *pull);
/* The next member's name (raw), with its value ahead, which must be taken or skipped. Returns false
 * at the object's end, which is passed. */
bool json_pull_member(struct json_pull *pull, struct span *name);

/* Whether a member's name is this literal: the compiler knows the length, so that going through the
 * names that a reply may have costs little. */
#define json_pull_is(name, literal)                                                                \
    ((name).bytes == sizeof(literal) - 1 && memcmp((name).at, literal, sizeof(literal) - 1) == 0)

/* The same for arrays: enters; whether there is another element, with its value ahead. */
bool json_pull_array(struct json_pull *pull);
bool json_pull_element(struct json_pull *pull);

/* Takes the value ahead whole: objects and arrays as raw bytes, strings without their quotes. */
struct json_value json_pull_value(struct json_pull *pull);
/* Passes over it. */
void json_pull_skip(struct json_pull *pull);
/* Takes it; returns whether it is a text that is not empty, and gives its raw bytes (text may be
 * NULL). */
bool json_pull_text(struct json_pull *pull, struct span *text);
/* Takes it if it is a whole number of 0 to 2^53 and gives it; else passes over it. Returns whether
 * it was one. */
bool json_pull_uint(struct json_pull *pull, uint64_t *number);

/* Whether nothing but blanks is left, and nothing was broken. */
bool json_pull_ended(struct json_pull *pull);

#endif
