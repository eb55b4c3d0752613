/* The small parts of a plan: services, rules, labels, variables, secrets, the version. */
#include "plan/part.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_BYTES = 64 * 1024 };

#define SERVICE(member) offsetof(struct plan_service, member)

const struct setting service_rows[] = {
    {.name = "health",
     .type = SETTING_TEXT,
     .offset = SERVICE(health),
     .sentence = "URL, or path on the target, that answers 2xx when it is healthy"},
    {.name = "wait",
     .type = SETTING_DURATION,
     .offset = SERVICE(wait_ns),
     .unset = "30s",
     .sentence = "how long to wait for it"},
    {.name = "role",
     .type = SETTING_TEXT,
     .offset = SERVICE(role),
     .sentence = "what it is, such as gateway, gpu or database"},
    {.name = NULL},
};

void schema_version_read(struct reader *reader, const struct setting *row, const char *path,
                         const struct node *node, void *field)
{
    (void)field;
    char *words = reader_words(reader, node, "1");
    if (words && strcmp(words, "1") != 0)
        reader_error(reader, node, "this version of plimsoll reads schema 1", "%s %s is unknown",
                     row->name, words);
    else if (words)
        reader_keep_origin(reader, path, words, node);
    free(words);
}

void services_read(struct reader *reader, const struct setting *row, const char *path,
                   const struct node *node, void *field)
{
    (void)field;
    struct plan *plan = reader->plan;
    if (!reader_wants(reader, node, NODE_MAP, row->name))
        return;
    plan->services = memory_new(node->count, sizeof *plan->services);
    for (size_t i = 0; i < node->count; i++) {
        struct plan_service *service = &plan->services[plan->service_count++];
        const struct node *value = node->rows[i].value;
        char here[PATH_ROOM];
        path_write(here, "%s.%s", path, node->rows[i].key->text);
        service->name = memory_copy_text(node->rows[i].key->text);
        if (value->kind == NODE_TEXT && !node_is_null(value)) { /* a text is the health URL */
            struct node *key = document_add_text(&reader->document, "health", value);
            struct node *map = document_add(&reader->document, NODE_MAP, value);
            node_append(map, key, node->rows[i].value);
            value = map;
        }
        struct setting_scope scope = {service_rows, service};
        if (reader_wants(reader, value, NODE_MAP, here))
            setting_read_map(reader, value, here, &scope, 1);
    }
}

struct rule_form {
    char *service, *name;
    bool failure;
    const struct node *when;
};

#define RULE(member) offsetof(struct rule_form, member)

const struct setting rule_rows[] = {
    {.name = "service",
     .type = SETTING_TEXT,
     .offset = RULE(service),
     .required = true,
     .sentence = "service that the reply counts for"},
    {.name = "name",
     .type = SETTING_TEXT,
     .offset = RULE(name),
     .sentence = "name of the outcome, such as timeout or pool"},
    {.name = "when",
     .type = SETTING_CUSTOM,
     .offset = RULE(when),
     .custom = "checks",
     .required = true,
     .sentence = "checks that must all pass"},
    {.name = "failure",
     .type = SETTING_BOOL,
     .offset = RULE(failure),
     .unset = "true",
     .sentence = "the outcome counts against the service"},
    {.name = NULL},
};

void rules_read(struct reader *reader, const struct setting *row, const char *path,
                const struct node *node, void *field)
{
    (void)field;
    struct plan *plan = reader->plan;
    if (!reader_wants(reader, node, NODE_LIST, row->name))
        return;
    plan->rules = memory_new(node->count, sizeof *plan->rules);
    for (size_t i = 0; i < node->count; i++) {
        char here[PATH_ROOM];
        path_write(here, "%s[%zu]", path, i);
        if (!reader_wants(reader, node->rows[i].value, NODE_MAP, "a rule"))
            continue;
        struct rule_form form = {0};
        struct setting_scope scope = {rule_rows, &form};
        setting_read_map(reader, node->rows[i].value, here, &scope, 1);
        struct plan_rule *rule = &plan->rules[plan->rule_count++];
        *rule = (struct plan_rule){.service = form.service,
                                   .name = form.name ? form.name : memory_copy_text("failed"),
                                   .failure = form.failure};
        checks_read(reader, form.when, &rule->when, &rule->when_count);
    }
}

