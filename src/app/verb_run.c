/* plimsoll run: a plan, or a URL and a few options. */
#include "app/launch.h"
#include "app/quick_driver.h"
#include "app/trace_output.h"

#include "base/memory.h"
#include "base/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option options[] = {
    {"users", 'u', .kind = OPTION_COUNT, .positive = true, .value = "N",
     .aliases = "vus max-concurrency", .sentence = "users at once (closed model)", .group = "load"},
    {"duration", 't', .kind = OPTION_DURATION, .positive = true, .value = "TIME",
     .aliases = "run-time", .sentence = "how long: 30s, 5m, 1h30m"},
    {"spawn-rate", 'r', .kind = OPTION_RATE, .value = "RATE",
     .sentence = "users that begin a second"},
    {"rate", 0, .kind = OPTION_ARRIVALS, .value = "RATE", .aliases = "request-rate",
     .sentence = "arrivals: 50/s, inf"},
    {"burstiness", 0, .kind = OPTION_ARRIVALS, .value = "X",
     .sentence = "of arrivals: 1 poisson, 0.5 burstier, inf even"},
    {"iterations", 'i', .kind = OPTION_COUNT, .positive = true, .value = "N",
     .aliases = "num-prompts", .sentence = "end after N in all"},
    {"think", 0, .kind = OPTION_TEXT, .value = "TIME",
     .sentence = "wait between requests: 2s, 1s..5s", .setting = "scenarios.*.think"},
    {"threads", 0, .kind = OPTION_COUNT, .value = "N",
     .sentence = "loop threads (default: one a core)", .setting = "threads"},
    {"time-scale", 0, .kind = OPTION_REAL, .value = "X",
     .sentence = "scale all durations; --scale-think: pauses too", .setting = "time_scale"},
    {"scale-think", 0, .kind = OPTION_FLAG, .sentence = "and think times and pacing",
     .setting = "time_scale_think", .unlisted = true},
    {"seed", 0, .kind = OPTION_COUNT, .value = "N", .sentence = "same seed, same requests",
     .setting = "seed"},
    {"host", 'H', .kind = OPTION_TEXT, .value = "URL", .aliases = "target",
     .sentence = "the target of plans without", .group = "request"},
    {"method", 'X', .kind = OPTION_TEXT, .value = "WORD", .sentence = "GET, POST, ..."},
    {"header", 0, .kind = OPTION_TEXT, .value = "LINE",
     .sentence = "\"Name: value\"; again for more", .repeats = true},
    {"body", 0, .kind = OPTION_TEXT, .value = "TEXT",
     .sentence = "what is sent; --json: with its content type"},
    {"json", 0, .kind = OPTION_TEXT, .value = "JSON", .unlisted = true,
     .sentence = "the same, with its content type"},
    {"driver", 0, .kind = OPTION_TEXT, .value = "NAME",
     .sentence = "protocol, such as openai (plimsoll list)"},
    {"model", 'm', .kind = OPTION_TEXT, .value = "NAME",
     .sentence = "of it; --prompt: the same for all requests"},
    {"prompt", 0, .kind = OPTION_TEXT, .value = "TEXT", .unlisted = true,
     .sentence = "what is asked; else each request has its own"},
    {"max-tokens", 0, .kind = OPTION_COUNT, .value = "N", .aliases = "random-output-len",
     .sentence = "of an answer"},
    {"ignore-eos", 0, .kind = OPTION_FLAG, .unlisted = true,
     .sentence = "answers of just so many, where servers can"},
    {"random-input-len", 0, .kind = OPTION_COUNT, .value = "N",
     .sentence = "tokens of made prompts, each a new one"},
    {"random-range-ratio", 0, .kind = OPTION_REAL, .value = "R",
     .sentence = "lengths drawn from 1-R to 1+R of those given"},
    {"random-prefix-len", 0, .kind = OPTION_COUNT, .value = "N",
     .sentence = "tokens before them that all prompts share"},
    {"dataset-path", 0, .kind = OPTION_TEXT, .value = "FILE",
     .sentence = "prompts, chats, a trace; --dataset-name azure"},
    {"dataset-name", 0, .kind = OPTION_TEXT, .value = "NAME", .unlisted = true,
     .sentence = "what the file is: sharegpt, custom, azure, mooncake, burstgpt; or random"},
    {"stream", 0, .kind = OPTION_FLAG, .sentence = "answers token by token; --ignore-eos: in full"},
    {"goodput", 0, .kind = OPTION_TEXT, .value = "LIST",
     .sentence = "in ms: \"ttft:500 tpot:15 e2el:2000\""},
    {"timeout", 0, .kind = OPTION_DURATION, .value = "TIME", .sentence = "for a whole reply",
     .setting = "http.timeout"},
    {"insecure", 'k', .kind = OPTION_FLAG,
     .sentence = "trust any TLS certificate; --resolve ADDRESS", .setting = "tls.insecure"},
    {"resolve", 0, .kind = OPTION_TEXT, .value = "HOST:PORT:ADDRESS", .repeats = true,
     .unlisted = true, .sentence = "instead of looking the name up", .setting = "resolve"},
    {"set", 0, .kind = OPTION_PAIR, .value = "PATH=VALUE", .repeats = true,
     .sentence = "any setting: scenarios.chat.vus=20", .group = "plan and output"},
    {"label", 0, .kind = OPTION_PAIR, .value = "NAME=VALUE", .repeats = true,
     .sentence = "kept: commit=1a2b3c; --baseline NAME: compare", .setting = "labels"},
    {"baseline", 0, .kind = OPTION_TEXT, .value = "NAME", .unlisted = true,
     .sentence = "to compare with (plimsoll baseline)", .setting = "baseline"},
    {"baselines", 0, .kind = OPTION_TEXT, .value = "DIR", .unlisted = true,
     .sentence = "where it is (.plimsoll/baselines)", .setting = "baselines"},
    {"output-dir", 'o', .kind = OPTION_TEXT, .value = "DIR",
     .sentence = "for results (default: runs); --no-report: less", .setting = "output_dir"},
    {"format", 0, .kind = OPTION_TEXT, .value = "NAME",
     .sentence = "text, json, csv, markdown, junit"},
    {"trace", 0, .kind = OPTION_TEXT, .value = "WHAT",
     .sentence = "requests: record each one, beside the counts", .setting = "trace"},
    {"metrics-compat", 0, .kind = OPTION_TEXT, .value = "TOOLS",
     .sentence = "show vllm, aiperf or guidellm metrics too"},
    {"save-result", 0, .kind = OPTION_FLAG, .aliases = "save-detailed",
     .sentence = "write vllm's result"},
    {"result-filename", 0, .kind = OPTION_TEXT, .value = "FILE", .unlisted = true,
     .sentence = "its name"},
    {"result-dir", 0, .kind = OPTION_TEXT, .value = "DIR", .unlisted = true,
     .sentence = "its directory"},
    {"no-report", 0, .kind = OPTION_FLAG, .unlisted = true, .sentence = "write the run file only"},
    {"quiet", 'q', .kind = OPTION_FLAG, .sentence = "print nothing when all went well"},
    {"headless", 0, .kind = OPTION_FLAG, .sentence = "as always (Locust's word; accepted)",
     .unlisted = true},
    {.name = NULL},
};

