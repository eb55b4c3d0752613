/* Stages and their names. */
#include "plan/stage.h"

#include "base/memory.h"
#include "base/unit.h"

static void put_target(struct text *out, double target, bool open)
{
    char room[UNIT_ROOM];
    if (open)
        text_printf(out, "%s/s", unit_write_number(room, target));
    else
        text_printf(out, "%s %s", unit_write_count(room, (uint64_t)target),
                    target > 0.99 && target < 1.01 ? "user" : "users");
}

void scenario_add_stage(struct plan_scenario *scenario, struct plan_stage stage, const char *prefix)
{
    struct text name = TEXT_EMPTY;
    if (stage.name) {
        text_puts(&name, stage.name);
    } else {
        text_puts(&name, prefix);
        put_target(&name, stage.target, scenario_is_open(scenario));
    }
    stage.name = text_take(&name);
    scenario->stages =
        memory_resize(scenario->stages, scenario->stage_count + 1, sizeof *scenario->stages);
    scenario->stages[scenario->stage_count++] = stage;
}

double scenario_peak(const struct plan_scenario *scenario)
{
    return scenario_is_open(scenario) ? scenario->rate : (double)scenario->vus;
}
