/* The grade stands first, so that an eye that runs down the margin finds what matters. */
#include "show/diagnosis.h"

#include "show/words.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { GRADE = 10, NAME = 15, INDENT = 2 + GRADE + NAME, SCHEMA_VERSION = 1 };

static void put_padded(struct text *out, bool colour, enum words_tone tone, const char *words,
                       unsigned columns)
{
    words_put_tone(out, colour, tone, words);
    unsigned width = words_width(words);
    do
        text_putc(out, ' ');
    while (++width < columns);
}

static enum words_tone tone_of(enum finding_grade grade)
{
    static const enum words_tone tones[] = {TONE_GOOD, TONE_FAINT, TONE_DOUBTFUL, TONE_BAD};
    return tones[grade];
}

static void put_finding(const struct finding *finding, const struct show_options *options,
                        struct text *out)
{
    char *name = words_clean(finding->name, false);
    text_puts(out, "  ");
    put_padded(out, options->colour, tone_of(finding->grade), finding_grade_word(finding->grade),
               GRADE);
    put_padded(out, options->colour, TONE_PLAIN, name, NAME);
    free(name);
    words_put_wrapped(out, finding->words, INDENT, options->columns);
    if (!finding->remedy)
        return;
    text_printf(out, "%*s", INDENT, "");
    words_put_tone(out, options->colour, TONE_STRONG, "do: ");
    words_put_wrapped(out, finding->remedy, INDENT + 4, options->columns);
}

static void put_count(size_t count, const char *word, struct text *out)
{
    text_printf(out, "%zu %s%s", count, word, count == 1 ? "" : "s");
}

void diagnosis_put(const struct findings *findings, const struct show_options *options, bool all,
                   struct text *out)
{
    const char *area = "";
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        if (!all && finding->grade < FINDING_WARNING)
            continue;
        if (strcmp(area, finding->area) != 0) {
            words_put_tone(out, options->colour, TONE_STRONG, finding->area);
            text_putc(out, '\n');
        }
        area = finding->area;
        put_finding(finding, options, out);
    }
    if (findings->problems == 0 && findings->warnings == 0) {
        text_printf(out, "%zu checks, nothing to do\n", findings->count);
        return;
    }
    put_count(findings->problems, "problem", out);
    text_puts(out, ", ");
    put_count(findings->warnings, "warning", out);
    text_printf(out, " in %zu checks\n", findings->count);
}

static json_t *text_or_null(const char *words)
{
    char *clean = words ? words_clean(words, false) : NULL;
    json_t *value = clean ? json_string(clean) : json_null();
    free(clean);
    return value;
}

void diagnosis_put_json(const struct findings *findings, struct text *out)
{
    json_t *list = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *one = &findings->items[i];
        json_array_append_new(
            list,
            json_pack("{s:s, s:o, s:o, s:o, s:o}", "grade", finding_grade_word(one->grade), "area",
                      text_or_null(one->area), "name", text_or_null(one->name), "words",
                      text_or_null(one->words), "remedy", text_or_null(one->remedy)));
    }
    json_t *document = json_pack("{s:i, s:I, s:I, s:o}", "schema_version", SCHEMA_VERSION,
                                 "problems", (json_int_t)findings->problems, "warnings",
                                 (json_int_t)findings->warnings, "findings", list);
    char *words = json_dumps(document, JSON_INDENT(2));
    text_puts(out, words);
    text_putc(out, '\n');
    free(words);
    json_decref(document);
}
