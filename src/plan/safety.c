/* The safety section: what ends or lowers the load at once. Triggers on what requests do are kept
 * as they are; those on a watched figure become limits of the watch. */
#include "plan/part.h"

#include "base/memory.h"
#include "base/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_NS (200 * NSEC_PER_MSEC) /* so that a trigger is seen within a second */

/* What the map of a trigger says. */
struct trigger_form {
    char *metric, *thing, *part, *above, *below;
    int statistic, action;
    nsec_t hold_ns;
    double to;
    uint64_t least_requests;
};

#define FORM(member) offsetof(struct trigger_form, member)

static const struct setting_word action_words[] = {{"warn", "note it, and go on"},
                                                   {"reduce", "lower the load"},
                                                   {"stop", "end the load at once"},
                                                   {NULL, NULL}};

static const struct setting_word statistic_words[] = {{"mean", "its mean"},
                                                      {"p50", "its median"},
                                                      {"p95", "its 95th percentile"},
                                                      {"p99", "its 99th percentile"},
                                                      {NULL, NULL}};

const struct setting trigger_rows[] = {
    {.name = "metric",
     .type = SETTING_TEXT,
     .offset = FORM(metric),
     .required = true,
     .sentence = "error_rate, response_time, unhealthy, or a metric of a probe: cpu.busy, "
                 "memory.used_share, gpu.memory_share, ..."},
    {.name = "stat",
     .type = SETTING_CHOICE,
     .offset = FORM(statistic),
     .words = statistic_words,
     .unset = "p95",
     .sentence = "which response time of the last second"},
    {.name = "above",
     .type = SETTING_TEXT,
     .offset = FORM(above),
     .sentence = "the limit, such as 10%, 2s, 500ms or 0.95"},
    {.name = "below",
     .type = SETTING_TEXT,
     .offset = FORM(below),
     .sentence = "the same for figures that must not fall"},
    {.name = "for",
     .type = SETTING_DURATION,
     .offset = FORM(hold_ns),
     .unset = "0",
     .aliases = "hold",
     .sentence = "how long it must be exceeded without a break; 0 is the first time it is seen"},
    {.name = "action",
     .type = SETTING_CHOICE,
     .offset = FORM(action),
     .words = action_words,
     .unset = "stop",
     .aliases = "do",
     .sentence = "what is then done"},
    {.name = "to",
     .type = SETTING_REAL,
     .offset = FORM(to),
     .most = 10000000,
     .unset = "0",
     .sentence = "users or rate to reduce to; 0 is the last level that was good, or half"},
    {.name = "min_requests",
     .type = SETTING_UINT,
     .offset = FORM(least_requests),
     .least = 1,
     .unset = "10",
     .unit = "requests",
     .sentence = "requests of the last second that error_rate needs to be judged"},
    {.name = "of",
     .type = SETTING_TEXT,
     .offset = FORM(thing),
     .sentence = "name or role of the watched thing; any where it is not given"},
    {.name = "part",
     .type = SETTING_TEXT,
     .offset = FORM(part),
     .sentence = "which part of it, such as GPU0; any where it is not given"},
    {.name = NULL},
};

/* "10%", "2s", "0.95"; NAN for no words, and after an error. */
static double read_limit(struct reader *reader, const struct node *map, const char *words)
{
    double value = NAN;
    nsec_t duration_ns = 0;
    if (!words)
        return NAN;
    struct span span = span_trim(span_of(words));
    if (unit_read_real(span, &value) == 0)
        return value;
    if (unit_read_duration(span, 0, &duration_ns) == 0)
        return (double)duration_ns / (double)NSEC_PER_SEC;
    if (unit_read_share(span, &value) == 0)
        return value;
    reader_error(reader, map, "for example 10%, 2s, 500ms or 0.95", "\"%s\" is no limit", words);
    return NAN;
}

static enum safety_metric metric_of(const char *name)
{
    if (strcmp(name, "error_rate") == 0)
        return SAFETY_ERRORS;
    if (strcmp(name, "response_time") == 0 || strcmp(name, "latency") == 0)
        return SAFETY_RESPONSE;
    if (strcmp(name, "unhealthy") == 0)
        return SAFETY_UNHEALTHY;
    return SAFETY_WATCHED;
}

static void add_watched(struct plan *plan, struct trigger_form *form, double above, double below)
{
    struct plan_watch *watch = &plan->watch;
    watch->stops = memory_resize(watch->stops, watch->stop_count + 1, sizeof *watch->stops);
    watch->stops[watch->stop_count++] = (struct plan_watch_stop){
        .metric = form->metric,
        .thing = form->thing,
        .part = form->part,
        .above = above,
        .below = below,
        .hold_ns = form->hold_ns,
        .action = SAFETY_WARN + form->action,
        .to = form->to,
    };
    form->metric = form->thing = form->part = NULL; /* given away */
    watch->interval_ns = watch->interval_ns > LOOK_NS ? LOOK_NS : watch->interval_ns;
}

static void read_trigger(struct reader *reader, const struct node *map, const char *path)
{
    struct trigger_form form = {.metric = NULL};
    struct plan *plan = reader->plan;
    size_t errors = reader->notes->errors;
    struct setting_scope scope = {trigger_rows, &form};
    if (reader_wants(reader, map, NODE_MAP, "a trigger"))
        setting_read_map(reader, map, path, &scope, 1);
    double above = read_limit(reader, map, form.above), below = read_limit(reader, map, form.below);
    enum safety_metric metric = form.metric ? metric_of(form.metric) : SAFETY_WATCHED;
    bool one = isnan(above) != isnan(below), unhealthy = metric == SAFETY_UNHEALTHY;
    if (reader->notes->errors == errors && !unhealthy && !one)
        reader_error(reader, map, "for example above: 10%", "%s needs either above or below", path);
    else if (reader->notes->errors == errors && metric != SAFETY_WATCHED && !isnan(below))
        reader_error(reader, map, NULL, "%s is judged from above only", form.metric);
    if (reader->notes->errors == errors && metric == SAFETY_WATCHED) {
        add_watched(plan, &form, above, below);
    } else if (reader->notes->errors == errors) {
        plan->triggers =
            memory_resize(plan->triggers, plan->trigger_count + 1, sizeof *plan->triggers);
        plan->triggers[plan->trigger_count++] = (struct plan_trigger){
            .metric = metric,
            .statistic = form.statistic,
            .limit = unhealthy ? 0.5 : above,
            .hold_ns = form.hold_ns,
            .action = SAFETY_WARN + form.action,
            .to = form.to,
            .least_requests = form.least_requests,
        };
    }
    setting_free(trigger_rows, &form);
}

void safety_read(struct reader *reader, const struct setting *row, const char *path,
                 const struct node *node, void *field)
{
    (void)field;
    reader_each(reader, node, row->name, path, read_trigger);
}

void safety_complete(struct reader *reader)
{
    struct plan *plan = reader->plan;
    bool checked = false;
    for (size_t i = 0; i < plan->service_count; i++)
        checked = checked || plan->services[i].health;
    for (size_t i = 0; i < plan->trigger_count; i++) {
        if (plan->triggers[i].metric == SAFETY_UNHEALTHY && !checked)
            reader_error(reader, NULL, "for example services: {gateway: /health}",
                         "safety: \"unhealthy\" needs a service with a health URL");
        else if (plan->triggers[i].metric != SAFETY_UNHEALTHY && plan->interval_ns > LOOK_NS)
            plan->interval_ns = LOOK_NS;
    }
}
