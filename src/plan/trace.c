/* Traces of requests: when each came, and how long its prompt and answer were.
 *
 *   a number a line        seconds
 *   CSV with a head line   TIMESTAMP,ContextTokens,GeneratedTokens of Azure's LLM inference traces
 *                          (github.com/Azure/AzurePublicDataset), and tables like it; timestamps
 *                          are seconds or dates
 *   JSONL                  timestamp (ms), input_length, output_length, hash_ids of the Mooncake
 *                          traces (github.com/kvcache-ai/Mooncake); with a timestamp alone,
 *                          seconds
 *
 * Dates and the milliseconds of JSONL are counted from the earliest of the file. Rows out of order
 * are sorted; rows of the same instant keep their order. */
#include "plan/dataset.h"

#include "base/memory.h"
#include "base/unit.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_MOST = 64, SECONDS_A_DAY = 86400 };
enum { YEAR_LEAST = 1970, YEAR_MOST = 2200 }; /* nanoseconds since 1970 fit */

struct trace {
    struct plan_prompts *out;
    struct feed_error *error;
    unsigned line;
    int stamp, input, output; /* columns; -1: none */
    size_t columns;           /* of the head line; 0: none came */
    size_t block_count;
    bool relative; /* counted from the earliest */
};

/* ---- instants ---------------------------------------------------------------------------------
 */

/* Days from 1970 to a day of the Gregorian calendar: years begin in March, so that the leap day is
 * the last; 146,097 days are 400 years. */
static int64_t days_from_1970(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "+02:00", "-0530", "Z" or nothing; seconds east. */
static bool read_zone(const char *at, int *seconds)
{
    int hours = 0, minutes = 0, read = 0;
    char sign = *at;
    *seconds = 0;
    if (*at == '\0' || strcmp(at, "Z") == 0)
        return true;
    if ((sign != '+' && sign != '-') || sscanf(at + 1, "%2d%n", &hours, &read) != 1)
        return false;
    at += 1 + read;
    at += *at == ':';
    if (*at && (sscanf(at, "%2d%n", &minutes, &read) != 1 || at[read]))
        return false;
    *seconds = (hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
    return true;
}

/* "2023-11-16 18:15:46.6805900", as seconds since 1970 and nanoseconds. */
static bool read_date(const char *words, nsec_t *at_ns)
{
    int year, month, day, hour, minute, second, read = 0, zone = 0;
    if (sscanf(words, "%4d-%2d-%2d%*1[ T]%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute,
               &second, &read) != 6 ||
        read == 0 || year < YEAR_LEAST || year > YEAR_MOST || month < 1 || month > 12 || day < 1 ||
        day > 31 || hour > 23 || minute > 59 || second > 60 || hour < 0 || minute < 0 || second < 0)
        return false;
    nsec_t rest = 0, unit = NSEC_PER_SEC;
    words += read;
    if (*words == '.') {
        for (words++; *words >= '0' && *words <= '9'; words++) {
            unit /= 10;
            rest += (*words - '0') * unit;
        }
    }
    if (!read_zone(words, &zone))
        return false;
    int64_t minutes = (int64_t)hour * 60 + minute;
    int64_t seconds =
        days_from_1970(year, month, day) * SECONDS_A_DAY + minutes * 60 + second - zone;
    *at_ns = seconds * NSEC_PER_SEC + rest;
    return true;
}

static bool seconds_to_ns(double seconds, nsec_t *at_ns)
{
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e9)
        return false;
    *at_ns = (nsec_t)llround(seconds * (double)NSEC_PER_SEC);
    return true;
}

/* ---- rows -------------------------------------------------------------------------------------
 */

static void add_row(struct trace *trace, struct prompt_arrival row)
{
    struct plan_prompts *out = trace->out;
    size_t count = out->arrival_count;
    if ((count & (count - 1)) == 0)
        out->arrivals = memory_resize(out->arrivals, count ? 2 * count : 1, sizeof *out->arrivals);
    out->arrivals[out->arrival_count++] = row;
}

static int read_length(struct trace *trace, const char *name, double value, bool whole,
                       uint32_t *out)
{
    if (!whole || value < 0 || value > PROMPT_TOKENS_MOST)
        return feed_bad(trace->error, trace->line, "%s must be a whole number of 0 to %d tokens",
                        name, PROMPT_TOKENS_MOST);
    *out = value < 1 ? 1 : (uint32_t)value; /* a request always has a token */
    return 0;
}

static int read_json_length(struct trace *trace, const json_t *row, const char *name, uint32_t *out)
{
    const json_t *value = json_object_get(row, name);
    if (!value)
        return 0;
    return read_length(trace, name, (double)json_integer_value(value), json_is_integer(value), out);
}

static int read_blocks(struct trace *trace, const json_t *list, struct prompt_arrival *row)
{
    struct plan_prompts *out = trace->out;
    row->first_block = (uint32_t)trace->block_count;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *id = json_array_get(list, i);
        size_t count = trace->block_count;
        if (!json_is_integer(id))
            return feed_bad(trace->error, trace->line, "hash_ids must be whole numbers");
        if ((count & (count - 1)) == 0)
            out->blocks = memory_resize(out->blocks, count ? 2 * count : 1, sizeof *out->blocks);
        out->blocks[trace->block_count++] = (uint64_t)json_integer_value(id);
        row->block_count++;
    }
    return 0;
}

