/* study/catalogue.h - bottlenecks to be expected of AI services: what is seen, which metric at
 * which limit shows it, why it happens, what to do, and what that brings. Users change and extend
 * it in YAML.
 *
 *   Source   the defaults are those that operators of small LLM platforms wrote down before their
 *            tests: GPU memory 95 %, timeouts above 0.5 % at 50 users, refused connections at 30,
 *            searches over 500 ms, context processing of 2 to 3 s, latency linear in users. */
#ifndef STUDY_CATALOGUE_H
#define STUDY_CATALOGUE_H

#include "base/text.h"
#include "plan/note.h"

#include <stddef.h>

struct catalogue_entry {
    char *id;    /* "gpu-memory-exhaustion" */
    char *name;  /* "GPU memory exhaustion" */
    char *kinds; /* kinds of bottlenecks that it explains, by blanks: "gpu-memory kv-cache" */
    char *role;  /* things of this role or name only; "": any */
    char *symptom, *root_cause, *fix, *impact;
    char *probability; /* "high", "medium", "low" */
    char *metric;      /* of the indicator: watched metrics, by blanks, or one of timeout_share,
                          error_share, refused_share, limited_share (429), p95_s, mean_s,
                          mean_growth */
    double limit;      /* the indicator is at or above it */
    double load;       /* expected from this load on; NAN: any */
};

struct catalogue {
    struct catalogue_entry *rows;
    size_t count;
};

/* The default table. Owner: caller, catalogue_free. */
struct catalogue *catalogue_default(void);
/* Changes entries of the same id, and adds the others. Returns 0, or 1 with errors in notes. */
int catalogue_read(struct catalogue *catalogue, const char *file, struct span bytes,
                   struct notes *notes);
/* Frees it; NULL is fine; returns NULL. */
struct catalogue *catalogue_free(struct catalogue *catalogue);

/* The first entry that explains a bottleneck of this kind at a thing of this role or name; NULL. */
const struct catalogue_entry *catalogue_find(const struct catalogue *catalogue, const char *kind,
                                             const char *thing, const char *role);

#endif
