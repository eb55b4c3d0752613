/* What fills the holes of templates: rows of feeders and generated values, drawn once an iteration,
 * so that composing a request twice gives the same bytes. And the user's cookies. */
#include "load/inside.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void values_init(struct crew *crew)
{
    const struct symbols *symbols = &crew->plan->symbols;
    crew->fillers = memory_new(symbols->count, sizeof *crew->fillers);
    crew->row_next = memory_new(crew->engine->plan->feeder_count, sizeof *crew->row_next);
    prompts_init(crew);
    for (size_t i = 0; i < symbols->count; i++) {
        const struct symbol *symbol = &symbols->items[i];
        if (symbol->slot == SLOT_NONE || symbol->kind == SYMBOL_CAPTURE ||
            symbol->kind == SYMBOL_CONSTANT)
            continue;
        crew->fillers[crew->filler_count++] =
            (struct filler){.symbol = symbol, .slot = symbol->slot};
    }
}

/* A random but repeatable place for the n-th row taken: a permutation of the rows by a small
 * Feistel network, walked until it falls inside. */
static uint64_t shuffled(uint64_t key, uint64_t n, uint64_t rows)
{
    unsigned half = 1;
    while (half < 32 && (UINT64_C(1) << (2 * half)) < rows)
        half++;
    uint64_t mask = (UINT64_C(1) << half) - 1;
    do {
        uint64_t left = n >> half, right = n & mask;
        for (uint64_t round = 0; round < 4; round++) {
            uint64_t next = left ^ (random_bits_at(key + round, right) & mask);
            left = right;
            right = next;
        }
        n = left << half | right;
    } while (n >= rows);
    return n;
}

/* The row of a feeder for this iteration; false when there is none left. Thread k of K takes the
 * k-th, the (k + K)-th, ... so that no row is taken twice. */
static bool take_row(struct crew *crew, uint32_t number, uint64_t *row)
{
    const struct plan_feeder *feeder = &crew->engine->plan->feeders[number];
    const struct engine_options *options = &crew->engine->options;
    uint64_t taken = options->segment + crew->row_next[number]++ * options->segments;
    uint64_t key = random_key(crew->engine->plan->seed, "rows", number);
    if (feeder->prompts && feeder->prompts->source == PROMPT_SYNTHETIC) {
        *row = taken;
        return true;
    }
    if (feeder->row_count == 0)
        return false;
    switch (feeder->order) {
    case FEED_RANDOM:
        *row = random_below_of(random_bits_at(key, taken), feeder->row_count);
        return true;
    case FEED_CIRCULAR:
        *row = taken % feeder->row_count;
        return true;
    case FEED_SHUFFLE:
        *row =
            shuffled(key + taken / feeder->row_count, taken % feeder->row_count, feeder->row_count);
        return true;
    case FEED_SEQUENTIAL:
    case FEED_UNIQUE:
        break;
    }
    *row = taken;
    return taken < feeder->row_count;
}

