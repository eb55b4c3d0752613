/* JSONL: one JSON value a line. Cells are decoded texts; values that are not texts stand as
 * JSON. */
#include "base/memory.h"
#include "plan/feeder.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct jsonl {
    struct plan_feeder *feeder;
    struct text bytes; /* all cells, one after another */
    size_t *ends;      /* of each cell in bytes */
    size_t cell_count;
    struct feed_error *error;
};

static void add_cell(struct jsonl *jsonl, const json_t *value)
{
    if (json_is_string(value)) {
        text_put(&jsonl->bytes, (struct span){json_string_value(value), json_string_length(value)});
    } else if (value && !json_is_null(value)) {
        char *words = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        text_puts(&jsonl->bytes, words);
        free(words);
    }
    size_t count = jsonl->cell_count;
    if ((count & (count - 1)) == 0)
        jsonl->ends = memory_resize(jsonl->ends, count ? count * 2 : 1, sizeof *jsonl->ends);
    jsonl->ends[jsonl->cell_count++] = jsonl->bytes.bytes;
}

static int bad(struct jsonl *jsonl, unsigned line, unsigned column, const char *why)
{
    jsonl->error->line = line;
    jsonl->error->column = column;
    snprintf(jsonl->error->why, sizeof jsonl->error->why, "%s", why);
    return FEED_BAD;
}

/* The columns are the keys of the first line, in its order. */
static void read_columns(struct jsonl *jsonl, json_t *first)
{
    if (!json_is_object(first)) {
        feeder_add_column(jsonl->feeder, SPAN("value"));
        return;
    }
    const char *key;
    json_t *value;
    json_object_foreach(first, key, value) feeder_add_column(jsonl->feeder, span_of(key));
}

static int add_row(struct jsonl *jsonl, json_t *row, unsigned line, bool objects)
{
    struct plan_feeder *feeder = jsonl->feeder;
    char why[160];
    if (json_is_object(row) != objects)
        return bad(jsonl, line, 1, "the lines must be all objects, or none");
    if (!objects) {
        add_cell(jsonl, row);
        return 0;
    }
    for (size_t i = 0; i < feeder->column_count; i++) {
        json_t *value = json_object_get(row, feeder->columns[i]);
        if (!value) {
            snprintf(why, sizeof why, "lacks the key \"%.80s\", which the first line has",
                     feeder->columns[i]);
            return bad(jsonl, line, 1, why);
        }
        add_cell(jsonl, value);
    }
    return 0;
}

static int read_line(struct jsonl *jsonl, struct span line, unsigned number, bool *objects)
{
    json_error_t error;
    json_t *row = json_loadb(line.at, line.bytes, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (!row)
        return bad(jsonl, number, error.column > 0 ? (unsigned)error.column : 1, error.text);
    int rc = 0;
    if (jsonl->feeder->column_count == 0) {
        read_columns(jsonl, row);
        *objects = json_is_object(row);
        if (jsonl->feeder->column_count == 0 || jsonl->feeder->column_count > FEED_COLUMNS)
            rc = bad(jsonl, number, 1, "an object needs between 1 and 1,024 keys");
    }
    if (rc == 0)
        rc = add_row(jsonl, row, number, *objects);
    json_decref(row);
    return rc;
}

/* The cells, now that the bytes no longer move. */
static void finish(struct jsonl *jsonl)
{
    struct plan_feeder *feeder = jsonl->feeder;
    feeder->bytes = text_take(&jsonl->bytes);
    feeder->cells = memory_new(jsonl->cell_count, sizeof *feeder->cells);
    for (size_t i = 0, first = 0; i < jsonl->cell_count; first = jsonl->ends[i++])
        feeder->cells[i] = (struct span){feeder->bytes + first, jsonl->ends[i] - first};
    feeder->row_count = feeder->column_count ? jsonl->cell_count / feeder->column_count : 0;
}

int jsonl_read(const char *bytes, size_t count, struct plan_feeder *feeder,
               struct feed_error *error)
{
    struct jsonl jsonl = {.feeder = feeder, .error = error};
    bool objects = false;
    int rc = 0;
    unsigned number = 0;
    for (size_t at = 0; at < count && rc == 0;) {
        const char *end = memchr(bytes + at, '\n', count - at);
        size_t past = end ? (size_t)(end - bytes) : count;
        struct span line = span_trim((struct span){bytes + at, past - at});
        number++;
        at = past + 1;
        if (line.bytes)
            rc = read_line(&jsonl, line, number, &objects);
    }
    if (rc == 0 && jsonl.cell_count == 0)
        rc = bad(&jsonl, 1, 1, "the file has no lines");
    if (rc == 0)
        finish(&jsonl);
    text_fini(&jsonl.bytes);
    free(jsonl.ends);
    return rc;
}
