/* Feeders: rows that templates draw from, out of a file or given in the plan. */
#include "plan/feeder.h"

#include "base/error.h"
#include "base/memory.h"
#include "plan/part.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEED_BYTES ((size_t)1024 * 1024 * 1024) /* of a file */

struct feeder_form {
    char *file;
    int order;
    const struct node *values;
    struct prompt_nodes prompts;
};

#define FORM(member) offsetof(struct feeder_form, member)

static const struct setting_word order_words[] = {
    {"sequential", "in order, once over all users; the scenario ends with the rows"},
    {"random", "any row, each time anew"},
    {"shuffle", "all rows in a random order, then all again in another"},
    {"unique", "in a random order, each row once; the scenario ends with the rows"},
    {"circular", "in order, again from the first after the last"},
    {NULL, NULL}};

const struct setting feeder_rows[] = {
    {.name = "file",
     .type = SETTING_PATH,
     .offset = FORM(file),
     .sentence = "CSV with a head line, or JSONL (.jsonl, .ndjson), beside the plan"},
    {.name = "values",
     .type = SETTING_CUSTOM,
     .offset = FORM(values),
     .custom = "values",
     .sentence = "the rows themselves: texts, or maps with the same keys"},
    {.name = "order",
     .type = SETTING_CHOICE,
     .offset = FORM(order),
     .words = order_words,
     .unset = "circular",
     .sentence = "which row is next"},
    {.name = "synthetic",
     .type = SETTING_CUSTOM,
     .offset = FORM(prompts.synthetic),
     .custom = "synthetic",
     .sentence = "prompts made to a number of tokens, each a new one"},
    {.name = "dataset",
     .type = SETTING_CUSTOM,
     .offset = FORM(prompts.dataset),
     .custom = "dataset",
     .sentence = "prompts and conversations out of a file"},
    {.name = "trace",
     .type = SETTING_CUSTOM,
     .offset = FORM(prompts.trace),
     .custom = "trace",
     .sentence = "prompts and answers as long as those of a trace"},
    {.name = NULL},
};

static bool ends_with(const char *text, const char *end)
{
    size_t bytes = strlen(text), length = strlen(end);
    return bytes >= length && strcmp(text + bytes - length, end) == 0;
}

static void load_file(struct reader *reader, const struct node *node, struct plan_feeder *feeder)
{
    struct text bytes = TEXT_EMPTY;
    int rc = file_read(feeder->file, FEED_BYTES, &bytes);
    if (rc == -EFBIG) {
        reader_error(reader, node, NULL, "\"%s\" is larger than 1 GiB", feeder->file);
        return;
    }
    if (rc) {
        char why[96];
        reader_error(reader, node, "paths are relative to the plan", "cannot read \"%s\": %s",
                     feeder->file, error_sentence(rc, why, sizeof why));
        return;
    }
    struct feed_error error = {0};
    if (ends_with(feeder->file, ".jsonl") || ends_with(feeder->file, ".ndjson")) {
        rc = jsonl_read(bytes.at, bytes.bytes, feeder, &error);
        text_fini(&bytes);
    } else {
        size_t count = bytes.bytes;
        feeder->bytes = text_take(&bytes);
        rc = csv_read(feeder->bytes, count, feeder, &error);
    }
    if (rc)
        notes_add(reader->notes, (struct note){.file = feeder->file,
                                               .line = error.line,
                                               .column = error.column,
                                               .sentence = error.why});
    else if (feeder->row_count == 0)
        reader_error(reader, node, NULL, "\"%s\" has no rows", feeder->file);
}

/* One row given in the plan: a text, or a map with the columns of the first. */
static int add_value(struct reader *reader, const struct node *item, struct plan_feeder *feeder,
                     struct text *bytes, struct text *lengths)
{
    for (size_t i = 0; i < feeder->column_count; i++) {
        const struct node *cell =
            item->kind == NODE_MAP ? node_find(item, feeder->columns[i]) : item;
        if (!cell || (item->kind == NODE_MAP && item->count != feeder->column_count)) {
            reader_error(reader, item, NULL, "each row must have the keys of the first");
            return 1;
        }
        size_t before = bytes->bytes;
        if (reader_text(reader, cell, "a text", bytes))
            return 1;
        size_t length = bytes->bytes - before;
        text_put(lengths, (struct span){(const char *)&length, sizeof length});
    }
    return 0;
}

