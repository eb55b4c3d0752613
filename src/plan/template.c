/* Templates: literal bytes and numbered holes, in two arrays that rendering walks once. */
#include "plan/template.h"

#include "base/memory.h"
#include "plan/symbol.h"
#include "plan/template_build.h"
#include "wire/json.h"
#include "wire/url.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of `literal`, then the value of a slot (SLOT_NONE: nothing more). */
struct piece {
    size_t first, bytes;
    uint16_t slot;
    enum escape escape;
};

struct template
{
    struct text literal;
    struct piece *pieces;
    size_t count;
};

static struct span slice(struct span whole, size_t begin, size_t past)
{
    return (struct span){.at = whole.at + begin, .bytes = past - begin};
}

static size_t find_pair(struct span words, size_t from, char brace)
{
    for (size_t i = from; i + 1 < words.bytes; i++) {
        if (words.at[i] == brace && words.at[i + 1] == brace)
            return i;
    }
    return words.bytes;
}

/* Where "{{{{" stands at an offset, it is two braces and no hole. */
static bool is_literal_brace(struct span words, size_t at)
{
    return at + 4 <= words.bytes && memcmp(words.at + at, "{{{{", 4) == 0;
}

int hole_find(struct span words, size_t from, struct hole *out)
{
    size_t begin = find_pair(words, from, '{');
    while (begin < words.bytes && is_literal_brace(words, begin))
        begin = find_pair(words, begin + 4, '{');
    if (begin >= words.bytes)
        return HOLE_NONE;
    *out = (struct hole){.begin = begin};
    size_t end = find_pair(words, begin + 2, '}');
    if (end >= words.bytes)
        return HOLE_OPEN;
    out->past = end + 2;
    out->words = span_trim(slice(words, begin + 2, end));
    out->name = out->words;
    const char *bar = out->words.bytes ? memchr(out->words.at, '|', out->words.bytes) : NULL;
    if (bar) {
        size_t at = (size_t)(bar - out->words.at);
        out->name = span_trim(slice(out->words, 0, at));
        out->filter = span_trim(slice(out->words, at + 1, out->words.bytes));
    }
    return 0;
}

struct template *template_new(void)
{
    return memory_new(1, sizeof(struct template));
}

static void add_piece(struct template *template, size_t first, uint16_t slot, enum escape escape)
{
    template->pieces =
        memory_resize(template->pieces, template->count + 1, sizeof *template->pieces);
    template->pieces[template->count++] = (struct piece){
        .first = first, .bytes = template->literal.bytes - first, .slot = slot, .escape = escape};
}

/* Where the literal bytes begin that no piece has yet. */
static size_t open_literal(const struct template *template)
{
    if (template->count == 0)
        return 0;
    const struct piece *last = &template->pieces[template->count - 1];
    return last->first + last->bytes;
}

void template_add_bytes(struct template *template, struct span bytes)
{
    text_put(&template->literal, bytes);
}

static void add_escaped(struct template *template, struct span bytes, enum escape escape)
{
    if (escape == ESCAPE_JSON)
        json_escape(bytes, &template->literal);
    else if (escape == ESCAPE_URL)
        url_encode(bytes, &template->literal);
    else
        text_put(&template->literal, bytes);
}

/* Literal words: "{{{{" is two braces. The words of the user around holes are not percent-encoded,
 * only escaped where they become part of a JSON text. */
static void add_literal(struct template *template, struct span words, enum escape escape)
{
    size_t from = 0;
    for (size_t i = 0; i < words.bytes;) {
        if (!is_literal_brace(words, i)) {
            i++;
            continue;
        }
        add_escaped(template, slice(words, from, i + 2), escape);
        i += 4;
        from = i;
    }
    if (from < words.bytes)
        add_escaped(template, slice(words, from, words.bytes), escape);
}

/* The place of an offset in the words, where they stand in one line as written. */
static struct note note_at(const struct note *place, struct span words, size_t offset, size_t bytes)
{
    struct note note = place ? *place : (struct note){0};
    note.level = NOTE_ERROR;
    if (note.line && note.width >= words.bytes && !memchr(words.at, '\n', words.bytes)) {
        unsigned quote = note.width == words.bytes + 2 ? 1 : 0;
        note.column += (unsigned)offset + quote;
        note.width = (unsigned)bytes;
    }
    return note;
}