/* The words that mean the same for every scenario of a file. */
static void override_file(struct launch *launch, const struct arguments *arguments)
{
    static const struct {
        const char *option, *path;
    } rows[] = {
        {"users", "scenarios.*.vus"},
        {"duration", "scenarios.*.duration"},
        {"rate", "scenarios.*.rate"},
        {"spawn-rate", "scenarios.*.spawn_rate"},
        {"iterations", "scenarios.*.iterations"},
        {"host", "target"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *words = argument_words(arguments, rows[i].option);
        struct text flag = TEXT_EMPTY;
        text_printf(&flag, "--%s", rows[i].option);
        if (words)
            launch_override(launch, rows[i].path, words, flag.at);
        text_fini(&flag);
    }
}

/* Reports that read the trace need one. */
static void override_trace(struct app *app, struct launch *launch,
                           const struct arguments *arguments)
{
    static const char *const wanting[] = {"metrics-compat", "save-result", "result-filename",
                                          "result-dir"};
    const struct writer *writer = launch->format ? plug_writer(app->plugs, launch->format) : NULL;
    const char *flag = writer && writer->traced ? "--format" : NULL;
    for (size_t i = 0; i < sizeof wanting / sizeof *wanting; i++)
        if (argument_given(arguments, wanting[i]))
            flag = wanting[i];
    if (flag)
        launch_override(launch, "trace", "requests", flag);
}

/* All headers of the command line. Owner: caller, free() of the array. */
static const char **headers_of(const struct arguments *arguments, size_t *count)
{
    const char **headers = memory_new(arguments->count, sizeof *headers);
    *count = 0;
    for (size_t i = 0; i < arguments->count; i++)
        if (strcmp(arguments->items[i].option->name, "header") == 0)
            headers[(*count)++] = arguments->items[i].words;
    return headers;
}

static bool is_url(const char *word)
{
    return strstr(word, "://") != NULL;
}

/* What is wrong with the target on the command line; 0 when nothing is. */
static int check_target(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    const char *host = argument_words(arguments, "host");
    if (arguments->rest_count > 1)
        return usage_error(app, verb, "one plan or URL at a time; \"%s\" is the second",
                           arguments->rest[1]);
    if (arguments->rest_count == 0 && !host)
        return usage_error(app, verb, "what shall be run? name a plan or a URL");
    const char *what = arguments->rest_count ? arguments->rest[0] : host;
    if (arguments->rest_count && is_url(what) && host)
        return usage_error(app, verb, "the target is given twice: %s and --host %s", what, host);
    int code = 0;
    if (launch_scenario(app, verb, what, &code))
        return 0;
    if (code)
        return code;
    if (!is_url(what) && access(what, F_OK) != 0)
        return usage_error(app, verb,
                           "there is no file \"%s\"; if it is meant as a target, write http://%s",
                           what, what);
    static const char *const quick_only[] = {"method",
                                             "header",
                                             "body",
                                             "json",
                                             "driver",
                                             "model",
                                             "prompt",
                                             "max-tokens",
                                             "stream",
                                             "goodput",
                                             "ignore-eos",
                                             "burstiness",
                                             "random-input-len",
                                             "random-range-ratio",
                                             "random-prefix-len",
                                             "dataset-path",
                                             "dataset-name"};
    for (size_t i = 0; !is_url(what) && i < sizeof quick_only / sizeof *quick_only; i++)
        if (argument_given(arguments, quick_only[i]))
            return usage_error(app, verb, "--%s is for a URL; a plan says it itself",
                               quick_only[i]);
    const char *compat = argument_words(arguments, "metrics-compat");
    if (compat && !trace_tools_fit(app, verb, compat))
        return EXIT_USAGE;
    const char *format = argument_words(arguments, "format");
    if (format && !plug_writer(app->plugs, format))
        return usage_error(app, verb, "there is no format \"%s\"; plimsoll list names them",
                           format);
    return 0;
}

/* Whether the rate was asked for in vLLM's word, which means random arrivals. */
static bool says_request_rate(const struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->count; i++)
        if (strncmp(arguments->items[i].written, "--request-rate", 14) == 0)
            return true;
    return false;
}

