/* The order of the work: what does the target mean in requests a second, what binds below it, and
 * in which order. */
#include "study/advise_part.h"

#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whether a bound comes before the target does. */
static bool binds_before(const struct advice *advice, const struct case_bound *bound, double load)
{
    if (isfinite(bound->load) && bound->load <= load)
        return true;
    double least = isfinite(bound->ceiling_low) ? bound->ceiling_low : bound->ceiling;
    return isfinite(least) && least < advice->target_rate;
}

/* What the bound allows now: its ceiling; of one that was seen to bind without a ceiling, the
 * capacity. */
static double allows(const struct advice_case *the_case, const struct case_bound *bound)
{
    if (isfinite(bound->ceiling))
        return bound->ceiling;
    return bound->primary && the_case->capacity_known ? the_case->capacity : (double)NAN;
}

/* Signs of something that is neither full nor has a ceiling bind nothing. */
static bool is_signs(const struct case_bound *bound)
{
    return !bound->primary && !isfinite(bound->ceiling);
}

/* The bound that comes after the index-th; SIZE_MAX: none is known. */
static size_t next_of(const struct advice_case *the_case, size_t index)
{
    for (size_t i = index + 1; i < the_case->bound_count; i++)
        if (!is_signs(&the_case->bounds[i]))
            return i;
    return SIZE_MAX;
}

static void find_steps(struct advice *advice, const struct advice_case *the_case,
                       const struct advice_wish *wish)
{
    double load = advice->ratio * advice->tested;
    advice->steps = memory_new(the_case->bound_count, sizeof *advice->steps);
    for (size_t i = 0; i < the_case->bound_count; i++) {
        const struct case_bound *bound = &the_case->bounds[i];
        if (is_signs(bound) || !binds_before(advice, bound, load))
            continue;
        double now = allows(the_case, bound);
        struct advice_step *step = &advice->steps[advice->step_count++];
        *step = (struct advice_step){.bound = i,
                                     .factor = fmax(advice->target_rate / (now * wish->ceiling), 1),
                                     .useful = INFINITY,
                                     .allows = INFINITY,
                                     .next = next_of(the_case, i)};
        if (!isfinite(now))
            step->factor = NAN;
        step->last =
            step->next != SIZE_MAX && !binds_before(advice, &the_case->bounds[step->next], load);
        if (step->next == SIZE_MAX)
            study_warn(&advice->warnings, "NEXT_BOTTLENECK_UNKNOWN",
                       "what binds after %s was not measured: test again after the step",
                       bound->name);
    }
}

static bool generator_bound(const struct advice_case *the_case)
{
    for (size_t i = 0; i < the_case->bound_count; i++)
        if (the_case->bounds[i].primary && strcmp(the_case->bounds[i].kind, "generator") == 0)
            return true;
    return false;
}

static enum advice_verdict verdict_of(const struct advice *advice,
                                      const struct advice_case *the_case,
                                      const struct advice_wish *wish)
{
    if (generator_bound(the_case))
        return ADVICE_GENERATOR;
    double sure = isfinite(the_case->capacity_low) ? the_case->capacity_low : the_case->capacity;
    if (the_case->capacity_known && advice->target_rate <= sure * wish->ceiling)
        return ADVICE_ENOUGH;
    return advice->step_count ? ADVICE_STEPS : ADVICE_UNKNOWN;
}

struct advice *advice_new(const struct advice_case *the_case, const struct advice_wish *wish)
{
    struct advice *advice = memory_new(1, sizeof *advice);
    advice->expected = advice->replica_median = advice->suffices = NAN;
    advice->expected_range = advice->replica_range = (struct usl_interval){NAN, NAN};
    advice->cost = advice->cost_low = advice->cost_high = (struct capacity_cost){NAN, NAN};
    for (size_t i = 0; i < the_case->warnings.count; i++)
        study_warn(&advice->warnings, the_case->warnings.rows[i].code, "%s",
                   the_case->warnings.rows[i].words);
    advise_forecast(advice, the_case, wish);
    if (!generator_bound(the_case))
        find_steps(advice, the_case, wish);
    else
        study_warn(&advice->warnings, "GENERATOR_LIMITED",
                   "the load generator was the limit: nothing is known of the target");
    advice->verdict = verdict_of(advice, the_case, wish);
    if (advice->verdict == ADVICE_STEPS || advice->verdict == ADVICE_UNKNOWN) {
        study_warn(&advice->warnings, "SINGLE_WORKLOAD_MIX",
                   "one mix of requests was measured: another mix, or other lengths of prompts "
                   "and answers, has another capacity");
        advise_vertical(advice, the_case, wish);
        advise_delay(advice, the_case, wish);
        advise_replicas(advice, the_case, wish);
        advise_items(advice, the_case, wish);
    } else {
        advice->step_count = 0;
    }
    return advice;
}

bool advice_has_load(const struct advice *advice, const struct case_bound *bound)
{
    bool inside = bound->predicted && isfinite(bound->ceiling) && bound->load <= advice->tested;
    return isfinite(bound->load) && !inside;
}

struct advice *advice_free(struct advice *advice)
{
    for (size_t i = 0; advice && i < advice->item_count; i++) {
        struct advice_item *item = &advice->items[i];
        char *const words[] = {item->id,       item->action, item->reason,  item->impact,
                               item->tradeoff, item->source, item->address, item->date};
        for (size_t j = 0; j < sizeof words / sizeof *words; j++)
            free(words[j]);
    }
    if (advice) {
        study_warnings_fini(&advice->warnings);
        free(advice->items);
        free(advice->steps);
    }
    free(advice);
    return NULL;
}

void advice_case_fini(struct advice_case *the_case)
{
    for (size_t i = 0; i < the_case->bound_count; i++) {
        struct case_bound *bound = &the_case->bounds[i];
        char *const words[] = {bound->kind,       bound->name, bound->thing,    bound->role,
                               bound->metric,     bound->unit, bound->evidence, bound->standing,
                               bound->confidence, bound->fix};
        for (size_t j = 0; j < sizeof words / sizeof *words; j++)
            free(words[j]);
    }
    for (size_t i = 0; i < the_case->size_count; i++) {
        free(the_case->sizes[i].name);
        free(the_case->sizes[i].series);
        free(the_case->sizes[i].unit);
    }
    for (size_t i = 0; i < the_case->need_count; i++) {
        free(the_case->needs[i].thing);
        free(the_case->needs[i].metric);
        free(the_case->needs[i].unit);
    }
    free(the_case->needs);
    study_warnings_fini(&the_case->warnings);
    free(the_case->bounds);
    free(the_case->sizes);
    free(the_case->levels);
    free(the_case->name);
    free(the_case->target);
    free(the_case->version);
    free(the_case->source);
    memset(the_case, 0, sizeof *the_case);
}
