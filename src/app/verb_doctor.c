/* plimsoll doctor: is this machine fit to make load, and is the target there? */
#include "app/launch.h"
#include "app/terminal.h"
#include "run/doctor/doctor.h"
#include "show/diagnosis.h"

#include <string.h>

static const struct option options[] = {
    {"users", 'u', .kind = OPTION_COUNT, .positive = true, .value = "N", .aliases = "vus",
     .sentence = "as for run: with a plan or URL", .setting = "scenarios.*.vus"},
    {"host", 'H', .kind = OPTION_TEXT, .value = "URL", .aliases = "target",
     .sentence = "as for run", .setting = "target"},
    {"output-dir", 'o', .kind = OPTION_TEXT, .value = "DIR",
     .sentence = "where run files would go (default: runs)", .setting = "output_dir"},
    {"set", 0, .kind = OPTION_PAIR, .value = "PATH=VALUE", .repeats = true,
     .sentence = "any setting of the plan"},
    {"quiet", 'q', .kind = OPTION_FLAG, .sentence = "only what is not fine"},
    {"json", 0, .kind = OPTION_FLAG, .sentence = "as JSON"},
    {.name = NULL},
};

/* What a plan would need; a URL, and nothing, stand for the simplest plan. */
static int read_plan(struct app *app, const struct arguments *arguments,
                     struct plan_reading *reading)
{
    const char *what = arguments->rest_count ? arguments->rest[0] : NULL;
    bool url = !what || strstr(what, "://") != NULL;
    struct plan_quick quick = {.url = what ? what : "http://127.0.0.1",
                               .users = argument_count(arguments, "users", 1)};
    struct launch how = {.file = url ? NULL : what, .quick = url ? &quick : NULL};
    how.overrides = launch_overrides(arguments, &how.override_count);
    int code = launch_read(app, &how, reading);
    launch_overrides_free(how.overrides, how.override_count);
    return code;
}

static void look(struct app *app, const struct plan *plan, bool target, struct findings *findings)
{
    doctor_generator("", findings);
    doctor_clock(findings);
    doctor_kernel("", findings);
    doctor_network("", findings);
    doctor_storage(plan->output_dir, findings);
    doctor_probes(plan, app->plugs->probes, app->plugs->probe_count, findings);
    if (target)
        doctor_target("", plan, findings);
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    if (arguments->rest_count > 1)
        return usage_error(app, verb, "one plan or URL at a time");
    struct plan_reading reading;
    int code = read_plan(app, arguments, &reading);
    if (code == 0) {
        struct findings findings = {0};
        struct text out = TEXT_EMPTY;
        struct terminal terminal = terminal_of(app->out, app->environment);
        struct show_options how = {.colour = terminal.colour, .columns = terminal.columns};
        look(app, reading.plan, arguments->rest_count > 0, &findings);
        if (argument_given(arguments, "json"))
            diagnosis_put_json(&findings, &out);
        else
            diagnosis_put(&findings, &how, !argument_given(arguments, "quiet"), &out);
        fwrite(out.at, 1, out.bytes, app->out);
        code = findings.problems ? RUN_FAILED : 0;
        text_fini(&out);
        findings_fini(&findings);
    }
    plan_reading_fini(&reading);
    return code;
}

const struct verb verb_doctor = {
    .name = "doctor",
    .sentence = "look whether this machine and the target are fit for a test",
    .usage = "[PLAN | URL] [OPTIONS]",
    .harmless = true,
    .options = options,
    .notes = "sends no load: each target and service is asked once.\n"
             "exit codes: 0 no problem (warnings may be), 1 a problem, 104 a bad plan",
    .examples = {"plimsoll doctor", "plimsoll doctor http://127.0.0.1:8000 -u 500 --quiet"},
    .act = act,
};
