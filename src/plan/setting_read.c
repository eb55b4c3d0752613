/* Maps by tables: each row finds its key, its override or its default; each key finds its row. */
#include "plan/reader.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

struct node_entry *setting_entry(struct reader *reader, const struct node *map,
                                 const struct setting *row)
{
    struct node_entry *found = NULL;
    if (!map)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (!setting_is_named(row, map->rows[i].key->text))
            continue;
        if (found)
            reader_error(reader, map->rows[i].key, "write one of them",
                         "\"%s\" and \"%s\" are the same setting", found->key->text,
                         map->rows[i].key->text);
        else
            found = &map->rows[i];
    }
    return found;
}

static const struct setting *find_row(const struct setting_scope *scopes, size_t count,
                                      const char *key)
{
    for (size_t i = 0; i < count; i++) {
        for (const struct setting *row = scopes[i].table; row && row->name; row++) {
            if (setting_is_named(row, key))
                return row;
        }
    }
    return NULL;
}

static void keep_nearest(const char *key, const char *candidate, size_t *best, const char **nearest)
{
    size_t distance = text_distance(key, candidate);
    if (distance < *best) {
        *best = distance;
        *nearest = candidate;
    }
}

static const char *nearest_key(const struct setting_scope *scopes, size_t count, const char *key)
{
    const char *nearest = NULL;
    size_t best = strlen(key) / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        for (const struct setting *row = scopes[i].table; row && row->name; row++)
            keep_nearest(key, row->name, &best, &nearest);
    }
    return nearest;
}

/* The pattern that has a setting of this name, to tell a misplaced key from a misspelt one. */
static const struct pattern_word *pattern_of(const struct reader *reader, const char *key)
{
    for (size_t i = 0; i < reader->vocabulary->pattern_count; i++) {
        const struct pattern_word *pattern = &reader->vocabulary->patterns[i];
        struct setting_scope scope = {pattern->settings, NULL};
        if (find_row(&scope, 1, key))
            return pattern;
    }
    return NULL;
}

static void say_unknown(struct reader *reader, const struct node *key, const char *path,
                        const struct setting_scope *scopes, size_t count)
{
    const char *nearest = nearest_key(scopes, count, key->text);
    char hint[200] = "";
    const struct pattern_word *pattern =
        strncmp(path, "scenarios.", 10) == 0 && !strchr(path + 10, '.')
            ? pattern_of(reader, key->text)
            : NULL;
    if (pattern)
        snprintf(hint, sizeof hint, "it belongs to the pattern \"%s\"; say pattern: %s",
                 pattern->word, pattern->word);
    else if (nearest)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    reader_error(reader, key, *hint ? hint : NULL, "unknown key \"%s\" in %s", key->text,
                 *path ? path : "the plan");
}

/* Says that a key is lacking, unless it is there and misspelt, which has been said. */
static void say_missing(struct reader *reader, const struct node *map, const char *path,
                        const struct setting *row, const struct setting *table)
{
    struct setting_scope scope = {table, NULL};
    for (size_t i = 0; map && i < map->count; i++) {
        const char *key = map->rows[i].key->text;
        const char *nearest = find_row(&scope, 1, key) ? NULL : nearest_key(&scope, 1, key);
        if (nearest && strcmp(nearest, row->name) == 0)
            return;
    }
    reader_error(reader, map, row->sentence, "%s lacks \"%s\"", *path ? path : "the plan",
                 row->name);
}

static void read_row(struct reader *reader, const struct node *map, const char *path,
                     const struct setting *row, const struct setting_scope *own)
{
    char here[PATH_ROOM];
    path_write(here, "%s%s%s", path, *path ? "." : "", row->name);
    void *field = (char *)own->base + row->offset;
    struct node_entry *entry = setting_entry(reader, map, row);
    struct node *written = entry ? entry->value : NULL;
    if (row->type == SETTING_SECTION) {
        if (written && !node_is_null(written) &&
            !reader_wants(reader, written, NODE_MAP, row->name))
            return;
        struct setting_scope scope = {row->section, field};
        const struct node *inner = written && written->kind == NODE_MAP ? written : NULL;
        setting_read_map(reader, inner, here, &scope, 1);
        return;
    }
    struct node *node = reader_effective(reader, row, here, written);
    if (node && node_is_null(node) && row->type != SETTING_JSON) {
        if (node == written)
            reader_error(reader, entry->key, "write a value, or take the line away",
                         "\"%s\" has no value", row->name);
        return;
    }
    if (node) {
        setting_read_value(reader, row, here, node, field);
    } else if (row->unset) {
        struct node unset = {.plain = true,
                             .file = "default",
                             .text = (char *)row->unset,
                             .bytes = strlen(row->unset)};
        setting_read_value(reader, row, here, &unset, field);
    } else if (row->required) {
        say_missing(reader, map, path, row, own->table);
    }
}

void setting_read_map(struct reader *reader, const struct node *map, const char *path,
                      const struct setting_scope *scopes, size_t count)
{
    for (size_t i = 0; map && i < map->count; i++) {
        if (!find_row(scopes, count, map->rows[i].key->text))
            say_unknown(reader, map->rows[i].key, path, scopes, count);
    }
    for (size_t i = 0; i < count; i++) {
        for (const struct setting *row = scopes[i].table; row && row->name; row++)
            read_row(reader, map, path, row, &scopes[i]);
    }
}
