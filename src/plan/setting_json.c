/* Written by the row's type, read by the plan's own reader over a document that is the JSON: so
 * ranges and words are checked as for a plan. */
#include "plan/setting_json.h"

#include "base/check.h"
#include "base/memory.h"
#include "plan/reader.h"
#include "wire/json.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A text in quotes, so written that the reader sees no reference to the environment in it. */
static void put_words(const char *words, struct text *out)
{
    struct text plain = TEXT_EMPTY;
    for (const char *at = words; *at; at++)
        text_printf(&plain, "%s%c", at[0] == '$' && at[1] == '{' ? "$" : "", *at);
    text_putc(out, '"');
    json_escape(text_span(&plain), out);
    text_putc(out, '"');
    text_fini(&plain);
}

/* A path that holds from any working directory. */
static void put_path(const char *path, struct text *out)
{
    struct text full = TEXT_EMPTY;
    char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
    if (here)
        text_printf(&full, "%s/", here);
    text_puts(&full, path);
    put_words(full.at, out);
    free(here);
    text_fini(&full);
}

static void put_texts(const struct plan_texts *texts, struct text *out)
{
    text_putc(out, '[');
    for (size_t i = 0; i < texts->count; i++) {
        text_puts(out, i ? "," : "");
        put_words(texts->items[i], out);
    }
    text_putc(out, ']');
}

static void put_numbers(const struct plan_numbers *numbers, struct text *out)
{
    text_putc(out, '[');
    for (size_t i = 0; i < numbers->count; i++)
        text_printf(out, "%s%.17g", i ? "," : "", numbers->items[i]);
    text_putc(out, ']');
}

static void put_value(const struct setting *row, const void *field, struct text *out)
{
    switch (row->type) {
    case SETTING_BOOL:
        text_puts(out, *(const bool *)field ? "true" : "false");
        break;
    case SETTING_UINT:
    case SETTING_BYTES:
        text_put_uint(out, *(const uint64_t *)field);
        break;
    case SETTING_DURATION:
        text_printf(out, "\"%lldns\"", (long long)*(const nsec_t *)field);
        break;
    case SETTING_CHOICE:
        put_words(row->words[*(const int *)field].word, out);
        break;
    case SETTING_PATH:
        put_path(*(char *const *)field, out);
        break;
    case SETTING_TEXT:
        put_words(*(char *const *)field, out);
        break;
    case SETTING_TEXTS:
        put_texts(field, out);
        break;
    case SETTING_NUMBERS:
        put_numbers(field, out);
        break;
    default:
        check(row->type == SETTING_REAL || row->type == SETTING_RATE || row->type == SETTING_SHARE);
        text_printf(out, "%.17g", *(const double *)field);
        break;
    }
}

/* Whether there is anything to write. */
static bool is_set(const struct setting *row, const void *field)
{
    if (row->secret)
        return false;
    if (row->type == SETTING_TEXT || row->type == SETTING_PATH)
        return *(char *const *)field != NULL;
    if (row->type == SETTING_TEXTS)
        return ((const struct plan_texts *)field)->count > 0;
    if (row->type == SETTING_NUMBERS)
        return ((const struct plan_numbers *)field)->count > 0;
    return true;
}

void setting_write_json(const struct setting *table, const void *base, struct text *out)
{
    bool first = true;
    text_putc(out, '{');
    for (const struct setting *row = table; row && row->name; row++) {
        const void *field = (const char *)base + row->offset;
        if (!is_set(row, field))
            continue;
        text_printf(out, "%s\"%s\":", first ? "" : ",", row->name);
        put_value(row, field, out);
        first = false;
    }
    text_putc(out, '}');
}

int setting_read_json(const struct setting *table, struct span json, void *base, struct text *why)
{
    struct plan_source source = {.file = NULL};
    struct vocabulary vocabulary = {.verb_count = 0};
    struct plan_reading reading = {.plan = NULL};
    struct reader reader = {.source = &source,
                            .vocabulary = &vocabulary,
                            .reading = &reading,
                            .notes = &reading.notes,
                            .quick = true};
    if (document_read(&reader.document, "settings", json, &reading.notes) == 0) {
        struct setting_scope scope = {table, base};
        if (reader_wants(&reader, reader.document.root, NODE_MAP, "settings"))
            setting_read_map(&reader, reader.document.root, "", &scope, 1);
    }
    size_t errors = reading.notes.errors;
    for (size_t i = 0; i < reading.notes.count; i++)
        if (reading.notes.items[i].level == NOTE_ERROR)
            text_printf(why, "%s%s", why->bytes ? "; " : "", reading.notes.items[i].sentence);
    document_fini(&reader.document);
    free(reader.secrets);
    plan_reading_fini(&reading);
    return errors ? SETTING_JSON_BAD : 0;
}
