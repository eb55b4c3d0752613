/* Ramps, levels, and what every pattern must be given. */
#include "plug/pattern/shape.h"

#include <stdio.h>

int shape_needs_peak(const struct plan_scenario *scenario, struct notes *notes)
{
    if (scenario_peak(scenario) > 0)
        return 0;
    if (scenario_is_open(scenario))
        notes_error(notes, "this pattern needs \"rate\", such as rate: 50/s");
    else
        notes_error(notes, "this pattern needs \"vus\", such as vus: 50");
    return 1;
}

int shape_needs_duration(const struct plan_scenario *scenario, struct notes *notes)
{
    if (scenario->duration_ns > 0)
        return 0;
    notes_error(notes, "this pattern needs \"duration\", such as duration: 5m");
    return 1;
}

void shape_ramp(struct plan_scenario *scenario, nsec_t duration_ns, double target)
{
    if (duration_ns > 0)
        scenario_add_stage(scenario,
                           (struct plan_stage){.duration_ns = duration_ns, .target = target},
                           "ramp to ");
}

void shape_level(struct plan_scenario *scenario, nsec_t duration_ns, double target,
                 const char *prefix)
{
    scenario_add_stage(
        scenario,
        (struct plan_stage){
            .duration_ns = duration_ns, .target = target, .jump = true, .level = true},
        prefix);
}

const char *shape_number(char out[64], const char *word, size_t number, size_t count)
{
    snprintf(out, 64, "%s %zu of %zu: ", word, number, count);
    return out;
}
