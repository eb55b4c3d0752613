/* app/launch.h - from command line to exit code, the part that `run`, `wrk` and others share: reads
 * the plan, runs it with a live view, prints the summary, writes the reports. */
#ifndef APP_LAUNCH_H
#define APP_LAUNCH_H

#include "app/verb.h"
#include "lib/scenario.h"
#include "plan/read.h"
#include "run/run.h"

/* What to run and how to show it. */
struct launch {
    const char *file; /* a plan, or "scenario:NAME"; or NULL: `quick` */
    const struct plan_quick *quick;
    struct plan_override *overrides;
    size_t override_count;
    const char *format; /* of what is printed at the end; NULL: text */
    bool quiet;         /* print nothing but errors and a verdict that is not "passed" */
    const char *compat; /* tools whose metrics are printed too; or NULL */
    bool save_vllm;     /* write vLLM's result file ... */
    const char *result_directory, *result_file; /* ... there; or NULL */
    bool no_report;                             /* write the run file only */
    bool latency_only;                          /* wrk's way: no live view */
};

/* Does it all. Returns the exit code. */
int launch(struct app *app, const struct launch *launch);

/* Reads the plan and prints its notes; reading->plan is NULL after an error. Returns 0 or the exit
 * code. Owner: caller, plan_reading_fini. */
int launch_read(struct app *app, const struct launch *launch, struct plan_reading *reading);

/* The scenario that "scenario:NAME" asks for; NULL for other words. Unknown ones are said on the
 * error stream of the program, with all that there are: *code is then EXIT_USAGE, else 0. */
const struct scenario *launch_scenario(struct app *app, const struct verb *verb, const char *words,
                                       int *code);

/* Whether words may be a URL of which the scheme was left out: "localhost/x", "10.0.0.7",
 * "gateway:8000", "api.example.org". A single word is more often a slip than a host. */
bool launch_may_be_url(const char *words);

/* Overrides of the plan's settings from the options that name one. Repeated options become a list.
 * Owner: caller, launch_overrides_free. */
struct plan_override *launch_overrides(const struct arguments *arguments, size_t *count);
/* Appends one that is made here, not from a row: what a word of the command line (flag, as it is
 * written) means for the setting at this path. All are copied. */
void launch_override(struct launch *launch, const char *path, const char *words, const char *flag);
void launch_overrides_free(struct plan_override *overrides, size_t count);

#endif
