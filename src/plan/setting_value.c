/* One value by its row: its form, its range, and the field that it fills. */
#include "plan/reader.h"

#include "base/memory.h"
#include "base/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *wanted_words(const struct setting *row)
{
    switch (row->type) {
    case SETTING_BOOL:
        return "true or false";
    case SETTING_COUNT:
    case SETTING_UINT:
        return "a whole number";
    case SETTING_REAL:
        return "a number";
    case SETTING_DURATION:
        return "a duration such as \"250ms\", \"30s\" or \"5m\"";
    case SETTING_RATE:
        return "a rate such as \"10/s\" or \"600/min\"";
    case SETTING_SHARE:
        return "a share such as \"1%\" or 0.01";
    case SETTING_BYTES:
        return "a size such as \"64KiB\" or \"1MB\"";
    case SETTING_CHOICE:
        return "one of its words";
    default:
        return "a text";
    }
}

/* A bound with its unit, also where the value is a bare number. */
static void put_bound(const struct setting *row, double bound, struct text *out)
{
    setting_put_bound(row, bound, out);
    if (row->unit && row->type != SETTING_DURATION && row->type != SETTING_BYTES &&
        row->type != SETTING_SHARE)
        text_printf(out, " %s", row->unit);
}

/* Whether a value lies in the row's range; says so when it does not. */
static bool in_range(struct reader *reader, const struct setting *row, const struct node *node,
                     double value, const char *words)
{
    bool low = value<row->least, high = row->most> 0 && value > row->most;
    if (!low && !high)
        return true;
    struct text bound = TEXT_EMPTY;
    put_bound(row, low ? row->least : row->most, &bound);
    reader_error(reader, node, NULL, "%s must be at %s %s; it is %s", row->name,
                 low ? "least" : "most", bound.at, words);
    text_fini(&bound);
    return false;
}

static void say_wrong(struct reader *reader, const struct setting *row, const struct node *node,
                      const char *words)
{
    reader_error(reader, node, NULL, "%s must be %s; it is \"%s\"", row->name, wanted_words(row),
                 words);
}

static int read_bool(const char *words, bool *out)
{
    if (text_has_word("true yes on True TRUE", words))
        *out = true;
    else if (text_has_word("false no off False FALSE", words))
        *out = false;
    else
        return -EINVAL;
    return 0;
}

/* Numbers of all kinds; the value in the base unit of its range. */
static int read_number(const struct setting *row, struct span words, void *field, double *value,
                       bool store)
{
    nsec_t duration = 0;
    uint64_t count = 0;
    int rc = 0;
    switch (row->type) {
    case SETTING_UINT:
        rc = span_uint(words, &count);
        *value = (double)count;
        if (!rc && store)
            *(uint64_t *)field = count;
        return rc;
    case SETTING_BYTES:
        rc = unit_read_bytes(words, &count);
        *value = (double)count;
        if (!rc && store)
            *(uint64_t *)field = count;
        return rc;
    case SETTING_DURATION:
        rc = unit_read_duration(words, NSEC_PER_SEC, &duration);
        *value = (double)duration / (double)NSEC_PER_SEC;
        if (!rc && store)
            *(nsec_t *)field = duration;
        return rc;
    case SETTING_RATE:
        rc = unit_read_rate(words, value);
        break;
    case SETTING_SHARE:
        rc = unit_read_share(words, value);
        break;
    default:
        rc = unit_read_real(words, value);
        if (rc && row->unit && strcmp(row->unit, "seconds") == 0) {
            rc = unit_read_duration(words, NSEC_PER_SEC, &duration);
            *value = (double)duration / (double)NSEC_PER_SEC;
        }
        break;
    }
    if (!rc && store)
        *(double *)field = *value;
    return rc;
}

static void read_choice(struct reader *reader, const struct setting *row, const struct node *node,
                        const char *words, void *field)
{
    const char *nearest = NULL;
    size_t best = strlen(words) / 3 + 2;
    struct text all = TEXT_EMPTY;
    for (int i = 0; row->words[i].word; i++) {
        if (strcmp(row->words[i].word, words) == 0) {
            *(int *)field = i;
            text_fini(&all);
            return;
        }
        size_t distance = text_distance(words, row->words[i].word);
        if (distance < best) {
            best = distance;
            nearest = row->words[i].word;
        }
        text_printf(&all, "%s%s", i ? ", " : "it may be ", row->words[i].word);
    }
    struct text hint = TEXT_EMPTY;
    if (nearest)
        text_printf(&hint, "did you mean \"%s\"?", nearest);
    reader_error(reader, node, nearest ? hint.at : all.at, "%s \"%s\" is unknown", row->name,
                 words);
    text_fini(&hint);
    text_fini(&all);
}

