/* Lines of numbers, read strictly: a cell that is no number is an error with its line, because a
 * point that is silently lost would change a fit. */
#include "plan/numbers.h"

#include "base/memory.h"
#include "base/unit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct row {
    struct span cells[NUMBERS_COLUMNS];
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

static void name_columns(const struct row *row, struct numbers *out)
{
    for (size_t i = 0; i < row->count; i++) {
        struct text name = TEXT_EMPTY;
        for (size_t k = 0; k < row->cells[i].bytes; k++)
            text_putc(&name, (char)tolower((unsigned char)row->cells[i].at[k]));
        out->names[i] = text_take(&name);
    }
    out->columns = row->count;
}

static int add_row(const char *place, const struct row *row, struct numbers *out, struct text *why)
{
    if (out->columns == 0)
        out->columns = row->count;
    if (row->count != out->columns) {
        text_printf(why, "%s: %zu cells, where %zu are wanted", place, row->count, out->columns);
        return NUMBERS_BAD;
    }
    out->cells = memory_resize(out->cells, (out->rows + 1) * out->columns, sizeof *out->cells);
    for (size_t i = 0; i < row->count; i++) {
        double *cell = out->cells + out->rows * out->columns + i;
        if (unit_read_real(row->cells[i], cell) != 0) {
            text_printf(why, "%s: cell %zu is \"%.*s\", which is not a number", place, i + 1,
                        (int)(row->cells[i].bytes < 40 ? row->cells[i].bytes : 40),
                        row->cells[i].at);
            return NUMBERS_BAD;
        }
    }
    out->rows++;
    return 0;
}

int numbers_read(const char *file, struct span bytes, struct numbers *out, struct text *why)
{
    struct row row;
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
    for (size_t i = 0; i < NUMBERS_COLUMNS; i++)
        free(numbers->names[i]);
    free(numbers->cells);
    *numbers = (struct numbers){.rows = 0};
}

static bool listed(const char *names, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = names; (at = strstr(at, name)) != NULL; at++)
        if ((at == names || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0') && length)
            return true;
    return false;
}

int numbers_column(const struct numbers *numbers, const char *names, int fallback)
{
    bool named = false;
    for (size_t i = 0; i < numbers->columns; i++) {
        named = named || numbers->names[i];
        if (numbers->names[i] && listed(names, numbers->names[i]))
            return (int)i;
    }
    return !named && fallback < (int)numbers->columns ? fallback : -1;
}

double *numbers_take(const struct numbers *numbers, int column)
{
    double *out = memory_new(numbers->rows, sizeof *out);
    for (size_t i = 0; i < numbers->rows; i++)
        out[i] = numbers->cells[i * numbers->columns + (size_t)column];
    return out;
}
