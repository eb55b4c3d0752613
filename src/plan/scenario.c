/* Scenarios: the table, and the walk from a map to struct plan_scenario. What executor and stages
 * follow from the form is in scenario_build.c. */
#include "plan/part.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM(member) offsetof(struct scenario_form, member)

static const struct setting_word executor_words[] = {
    {"auto", "told by the other keys"},
    {"constant-vus", "so many users, each sending as fast as replies and think time allow"},
    {"ramping-vus", "users that follow stages"},
    {"shared-iterations", "so many iterations in all, taken by the users as they come free"},
    {"per-vu-iterations", "so many iterations for each user"},
    {"constant-arrival-rate", "iterations begin at a rate, whatever the target does"},
    {"ramping-arrival-rate", "a rate that follows stages"},
    {"replay", "iterations begin at the timestamps of a file"},
    {NULL, NULL}};

const char *executor_name(enum executor executor)
{
    return executor_words[executor + 1].word;
}

const struct setting scenario_rows[] = {
    {.name = "executor",
     .type = SETTING_CHOICE,
     .offset = FORM(executor),
     .words = executor_words,
     .unset = "auto",
     .sentence = "how load arises"},
    {.name = "pattern",
     .type = SETTING_TEXT,
     .offset = FORM(pattern),
     .aliases = "load_pattern",
     .sentence = "named shape of the load: constant, ramp, step, spike, stress, soak"},
    {.name = "vus",
     .type = SETTING_UINT,
     .offset = FORM(vus),
     .most = 10000000,
     .unit = "users",
     .aliases = "users concurrent_users max_users",
     .environment = "SCALABILITY_MAX_USERS",
     .sentence = "virtual users; the most of them where the pattern moves"},
    {.name = "rate",
     .type = SETTING_RATE,
     .offset = FORM(rate),
     .most = 10000000,
     .unit = "iterations a second",
     .sentence = "iterations that begin each time_unit (open model)"},
    {.name = "time_unit",
     .type = SETTING_DURATION,
     .offset = FORM(time_unit_ns),
     .least = 0.001,
     .unset = "1s",
     .aliases = "timeUnit",
     .sentence = "what rate and the targets of arrival stages are counted for"},
    {.name = "duration",
     .type = SETTING_DURATION,
     .offset = FORM(duration_ns),
     .aliases = "run_time duration_seconds",
     .environment = "SCALABILITY_TEST_DURATION",
     .sentence = "how long the load lasts, without the warm-up"},
    {.name = "warm_up",
     .type = SETTING_DURATION,
     .offset = FORM(warm_up_ns),
     .unset = "0",
     .sentence = "load before the first stage, kept out of the results"},
    {.name = "stages",
     .type = SETTING_CUSTOM,
     .offset = FORM(stages),
     .custom = "stages",
     .sentence = "durations and targets that the load moves through"},
    {.name = "start_vus",
     .type = SETTING_UINT,
     .offset = FORM(start_vus),
     .most = 10000000,
     .unit = "users",
     .unset = "0",
     .aliases = "startVUs",
     .sentence = "users before the first stage"},
    {.name = "start_rate",
     .type = SETTING_RATE,
     .offset = FORM(start_rate),
     .unset = "0",
     .aliases = "startRate",
     .sentence = "rate before the first stage"},
    {.name = "iterations",
     .type = SETTING_UINT,
     .offset = FORM(iterations),
     .unit = "iterations",
     .unset = "0",
     .sentence = "in all (shared) or for each user (per-vu); 0 is no limit"},
    {.name = "max_duration",
     .type = SETTING_DURATION,
     .offset = FORM(max_duration_ns),
     .least = 0.001,
     .unset = "10m",
     .aliases = "maxDuration",
     .sentence = "longest time that iterations may take in all"},
    {.name = "pre_allocated_vus",
     .type = SETTING_UINT,
     .offset = FORM(pre_allocated_vus),
     .unit = "users",
     .unset = "0",
     .aliases = "preAllocatedVUs",
     .sentence = "accepted from k6; users cost so little that none need be made beforehand"},
    {.name = "max_vus",
     .type = SETTING_UINT,
     .offset = FORM(max_vus),
     .unit = "users",
     .unset = "0",
     .aliases = "maxVUs",
     .sentence = "most users at once of an open model; 0 is as many as arrivals need"},
    {.name = "max_backlog",
     .type = SETTING_UINT,
     .offset = FORM(max_backlog),
     .unit = "arrivals",
     .unset = "0",
     .sentence = "arrivals that may wait for a user; more are dropped and counted; 0 is no limit"},
    {.name = "gaps",
     .type = SETTING_CUSTOM,
     .offset = FORM(gaps),
     .custom = "gaps",
     .sentence = "spread of the time between arrivals: constant, poisson, or {gamma: SHAPE}"},
    {.name = "trace",
     .type = SETTING_PATH,
     .offset = FORM(trace),
     .sentence = "file of arrival times: seconds, one a line, or a trace as data may have"},
    {.name = "trace_scale",
     .type = SETTING_REAL,
     .offset = FORM(trace_scale),
     .least = 0.000001,
     .most = 1000000,
     .unset = "1",
     .sentence = "multiply the times of the trace; 0.5 is twice as fast"},
    {.name = "start_time",
     .type = SETTING_DURATION,
     .offset = FORM(start_time_ns),
     .unset = "0",
     .aliases = "startTime",
     .sentence = "begin so long after the run does"},
    {.name = "graceful_stop",
     .type = SETTING_DURATION,
     .offset = FORM(graceful_stop_ns),
     .unset = "30s",
     .aliases = "gracefulStop",
     .sentence = "how long running iterations may finish at the end"},
    {.name = "graceful_ramp_down",
     .type = SETTING_DURATION,
     .offset = FORM(graceful_ramp_down_ns),
     .unset = "30s",
     .aliases = "gracefulRampDown",
     .sentence = "how long a user that is ramped away may finish its iteration"},
    {.name = "spawn_rate",
     .type = SETTING_RATE,
     .offset = FORM(spawn_rate),
     .unset = "0",
     .environment = "SCALABILITY_RAMP_UP_RATE",
     .sentence = "users that start a second where the load jumps; 0 is all at once"},
    {.name = "think",
     .type = SETTING_SPREAD,
     .offset = FORM(think),
     .unit = "seconds",
     .aliases = "think_time wait_time",
     .sentence = "pause of a user after each task"},
    {.name = "pacing",
     .type = SETTING_DURATION,
     .offset = FORM(pacing_ns),
     .unset = "0",
     .sentence = "an iteration begins so long after the one before did; 0 is no pacing"},
    {.name = "until",
     .type = SETTING_TEXTS,
     .offset = FORM(until),
     .sentence = "limits that end the scenario, such as \"http_req_failed rate>0.05\""},
    {.name = "tasks",
     .type = SETTING_CUSTOM,
     .offset = FORM(tasks),
     .custom = "tasks",
     .required = true,
     .sentence = "what users do, in proportion to the weights"},
    {.name = NULL},
};