/* Fills in rate, users and gaps. An infinite rate is all requests at once, or as fast as so many at
 * a time are answered. */
static int read_arrivals(struct app *app, const struct verb *verb,
                         const struct arguments *arguments, struct plan_quick *quick,
                         struct text *gaps)
{
    double burstiness = argument_rate(arguments, "burstiness", 1);
    bool said = argument_given(arguments, "burstiness");
    quick->rate = argument_rate(arguments, "rate", 0);
    if (isinf(quick->rate)) {
        quick->rate = 0;
        if (!quick->users)
            quick->users = quick->iterations;
        if (!quick->users)
            return usage_error(app, verb,
                               "an infinite rate needs --num-prompts or --max-concurrency");
    } else if (said && quick->rate <= 0) {
        return usage_error(app, verb, "--burstiness needs --request-rate");
    }
    if (said && burstiness <= 0)
        return usage_error(app, verb, "--burstiness must be above 0");
    if (quick->rate <= 0 || (!said && !says_request_rate(arguments)) || isinf(burstiness))
        return 0;
    text_printf(gaps, "{gamma: %.15g}", burstiness);
    quick->gaps = burstiness < 1 || burstiness > 1 ? gaps->at : "poisson";
    return 0;
}

/* Launches what was read. */
static int start(struct app *app, const struct arguments *arguments, const char *what,
                 const struct plan_quick *quick)
{
    struct launch how = {
        .file = quick ? NULL : what,
        .quick = quick,
        .format = argument_words(arguments, "format"),
        .quiet = argument_given(arguments, "quiet"),
        .no_report = argument_given(arguments, "no-report"),
        .compat = argument_words(arguments, "metrics-compat"),
        .save_vllm = argument_given(arguments, "save-result") ||
                     argument_given(arguments, "result-filename") ||
                     argument_given(arguments, "result-dir"),
        .result_directory = argument_words(arguments, "result-dir"),
        .result_file = argument_words(arguments, "result-filename"),
    };
    how.overrides = launch_overrides(arguments, &how.override_count);
    if (!quick)
        override_file(&how, arguments);
    override_trace(app, &how, arguments);
    int code = launch(app, &how);
    launch_overrides_free(how.overrides, how.override_count);
    return code;
}