static int read_object(struct trace *trace, struct span line)
{
    json_error_t error;
    struct prompt_arrival arrival = {0};
    json_t *row = json_loadb(line.at, line.bytes, JSON_REJECT_DUPLICATES, &error);
    if (!row)
        return feed_bad(trace->error, trace->line, "not JSON: %.120s", error.text);
    const json_t *stamp = json_object_get(row, "timestamp");
    bool milliseconds = json_object_get(row, "input_length") != NULL;
    double seconds = json_number_value(stamp) / (milliseconds ? 1000 : 1);
    int rc = 0;
    if (!json_is_number(stamp) || !seconds_to_ns(seconds, &arrival.at_ns))
        rc = feed_bad(trace->error, trace->line, "\"timestamp\" must be a number of %s, at least 0",
                      milliseconds ? "milliseconds" : "seconds");
    trace->relative = trace->relative || milliseconds;
    if (rc == 0)
        rc = read_json_length(trace, row, "input_length", &arrival.tokens);
    if (rc == 0)
        rc = read_json_length(trace, row, "output_length", &arrival.output);
    if (rc == 0)
        rc = read_blocks(trace, json_object_get(row, "hash_ids"), &arrival);
    json_decref(row);
    if (rc == 0)
        add_row(trace, arrival);
    return rc;
}

/* ---- CSV --------------------------------------------------------------------------------------
 */

/* Cuts a line into its cells; how many there are. The spans point into the line. */
static size_t cut_cells(struct span line, struct span cells[CELLS_MOST])
{
    size_t count = 0, begin = 0;
    for (size_t i = 0; i <= line.bytes && count < CELLS_MOST; i++) {
        if (i < line.bytes && line.at[i] != ',' && line.at[i] != ';')
            continue;
        struct span cell = span_trim((struct span){line.at + begin, i - begin});
        if (cell.bytes >= 2 && cell.at[0] == '"' && cell.at[cell.bytes - 1] == '"')
            cell = span_trim((struct span){cell.at + 1, cell.bytes - 2});
        cells[count++] = cell;
        begin = i + 1;
    }
    return count;
}

/* Whether a column's name, its letters only and without case, is one of the list. */
static bool is_named(struct span cell, const char *list)
{
    char name[40] = "";
    size_t bytes = 0;
    for (size_t i = 0; i < cell.bytes && bytes + 1 < sizeof name; i++) {
        char low = (char)(cell.at[i] | 0x20);
        if (low >= 'a' && low <= 'z')
            name[bytes++] = low;
    }
    name[bytes] = '\0';
    for (const char *at = list; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (length == bytes && strncmp(at, name, bytes) == 0)
            return true;
        at += length;
    }
    return false;
}

static bool read_stamp(struct trace *trace, struct span cell, nsec_t *at_ns)
{
    char words[64];
    double seconds = 0;
    if (cell.bytes == 0 || cell.bytes >= sizeof words)
        return false;
    memcpy(words, cell.at, cell.bytes);
    words[cell.bytes] = '\0';
    if (unit_read_real(cell, &seconds) == 0)
        return seconds_to_ns(seconds, at_ns);
    if (!read_date(words, at_ns))
        return false;
    trace->relative = true;
    return true;
}

