/* From what a scenario's map says to executor and stages: k6's executors each in their way, named
 * patterns by their plug-ins, then what all have in common (warm-up, gaps, limits). */
#include "base/memory.h"
#include "plan/part.h"
#include "plan/stage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Order of the words in scenario_rows; 0 is "auto". */
static enum executor choose_executor(const struct scenario_form *form)
{
    if (form->executor > 0)
        return (enum executor)(form->executor - 1);
    bool stages = form->stages.count > 0;
    if (form->trace)
        return EXECUTOR_REPLAY;
    if (form->rate > 0 || form->start_rate > 0)
        return stages ? EXECUTOR_RAMPING_ARRIVAL_RATE : EXECUTOR_CONSTANT_ARRIVAL_RATE;
    if (stages)
        return EXECUTOR_RAMPING_VUS;
    return form->iterations > 0 ? EXECUTOR_SHARED_ITERATIONS : EXECUTOR_CONSTANT_VUS;
}

static bool is_open(enum executor executor)
{
    return executor >= EXECUTOR_CONSTANT_ARRIVAL_RATE;
}

struct build {
    struct reader *reader;
    const struct scenario_form *form;
    const struct node *map;
    struct plan_scenario *out;
};

/* Says that the executor needs a setting that was not given. */
static void need(struct build *build, const char *key, const char *example)
{
    reader_error(build->reader, build->map, example, "scenarios.%s lacks \"%s\", which %s needs",
                 build->out->name, key, executor_name(build->out->executor));
}

/* A setting that this executor does not have: an error where the plan says it, and a word of
 * advice where the environment does. */
static void refuse(struct build *build, const char *key, bool set, const char *why)
{
    if (!set)
        return;
    const struct node *found = NULL;
    for (const struct setting *row = scenario_rows; row->name; row++) {
        if (strcmp(row->name, key) != 0)
            continue;
        for (size_t i = 0; i < build->map->count; i++) {
            if (setting_is_named(row, build->map->rows[i].key->text))
                found = build->map->rows[i].key;
        }
    }
    if (found)
        reader_error(build->reader, found, NULL, "\"%s\" has no meaning in scenarios.%s: %s", key,
                     build->out->name, why);
    else
        reader_say(build->reader, NOTE_WARNING, NULL, NULL,
                   "\"%s\", set from outside of the plan, has no effect in scenarios.%s: %s", key,
                   build->out->name, why);
}

static double rate_of(const struct build *build, double rate)
{
    return rate * (double)NSEC_PER_SEC / (double)build->form->time_unit_ns;
}

#define LONGEST_NS (INT64_C(100) * 365 * 24 * 3600 * NSEC_PER_SEC) /* a century */

/* How long so many arrivals take: with constant gaps until half a gap before the next one; else six
 * standard deviations more than the mean, since the scenario ends with the last of them. */
static nsec_t arrivals_last(const struct scenario_form *form, double rate)
{
    double count = (double)form->iterations, gaps = count - 0.5;
    if (form->gaps.gaps != GAPS_CONSTANT)
        gaps = count + 6 * sqrt(count / form->gaps.burstiness);
    return (nsec_t)fmin(gaps / rate * (double)NSEC_PER_SEC, (double)LONGEST_NS);
}

/* One stage at one target. */
static void build_constant(struct build *build, bool open)
{
    const struct scenario_form *form = build->form;
    refuse(build, "stages", form->stages.count > 0, "its load is constant");
    double target = open ? rate_of(build, form->rate) : (double)form->vus;
    if (open && form->rate <= 0)
        need(build, "rate", "for example rate: 50/s");
    if (!open && form->vus == 0)
        need(build, "vus", "for example vus: 50");
    nsec_t lasts_ns = form->duration_ns;
    if (lasts_ns == 0 && open && form->iterations && form->rate > 0)
        lasts_ns = arrivals_last(form, target);
    if (lasts_ns == 0)
        need(build, "duration", "for example duration: 1m");
    build->out->start_target = target;
    scenario_add_stage(
        build->out,
        (struct plan_stage){.duration_ns = lasts_ns, .target = target, .jump = true, .level = true},
        "");
}