/* A quantity below nothing is out of range rather than of a wrong form. */
static bool say_negative(struct reader *reader, const struct setting *row, const struct node *node,
                         const char *words)
{
    double value = 0;
    struct setting positive = *row;
    struct span rest = span_trim(span_of(words));
    if (rest.bytes < 2 || rest.at[0] != '-' || row->least < 0)
        return false;
    rest.at++;
    rest.bytes--;
    positive.type = row->type == SETTING_UINT ? SETTING_REAL : row->type;
    if (read_number(&positive, rest, NULL, &value, false))
        return false;
    return !in_range(reader, row, node, -value - 1e-300, words);
}

/* A value that is one text. */
static void read_scalar(struct reader *reader, const struct setting *row, const char *path,
                        const struct node *node, void *field)
{
    if (node->kind != NODE_TEXT) {
        reader_error(reader, node, NULL, "%s must be %s; it is %s", row->name, wanted_words(row),
                     node_kind_words(node));
        return;
    }
    char *words = reader_words(reader, node, wanted_words(row));
    if (!words)
        return;
    reader_keep_origin(reader, path, row->secret ? "***" : words,
                       strcmp(node->file ? node->file : "", "default") == 0 ? NULL : node);
    double value = 0;
    if (row->type == SETTING_PATH && !node->origin) {
        char *full = reader_beside_plan(reader, words);
        free(words);
        words = full;
    }
    if (row->type == SETTING_TEXT || row->type == SETTING_PATH) {
        free(*(char **)field);
        *(char **)field = words;
        return;
    }
    if (row->type == SETTING_CHOICE) {
        read_choice(reader, row, node, words, field);
    } else if (row->type == SETTING_BOOL) {
        if (read_bool(words, field))
            say_wrong(reader, row, node, words);
    } else if (say_negative(reader, row, node, words)) {
        value = 0;
    } else if (read_number(row, span_trim(span_of(words)), field, &value, false)) {
        say_wrong(reader, row, node, words);
    } else if (in_range(reader, row, node, value, words)) {
        read_number(row, span_trim(span_of(words)), field, &value, true);
    }
    free(words);
}

static void read_texts(struct reader *reader, const struct setting *row, const char *path,
                       const struct node *node, struct plan_texts *out)
{
    size_t count = node->kind == NODE_LIST ? node->count : 1;
    if (node->kind == NODE_MAP) {
        reader_wants(reader, node, NODE_LIST, row->name);
        return;
    }
    out->items = memory_new(count, sizeof *out->items);
    struct text all = TEXT_EMPTY;
    for (size_t i = 0; i < count; i++) {
        const struct node *item = node->kind == NODE_LIST ? node->rows[i].value : node;
        char *words = reader_words(reader, item, "a text");
        if (words) {
            text_printf(&all, "%s%s", all.bytes ? ", " : "", words);
            out->items[out->count++] = words;
        }
    }
    text_reserve(&all, 1);
    reader_keep_origin(reader, path, all.at, node);
    text_fini(&all);
}

static void read_numbers(struct reader *reader, const struct setting *row, const char *path,
                         const struct node *node, struct plan_numbers *out)
{
    if (!reader_wants(reader, node, NODE_LIST, row->name))
        return;
    if (node->count == 0) {
        reader_error(reader, node, NULL, "%s is empty", row->name);
        return;
    }
    out->items = memory_new(node->count, sizeof *out->items);
    struct text all = TEXT_EMPTY;
    for (size_t i = 0; i < node->count; i++) {
        const struct node *item = node->rows[i].value;
        char *words = reader_words(reader, item, "a number");
        double value = 0;
        if (words && unit_read_rate(span_trim(span_of(words)), &value))
            reader_error(reader, item, NULL, "%s must be numbers; this is \"%s\"", row->name,
                         words);
        else if (words && in_range(reader, row, item, value, words))
            out->items[out->count++] = value;
        text_printf(&all, "%s%s", i ? ", " : "", words ? words : "");
        free(words);
    }
    reader_keep_origin(reader, path, all.at, node);
    text_fini(&all);
}