static void add_note(struct notes *notes, struct note note, struct text *sentence,
                     struct text *hint)
{
    text_reserve(sentence, 1);
    note.sentence = sentence->at;
    note.hint = hint && hint->bytes ? hint->at : NULL;
    notes_add(notes, note);
    text_fini(sentence);
    if (hint)
        text_fini(hint);
}

/* Whether a name is that of the output of prompts that say none. */
static bool lacks_output(const struct symbols *symbols, struct span name)
{
    struct text other = TEXT_EMPTY;
    if (name.bytes <= 7 || memcmp(name.at + name.bytes - 7, ".output", 7) != 0)
        return false;
    text_put(&other, slice(name, 0, name.bytes - 7));
    text_puts(&other, ".messages");
    const struct symbol *symbol = symbols_find(symbols, text_span(&other));
    text_fini(&other);
    return symbol && symbol->json;
}

static void say_unknown(const struct hole *hole, const struct symbols *symbols, struct span words,
                        const struct note *place, struct notes *notes)
{
    struct text sentence = TEXT_EMPTY, hint = TEXT_EMPTY;
    char name[96];
    size_t bytes = hole->name.bytes < sizeof name - 1 ? hole->name.bytes : sizeof name - 1;
    memcpy(name, hole->name.at, bytes);
    name[bytes] = '\0';
    if (bytes == 0) {
        text_puts(&sentence, "\"{{ }}\" names nothing");
        text_puts(&hint, "a literal {{ is written {{{{");
    } else if (strncmp(name, "env.", 4) == 0) {
        text_printf(&sentence, "environment variable \"%s\" is not set", name + 4);
        text_printf(&hint, "set it, put it into .env, or write ${%s:-default} instead", name + 4);
    } else {
        const char *nearest = symbols_nearest(symbols, name);
        text_printf(&sentence, "unknown name \"%s\" in a template", name);
        if (lacks_output(symbols, hole->name))
            text_printf(&hint, "say in data.%.*s how long answers are: output_tokens",
                        (int)hole->name.bytes - 7, name);
        else if (nearest)
            text_printf(&hint, "did you mean \"%s\"?", nearest);
        else
            text_puts(&hint, "a literal {{ is written {{{{");
    }
    struct note note = note_at(place, words, hole->begin, hole->past - hole->begin);
    add_note(notes, note, &sentence, &hint);
}

/* The symbol that a hole names; built-in generators are added when they are met. */
static struct symbol *find_symbol(const struct hole *hole, struct symbols *symbols,
                                  struct span words, const struct note *place, struct notes *notes)
{
    struct symbol *symbol = symbols_find(symbols, hole->name);
    if (symbol)
        return symbol;
    struct symbol generated = {0};
    const char *why = NULL;
    int rc = hole->name.bytes ? generator_read(hole->name, &generated, &why) : GENERATOR_UNKNOWN;
    if (rc == GENERATOR_UNKNOWN) {
        say_unknown(hole, symbols, words, place, notes);
        return NULL;
    }
    if (rc == GENERATOR_BAD) {
        struct text sentence = TEXT_EMPTY;
        text_printf(&sentence, "\"%.*s\" %s", (int)hole->name.bytes, hole->name.at, why);
        add_note(notes, note_at(place, words, hole->begin, hole->past - hole->begin), &sentence,
                 NULL);
        return NULL;
    }
    symbol = symbols_add(symbols, hole->name, SYMBOL_GENERATED);
    symbol->generate = generated.generate;
    symbol->low = generated.low;
    symbol->high = generated.high;
    return symbol;
}

