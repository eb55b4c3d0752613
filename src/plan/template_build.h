/* plan/template_build.h - makes a template of several parts: words with holes between bytes that
 * stand as they are, as when a YAML value becomes JSON. Used inside the plan room only. */
#ifndef PLAN_TEMPLATE_BUILD_H
#define PLAN_TEMPLATE_BUILD_H

#include "plan/template.h"

/* How the bytes of a hole are written. */
enum escape { ESCAPE_NONE, ESCAPE_JSON, ESCAPE_URL };

/* Where the holes of some words stand, to look at them before they are compiled. */
struct hole {
    struct span words;  /* between the braces, trimmed */
    struct span name;   /* before the bar, trimmed */
    struct span filter; /* after the bar, trimmed; empty: none */
    size_t begin, past; /* of the whole, braces included, in the words */
};

/* The first hole at or after an offset. Returns 0, HOLE_NONE, or HOLE_OPEN (begins and does not
 * end; out->begin set). */
enum { HOLE_NONE = 1, HOLE_OPEN = 2 };
int hole_find(struct span words, size_t from, struct hole *out);

/* An empty template. */
struct template *template_new(void);
/* Appends bytes that stand as they are. */
void template_add_bytes(struct template *template, struct span bytes);
/* Appends words with holes; literal bytes and, where a hole names no filter, its value are written
 * with `escape`. Returns 0, or 1 after adding at least one error to notes. */
int template_add_words(struct template *template, struct span words, enum escape escape,
                       struct symbols *symbols, const struct note *place, struct notes *notes);

#endif
