/* One row a limit: thresholds of the plan first, then `until` limits by scenario. */
#include "run/guard.h"

#include "base/memory.h"
#include "study/threshold.h"

#include <stdlib.h>

enum { UNTIL_WINDOW_S = 10, UNTIL_LEAST_SAMPLES = 20 };

struct limit {
    const struct plan_threshold *threshold;
    struct plan_threshold *own;  /* where it is not as the plan has it: window or limit filled in */
    int scenario;                /* of an until limit; -1 */
    bool watched;                /* judged during the run */
    bool failed;                 /* of an until limit: it came true */
    struct result_verdict first; /* the first failure, when it failed */
};

struct guard {
    const struct plan *plan;
    struct limit *limits;
    size_t count;
};

/* A limit of a stress scenario: its texts stay the plan's. */
static void add_until(struct guard *guard, size_t scenario, const struct plan_threshold *written)
{
    struct plan_threshold *own = memory_new(1, sizeof *own);
    *own = *written;
    if (own->window_ns == 0)
        own->window_ns = UNTIL_WINDOW_S * NSEC_PER_SEC;
    if (own->min_samples == 0)
        own->min_samples = UNTIL_LEAST_SAMPLES;
    guard->limits[guard->count++] =
        (struct limit){.threshold = own, .own = own, .scenario = (int)scenario, .watched = true};
}

struct guard *guard_new(const struct plan *plan)
{
    struct guard *guard = memory_new(1, sizeof *guard);
    size_t room = plan->threshold_count;
    for (size_t s = 0; s < plan->scenario_count; s++)
        room += plan->scenarios[s].until_count;
    guard->plan = plan;
    guard->limits = memory_new(room, sizeof *guard->limits);
    for (size_t i = 0; i < plan->threshold_count; i++) {
        const struct plan_threshold *threshold = &plan->thresholds[i];
        guard->limits[guard->count++] =
            (struct limit){.threshold = threshold,
                           .scenario = -1,
                           .watched = threshold->abort || threshold->window_ns > 0};
    }
    for (size_t s = 0; s < plan->scenario_count; s++)
        for (size_t i = 0; i < plan->scenarios[s].until_count; i++)
            add_until(guard, s, &plan->scenarios[s].limits[i]);
    return guard;
}

struct guard *guard_free(struct guard *guard)
{
    if (!guard)
        return NULL;
    for (size_t i = 0; i < guard->count; i++) {
        if (guard->limits[i].failed)
            verdict_fini(&guard->limits[i].first);
        free(guard->limits[i].own);
    }
    free(guard->limits);
    free(guard);
    return NULL;
}

void guard_limit(struct guard *guard, size_t threshold, double limit)
{
    struct limit *row = &guard->limits[threshold];
    struct plan_threshold *own = memory_new(1, sizeof *own);
    *own = *row->threshold;
    own->limit = limit;
    free(row->own);
    row->threshold = row->own = own;
}

bool guard_awake(const struct guard *guard)
{
    for (size_t i = 0; i < guard->count; i++)
        if (guard->limits[i].watched && !guard->limits[i].failed)
            return true;
    return false;
}

nsec_t guard_window(const struct guard *guard)
{
    nsec_t window_ns = 2 * NSEC_PER_SEC;
    for (size_t i = 0; i < guard->count; i++)
        if (guard->limits[i].watched && guard->limits[i].threshold->window_ns > window_ns)
            window_ns = guard->limits[i].threshold->window_ns;
    return window_ns + 2 * guard->plan->interval_ns; /* whole intervals at both ends */
}

static void report(const struct limit *limit, void (*found)(void *, const struct guard_finding *),
                   void *self)
{
    struct text words = TEXT_EMPTY;
    const struct result_verdict *verdict = &limit->first;
    text_printf(&words, "%s%s%s %s at %s%.4g %s", verdict->words, verdict->scope[0] ? " for " : "",
                verdict->scope, limit->scenario >= 0 ? "was crossed" : "failed",
                verdict->at_least ? "≥ " : "", verdict->value, verdict->unit);
    struct guard_finding finding = {
        .words = words.at,
        .abort = limit->scenario < 0 && limit->threshold->abort,
        .scenario = limit->scenario,
    };
    found(self, &finding);
    text_fini(&words);
}

void guard_look(struct guard *guard, const struct result *result, nsec_t at_ns,
                void (*found)(void *self, const struct guard_finding *finding), void *self)
{
    for (size_t i = 0; i < guard->count; i++) {
        struct limit *limit = &guard->limits[i];
        if (!limit->watched || limit->failed || at_ns < limit->threshold->after_ns)
            continue;
        struct result_verdict verdict = {0};
        threshold_judge(limit->threshold, result, at_ns, &verdict);
        if (verdict.verdict != (limit->scenario >= 0 ? VERDICT_MET : VERDICT_FAILED)) {
            verdict_fini(&verdict);
            continue;
        }
        limit->failed = true;
        limit->first = verdict;
        report(limit, found, self);
    }
}

/* A copy of a verdict with texts of its own. */
static struct result_verdict copy_verdict(const struct result_verdict *from)
{
    struct result_verdict copy = *from;
    copy.words = memory_copy_text(from->words);
    copy.scope = memory_copy_text(from->scope);
    copy.unit = memory_copy_text(from->unit);
    copy.why = memory_copy_text(from->why);
    return copy;
}

struct result_verdict *guard_verdicts(struct guard *guard, const struct result *result,
                                      nsec_t at_ns, size_t *count)
{
    const struct plan *plan = guard->plan;
    struct result_verdict *verdicts =
        memory_new(plan->threshold_count + plan->objective_count, sizeof *verdicts);
    size_t n = 0;
    for (size_t i = 0; i < plan->threshold_count; i++, n++) {
        const struct limit *limit = &guard->limits[i];
        if (limit->failed)
            verdicts[n] = copy_verdict(&limit->first);
        else
            threshold_judge(limit->threshold, result, at_ns, &verdicts[n]);
    }
    for (size_t i = 0; i < plan->objective_count; i++, n++)
        objective_judge(&plan->objectives[i], result, &verdicts[n]);
    *count = n;
    return verdicts;
}

void guard_verdicts_free(struct result_verdict *verdicts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        verdict_fini(&verdicts[i]);
    free(verdicts);
}
