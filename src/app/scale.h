/* app/scale.h - a scale test from a plan to its files: what `scale` and `load-test` share. */
#ifndef APP_SCALE_H
#define APP_SCALE_H

#include "app/launch.h"
#include "run/suite.h"

struct scale_order {
    struct launch launch; /* the plan and its overrides */
    enum suite_kind kinds[3];
    size_t kind_count;
    const char *results; /* copy scalability_results.json there too; or NULL */
    bool dry_run, debug, quiet;
    bool markdown_scenario; /* the document of a load test in place of that of a scale test */
};

/* Does it all. Returns the exit code. */
int scale(struct app *app, const struct verb *verb, const struct scale_order *order);

#endif
