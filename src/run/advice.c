/* One row an advice: when it is due, and its sentence. */
#include "run/advice.h"

#include "base/text.h"
#include "run/need.h"
#include "run/port_forward.h"
#include "study/foreign.h"

#include <string.h>

enum { LEAST_MEASURED_S = 30 };

/* What the rows look at. */
struct look {
    const struct plan *plan;
    const struct result *result;
    bool shares_machine;
};

static bool waits(const struct distribution *think)
{
    return think->spread != SPREAD_NONE && distribution_mean(think) > 0;
}

/* Closed scenarios whose users ask again at once. */
static bool no_think_time(const struct look *look)
{
    const struct plan *plan = look->plan;
    for (size_t s = 0; s < plan->scenario_count; s++) {
        const struct plan_scenario *scenario = &plan->scenarios[s];
        bool thinks = waits(&scenario->think) || scenario->pacing_ns > 0;
        uint32_t end = scenario->first_task + scenario->task_count;
        for (uint32_t t = scenario->first_task; t < end; t++)
            for (uint32_t r = 0; r < plan->tasks[t].request_count; r++)
                thinks |= waits(&plan->requests[plan->tasks[t].first_request + r].think);
        if (!scenario_is_open(scenario) && !thinks)
            return true;
    }
    return false;
}

static bool no_threshold(const struct look *look)
{
    return look->plan->threshold_count == 0 && look->plan->objective_count == 0;
}

static bool no_baseline(const struct look *look)
{
    bool kept = false; /* as one itself, once it has passed */
    for (size_t i = 0; i < look->plan->label_count; i++)
        kept |= strcmp(look->plan->labels[i].name, "baseline") == 0;
    return !look->plan->baseline && !kept;
}

static bool too_short(const struct look *look)
{
    const struct result_sum *total = look->result->total;
    return total->end_ns - total->begin_ns < LEAST_MEASURED_S * NSEC_PER_SEC;
}

static bool insecure(const struct look *look)
{
    return look->plan->tls.insecure;
}

/* By name, since drivers are above this room. */
static bool calls_unlisted_tools(const struct look *look)
{
    const struct metric_table *metrics = &look->result->metrics;
    for (size_t i = CORE_COUNTERS; i < metrics->counter_count; i++)
        if (strcmp(metrics->counters[i].name, "mcp_unlisted_tools") == 0)
            return look->result->total->counters[i] > 0;
    return false;
}

static bool shares_machine(const struct look *look)
{
    return look->shares_machine;
}

static bool through_tunnel(const struct look *look)
{
    struct need need = need_of(look->plan, 1);
    bool crowd = need.users > PORT_FORWARD_USERS || !need.bounded;
    return crowd && look->shares_machine && port_forward_target("", look->plan) != NULL;
}

static const struct {
    const char *name;
    bool (*due)(const struct look *look);
    const char *sentence;
} rows[] = {
    {"advice.insecure", insecure,
     "TLS certificates were not verified (insecure): anybody could have answered"},
    {"advice.port_forward", through_tunnel,
     "the target is a kubectl port-forward, whose tunnel is the limit beyond 10 users: use the "
     "service's external address"},
    {"advice.unlisted_tools", calls_unlisted_tools,
     "the plan calls tools that the server's own list (tools/list) does not name: such calls can "
     "only fail; look at the failed tasks, and at their tool:"},
    {"advice.think_time", no_think_time,
     "no think time: each user asks again at once; add think: 1s..5s"},
    {"advice.threshold", no_threshold,
     "no threshold to pass or fail; add thresholds: {response: [\"p(95)<500\"]}"},
    {"advice.short", too_short, "measured for under 30 s: enough for a look, not to rely on"},
    {"advice.shared", shares_machine,
     "generator and target share this machine: each slows the other"},
    {"advice.baseline", no_baseline,
     "no baseline: nothing to compare with; plimsoll baseline set NAME RUN"},
};

/* Who reads the result must see that it is a rehearsal. */
static void record_time_scale(struct recorder *recorder, const struct plan *plan)
{
    struct text words = TEXT_EMPTY;
    text_printf(&words, "rehearsal: all durations were multiplied by %g (--time-scale); %s",
                plan->time_scale,
                plan->time_scale_think ? "think times too" : "think times were not");
    recorder_fact(recorder, "advice.time_scale", words.at);
    text_fini(&words);
}

/* Others that send to the target meanwhile make its figures theirs too. */
static void record_foreign(struct recorder *recorder, const struct result *result)
{
    struct text words = TEXT_EMPTY;
    if (foreign_find(result, &words)) {
        recorder_event(recorder, result->end_ns, "warning", words.at);
        recorder_fact(recorder, "advice.foreign_traffic", words.at);
    }
    text_fini(&words);
}

void advice_record(struct recorder *recorder, const struct plan *plan, const struct result *result,
                   bool shares)
{
    struct look look = {.plan = plan, .result = result, .shares_machine = shares};
    if (plan->time_scale != 1)
        record_time_scale(recorder, plan);
    record_foreign(recorder, result);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].due(&look))
            recorder_fact(recorder, rows[i].name, rows[i].sentence);
}
