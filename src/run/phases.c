/* The phases of a run: the stages of all scenarios, cut at every instant at which one of them
 * begins or ends, so that within a phase every scenario stays in one stage.
 *
 *   chat    |-- warm-up --|------- hold ---------|
 *   search          |--------- ramp --------|
 *   phases  |---0---|--1--|-------2---------|-3--|
 *
 * A phase is excluded from the results when any scenario warms up in it, since the target is then
 * not in the state that was asked for. It is a load level when a scenario in it is at a level and
 * none is on its way to another. */
#include "run/run.h"

#include "base/memory.h"
#include "record/recorder.h"

#include <stdlib.h>
#include <string.h>

/* The stage that a scenario is in at an instant; NULL before its start and after its end. */
static const struct plan_stage *stage_at(const struct plan_scenario *scenario, nsec_t at_ns,
                                         nsec_t *begin_ns)
{
    nsec_t begin = scenario->start_time_ns;
    for (size_t i = 0; i < scenario->stage_count; i++) {
        const struct plan_stage *stage = &scenario->stages[i];
        if (at_ns >= begin && at_ns < begin + stage->duration_ns) {
            *begin_ns = begin;
            return stage;
        }
        begin += stage->duration_ns;
    }
    return NULL;
}

static int compare_instants(const void *one, const void *other)
{
    nsec_t a = *(const nsec_t *)one, b = *(const nsec_t *)other;
    return (a > b) - (a < b);
}

/* All instants of change, in order and each once. Owner: caller, free(). */
static nsec_t *instants_of(const struct plan *plan, size_t *count)
{
    size_t room = 0;
    for (size_t s = 0; s < plan->scenario_count; s++)
        room += plan->scenarios[s].stage_count + 1;
    nsec_t *instants = memory_new(room + 1, sizeof *instants);
    size_t n = 0;
    instants[n++] = 0;
    for (size_t s = 0; s < plan->scenario_count; s++) {
        const struct plan_scenario *scenario = &plan->scenarios[s];
        nsec_t at = scenario->start_time_ns;
        instants[n++] = at;
        for (size_t i = 0; i < scenario->stage_count; i++)
            instants[n++] = at += scenario->stages[i].duration_ns;
    }
    qsort(instants, n, sizeof *instants, compare_instants);
    size_t unique = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || instants[i] != instants[unique - 1])
            instants[unique++] = instants[i];
    *count = unique;
    return instants;
}

/* What the scenarios in a phase add up to, collected one by one. */
struct phase_draft {
    struct text name;
    const char *scenario;
    double target;
    size_t active, levels, ways;
    bool excluded, open, mixed;
};

static void draft_add(struct phase_draft *draft, const struct plan *plan,
                      const struct plan_scenario *scenario, const struct plan_stage *stage,
                      double target)
{
    bool open = scenario_is_open(scenario);
    if (draft->active++)
        text_puts(&draft->name, " + ");
    if (plan->scenario_count > 1) {
        text_puts(&draft->name, scenario->name);
        text_puts(&draft->name, ": ");
    }
    text_puts(&draft->name, stage->name);
    draft->scenario = scenario->name;
    draft->mixed |= draft->active > 1 && draft->open != open;
    draft->open = open;
    draft->target += target;
    draft->levels += stage->level;
    draft->ways += !stage->level && !stage->excluded;
    draft->excluded |= stage->excluded;
}

/* Fills one phase. A target is that of the stage where the stage ends with the phase, so that it is
 * exact; a stage that another scenario cuts in two gives parts that are numbered. */
static void phase_fill(struct run_phase *phase, const struct plan *plan, nsec_t begin_ns,
                       nsec_t end_ns)
{
    struct phase_draft draft = {.name = TEXT_EMPTY};
    bool begins = false;
    for (size_t s = 0; s < plan->scenario_count; s++) {
        nsec_t stage_begin = 0;
        const struct plan_stage *stage = stage_at(&plan->scenarios[s], begin_ns, &stage_begin);
        if (!stage)
            continue;
        begins |= stage_begin == begin_ns;
        bool whole = stage->jump || stage_begin + stage->duration_ns == end_ns;
        draft_add(&draft, plan, &plan->scenarios[s], stage,
                  whole ? stage->target : scenario_target_at(&plan->scenarios[s], end_ns));
    }
    if (draft.active == 0)
        text_puts(&draft.name, "pause");
    else if (!begins)
        text_puts(&draft.name, ", continued");
    phase->name = text_take(&draft.name);
    phase->scenario = draft.active == 1 && plan->scenario_count > 1 ? draft.scenario : NULL;
    phase->begin_ns = begin_ns;
    phase->end_ns = end_ns;
    phase->target = draft.mixed ? 0 : draft.target; /* users and arrivals a second do not add */
    phase->excluded = draft.excluded;
    phase->level = draft.levels > 0 && draft.ways == 0 && !draft.excluded;
}

struct run_phase *run_phases(const struct plan *plan, size_t *count)
{
    size_t cuts = 0;
    nsec_t *instants = instants_of(plan, &cuts);
    struct run_phase *phases = memory_new(cuts, sizeof *phases);
    size_t n = 0;
    for (size_t i = 0; i + 1 < cuts; i++, n++) {
        phase_fill(&phases[n], plan, instants[i], instants[i + 1]);
        phases[n].number = (uint32_t)n;
    }
    free(instants);
    *count = n;
    return phases;
}

void run_phases_free(struct run_phase *phases, size_t count)
{
    for (size_t i = 0; phases && i < count; i++)
        free((char *)(uintptr_t)phases[i].name);
    free(phases);
}
