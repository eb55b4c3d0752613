/* plimsoll list: every plug-in, and every plan that comes with the program, with its sentence. */
#include "app/probe_page.h"
#include "app/verb.h"
#include "lib/scenario.h"

#include <string.h>

static const struct option options[] = {
    {"markdown", 0, .kind = OPTION_FLAG, .sentence = "probes with all they measure, as a page"},
    {.name = NULL},
};

static void put(FILE *out, const char *name, const char *sentence)
{
    fprintf(out, "  %-14s %s\n", name, sentence);
}

static void list_drivers(const struct plug_list *plugs, FILE *out)
{
    fputs("drivers (a task's key makes a request)\n", out);
    for (size_t d = 0; d < plugs->driver_count; d++) {
        put(out, plugs->drivers[d]->name, plugs->drivers[d]->sentence);
        for (const struct request_verb *verb = plugs->drivers[d]->verbs; verb->word; verb++)
            fprintf(out, "    %-14s %s\n", verb->word, verb->sentence);
    }
}

static void list_scenarios(FILE *out)
{
    size_t count = 0;
    const struct scenario *scenarios = scenario_list(&count);
    fputs("scenarios (plimsoll run scenario:NAME --target URL)\n", out);
    for (size_t i = 0; i < count; i++) {
        struct span sentence = scenario_sentence(&scenarios[i]);
        fprintf(out, "  %-23s %.*s\n", scenarios[i].name, (int)sentence.bytes, sentence.at);
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
            fprintf(out, "%s %s: %s\n%s", kinds[k].kind, word->word, word->sentence,
                    help.bytes ? help.at : "");
            text_fini(&help);
            found = true;
        }
    for (size_t i = 0; i < plugs->probe_count; i++) {
        const struct metric *metric = plugs->probes[i]->metrics;
        if (strcmp(plugs->probes[i]->name, name) != 0)
            continue;
        fputs("  its metrics:\n", out);
        for (; metric && metric->name; metric++)
            fprintf(out, "    %-28s %s (%s)\n", metric->name, metric->sentence, metric->unit);
    }
    return found;
}

static void list_scenarios_too(const struct plug_list *plugs, FILE *out)
{
    (void)plugs;
    list_scenarios(out);
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    static const struct {
        const char *word;
        void (*list)(const struct plug_list *plugs, FILE *out);
    } kinds[] = {{"drivers", list_drivers}, {"patterns", list_patterns},
                 {"probes", list_probes},   {"scalers", list_scalers},
                 {"writers", list_writers}, {"scenarios", list_scenarios_too}};
    const char *what = arguments->rest_count ? arguments->rest[0] : "all";
    bool known = false;
    if (argument_given(arguments, "markdown")) {
        struct text page = TEXT_EMPTY;
        probe_page(app->plugs, &page);
        fputs(page.at, app->out);
        text_fini(&page);
        return 0;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(what, "all") != 0 && strcmp(what, kinds[i].word) != 0)
            continue;
        kinds[i].list(app->plugs, app->out);
        known = true;
    }
    if (known || list_settings(app->plugs, what, app->out))
        return 0;
    return usage_error(app, verb,
                       "there are drivers, patterns, probes, scalers, writers and scenarios; no "
                       "\"%s\"",
                       what);
}

const struct verb verb_list = {
    .name = "list",
    .sentence = "name the drivers, patterns, probes, scalers, writers and scenarios there are",
    .usage = "[drivers | patterns | probes | scalers | writers | scenarios | NAME]",
    .options = options,
    .examples = {"plimsoll list", "plimsoll list process"},
    .act = act,
};
