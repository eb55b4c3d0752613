/* Data entries that are prompts: made, out of a file, or shaped by a trace; and what templates may
 * name of them. */
#include "plan/dataset.h"
#include "plan/part.h"

#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES  ((size_t)1024 * 1024 * 1024)
#define FARTHEST_NS 4e18 /* 126 years */
#define TURNS_ALL   1e9
#define CONTEXT_ROW                                                                                \
    {                                                                                              \
        .name = "max_context", .type = SETTING_UINT,                                               \
        .offset = offsetof(struct prompts_form, said.context_tokens), .least = 16,                 \
        .most = PROMPT_TOKENS_MOST, .unset = "32768", .unit = "tokens",                            \
        .sentence =                                                                                \
            "longest conversation, at 4 bytes a token; its oldest turns are left out beyond"       \
    }
#define OUTPUT_ROW(words)                                                                          \
    {                                                                                              \
        .name = "output_tokens", .type = SETTING_SPREAD,                                           \
        .offset = offsetof(struct prompts_form, said.output), .unit = "tokens",                    \
        .sentence = (words)                                                                        \
    }
#define TURNS_ROW(words)                                                                           \
    {                                                                                              \
        .name = "turns", .type = SETTING_CUSTOM,                                                   \
        .offset = offsetof(struct prompts_form, said.turns), .custom = "turns",                    \
        .sentence = (words)                                                                        \
    }

/* What the maps say. */
struct prompts_form {
    struct plan_prompts said;
    struct dataset_filter filter;
    char *file;
};

#define FORM(member) offsetof(struct prompts_form, member)

const struct setting synthetic_rows[] = {
    {.name = "tokens",
     .type = SETTING_SPREAD,
     .offset = FORM(said.tokens),
     .unit = "tokens",
     .required = true,
     .sentence = "length of a prompt: 200, 100..300, or {mean: 200, stddev: 50}"},
    OUTPUT_ROW("length of an answer, for max_tokens: \"{{ NAME.output }}\""),
    {.name = "shared_prefix",
     .type = SETTING_SHARE,
     .offset = FORM(said.shared_prefix),
     .most = 1,
     .unset = "0",
     .sentence = "share of each prompt that begins with a text common to all, for prefix caches"},
    {.name = "prefix_tokens",
     .type = SETTING_UINT,
     .offset = FORM(said.prefix_tokens),
     .most = PROMPT_TOKENS_MOST,
     .unset = "0",
     .unit = "tokens",
     .sentence = "length of the common text, before and beside tokens; in place of shared_prefix"},
    {.name = "prefixes",
     .type = SETTING_UINT,
     .offset = FORM(said.prefixes),
     .least = 1,
     .most = 1000000000,
     .unset = "1",
     .sentence = "how many common texts there are; each prompt begins with one of them"},
    TURNS_ROW("turns of a conversation of a user: 3, 2..6; not given: one request each"),
    CONTEXT_ROW,
    {.name = NULL},
};

const struct setting dataset_rows[] = {
    {.name = "file",
     .type = SETTING_PATH,
     .offset = FORM(file),
     .required = true,
     .sentence = "JSONL or a JSON array of prompts, messages or conversations, beside the plan"},
    OUTPUT_ROW("length of an answer where the file does not say"),
    TURNS_ROW("replay conversations turn by turn: all, or at most so many; not given: one request"),
    CONTEXT_ROW,
    {.name = "least_tokens",
     .type = SETTING_UINT,
     .offset = FORM(filter.least_tokens),
     .unset = "0",
     .unit = "tokens",
     .sentence = "leave shorter prompts out, at 4 bytes a token"},
    {.name = "most_tokens",
     .type = SETTING_UINT,
     .offset = FORM(filter.most_tokens),
     .unset = "0",
     .unit = "tokens",
     .sentence = "leave longer prompts out; 0 is no bound"},
    {.name = "limit",
     .type = SETTING_UINT,
     .offset = FORM(filter.limit),
     .unset = "0",
     .unit = "records",
     .sentence = "take so many of the file; 0 is all"},
    {.name = NULL},
};

