/* One scaler an axis, or one for both. Where none can change the number of instances, the plan's
 * list of targets can: its users are then spread over the first so many of them. */
#include "run/actuators.h"

#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct actuator {
    const struct scaler *scaler;
    void *self;
    struct text state; /* to return to */
    bool changed;
};

struct actuators {
    const struct suite_options *options;
    struct actuator *items;
    size_t count;
    size_t targets; /* as the plan has them */
    atomic_bool cancel;
    struct scaler_place place;
};

static int actuator_open(struct actuators *set, const struct suite_scaler *from, struct text *why)
{
    struct actuator *actuator = &set->items[set->count];
    *actuator = (struct actuator){.scaler = from->scaler};
    int outcome = from->scaler->open(from->config, &set->place, &actuator->self, why);
    if (outcome)
        return outcome;
    set->count++;
    return from->scaler->save(actuator->self, &actuator->state, why);
}

int actuators_new(const struct suite_options *options, struct actuators **out, struct text *why)
{
    struct actuators *set = memory_new(1, sizeof *set);
    set->options = options;
    set->items = memory_new(options->scaler_count, sizeof *set->items);
    set->targets = options->plan->targets.count;
    atomic_init(&set->cancel, false);
    set->place = (struct scaler_place){.target = options->plan->target,
                                       .directory = options->run.directory,
                                       .root = "",
                                       .cancel = &set->cancel};
    int outcome = 0;
    for (size_t i = 0; i < options->scaler_count && outcome == 0; i++)
        outcome = actuator_open(set, &options->scalers[i], why);
    if (outcome)
        set = actuators_free(set);
    *out = set;
    return outcome;
}

void actuators_restore(struct actuators *set)
{
    for (size_t i = set->count; i-- > 0;) {
        struct actuator *actuator = &set->items[i];
        struct text why = TEXT_EMPTY;
        if (actuator->changed)
            actuator->scaler->restore(actuator->self, actuator->state.at, &why);
        actuator->changed = false;
        text_fini(&why);
    }
    set->options->plan->targets.count = set->targets;
}

struct actuators *actuators_free(struct actuators *set)
{
    if (!set)
        return NULL;
    actuators_restore(set);
    for (size_t i = set->count; i-- > 0;) {
        set->items[i].scaler->close(set->items[i].self);
        text_fini(&set->items[i].state);
    }
    free(set->items);
    free(set);
    return NULL;
}

static struct actuator *actuator_for(const struct actuators *set, enum scaler_axis axis)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i].scaler->axes & axis)
            return &set->items[i];
    return NULL;
}

static int apply(struct actuator *actuator, double instances, double size, struct text *why)
{
    actuator->changed = true; /* also when it fails halfway */
    return actuator->scaler->apply(
        actuator->self, &(struct scaler_goal){.instances = instances, .size = size}, why);
}

/* Without a scaler, users are spread over the first of the plan's targets. */
static int spread(struct actuators *set, double instances, struct text *why)
{
    size_t count = (size_t)instances;
    if (count <= set->targets && set->targets > 0) {
        set->options->plan->targets.count = count;
        return 0;
    }
    if (count <= 1)
        return 0;
    text_printf(why,
                "%zu instances were asked for, and nothing can make them: name a scaler in the "
                "plan (scale.scaler), or list the instances as \"targets\"",
                count);
    return SCALER_ABSENT;
}

int actuators_reach(struct actuators *set, double instances, double size, struct text *why)
{
    struct actuator *many = actuator_for(set, SCALER_INSTANCES),
                    *large = actuator_for(set, SCALER_SIZE);
    int outcome = 0;
    if (!isnan(size) && !large) {
        text_puts(why, "sizes were asked for, and nothing can change them: name a scaler in the "
                       "plan (scale.scaler)");
        return SCALER_ABSENT;
    }
    if (!isnan(size))
        outcome = apply(large, NAN, size, why);
    if (outcome == 0 && !isnan(instances))
        outcome = many ? apply(many, instances, NAN, why) : spread(set, instances, why);
    return outcome;
}

void actuators_unit(const struct actuators *set, enum suite_kind kind, struct level_series *series)
{
    const struct actuator *large = actuator_for(set, SCALER_SIZE);
    if (kind != SUITE_VERTICAL || !large || !large->scaler->size_unit)
        return;
    free(series->size_unit);
    series->size_unit = memory_copy_text(large->scaler->size_unit);
}

void actuators_describe(struct actuators *set, struct level *level)
{
    const struct actuator *large = actuator_for(set, SCALER_SIZE);
    struct text name = TEXT_EMPTY;
    if (!isnan(level->size) && large) {
        text_printf(&name, "%s %g", large->scaler->size_unit ? large->scaler->size_unit : "size",
                    level->size);
        free(level->size_name);
        level->size_name = text_take(&name);
    }
}
