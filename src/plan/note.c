/* Notes are collected in the order of reading, which is that of the tables, and written in the
 * order of the file, which is that of the reader. */
#include "plan/note.h"

#include "base/memory.h"
#include "plan/node.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SHOWN = 96 }; /* characters of a source line that are shown */

void notes_add(struct notes *notes, struct note note)
{
    notes->items = memory_resize(notes->items, notes->count + 1, sizeof *notes->items);
    struct note *kept = &notes->items[notes->count++];
    *kept = note;
    kept->file = memory_copy_text(note.file);
    kept->sentence = memory_copy_text(note.sentence);
    kept->hint = memory_copy_text(note.hint);
    if (note.level == NOTE_ERROR)
        notes->errors++;
}

void notes_error(struct notes *notes, const char *format, ...)
{
    struct text sentence = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&sentence, format, list);
    va_end(list);
    text_reserve(&sentence, 1);
    notes_add(notes, (struct note){.level = NOTE_ERROR, .sentence = sentence.at});
    text_fini(&sentence);
}

void notes_fini(struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        free(notes->items[i].file);
        free(notes->items[i].sentence);
        free(notes->items[i].hint);
    }
    free(notes->items);
    *notes = (struct notes){0};
}

/* The n-th line of a text, from 1, without its end; at == NULL when there are fewer. */
static struct span line_of(const char *source, unsigned line)
{
    for (unsigned i = 1; source && i < line; i++) {
        source = strchr(source, '\n');
        source = source ? source + 1 : NULL;
    }
    if (!source)
        return (struct span){0};
    return (struct span){.at = source, .bytes = strcspn(source, "\r\n")};
}

static bool continues_character(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Appends characters first .. first + count - 1 (from 0) of a line; what a terminal would obey is
 * replaced. Returns how many were there. */
static unsigned put_characters(struct text *out, struct span line, unsigned first, unsigned count)
{
    unsigned seen = 0, put = 0;
    size_t valid = utf8_valid_bytes(line);
    for (size_t i = 0; i < line.bytes; i++) {
        if (!continues_character(line.at[i]))
            seen++;
        if (seen <= first || seen > first + count)
            continue;
        unsigned char byte = (unsigned char)line.at[i];

        bool bad = byte < 0x20 || byte == 0x7F || (byte >= 0x80 && i >= valid);
        text_putc(out, byte == '\t' ? ' ' : bad ? '?' : (char)byte);
        if (!continues_character(line.at[i]))
            put++;
    }
    return put;
}

static unsigned smaller(unsigned one, unsigned other)
{
    return one < other ? one : other;
}

static void write_source(const struct note *note, struct span line, struct text *out)
{
    unsigned column = note->column ? note->column - 1 : 0;
    unsigned first = column > LINE_SHOWN * 2 / 3 ? column - LINE_SHOWN / 3 : 0;
    text_printf(out, "%5u | %s", note->line, first ? "…" : "");
    unsigned shown = put_characters(out, line, first, LINE_SHOWN);
    text_printf(out, "\n      | %*s", (int)(column - first + (first ? 1 : 0)), "");
    unsigned room = shown > column - first ? shown - (column - first) : 1;
    for (unsigned i = smaller(note->width ? note->width : 1, room); i > 0; i--)
        text_putc(out, '^');
    if (note->hint)
        text_printf(out, "  %s", note->hint);
    text_putc(out, '\n');
}

static void write_note(const struct note *note, const char *source, struct text *out)
{
    static const char *const words[] = {"", "warning: ", "advice: "};
    if (note->file) {
        text_puts(out, note->file);
        if (note->line)
            text_printf(out, ":%u:%u", note->line, note->column ? note->column : 1);
        text_puts(out, ": ");
    }
    text_printf(out, "%s%s\n", words[note->level], note->sentence);
    struct span line = note->line ? line_of(source, note->line) : (struct span){0};
    if (line.at && line.bytes)
        write_source(note, line, out);
    else if (note->hint)
        text_printf(out, "      %s\n", note->hint);
}

/* Order of the file; notes without a place keep theirs, behind. */
static bool comes_later(const struct note *one, const struct note *other)
{
    unsigned line = one->line ? one->line : (unsigned)-1;
    unsigned other_line = other->line ? other->line : (unsigned)-1;
    return line != other_line ? line > other_line : one->column > other->column;
}

void notes_write(const struct notes *notes, const char *source, struct text *out)
{
    const struct note **order = memory_new(notes->count, sizeof *order);
    const char *file = NULL; /* the one whose text `source` is: the first that has lines */
    for (size_t i = 0; i < notes->count; i++) {
        const struct note *note = &notes->items[i];
        if (!file && note->line)
            file = note->file;
        size_t at = i;
        for (; at > 0 && comes_later(order[at - 1], note); at--)
            order[at] = order[at - 1];
        order[at] = note;
    }
    for (size_t i = 0; i < notes->count; i++) {
        bool same = order[i]->file && file && strcmp(order[i]->file, file) == 0;
        write_note(order[i], same ? source : NULL, out);
    }
    free(order);
}