#define STAGE(member) offsetof(struct plan_stage, member)

const struct setting stage_rows[] = {
    {.name = "duration",
     .type = SETTING_DURATION,
     .offset = STAGE(duration_ns),
     .required = true,
     .sentence = "how long the stage lasts"},
    {.name = "target",
     .type = SETTING_RATE,
     .offset = STAGE(target),
     .required = true,
     .most = 10000000,
     .sentence = "users, or rate, at its end"},
    {.name = "name",
     .type = SETTING_TEXT,
     .offset = STAGE(name),
     .sentence = "its name in reports"},
    {.name = "jump",
     .type = SETTING_BOOL,
     .offset = STAGE(jump),
     .unset = "false",
     .sentence = "be at the target from the stage's first instant"},
    {.name = "excluded",
     .type = SETTING_BOOL,
     .offset = STAGE(excluded),
     .unset = "false",
     .sentence = "keep it out of the results, as a warm-up"},
    {.name = NULL},
};

void stage_append(struct stage_list *stages, struct plan_stage stage)
{
    stages->items = memory_resize(stages->items, stages->count + 1, sizeof *stages->items);
    stage.name = memory_copy_text(stage.name);
    stages->items[stages->count++] = stage;
}

void stages_read(struct reader *reader, const struct setting *row, const char *path,
                 const struct node *node, void *field)
{
    struct stage_list *stages = field;
    if (!reader_wants(reader, node, NODE_LIST, row->name))
        return;
    for (size_t i = 0; i < node->count; i++) {
        const struct node *item = node->rows[i].value;
        char here[PATH_ROOM];
        path_write(here, "%s[%zu]", path, i);
        if (!reader_wants(reader, item, NODE_MAP, "a stage"))
            continue;
        struct plan_stage stage = {0};
        struct setting_scope scope = {stage_rows, &stage};
        setting_read_map(reader, item, here, &scope, 1);
        stage_append(stages, stage);
        free(stage.name);
    }
    if (node->count == 0)
        reader_error(reader, node, NULL, "stages must have at least one stage");
}

static void read_gamma(struct reader *reader, const struct node *node, struct gaps_form *gaps)
{
    static const struct setting rows[] = {
        {.name = "gamma",
         .type = SETTING_REAL,
         .least = 0.001,
         .most = 1000,
         .required = true,
         .aliases = "burstiness",
         .sentence = "shape: 1 is poisson, less is burstier, more is steadier"},
        {.name = NULL},
    };
    struct setting_scope scope = {rows, &gaps->burstiness};
    size_t errors = reader->notes->errors;
    setting_read_map(reader, node, "gaps", &scope, 1);
    if (reader->notes->errors == errors)
        gaps->gaps = GAPS_GAMMA;
}