/* A GET of a path where a protocol is spoken by POST is most often a slip. */
static void hint_driver(struct app *app, const struct arguments *arguments, const char *url)
{
    static const char *const said[] = {"driver", "method", "header", "body", "json", "quiet"};
    const char *name = quick_driver_of(app->plugs, url);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (argument_given(arguments, said[i]))
            return;
    if (name && strcmp(name, "http") != 0)
        fprintf(app->err,
                "plimsoll: requests are plain GETs; --driver %s speaks what this path does\n",
                name);
}

/* curl's "@FILE" is not understood, and would be sent as it stands. */
static void hint_file(struct app *app, const struct arguments *arguments, const char *option)
{
    const char *words = argument_words(arguments, option);
    if (words && words[0] == '@' && access(words + 1, F_OK) == 0)
        fprintf(
            app->err,
            "plimsoll: --%s sends \"%s\" itself; the bytes of that file are --%s \"$(cat %s)\"\n",
            option, words, option, words + 1);
}

/* A plan of the command line alone. */
static int start_url(struct app *app, const struct verb *verb, const struct arguments *arguments,
                     const char *url)
{
    struct quick_driver driver = {.verb = NULL};
    struct quick_data data = {.prompts = NULL};
    struct text gaps = TEXT_EMPTY;
    size_t header_count = 0;
    const char **headers = headers_of(arguments, &header_count);
    struct plan_quick quick = {
        .url = url,
        .users = argument_count(arguments, "users", 0),
        .spawn_rate = argument_rate(arguments, "spawn-rate", 0),
        .duration_ns = argument_duration(arguments, "duration", 0),
        .iterations = argument_count(arguments, "iterations", 0),
        .method = argument_words(arguments, "method"),
        .headers = headers,
        .header_count = header_count,
        .body = argument_words(arguments, "body"),
        .json = argument_words(arguments, "json"),
    };
    int code = quick_driver_read(app, verb, arguments, url, &driver);
    if (!code)
        code = quick_data_read(app, verb, arguments, &data);
    if (!code)
        code = quick_driver_take_data(app, verb, &data, &driver);
    if (!code)
        code = read_arrivals(app, verb, arguments, &quick, &gaps);
    quick.driver_verb = driver.verb;
    quick.settings = driver.settings;
    quick.data = data.prompts;
    quick.trace = data.trace;
    if (!code) {
        hint_driver(app, arguments, url);
        hint_file(app, arguments, "body");
        hint_file(app, arguments, "json");
    }
    if (!code)
        code = start(app, arguments, url, &quick);
    quick_driver_fini(&driver);
    quick_data_fini(&data);
    text_fini(&gaps);
    free(headers);
    return code;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    int code = check_target(app, verb, arguments);
    if (code)
        return code;
    const char *what =
        arguments->rest_count ? arguments->rest[0] : argument_words(arguments, "host");
    return is_url(what) ? start_url(app, verb, arguments, what) : start(app, arguments, what, NULL);
}

const struct verb verb_run = {
    .name = "run",
    .sentence = "make load by a plan or against a URL, and report",
    .usage = "PLAN | scenario:NAME | URL [OPTIONS]",
    .options = options,
    .notes = "exit codes: 0 passed, 1 could not run, 99 a threshold or the objectives failed,\n104 "
             "bad plan or option, 105 interrupted, 120 the generator was the bottleneck\nfor at "
             "least a tenth of the measured time, 121 disk full",
    .examples = {"plimsoll run http://127.0.0.1:8000/health -u 50 -t 1m -r 5",
                 "plimsoll run plan.yaml --set http.timeout=10s --label commit=1a2b3c"},
    .act = act,
};
