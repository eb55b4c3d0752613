/* plimsoll scale: load against throughput and response time, over sizes and instances. */
#include "app/scale.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHIPPED_PLAN "scaling_config.yaml"

static const struct option options[] = {
    {"start-users", 0, .kind = OPTION_COUNT, .value = "N", .sentence = "users of the first level",
     .setting = "scale.start_users", .group = "levels"},
    {"max-users", 'u', .kind = OPTION_COUNT, .positive = true, .value = "N", .aliases = "users",
     .sentence = "users of the last level", .setting = "scale.max_users"},
    {"step-size", 0, .kind = OPTION_COUNT, .positive = true, .value = "N",
     .sentence = "what each level adds", .setting = "scale.step_size"},
    {"levels", 0, .kind = OPTION_TEXT, .value = "LIST",
     .sentence = "the levels themselves: 10,20,50"},
    {"geometric", 0, .kind = OPTION_REAL, .value = "X",
     .sentence = "each level X times the one before", .setting = "scale.geometric"},
    {"rate", 0, .kind = OPTION_RATE, .value = "RATE",
     .sentence = "arrivals a second in place of users: 50/s", .setting = "scale.rate"},
    {"step-duration", 0, .kind = OPTION_DURATION, .positive = true, .value = "TIME",
     .sentence = "measured time of a level", .setting = "scale.step_duration"},
    {"duration", 't', .kind = OPTION_DURATION, .positive = true, .value = "TIME",
     .sentence = "measured time of a scenario, all its levels", .setting = "scale.duration"},
    {"repeat", 0, .kind = OPTION_COUNT, .value = "N",
     .sentence = "measure each level N times, in random order", .setting = "scale.repeat"},
    {"find-capacity", 0, .kind = OPTION_FLAG, .sentence = "then look for the load that just holds"},
    {"instances", 0, .kind = OPTION_COUNT, .value = "N",
     .sentence = "most instances of a horizontal test", .setting = "scale.instances",
     .group = "other axes"},
    {"sizes", 0, .kind = OPTION_TEXT, .value = "LIST",
     .sentence = "sizes of a vertical test: 0.25,0.5,1"},
    {"offset", 0, .kind = OPTION_DURATION, .value = "TIME",
     .sentence = "mixed: from one plan's beginning to the next"},
    {"host", 'H', .kind = OPTION_TEXT, .value = "URL", .aliases = "target",
     .sentence = "for plans that leave it out", .setting = "target", .group = "plan and output"},
    {"time-scale", 0, .kind = OPTION_REAL, .value = "X", .sentence = "multiply all durations",
     .setting = "time_scale"},
    {"scale-think", 0, .kind = OPTION_FLAG, .sentence = "and think times and pacing",
     .setting = "time_scale_think"},
    {"seed", 0, .kind = OPTION_COUNT, .value = "N", .sentence = "same seed, same requests",
     .setting = "seed"},
    {"set", 0, .kind = OPTION_PAIR, .value = "PATH=VALUE", .repeats = true,
     .sentence = "any setting of the plan: scale.cool_down=5s"},
    {"label", 0, .kind = OPTION_PAIR, .value = "NAME=VALUE", .repeats = true,
     .sentence = "kept with the runs", .setting = "labels"},
    {"output-dir", 'o', .kind = OPTION_TEXT, .value = "DIR",
     .sentence = "for the suite's directory (default: runs)", .setting = "output_dir"},
    {"results", 0, .kind = OPTION_TEXT, .value = "FILE",
     .sentence = "write scalability_results.json there too"},
    {"dry-run", 0, .kind = OPTION_FLAG, .sentence = "say what would be done, and send nothing"},
    {"debug", 0, .kind = OPTION_FLAG, .sentence = "say everything that is decided, and why"},
    {"quiet", 'q', .kind = OPTION_FLAG, .sentence = "print nothing when all went well"},
    {.name = NULL},
};

/* "10,20,50" is a list of a plan without its brackets. */
static void add_list(struct launch *launch, const struct arguments *arguments, const char *option,
                     const char *path)
{
    const char *words = argument_words(arguments, option);
    if (!words)
        return;
    struct text list = TEXT_EMPTY, flag = TEXT_EMPTY;
    text_printf(&list, words[0] == '[' ? "%s" : "[%s]", words);
    text_printf(&flag, "--%s", option);
    launch_override(launch, path, list.at, flag.at);
    text_fini(&list);
    text_fini(&flag);
}

/* --duration alone is shared out among the levels, also where the plan says how long one lasts:
 * what is typed is what is meant. */
