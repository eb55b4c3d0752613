/* The tree of a document, without how it is read (yaml.c). */
#include "plan/node.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct node *document_add(struct document *document, enum node_kind kind, const struct node *place)
{
    struct node *node = memory_new(1, sizeof *node);
    node->kind = kind;
    node->weight = 1;
    node->file = document->file;
    if (place) {
        node->file = place->file;
        node->origin = place->origin;
        node->line = place->line;
        node->column = place->column;
        node->width = place->width;
        node->first = place->first;
        node->past = place->past;
    }
    document->nodes = memory_resize(document->nodes, document->count + 1, sizeof(struct node *));
    document->nodes[document->count++] = node;
    return node;
}

struct node *document_add_text(struct document *document, const char *words,
                               const struct node *place)
{
    struct node *node = document_add(document, NODE_TEXT, place);
    node->text = memory_copy_text(words);
    node->bytes = strlen(words);
    node->plain = true;
    return node;
}

void node_append(struct node *node, struct node *key, struct node *value)
{
    node->rows = memory_resize(node->rows, node->count + 1, sizeof *node->rows);
    node->rows[node->count++] = (struct node_entry){.key = key, .value = value};
    node->weight += value->weight + (key ? key->weight : 0);
}

void document_fini(struct document *document)
{
    for (size_t i = 0; i < document->count; i++) {
        struct node *node = document->nodes[i];
        free(node->text);
        free(node->rows);
        free(node->anchor);
        free(node);
    }
    free(document->nodes);
    free(document->file);
    *document = (struct document){0};
}

struct node_entry *node_entry_of(const struct node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->rows[i].key->text, key) == 0)
            return &map->rows[i];
    }
    return NULL;
}

struct node *node_find(const struct node *map, const char *key)
{
    struct node_entry *entry = node_entry_of(map, key);
    return entry ? entry->value : NULL;
}

const char *node_kind_words(const struct node *node)
{
    static const char *const words[] = {"a text", "a list", "a map"};
    return node_is_null(node) ? "empty" : words[node->kind];
}

struct note node_place(const struct node *node)
{
    if (!node)
        return (struct note){.level = NOTE_ERROR};
    return (struct note){.level = NOTE_ERROR,
                         .file = (char *)node->file,
                         .line = node->line,
                         .column = node->column,
                         .width = node->width};
}

bool node_is_null(const struct node *node)
{
    return node->kind == NODE_TEXT && node->plain &&
           (node->bytes == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

/* Length of the character at the start of the bytes, or 0 when it is not UTF-8 (overlong forms,
 * surrogates and what lies beyond U+10FFFF are not). */
static size_t character_bytes(const unsigned char *at, size_t bytes)
{
    static const struct {
        unsigned char mask, lead, least_second, most_second, length;
    } forms[] = {
        {0x80, 0x00, 0, 0, 1},       {0xE0, 0xC0, 0x80, 0xBF, 2}, {0xFF, 0xE0, 0xA0, 0xBF, 3},
        {0xFF, 0xED, 0x80, 0x9F, 3}, {0xF0, 0xE0, 0x80, 0xBF, 3}, {0xFF, 0xF0, 0x90, 0xBF, 4},
        {0xFF, 0xF4, 0x80, 0x8F, 4}, {0xFC, 0xF0, 0x80, 0xBF, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if ((at[0] & forms[i].mask) != forms[i].lead)
            continue;
        if (forms[i].length > bytes || at[0] == 0xC0 || at[0] == 0xC1)
            return 0;
        if (forms[i].length > 1 && (at[1] < forms[i].least_second || at[1] > forms[i].most_second))
            return 0;
        for (size_t more = 2; more < forms[i].length; more++) {
            if ((at[more] & 0xC0) != 0x80)
                return 0;
        }
        return forms[i].length;
    }
    return 0;
}

size_t utf8_valid_bytes(struct span bytes)
{
    size_t at = 0;
    while (at < bytes.bytes) {
        size_t length = character_bytes((const unsigned char *)bytes.at + at, bytes.bytes - at);
        if (length == 0)
            return at;
        at += length;
    }
    return at;
}
