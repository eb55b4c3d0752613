/* soak: a steady load for a long time, cut into equal parts, so that a slow drift (a leak, a cache
 * that fills) shows as a difference between its parts. */
#include "plug/pattern/pattern_list.h"
#include "plug/pattern/shape.h"

struct soak {
    nsec_t ramp_up_ns;
    uint64_t parts;
};

static const struct setting settings[] = {
    {.name = "ramp_up",
     .type = SETTING_DURATION,
     .offset = offsetof(struct soak, ramp_up_ns),
     .unset = "0",
     .aliases = "ramp_up_seconds",
     .sentence = "first part of the duration, in which the load rises to its level"},
    {.name = "parts",
     .type = SETTING_UINT,
     .offset = offsetof(struct soak, parts),
     .least = 1,
     .most = 1000,
     .unset = "6",
     .unit = "parts",
     .sentence = "equal parts of the rest, whose results are shown apart"},
    {.name = NULL},
};

static int expand(const void *config, struct plan_scenario *scenario, struct notes *notes)
{
    const struct soak *soak = config;
    double peak = scenario_peak(scenario);
    if (shape_needs_peak(scenario, notes) | shape_needs_duration(scenario, notes))
        return 1;
    nsec_t rest = scenario->duration_ns - soak->ramp_up_ns;
    nsec_t part = rest / (nsec_t)soak->parts;
    if (part <= 0) {
        notes_error(notes, "ramp_up must be shorter than the duration, of which it is a part");
        return 1;
    }
    scenario->start_target = soak->ramp_up_ns ? 0 : peak;
    shape_ramp(scenario, soak->ramp_up_ns, peak);
    for (size_t i = 0; i < soak->parts; i++) {
        char prefix[64];
        nsec_t held = i + 1 < soak->parts ? part : rest - part * (nsec_t)(soak->parts - 1);
        shape_level(scenario, held, peak, shape_number(prefix, "part", i + 1, soak->parts));
    }
    return 0;
}

const struct pattern_word pattern_soak = {
    .word = "soak",
    .aliases = "SOAK_TEST soak_test endurance",
    .sentence = "a steady load for a long time, in parts that show a drift",
    .settings = settings,
    .config_bytes = sizeof(struct soak),
    .expand = expand,
};
