/* From bytes to a tree of nodes, by the events of libyaml, which carry marks. Errors of the parser
 * end the reading; errors of ours (duplicate keys, keys that are no texts) are collected. */
#include "base/check.h"
#include "base/memory.h"
#include "plan/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct yaml_reading {
    yaml_parser_t parser;
    struct document *document;
    struct notes *notes;
    struct span bytes;
    size_t weight; /* nodes so far, aliases written out */
    int documents;
    bool stop; /* an error after which reading on would only repeat it */
};

/* A collection that is being filled. */
struct yaml_level {
    struct node *node;
    struct node *key; /* of a map: read, its value not yet */
    bool merge;       /* the key is "<<" */
};

static void add_error(struct yaml_reading *reading, unsigned line, unsigned column,
                      const char *sentence, const char *hint)
{
    notes_add(reading->notes, (struct note){.file = reading->document->file,
                                            .line = line,
                                            .column = column,
                                            .width = 1,
                                            .sentence = (char *)sentence,
                                            .hint = (char *)hint});
    reading->stop = true;
}

static unsigned line_of(const yaml_mark_t *mark)
{
    return (unsigned)mark->line + 1;
}

static unsigned column_of(const yaml_mark_t *mark)
{
    return (unsigned)mark->column + 1;
}

/* Whether the line at a mark is indented by a tab, the commonest cause of YAML errors. */
static bool indented_by_tab(struct span bytes, size_t line)
{
    const char *at = bytes.at, *end = bytes.at + bytes.bytes;
    for (; line > 0 && at < end; line--) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        at = next ? next + 1 : end;
    }
    while (at < end && *at == ' ')
        at++;
    return at < end && *at == '\t';
}

/* Whether a reference such as ${NAME:-x} stands in the line: its braces end a map in short form. */
static bool has_reference(struct span bytes, size_t line)
{
    const char *at = bytes.at, *end = bytes.at + bytes.bytes;
    for (; line > 0 && at < end; line--) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        at = next ? next + 1 : end;
    }
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    return memmem(at, (size_t)((stop ? stop : end) - at), "${", 2) != NULL;
}

static void add_parser_error(struct yaml_reading *reading)
{
    const yaml_parser_t *parser = &reading->parser;
    struct text sentence = TEXT_EMPTY;
    const yaml_mark_t *mark = &parser->problem_mark;
    if (indented_by_tab(reading->bytes, mark->line)) {
        add_error(reading, line_of(mark), column_of(mark), "a tab cannot indent YAML",
                  "use spaces");
        return;
    }
    text_printf(&sentence, "not valid YAML: %s", parser->problem ? parser->problem : "unreadable");
    if (parser->context)
        text_printf(&sentence, " (%s, which began in line %u)", parser->context,
                    line_of(&parser->context_mark));
    bool flow = parser->context && strstr(parser->context, "flow");
    const char *hint = flow && has_reference(reading->bytes, mark->line)
                           ? "inside { } and [ ], a text with ${...} stands in quotes"
                           : NULL;
    add_error(reading, line_of(mark), column_of(mark), sentence.at, hint);
    text_fini(&sentence);
}

static void place_node(struct node *node, const yaml_event_t *event)
{
    node->line = line_of(&event->start_mark);
    node->column = column_of(&event->start_mark);
    node->first = event->start_mark.index;
    node->past = event->end_mark.index;
    if (event->start_mark.line == event->end_mark.line)
        node->width = (unsigned)(event->end_mark.column - event->start_mark.column);
}

static struct node *find_anchor(const struct yaml_reading *reading, const char *name)
{
    for (size_t i = reading->document->count; i > 0; i--) { /* the last one of a name counts */
        struct node *node = reading->document->nodes[i - 1];
        if (node->anchor && strcmp(node->anchor, name) == 0)
            return node;
    }
    return NULL;
}

