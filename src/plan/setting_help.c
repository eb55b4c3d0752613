/* Help, Markdown and man page rows out of tables. */
#include "plan/part.h"

#include "base/unit.h"

#include <stdio.h>
#include <string.h>

enum { NAME_COLUMN = 24 };

void setting_put_bound(const struct setting *row, double bound, struct text *out)
{
    char room[UNIT_ROOM];
    if (row->type == SETTING_DURATION)
        text_puts(out, unit_write_duration(room, (nsec_t)(bound * (double)NSEC_PER_SEC)));
    else if (row->type == SETTING_BYTES)
        text_puts(out, unit_write_bytes(room, bound));
    else if (row->type == SETTING_SHARE)
        text_puts(out, unit_write_share(room, bound));
    else
        text_printf(out, "%.15g", bound);
}

/* "default 10s, 1 ms to 60 s" or nothing. */
static void put_facts(const struct setting *row, struct text *out)
{
    const char *before = "";
    if (row->required) {
        text_puts(out, "required");
        before = ", ";
    }
    if (row->unset && *row->unset) {
        text_printf(out, "%sdefault %s", before, row->unset);
        before = ", ";
    }
    if (row->least > 0) {
        text_printf(out, "%sat least ", before);
        setting_put_bound(row, row->least, out);
        before = ", ";
    }
    if (row->most > 0) {
        text_printf(out, "%sat most ", before);
        setting_put_bound(row, row->most, out);
        before = ", ";
    }
    if (row->unit)
        text_printf(out, "%s%s", before, row->unit);
}

static const char *type_words(const struct setting *row)
{
    static const char *const words[] = {
        [SETTING_BOOL] = "yes or no",    [SETTING_UINT] = "whole number",
        [SETTING_REAL] = "number",       [SETTING_DURATION] = "duration",
        [SETTING_RATE] = "rate",         [SETTING_SHARE] = "share",
        [SETTING_BYTES] = "size",        [SETTING_TEXT] = "text",
        [SETTING_CHOICE] = "word",       [SETTING_TEMPLATE] = "template",
        [SETTING_JSON] = "any value",    [SETTING_HEADERS] = "map of headers",
        [SETTING_TEXTS] = "texts",       [SETTING_SPREAD] = "spread",
        [SETTING_SECTION] = "map",       [SETTING_CUSTOM] = "see there",
        [SETTING_NUMBERS] = "numbers",   [SETTING_PATH] = "path",
        [SETTING_COUNT] = "whole number"};
    return words[row->type];
}

static void put_help(const struct setting *table, int indent, struct text *out)
{
    for (const struct setting *row = table; row && row->name; row++) {
        struct text facts = TEXT_EMPTY;
        put_facts(row, &facts);
        text_printf(out, "%*s%-*s %s", indent, "", NAME_COLUMN - indent, row->name,
                    row->sentence ? row->sentence : "");
        if (facts.bytes)
            text_printf(out, " (%s)", facts.at);
        text_putc(out, '\n');
        text_fini(&facts);
        for (int i = 0; row->type == SETTING_CHOICE && row->words[i].word; i++)
            text_printf(out, "%*s%-*s %s\n", indent + 2, "", NAME_COLUMN - indent - 2,
                        row->words[i].word, row->words[i].sentence ? row->words[i].sentence : "");
        if (row->type == SETTING_SECTION)
            put_help(row->section, indent + 2, out);
    }
}

void setting_help(const struct setting *table, struct text *out)
{
    put_help(table, 2, out);
}

static void put_page_row(const struct setting *row, const char *path, enum setting_page page,
                         struct text *out)
{
    struct text facts = TEXT_EMPTY;
    put_facts(row, &facts);
    text_reserve(&facts, 1);
    const char *sentence = row->sentence ? row->sentence : "";
    if (page == SETTING_MARKDOWN) {
        text_printf(out, "| `%s%s` | %s | %s | %s |\n", path, row->name, type_words(row), sentence,
                    facts.at);
        for (int i = 0; row->type == SETTING_CHOICE && row->words[i].word; i++)
            text_printf(out, "| | | `%s`: %s | |\n", row->words[i].word,
                        row->words[i].sentence ? row->words[i].sentence : "");
    } else {
        text_printf(out, ".TP\n.B %s%s\n\\fI%s\\fR. %s.%s%s%s\n", path, row->name, type_words(row),
                    sentence, facts.bytes ? " " : "", facts.at, facts.bytes ? "." : "");
        for (int i = 0; row->type == SETTING_CHOICE && row->words[i].word; i++)
            text_printf(out, ".br\n.B %s\n%s.\n", row->words[i].word,
                        row->words[i].sentence ? row->words[i].sentence : "");
    }
    text_fini(&facts);
}

static void put_page(const struct setting *table, const char *path, enum setting_page page,
                     struct text *out)
{
    for (const struct setting *row = table; row && row->name; row++) {
        put_page_row(row, path, page, out);
        if (row->type != SETTING_SECTION)
            continue;
        char inner[PATH_ROOM];
        path_write(inner, "%s%s.", path, row->name);
        put_page(row->section, inner, page, out);
    }
}

void setting_page(const struct setting *table, enum setting_page page, struct text *out)
{
    if (page == SETTING_MARKDOWN)
        text_puts(out, "| setting | type | meaning | bounds |\n|---|---|---|---|\n");
    put_page(table, "", page, out);
}
