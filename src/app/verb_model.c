/* plimsoll model: what a queueing network does at any load, before anything is built or sent. */
#include "app/tool_file.h"

static const struct option options[] = {
    {"json", 0, .kind = OPTION_FLAG, .sentence = "all figures, as JSON (doc/tools.md)"},
    {.name = NULL},
};

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    if (arguments->rest_count != 1)
        return usage_error(app, verb, "one file is wanted");
    const char *path = arguments->rest[0];
    struct text bytes, words = TEXT_EMPTY, why = TEXT_EMPTY;
    struct notes notes = {0};
    struct network_model model;
    struct law_style style;
    int code = tool_style(app, verb, arguments, &style);
    if (code == 0)
        code = tool_read(app, path, &bytes);
    if (code)
        return code;
    if (network_model_read(path, text_span(&bytes), &model, &notes) != 0) {
        notes_write(&notes, bytes.at, &words);
        fputs(words.at ? words.at : "", app->err);
        text_fini(&words);
        code = EXIT_USAGE;
    } else {
        int error = law_network(&model, &style, &words, &why);
        code = tool_answer(app, path, error, &words, &why);
    }
    network_model_fini(&model);
    notes_fini(&notes);
    text_fini(&bytes);
    return code;
}

const struct verb verb_model = {
    .name = "model",
    .sentence = "solve a queueing network: throughput and response at each load",
    .usage = "FILE.yaml [OPTIONS]",
    .harmless = true,
    .options = options,
    .notes = "type: closed               # or open, with rate: [5, 10] for population\n"
             "think: 1.0                 # seconds\n"
             "population: [1, 10, 20]    # a number, a list, or 1..50\n"
             "stations:\n"
             "  - {name: cpu, demand: 0.01, servers: 2}     # seconds of a request, in all\n"
             "  - {name: disk, visits: 3, service: 0.004}\n"
             "  - {name: net, delay: true, demand: 0.05}\n"
             "an open station may have service_cv2 (M/G/1), and capacity (M/M/c/K)",
    .examples = {"plimsoll model system.yaml", "plimsoll model system.yaml --json"},
    .act = act,
};
