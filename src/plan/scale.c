/* The scale section: what `plimsoll scale` does with the plan. Each row is an option of that verb
 * too, and the variables of a project that keeps its sizes in .env set the same rows. */
#include "plan/part.h"

#include "base/memory.h"

#include <stdlib.h>

#define SCALE(member) offsetof(struct plan_scale, member)

static const struct setting_word hold_words[] = {
    {"each", "each instance gets the same load: users rise with the instances"},
    {"total", "all instances together get the same load"},
    {NULL, NULL}};

static const struct setting_word statistic_words[] = {{"mean", "the average"},
                                                      {"p50", "the median"},
                                                      {"p95", "the 95th percentile"},
                                                      {"p99", "the 99th percentile"},
                                                      {NULL, NULL}};

const struct setting scale_rows[] = {
    {.name = "levels",
     .type = SETTING_NUMBERS,
     .offset = SCALE(levels),
     .most = 10000000,
     .sentence = "users of the levels in order, in place of start, step and most"},
    {.name = "start_users",
     .type = SETTING_UINT,
     .offset = SCALE(start_users),
     .most = 10000000,
     .unset = "0",
     .unit = "users",
     .aliases = "start",
     .sentence = "users of the first level; 0 is one step"},
    {.name = "max_users",
     .type = SETTING_UINT,
     .offset = SCALE(max_users),
     .most = 10000000,
     .unset = "0",
     .unit = "users",
     .aliases = "max",
     .environment = "SCALABILITY_MAX_USERS",
     .sentence = "users of the last level; 0 is the peak of the scenarios"},
    {.name = "step_size",
     .type = SETTING_UINT,
     .offset = SCALE(step_size),
     .most = 10000000,
     .unset = "0",
     .unit = "users",
     .aliases = "step",
     .sentence = "what each level adds; 0 is a fifth of the most"},
    {.name = "geometric",
     .type = SETTING_REAL,
     .offset = SCALE(geometric),
     .most = 100,
     .unset = "0",
     .sentence = "each level so many times the one before, in place of steps"},
    {.name = "rate",
     .type = SETTING_RATE,
     .offset = SCALE(rate),
     .most = 10000000,
     .unset = "0",
     .sentence = "arrivals a second of the last level, in place of users (open model)"},
    {.name = "step_duration",
     .type = SETTING_DURATION,
     .offset = SCALE(step_duration_ns),
     .unset = "0",
     .aliases = "level_duration",
     .environment = "SCALABILITY_STEP_DURATION",
     .sentence = "measured time of a level; 0 is an equal part of the duration, or 60 s"},
    {.name = "duration",
     .type = SETTING_DURATION,
     .offset = SCALE(duration_ns),
     .unset = "0",
     .environment = "SCALABILITY_TEST_DURATION",
     .sentence = "measured time of a scenario, all its levels together"},
    {.name = "cool_down",
     .type = SETTING_DURATION,
     .offset = SCALE(cool_down_ns),
     .most = 3600,
     .unset = "2s",
     .sentence = "pause between two levels"},
    {.name = "prolong",
     .type = SETTING_REAL,
     .offset = SCALE(prolong),
     .least = 1,
     .most = 20,
     .unset = "2",
     .sentence = "a level that is not steady goes on for up to so many times its measured time"},
    {.name = "repeat",
     .type = SETTING_UINT,
     .offset = SCALE(repeat),
     .least = 1,
     .most = 100,
     .unset = "1",
     .sentence = "how often each level is measured; more than once: in random order"},
    {.name = "min_samples",
     .type = SETTING_UINT,
     .offset = SCALE(min_samples),
     .unset = "0",
     .unit = "requests",
     .sentence = "requests that a level needs; 0 is what a 95th percentile needs, 59"},
    {.name = "scaler",
     .type = SETTING_CUSTOM,
     .custom = "scalers",
     .aliases = "scalers",
     .sentence = "what makes the target larger, or many: one, or a list in the order of growing"},
    {.name = "instances",
     .type = SETTING_UINT,
     .offset = SCALE(instances),
     .most = 10000,
     .unset = "0",
     .unit = "instances",
     .sentence = "most instances of a horizontal test; 0 is as many as there are targets"},
    {.name = "targets",
     .type = SETTING_TEXTS,
     .offset = SCALE(targets),
     .sentence =
         "base URLs of the instances, where no scaler makes them: a horizontal test spreads "
         "its users over the first so many"},
    {.name = "sizes",
     .type = SETTING_NUMBERS,
     .offset = SCALE(sizes),
     .most = 1e15,
     .sentence = "sizes of a vertical test in order, in the unit of its scaler"},
    {.name = "size_unit",
     .type = SETTING_TEXT,
     .offset = SCALE(size_unit),
     .sentence = "what sizes are called in tables, such as slots; else as the scaler has it"},
    {.name = "hold",
     .type = SETTING_CHOICE,
     .offset = SCALE(hold),
     .words = hold_words,
     .unset = "each",
     .sentence = "what stays the same while instances are added"},
    {.name = "critical_response_time",
     .type = SETTING_DURATION,
     .offset = SCALE(critical_response_ns),
     .unset = "200ms",
     .sentence = "response time that counts as too slow"},
    {.name = "critical_statistic",
     .type = SETTING_CHOICE,
     .offset = SCALE(critical_statistic),
     .words = statistic_words,
     .unset = "p95",
     .sentence = "what of the response times is compared with it"},
    {.name = "critical_error_rate",
     .type = SETTING_SHARE,
     .offset = SCALE(critical_error_share),
     .most = 1,
     .unset = "1%",
     .sentence = "share of failed requests that counts as too many"},
    {.name = "find_capacity",
     .type = SETTING_BOOL,
     .offset = SCALE(find_capacity),
     .unset = "false",
     .sentence = "after the levels, look for the load at which these are just kept"},
    {.name = "resolution",
     .type = SETTING_SHARE,
     .offset = SCALE(resolution),
     .least = 0.001,
     .most = 0.5,
     .unset = "2%",
     .sentence = "how near that load is looked for, as a share of it"},
    {.name = NULL},
};

