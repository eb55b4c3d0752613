/* Errors with a place, values from outside, and where each value came from. */
#include "plan/reader.h"
#include "plan/mask.h"

#include "base/memory.h"
#include "plan/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void add_note(struct reader *reader, enum note_level level, const struct node *node,
                     const char *hint, struct text *sentence)
{
    struct note note = node_place(node);
    note.level = level;
    if (node && node->origin) { /* "--users: ..." */
        struct text with_flag = TEXT_EMPTY;
        text_printf(&with_flag, "%s: %s", node->origin, sentence->at ? sentence->at : "");
        text_fini(sentence);
        *sentence = with_flag;
    }
    if (reader->quick)
        note.line = 0;
    text_reserve(sentence, 1);
    note.sentence = sentence->at;
    note.hint = (char *)hint;
    notes_add(reader->notes, note);
    text_fini(sentence);
}

void path_write(char out[PATH_ROOM], const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(out, PATH_ROOM, format, list);
    va_end(list);
}

void reader_error(struct reader *reader, const struct node *node, const char *hint,
                  const char *format, ...)
{
    struct text sentence = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&sentence, format, list);
    va_end(list);
    add_note(reader, NOTE_ERROR, node, hint, &sentence);
}

void reader_say(struct reader *reader, enum note_level level, const struct node *node,
                const char *hint, const char *format, ...)
{
    struct text sentence = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&sentence, format, list);
    va_end(list);
    add_note(reader, level, node, hint, &sentence);
}

bool reader_wants(struct reader *reader, const struct node *node, enum node_kind kind,
                  const char *name)
{
    static const char *const words[] = {"a text", "a list", "a map"};
    if (node->kind == kind && !node_is_null(node))
        return true;
    reader_error(reader, node,
                 kind == NODE_LIST ? "in brackets, or each on a line that begins with \"- \""
                                   : NULL,
                 "%s must be %s; it is %s", name, words[kind], node_kind_words(node));
    return false;
}

void reader_each(struct reader *reader, const struct node *node, const char *name, const char *path,
                 void (*read)(struct reader *reader, const struct node *item, const char *path))
{
    if (!reader_wants(reader, node, NODE_LIST, name))
        return;
    for (size_t i = 0; i < node->count; i++) {
        char here[PATH_ROOM];
        path_write(here, "%s[%zu]", path, i);
        read(reader, node->rows[i].value, here);
    }
}

int reader_text(struct reader *reader, const struct node *node, const char *wanted,
                struct text *out)
{
    reader->reference[0] = '\0';
    if (node->kind != NODE_TEXT) {
        reader_error(reader, node, NULL, "this must be %s; it is %s", wanted,
                     node_kind_words(node));
        return 1;
    }
    struct reference reference;
    struct span words = {node->text, node->bytes};
    size_t before = out->bytes;
    variables_expand(&reader->variables, words, out, &reference);
    text_reserve(out, out->bytes);
    if (reference.missing[0]) {
        char hint[200];
        snprintf(hint, sizeof hint, "set it, or write ${%s:-default}; a literal ${ is written $${",
                 reference.missing);
        reader_error(reader, node, hint, "environment variable \"%s\" is not set",
                     reference.missing);
        out->bytes = before;
        return 1;
    }
    if (reference.variable)
        snprintf(reader->reference, sizeof reader->reference, ", %.50s from %s",
                 reference.variable->name,
                 reference.variable->from_dotenv ? ".env" : "the environment");
    return 0;
}

char *reader_words(struct reader *reader, const struct node *node, const char *wanted)
{
    struct text words = TEXT_EMPTY;
    if (reader_text(reader, node, wanted, &words)) {
        text_fini(&words);
        return NULL;
    }
    return text_take(&words);
}

char *reader_beside_plan(const struct reader *reader, const char *path)
{
    struct text full = TEXT_EMPTY;
    const char *file = reader->quick ? NULL : reader->source->file;
    const char *slash = file ? strrchr(file, '/') : NULL;
    if (path[0] != '/' && slash)
        text_put(&full, (struct span){file, (size_t)(slash - file) + 1});
    text_puts(&full, path);
    return text_take(&full);
}

