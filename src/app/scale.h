/* app/scale.h - a scale test from a plan to its files: what `scale` and `load-test` share. */
#ifndef APP_SCALE_H
#define APP_SCALE_H

#include "app/launch.h"
#include "run/suite.h"

struct scale_order {
    struct launch launch; /* the plan and its overrides */
    enum suite_kind kinds[3];
    size_t kind_count;
    const char *viewer;  /* copy the page there too; or NULL */
    const char *results; /* copy scalability_results.json there too; or NULL */
    nsec_t offset_ns;    /* of mixed plans: from one beginning to the next */
    bool dry_run, debug, quiet;
};

/* Several plans at once; the order's own file is not used. Returns the exit code. */
int scale_mixed(struct app *app, const struct scale_order *order, const char *const *files,
                size_t count);

/* The directory of a suite that begins now: OUTPUT_DIR/TIME-scale-NAME, with "-2" and so on where
 * that is taken. It is made, unless that fails or dry is asked for. Owner: caller. */
char *scale_directory(const struct plan *plan, const char *name, bool dry);
/* Writes the files, prints the tables and what went wrong. Returns the exit code. */
int scale_conclude(struct app *app, const struct scale_order *order, const char *directory,
                   const struct suite_report *report);

/* Does it all. Returns the exit code. */
int scale(struct app *app, const struct verb *verb, const struct scale_order *order);

#endif
