/* plan/vocabulary.h - the words that plug-ins add to the language of plans. The app passes it down
 * from plug/list.c; the plan room never names a plug-in. */
#ifndef PLAN_VOCABULARY_H
#define PLAN_VOCABULARY_H

#include "plan/note.h"
#include "plan/plan.h"
#include "plan/setting.h"

/* A key of a task that makes a request: `get: /v1/models`, `openai.chat: {...}`. */
struct request_verb {
    const char *word;
    const char *sentence;
    const struct setting *settings; /* of the config struct */
    size_t config_bytes;
    const char *shorthand; /* setting that a bare text stands for ("url"); or NULL */
    /* "METRIC EXPRESSION": a threshold of every plan that has a request of this verb with the
     * boolean guard_setting true and gives none for that metric itself; or NULL. */
    const char *guard, *guard_setting;
    int driver; /* index, handed back in plan_request.driver */
};

/* A named pattern: expands its settings into the scenario's executor and stages. */
struct pattern_word {
    const char *word;    /* "step" */
    const char *aliases; /* "STEP_FUNCTION", separated by blanks; or NULL */
    const char *sentence;
    const struct setting *settings;
    size_t config_bytes;
    /* Fills executor, stages (memory_new'd) and start_target; scenario->vus, rate and duration were
     * read before. Returns 0, or 1 after adding an error to notes. */
    int (*expand)(const void *config, struct plan_scenario *scenario, struct notes *notes);
};

/* A word by which a section of the plan asks for a plug-in, with settings of its own: `process:
 * {port: 8000}`, or `process: gateway` where a bare text stands for one of them. */
struct plug_word {
    const char *word;
    const char *sentence;
    const struct setting *settings; /* of the config struct */
    size_t config_bytes;
    const char *shorthand; /* setting that a bare text stands for; or NULL */
    int number;            /* index, handed back in plan_plugged.number */

    /* of probes only */
    const char *role; /* of a thing whose plan names none */
    const char *also; /* words that the same entry stands for too, separated by blanks; or NULL */
    const char
        *unasked; /* the bare text with which every run has it, "" for none; NULL: it does not
                          */
};

struct vocabulary {
    const struct request_verb *verbs;
    size_t verb_count;
    const struct pattern_word *patterns;
    size_t pattern_count;
    const struct plug_word *probes; /* of watch.probes */
    size_t probe_count;
    const struct plug_word *scalers; /* of scale.scaler */
    size_t scaler_count;
    const char *const *metrics; /* names that thresholds and objectives may use beyond the common
                                   ones; ends with NULL; NULL: any name is taken */
};

#endif