static bool is_header_name(const char *name)
{
    return *name && name[strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

static void read_headers(struct reader *reader, const struct setting *row, const char *path,
                         const struct node *node, struct plan_headers *out)
{
    if (!reader_wants(reader, node, NODE_MAP, row->name))
        return;
    out->items = memory_new(node->count, sizeof *out->items);
    for (size_t i = 0; i < node->count; i++) {
        const struct node *name = node->rows[i].key, *value = node->rows[i].value;
        char here[PATH_ROOM];
        path_write(here, "%s.%s", path, name->text);
        if (!is_header_name(name->text)) {
            reader_error(reader, name, NULL, "\"%s\" cannot be the name of a header", name->text);
            continue;
        }
        if (value->kind == NODE_TEXT && strpbrk(value->text, "\r\n")) {
            reader_error(reader, value, NULL, "the value of a header is one line");
            continue;
        }
        if (name_is_secret(name->text))
            reader_hide(reader, value);
        struct template *template = reader_template(reader, value);
        if (!template)
            continue;
        reader_keep_origin(reader, here, name_is_secret(name->text) ? "***" : value->text, value);
        out->items[out->count++] =
            (struct plan_header){.name = memory_copy_text(name->text), .value = template};
    }
}

/* A whole number, or a text with a hole, which is drawn from the data. */
static void read_count(struct reader *reader, const struct setting *row, const char *path,
                       const struct node *node, struct plan_count *out)
{
    if (node->kind == NODE_TEXT && strstr(node->text, "{{")) {
        template_free(out->hole);
        out->hole = reader_template(reader, node);
        reader_keep_origin(reader, path, node->text, node);
        return;
    }
    struct setting number = *row;
    number.type = SETTING_UINT;
    read_scalar(reader, &number, path, node, &out->value);
}

/* What validate shows of a value that is no single text. */
static void keep_structured(struct reader *reader, const char *path, const struct node *node)
{
    struct text words = TEXT_EMPTY;
    reader->reference[0] = '\0';
    if (node->kind == NODE_TEXT) {
        text_puts(&words, node->text);
    } else {
        text_printf(&words, "%s of %zu", node_kind_words(node) + 2, node->count);
    }
    reader_keep_origin(reader, path, words.at ? words.at : "",
                       node->line || node->origin ? node : NULL);
    text_fini(&words);
}

void setting_read_value(struct reader *reader, const struct setting *row, const char *path,
                        const struct node *node, void *field)
{
    if (row->secret)
        reader_hide(reader, node);
    switch (row->type) {
    case SETTING_TEXTS:
        read_texts(reader, row, path, node, field);
        break;
    case SETTING_NUMBERS:
        read_numbers(reader, row, path, node, field);
        break;
    case SETTING_COUNT:
        read_count(reader, row, path, node, field);
        break;
    case SETTING_HEADERS:
        read_headers(reader, row, path, node, field);
        break;
    case SETTING_SPREAD:
        spread_read(reader, row, path, node, field);
        keep_structured(reader, path, node);
        break;
    case SETTING_TEMPLATE:
    case SETTING_JSON:
        template_free(*(struct template **)field);
        *(struct template **)field =
            row->type == SETTING_JSON ? reader_json(reader, node) : reader_template(reader, node);
        keep_structured(reader, path, node);
        break;
    case SETTING_CUSTOM:
        custom_read(reader, row, path, node, field);
        break;
    default:
        read_scalar(reader, row, path, node, field);
        break;
    }
}

static void free_texts(struct plan_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i]);
    free(texts->items);
    *texts = (struct plan_texts){0};
}

static void free_headers(struct plan_headers *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        free(headers->items[i].name);
        template_free(headers->items[i].value);
    }
    free(headers->items);
    *headers = (struct plan_headers){0};
}

void setting_free(const struct setting *table, void *base)
{
    for (const struct setting *row = table; base && row && row->name; row++) {
        void *field = (char *)base + row->offset;
        if (row->type == SETTING_TEXT || row->type == SETTING_PATH) {
            free(*(char **)field);
            *(char **)field = NULL;
        } else if (row->type == SETTING_TEMPLATE || row->type == SETTING_JSON) {
            *(struct template **)field = template_free(*(struct template **)field);
        } else if (row->type == SETTING_COUNT) {
            struct plan_count *count = field;
            count->hole = template_free(count->hole);
        } else if (row->type == SETTING_HEADERS) {
            free_headers(field);
        } else if (row->type == SETTING_TEXTS) {
            free_texts(field);
        } else if (row->type == SETTING_NUMBERS) {
            free(((struct plan_numbers *)field)->items);
            *(struct plan_numbers *)field = (struct plan_numbers){0};
        } else if (row->type == SETTING_SECTION) {
            setting_free(row->section, field);
        } else if (row->type == SETTING_CUSTOM && strcmp(row->custom, "secret") == 0) {
            free(*(char **)field);
            *(char **)field = NULL;
        }
    }
}
