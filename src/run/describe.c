/* Facts on the load; see describe.h. The settings of a request are found by their names in its own
 * driver's table, so that this room needs to know no driver. */
#include "run/describe.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

static const struct setting *setting_named(const struct plan_request *request, const char *name,
                                           enum setting_type type)
{
    for (const struct setting *row = request->settings; row && row->name; row++)
        if (strcmp(row->name, name) == 0 && row->type == type)
            return row;
    return NULL;
}

/* A text without holes, JSON or plain, without its quotes; at NULL when there is none. */
static struct span constant_of(const struct plan_request *request, const struct setting *row)
{
    const struct template *template = NULL;
    memcpy(&template, (const char *)request->config + row->offset, sizeof template);
    struct span words = template ? template_constant(template) : (struct span){.at = NULL};
    if (words.at && words.bytes > 1 && words.at[0] == '"')
        words = (struct span){.at = words.at + 1, .bytes = words.bytes - 2};
    return words;
}

static bool describe_model(struct recorder *recorder, const struct plan_request *request)
{
    const struct setting *row = setting_named(request, "model", SETTING_JSON);
    struct span words = row ? constant_of(request, row) : (struct span){.at = NULL};
    if (!words.at)
        return false;
    struct text copy = TEXT_EMPTY;
    text_put(&copy, words);
    recorder_fact(recorder, "load.model", copy.at ? copy.at : "");
    text_fini(&copy);
    return true;
}

static bool describe_goodput(struct recorder *recorder, const struct plan_request *request)
{
    const struct setting *row = setting_named(request, "goodput", SETTING_SECTION);
    struct text words = TEXT_EMPTY;
    for (const struct setting *goal = row ? row->section : NULL; goal && goal->name; goal++) {
        nsec_t limit_ns = 0;
        memcpy(&limit_ns, (const char *)request->config + row->offset + goal->offset,
               sizeof limit_ns);
        if (limit_ns > 0)
            text_printf(&words, "%s%s:%.10g", words.bytes ? " " : "", goal->name,
                        (double)limit_ns / (double)NSEC_PER_MSEC);
    }
    bool any = words.bytes > 0;
    if (any)
        recorder_fact(recorder, "load.goodput", words.at);
    text_fini(&words);
    return any;
}

static void number_fact(struct recorder *recorder, const char *name, double number)
{
    struct text words = TEXT_EMPTY;
    text_printf(&words, "%.10g", number);
    recorder_fact(recorder, name, words.at);
    text_fini(&words);
}

static double most_target(const struct plan_scenario *scenario)
{
    double most = scenario->start_target;
    for (size_t i = 0; i < scenario->stage_count; i++)
        most = scenario->stages[i].target > most ? scenario->stages[i].target : most;
    return most;
}

static void describe_scenario(struct recorder *recorder, const struct plan_scenario *scenario)
{
    uint64_t users = scenario->vus;
    if (scenario_is_open(scenario)) {
        users = scenario->max_vus;
        if (scenario->executor != EXECUTOR_REPLAY)
            number_fact(recorder, "load.rate_rps", most_target(scenario));
        if (scenario->gaps == GAPS_POISSON)
            number_fact(recorder, "load.burstiness", 1);
        else if (scenario->gaps == GAPS_GAMMA)
            number_fact(recorder, "load.burstiness", scenario->burstiness);
    }
    if (users)
        number_fact(recorder, "load.concurrency", (double)users);
}

void describe_load(struct recorder *recorder, const struct plan *plan)
{
    bool model = false, goodput = false;
    for (size_t i = 0; i < plan->request_count; i++) {
        bool before = model;
        model = model || describe_model(recorder, &plan->requests[i]);
        goodput = goodput || describe_goodput(recorder, &plan->requests[i]);
        if (model && !before)
            recorder_fact(recorder, "load.verb", plan->requests[i].verb);
    }
    if (plan->scenario_count)
        describe_scenario(recorder, &plan->scenarios[0]);
}