static void load_values(struct reader *reader, const struct node *list, struct plan_feeder *feeder)
{
    if (!reader_wants(reader, list, NODE_LIST, "values"))
        return;
    if (list->count == 0) {
        reader_error(reader, list, NULL, "values is empty");
        return;
    }
    const struct node *first = list->rows[0].value;
    for (size_t i = 0; first->kind == NODE_MAP && i < first->count; i++)
        feeder_add_column(feeder, span_of(first->rows[i].key->text));
    if (first->kind != NODE_MAP)
        feeder_add_column(feeder, SPAN("value"));
    struct text bytes = TEXT_EMPTY, lengths = TEXT_EMPTY;
    for (size_t i = 0; i < list->count; i++) {
        if (list->rows[i].value->kind != first->kind)
            reader_error(reader, list->rows[i].value, NULL,
                         "the rows must be all texts or all maps");
        else if (add_value(reader, list->rows[i].value, feeder, &bytes, &lengths))
            break;
    }
    feeder->bytes = text_take(&bytes);
    size_t at = 0;
    for (size_t i = 0; i < lengths.bytes; i += sizeof(size_t)) {
        size_t length;
        memcpy(&length, lengths.at + i, sizeof length);
        feeder_add_cell(feeder, (struct span){feeder->bytes + at, length});
        at += length;
    }
    feeder->row_count /= feeder->column_count ? feeder->column_count : 1;
    text_fini(&lengths);
}

/* NAME.COLUMN for each column, and NAME.next where there is but one. */
static void add_symbols(struct reader *reader, const struct plan_feeder *feeder, uint32_t index)
{
    for (size_t i = 0; i <= feeder->column_count; i++) {
        bool next = i == feeder->column_count;
        if (next && feeder->column_count != 1)
            return;
        struct text name = TEXT_EMPTY;
        text_printf(&name, "%s.%s", feeder->name, next ? "next" : feeder->columns[i]);
        struct span words = text_span(&name);
        if (!symbols_find(reader->symbols, words)) {
            struct symbol *symbol = symbols_add(reader->symbols, words, SYMBOL_FEEDER);
            symbol->feeder = index;
            symbol->column = next ? 0 : (uint32_t)i;
        }
        text_fini(&name);
    }
}

/* Says so when rows are to come from two places. */
static bool has_two(struct reader *reader, const struct node *map, const char *path)
{
    static const char *const sources[] = {"file", "values", "synthetic", "dataset", "trace"};
    const char *first = NULL;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (!node_find(map, sources[i]))
            continue;
        if (first) {
            reader_error(reader, map, "take one of them away", "%s has both \"%s\" and \"%s\"",
                         path, first, sources[i]);
            return true;
        }
        first = sources[i];
    }
    return false;
}

static void read_feeder(struct reader *reader, const struct node *key, const struct node *map,
                        const char *path, struct plan_feeder *feeder)
{
    struct feeder_form form = {0};
    feeder->name = memory_copy_text(key->text);
    if (!reader_wants(reader, map, NODE_MAP, path))
        return;
    struct setting_scope scope = {feeder_rows, &form};
    setting_read_map(reader, map, path, &scope, 1);
    feeder->order = (enum feed)form.order;
    if (has_two(reader, map, path))
        feeder->row_count = 0;
    else if (form.file) {
        feeder->file = memory_copy_text(form.file);
        load_file(reader, node_find(map, "file"), feeder);
    } else if (form.values) {
        load_values(reader, form.values, feeder);
    } else if (form.prompts.synthetic || form.prompts.dataset || form.prompts.trace) {
        prompts_read(reader, path, &form.prompts, feeder);
    } else {
        reader_error(reader, map, "for example {file: people.csv} or {synthetic: {tokens: 200}}",
                     "%s lacks \"file\", \"values\", \"synthetic\", \"dataset\" or \"trace\"",
                     path);
    }
    setting_free(feeder_rows, &form);
}

void feeders_read(struct reader *reader, const struct setting *row, const char *path,
                  const struct node *node, void *field)
{
    (void)field;
    struct plan *plan = reader->plan;
    if (!reader_wants(reader, node, NODE_MAP, row->name))
        return;
    plan->feeders = memory_new(node->count, sizeof *plan->feeders);
    for (size_t i = 0; i < node->count; i++) {
        struct plan_feeder *feeder = &plan->feeders[plan->feeder_count];
        char here[PATH_ROOM];
        path_write(here, "%s.%s", path, node->rows[i].key->text);
        read_feeder(reader, node->rows[i].key, node->rows[i].value, here, feeder);
        if (feeder->prompts)
            prompts_add_symbols(reader, feeder, (uint32_t)plan->feeder_count++);
        else
            add_symbols(reader, feeder, (uint32_t)plan->feeder_count++);
    }
}
