/* plug/list.h - everything replaceable, by name: the only place that knows all plug-ins. Included
 * by app and lib only, which pass the lists down. A new plug-in is one file and one line in list.c.
 */
#ifndef PLUG_LIST_H
#define PLUG_LIST_H

#include "load/driver.h"
#include "plan/vocabulary.h"
#include "run/scaler.h"
#include "show/writer.h"
#include "watch/probe.h"

#include <stddef.h>

struct plug_list {
    const struct driver *const *drivers; /* by index, as in plan_request.driver */
    size_t driver_count;
    const struct pattern_word *patterns;
    size_t pattern_count;
    const struct writer *const *writers;
    size_t writer_count;
    const struct probe *const *probes; /* by index, as in plan_plugged.number */
    size_t probe_count;
    const struct scaler *const *scalers; /* by index, as in plan_plugged.number */
    size_t scaler_count;
    struct vocabulary vocabulary;      /* the words that these add to the language of plans */
    struct request_verb *verbs;        /* private: of the vocabulary */
    struct pattern_word *pattern_rows; /* private */
    struct plug_word *probe_words;     /* private */
    struct plug_word *scaler_words;    /* private */
    const char **metrics;              /* private */
};

/* Fills the lists. Owner: caller, plug_list_fini. */
void plug_list_init(struct plug_list *list);
void plug_list_fini(struct plug_list *list);

/* The writer of this name; NULL: none. */
const struct writer *plug_writer(const struct plug_list *list, const char *name);

#endif