static const struct setting_word axes_words[] = {{"own", "all that it can change"},
                                                 {"instances", "how many instances there are"},
                                                 {"size", "how large one is"},
                                                 {NULL, NULL}};

const struct setting scaler_rows[] = {
    {.name = "axes",
     .type = SETTING_CHOICE,
     .offset = offsetof(struct plan_scaler, axes),
     .words = axes_words,
     .unset = "own",
     .sentence = "what this one is used for, where it can change both"},
    {.name = NULL},
};

void scalers_read(struct reader *reader, const struct setting *row, const char *path,
                  const struct node *node, void *field)
{
    (void)row;
    (void)field;
    struct plan_scale *scale = &reader->plan->scale;
    struct plug_words words = {reader->vocabulary->scalers, reader->vocabulary->scaler_count,
                               "scaler"};
    size_t count = node->kind == NODE_LIST ? node->count : 1;
    scale->scalers = memory_new(count, sizeof *scale->scalers);
    for (size_t i = 0; i < count; i++) {
        char here[PATH_ROOM];
        if (node->kind == NODE_LIST)
            path_write(here, "%s[%zu]", path, i);
        else
            path_write(here, "%s", path);
        struct plan_scaler *scaler = &scale->scalers[scale->scaler_count];
        struct setting_scope scope = {scaler_rows, scaler};
        const struct node *entry = node->kind == NODE_LIST ? node->rows[i].value : node;
        if (plugged_read(reader, here, entry, &words, &scope, &scaler->plugged) == 0)
            scale->scaler_count++;
    }
}

void scale_fini(struct plan_scale *scale)
{
    for (size_t i = 0; i < scale->scaler_count; i++)
        plugged_fini(&scale->scalers[i].plugged);
    free(scale->scalers);
    scale->scalers = NULL;
    scale->scaler_count = 0;
}

static nsec_t scaled(const struct plan *plan, nsec_t duration_ns)
{
    return (nsec_t)((double)duration_ns * plan->time_scale);
}

/* The most that a scenario asks for: what its part of another load is measured by. */
static double peak_of(const struct plan_scenario *scenario)
{
    double most = scenario->start_target;
    for (size_t i = 0; i < scenario->stage_count; i++)
        if (scenario->stages[i].target > most)
            most = scenario->stages[i].target;
    return most;
}

static void share_load(struct plan *plan)
{
    double all = 0;
    for (size_t i = 0; i < plan->scenario_count; i++)
        all += peak_of(&plan->scenarios[i]);
    for (size_t i = 0; i < plan->scenario_count; i++)
        plan->scenarios[i].share =
            all > 0 ? peak_of(&plan->scenarios[i]) / all : 1.0 / (double)plan->scenario_count;
}

void scale_complete(struct reader *reader)
{
    struct plan *plan = reader->plan;
    struct plan_scale *scale = &plan->scale;
    scale->step_duration_ns = scaled(plan, scale->step_duration_ns);
    scale->duration_ns = scaled(plan, scale->duration_ns);
    scale->cool_down_ns = scaled(plan, scale->cool_down_ns);
    share_load(plan);
    bool rises = scale->geometric > 1;
    if (scale->geometric > 0 && !rises)
        reader_error(reader, NULL, "for example scale.geometric: 2",
                     "scale.geometric must be more than 1; it is %g", scale->geometric);
    if (scale->max_users && scale->start_users > scale->max_users)
        reader_error(reader, NULL, NULL, "scale.start_users (%g) is more than scale.max_users (%g)",
                     (double)scale->start_users, (double)scale->max_users);
    for (size_t i = 0; i < scale->levels.count; i++)
        if (scale->levels.items[i] <= 0)
            reader_error(reader, NULL, NULL, "scale.levels: a level must be more than 0; it is %g",
                         scale->levels.items[i]);
}