void labels_read(struct reader *reader, const struct setting *row, const char *path,
                 const struct node *node, void *field)
{
    (void)field;
    struct plan *plan = reader->plan;
    if (!reader_wants(reader, node, NODE_MAP, row->name))
        return;
    plan->labels = memory_new(node->count, sizeof *plan->labels);
    for (size_t i = 0; i < node->count; i++) {
        char here[PATH_ROOM];
        const char *name = node->rows[i].key->text;
        path_write(here, "%s.%s", path, name);
        char *value = reader_words(reader, node->rows[i].value, "a text");
        if (!value)
            continue;
        reader_keep_origin(reader, here, value, node->rows[i].value);
        plan->labels[plan->label_count++] =
            (struct plan_label){.name = memory_copy_text(name), .value = value};
    }
}

void variables_read(struct reader *reader, const struct setting *row, const char *path,
                    const struct node *node, void *field)
{
    (void)field;
    if (!reader_wants(reader, node, NODE_MAP, row->name))
        return;
    for (size_t i = 0; i < node->count; i++) {
        char here[PATH_ROOM];
        const struct node *key = node->rows[i].key, *written = node->rows[i].value;
        path_write(here, "%s.%s", path, key->text);
        struct setting text_row = {.name = key->text, .type = SETTING_TEXT};
        const struct node *value = reader_effective(reader, &text_row, here, node->rows[i].value);
        bool secret = name_is_secret(key->text);
        if (secret)
            reader_hide(reader, written);
        char *words = reader_words(reader, value, "a text or a number");
        if (!words)
            continue;
        reader_keep_origin(reader, here, secret ? "***" : words, value);
        struct symbol *symbol = symbols_add(reader->symbols, span_of(key->text), SYMBOL_CONSTANT);
        symbol->constant = words;
    }
}

static char *read_secret_file(struct reader *reader, const struct node *node, const char *path)
{
    struct text bytes = TEXT_EMPTY;
    char *full = reader_beside_plan(reader, path);
    int rc = file_read(full, SECRET_BYTES, &bytes);
    char why[96];
    if (rc)
        reader_error(reader, node, NULL, "cannot read \"%s\": %s", full,
                     error_sentence(rc, why, sizeof why));
    free(full);
    if (rc)
        return NULL;
    struct text trimmed = TEXT_EMPTY;
    text_put(&trimmed, span_trim(text_span(&bytes)));
    text_fini(&bytes);
    return text_take(&trimmed);
}

/* A text, {env: NAME} or {file: PATH}: never printed, never kept. */
void secret_read(struct reader *reader, const struct setting *row, const char *path,
                 const struct node *node, void *field)
{
    char **out = field;
    char *value = NULL;
    if (node->kind == NODE_TEXT) {
        reader_hide(reader, node);
        value = reader_words(reader, node, "a text");
    } else if (node->kind == NODE_MAP && node->count == 1 &&
               node->rows[0].value->kind == NODE_TEXT) {
        const char *key = node->rows[0].key->text, *words = node->rows[0].value->text;
        const struct variable *variable = variables_find(&reader->variables, span_of(words));
        if (strcmp(key, "file") == 0)
            value = read_secret_file(reader, node->rows[0].value, words);
        else if (strcmp(key, "env") == 0 && variable)
            value = memory_copy_text(variable->value);
        else if (strcmp(key, "env") == 0)
            reader_error(reader, node->rows[0].value, NULL,
                         "environment variable \"%s\" is not set", words);
        else
            reader_error(reader, node->rows[0].key, "it may be env or file",
                         "unknown key \"%s\" in %s", key, path);
    } else {
        reader_error(reader, node, NULL, "%s must be a text, {env: NAME} or {file: PATH}",
                     row->name);
    }
    if (!value)
        return;
    reader_keep_origin(reader, path, "***", node);
    if (strpbrk(value, "\r\n")) {
        reader_error(reader, node, NULL, "%s must be one line", row->name);
        free(value);
        return;
    }
    free(*out);
    *out = value;
}