const struct setting trace_rows[] = {
    {.name = "file",
     .type = SETTING_PATH,
     .offset = FORM(file),
     .required = true,
     .sentence = "trace with lengths: Azure's CSV, Mooncake's JSONL; scenarios replay its times"},
    OUTPUT_ROW("length of an answer where the trace does not say"),
    {.name = "block_tokens",
     .type = SETTING_UINT,
     .offset = FORM(said.block_tokens),
     .least = 1,
     .most = PROMPT_TOKENS_MOST,
     .unset = "512",
     .unit = "tokens",
     .sentence = "length of the text that one of hash_ids stands for"},
    {.name = NULL},
};

/* "all", or a spread of a number of turns. */
void turns_read(struct reader *reader, const struct setting *row, const char *path,
                const struct node *node, void *field)
{
    struct distribution *turns = field;
    if (node->kind == NODE_TEXT && strcmp(node->text, "all") == 0) {
        *turns = (struct distribution){.spread = SPREAD_FIXED, .a = TURNS_ALL};
        reader_keep_origin(reader, path, node->text, node);
        return;
    }
    struct setting plain = *row;
    plain.unit = "turns";
    spread_read(reader, &plain, path, node, turns);
}

static void check_synthetic(struct reader *reader, const char *path, const struct node *map,
                            struct plan_prompts *prompts)
{
    if (prompts->shared_prefix > 0 && prompts->prefix_tokens)
        reader_error(reader, map, "take one of them away",
                     "%s has both \"shared_prefix\" and \"prefix_tokens\"", path);
    if (prompts->turns.spread == SPREAD_FIXED && prompts->turns.a >= TURNS_ALL)
        reader_error(reader, node_find(map, "turns"), "for example turns: 3..6",
                     "turns must be a number here; \"all\" is for a dataset");
    if (prompts->tokens.spread == SPREAD_NONE)
        reader_error(reader, node_find(map, "tokens") ? node_find(map, "tokens") : map,
                     "for example tokens: 200", "tokens must be at least 1");
    prompts->has_output = prompts->output.spread != SPREAD_NONE;
}

/* The bytes of a file that the plan names; false after an error. */
static bool load(struct reader *reader, const struct node *node, const char *file,
                 struct text *bytes)
{
    char why[96];
    int rc = file_read(file, FILE_BYTES, bytes);
    if (rc == -EFBIG)
        reader_error(reader, node, NULL, "\"%s\" is larger than 1 GiB", file);
    else if (rc)
        reader_error(reader, node, "paths are relative to the plan", "cannot read \"%s\": %s", file,
                     error_sentence(rc, why, sizeof why));
    return rc == 0;
}

static void say_unsorted(struct reader *reader, const struct node *node,
                         const struct plan_prompts *prompts)
{
    if (prompts->unsorted)
        reader_say(reader, NOTE_ADVICE, node, NULL,
                   "%zu of the %zu rows of the trace are earlier than the one before; they are "
                   "sorted by time",
                   prompts->unsorted, prompts->arrival_count);
}

static void read_bytes(struct reader *reader, const struct node *node, struct prompts_form *form,
                       struct span bytes)
{
    struct plan_prompts *prompts = &form->said;
    struct feed_error error = {0};
    int rc = prompts->source == PROMPT_TRACE ? trace_read(bytes, prompts, &error)
                                             : dataset_read(bytes, &form->filter, prompts, &error);
    if (rc) {
        notes_add(reader->notes, (struct note){.file = form->file,
                                               .line = error.line,
                                               .column = error.column,
                                               .sentence = error.why});
        prompts->has_output = true; /* so that templates are not blamed too */
        return;
    }
    if (prompts->source != PROMPT_TRACE)
        return;
    size_t lengths = 0, outputs = 0;
    for (size_t i = 0; i < prompts->arrival_count; i++) {
        lengths += prompts->arrivals[i].tokens > 0;
        outputs += prompts->arrivals[i].output > 0;
    }
    if (lengths < prompts->arrival_count)
        reader_error(reader, node, "it needs ContextTokens (CSV) or input_length (JSONL)",
                     "\"%s\" does not say how long prompts are", form->file);
    prompts->has_output =
        outputs == prompts->arrival_count || prompts->output.spread != SPREAD_NONE;
}

