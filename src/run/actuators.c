/* The plan's scalers together (run/scaling.h), and where none changes the number of instances, the
 * plan's list of targets: its users are then spread over the first so many of them. */
#include "run/actuators.h"

#include "base/memory.h"
#include "run/scaling.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct actuators {
    const struct suite_options *options;
    struct scaling *scaling; /* NULL: the plan names no scaler */
    unsigned axes;
    struct plan_texts targets; /* as the plan has them */
    bool changed;
    char *own_target, *address; /* the plan's target, and where scalers say the instances are */
};

static unsigned axes_of(const struct suite_scaler *scaler)
{
    return scaler->axes ? scaler->axes & scaler->scaler->axes : scaler->scaler->axes;
}

static int open_scaling(struct actuators *actuators, bool dry, struct text *why)
{
    const struct suite_options *options = actuators->options;
    struct scaling_part *parts = memory_new(options->scaler_count, sizeof *parts);
    for (size_t i = 0; i < options->scaler_count; i++) {
        const struct suite_scaler *from = &options->scalers[i];
        parts[i] = (struct scaling_part){
            .scaler = from->scaler, .config = from->config, .axes = from->axes};
        actuators->axes |= axes_of(from);
    }
    struct scaling_options how = {.parts = parts,
                                  .part_count = options->scaler_count,
                                  .place = {.target = options->plan->target,
                                            .directory = options->run.directory,
                                            .root = "",
                                            .say = options->said,
                                            .self = options->self},
                                  .interrupts = options->run.interrupts,
                                  .lock_directory = options->lock_directory,
                                  .dry = dry};
    int outcome = scaling_open(&how, &actuators->scaling, why);
    free(parts);
    return outcome;
}

int actuators_new(const struct suite_options *options, bool dry, struct actuators **out,
                  struct text *why)
{
    struct actuators *actuators = memory_new(1, sizeof *actuators);
    actuators->options = options;
    actuators->targets = options->plan->targets;
    int outcome = options->scaler_count ? open_scaling(actuators, dry, why) : 0;
    if (outcome)
        actuators = actuators_free(actuators, why);
    *out = actuators;
    return outcome;
}

size_t actuators_restore(struct actuators *actuators, struct text *why)
{
    struct plan *plan = actuators->options->plan;
    plan->targets = actuators->targets;
    if (actuators->own_target) {
        free(plan->target);
        plan->target = actuators->own_target;
        actuators->own_target = NULL;
    }
    size_t left = 0;
    if (actuators->scaling && actuators->changed)
        left = scaling_restore(actuators->scaling, why);
    actuators->changed = left > 0;
    return left;
}

struct actuators *actuators_free(struct actuators *actuators, struct text *why)
{
    if (!actuators)
        return NULL;
    actuators_restore(actuators, why);
    scaling_free(actuators->scaling);
    free(actuators->address);
    free(actuators);
    return NULL;
}

/* Where the instances are, when no scaler makes them. */
static const struct plan_texts *instances_at(const struct actuators *actuators)
{
    const struct plan_texts *own = &actuators->options->plan->scale.targets;
    return own->count ? own : &actuators->targets;
}

int actuators_able(const struct actuators *actuators, double instances, double size,
                   struct text *why)
{
    bool many = actuators->axes & SCALER_INSTANCES, large = actuators->axes & SCALER_SIZE;
    if (!isnan(size) && !large) {
        text_puts(why, "sizes were asked for, and nothing can change them: name a scaler in the "
                       "plan (scale.scaler)");
        return SCALER_ABSENT;
    }
    if (isnan(instances) || many || instances <= 1 ||
        instances <= (double)instances_at(actuators)->count)
        return 0;
    text_printf(why,
                "%g instances were asked for, and nothing can make them: name a scaler in the "
                "plan (scale.scaler), or list the instances (scale.targets)",
                instances);
    return SCALER_ABSENT;
}

