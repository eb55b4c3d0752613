/* Aligned columns; see table.h. Cells are kept until the widest of each column is known. */
#include "show/table.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { GAP = 2, LEAST_GAP = 1, LIKED_FIRST = 16, LEAST_FIRST = 12 };

struct cell {
    char *words;
    enum words_tone tone;
};

struct table {
    struct table_column *columns;
    size_t column_count;
    struct cell *cells;
    size_t cell_count, cell_room;
};

/* How the columns are laid on a page. */
struct layout {
    unsigned *widths;
    bool *shown;
    unsigned gap;
};

struct table *table_new(const struct table_column *columns, size_t count)
{
    check(count > 0);
    struct table *table = memory_new(1, sizeof *table);
    table->columns = memory_new(count, sizeof *columns);
    memcpy(table->columns, columns, count * sizeof *columns);
    table->column_count = count;
    return table;
}

struct table *table_free(struct table *table)
{
    if (!table)
        return NULL;
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i].words);
    free(table->cells);
    free(table->columns);
    free(table);
    return NULL;
}

void table_cell(struct table *table, const char *words)
{
    table_cell_tone(table, words, TONE_PLAIN);
}

void table_cell_tone(struct table *table, const char *words, enum words_tone tone)
{
    if (table->cell_count == table->cell_room) {
        table->cell_room = table->cell_room ? 2 * table->cell_room : 64;
        table->cells = memory_resize(table->cells, table->cell_room, sizeof *table->cells);
    }
    table->cells[table->cell_count++] =
        (struct cell){.words = memory_copy_text(words ? words : ""), .tone = tone};
}

size_t table_rows(const struct table *table)
{
    return (table->cell_count + table->column_count - 1) / table->column_count;
}

static bool has_titles(const struct table *table)
{
    for (size_t c = 0; c < table->column_count; c++) {
        if (table->columns[c].title[0])
            return true;
    }
    return false;
}

static unsigned total_width(const struct table *table, const struct layout *layout)
{
    unsigned width = 0;
    for (size_t c = 0; c < table->column_count; c++) {
        if (layout->shown[c])
            width += layout->widths[c] + (width ? layout->gap : 0);
    }
    return width;
}

/* Leaves out the shown column that may go first; false when none may. */
static bool leave_one_out(const struct table *table, struct layout *layout)
{
    size_t best = SIZE_MAX;
    for (size_t c = 0; c < table->column_count; c++) {
        if (layout->shown[c] && table->columns[c].leave &&
            (best == SIZE_MAX || table->columns[c].leave > table->columns[best].leave))
            best = c;
    }
    if (best == SIZE_MAX)
        return false;
    layout->shown[best] = false;
    return true;
}

/* Takes from the first column what the table is too wide by, down to a width. */
static void cut_first(const struct table *table, struct layout *layout, unsigned room,
                      unsigned least)
{
    unsigned total = total_width(table, layout), first = layout->widths[0];
    if (total <= room || first <= least)
        return;
    unsigned over = total - room, most = first - least;
    layout->widths[0] = first - (over < most ? over : most);
}

static struct layout lay_out(const struct table *table, unsigned room)
{
    struct layout layout = {
        .widths = memory_new(table->column_count, sizeof *layout.widths),
        .shown = memory_new(table->column_count, sizeof *layout.shown),
        .gap = GAP,
    };
    for (size_t c = 0; c < table->column_count; c++) {
        layout.shown[c] = true;
        layout.widths[c] = words_width(table->columns[c].title);
    }
    check(table->column_count > 0 || table->cell_count == 0);
    for (size_t i = 0; i < table->cell_count; i++) {
        unsigned width = words_width(table->cells[i].words);
        unsigned *widest = &layout.widths[i % table->column_count];
        *widest = width > *widest ? width : *widest;
    }
    if (total_width(table, &layout) > room)
        layout.gap = LEAST_GAP;
    cut_first(table, &layout, room, LIKED_FIRST);
    while (total_width(table, &layout) > room && leave_one_out(table, &layout))
        ;
    cut_first(table, &layout, room, LEAST_FIRST);
    return layout;
}

static void put_blanks(struct text *out, unsigned count)
{
    while (count--)
        text_putc(out, ' ');
}

/* Appends a cell; blanks due before it are held back, so that no line ends in blanks. */
static void put_cell(struct text *out, const struct cell *cell, unsigned width, bool right,
                     bool colour, unsigned *held)
{
    struct text cut = TEXT_EMPTY;
    words_put_cut(&cut, cell->words, width);
    unsigned rest = width - words_width(cut.at ? cut.at : "");
    if (cut.bytes == 0) {
        *held += width;
    } else {
        put_blanks(out, *held + (right ? rest : 0));
        words_put_tone(out, colour, cell->tone, cut.at);
        *held = right ? 0 : rest;
    }
    text_fini(&cut);
}

static void put_row(const struct table *table, const struct layout *layout, unsigned indent,
                    const struct cell *cells, size_t count, bool colour, struct text *out)
{
    unsigned held = indent;
    bool first = true;
    for (size_t c = 0; c < count; c++) {
        if (!layout->shown[c])
            continue;
        held += first ? 0 : layout->gap;
        first = false;
        put_cell(out, &cells[c], layout->widths[c], table->columns[c].right, colour, &held);
    }
    text_putc(out, '\n');
}

void table_put(const struct table *table, unsigned indent, unsigned columns, bool colour,
               struct text *out)
{
    struct layout layout = lay_out(table, columns > indent ? columns - indent : 1);
    if (has_titles(table)) {
        struct cell *titles = memory_new(table->column_count, sizeof *titles);
        for (size_t c = 0; c < table->column_count; c++) {
            titles[c].words = memory_copy_text(table->columns[c].title);
            titles[c].tone = TONE_FAINT;
        }
        put_row(table, &layout, indent, titles, table->column_count, colour, out);
        for (size_t c = 0; c < table->column_count; c++)
            free(titles[c].words);
        free(titles);
    }
    for (size_t i = 0; i < table->cell_count; i += table->column_count) {
        size_t left = table->cell_count - i;
        put_row(table, &layout, indent, table->cells + i,
                left < table->column_count ? left : table->column_count, colour, out);
    }
    free(layout.widths);
    free(layout.shown);
}
