/* Lines of numbers, read strictly: a cell that is no number is an error with its line as soon as
 * its column is wanted, because a point that is silently lost would change a fit. */
#include "plan/numbers.h"

#include "base/memory.h"
#include "base/unit.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct row {
    struct span *cells; /* room for NUMBERS_COLUMNS */
    size_t count;
};

static bool separates(char byte)
{
    return byte == ',' || byte == ';' || byte == '\t' || byte == ' ' || byte == '\r';
}

/* Cuts a line into cells. With commas or semicolons, blanks only pad. Returns false: too many. */
static bool cut(struct span line, struct row *row)
{
    const char *hash = memchr(line.at, '#', line.bytes);
    if (hash)
        line.bytes = (size_t)(hash - line.at);
    line = span_trim(line);
    bool strict = memchr(line.at, ',', line.bytes) || memchr(line.at, ';', line.bytes);
    row->count = 0;
    size_t begin = 0;
    for (size_t i = 0; i <= line.bytes && line.bytes; i++) {
        bool end = i == line.bytes;
        if (!end && (strict ? line.at[i] != ',' && line.at[i] != ';' : !separates(line.at[i])))
            continue;
        struct span cell = span_trim((struct span){line.at + begin, i - begin});
        if (cell.bytes >= 2 && cell.at[0] == '"' && cell.at[cell.bytes - 1] == '"')
            cell = (struct span){cell.at + 1, cell.bytes - 2};
        begin = i + 1;
        if (!strict && cell.bytes == 0)
            continue;
        if (row->count == NUMBERS_COLUMNS)
            return false;
        row->cells[row->count++] = cell;
    }
    return true;
}

static bool is_head(const struct row *row)
{
    double number = 0;
    for (size_t i = 0; i < row->count; i++)
        if (unit_read_real(row->cells[i], &number) == 0)
            return false;
    return true;
}

static void set_columns(struct numbers *out, size_t columns)
{
    out->columns = columns;
    out->words = memory_new(columns, sizeof *out->words);
}

static void name_columns(const struct row *row, struct numbers *out)
{
    set_columns(out, row->count);
    out->names = memory_new(row->count, sizeof *out->names);
    for (size_t i = 0; i < row->count; i++) {
        struct text name = TEXT_EMPTY;
        text_puts(&name, "");
        for (size_t k = 0; k < row->cells[i].bytes; k++)
            text_putc(&name, (char)tolower((unsigned char)row->cells[i].at[k]));
        out->names[i] = text_take(&name);
    }
}

static int add_row(const char *place, const struct row *row, struct numbers *out, struct text *why)
{
    if (out->columns == 0)
        set_columns(out, row->count);
    if (row->count != out->columns) {
        text_printf(why, "%s: %zu cells, where %zu are wanted", place, row->count, out->columns);
        return NUMBERS_BAD;
    }
    out->cells = memory_resize(out->cells, (out->rows + 1) * out->columns, sizeof *out->cells);
    for (size_t i = 0; i < row->count; i++) {
        double *cell = out->cells + out->rows * out->columns + i;
        if (unit_read_real(row->cells[i], cell) == 0)
            continue;
        *cell = NAN;
        if (out->words[i])
            continue;
        struct text words = TEXT_EMPTY;
        text_printf(&words, "%s: cell %zu is \"%.*s\", which is not a number", place, i + 1,
                    (int)(row->cells[i].bytes < 40 ? row->cells[i].bytes : 40), row->cells[i].at);
        out->words[i] = text_take(&words);
    }
    out->rows++;
    return 0;
}

int numbers_read(const char *file, struct span bytes, struct numbers *out, struct text *why)
{
    struct row row = {.cells = memory_new(NUMBERS_COLUMNS, sizeof *row.cells)};
    size_t line = 0;
    bool begun = false;
    int error = 0;
    *out = (struct numbers){.rows = 0};
    if (span_begins(bytes, SPAN("\xEF\xBB\xBF")))
        bytes = (struct span){bytes.at + 3, bytes.bytes - 3};
    while (bytes.bytes && error == 0) {
        const char *end = memchr(bytes.at, '\n', bytes.bytes);
        size_t length = end ? (size_t)(end - bytes.at) : bytes.bytes;
        struct text place = TEXT_EMPTY;
        text_printf(&place, "%s:%zu", file, ++line);
        if (!cut((struct span){bytes.at, length}, &row)) {
            text_printf(why, "%s: more than %d columns", place.at, NUMBERS_COLUMNS);
            error = NUMBERS_BAD;
        } else if (row.count && !begun && is_head(&row)) {
            name_columns(&row, out);
        } else if (row.count) {
            error = add_row(place.at, &row, out, why);
        }
        begun = begun || row.count;
        length += end != NULL;
        bytes = (struct span){bytes.at + length, bytes.bytes - length};
        text_fini(&place);
    }
    free(row.cells);
    if (error == 0 && out->rows == 0) {
        text_printf(why, "%s: no numbers in it", file);
        error = NUMBERS_BAD;
    }
    if (error)
        numbers_fini(out);
    return error;
}

void numbers_fini(struct numbers *numbers)
{
    for (size_t i = 0; i < numbers->columns; i++) {
        if (numbers->names)
            free(numbers->names[i]);
        free(numbers->words[i]);
    }
    free(numbers->names);
    free(numbers->words);
    free(numbers->cells);
    *numbers = (struct numbers){.rows = 0};
}

static bool listed(const char *names, const char *name)
{
    size_t length = strlen(name);
    if (length == 0) /* is found everywhere, and beyond the end */
        return false;
    for (const char *at = names; (at = strstr(at, name)) != NULL; at++)
        if ((at == names || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

int numbers_column(const struct numbers *numbers, const char *names, int fallback)
{
    for (size_t i = 0; numbers->names && i < numbers->columns; i++)
        if (listed(names, numbers->names[i]))
            return (int)i;
    return !numbers->names && fallback < (int)numbers->columns ? fallback : -1;
}

int numbers_column_said(const struct numbers *numbers, struct span said)
{
    uint64_t number = 0;
    said = span_trim(said);
    for (size_t i = 0; numbers->names && i < numbers->columns; i++)
        if (span_equal_nocase(said, span_of(numbers->names[i])))
            return (int)i;
    if (span_uint(said, &number) == 0 && number >= 1 && number <= numbers->columns)
        return (int)number - 1;
    return -1;
}

double *numbers_take(const struct numbers *numbers, int column, struct text *why)
{
    if (numbers->words[column]) {
        text_puts(why, numbers->words[column]);
        return NULL;
    }
    double *out = memory_new(numbers->rows, sizeof *out);
    for (size_t i = 0; i < numbers->rows; i++)
        out[i] = numbers->cells[i * numbers->columns + (size_t)column];
    return out;
}

double *numbers_take_all(const struct numbers *numbers, struct text *why)
{
    size_t cells = numbers->rows * numbers->columns;
    for (size_t i = 0; i < numbers->columns; i++)
        if (numbers->words[i]) {
            text_puts(why, numbers->words[i]);
            return NULL;
        }
    double *out = memory_new(cells, sizeof *out);
    memcpy(out, numbers->cells, cells * sizeof *out);
    return out;
}
