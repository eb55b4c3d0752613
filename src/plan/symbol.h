/* plan/symbol.h - the names that templates of a scenario may use. Used inside the plan room only.
 */
#ifndef PLAN_SYMBOL_H
#define PLAN_SYMBOL_H

#include "plan/template.h"

/* The symbol of this name, or NULL. */
struct symbol *symbols_find(const struct symbols *symbols, struct span name);
/* Adds a symbol without a slot; the name is copied. The pointer holds until the next one is added.
 */
struct symbol *symbols_add(struct symbols *symbols, struct span name, enum symbol_kind kind);
/* Gives the symbol a slot if it has none; SLOT_NONE when there are no more. */
uint16_t symbols_slot(struct symbols *symbols, struct symbol *symbol);
/* A copy of all of them, slots included. */
struct symbols symbols_copy(const struct symbols *symbols);
/* Frees them; empty again. */
void symbols_fini(struct symbols *symbols);
/* Hides the captures from this index on from later templates, by putting `owner` and a slash before
 * their names: they are values of one task's iteration. */
void symbols_hide_captures(struct symbols *symbols, size_t first, const char *owner);
/* The known name nearest to one that is not known, or NULL when none is near. */
const char *symbols_nearest(const struct symbols *symbols, const char *name);

/* A built-in generator by its words ("uuid", "random.int(1,6)").
 * Returns 0 with kind, low and high of out set; GENERATOR_UNKNOWN; or GENERATOR_BAD with *why. */
enum { GENERATOR_UNKNOWN = 1, GENERATOR_BAD = 2 };
int generator_read(struct span words, struct symbol *out, const char **why);

#endif