static struct node *make_alias(struct yaml_reading *reading, const yaml_event_t *event,
                               const struct yaml_level *levels, size_t depth)
{
    const char *name = (const char *)event->data.alias.anchor;
    struct node *node = find_anchor(reading, name);
    char sentence[160];
    if (!node) {
        snprintf(sentence, sizeof sentence, "alias \"*%.80s\" names no anchor before it", name);
        add_error(reading, line_of(&event->start_mark), column_of(&event->start_mark), sentence,
                  NULL);
        return NULL;
    }
    for (size_t i = 0; i < depth; i++) {
        if (levels[i].node == node) {
            add_error(reading, line_of(&event->start_mark), column_of(&event->start_mark),
                      "an alias cannot stand inside what it names", NULL);
            return NULL;
        }
    }
    return node;
}

static struct node *make_node(struct yaml_reading *reading, const yaml_event_t *event)
{
    const yaml_char_t *anchor = event->data.scalar.anchor, *tag = event->data.scalar.tag;
    enum node_kind kind = NODE_TEXT;
    if (event->type == YAML_SEQUENCE_START_EVENT) {
        kind = NODE_LIST;
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        kind = NODE_MAP;
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    struct node *node = document_add(reading->document, kind, NULL);
    place_node(node, event);
    node->anchor = memory_copy_text((const char *)anchor);
    if (tag && strncmp((const char *)tag, "tag:yaml.org,2002:", 18) != 0)
        add_error(reading, node->line, node->column, "a plan has no tags of its own",
                  "take the word with ! away");
    if (kind == NODE_TEXT) {
        node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !tag;
        node->bytes = event->data.scalar.length;
        node->text = memory_new(node->bytes + 1, 1);
        memcpy(node->text, event->data.scalar.value, node->bytes);
        if (memchr(node->text, '\0', node->bytes))
            add_error(reading, node->line, node->column, "a text cannot hold a zero byte", NULL);
    } else {
        node->width = 1;
    }
    return node;
}

/* "<<: *base": the entries of base that this map does not have itself, as YAML 1.1 has it. */
static void merge_map(struct yaml_reading *reading, struct node *into, const struct node *from)
{
    if (from->kind == NODE_LIST) {
        for (size_t i = 0; i < from->count; i++)
            merge_map(reading, into, from->rows[i].value);
        return;
    }
    if (from->kind != NODE_MAP) {
        add_error(reading, from->line, from->column, "\"<<\" merges a map, or a list of maps",
                  NULL);
        return;
    }
    for (size_t i = 0; i < from->count; i++) {
        if (node_entry_of(into, from->rows[i].key->text))
            continue;
        node_append(into, from->rows[i].key, from->rows[i].value);
        into->rows[into->count - 1].merged = true;
    }
}

/* Puts a key and its value into a map; the second of two is an error and put nowhere. */
static void put_entry(struct yaml_reading *reading, struct node *map, struct node *key,
                      struct node *value)
{
    struct node_entry *first = node_entry_of(map, key->text);
    if (!first) {
        node_append(map, key, value);
        return;
    }
    if (first->merged) {
        *first = (struct node_entry){.key = key, .value = value};
        return;
    }
    struct text sentence = TEXT_EMPTY, hint = TEXT_EMPTY;
    text_printf(&sentence, "key \"%s\" stands twice in the same map", key->text);
    text_printf(&hint, "first in line %u", first->key->line);
    struct note note = node_place(key);
    note.sentence = sentence.at;
    note.hint = hint.at;
    notes_add(reading->notes, note);
    text_fini(&sentence);
    text_fini(&hint);
}

/* Puts a finished or begun value where it belongs. */
static void attach(struct yaml_reading *reading, struct yaml_level *level, struct node *node)
{
    if (level->node->kind == NODE_LIST) {
        node_append(level->node, NULL, node);
        return;
    }
    if (!level->key) {
        if (node->kind != NODE_TEXT) {
            add_error(reading, node->line, node->column, "a key must be a text",
                      node->kind == NODE_MAP
                          ? "a text that begins with {{ stands in quotes: \"{{ name }}\""
                          : NULL);
            return;
        }
        level->key = node;
        level->merge = node->plain && strcmp(node->text, "<<") == 0;
        return;
    }
    if (level->merge) {
        merge_map(reading, level->node, node);
    } else {
        put_entry(reading, level->node, level->key, node);
    }
    level->key = NULL;
    level->merge = false;
}

static void add_value(struct yaml_reading *reading, struct yaml_level *levels, size_t *depth,
                      const yaml_event_t *event)
{
    struct node *node = event->type == YAML_ALIAS_EVENT ? make_alias(reading, event, levels, *depth)
                                                        : make_node(reading, event);
    if (!node)
        return;
    reading->weight += node->weight;
    if (reading->weight > NODE_MOST) {
        add_error(reading, line_of(&event->start_mark), column_of(&event->start_mark),
                  "the plan is too large: more than 100,000 values, aliases written out", NULL);
        return;
    }
    if (event->type == YAML_SCALAR_EVENT || event->type == YAML_ALIAS_EVENT) {
        if (*depth)
            attach(reading, &levels[*depth - 1], node);
        else
            reading->document->root = node;
        return;
    }
    if (*depth == NODE_DEPTH) {
        add_error(reading, node->line, node->column, "nested deeper than 64 levels", NULL);
        return;
    }
    levels[(*depth)++] = (struct yaml_level){.node = node};
}

/* The end of a list or map: only now is it whole, so that its weight is right where it is put. */
static void close_level(struct yaml_reading *reading, struct yaml_level *levels, size_t *depth)
{
    check(*depth > 0); /* libyaml ends nothing that it did not begin */
    struct node *node = levels[--*depth].node;
    if (*depth)
        attach(reading, &levels[*depth - 1], node);
    else
        reading->document->root = node;
}

static void take_event(struct yaml_reading *reading, struct yaml_level *levels, size_t *depth,
                       const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++reading->documents == 2)
            add_error(reading, line_of(&event->start_mark), column_of(&event->start_mark),
                      "a plan is one document, and a second begins here",
                      "take the line --- away, or make it a file of its own");
        break;
    case YAML_ALIAS_EVENT:
    case YAML_SCALAR_EVENT:
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        add_value(reading, levels, depth, event);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_level(reading, levels, depth);
        break;
    default:
        break;
    }
}

