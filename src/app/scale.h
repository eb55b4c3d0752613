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
    bool dry_run, debug, quiet;
};

/* Adds a value of a setting that no row of options names. */
void scale_set(struct launch *launch, const char *path, const char *words, const char *flag);

/* Does it all. Returns the exit code. */
int scale(struct app *app, const struct verb *verb, const struct scale_order *order);

#endif