/* "scenarios.*.vus" fits "scenarios.chat.vus". */
static bool path_fits(const char *pattern, const char *path)
{
    while (*pattern && *path) {
        if (*pattern == '*') {
            pattern++;
            path += strcspn(path, ".");
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *pattern == *path;
}

/* Whether an override's path means this setting: its own name or an alias as the last word. */
static bool override_fits(const char *pattern, const char *path, const struct setting *row)
{
    if (path_fits(pattern, path))
        return true;
    const char *last = strrchr(pattern, '.'), *own = strrchr(path, '.');
    last = last ? last + 1 : pattern;
    own = own ? own + 1 : path;
    if (!text_has_word(row->aliases, last))
        return false;
    char head[256], wanted[256];
    snprintf(head, sizeof head, "%.*s", (int)(last - pattern), pattern);
    snprintf(wanted, sizeof wanted, "%.*s", (int)(own - path), path);
    return path_fits(head, wanted);
}

/* A node made of words from outside; lists and maps may be written in YAML's short form. */
static struct node *outside_node(struct reader *reader, const char *words, const char *file,
                                 const char *origin, bool structured)
{
    struct document *document = &reader->document;
    struct node place = {.file = file, .origin = origin};
    struct node *node = document_add_text(document, words, &place);
    if (!structured || (words[0] != '[' && words[0] != '{'))
        return node;
    struct document inner;
    struct notes notes = {0};
    if (document_read(&inner, "", span_of(words), &notes) == 0) {
        size_t first = document->count;
        for (size_t i = 0; i < inner.count; i++) {
            inner.nodes[i]->file = file;
            inner.nodes[i]->origin = origin;
            inner.nodes[i]->line = 0;
        }
        document->nodes =
            memory_resize(document->nodes, first + inner.count, sizeof(struct node *));
        memcpy(document->nodes + first, inner.nodes, inner.count * sizeof *inner.nodes);
        document->count += inner.count;
        node = inner.root;
        inner.count = 0;
    }
    notes_fini(&notes);
    document_fini(&inner);
    return node;
}

static bool is_structured(const struct setting *row)
{
    return row->type == SETTING_CUSTOM || row->type == SETTING_TEXTS ||
           row->type == SETTING_NUMBERS || row->type == SETTING_HEADERS ||
           row->type == SETTING_SPREAD || row->type == SETTING_JSON;
}

/* Keeps the path of a setting that a path of the command line may have meant. */
static void keep_near(struct override_seen *seen, const char *pattern, const char *path)
{
    size_t distance = seen->used ? SIZE_MAX : text_distance(pattern, path);
    if (distance > strlen(pattern) / 8 + 2 || (seen->near && distance >= seen->distance))
        return;
    free(seen->near);
    seen->near = memory_copy_text(path);
    seen->distance = distance;
}

struct node *reader_effective(struct reader *reader, const struct setting *row, const char *path,
                              struct node *written)
{
    const struct plan_source *source = reader->source;
    struct node *found = NULL;
    for (size_t i = 0; i < source->override_count; i++) { /* the last one wins */
        const struct plan_override *override = &source->overrides[i];
        if (!override_fits(override->path, path, row)) {
            keep_near(&reader->overrides[i], override->path, path);
            continue;
        }
        reader->overrides[i].used = true;
        found = outside_node(reader, override->words, "command line",
                             override->flag ? override->flag : override->path, is_structured(row));
    }
    if (found || !row->environment)
        return found ? found : written;
    const struct variable *variable = variables_find(&reader->variables, span_of(row->environment));
    if (!variable || !*variable->value)
        return written;
    return outside_node(reader, variable->value,
                        variable->from_dotenv ? reader->variables.dotenv : "environment",
                        row->environment, is_structured(row));
}

void reader_keep_origin(struct reader *reader, const char *path, const char *value,
                        const struct node *node)
{
    struct plan_reading *reading = reader->reading;
    struct text origin = TEXT_EMPTY;
    if (!node)
        text_puts(&origin, "default");
    else if (node->origin)
        text_printf(&origin, "%s %s", node->file, node->origin);
    else if (node->line && !reader->quick)
        text_printf(&origin, "%s:%u%s", node->file, node->line, reader->reference);
    else
        text_puts(&origin, node->file);
    struct text shown = TEXT_EMPTY;
    text_put_masked(&shown, value);
    reading->origins =
        memory_resize(reading->origins, reading->origin_count + 1, sizeof *reading->origins);
    reading->origins[reading->origin_count++] =
        (struct plan_origin){memory_copy_text(path), text_take(&shown), text_take(&origin)};
}

void reader_drop_origins(struct reader *reader, size_t count)
{
    struct plan_reading *reading = reader->reading;
    while (reading->origin_count > count) {
        struct plan_origin *origin = &reading->origins[--reading->origin_count];
        free(origin->path);
        free(origin->value);
        free(origin->origin);
    }
}

void reader_hide(struct reader *reader, const struct node *node)
{
    if (!node || !node->line || node->origin || node->kind != NODE_TEXT || node->bytes == 0)
        return;
    reader->secrets =
        memory_resize(reader->secrets, reader->secret_count + 1, sizeof *reader->secrets);
    reader->secrets[reader->secret_count++] = (struct secret_range){node->first, node->past};
}

bool name_is_secret(const char *name)
{
    static const char *const words[] = {"authorization", "api-key",    "api_key",    "apikey",
                                        "password",      "secret",     "cookie",     "access-token",
                                        "access_token",  "auth-token", "auth_token", "x-token"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasestr(name, words[i]))
            return true;
    }
    return strcasecmp(name, "token") == 0;
}

bool setting_is_named(const struct setting *row, const char *word)
{
    return strcmp(row->name, word) == 0 || text_has_word(row->aliases, word);
}