static void put_uuid(struct text *out, struct random *random)
{
    uint64_t high = (random_next(random) & ~UINT64_C(0xF000)) | 0x4000;
    uint64_t low = (random_next(random) & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
    text_printf(out, "%08llx-%04llx-%04llx-%04llx-%012llx", (unsigned long long)(high >> 32),
                (unsigned long long)(high >> 16 & 0xFFFF), (unsigned long long)(high & 0xFFFF),
                (unsigned long long)(low >> 48),
                (unsigned long long)(low & UINT64_C(0xFFFFFFFFFFFF)));
}

static void put_hex(struct text *out, struct random *random, int64_t digits)
{
    uint64_t bits = 0;
    for (int64_t i = 0; i < digits; i++) {
        if (i % 16 == 0)
            bits = random_next(random);
        text_putc(out, "0123456789abcdef"[bits & 15]);
        bits >>= 4;
    }
}

static void generate(const struct crew *crew, const struct symbol *symbol, const struct user *user,
                     struct random *random, struct text *out)
{
    uint64_t span = (uint64_t)symbol->high - (uint64_t)symbol->low + 1;
    uint64_t whole = 0;
    switch (symbol->generate) {
    case GENERATE_VU:
        text_put_uint(out, user->number);
        break;
    case GENERATE_ITERATION:
        text_put_uint(out, crew->engine->options.segment +
                               crew->iterations * crew->engine->options.segments);
        break;
    case GENERATE_UUID:
        put_uuid(out, random);
        break;
    case GENERATE_NOW_MS:
        text_put_uint(out, (uint64_t)(clock_wall_ns() / NSEC_PER_MSEC));
        break;
    case GENERATE_INT:
        whole = (uint64_t)symbol->low + random_below_of(random_next(random), span);
        text_printf(out, "%lld", (long long)whole);
        break;
    case GENERATE_REAL:
        text_printf(out, "%.17g", random_unit(random));
        break;
    case GENERATE_HEX:
        put_hex(out, random, symbol->low);
        break;
    }
}

/* The number of a prompt. Of a file: that of the row. Else that of the arrival where there is one,
 * so that a trace's lengths are those of its instants whatever was dropped; or the user's own and
 * its iteration's. So prompts depend neither on the number of threads nor on who was faster. */
static struct prompt_place place_of(const struct crew *crew, uint32_t feeder, uint64_t row,
                                    const struct start *start, const struct user *user)
{
    const struct plan_prompts *prompts = crew->engine->plan->feeders[feeder].prompts;
    struct prompt_place place = {
        .key = crew->prompt_keys[feeder], .shared_key = crew->shared_keys[feeder], .number = row};
    if (start->arrival && prompts->source != PROMPT_DATASET)
        place.number = start->arrival - 1;
    else if (prompts->source == PROMPT_SYNTHETIC)
        place.number = user->number << 32 | (user->iterations & UINT32_MAX);
    return place;
}

void values_reserve(const struct crew *crew, struct job *job)
{
    for (size_t i = 0; i < crew->filler_count; i++) {
        const struct symbol *symbol = crew->fillers[i].symbol;
        const struct plan_feeder *feeder =
            symbol->kind == SYMBOL_FEEDER ? &crew->engine->plan->feeders[symbol->feeder] : NULL;
        if (feeder && feeder->prompts)
            text_reserve(&job->values[crew->fillers[i].slot],
                         prompt_room(feeder->prompts, (enum prompt_column)symbol->column));
    }
}

bool values_draw(struct crew *crew, struct job *job, const struct user *user,
                 const struct start *start)
{
    const struct engine_options *options = &crew->engine->options;
    if (crew->plan->symbols.slots == 0)
        return true;
    uint64_t iteration = options->segment + crew->iterations * options->segments;
    struct random random = {.key = random_key(crew->value_key, "iteration", iteration)};
    uint64_t row = 0;
    uint32_t feeder = UINT32_MAX;
    job->talk.feeder = 0;
    for (uint16_t i = 0; i < crew->plan->symbols.slots; i++) {
        text_clear(&job->values[i]);
        job->slots[i] = (struct span){0};
        if (options->kept && i < crew->engine->plan->symbols.slots && options->kept[i].bytes)
            job->slots[i] = text_span(&options->kept[i]);
    }
    for (size_t i = 0; i < crew->filler_count; i++) {
        const struct symbol *symbol = crew->fillers[i].symbol;
        struct span *slot = &job->slots[crew->fillers[i].slot];
        if (symbol->kind == SYMBOL_FEEDER) {
            /* Symbols of one feeder follow each other, and share the iteration's row. */
            if (symbol->feeder != feeder && !take_row(crew, symbol->feeder, &row))
                return false;
            feeder = symbol->feeder;
            const struct plan_feeder *rows = &crew->engine->plan->feeders[feeder];
            if (rows->prompts) {
                struct prompt_place place = place_of(crew, feeder, row, start, user);
                prompts_fill(rows, symbol, &place, &job->values[crew->fillers[i].slot]);
                *slot = text_span(&job->values[crew->fillers[i].slot]);
                talk_begin(job, symbol, &place);
                continue;
            }
            *slot = rows->cells[row * rows->column_count + symbol->column];
            continue;
        }
        struct text *value = &job->values[crew->fillers[i].slot];
        generate(crew, symbol, user, &random, value);
        *slot = text_span(value);
    }
    return true;
}

/* ---- cookies
 * --------------------------------------------------------------------------------------- */

/* Puts one "name=value" into the jar, in place of an older one of that name. */
static void put_cookie(struct user *user, struct span pair)
{
    struct text jar = TEXT_EMPTY;
    const char *equals = memchr(pair.at, '=', pair.bytes);
    size_t name = equals ? (size_t)(equals - pair.at) : pair.bytes;
    for (const char *at = user->cookies; at && *at;) {
        size_t length = strcspn(at, ";");
        bool same = length > name && strncmp(at, pair.at, name) == 0 && at[name] == '=';
        if (!same)
            text_printf(&jar, "%s%.*s", jar.bytes ? "; " : "", (int)length, at);
        at += length;
        at += strspn(at, "; ");
    }
    bool empty = name + 1 >= pair.bytes; /* an empty value takes it out */
    if (!empty)
        text_printf(&jar, "%s%.*s", jar.bytes ? "; " : "", (int)pair.bytes, pair.at);
    free(user->cookies);
    user->cookies = jar.bytes ? text_take(&jar) : NULL;
    text_fini(&jar);
}

static bool is_expired(struct span attributes)
{
    for (size_t i = 0; i + 9 < attributes.bytes; i++) {
        if (strncasecmp(attributes.at + i, "max-age=0", 9) == 0 ||
            strncasecmp(attributes.at + i, "max-age=-", 9) == 0)
            return true;
    }
    return attributes.bytes >= 9 &&
           strncasecmp(attributes.at + attributes.bytes - 9, "max-age=0", 9) == 0;
}

void cookies_take(struct user *user, struct span head)
{
    const char *end = head.at + head.bytes;
    for (const char *line = head.at; line && line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = stop ? (size_t)(stop - line) : (size_t)(end - line);
        struct span whole = {.at = line, .bytes = length};
        if (length > 11 && strncasecmp(line, "set-cookie:", 11) == 0) {
            struct span value = span_trim((struct span){.at = line + 11, .bytes = length - 11});
            const char *semicolon = memchr(value.at, ';', value.bytes);
            struct span pair = value;
            if (semicolon)
                pair.bytes = (size_t)(semicolon - value.at);
            const char *equals = memchr(pair.at, '=', pair.bytes);
            if (equals && is_expired(value))
                pair.bytes = (size_t)(equals - pair.at) + 1;
            if (equals && equals > pair.at)
                put_cookie(user, pair);
        }
        line += whole.bytes + 1;
    }
}
