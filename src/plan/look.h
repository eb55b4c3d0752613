/* plan/look.h - what checks and captures look at: a place in a reply. Used inside the plan room
 * only. */
#ifndef PLAN_LOOK_H
#define PLAN_LOOK_H

#include "plan/check.h"
#include "wire/json.h"

enum look_kind { LOOK_STATUS, LOOK_BODY, LOOK_JSON, LOOK_HEADER, LOOK_LATENCY, LOOK_BYTES };

struct look {
    enum look_kind kind;
    struct json_path path; /* LOOK_JSON */
    char *header;          /* LOOK_HEADER */
};

/* What is left of words that are read from their beginning. */
struct words {
    struct span rest;
};

/* The next blank-separated word, quotes kept; empty at the end. */
struct span words_next(struct words *words);

/* Reads "status", "body", "body.a.b[0]", "header NAME", "latency", "bytes" off the words.
 * Returns 0, or 1 with why set (written for people, at most 160 bytes). */
int look_read(struct words *words, struct look *out, char why[160]);
/* Frees what it owns. */
void look_fini(struct look *look);

/* Adds an error to notes: sentence by printf, then the hint. */
void look_error(struct notes *notes, const struct note *place, const char *hint, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

#endif
