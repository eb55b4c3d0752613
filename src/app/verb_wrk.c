/* plimsoll wrk: the letters of wrk and wrk2, for those whose fingers know them. */
#include "app/launch.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const struct option options[] = {
    {"threads", 't', .kind = OPTION_COUNT, .positive = true, .value = "N",
     .sentence = "loop threads (2)", .setting = "threads"},
    {"connections", 'c', .kind = OPTION_COUNT, .positive = true, .value = "N",
     .sentence = "connections open (10)"},
    {"duration", 'd', .kind = OPTION_DURATION, .positive = true, .value = "TIME",
     .sentence = "how long (10s)"},
    {"rate", 'R', .kind = OPTION_RATE, .value = "N",
     .sentence = "requests a second in all, as wrk2 has it"},
    {"header", 'H', .kind = OPTION_TEXT, .value = "LINE", .repeats = true,
     .sentence = "\"Name: value\"; again for more"},
    {"script", 's', .kind = OPTION_TEXT, .value = "FILE",
     .sentence = "not supported: Lua; a plan says the same (plimsoll schema)"},
    {"latency", 0, .kind = OPTION_FLAG, .sentence = "as always: percentiles are printed anyway"},
    {"timeout", 0, .kind = OPTION_DURATION, .value = "TIME",
     .sentence = "for a whole reply; slower ones are counted, never forgotten",
     .setting = "http.timeout"},
    {"output-dir", 'o', .kind = OPTION_TEXT, .value = "DIR",
     .sentence = "for the run file and reports (runs)", .setting = "output_dir"},
    {"insecure", 'k', .kind = OPTION_FLAG, .sentence = "do not verify TLS certificates",
     .setting = "tls.insecure"},
    {"quiet", 'q', .kind = OPTION_FLAG, .sentence = "print nothing when all went well"},
    {.name = NULL},
};

static void override_number(struct launch *launch, const char *path, uint64_t number,
                            const char *flag)
{
    struct text words = TEXT_EMPTY;
    text_put_uint(&words, number);
    launch_override(launch, path, words.at, flag);
    text_fini(&words);
}

/* With a rate, requests are due whatever happens, and wait for one of the connections. */
static void share_connections(struct launch *how, uint64_t connections)
{
    launch_override(how, "connections.mode", "shared", "-R");
    override_number(how, "connections.most", connections, "-c");
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    if (argument_given(arguments, "script"))
        return usage_error(app, verb,
                           "Lua scripts (-s) are not supported; a plan says the same in YAML");
    if (arguments->rest_count != 1)
        return usage_error(app, verb, "one URL is wanted");
    const char *url = arguments->rest[0];
    if (!launch_may_be_url(url))
        return usage_error(app, verb, "\"%s\" is no URL; if it is a host's name, write http://%s",
                           url, url);
    uint64_t connections = argument_count(arguments, "connections", 10);
    uint64_t threads = argument_count(arguments, "threads", 2);
    if (connections < threads)
        return usage_error(app, verb, "-c %zu must be at least -t %zu", (size_t)connections,
                           (size_t)threads);
    const char **headers = memory_new(arguments->count, sizeof *headers);
    size_t header_count = 0;
    for (size_t i = 0; i < arguments->count; i++)
        if (strcmp(arguments->items[i].option->name, "header") == 0)
            headers[header_count++] = arguments->items[i].words;
    double rate = argument_rate(arguments, "rate", 0);
    struct plan_quick quick = {
        .url = url,
        .users = rate > 0 ? 0 : connections,
        .rate = rate,
        .duration_ns = argument_duration(arguments, "duration", 10 * NSEC_PER_SEC),
        .headers = headers,
        .header_count = header_count,
    };
    struct launch how = {.quick = &quick, .quiet = argument_given(arguments, "quiet")};
    how.overrides = launch_overrides(arguments, &how.override_count);
    if (!argument_given(arguments, "threads"))
        override_number(&how, "threads", threads, "-t");
    if (rate > 0)
        share_connections(&how, connections);
    int code = launch(app, &how);
    launch_overrides_free(how.overrides, how.override_count);
    free(headers);
    return code;
}

const struct verb verb_wrk = {
    .name = "wrk",
    .sentence = "make load with the letters of wrk and wrk2",
    .usage = "[OPTIONS] URL",
    .options = options,
    .notes = "Without -R each connection asks again at once, as wrk does; with -R latency\n"
             "counts from the instant at which a request was due.\n"
             "exit codes as for plimsoll run",
    .examples = {"plimsoll wrk -t1 -c10 -d10s http://127.0.0.1:8000/health",
                 "plimsoll wrk -t2 -c100 -d30s -R2000 --latency http://127.0.0.1:8000/health"},
    .act = act,
};