void gaps_read(struct reader *reader, const struct setting *row, const char *path,
               const struct node *node, void *field)
{
    struct gaps_form *gaps = field;
    if (node->kind == NODE_MAP) {
        read_gamma(reader, node, gaps);
        return;
    }
    char *words = reader_words(reader, node, "constant, poisson, or {gamma: SHAPE}");
    if (!words)
        return;
    if (strcmp(words, "poisson") == 0)
        *gaps = (struct gaps_form){GAPS_POISSON, 1};
    else if (strcmp(words, "constant") == 0)
        *gaps = (struct gaps_form){GAPS_CONSTANT, 1};
    else
        reader_error(reader, node, "it may be constant, poisson, or {gamma: 0.5}",
                     "%s \"%s\" is unknown", row->name, words);
    reader_keep_origin(reader, path, words, node);
    free(words);
}

void node_keep(struct reader *reader, const struct setting *row, const char *path,
               const struct node *node, void *field)
{
    (void)reader;
    (void)row;
    (void)path;
    *(const struct node **)field = node;
}

static const struct pattern_word *find_pattern(const struct reader *reader, const char *word)
{
    for (size_t i = 0; i < reader->vocabulary->pattern_count; i++) {
        const struct pattern_word *pattern = &reader->vocabulary->patterns[i];
        if (strcmp(pattern->word, word) == 0 || text_has_word(pattern->aliases, word))
            return pattern;
    }
    return NULL;
}

/* The pattern that a scenario names, looked up before its map is read because it brings settings
 * of its own; NULL: none, or an error that is then said. */
static const struct pattern_word *scenario_pattern(struct reader *reader, const char *path,
                                                   const struct node *map)
{
    const struct setting *row = scenario_rows;
    while (row->offset != FORM(pattern) || row->type != SETTING_TEXT)
        row++;
    char here[PATH_ROOM];
    path_write(here, "%s.pattern", path);
    struct node *written = NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (setting_is_named(row, map->rows[i].key->text))
            written = map->rows[i].value;
    }
    struct node *node = reader_effective(reader, row, here, written);
    if (!node || node->kind != NODE_TEXT || node_is_null(node))
        return NULL;
    struct text words = TEXT_EMPTY, hint = TEXT_EMPTY;
    struct reference reference;
    variables_expand(&reader->variables, (struct span){node->text, node->bytes}, &words,
                     &reference);
    text_reserve(&words, 1);
    const struct pattern_word *pattern = find_pattern(reader, words.at);
    if (!pattern && !reference.missing[0]) {
        for (size_t i = 0; i < reader->vocabulary->pattern_count; i++)
            text_printf(&hint, "%s%s", i ? ", " : "it may be ",
                        reader->vocabulary->patterns[i].word);
        reader_error(reader, node, hint.at, "pattern \"%s\" is unknown", words.at);
    }
    text_fini(&words);
    text_fini(&hint);
    return pattern;
}

static void read_tasks(struct reader *reader, const char *path, const struct scenario_form *form,
                       struct plan_scenario *scenario)
{
    char here[PATH_ROOM];
    path_write(here, "%s.tasks", path);
    scenario->symbols = symbols_copy(&reader->plan->symbols);
    struct symbols *outer = reader->symbols;
    reader->symbols = &scenario->symbols;
    if (form->tasks)
        tasks_read(reader, here, form->tasks, true, &scenario->first_task, &scenario->task_count);
    reader->symbols = outer;
}

static void read_scenario(struct reader *reader, const struct node *name, const struct node *map,
                          struct plan_scenario *scenario)
{
    char path[PATH_ROOM];
    path_write(path, "scenarios.%s", name->text);
    scenario->name = memory_copy_text(name->text);
    if (!reader_wants(reader, map, NODE_MAP, path))
        return;
    size_t errors = reader->notes->errors;
    struct scenario_form form = {.gaps = {GAPS_CONSTANT, 1}};
    const struct pattern_word *pattern = scenario_pattern(reader, path, map);
    void *config = pattern ? memory_new(1, pattern->config_bytes) : NULL;
    struct setting_scope scopes[] = {{scenario_rows, &form},
                                     {pattern ? pattern->settings : NULL, config}};
    setting_read_map(reader, map, path, scopes, pattern && pattern->settings ? 2 : 1);
    if (reader->notes->errors == errors)
        scenario_build(reader, &form, pattern, config, map, scenario);
    read_tasks(reader, path, &form, scenario);
    if (pattern)
        setting_free(pattern->settings, config);
    free(config);
    for (size_t i = 0; i < form.stages.count; i++)
        free(form.stages.items[i].name);
    free(form.stages.items);
    setting_free(scenario_rows, &form);
}

void scenarios_read(struct reader *reader, const struct setting *row, const char *path,
                    const struct node *node, void *field)
{
    (void)path;
    (void)field;
    struct plan *plan = reader->plan;
    if (!reader_wants(reader, node, NODE_MAP, row->name))
        return;
    if (node->count == 0)
        reader_error(reader, node, row->sentence, "scenarios is empty");
    plan->scenarios = memory_new(node->count, sizeof *plan->scenarios);
    for (size_t i = 0; i < node->count; i++)
        read_scenario(reader, node->rows[i].key, node->rows[i].value,
                      &plan->scenarios[plan->scenario_count++]);
}