static void read_events(struct yaml_reading *reading)
{
    struct yaml_level levels[NODE_DEPTH];
    size_t depth = 0;
    for (bool done = false; !done && !reading->stop;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reading->parser, &event)) {
            add_parser_error(reading);
            return;
        }
        done = event.type == YAML_STREAM_END_EVENT;
        take_event(reading, levels, &depth, &event);
        yaml_event_delete(&event);
    }
}

/* Says what is wrong with the bytes themselves; whether they can be parsed. */
static bool check_bytes(struct yaml_reading *reading)
{
    struct span bytes = reading->bytes;
    if (bytes.bytes > NODE_BYTES) {
        add_error(reading, 0, 0, "the plan is larger than 4 MiB",
                  "keep data in a CSV or JSONL file, named under \"data\"");
        return false;
    }
    size_t valid = utf8_valid_bytes(bytes);
    if (valid == bytes.bytes)
        return true;
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < valid; i++) {
        if (bytes.at[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)bytes.at[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    char sentence[80];
    snprintf(sentence, sizeof sentence, "byte 0x%02X is not UTF-8",
             (unsigned)(unsigned char)bytes.at[valid]);
    add_error(reading, line, column, sentence, "save the file as UTF-8");
    return false;
}

int document_read(struct document *document, const char *file, struct span bytes,
                  struct notes *notes)
{
    size_t errors = notes->errors;
    *document = (struct document){.file = memory_copy_text(file)};
    struct yaml_reading reading = {.document = document, .notes = notes, .bytes = bytes};
    if (!check_bytes(&reading))
        return DOCUMENT_BAD;
    if (!yaml_parser_initialize(&reading.parser)) {
        add_error(&reading, 0, 0, "out of memory", NULL);
        return DOCUMENT_BAD;
    }
    yaml_parser_set_encoding(&reading.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reading.parser, (const unsigned char *)bytes.at, bytes.bytes);
    read_events(&reading);
    yaml_parser_delete(&reading.parser);
    if (notes->errors == errors && !document->root)
        add_error(&reading, 0, 0, "the plan is empty",
                  "the shortest has a target and a scenario with a task; see plimsoll run --help");
    return notes->errors == errors ? 0 : DOCUMENT_BAD;
}
