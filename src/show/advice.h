/* show/advice.h - an analysis read back from `bottleneck_analysis.json`, and the advice made of it
 * as text or as one JSON document. Its schema is doc/recommendations.schema.json.
 *
 * The text has the headings that people know from scaling reports (1. Vertical Scaling, 2.
 * Horizontal Scaling, 3. Architecture Optimizations), before them what is only a setting, and under
 * each line what it rests on. */
#ifndef SHOW_ADVICE_H
#define SHOW_ADVICE_H

#include "show/words.h"
#include "study/advise.h"

#include <jansson.h>

enum { ADVICE_SCHEMA_VERSION = 1 };

enum { ADVICE_NOT_ONE = 1, ADVICE_NEWER = 2 };
/* Reads an analysis. Returns 0, ADVICE_NOT_ONE (no JSON, not an analysis, or nothing in it) or
 * ADVICE_NEWER, with one sentence appended to why. Owner: caller, advice_case_fini, after 0. */
int advice_case_read(struct span bytes, struct advice_case *out, struct text *why);

/* What was asked and what came out. */
struct advice_view {
    const struct advice_case *the_case;
    const struct advice_wish *wish;
    const struct advice *advice;
};

/* The whole document. Never NULL. Owner: caller, json_decref. */
json_t *advice_document(const struct advice_view *view);

/* Appends the text. brief: the headings and their lines alone. */
void advice_put(const struct advice_view *view, bool colour, bool brief, struct text *out);

#endif
