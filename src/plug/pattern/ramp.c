/* ramp: load that rises evenly, and is then held where time is left. */
#include "plug/pattern/pattern_list.h"
#include "plug/pattern/shape.h"

struct ramp {
    double from;
    nsec_t ramp_up_ns;
};

static const struct setting settings[] = {
    {.name = "from",
     .type = SETTING_RATE,
     .offset = offsetof(struct ramp, from),
     .unset = "0",
     .sentence = "users or rate at the beginning"},
    {.name = "ramp_up",
     .type = SETTING_DURATION,
     .offset = offsetof(struct ramp, ramp_up_ns),
     .unset = "0",
     .aliases = "ramp_up_seconds",
     .sentence = "how long the load rises; 0 is the whole duration"},
    {.name = NULL},
};

static int expand(const void *config, struct plan_scenario *scenario, struct notes *notes)
{
    const struct ramp *ramp = config;
    double peak = scenario_peak(scenario);
    if (shape_needs_peak(scenario, notes) | shape_needs_duration(scenario, notes))
        return 1;
    if (ramp->ramp_up_ns > scenario->duration_ns) {
        notes_error(notes, "ramp_up must be no longer than the duration, of which it is a part");
        return 1;
    }
    nsec_t rise = ramp->ramp_up_ns ? ramp->ramp_up_ns : scenario->duration_ns;
    scenario->start_target = ramp->from;
    shape_ramp(scenario, rise, peak);
    if (rise < scenario->duration_ns)
        shape_level(scenario, scenario->duration_ns - rise, peak, "");
    return 0;
}

const struct pattern_word pattern_ramp = {
    .word = "ramp",
    .aliases = "LINEAR_RAMP linear_ramp linear",
    .sentence = "load that rises evenly",
    .settings = settings,
    .config_bytes = sizeof(struct ramp),
    .expand = expand,
};
