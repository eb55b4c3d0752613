/* One word that asks for a plug-in, with the plug-in's own settings: `process: {port: 8000}`. The
 * words are rows added to the section's own table, so that a misspelt one finds its nearest. */
#include "plan/part.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* "cpu, memory, disk" */
static void put_words(const struct plug_words *words, struct text *out)
{
    for (size_t i = 0; i < words->count; i++)
        text_printf(out, "%s%s", i ? ", " : "", words->items[i].word);
    text_reserve(out, 1);
}

/* A map of one key, at the place of another node. */
static struct node *map_of_one(struct reader *reader, const char *key, struct node *value,
                               const struct node *place)
{
    struct node *map = document_add(&reader->document, NODE_MAP, place);
    node_append(map, document_add_text(&reader->document, key, place), value);
    return map;
}

/* Reads the settings of a word: a map, the text that its shorthand stands for, or NULL for none. */
static void read_settings(struct reader *reader, const char *path, const struct plug_word *word,
                          const struct node *value, struct plan_plugged *out)
{
    *out = (struct plan_plugged){.word = word->word,
                                 .number = word->number,
                                 .config = memory_new(1, word->config_bytes),
                                 .settings = word->settings,
                                 .line = value ? value->line : 0};
    char here[PATH_ROOM];
    path_write(here, "%s.%s", path, word->word);
    struct setting_scope scope = {word->settings, out->config};
    if (value && value->kind != NODE_MAP) {
        if (!word->shorthand || value->kind != NODE_TEXT) {
            reader_wants(reader, value, NODE_MAP, word->word);
            return;
        }
        out->bare = memory_copy_text(value->text);
        value = map_of_one(reader, word->shorthand, (struct node *)value, value);
    }
    setting_read_map(reader, value, here, &scope, 1);
}

void plugged_default(struct reader *reader, const struct plug_word *word, const char *bare,
                     const struct node *place, struct plan_plugged *out)
{
    static const struct node nowhere = {.file = "default"};
    struct node *value =
        bare && *bare ? document_add_text(&reader->document, bare, place ? place : &nowhere) : NULL;
    size_t origins = reader->reading->origin_count;
    read_settings(reader, "watch", word, value, out);
    out->line = place ? place->line : 0;
    reader_drop_origins(reader, origins); /* nobody wrote them */
}

/* A word that stands alone: all of its settings are defaults. */
static int read_bare(struct reader *reader, const char *path, const struct node *entry,
                     const struct plug_words *words, struct plan_plugged *out)
{
    const char *nearest = NULL;
    size_t best = entry->bytes / 3 + 2;
    for (size_t i = 0; i < words->count; i++) {
        size_t distance = text_distance(entry->text, words->items[i].word);
        if (distance == 0) {
            read_settings(reader, path, &words->items[i], NULL, out);
            out->line = entry->line;
            return 0;
        }
        if (distance < best) {
            best = distance;
            nearest = words->items[i].word;
        }
    }
    struct text hint = TEXT_EMPTY;
    if (nearest)
        text_printf(&hint, "did you mean \"%s\"?", nearest);
    else
        put_words(words, &hint);
    reader_error(reader, entry, hint.at, "\"%s\" is no %s", entry->text, words->kind);
    text_fini(&hint);
    return 1;
}

/* The rows of words; the field of each is a place for its node. Owner: caller. */
static struct setting *rows_of_words(const struct plug_words *words)
{
    struct setting *rows = memory_new(words->count + 1, sizeof *rows);
    for (size_t i = 0; i < words->count; i++)
        rows[i] = (struct setting){.name = words->items[i].word,
                                   .type = SETTING_CUSTOM,
                                   .offset = i * sizeof(struct node *),
                                   .custom = "plugged",
                                   .sentence = words->items[i].sentence};
    return rows;
}

/* Which word was written; words->count after an error. */
static size_t only_word(struct reader *reader, const char *path, const struct node *entry,
                        const struct plug_words *words, const struct node *const *values)
{
    size_t found = words->count;
    for (size_t i = 0; i < words->count; i++) {
        if (!values[i])
            continue;
        if (found < words->count) {
            reader_error(reader, values[i], "write an entry for each", "%s has \"%s\" and \"%s\"",
                         path, words->items[found].word, words->items[i].word);
            return words->count;
        }
        found = i;
    }
    struct text hint = TEXT_EMPTY;
    text_puts(&hint, "it may be ");
    put_words(words, &hint);
    if (found == words->count)
        reader_error(reader, entry, hint.at, "%s names no %s", path, words->kind);
    text_fini(&hint);
    return found;
}

int plugged_read(struct reader *reader, const char *path, const struct node *entry,
                 const struct plug_words *words, const struct setting_scope *scope,
                 struct plan_plugged *out)
{
    if (entry->kind == NODE_TEXT && entry->bytes) { /* "null" is a word too */
        setting_read_map(reader, NULL, path, scope, 1);
        return read_bare(reader, path, entry, words, out);
    }
    if (!reader_wants(reader, entry, NODE_MAP, path))
        return 1;
    struct setting *rows = rows_of_words(words);
    const struct node **values = memory_new(words->count, sizeof(struct node *));
    struct setting_scope scopes[] = {*scope, {rows, values}};
    size_t errors = reader->notes->errors;
    setting_read_map(reader, entry, path, scopes, 2);
    size_t found = words->count;
    bool read = false;
    for (size_t i = 0; i < words->count; i++)
        read = read || values[i];
    if (read || reader->notes->errors == errors) /* else it is likely there, and misspelt */
        found = only_word(reader, path, entry, words, values);
    if (found < words->count)
        read_settings(reader, path, &words->items[found], values[found], out);
    free(values);
    free(rows);
    return found == words->count;
}

void plugged_fini(struct plan_plugged *plugged)
{
    setting_free(plugged->settings, plugged->config);
    free(plugged->config);
    free(plugged->bare);
    *plugged = (struct plan_plugged){.word = NULL};
}
