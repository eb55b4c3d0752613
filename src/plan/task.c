/* Tasks: a weight, and one request or several steps. The keys that make requests are the verbs of
 * the vocabulary, added to the table as rows of their own, so that a misspelt verb finds its
 * nearest one. */
#include "plan/part.h"

#include "base/memory.h"
#include "plan/mask.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM(member) offsetof(struct task_form, member)

const struct setting task_rows[] = {
    {.name = "weight",
     .type = SETTING_UINT,
     .offset = FORM(weight),
     .least = 1,
     .most = 1000000,
     .unset = "1",
     .sentence = "share of the iterations, against the weights of the other tasks"},
    {.name = "name",
     .type = SETTING_TEXT,
     .offset = FORM(name),
     .sentence = "its name in reports; made of the request where it is not given"},
    {.name = "tags",
     .type = SETTING_TEXTS,
     .offset = FORM(tags),
     .sentence = "words that thresholds may ask for"},
    {.name = "target",
     .type = SETTING_TEXT,
     .offset = FORM(target),
     .sentence = "base URL, where it is not the plan's"},
    {.name = "checks",
     .type = SETTING_CUSTOM,
     .offset = FORM(checks),
     .custom = "checks",
     .aliases = "check",
     .sentence = "what a good reply looks like, such as status == 200"},
    {.name = "capture",
     .type = SETTING_CUSTOM,
     .offset = FORM(capture),
     .custom = "capture",
     .sentence = "values of the reply that later steps of the task may name"},
    {.name = "think",
     .type = SETTING_SPREAD,
     .offset = FORM(think),
     .unit = "seconds",
     .sentence = "pause after each step, before the next of the same task"},
    {.name = "steps",
     .type = SETTING_CUSTOM,
     .offset = FORM(steps),
     .custom = "steps",
     .sentence = "several requests in order, in place of one"},
    {.name = NULL},
};

const struct setting step_rows[] = {
    {.name = "name",
     .type = SETTING_TEXT,
     .offset = FORM(name),
     .sentence = "its name in reports, behind the task's"},
    {.name = "target",
     .type = SETTING_TEXT,
     .offset = FORM(target),
     .sentence = "base URL, where it is not the plan's"},
    {.name = "checks",
     .type = SETTING_CUSTOM,
     .offset = FORM(checks),
     .custom = "checks",
     .aliases = "check",
     .sentence = "what a good reply looks like, such as status == 200"},
    {.name = "capture",
     .type = SETTING_CUSTOM,
     .offset = FORM(capture),
     .custom = "capture",
     .sentence = "values of the reply that later steps may name"},
    {.name = "think",
     .type = SETTING_SPREAD,
     .offset = FORM(think),
     .unit = "seconds",
     .sentence = "pause after this step"},
    {.name = NULL},
};

static const struct request_verb *find_verb(const struct reader *reader, const char *word)
{
    for (size_t i = 0; i < reader->vocabulary->verb_count; i++) {
        if (strcmp(reader->vocabulary->verbs[i].word, word) == 0)
            return &reader->vocabulary->verbs[i];
    }
    return NULL;
}

/* The table's rows followed by one row a verb. Owner: caller. */
static struct setting *with_verbs(const struct reader *reader, const struct setting *table)
{
    size_t count = 0, verbs = reader->vocabulary->verb_count;
    while (table[count].name)
        count++;
    struct setting *rows = memory_new(count + verbs + 1, sizeof *rows);
    memcpy(rows, table, count * sizeof *rows);
    for (size_t i = 0; i < verbs; i++)
        rows[count + i] = (struct setting){.name = reader->vocabulary->verbs[i].word,
                                           .type = SETTING_CUSTOM,
                                           .custom = "request",
                                           .sentence = reader->vocabulary->verbs[i].sentence};
    return rows;
}

/* Keeps which verb was met; the field is the whole form. */
void request_keep(struct reader *reader, const struct setting *row, const char *path,
                  const struct node *node, void *field)
{
    (void)path;
    struct task_form *form = field;
    if (form->verb) {
        reader_error(reader, node, "several requests stand under \"steps\"",
                     "a task makes one request, and this one has \"%s\" and \"%s\"",
                     form->verb->word, row->name);
        return;
    }
    form->verb = find_verb(reader, row->name);
    form->request = node;
}

