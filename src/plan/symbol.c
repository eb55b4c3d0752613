/* Names of templates: constants, captures, columns of feeders, and the built-in generators. */
#include "plan/symbol.h"

#include "base/memory.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum generator generate;
    int arguments;
} generators[] = {
    {"vu", GENERATE_VU, 0},          {"iteration", GENERATE_ITERATION, 0},
    {"uuid", GENERATE_UUID, 0},      {"now_ms", GENERATE_NOW_MS, 0},
    {"random.int", GENERATE_INT, 2}, {"random.real", GENERATE_REAL, 0},
    {"random.hex", GENERATE_HEX, 1},
};

enum { GENERATORS = sizeof generators / sizeof *generators, HEX_MOST = 1024 };

struct symbol *symbols_find(const struct symbols *symbols, struct span name)
{
    for (size_t i = 0; i < symbols->count; i++) {
        if (span_equal(span_of(symbols->items[i].name), name))
            return &symbols->items[i];
    }
    return NULL;
}

struct symbol *symbols_add(struct symbols *symbols, struct span name, enum symbol_kind kind)
{
    symbols->items = memory_resize(symbols->items, symbols->count + 1, sizeof *symbols->items);
    struct symbol *symbol = &symbols->items[symbols->count++];
    *symbol = (struct symbol){.kind = kind, .slot = SLOT_NONE};
    struct text copy = TEXT_EMPTY;
    text_put(&copy, name);
    symbol->name = text_take(&copy);
    return symbol;
}

uint16_t symbols_slot(struct symbols *symbols, struct symbol *symbol)
{
    if (symbol->slot == SLOT_NONE && symbols->slots < SLOT_NONE)
        symbol->slot = symbols->slots++;
    return symbol->slot;
}

struct symbols symbols_copy(const struct symbols *symbols)
{
    struct symbols copy = *symbols;
    copy.items = memory_new(symbols->count, sizeof *copy.items);
    for (size_t i = 0; i < symbols->count; i++) {
        copy.items[i] = symbols->items[i];
        copy.items[i].name = memory_copy_text(symbols->items[i].name);
        copy.items[i].constant = memory_copy_text(symbols->items[i].constant);
    }
    return copy;
}

void symbols_fini(struct symbols *symbols)
{
    for (size_t i = 0; i < symbols->count; i++) {
        free(symbols->items[i].name);
        free(symbols->items[i].constant);
    }
    free(symbols->items);
    *symbols = (struct symbols){0};
}

void symbols_hide_captures(struct symbols *symbols, size_t first, const char *owner)
{
    for (size_t i = first; i < symbols->count; i++) {
        struct symbol *symbol = &symbols->items[i];
        if (symbol->kind != SYMBOL_CAPTURE)
            continue;
        struct text name = TEXT_EMPTY;
        text_printf(&name, "%s/%s", owner, symbol->name);
        free(symbol->name);
        symbol->name = text_take(&name);
    }
}

static void keep_nearest(const char *name, const char *candidate, size_t *best,
                         const char **nearest)
{
    size_t distance = text_distance(name, candidate);
    if (distance < *best) {
        *best = distance;
        *nearest = candidate;
    }
}

const char *symbols_nearest(const struct symbols *symbols, const char *name)
{
    const char *nearest = NULL;
    size_t best = strlen(name) / 3 + 2; /* about one slip in three letters is still a slip */
    for (size_t i = 0; i < symbols->count; i++)
        keep_nearest(name, symbols->items[i].name, &best, &nearest);
    for (size_t i = 0; i < GENERATORS; i++)
        keep_nearest(name, generators[i].name, &best, &nearest);
    return nearest;
}

/* Reads "(1, 6)" as whole numbers; how many there were, or -1. */
static int read_arguments(struct span words, int64_t *values, int most)
{
    if (words.bytes == 0)
        return 0;
    if (words.bytes < 2 || words.at[0] != '(' || words.at[words.bytes - 1] != ')')
        return -1;
    char copy[64];
    if (words.bytes - 2 >= sizeof copy)
        return -1;
    memcpy(copy, words.at + 1, words.bytes - 2);
    copy[words.bytes - 2] = '\0';
    int count = 0;
    char *at = copy;
    for (;;) {
        char *end;
        long long value = strtoll(at, &end, 10);
        if (end == at || count == most)
            return -1;
        values[count++] = value;
        end += strspn(end, " ");
        if (*end == '\0')
            return count;
        if (*end != ',')
            return -1;
        at = end + 1;
    }
}

int generator_read(struct span words, struct symbol *out, const char **why)
{
    const char *open = memchr(words.at, '(', words.bytes);
    struct span name = {words.at, open ? (size_t)(open - words.at) : words.bytes};
    struct span rest = {words.at + name.bytes, words.bytes - name.bytes};
    for (size_t i = 0; i < GENERATORS; i++) {
        if (!span_equal(span_trim(name), span_of(generators[i].name)))
            continue;
        int64_t values[2] = {0, 0};
        int count = read_arguments(rest, values, generators[i].arguments);
        if (count != generators[i].arguments) {
            *why = generators[i].arguments == 2   ? "takes two whole numbers: random.int(1, 6)"
                   : generators[i].arguments == 1 ? "takes one whole number: random.hex(16)"
                                                  : "takes nothing in brackets";
            return GENERATOR_BAD;
        }
        bool hex = generators[i].generate == GENERATE_HEX;
        if (hex && (values[0] < 1 || values[0] > HEX_MOST)) {
            *why = "must be between 1 and 1024 digits";
            return GENERATOR_BAD;
        }
        if (generators[i].generate == GENERATE_INT && values[1] < values[0]) {
            *why = "must have the smaller number first";
            return GENERATOR_BAD;
        }
        out->generate = generators[i].generate;
        out->low = values[0];
        out->high = values[1];
        return 0;
    }
    return GENERATOR_UNKNOWN;
}
