/* From a file to a plan: bytes, document, tables, and what can only be said of the whole. */
#include "plan/read.h"

#include "base/error.h"
#include "base/memory.h"
#include "plan/part.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const known_variables[] = {
    "SCALABILITY_TEST_DURATION",    "SCALABILITY_MAX_USERS",           "SCALABILITY_RAMP_UP_RATE",
    "SCALABILITY_STEP_DURATION",    "SCALABILITY_MONITORING_INTERVAL", "SCALABILITY_THRESHOLD_CPU",
    "SCALABILITY_THRESHOLD_MEMORY", "SCALABILITY_THRESHOLD_GPU"};

static void read_variables(struct reader *reader)
{
    const struct plan_source *source = reader->source;
    variables_add_environment(&reader->variables, source->environment);
    if (source->dotenv) {
        int rc = variables_add_file(&reader->variables, source->dotenv, reader->notes);
        char why[96];
        if (rc)
            reader_error(reader, NULL, NULL, "cannot read \"%s\": %s", source->dotenv,
                         error_sentence(rc, why, sizeof why));
        return;
    }
    const char *slash = source->file ? strrchr(source->file, '/') : NULL;
    struct text path = TEXT_EMPTY;
    if (slash)
        text_put(&path, (struct span){source->file, (size_t)(slash - source->file) + 1});
    text_puts(&path, ".env");
    variables_add_file(&reader->variables, path.at, reader->notes); /* it need not exist */
    text_fini(&path);
}

/* Adds the entries "labels.NAME" and "variables.NAME" that only the command line names. */
static void apply_named_overrides(struct reader *reader)
{
    static const char *const maps[] = {"labels", "variables"};
    for (size_t i = 0; i < reader->source->override_count; i++) {
        const struct plan_override *override = &reader->source->overrides[i];
        const char *dot = strchr(override->path, '.');
        for (size_t j = 0; dot && j < 2; j++) {
            if (strlen(maps[j]) != (size_t)(dot - override->path) ||
                strncmp(override->path, maps[j], strlen(maps[j])) != 0)
                continue;
            struct node place = {.file = "command line",
                                 .origin = override->flag ? override->flag : override->path};
            struct node *root = reader->document.root, *map = node_find(root, maps[j]);
            if (!map) {
                map = document_add(&reader->document, NODE_MAP, &place);
                node_append(root, document_add_text(&reader->document, maps[j], &place), map);
            }
            struct node *value = document_add_text(&reader->document, override->words, &place);
            struct node_entry *entry = node_entry_of(map, dot + 1);
            if (entry)
                entry->value = value;
            else if (map->kind == NODE_MAP)
                node_append(map, document_add_text(&reader->document, dot + 1, &place), value);
            reader->overrides[i].used = true;
        }
    }
}

static void check_overrides(struct reader *reader)
{
    for (size_t i = 0; i < reader->source->override_count; i++) {
        const struct plan_override *override = &reader->source->overrides[i];
        const struct override_seen *seen = &reader->overrides[i];
        if (!seen->used)
            notes_error(reader->notes, "command line: %s: the plan has no setting \"%s\"%s%s%s",
                        override->flag ? override->flag : "--set", override->path,
                        seen->near ? "; did you mean \"" : "", seen->near ? seen->near : "",
                        seen->near ? "\"?" : "");
    }
}

static bool is_scalability(const char *name)
{
    return strncmp(name, "SCALABILITY_", 12) == 0;
}

/* Says which of the requirements' variables have no effect, and which are misspelt. */
static void check_variables(struct reader *reader)
{
    for (size_t i = 0; i < reader->variables.count; i++) {
        const struct variable *variable = &reader->variables.items[i];
        if (!is_scalability(variable->name) || variable->used)
            continue;
        size_t known = 0, count = sizeof known_variables / sizeof *known_variables;
        while (known < count && strcmp(known_variables[known], variable->name) != 0)
            known++;
        if (known == count)
            reader_say(reader, NOTE_WARNING, NULL,
                       "SCALABILITY_TEST_DURATION, _MAX_USERS, _RAMP_UP_RATE, _STEP_DURATION, "
                       "_MONITORING_INTERVAL, _THRESHOLD_CPU, _MEMORY and _GPU are known",
                       "%s is no variable that plimsoll knows", variable->name);
        else if (!variables_find(&reader->variables, span_of(variable->name))->used)
            reader_say(reader, NOTE_ADVICE, NULL, NULL, "%s has no effect on this plan",
                       variable->name);
    }
}

/* Tasks of several scenarios may have the same name: each then says which scenario it is of. */
static void qualify_names(struct plan *plan)
{
    bool *twice = memory_new(plan->request_count, sizeof *twice);
    for (size_t i = 0; i < plan->request_count; i++) {
        for (size_t j = 0; j < plan->request_count; j++) {
            if (i != j && strcmp(plan->requests[i].name, plan->requests[j].name) == 0)
                twice[i] = true;
        }
    }
    for (size_t i = 0; i < plan->scenario_count; i++) {
        const struct plan_scenario *scenario = &plan->scenarios[i];
        for (size_t j = 0; j < plan->request_count; j++) {
            struct plan_request *request = &plan->requests[j];
            if (!twice[j] || request->task < scenario->first_task ||
                request->task >= scenario->first_task + scenario->task_count)
                continue;
            struct text name = TEXT_EMPTY;
            text_printf(&name, "%s/%s", scenario->name, request->name);
            free(request->name);
            request->name = text_take(&name);
        }
    }
    free(twice);
}