static void read_form(struct reader *reader, const struct setting *table, const char *path,
                      const struct node *map, struct task_form *form)
{
    struct setting *rows = with_verbs(reader, table);
    struct setting_scope scope = {rows, form};
    setting_read_map(reader, map, path, &scope, 1);
    free(rows);
    for (size_t i = 0; form->verb && i < map->count; i++) {
        if (strcmp(map->rows[i].key->text, form->verb->word) == 0)
            form->verb_key = map->rows[i].key;
    }
}

void checks_read(struct reader *reader, const struct node *node, struct reply_check ***checks,
                 size_t *count)
{
    if (!node)
        return;
    if (node->kind == NODE_MAP) {
        reader_wants(reader, node, NODE_LIST, "checks");
        return;
    }
    size_t most = node->kind == NODE_LIST ? node->count : 1;
    *checks = memory_new(most, sizeof **checks);
    for (size_t i = 0; i < most; i++) {
        const struct node *item = node->kind == NODE_LIST ? node->rows[i].value : node;
        char *words = reader_words(reader, item, "a check such as status == 200");
        struct note place = node_place(item);
        struct reply_check *compiled =
            words ? check_compile(span_of(words), &place, reader->notes) : NULL;
        if (compiled)
            (*checks)[(*count)++] = compiled;
        free(words);
    }
}

static bool is_name(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    for (; *name; name++) {
        if (!isalnum((unsigned char)*name) && *name != '_' && *name != '-')
            return false;
    }
    return true;
}

static void read_captures(struct reader *reader, const struct node *node,
                          struct plan_request *request)
{
    if (!node || !reader_wants(reader, node, NODE_MAP, "capture"))
        return;
    request->captures = memory_new(node->count, sizeof *request->captures);
    for (size_t i = 0; i < node->count; i++) {
        const struct node *name = node->rows[i].key, *value = node->rows[i].value;
        if (!is_name(name->text)) {
            reader_error(reader, name, "a name is letters, digits, _ and -",
                         "\"%s\" cannot be the name of a captured value", name->text);
            continue;
        }
        struct symbol *symbol = symbols_find(reader->symbols, span_of(name->text));
        if (symbol && symbol->kind != SYMBOL_CAPTURE) {
            reader_error(reader, name, NULL, "\"%s\" is already a name of the plan", name->text);
            continue;
        }
        if (!symbol)
            symbol = symbols_add(reader->symbols, span_of(name->text), SYMBOL_CAPTURE);
        uint16_t slot = symbols_slot(reader->symbols, symbol);
        char *words = reader_words(reader, value, "what is captured, such as body.id");
        struct note place = node_place(value);
        struct reply_capture *capture =
            words ? capture_compile(span_of(words), slot, &place, reader->notes) : NULL;
        if (capture)
            request->captures[request->capture_count++] = capture;
        free(words);
    }
}

/* The verb's own settings, from a map or from the text that stands for one of them. */
static void read_config(struct reader *reader, const struct task_form *form, const char *path,
                        struct plan_request *request)
{
    const struct request_verb *verb = form->verb;
    char here[PATH_ROOM];
    path_write(here, "%s.%s", path, verb->word);
    request->config = memory_new(1, verb->config_bytes);
    request->settings = verb->settings;
    struct setting_scope scope = {verb->settings, request->config};
    if (form->request->kind == NODE_MAP) {
        setting_read_map(reader, form->request, here, &scope, 1);
        return;
    }
    if (!verb->shorthand) {
        reader_wants(reader, form->request, NODE_MAP, verb->word);
        return;
    }
    struct node *key = document_add_text(&reader->document, verb->shorthand, form->request);
    struct node *map = document_add(&reader->document, NODE_MAP, form->request);
    node_append(map, key, (struct node *)form->request);
    setting_read_map(reader, map, here, &scope, 1);
}

