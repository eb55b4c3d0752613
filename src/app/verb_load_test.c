/* plimsoll load-test: users in batches up to a most, or so many users for so long; the options of
 * the load_test.py that operators of inference services know. */
#include "app/quick_driver.h"
#include "app/scale.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct option options[] = {
    {"max-users", 0, .kind = OPTION_COUNT, .positive = true, .value = "N", .aliases = "max_users",
     .sentence = "batches up to so many users"},
    {"step-size", 0, .kind = OPTION_COUNT, .positive = true, .value = "N", .aliases = "step_size",
     .sentence = "what each batch adds (10)"},
    {"users", 'u', .kind = OPTION_COUNT, .positive = true, .value = "N",
     .sentence = "so many users all the time instead"},
    {"duration", 't', .kind = OPTION_DURATION, .positive = true, .value = "TIME",
     .sentence = "measured time: 60s, of a batch 30s"},
    {"think", 0, .kind = OPTION_TEXT, .value = "TIME",
     .sentence = "wait between requests: 2s, 1s..5s", .setting = "scenarios.*.think"},
    {"url", 0, .kind = OPTION_TEXT, .value = "URL", .aliases = "host",
     .sentence = "its path tells the protocol", .group = "request"},
    {"driver", 0, .kind = OPTION_TEXT, .value = "NAME",
     .sentence = "the protocol, where the path does not tell it"},
    {"model", 'm', .kind = OPTION_TEXT, .value = "NAME", .sentence = "of such a protocol"},
    {"prompt", 0, .kind = OPTION_TEXT, .value = "TEXT",
     .sentence = "likewise; else each request has its own"},
    {"max-tokens", 0, .kind = OPTION_COUNT, .value = "N", .sentence = "most tokens of an answer"},
    {"timeout", 0, .kind = OPTION_DURATION, .value = "TIME", .sentence = "for a whole reply",
     .setting = "http.timeout"},
    {"set", 0, .kind = OPTION_PAIR, .value = "PATH=VALUE", .repeats = true,
     .sentence = "any setting of the plan", .group = "plan and output"},
    {"time-scale", 0, .kind = OPTION_REAL, .value = "X", .sentence = "multiply all durations",
     .setting = "time_scale"},
    {"output-dir", 'o', .kind = OPTION_TEXT, .value = "DIR",
     .sentence = "for the directory of the test (runs)", .setting = "output_dir"},
    {"results", 0, .kind = OPTION_TEXT, .value = "FILE",
     .sentence = "write scalability_results.json there too"},
    {"viewer", 0, .kind = OPTION_TEXT, .value = "FILE",
     .sentence = "write results_viewer.html there too"},
    {"dry-run", 0, .kind = OPTION_FLAG, .sentence = "say what would be done, and send nothing"},
    {"debug", 0, .kind = OPTION_FLAG, .sentence = "say everything that is decided, and why"},
    {"quiet", 'q', .kind = OPTION_FLAG, .sentence = "print nothing when all went well"},
    {.name = NULL},
};

static void set_count(struct launch *launch, const char *path, uint64_t count, const char *flag)
{
    char words[32];
    snprintf(words, sizeof words, "%llu", (unsigned long long)count);
    launch_override(launch, path, words, flag);
}

/* The levels: batches, or one. */
static void set_levels(struct scale_order *order, const struct arguments *arguments)
{
    struct launch *launch = &order->launch;
    const char *duration = argument_words(arguments, "duration");
    uint64_t users = argument_count(arguments, "users", 0);
    if (users) {
        set_count(launch, "scale.max_users", users, "--users");
        set_count(launch, "scale.start_users", users, "--users");
    } else {
        uint64_t step = argument_count(arguments, "step-size", 10);
        set_count(launch, "scale.step_size", step, "--step_size");
        set_count(launch, "scale.start_users", step, "--step_size");
        set_count(launch, "scale.max_users", argument_count(arguments, "max-users", 50),
                  "--max_users");
    }
    launch_override(launch, "scale.step_duration",
                    duration ? duration
                    : users  ? "60s"
                             : "30s",
                    "--duration");
}

static int check_usage(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    const char *url = argument_words(arguments, "url");
    if (argument_given(arguments, "users") && argument_given(arguments, "max-users"))
        return usage_error(app, verb, "--users holds a load and --max_users raises it; which?");
    if (argument_given(arguments, "users") && argument_given(arguments, "step-size"))
        return usage_error(app, verb, "--step_size goes with --max_users, not with --users");
    if (arguments->rest_count > 1)
        return usage_error(app, verb, "one plan at a time; \"%s\" is the second",
                           arguments->rest[1]);
    if (url && arguments->rest_count)
        return usage_error(app, verb, "a plan and --url exclude each other");
    if (url && !launch_may_be_url(url))
        return usage_error(app, verb, "\"%s\" is no URL; if it is a host's name, write http://%s",
                           url, url);
    if (!url && !arguments->rest_count)
        return usage_error(app, verb, "what shall be tested? name a plan, or --url URL");
    if (!url && strncmp(arguments->rest[0], "scenario:", 9) != 0 &&
        access(arguments->rest[0], F_OK) != 0)
        return usage_error(app, verb, "there is no plan \"%s\"", arguments->rest[0]);
    return 0;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    const char *url = argument_words(arguments, "url");
    struct quick_driver driver = {.verb = NULL};
    struct plan_quick quick = {.url = url, .users = 1, .duration_ns = NSEC_PER_SEC};
    struct scale_order order = {
        .kinds = {SUITE_RUN},
        .kind_count = 1,
        .results = argument_words(arguments, "results"),
        .viewer = argument_words(arguments, "viewer"),
        .dry_run = argument_given(arguments, "dry-run"),
        .debug = argument_given(arguments, "debug"),
        .quiet = argument_given(arguments, "quiet"),
    };
    int code = check_usage(app, verb, arguments);
    if (code == 0 && url)
        code = quick_driver_guess(app, verb, arguments, url, &driver);
    if (code)
        return code;
    quick.driver_verb = driver.verb;
    quick.settings = driver.settings;
    order.launch.file = url ? NULL : arguments->rest[0];
    order.launch.quick = url ? &quick : NULL;
    order.launch.overrides = launch_overrides(arguments, &order.launch.override_count);
    set_levels(&order, arguments);
    code = scale(app, verb, &order);
    launch_overrides_free(order.launch.overrides, order.launch.override_count);
    quick_driver_fini(&driver);
    return code;
}

const struct verb verb_load_test = {
    .name = "load-test",
    .sentence = "users in batches, or so many for so long",
    .usage = "[PLAN | --url URL] [OPTIONS]",
    .options = options,
    .notes = "Writes results_viewer.html: latency against load, successes, failures.\n"
             "exit codes as for plimsoll scale",
    .examples = {"plimsoll load-test --max_users 50 --url http://127.0.0.1:8000/work",
                 "plimsoll load-test --users 50 --duration 60 plan.yaml"},
    .act = act,
};