static void read_head(struct trace *trace, const struct span *cells, size_t count)
{
    trace->columns = count;
    for (size_t i = 0; i < count; i++) {
        if (is_named(cells[i], "timestamp time arrivaltime"))
            trace->stamp = (int)i;
        else if (is_named(cells[i], "contexttokens inputlength inputtokens prompttokens "
                                    "requesttokens"))
            trace->input = (int)i;
        else if (is_named(cells[i], "generatedtokens outputlength outputtokens completiontokens "
                                    "responsetokens"))
            trace->output = (int)i;
    }
}

/* A row of a table: its cells. */
struct cells {
    struct span items[CELLS_MOST];
    size_t count;
};

static int read_cell(struct trace *trace, const struct cells *cells, int column, uint32_t *out)
{
    double value = 0;
    const char *name = column == trace->input ? "the prompt's length" : "the answer's length";
    if (column < 0)
        return 0;
    if ((size_t)column >= cells->count)
        return feed_bad(trace->error, trace->line, "%zu cells; the head line has %zu columns",
                        cells->count, trace->columns);
    bool number = unit_read_real(cells->items[column], &value) == 0;
    return read_length(trace, name, value, number && value == floor(value), out);
}

static int read_csv(struct trace *trace, struct span line)
{
    struct cells cells;
    cells.count = cut_cells(line, cells.items);
    struct prompt_arrival arrival = {0};
    struct span stamp = {.at = "", .bytes = 0};
    if ((size_t)trace->stamp < cells.count)
        stamp = cells.items[trace->stamp];
    if (!read_stamp(trace, stamp, &arrival.at_ns)) {
        if (trace->out->arrival_count == 0 && trace->columns == 0) {
            read_head(trace, cells.items, cells.count);
            return 0;
        }
        return feed_bad(trace->error, trace->line,
                        "\"%.*s\" is no timestamp: seconds, or a date such as "
                        "2023-11-16 18:15:46.68",
                        (int)(stamp.bytes < 40 ? stamp.bytes : 40), stamp.at);
    }
    if (read_cell(trace, &cells, trace->input, &arrival.tokens) ||
        read_cell(trace, &cells, trace->output, &arrival.output))
        return FEED_BAD;
    add_row(trace, arrival);
    return 0;
}

/* ---- order ------------------------------------------------------------------------------------
 */

struct ordered {
    struct prompt_arrival row;
    size_t place;
};

static int compare(const void *one, const void *other)
{
    const struct ordered *a = one, *b = other;
    if (a->row.at_ns != b->row.at_ns)
        return a->row.at_ns < b->row.at_ns ? -1 : 1;
    return a->place < b->place ? -1 : 1;
}

static void sort_rows(struct plan_prompts *out)
{
    for (size_t i = 1; i < out->arrival_count; i++)
        out->unsorted += out->arrivals[i].at_ns < out->arrivals[i - 1].at_ns;
    if (out->unsorted == 0)
        return;
    struct ordered *rows = memory_new(out->arrival_count, sizeof *rows);
    for (size_t i = 0; i < out->arrival_count; i++)
        rows[i] = (struct ordered){out->arrivals[i], i};
    qsort(rows, out->arrival_count, sizeof *rows, compare);
    for (size_t i = 0; i < out->arrival_count; i++)
        out->arrivals[i] = rows[i].row;
    free(rows);
}

int trace_read(struct span bytes, struct plan_prompts *out, struct feed_error *error)
{
    struct trace trace = {.out = out, .error = error, .input = -1, .output = -1};
    int rc = 0;
    for (size_t at = 0; at < bytes.bytes && rc == 0;) {
        const char *end = memchr(bytes.at + at, '\n', bytes.bytes - at);
        size_t past = end ? (size_t)(end - bytes.at) : bytes.bytes;
        struct span line = span_trim((struct span){bytes.at + at, past - at});
        at = past + 1;
        trace.line++;
        if (trace.line == 1 && span_begins(line, SPAN("\xEF\xBB\xBF")))
            line = (struct span){line.at + 3, line.bytes - 3};
        if (line.bytes == 0 || line.at[0] == '#')
            continue;
        rc = line.at[0] == '{' ? read_object(&trace, line) : read_csv(&trace, line);
    }
    if (rc == 0 && out->arrival_count == 0)
        rc = feed_bad(error, 1, "the trace has no rows");
    if (rc)
        return rc;
    sort_rows(out);
    nsec_t first_ns = trace.relative ? out->arrivals[0].at_ns : 0;
    for (size_t i = 0; i < out->arrival_count; i++)
        out->arrivals[i].at_ns -= first_ns;
    return 0;
}