/* The text that the verb's shorthand stands for, or NULL. */
static const struct node *shorthand_node(const struct task_form *form)
{
    const struct node *node = form->request;
    if (form->verb->shorthand && node->kind == NODE_MAP)
        node = node_find(node, form->verb->shorthand);
    return form->verb->shorthand && node && node->kind == NODE_TEXT ? node : NULL;
}

/* Keeps the first request whose URL is relative to a target that only the plan can name. */
static void note_relative(struct reader *reader, const struct task_form *form)
{
    const struct node *url = shorthand_node(form);
    bool absolute = url && strstr(url->text, "://");
    bool child = node_find(form->request, "stdio") != NULL; /* spoken to over its pipes */
    if (!absolute && !child && !form->target && !reader->relative)
        reader->relative = form->request;
}

/* "GET /v1/models" of a method, "openai.chat /v1/chat/completions" of a driver's verb with a URL,
 * else the verb. */
static char *request_words(const struct task_form *form)
{
    struct text words = TEXT_EMPTY;
    const struct node *url = shorthand_node(form);
    const struct node *own =
        form->request->kind == NODE_MAP ? node_find(form->request, "method") : NULL;
    const char *word = own && own->kind == NODE_TEXT ? own->text : form->verb->word;
    if (url && strcmp(form->verb->shorthand, "url") != 0 && strstr(url->text, "{{"))
        url = NULL; /* a question that each request has its own of is no name */
    if (url) {
        bool method = !strchr(form->verb->word, '.');
        for (const char *at = word; *at; at++)
            text_putc(&words, method ? (char)toupper((unsigned char)*at) : *at);
        text_putc(&words, ' ');
        text_put_masked(&words, url->text);
    } else {
        text_puts(&words, form->verb->word);
    }
    return text_take(&words);
}

static void add_request(struct reader *reader, const struct task_form *form, const char *path,
                        const char *task_name, uint32_t task)
{
    struct plan *plan = reader->plan;
    struct plan_request request = {.task = task,
                                   .verb = form->verb->word,
                                   .driver = form->verb->driver,
                                   .target = memory_copy_text(form->target),
                                   .think = form->think,
                                   .line = form->request->line};
    if (plan->time_scale_think)
        distribution_scale(&request.think, plan->time_scale);
    char *words = form->name ? memory_copy_text(form->name) : request_words(form);
    if (task_name) { /* a step */
        struct text name = TEXT_EMPTY;
        text_printf(&name, "%s/%s", task_name, words);
        request.name = text_take(&name);
        free(words);
    } else {
        request.name = words;
    }
    note_relative(reader, form);
    read_config(reader, form, path, &request);
    request_data_find(reader, form->request, &request);
    checks_read(reader, form->checks, &request.checks, &request.check_count);
    read_captures(reader, form->capture, &request);
    plan->requests = memory_resize(plan->requests, plan->request_count + 1, sizeof request);
    plan->requests[plan->request_count++] = request;
}

static void say_no_verb(struct reader *reader, const struct node *map, const char *path)
{
    struct text hint = TEXT_EMPTY;
    text_puts(&hint, "a request is one of");
    for (size_t i = 0; i < reader->vocabulary->verb_count; i++)
        text_printf(&hint, "%s %s", i ? "," : "", reader->vocabulary->verbs[i].word);
    text_reserve(&hint, 1);
    reader_error(reader, map, hint.at, "%s makes no request", path);
    text_fini(&hint);
}

static void read_steps(struct reader *reader, const struct task_form *task_form, const char *path,
                       uint32_t task)
{
    const struct node *list = task_form->steps;
    const char *task_name = reader->plan->tasks[task].name;
    if (!reader_wants(reader, list, NODE_LIST, "steps"))
        return;
    if (list->count == 0)
        reader_error(reader, list, NULL, "steps is empty");
    for (size_t i = 0; i < list->count; i++) {
        char here[PATH_ROOM];
        path_write(here, "%s.steps[%zu]", path, i);
        const struct node *item = list->rows[i].value;
        if (!reader_wants(reader, item, NODE_MAP, "a step"))
            continue;
        struct task_form form = {0};
        read_form(reader, step_rows, here, item, &form);
        if (form.think.spread == SPREAD_NONE)
            form.think = task_form->think;
        if (!form.target)
            form.target = memory_copy_text(task_form->target);
        if (form.verb)
            add_request(reader, &form, here, task_name, task);
        else
            say_no_verb(reader, item, here);
        setting_free(step_rows, &form);
    }
}

