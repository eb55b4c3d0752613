/* plimsoll list: every plug-in, and every plan that comes with the program, with its sentence. */
#include "app/probe_page.h"
#include "app/remedy_page.h"
#include "app/verb.h"
#include "lib/scenario.h"
#include "show/words.h"

#include <stdlib.h>
#include <string.h>

static const struct option options[] = {
    {"markdown", 0, .kind = OPTION_FLAG,
     .sentence = "probes, or remedies, with all of it as a page"},
    {.name = NULL},
};

enum {
    COLUMNS = 80,
    NAME_COLUMN = 16,
    REQUEST_COLUMN = 20,
    SCENARIO_COLUMN = 23,
    METRIC_COLUMN = 28,
    SETTING_COLUMN = 25,
};

/* A name, and its sentence in the column beside it, within the width of a terminal. */
static void put_row(FILE *out, unsigned indent, unsigned column, const char *name,
                    const char *sentence)
{
    struct text line = TEXT_EMPTY;
    text_printf(&line, "%*s%-*s ", (int)indent, "", (int)column, name);
    words_put_wrapped(&line, sentence, indent + column + 1, COLUMNS);
    fputs(line.at, out);
    text_fini(&line);
}

static void put(FILE *out, const char *name, const char *sentence)
{
    put_row(out, 2, NAME_COLUMN, name, sentence);
}

static void list_drivers(const struct plug_list *plugs, FILE *out)
{
    fputs("drivers (a task's key makes a request)\n", out);
    for (size_t d = 0; d < plugs->driver_count; d++) {
        put(out, plugs->drivers[d]->name, plugs->drivers[d]->sentence);
        for (const struct request_verb *verb = plugs->drivers[d]->verbs; verb->word; verb++)
            put_row(out, 4, REQUEST_COLUMN, verb->word, verb->sentence);
    }
}

static void list_scenarios(FILE *out)
{
    size_t count = 0;
    const struct scenario *scenarios = scenario_list(&count);
    fputs("scenarios (plimsoll run scenario:NAME --target URL)\n", out);
    for (size_t i = 0; i < count; i++) {
        struct span sentence = scenario_sentence(&scenarios[i]);
        char *words = strndup(sentence.at, sentence.bytes);
        put_row(out, 2, SCENARIO_COLUMN, scenarios[i].name, words);
        free(words);
    }
}

static void list_patterns(const struct plug_list *plugs, FILE *out)
{
    fputs("patterns (of a scenario)\n", out);
    for (size_t i = 0; i < plugs->pattern_count; i++)
        put(out, plugs->patterns[i].word, plugs->patterns[i].sentence);
}

static void list_probes(const struct plug_list *plugs, FILE *out)
{
    fputs("probes (under watch.probes)\n", out);
    for (size_t i = 0; i < plugs->probe_count; i++)
        put(out, plugs->probes[i]->name, plugs->probes[i]->sentence);
}

static void list_scalers(const struct plug_list *plugs, FILE *out)
{
    fputs("scalers (under scale.scaler; plimsoll list NAME has the settings of one)\n", out);
    for (size_t i = 0; i < plugs->scaler_count; i++)
        put(out, plugs->scalers[i]->name, plugs->scalers[i]->sentence);
}

static void list_writers(const struct plug_list *plugs, FILE *out)
{
    fputs("writers (--format)\n", out);
    for (size_t i = 0; i < plugs->writer_count; i++)
        put(out, plugs->writers[i]->name, plugs->writers[i]->sentence);
}

/* The table of settings, with lines that are too long broken within the column of sentences. */
static void put_settings(const char *help, FILE *out)
{
    struct text line = TEXT_EMPTY;
    while (*help) {
        size_t bytes = strcspn(help, "\n");
        size_t head = bytes > COLUMNS ? SETTING_COLUMN : bytes;
        text_put(&line, (struct span){.at = help, .bytes = head});
        if (bytes > COLUMNS) {
            char *sentence = strndup(help + head, bytes - head);
            words_put_wrapped(&line, sentence, SETTING_COLUMN, COLUMNS);
            free(sentence);
        } else {
            text_putc(&line, '\n');
        }
        help += bytes + (help[bytes] == '\n');
    }
    if (line.bytes)
        fputs(line.at, out);
    text_fini(&line);
}