/* Stages as they stand; one that holds its target is a level. */
static void build_ramping(struct build *build, bool open)
{
    const struct scenario_form *form = build->form;
    if (form->stages.count == 0)
        need(build, "stages", "for example stages: [{duration: 1m, target: 50}]");
    refuse(build, "duration", form->duration_ns > 0, "its stages have durations of their own");
    refuse(build, "vus", form->vus > 0 && !open, "its stages have targets of their own");
    double at = open ? rate_of(build, form->start_rate) : (double)form->start_vus;
    build->out->start_target = at;
    for (size_t i = 0; i < form->stages.count; i++) {
        struct plan_stage stage = form->stages.items[i];
        if (open)
            stage.target = rate_of(build, stage.target);
        bool holds = stage.jump || (stage.target >= at && stage.target <= at);
        stage.level = holds && stage.duration_ns > 0 && !stage.excluded && stage.target > 0;
        if (stage.duration_ns == 0)
            stage.jump = true;
        scenario_add_stage(build->out, stage, holds ? "" : "ramp to ");
        at = stage.target;
    }
}

static void build_iterations(struct build *build)
{
    const struct scenario_form *form = build->form;
    if (form->iterations == 0)
        need(build, "iterations", "for example iterations: 1000");
    refuse(build, "stages", form->stages.count > 0, "it ends when its iterations are done");
    refuse(build, "warm_up", form->warm_up_ns > 0, "it counts iterations, and has no first part");
    double users = form->vus ? (double)form->vus : 1;
    build->out->start_target = users;
    nsec_t longest = form->duration_ns ? form->duration_ns : form->max_duration_ns;
    scenario_add_stage(
        build->out,
        (struct plan_stage){.duration_ns = longest, .target = users, .jump = true, .level = true},
        "");
}

/* After the last arrival of a trace: it is due before the end. */
static const nsec_t trace_tail = NSEC_PER_MSEC;

/* The trace says when; its stage lasts until its last arrival, or is cut where a duration says. */
static void build_replay(struct build *build)
{
    const struct scenario_form *form = build->form;
    if (!form->trace)
        need(build, "trace", "a file of arrival times in seconds, one a line");
    else
        instants_read(build->reader, build->map, form->trace_scale, build->out);
    const struct plan_scenario *out = build->out;
    nsec_t last_ns = out->instant_count ? out->instants[out->instant_count - 1] : 0;
    scenario_add_stage(build->out,
                       (struct plan_stage){.duration_ns = form->duration_ns ? form->duration_ns
                                                                            : last_ns + trace_tail,
                                           .jump = true,
                                           .level = true,
                                           .name = (char *)"replay"},
                       "");
}

/* Lets the plug-in expand the pattern; its notes get the place of the scenario's pattern. */
static void build_pattern(struct build *build, const struct pattern_word *pattern,
                          const void *config)
{
    const struct scenario_form *form = build->form;
    struct plan_scenario *out = build->out;
    bool open = is_open(out->executor);
    refuse(build, "stages", form->stages.count > 0, "its pattern makes them");
    out->executor = open ? EXECUTOR_RAMPING_ARRIVAL_RATE : EXECUTOR_RAMPING_VUS;
    out->vus = form->vus;
    out->rate = rate_of(build, form->rate);
    out->duration_ns = form->duration_ns;
    struct notes notes = {0};
    pattern->expand(config, out, &notes);
    struct node *place = node_find(build->map, "pattern");
    for (size_t i = 0; i < notes.count; i++)
        reader_error(build->reader, place ? place : build->map, notes.items[i].hint, "%s",
                     notes.items[i].sentence);
    notes_fini(&notes);
    out->pattern = memory_copy_text(pattern->word);
}

static void build_stages(struct build *build)
{
    switch (build->out->executor) {
    case EXECUTOR_CONSTANT_VUS:
    case EXECUTOR_CONSTANT_ARRIVAL_RATE:
        build_constant(build, is_open(build->out->executor));
        break;
    case EXECUTOR_RAMPING_VUS:
    case EXECUTOR_RAMPING_ARRIVAL_RATE:
        build_ramping(build, is_open(build->out->executor));
        break;
    case EXECUTOR_SHARED_ITERATIONS:
    case EXECUTOR_PER_VU_ITERATIONS:
        build_iterations(build);
        break;
    case EXECUTOR_REPLAY:
        build_replay(build);
        break;
    }
}

