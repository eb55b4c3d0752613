/* CSV by RFC 4180, in place: a cell is never longer than what it was written as. */
#include "base/memory.h"
#include "plan/feeder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct csv {
    char *bytes;
    size_t count, at;
    unsigned line, column; /* of `at` */
    struct feed_error *error;
};

void feeder_add_cell(struct plan_feeder *feeder, struct span cell)
{
    size_t count = feeder->row_count; /* while reading: cells so far */
    if ((count & (count - 1)) == 0)
        feeder->cells = memory_resize(feeder->cells, count ? count * 2 : 1, sizeof *feeder->cells);
    feeder->cells[feeder->row_count++] = cell;
}

void feeder_add_column(struct plan_feeder *feeder, struct span name)
{
    feeder->columns =
        memory_resize(feeder->columns, feeder->column_count + 1, sizeof *feeder->columns);
    struct text copy = TEXT_EMPTY;
    text_put(&copy, name);
    feeder->columns[feeder->column_count++] = text_take(&copy);
}

static char step(struct csv *csv)
{
    char byte = csv->bytes[csv->at++];
    if (byte == '\n') {
        csv->line++;
        csv->column = 1;
    } else if (((unsigned char)byte & 0xC0) != 0x80) {
        csv->column++;
    }
    return byte;
}

static int bad(struct csv *csv, const char *why)
{
    csv->error->line = csv->line;
    csv->error->column = csv->column;
    snprintf(csv->error->why, sizeof csv->error->why, "%s", why);
    return FEED_BAD;
}

static bool at_line_end(const struct csv *csv)
{
    return csv->at == csv->count || csv->bytes[csv->at] == '\n' ||
           (csv->bytes[csv->at] == '\r' &&
            (csv->at + 1 == csv->count || csv->bytes[csv->at + 1] == '\n'));
}

/* A cell in quotes: "" is one quote. */
static int read_quoted(struct csv *csv, struct span *cell)
{
    unsigned line = csv->line, column = csv->column;
    step(csv);
    size_t first = csv->at, put = csv->at;
    for (;;) {
        if (csv->at == csv->count) {
            csv->line = line;
            csv->column = column;
            return bad(csv, "the quote that opens here is not closed");
        }
        char byte = step(csv);
        if (byte == '"') {
            if (csv->at == csv->count || csv->bytes[csv->at] != '"')
                break;
            step(csv);
        }
        csv->bytes[put++] = byte;
    }
    *cell = (struct span){csv->bytes + first, put - first};
    if (!at_line_end(csv) && csv->bytes[csv->at] != ',')
        return bad(csv, "a comma or the end of the line must follow a closing quote");
    return 0;
}

static int read_cell(struct csv *csv, struct span *cell)
{
    if (csv->at < csv->count && csv->bytes[csv->at] == '"')
        return read_quoted(csv, cell);
    size_t first = csv->at;
    while (!at_line_end(csv) && csv->bytes[csv->at] != ',') {
        if (csv->bytes[csv->at] == '"')
            return bad(csv, "a quote inside a cell that does not begin with one");
        step(csv);
    }
    *cell = (struct span){csv->bytes + first, csv->at - first};
    return 0;
}

static void skip_line_end(struct csv *csv)
{
    if (csv->at < csv->count && csv->bytes[csv->at] == '\r')
        step(csv);
    if (csv->at < csv->count)
        step(csv);
}

static int read_head(struct csv *csv, struct plan_feeder *feeder)
{
    for (;;) {
        struct span cell = {0};
        if (read_cell(csv, &cell))
            return FEED_BAD;
        cell = span_trim(cell);
        if (cell.bytes == 0)
            return bad(csv, "a column without a name");
        for (size_t i = 0; i < feeder->column_count; i++) {
            if (span_equal(span_of(feeder->columns[i]), cell))
                return bad(csv, "two columns of the same name");
        }
        if (feeder->column_count == FEED_COLUMNS)
            return bad(csv, "more than 1,024 columns");
        feeder_add_column(feeder, cell);
        if (at_line_end(csv))
            return 0;
        step(csv);
    }
}

static int read_row(struct csv *csv, struct plan_feeder *feeder)
{
    unsigned line = csv->line;
    for (size_t i = 0;; i++) {
        struct span cell = {0};
        if (read_cell(csv, &cell))
            return FEED_BAD;
        if (i < feeder->column_count)
            feeder_add_cell(feeder, cell);
        if (!at_line_end(csv)) {
            step(csv);
            continue;
        }
        if (i + 1 == feeder->column_count)
            return 0;
        csv->line = line;
        csv->column = 1;
        char why[100];
        snprintf(why, sizeof why, "%zu cells; the head line has %zu columns", i + 1,
                 feeder->column_count);
        return bad(csv, why);
    }
}

int csv_read(char *bytes, size_t count, struct plan_feeder *feeder, struct feed_error *error)
{
    struct csv csv = {.bytes = bytes, .count = count, .line = 1, .column = 1, .error = error};
    if (count >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
        csv.at = 3;
    if (csv.at == count)
        return bad(&csv, "the file is empty; its first line names the columns");
    if (read_head(&csv, feeder))
        return FEED_BAD;
    skip_line_end(&csv);
    while (csv.at < csv.count) {
        if (at_line_end(&csv)) { /* a blank line is no row, save where a row is one empty cell */
            skip_line_end(&csv);
            continue;
        }
        if (read_row(&csv, feeder))
            return FEED_BAD;
        skip_line_end(&csv);
    }
    feeder->row_count /= feeder->column_count;
    return 0;
}
