/* stress: load that rises by steps until a limit is crossed, which ends the scenario. */
#include "base/memory.h"
#include "plug/pattern/pattern_list.h"
#include "plug/pattern/shape.h"

enum { STEPS_MOST = 1000, STEPS_UNSET = 10 };

struct stress {
    double start, step;
    nsec_t step_duration_ns;
};

static const struct setting settings[] = {
    {.name = "start",
     .type = SETTING_RATE,
     .offset = offsetof(struct stress, start),
     .unset = "0",
     .sentence = "first level; 0 is one step"},
    {.name = "step",
     .type = SETTING_RATE,
     .offset = offsetof(struct stress, step),
     .unset = "0",
     .aliases = "step_size",
     .sentence = "what each level adds; 0 is a tenth of vus or rate"},
    {.name = "level_duration",
     .type = SETTING_DURATION,
     .offset = offsetof(struct stress, step_duration_ns),
     .unset = "0",
     .aliases = "step_duration",
     .environment = "SCALABILITY_STEP_DURATION",
     .sentence = "how long each level is held; 0 is an equal part of the duration, or 30s"},
    {.name = NULL},
};

/* What ends the scenario where the plan names no limits of its own. */
static void add_limits(struct plan_scenario *scenario)
{
    static const char *const limits[] = {"http_req_failed rate>0.05",
                                         "http_req_duration p(95)>10000"};
    scenario->until_count = sizeof limits / sizeof *limits;
    scenario->until = memory_new(scenario->until_count, sizeof *scenario->until);
    for (size_t i = 0; i < scenario->until_count; i++)
        scenario->until[i] = memory_copy_text(limits[i]);
}

static int expand(const void *config, struct plan_scenario *scenario, struct notes *notes)
{
    const struct stress *stress = config;
    double peak = scenario_peak(scenario);
    if (shape_needs_peak(scenario, notes))
        return 1;
    double step = stress->step > 0 ? stress->step : peak / STEPS_UNSET;
    if (!scenario_is_open(scenario))
        step = step < 1 ? 1 : (double)(uint64_t)(step + 0.5);
    double first = stress->start > 0 ? stress->start : step;
    size_t count = first >= peak ? 1 : 1 + (size_t)((peak - first) / step + 0.999999);
    if (count > STEPS_MOST) {
        notes_error(notes, "the pattern stress would have more than 1,000 levels");
        return 1;
    }
    nsec_t held = stress->step_duration_ns;
    if (held == 0)
        held = scenario->duration_ns ? scenario->duration_ns / (nsec_t)count : 30 * NSEC_PER_SEC;
    scenario->start_target = first < peak ? first : peak;
    for (size_t i = 0; i < count; i++) {
        char prefix[64];
        double level = first + step * (double)i;
        shape_level(scenario, held, level < peak ? level : peak,
                    shape_number(prefix, "level", i + 1, count));
    }
    add_limits(scenario);
    return 0;
}

const struct pattern_word pattern_stress = {
    .word = "stress",
    .aliases = "STRESS_TEST stress_test",
    .sentence = "load that rises by steps until a limit is crossed",
    .settings = settings,
    .config_bytes = sizeof(struct stress),
    .expand = expand,
};
