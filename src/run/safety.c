/* One state a trigger. */
#include "run/safety.h"

#include "base/memory.h"
#include "base/unit.h"
#include "watch/limit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define WINDOW_NS NSEC_PER_SEC
#define GAP_NS    (2 * NSEC_PER_SEC)
#define CALM_NS   (2 * NSEC_PER_SEC)

struct safety {
    const struct plan *plan;
    struct watch_limit_state *states; /* by trigger */
};

struct safety *safety_new(const struct plan *plan)
{
    if (plan->trigger_count == 0)
        return NULL;
    struct safety *safety = memory_new(1, sizeof *safety);
    safety->plan = plan;
    safety->states = memory_new(plan->trigger_count, sizeof *safety->states);
    return safety;
}

struct safety *safety_free(struct safety *safety)
{
    if (!safety)
        return NULL;
    free(safety->states);
    free(safety);
    return NULL;
}

static void response_times(const struct result_sum *sum, double out[4])
{
    static const double shares[] = {[SAFETY_P50] = 0.5, [SAFETY_P95] = 0.95, [SAFETY_P99] = 0.99};
    const struct hist *hist = result_hist(sum, HIST_RESPONSE);
    const struct hist *censored = result_hist(sum, HIST_CENSORED);
    for (int i = SAFETY_MEAN; i <= SAFETY_P99; i++) {
        nsec_t value_ns = 0;
        bool at_least = false;
        out[i] = NAN;
        if (i == SAFETY_MEAN && hist->count)
            out[i] = hist->sum_ns / (double)hist->count / (double)NSEC_PER_SEC;
        else if (i != SAFETY_MEAN && hist_quantile_censored(hist, censored, shares[i], &value_ns,
                                                            &at_least) != HIST_EMPTY)
            out[i] = (double)value_ns / (double)NSEC_PER_SEC;
    }
}

void safety_figures_of(const struct result *result, nsec_t at_ns, struct safety_figures *out)
{
    struct result_sum *sum = result_sum_new(&result->metrics);
    for (size_t i = 0; i < result->point_count; i++)
        if (result->points[i].end_ns > at_ns - WINDOW_NS)
            result_sum_merge(sum, result->points[i].sum, &result->metrics);
    uint64_t failed = sum->counters[COUNT_FAILED] + sum->counters[COUNT_TIMED_OUT];
    *out = (struct safety_figures){.at_ns = at_ns,
                                   .requests = failed + sum->counters[COUNT_SUCCEEDED]};
    out->error_share = out->requests ? (double)failed / (double)out->requests : NAN;
    response_times(sum, out->response_s);
    result_sum_free(sum, &result->metrics);
}

/* The figure that a trigger is about; NAN: nothing is known. */
static double figure_of(const struct plan_trigger *trigger, const struct safety_figures *figures)
{
    switch (trigger->metric) {
    case SAFETY_ERRORS:
        return figures->requests >= trigger->least_requests ? figures->error_share : NAN;
    case SAFETY_RESPONSE:
        if (figures->silence_s > trigger->limit)
            return figures->silence_s;
        return figures->response_s[trigger->statistic];
    case SAFETY_UNHEALTHY:
        return figures->unhealthy;
    case SAFETY_WATCHED:
        break;
    }
    return NAN;
}

static void put_words(const struct plan_trigger *trigger, const struct safety_figures *figures,
                      double value, struct text *out)
{
    static const char *const statistics[] = {"mean", "p50", "p95", "p99"};
    char is[UNIT_ROOM], limit[UNIT_ROOM], held[UNIT_ROOM];
    if (trigger->metric == SAFETY_UNHEALTHY) {
        text_puts(out, "the target is not healthy");
    } else if (trigger->metric == SAFETY_ERRORS) {
        text_printf(out, "error rate of the last second is %s, above %s",
                    unit_write_share(is, value), unit_write_share(limit, trigger->limit));
    } else {
        unit_write_duration(is, (nsec_t)(value * (double)NSEC_PER_SEC));
        unit_write_duration(limit, (nsec_t)(trigger->limit * (double)NSEC_PER_SEC));
        if (figures->silence_s > trigger->limit)
            text_printf(out, "nothing was answered for %s, above %s", is, limit);
        else
            text_printf(out, "response time (%s) of the last second is %s, above %s",
                        statistics[trigger->statistic], is, limit);
    }
    if (trigger->hold_ns)
        text_printf(out, " for %s", unit_write_duration(held, trigger->hold_ns));
}

void safety_take(struct safety *safety, const struct safety_figures *figures,
                 void (*found)(void *self, const struct safety_finding *finding), void *self)
{
    for (size_t i = 0; i < safety->plan->trigger_count; i++) {
        const struct plan_trigger *trigger = &safety->plan->triggers[i];
        double value = figure_of(trigger, figures);
        struct watch_limit limit = {.limit = trigger->limit,
                                    .hold_ns = trigger->hold_ns,
                                    .most_gap_ns = GAP_NS,
                                    .calm_ns = CALM_NS};
        if (isnan(value) ||
            watch_limit_take(&limit, &safety->states[i], figures->at_ns, value) != LIMIT_HELD)
            continue;
        struct text words = TEXT_EMPTY;
        put_words(trigger, figures, value, &words);
        struct safety_finding finding = {
            .action = (enum safety_action)trigger->action, .to = trigger->to, .words = words.at};
        found(self, &finding);
        text_fini(&words);
    }
}

double safety_share(double to, double now, double last_good)
{
    double wanted = to > 0 ? to : last_good > 0 ? last_good : now / 2;
    return now > 0 && wanted < now ? wanted / now : to > 0 ? 1 : 0.5;
}
