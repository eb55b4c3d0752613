/* plimsoll validate: what a plan means and needs, where each value came from; sends nothing. And
 * plimsoll schema, for editors. */
#include "app/launch.h"

#include <string.h>

static const struct option options[] = {
    {"users", 'u', .kind = OPTION_COUNT, .positive = true, .value = "N", .aliases = "vus",
     .sentence = "as for run", .setting = "scenarios.*.vus"},
    {"duration", 't', .kind = OPTION_DURATION, .positive = true, .value = "TIME",
     .aliases = "run-time", .sentence = "as for run", .setting = "scenarios.*.duration"},
    {"rate", 0, .kind = OPTION_RATE, .value = "RATE", .sentence = "as for run",
     .setting = "scenarios.*.rate"},
    {"host", 'H', .kind = OPTION_TEXT, .value = "URL", .aliases = "target",
     .sentence = "as for run", .setting = "target"},
    {"threads", 0, .kind = OPTION_COUNT, .value = "N", .sentence = "as for run",
     .setting = "threads"},
    {"time-scale", 0, .kind = OPTION_REAL, .value = "X", .sentence = "as for run",
     .setting = "time_scale"},
    {"scale-think", 0, .kind = OPTION_FLAG, .sentence = "and think times and pacing",
     .setting = "time_scale_think"},
    {"seed", 0, .kind = OPTION_COUNT, .value = "N", .sentence = "as for run", .setting = "seed"},
    {"set", 0, .kind = OPTION_PAIR, .value = "PATH=VALUE", .repeats = true,
     .sentence = "any setting of the plan"},
    {"all", 'a', .kind = OPTION_FLAG, .sentence = "settings that nobody gave too"},
    {"quiet", 'q', .kind = OPTION_FLAG, .sentence = "only say what is wrong"},
    {.name = NULL},
};

/* What only the drivers and this machine know. Returns the exit code. */
static int check_here(struct app *app, const struct plan *plan)
{
    struct notes notes = {0};
    struct text words = TEXT_EMPTY;
    struct run_options here = {
        .plan = plan, .drivers = app->plugs->drivers, .driver_count = app->plugs->driver_count};
    run_check(&here, &notes);
    notes_write(&notes, NULL, &words);
    if (words.bytes)
        fputs(words.at, app->err);
    text_fini(&words);
    int code = notes.errors ? RUN_BAD_PLAN : 0;
    notes_fini(&notes);
    return code;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    if (arguments->rest_count != 1)
        return usage_error(app, verb, "one plan is wanted");
    struct launch how = {.file = arguments->rest[0]};
    int code = 0;
    if (!launch_scenario(app, verb, how.file, &code) && code)
        return code;
    how.overrides = launch_overrides(arguments, &how.override_count);
    struct plan_reading reading;
    code = launch_read(app, &how, &reading);
    if (code == 0)
        code = check_here(app, reading.plan);
    if (code == 0 && !argument_given(arguments, "quiet")) {
        struct text words = TEXT_EMPTY;
        plan_explain(&reading, argument_given(arguments, "all"), &words);
        fputs(words.at ? words.at : "", app->out);
        text_fini(&words);
    }
    plan_reading_fini(&reading);
    launch_overrides_free(how.overrides, how.override_count);
    return code;
}

const struct verb verb_validate = {
    .name = "validate",
    .sentence = "check a plan, say what it will do, and send nothing",
    .usage = "PLAN | scenario:NAME [OPTIONS]",
    .options = options,
    .notes = "exit codes: 0 fine, 104 not",
    .examples = {"plimsoll validate plan.yaml", "plimsoll validate plan.yaml -u 500 -t 10m"},
    .act = act,
};

static const struct option no_options[] = {{.name = NULL}};

static int act_schema(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    (void)verb;
    (void)arguments;
    struct text out = TEXT_EMPTY;
    plan_schema(&app->plugs->vocabulary, &out);
    fputs(out.at, app->out);
    if (out.bytes && out.at[out.bytes - 1] != '\n')
        fputc('\n', app->out);
    text_fini(&out);
    return 0;
}

const struct verb verb_schema = {
    .name = "schema",
    .sentence = "print the JSON schema of plans, for editors",
    .usage = "",
    .wordless = true,
    .options = no_options,
    .examples = {"plimsoll schema > plimsoll.schema.json", "plimsoll schema | grep -c description"},
    .act = act_schema,
};