/* Where scalers know an address by which all instances are reached, load goes there. */
static void follow_address(struct actuators *actuators)
{
    struct plan *plan = actuators->options->plan;
    struct text why = TEXT_EMPTY;
    struct scaler_view view = {.instances = NAN};
    if (scaling_look(actuators->scaling, &view, &why) == 0 && view.address[0] && plan->target &&
        strcmp(plan->target, view.address) != 0) {
        if (actuators->own_target)
            free(plan->target);
        else
            actuators->own_target = plan->target;
        plan->target = memory_copy_text(view.address);
    }
    text_fini(&why);
}

/* A test that does not ask for instances needs one nevertheless, where none runs yet. Returns as
 * scaling_look does. */
static int at_least_one(struct actuators *actuators, double *instances, struct text *why)
{
    struct scaler_view view = {.instances = NAN};
    if (!isnan(*instances) || !(actuators->axes & SCALER_INSTANCES))
        return 0;
    int outcome = scaling_look(actuators->scaling, &view, why);
    if (outcome == 0 && view.instances < 1)
        *instances = 1;
    return outcome;
}

int actuators_reach(struct actuators *actuators, double instances, double size, struct text *why)
{
    bool many = actuators->axes & SCALER_INSTANCES;
    int outcome = at_least_one(actuators, &instances, why);
    if (outcome == 0)
        outcome = actuators_able(actuators, instances, size, why);
    /* Without a scaler, users are spread over the first of the plan's targets. */
    if (outcome == 0 && !isnan(instances) && !many && instances_at(actuators)->count) {
        actuators->options->plan->targets = *instances_at(actuators);
        actuators->options->plan->targets.count = (size_t)instances;
    }
    struct scaler_goal goal = {.instances = many ? instances : NAN, .size = size};
    if (outcome || (isnan(goal.instances) && isnan(goal.size)))
        return outcome;
    actuators->changed = true; /* also when it fails halfway */
    outcome = scaling_apply(actuators->scaling, &goal, why);
    if (outcome == 0)
        follow_address(actuators);
    return outcome;
}

void actuators_plan(struct actuators *actuators, double instances, double size, struct text *out)
{
    struct scaler_goal goal = {.instances = actuators->axes & SCALER_INSTANCES ? instances : NAN,
                               .size = actuators->axes & SCALER_SIZE ? size : NAN};
    if (actuators->scaling && !(isnan(goal.instances) && isnan(goal.size)))
        scaling_plan(actuators->scaling, &goal, out);
}

uint64_t actuators_restarts(struct actuators *actuators)
{
    struct scaler_view view = {.restarts = 0};
    struct text why = TEXT_EMPTY;
    if (actuators->scaling && scaling_look(actuators->scaling, &view, &why) != 0)
        view.restarts = 0;
    text_fini(&why);
    return view.restarts;
}

void actuators_served(struct actuators *actuators, struct scaler_served *out)
{
    *out = (struct scaler_served){.count = 0};
    if (actuators->scaling)
        scaling_served(actuators->scaling, out);
}

/* The unit of sizes: as the plan says; as the only scaler's settings choose it; else that of the
 * scaler that changes the size. */
static const char *unit_of(struct actuators *actuators)
{
    const struct suite_options *options = actuators->options;
    struct scaler_view view = {.size_unit = NULL};
    struct text why = TEXT_EMPTY;
    const char *unit = options->plan->scale.size_unit;
    if (!unit && options->scaler_count == 1 && scaling_look(actuators->scaling, &view, &why) == 0)
        unit = view.size_unit;
    for (size_t i = 0; i < options->scaler_count && !unit; i++)
        if (axes_of(&options->scalers[i]) & SCALER_SIZE)
            unit = options->scalers[i].scaler->size_unit;
    text_fini(&why);
    return unit ? unit : "size";
}

void actuators_unit(struct actuators *actuators, enum suite_kind kind, struct level_series *series)
{
    if (kind != SUITE_VERTICAL || !(actuators->axes & SCALER_SIZE))
        return;
    free(series->size_unit);
    series->size_unit = memory_copy_text(unit_of(actuators));
}

void actuators_describe(const struct level_series *series, struct level *level)
{
    struct text name = TEXT_EMPTY;
    if (isnan(level->size))
        return;
    text_printf(&name, "%s %g", series->size_unit[0] ? series->size_unit : "size", level->size);
    free(level->size_name);
    level->size_name = text_take(&name);
}
