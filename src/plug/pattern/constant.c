/* constant: the same load throughout, after a ramp where one is wished. */
#include "plug/pattern/pattern_list.h"
#include "plug/pattern/shape.h"

struct constant {
    nsec_t ramp_up_ns;
};

static const struct setting settings[] = {
    {.name = "ramp_up",
     .type = SETTING_DURATION,
     .offset = offsetof(struct constant, ramp_up_ns),
     .unset = "0",
     .aliases = "ramp_up_seconds",
     .sentence = "first part of the duration, in which the load rises to its level"},
    {.name = NULL},
};

static int expand(const void *config, struct plan_scenario *scenario, struct notes *notes)
{
    const struct constant *constant = config;
    double peak = scenario_peak(scenario);
    if (shape_needs_peak(scenario, notes) | shape_needs_duration(scenario, notes))
        return 1;
    if (constant->ramp_up_ns >= scenario->duration_ns) {
        notes_error(notes, "ramp_up must be shorter than the duration, of which it is a part");
        return 1;
    }
    scenario->start_target = constant->ramp_up_ns ? 0 : peak;
    shape_ramp(scenario, constant->ramp_up_ns, peak);
    shape_level(scenario, scenario->duration_ns - constant->ramp_up_ns, peak, "");
    return 0;
}

const struct pattern_word pattern_constant = {
    .word = "constant",
    .aliases = "CONSTANT",
    .sentence = "the same load throughout",
    .settings = settings,
    .config_bytes = sizeof(struct constant),
    .expand = expand,
};
