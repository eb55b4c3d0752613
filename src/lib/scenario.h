/* lib/scenario.h - the plans that come with the program: example/scenario/NAME.yaml, carried in the
 * binary, so that `plimsoll run scenario:NAME` needs no files. */
#ifndef LIB_SCENARIO_H
#define LIB_SCENARIO_H

#include "base/text.h"

#include <stddef.h>

struct scenario {
    const char *name; /* "api-gateway" */
    const char *text; /* the plan, as in the file; ended by a zero */
};

/* All of them in the order of their names. */
const struct scenario *scenario_list(size_t *count);

/* The scenario of this name; NULL: there is none. */
const struct scenario *scenario_find(const char *name);

/* The sentence that the plan says of itself under `description:`; empty when it says none. Points
 * into the scenario. */
struct span scenario_sentence(const struct scenario *scenario);

#endif