static void put_sentence(const char *kind, const struct plug_word *word, FILE *out)
{
    struct text line = TEXT_EMPTY, words = TEXT_EMPTY;
    text_printf(&words, "%s %s: %s", kind, word->word, word->sentence);
    words_put_wrapped(&line, words.at, 0, COLUMNS);
    fputs(line.at, out);
    text_fini(&words);
    text_fini(&line);
}

static void put_metric(const struct metric *metric, FILE *out)
{
    struct text words = TEXT_EMPTY;
    text_printf(&words, "%s (%s)", metric->sentence, metric->unit);
    put_row(out, 4, METRIC_COLUMN, metric->name, words.at);
    text_fini(&words);
}

/* The settings of a probe or scaler of this name. */
static bool list_settings(const struct plug_list *plugs, const char *name, FILE *out)
{
    const struct vocabulary *words = &plugs->vocabulary;
    const struct {
        const char *kind;
        const struct plug_word *items;
        size_t count;
    } kinds[] = {{"scaler", words->scalers, words->scaler_count},
                 {"probe", words->probes, words->probe_count}};
    bool found = false;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t i = 0; i < kinds[k].count; i++) {
            const struct plug_word *word = &kinds[k].items[i];
            struct text help = TEXT_EMPTY;
            if (strcmp(word->word, name) != 0)
                continue;
            setting_help(word->settings, &help);
            put_sentence(kinds[k].kind, word, out);
            put_settings(help.bytes ? help.at : "", out);
            text_fini(&help);
            found = true;
        }
    for (size_t i = 0; i < plugs->probe_count; i++) {
        const struct metric *metric = plugs->probes[i]->metrics;
        if (strcmp(plugs->probes[i]->name, name) != 0)
            continue;
        fputs("  its metrics:\n", out);
        for (; metric && metric->name; metric++)
            put_metric(metric, out);
    }
    return found;
}

static void list_scenarios_too(const struct plug_list *plugs, FILE *out)
{
    (void)plugs;
    list_scenarios(out);
}

static void list_remedies(const struct plug_list *plugs, FILE *out)
{
    (void)plugs;
    remedy_list(out);
}

static void list_gpus(const struct plug_list *plugs, FILE *out)
{
    (void)plugs;
    remedy_list_gpus(out);
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    static const struct {
        const char *word;
        void (*list)(const struct plug_list *plugs, FILE *out);
    } kinds[] = {{"drivers", list_drivers},   {"patterns", list_patterns},
                 {"probes", list_probes},     {"scalers", list_scalers},
                 {"writers", list_writers},   {"scenarios", list_scenarios_too},
                 {"remedies", list_remedies}, {"gpus", list_gpus}};
    const char *what = arguments->rest_count ? arguments->rest[0] : "all";
    if (arguments->rest_count > 1)
        return usage_error(app, verb, "one name at a time");
    bool known = false;
    if (argument_given(arguments, "markdown")) {
        struct text page = TEXT_EMPTY;
        if (strcmp(what, "remedies") == 0)
            remedy_page(&page);
        else
            probe_page(app->plugs, &page);
        fputs(page.at, app->out);
        text_fini(&page);
        return 0;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool table = kinds[i].list == list_remedies || kinds[i].list == list_gpus;
        if ((strcmp(what, "all") != 0 || table) && strcmp(what, kinds[i].word) != 0)
            continue;
        kinds[i].list(app->plugs, app->out);
        known = true;
    }
    if (known || list_settings(app->plugs, what, app->out))
        return 0;
    return usage_error(app, verb,
                       "there are drivers, patterns, probes, scalers, writers, scenarios, remedies "
                       "and gpus; no \"%s\"",
                       what);
}

const struct verb verb_list = {
    .name = "list",
    .sentence = "name the drivers, patterns, probes, scalers, writers, scenarios",
    .usage = "[drivers | patterns | probes | scalers | writers | scenarios | remedies | gpus | "
             "NAME]",
    .options = options,
    .examples = {"plimsoll list", "plimsoll list process"},
    .act = act,
};