static int read_filter(const struct hole *hole, enum escape *escape, struct span words,
                       const struct note *place, struct notes *notes)
{
    if (hole->filter.bytes == 0)
        return 0;
    if (span_equal(hole->filter, SPAN("json")))
        *escape = ESCAPE_JSON;
    else if (span_equal(hole->filter, SPAN("url")))
        *escape = ESCAPE_URL;
    else if (span_equal(hole->filter, SPAN("raw")) || span_equal(hole->filter, SPAN("number")))
        *escape = ESCAPE_NONE;
    else {
        struct text sentence = TEXT_EMPTY, hint = TEXT_EMPTY;
        text_printf(&sentence, "unknown filter \"%.*s\" in a template", (int)hole->filter.bytes,
                    hole->filter.at);
        text_puts(&hint, "the filters are json, url, number and raw");
        add_note(notes, note_at(place, words, hole->begin, hole->past - hole->begin), &sentence,
                 &hint);
        return 1;
    }
    return 0;
}

static int add_hole(struct template *template, const struct hole *hole, enum escape escape,
                    struct symbols *symbols, struct span words, const struct note *place,
                    struct notes *notes)
{
    struct symbol *symbol = find_symbol(hole, symbols, words, place, notes);
    int rc = read_filter(hole, &escape, words, place, notes);
    if (!symbol || rc)
        return 1;
    if (symbol->kind == SYMBOL_CONSTANT) {
        add_escaped(template, span_of(symbol->constant), escape);
        return 0;
    }
    uint16_t slot = symbols_slot(symbols, symbol);
    if (slot == SLOT_NONE) {
        struct text sentence = TEXT_EMPTY;
        text_puts(&sentence, "too many names in the templates of one scenario (65,535)");
        add_note(notes, note_at(place, words, hole->begin, 1), &sentence, NULL);
        return 1;
    }
    add_piece(template, open_literal(template), slot, escape);
    return 0;
}

int template_add_words(struct template *template, struct span words, enum escape escape,
                       struct symbols *symbols, const struct note *place, struct notes *notes)
{
    int rc = 0;
    size_t at = 0;
    for (;;) {
        struct hole hole;
        int found = hole_find(words, at, &hole);
        if (found == HOLE_OPEN) {
            struct text sentence = TEXT_EMPTY, hint = TEXT_EMPTY;
            text_puts(&sentence, "\"{{\" is not closed by \"}}\"");
            text_puts(&hint, "a literal {{ is written {{{{");
            add_note(notes, note_at(place, words, hole.begin, 2), &sentence, &hint);
            return 1;
        }
        size_t stop = found == 0 ? hole.begin : words.bytes;
        if (stop > at)
            add_literal(template, slice(words, at, stop), escape);
        if (found == HOLE_NONE)
            return rc;
        if (add_hole(template, &hole, escape, symbols, words, place, notes))
            rc = 1;
        at = hole.past;
    }
}

struct template *template_compile(struct span words, struct symbols *symbols,
                                  const struct note *place, struct notes *notes)
{
    struct template *template = template_new();
    if (template_add_words(template, words, ESCAPE_NONE, symbols, place, notes))
        return template_free(template);
    return template;
}

struct span template_constant(const struct template *template)
{
    return template->count == 0 ? text_span(&template->literal) : (struct span){0};
}

bool template_uses(const struct template *template, uint16_t slot)
{
    for (size_t i = 0; i < template->count; i++) {
        if (template->pieces[i].slot == slot)
            return true;
    }
    return false;
}

static void render_value(struct span value, enum escape escape, struct text *out)
{
    if (escape == ESCAPE_JSON)
        json_escape(value, out);
    else if (escape == ESCAPE_URL)
        url_encode(value, out);
    else
        text_put(out, value);
}

void template_render(const struct template *template, const struct span *slots, struct text *out)
{
    const char *literal = template->literal.at;
    for (size_t i = 0; i < template->count; i++) {
        const struct piece *piece = &template->pieces[i];
        if (piece->bytes)
            text_put(out, (struct span){.at = literal + piece->first, .bytes = piece->bytes});
        render_value(slots[piece->slot], piece->escape, out);
    }
    size_t rest = open_literal(template);
    if (rest < template->literal.bytes)
        text_put(out, (struct span){.at = literal + rest, .bytes = template->literal.bytes - rest});
}

struct template *template_free(struct template *template)
{
    if (template) {
        text_fini(&template->literal);
        free(template->pieces);
        free(template);
    }
    return NULL;
}