static void default_name(struct reader *reader)
{
    struct plan *plan = reader->plan;
    if (plan->name)
        return;
    const char *file = reader->source->file;
    if (reader->quick || !file) {
        plan->name = memory_copy_text("quick");
        return;
    }
    const char *slash = strrchr(file, '/'), *stem = slash ? slash + 1 : file;
    const char *dot = strrchr(stem, '.');
    struct text name = TEXT_EMPTY;
    text_put(&name, (struct span){stem, dot && dot > stem ? (size_t)(dot - stem) : strlen(stem)});
    plan->name = text_take(&name);
}

static void read_watch_only(struct reader *reader)
{
    struct setting *rows = watch_only_rows();
    struct setting_scope scope = {rows, reader->plan};
    setting_read_map(reader, reader->document.root, "", &scope, 1);
    free(rows);
    check_overrides(reader);
    reader->plan->name = memory_copy_text("monitor");
    reader->plan->interval_ns = NSEC_PER_SEC;
}

static void read_plan(struct reader *reader)
{
    struct document *document = &reader->document;
    if (document->root->kind != NODE_MAP) {
        reader_error(reader, document->root, "for example target: http://127.0.0.1:8000",
                     "a plan is a map of keys and values; this is %s",
                     node_kind_words(document->root));
        return;
    }
    if (flat_is(document->root))
        flat_rewrite(reader);
    apply_named_overrides(reader);
    reader->plan = memory_new(1, sizeof *reader->plan);
    reader->plan->time_scale = 1;
    reader->symbols = &reader->plan->symbols;
    if (reader->watch_only) {
        read_watch_only(reader);
        return;
    }
    struct setting_scope scope = {plan_rows, reader->plan};
    setting_read_map(reader, document->root, "", &scope, 1);
    watch_complete(reader);
    scale_complete(reader);
    safety_complete(reader);
    plan_verify(reader);
    check_overrides(reader);
    check_variables(reader);
    qualify_names(reader->plan);
    default_name(reader);
}

/* Reads reading->text, which is there. */
static void read_text(struct reader *reader, const char *name)
{
    struct plan_reading *out = reader->reading;
    size_t errors = out->notes.errors;
    read_variables(reader);
    if (document_read(&reader->document, name, span_of(out->text), &out->notes) == 0)
        read_plan(reader);
    if (out->notes.errors > errors) {
        plan_free(reader->plan);
        return;
    }
    reader->plan->file = reader->quick ? NULL : memory_copy_text(reader->source->file);
    reader->plan->source = reader_masked_source(reader, out->text);
    out->plan = reader->plan;
}

static void reader_fini(struct reader *reader)
{
    document_fini(&reader->document);
    variables_fini(&reader->variables);
    for (size_t i = 0; i < reader->source->override_count; i++)
        free(reader->overrides[i].near);
    free(reader->overrides);
    free(reader->secrets);
}

int plan_read_watch(const struct plan_source *source, const struct vocabulary *vocabulary,
                    struct plan_reading *out)
{
    *out = (struct plan_reading){0};
    out->text = memory_copy_text(source->text);
    struct reader reader = {.source = source,
                            .vocabulary = vocabulary,
                            .reading = out,
                            .notes = &out->notes,
                            .watch_only = true,
                            .overrides =
                                memory_new(source->override_count, sizeof(struct override_seen))};
    read_text(&reader, source->file);
    reader_fini(&reader);
    return 0;
}

int plan_read_text(const struct plan_source *source, const struct vocabulary *vocabulary,
                   struct plan_reading *out, bool quick)
{
    struct reader reader = {.source = source,
                            .vocabulary = vocabulary,
                            .reading = out,
                            .notes = &out->notes,
                            .quick = quick,
                            .overrides =
                                memory_new(source->override_count, sizeof(struct override_seen))};
    const char *name = quick ? "command line" : source->file ? source->file : "plan";
    const char *dot = strrchr(name, '.');
    if (dot && strcmp(dot, ".json") == 0) {
        char *joined = json_join_surrogates(out->text);
        free(out->text);
        out->text = joined;
    }
    read_text(&reader, name);
    reader_fini(&reader);
    return 0;
}

/* A zero byte would end the text unseen. */
static void check_zero_bytes(const struct text *text, const char *file, struct notes *notes)
{
    if (!text->bytes || !memchr(text->at, '\0', text->bytes))
        return;
    notes_add(notes, (struct note){.file = (char *)file,
                                   .line = 1,
                                   .column = 1,
                                   .sentence = "the file holds zero bytes, so it is no text",
                                   .hint = "save the file as UTF-8"});
}

int plan_read(const struct plan_source *source, const struct vocabulary *vocabulary,
              struct plan_reading *out)
{
    *out = (struct plan_reading){0};
    if (source->text) {
        out->text = memory_copy_text(source->text);
        return plan_read_text(source, vocabulary, out, false);
    }
    struct text bytes = TEXT_EMPTY;
    int rc = file_read(source->file, NODE_BYTES, &bytes);
    if (rc == -EFBIG) {
        notes_error(&out->notes, "%s: the plan is larger than 4 MiB", source->file);
        return 0;
    }
    if (rc)
        return rc;
    check_zero_bytes(&bytes, source->file, &out->notes);
    if (out->notes.errors) {
        text_fini(&bytes);
        return 0;
    }
    size_t mark = bytes.bytes >= 3 && memcmp(bytes.at, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    out->text = memory_copy_text(bytes.at + mark);
    text_fini(&bytes);
    return plan_read_text(source, vocabulary, out, false);
}

void plan_reading_fini(struct plan_reading *reading)
{
    plan_free(reading->plan);
    notes_fini(&reading->notes);
    free(reading->text);
    for (size_t i = 0; i < reading->origin_count; i++) {
        free(reading->origins[i].path);
        free(reading->origins[i].value);
        free(reading->origins[i].origin);
    }
    free(reading->origins);
    *reading = (struct plan_reading){0};
}