static bool divides_duration(const struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->count; i++)
        if (strcmp(arguments->items[i].option->name, "set") == 0 &&
            strncmp(arguments->items[i].words, "scale.step_duration=", 20) == 0)
            return false;
    return argument_given(arguments, "duration") && !argument_given(arguments, "step-duration");
}

static int kinds_of(struct app *app, const struct verb *verb, const struct arguments *arguments,
                    struct scale_order *order)
{
    static const char *const words[] = {"progression", "vertical", "horizontal", "all",
                                        "mixed",       "soak",     NULL};
    const char *word = arguments->rest_count ? arguments->rest[0] : NULL;
    if (!word)
        return usage_error(app, verb,
                           "which test? progression, vertical, horizontal, all, mixed or soak");
    for (size_t i = 0; i < 3; i++)
        if (strcmp(word, words[i]) == 0 || strcmp(word, "all") == 0)
            order->kinds[order->kind_count++] = (enum suite_kind)i;
    if (strcmp(word, "soak") == 0)
        order->kinds[order->kind_count++] = SUITE_SOAK;
    if (order->kind_count)
        return 0;
    const char *near = nearest_word(word, words);
    return usage_error(app, verb, "\"%s\" is no test; %s%s%s", word,
                       near ? "did you mean \""
                            : "there are progression, vertical, horizontal, all, mixed and soak",
                       near ? near : "", near ? "\"?" : "");
}

/* What is wrong with the plans named; 0 when nothing is. */
static int check_files(struct app *app, const struct verb *verb, const struct arguments *arguments,
                       bool mixed)
{
    if (mixed && arguments->rest_count < 3)
        return usage_error(app, verb, "a mixed test wants two plans or more");
    if (!mixed && arguments->rest_count > 2)
        return usage_error(app, verb, "one plan at a time; \"%s\" is the second",
                           arguments->rest[2]);
    for (size_t i = 1; i < arguments->rest_count; i++)
        if (strncmp(arguments->rest[i], "scenario:", 9) != 0 &&
            access(arguments->rest[i], F_OK) != 0)
            return usage_error(app, verb, "there is no plan \"%s\"", arguments->rest[i]);
    if (arguments->rest_count == 1 && access(SHIPPED_PLAN, F_OK) != 0)
        return usage_error(app, verb,
                           "there is no plan \"" SHIPPED_PLAN
                           "\": name a plan, such as one of example/");
    return 0;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    struct scale_order order = {
        .results = argument_words(arguments, "results"),
        .dry_run = argument_given(arguments, "dry-run"),
        .debug = argument_given(arguments, "debug"),
        .quiet = argument_given(arguments, "quiet"),
    };
    bool mixed = arguments->rest_count && strcmp(arguments->rest[0], "mixed") == 0;
    int code = mixed ? 0 : kinds_of(app, verb, arguments, &order);
    if (code == 0)
        code = check_files(app, verb, arguments, mixed);
    if (code)
        return code;
    const char *file = arguments->rest_count == 2 ? arguments->rest[1] : SHIPPED_PLAN;
    order.offset_ns = argument_duration(arguments, "offset", 0);
    order.launch.file = file;
    order.launch.overrides = launch_overrides(arguments, &order.launch.override_count);
    add_list(&order.launch, arguments, "levels", "scale.levels");
    add_list(&order.launch, arguments, "sizes", "scale.sizes");
    if (divides_duration(arguments))
        launch_override(&order.launch, "scale.step_duration", "0", "--duration");
    if (argument_given(arguments, "find-capacity"))
        launch_override(&order.launch, "scale.find_capacity", "true", "--find-capacity");
    code = mixed ? scale_mixed(app, &order, arguments->rest + 1, arguments->rest_count - 1)
                 : scale(app, verb, &order);
    launch_overrides_free(order.launch.overrides, order.launch.override_count);
    return code;
}

const struct verb verb_scale = {
    .name = "scale",
    .sentence = "measure levels of load, at sizes and numbers of instances",
    .usage = "TEST [PLAN] [OPTIONS]",
    .options = options,
    .notes = "TEST: progression, vertical, horizontal, all three, mixed (of several plans), or\n"
             "soak (one load for --duration, else 1h, and whether memory or descriptors grow).\n"
             "PLAN is ./" SHIPPED_PLAN " where it is not named; its section \"scale\" says\n"
             "the same as the options. A level goes on until its warm-up is cut off and the\n"
             "rest is steady, and is marked when it never is. Ctrl-C keeps what was measured.\n"
             "exit codes: 0 measured, 1 could not, 104 bad plan or option, 105 interrupted",
    .examples = {"plimsoll scale progression plan.yaml --max-users 500 --step-size 50",
                 "plimsoll scale horizontal plan.yaml --instances 3 --dry-run"},
    .act = act,
};
