/* plimsoll list: every plug-in, and every plan that comes with the program, with its sentence. */
#include "app/verb.h"
#include "lib/scenario.h"

#include <string.h>

static const struct option options[] = {{.name = NULL}};

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

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    const struct plug_list *plugs = app->plugs;
    const char *what = arguments->rest_count ? arguments->rest[0] : "all";
    bool all = strcmp(what, "all") == 0, known = all;
    if (all || strcmp(what, "drivers") == 0) {
        list_drivers(plugs, app->out);
        known = true;
    }
    if (all || strcmp(what, "patterns") == 0) {
        fputs("patterns (of a scenario)\n", app->out);
        for (size_t i = 0; i < plugs->pattern_count; i++)
            put(app->out, plugs->patterns[i].word, plugs->patterns[i].sentence);
        known = true;
    }
    if (all || strcmp(what, "writers") == 0) {
        fputs("writers (--format)\n", app->out);
        for (size_t i = 0; i < plugs->writer_count; i++)
            put(app->out, plugs->writers[i]->name, plugs->writers[i]->sentence);
        known = true;
    }
    if (all || strcmp(what, "scenarios") == 0) {
        list_scenarios(app->out);
        known = true;
    }
    if (!known)
        return usage_error(app, verb,
                           "there are drivers, patterns, writers and scenarios; no \"%s\"", what);
    return 0;
}

const struct verb verb_list = {
    .name = "list",
    .sentence = "name the drivers, patterns, writers and scenarios there are",
    .usage = "[drivers | patterns | writers | scenarios]",
    .options = options,
    .examples = {"plimsoll list", "plimsoll list scenarios"},
    .act = act,
};
