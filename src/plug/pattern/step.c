/* step: levels of load, each held long enough to be measured apart. The levels are named, or made
 * of start, step and the scenario's users (or rate), or of equal parts of these. */
#include "base/check.h"
#include "base/memory.h"
#include "plug/pattern/pattern_list.h"
#include "plug/pattern/shape.h"

#include <stdlib.h>

enum { LEVELS_MOST = 1000 };

struct step {
    struct plan_numbers levels;
    nsec_t level_duration_ns, ramp_ns;
    double start, step;
    uint64_t steps;
};

static const struct setting settings[] = {
    {.name = "levels",
     .type = SETTING_NUMBERS,
     .offset = offsetof(struct step, levels),
     .most = 10000000,
     .sentence = "users, or rates, of the levels in order"},
    {.name = "level_duration",
     .type = SETTING_DURATION,
     .offset = offsetof(struct step, level_duration_ns),
     .unset = "0",
     .aliases = "step_duration",
     .environment = "SCALABILITY_STEP_DURATION",
     .sentence = "how long each level is held; 0 is an equal part of the duration"},
    {.name = "level_ramp",
     .type = SETTING_DURATION,
     .offset = offsetof(struct step, ramp_ns),
     .unset = "0",
     .sentence = "how long the load rises to the next level, besides level_duration"},
    {.name = "start",
     .type = SETTING_RATE,
     .offset = offsetof(struct step, start),
     .unset = "0",
     .aliases = "start_users",
     .sentence = "first level, where levels are not named; 0 is one step"},
    {.name = "step",
     .type = SETTING_RATE,
     .offset = offsetof(struct step, step),
     .unset = "0",
     .aliases = "step_size",
     .sentence = "what each level adds; 0 is an equal part of vus or rate"},
    {.name = "steps",
     .type = SETTING_UINT,
     .offset = offsetof(struct step, steps),
     .least = 1,
     .most = LEVELS_MOST,
     .unset = "5",
     .unit = "levels",
     .sentence = "how many equal parts, where neither levels nor step are given"},
    {.name = NULL},
};

/* The levels that start, step, steps and the peak make; each at most the peak, the last equal to
 * it. */
static double *make_levels(const struct step *step, const struct plan_scenario *scenario,
                           size_t *count)
{
    double peak = scenario_peak(scenario);
    double *levels = memory_new(LEVELS_MOST, sizeof *levels);
    *count = 0;
    if (step->step <= 0) {
        for (size_t i = 1; i <= step->steps; i++) {
            double level = peak * (double)i / (double)step->steps;
            if (!scenario_is_open(scenario)) /* users are whole */
                level = (double)(uint64_t)(level + 0.5);
            if (level > 0 && (*count == 0 || level > levels[*count - 1]))
                levels[(*count)++] = level;
        }
        return levels;
    }
    double first = step->start > 0 ? step->start : step->step;
    for (size_t i = 0; i + 1 < LEVELS_MOST; i++) {
        double level = first + (double)i * step->step; /* a sum would gather what rounding leaves */
        if (level >= peak)
            break;
        levels[(*count)++] = level;
    }
    levels[(*count)++] = peak;
    return levels;
}

static void add_levels(const struct step *step, struct plan_scenario *scenario,
                       const double *levels, size_t count)
{
    nsec_t held = step->level_duration_ns;
    check(count > 0); /* a peak is a level at the least */
    if (held == 0)
        held = scenario->duration_ns / (nsec_t)count - step->ramp_ns;
    scenario->start_target = step->ramp_ns ? 0 : levels[0];
    for (size_t i = 0; i < count; i++) {
        char prefix[64];
        shape_ramp(scenario, step->ramp_ns, levels[i]);
        shape_level(scenario, held, levels[i], shape_number(prefix, "level", i + 1, count));
    }
}

static int expand(const void *config, struct plan_scenario *scenario, struct notes *notes)
{
    const struct step *step = config;
    bool named = step->levels.count > 0;
    size_t count = step->levels.count;
    if (!named && scenario_peak(scenario) <= 0) {
        notes_error(notes, "the pattern step needs \"levels\", such as levels: [10, 50, 100]");
        return 1;
    }
    double *made = named ? NULL : make_levels(step, scenario, &count);
    nsec_t part = count ? scenario->duration_ns / (nsec_t)count : 0;
    int rc = 0;
    if (step->level_duration_ns == 0 && part <= step->ramp_ns) {
        notes_error(notes, "the pattern step needs \"level_duration\", such as level_duration: 1m");
        rc = 1;
    } else {
        add_levels(step, scenario, named ? step->levels.items : made, count);
    }
    free(made);
    return rc;
}

const struct pattern_word pattern_step = {
    .word = "step",
    .aliases = "STEP_FUNCTION step_function steps progression",
    .sentence = "levels of load, each held and measured apart",
    .settings = settings,
    .config_bytes = sizeof(struct step),
    .expand = expand,
};
