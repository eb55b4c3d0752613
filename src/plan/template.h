/* plan/template.h - texts with holes: "Bearer {{ env.TOKEN }}", "{{ prompts.next }}", "{{ id }}".
 *
 * Compiled at load time into pieces; rendering only copies bytes, so that a loop thread allocates
 * nothing. What fills a hole is a slot: a number agreed with the plan's symbols. Drawing values
 * into slots (the next feeder row, a random number) is done before rendering, once an iteration, so
 * that rendering twice gives the same bytes (a request sent again on a fresh connection is the
 * same).
 *
 * Grammar: "{{" name "}}", name = word ("." word)*, blanks around it allowed. "{{{{" is a literal
 * "{{". vu, iteration, seed, uuid, now_ms, random.int(a,b), random.real, random.hex(n)  built-in
 *   env.NAME                     constant, replaced at compile time
 *   target                       the plan's target (of several the first), without a slash at
 *                                its end; likewise
 *   NAME                         a plan variable (constant) or a captured value of this iteration
 *   FEEDER.next, FEEDER.COLUMN   a feeder's row; .next for feeders of one column, and for prompts
 *   FEEDER.tokens .output .messages  of a feeder of prompts; .messages is JSON
 * The same words are the same value throughout an iteration ({{ uuid }} twice is one). What a task
 * captures ends with its iteration; what set-up captures is known to all.
 * "| json" after the name escapes the value as the inside of a JSON string, "| url"
 * percent-encodes. In values that become JSON, texts are escaped by themselves, and a text that is
 * one hole with "| number" stands without quotes. */
#ifndef PLAN_TEMPLATE_H
#define PLAN_TEMPLATE_H

#include "base/text.h"
#include "plan/note.h"

#include <stdbool.h>
#include <stdint.h>

enum { SLOT_NONE = UINT16_MAX };

enum symbol_kind {
    SYMBOL_CONSTANT,  /* replaced at compile time */
    SYMBOL_CAPTURE,   /* filled by a capture of an earlier request of the iteration */
    SYMBOL_FEEDER,    /* filled from a feeder's row when the iteration begins */
    SYMBOL_GENERATED, /* filled by a built-in generator when the iteration begins */
};

enum generator {
    GENERATE_VU,        /* number of the virtual user, from 0 over all threads */
    GENERATE_ITERATION, /* number of the iteration within the scenario, from 0 over all threads */
    GENERATE_UUID,      /* version 4, from the run's seed */
    GENERATE_NOW_MS,    /* wall clock, milliseconds since 1970, when the iteration begins */
    GENERATE_INT,       /* whole number in low .. high */
    GENERATE_REAL,      /* number in (0, 1) */
    GENERATE_HEX,       /* `low` hexadecimal digits */
};

/* One thing that a template may name. Slots are numbered densely from 0 within a scenario. */
struct symbol {
    char *name;
    enum symbol_kind kind;
    uint16_t slot;           /* SLOT_NONE: a constant, or named by no template of the scenario */
    char *constant;          /* SYMBOL_CONSTANT */
    uint32_t feeder;         /* SYMBOL_FEEDER: index in plan.feeders */
    uint32_t column;         /* SYMBOL_FEEDER: column of the row, or enum prompt_column */
    bool json;               /* its value is JSON, and stands in JSON as it is */
    enum generator generate; /* SYMBOL_GENERATED */
    int64_t low, high;
};

/* The names known to a scenario; grows as captures and generators are met while compiling. */
struct symbols {
    struct symbol *items;
    size_t count;
    uint16_t slots; /* how many slots an iteration of this scenario needs */
};

struct template;

/* Compiles words. symbols: names that may be used (built-in generators are added to it on demand).
 * place: file, line, column of the words, for notes. Returns the template (owner: caller), or NULL
 * after adding at least one error to notes (unknown name with the nearest known one, unclosed
 * hole). */
struct template *template_compile(struct span words, struct symbols *symbols,
                                  const struct note *place, struct notes *notes);

/* The bytes when the template has no holes, so that nothing need be rendered; else at == NULL. */
struct span template_constant(const struct template *template);

/* Appends the rendered bytes. slots: values by slot number (an unset slot renders as nothing). */
void template_render(const struct template *template, const struct span *slots, struct text *out);

/* Whether it has a hole that this slot fills. */
bool template_uses(const struct template *template, uint16_t slot);

/* Frees it; NULL is fine. Returns NULL. */
struct template *template_free(struct template *template);

#endif