/* Load before the first stage, at the first level's target or where a ramp begins. */
static void prepend_warm_up(struct build *build)
{
    const struct scenario_form *form = build->form;
    if (form->warm_up_ns == 0 || build->out->stage_count == 0)
        return;
    const struct plan_stage *first = &build->out->stages[0];
    double target = first->jump ? first->target : build->out->start_target;
    if (target <= 0)
        target = 1;
    scenario_add_stage(build->out,
                       (struct plan_stage){.duration_ns = form->warm_up_ns,
                                           .target = target,
                                           .jump = true,
                                           .excluded = true,
                                           .name = (char *)"warm-up"},
                       "");
    struct plan_stage warm_up = build->out->stages[build->out->stage_count - 1];
    memmove(build->out->stages + 1, build->out->stages,
            (build->out->stage_count - 1) * sizeof warm_up);
    build->out->stages[0] = warm_up;
    build->out->start_target = target;
}

static void compile_until(struct build *build)
{
    struct plan_scenario *out = build->out;
    const struct plan_texts *until = &build->form->until;
    const struct node *node = node_find(build->map, "until");
    if (until->count) { /* the plan's own in place of those of the pattern */
        for (size_t i = 0; i < out->until_count; i++)
            free(out->until[i]);
        free(out->until);
        out->until = memory_new(until->count, sizeof *out->until);
        out->until_count = until->count;
        for (size_t i = 0; i < until->count; i++)
            out->until[i] = memory_copy_text(until->items[i]);
    }
    out->limits = memory_new(out->until_count, sizeof *out->limits);
    for (size_t i = 0; i < out->until_count; i++) {
        const struct node *item =
            node && node->kind == NODE_LIST && i < node->count ? node->rows[i].value : node;
        threshold_compile_limit(build->reader, item ? item : build->map, out->until[i],
                                &out->limits[i]);
    }
}

static void scale_time(nsec_t *duration, double scale)
{
    *duration = (nsec_t)((double)*duration * scale);
}

/* What all executors have in common. */
static void build_common(struct build *build)
{
    const struct scenario_form *form = build->form;
    struct plan_scenario *out = build->out;
    double scale = build->reader->plan->time_scale;
    out->iterations = form->iterations;
    out->max_vus = form->max_vus;
    out->max_backlog = form->max_backlog;
    out->gaps = form->gaps.gaps;
    out->burstiness = form->gaps.burstiness;
    out->start_time_ns = form->start_time_ns;
    out->graceful_stop_ns = form->graceful_stop_ns;
    out->graceful_ramp_down_ns = form->graceful_ramp_down_ns;
    out->pacing_ns = form->pacing_ns;
    out->spawn_rate = form->spawn_rate;
    out->think = form->think;
    out->rate = rate_of(build, form->rate);
    out->duration_ns = form->duration_ns;
    scale_time(&out->start_time_ns, scale);
    for (size_t i = 0; i < out->instant_count; i++)
        out->instants[i] = (nsec_t)fmin((double)out->instants[i] * scale, (double)LONGEST_NS);
    if (build->reader->plan->time_scale_think) {
        scale_time(&out->pacing_ns, scale);
        distribution_scale(&out->think, scale);
    }
    double most = 0;
    for (size_t i = 0; i < out->stage_count; i++) {
        scale_time(&out->stages[i].duration_ns, scale);
        if (out->stages[i].target > most)
            most = out->stages[i].target;
    }
    if (!scenario_is_open(out))
        out->vus = (uint64_t)most;
    else
        out->vus = form->vus;
}

void scenario_build(struct reader *reader, const struct scenario_form *form,
                    const struct pattern_word *pattern, const void *pattern_config,
                    const struct node *map, struct plan_scenario *out)
{
    struct build build = {.reader = reader, .form = form, .map = map, .out = out};
    out->trace = memory_copy_text(form->trace);
    out->executor = choose_executor(form);
    bool open = is_open(out->executor);
    refuse(&build, "gaps", !open && form->gaps.gaps != GAPS_CONSTANT,
           "users send when the reply before came, not by a rate");
    refuse(&build, "rate", !open && form->rate > 0, "users are counted here, not arrivals");
    if (pattern)
        build_pattern(&build, pattern, pattern_config);
    else
        build_stages(&build);
    prepend_warm_up(&build);
    build_common(&build);
    compile_until(&build);
}