static bool name_is_taken(struct reader *reader, const struct node *map, const char *name,
                          uint32_t first)
{
    const struct plan *plan = reader->plan;
    for (size_t i = first; i < plan->task_count; i++) {
        if (strcmp(plan->tasks[i].name, name) != 0)
            continue;
        const struct node *node = node_find(map, "name");
        reader_error(reader, node ? node : map, "give each task a name of its own",
                     "two tasks are named \"%s\"", name);
        return true;
    }
    return false;
}

static void read_task(struct reader *reader, const char *path, const struct node *map,
                      bool weighted, uint32_t first)
{
    struct plan *plan = reader->plan;
    struct task_form form = {0};
    size_t first_symbol = reader->symbols->count, errors = reader->notes->errors;
    read_form(reader, weighted ? task_rows : task_rows + 1, path, map, &form);
    if (form.verb && form.steps)
        reader_error(reader, form.steps, "take one of them away",
                     "%s has both \"%s\" and \"steps\"", path, form.verb->word);
    if (!form.verb && !form.steps && reader->notes->errors == errors)
        say_no_verb(reader, map, path); /* else it is likely there, and misspelt */
    char *name = form.name   ? memory_copy_text(form.name)
                 : form.verb ? request_words(&form)
                             : memory_copy_text("task");
    name_is_taken(reader, map, name, first);
    uint32_t task = (uint32_t)plan->task_count;
    plan->tasks = memory_resize(plan->tasks, plan->task_count + 1, sizeof *plan->tasks);
    plan->tasks[plan->task_count++] =
        (struct plan_task){.name = name,
                           .weight = weighted ? (uint32_t)form.weight : 1,
                           .first_request = (uint32_t)plan->request_count,
                           .tags = form.tags};
    form.tags = (struct plan_texts){0};
    if (form.verb)
        add_request(reader, &form, path, NULL, task);
    if (form.verb && form.think.spread != SPREAD_NONE &&
        !plan->requests[plan->request_count - 1].conversation)
        reader_say(reader, NOTE_WARNING, node_find(map, "think"),
                   "the scenario's think is the pause after each task",
                   "think has no effect in a task of one request");
    if (!form.verb && form.steps)
        read_steps(reader, &form, path, task);
    plan->tasks[task].request_count =
        (uint32_t)plan->request_count - plan->tasks[task].first_request;
    if (weighted) /* what set-up captures holds for all */
        symbols_hide_captures(reader->symbols, first_symbol, name);
    setting_free(task_rows, &form);
}

void tasks_read(struct reader *reader, const char *path, const struct node *list, bool weighted,
                uint32_t *first, uint32_t *count)
{
    *first = (uint32_t)reader->plan->task_count;
    if (!reader_wants(reader, list, NODE_LIST, "tasks"))
        return;
    if (list->count == 0)
        reader_error(reader, list, NULL, "tasks is empty");
    for (size_t i = 0; i < list->count; i++) {
        char here[PATH_ROOM];
        path_write(here, "%s[%zu]", path, i);
        if (reader_wants(reader, list->rows[i].value, NODE_MAP, "a task"))
            read_task(reader, here, list->rows[i].value, weighted, *first);
    }
    *count = (uint32_t)reader->plan->task_count - *first;
}

void setup_read(struct reader *reader, const struct setting *row, const char *path,
                const struct node *node, void *field)
{
    (void)row;
    (void)field;
    tasks_read(reader, path, node, false, &reader->plan->setup_task, &reader->plan->setup_count);
}

void teardown_read(struct reader *reader, const struct setting *row, const char *path,
                   const struct node *node, void *field)
{
    (void)row;
    (void)field;
    tasks_read(reader, path, node, false, &reader->plan->teardown_task,
               &reader->plan->teardown_count);
}