static void read_file(struct reader *reader, const struct node *map, struct prompts_form *form,
                      struct plan_feeder *feeder)
{
    struct text bytes = TEXT_EMPTY;
    const struct node *node = node_find(map, "file");
    if (!form->file || !load(reader, node, form->file, &bytes)) {
        form->said.has_output = true; /* so that templates are not blamed too */
        return;
    }
    read_bytes(reader, node, form, text_span(&bytes));
    text_fini(&bytes);
    feeder->file = memory_copy_text(form->file);
    feeder->row_count =
        form->said.source == PROMPT_TRACE ? form->said.arrival_count : form->said.dialog_count;
}

void prompts_read(struct reader *reader, const char *path, const struct prompt_nodes *nodes,
                  struct plan_feeder *feeder)
{
    struct prompts_form form = {.said = {.source = PROMPT_SYNTHETIC}};
    const struct node *map = nodes->synthetic;
    const struct setting *table = synthetic_rows;
    const char *word = "synthetic";
    char here[PATH_ROOM];
    if (nodes->dataset) {
        map = nodes->dataset, table = dataset_rows, word = "dataset";
        form.said.source = PROMPT_DATASET;
    } else if (nodes->trace) {
        map = nodes->trace, table = trace_rows, word = "trace";
        form.said.source = PROMPT_TRACE;
    }
    path_write(here, "%s.%s", path, word);
    if (!reader_wants(reader, map, NODE_MAP, here))
        return;
    struct setting_scope scope = {table, &form};
    size_t errors = reader->notes->errors;
    setting_read_map(reader, map, here, &scope, 1);
    if (form.said.source != PROMPT_SYNTHETIC)
        read_file(reader, map, &form, feeder);
    else if (reader->notes->errors == errors)
        check_synthetic(reader, here, map, &form.said);
    if (form.said.prefixes == 0)
        form.said.prefixes = 1;
    feeder->prompts = memory_new(1, sizeof *feeder->prompts);
    *feeder->prompts = form.said;
    free(form.file);
}

void prompts_add_symbols(struct reader *reader, const struct plan_feeder *feeder, uint32_t index)
{
    static const struct {
        const char *word;
        enum prompt_column column;
    } rows[] = {{"next", PROMPT_TEXT},
                {"prompt", PROMPT_TEXT},
                {"tokens", PROMPT_TOKENS},
                {"messages", PROMPT_MESSAGES},
                {"output", PROMPT_OUTPUT}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text name = TEXT_EMPTY;
        if (rows[i].column == PROMPT_OUTPUT && !feeder->prompts->has_output)
            continue;
        text_printf(&name, "%s.%s", feeder->name, rows[i].word);
        if (!symbols_find(reader->symbols, text_span(&name))) {
            struct symbol *symbol = symbols_add(reader->symbols, text_span(&name), SYMBOL_FEEDER);
            symbol->feeder = index;
            symbol->column = rows[i].column;
            symbol->json = rows[i].column == PROMPT_MESSAGES;
        }
        text_fini(&name);
    }
}

void instants_read(struct reader *reader, const struct node *map, double scale,
                   struct plan_scenario *out)
{
    struct prompts_form form = {.said = {.source = PROMPT_TRACE}, .file = out->trace};
    struct text bytes = TEXT_EMPTY;
    const struct node *node = node_find(map, "trace");
    if (!load(reader, node ? node : map, out->trace, &bytes))
        return;
    struct feed_error error = {0};
    if (trace_read(text_span(&bytes), &form.said, &error))
        notes_add(reader->notes, (struct note){.file = form.file,
                                               .line = error.line,
                                               .column = error.column,
                                               .sentence = error.why});
    text_fini(&bytes);
    say_unsorted(reader, node, &form.said);
    out->instants = memory_new(form.said.arrival_count, sizeof *out->instants);
    out->instant_count = form.said.arrival_count;
    for (size_t i = 0; i < out->instant_count; i++)
        out->instants[i] = (nsec_t)fmin((double)form.said.arrivals[i].at_ns * scale, FARTHEST_NS);
    free(form.said.arrivals);
    free(form.said.blocks);
}
