/* app/verb.h - the verbs of the command line: one file and one row each. */
#ifndef APP_VERB_H
#define APP_VERB_H

#include "app/option.h"
#include "plug/list.h"

#include <signal.h>
#include <stdio.h>

/* What the program hands to its verbs. */
struct app {
    FILE *out, *err;
    volatile sig_atomic_t *interrupts; /* how often the user asked to stop */
    char **environment;
    const struct plug_list *plugs;
};

struct verb {
    const char *name;
    const char *sentence;
    const char *usage; /* what follows the verb */
    bool wordless;     /* takes options only: any other word is an error */
    bool harmless;     /* nothing has to be put back or kept: Ctrl-C just ends it */
    const struct option *options;
    const char *notes;       /* paragraph between options and examples; or NULL */
    const char *examples[2]; /* work as typed */
    int (*act)(struct app *app, const struct verb *verb, const struct arguments *arguments);
};

/* Exit codes of the program beyond those of run/run.h. */
enum { EXIT_USAGE = 104 };

extern const struct verb verb_monitor, verb_run, verb_scale, verb_stop, verb_rollback, verb_clean,
    verb_load_test, verb_wrk, verb_validate, verb_schema, verb_report, verb_self_test, verb_doctor,
    verb_list, verb_completion, verb_version, verb_help, verb_fit, verb_model, verb_compare,
    verb_baseline, verb_detect, verb_analyze, verb_recommend, verb_experiment;

/* All verbs, ended by NULL, in the order of the help. */
extern const struct verb *const verbs[];

/* The verb of this name; NULL: none. */
const struct verb *verb_find(const char *name);

/* Says an error of usage on the program's error stream, with where to look. Returns EXIT_USAGE. */
int usage_error(struct app *app, const struct verb *verb, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
