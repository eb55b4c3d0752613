/* run/ladder.h - which levels a scale test measures, in which order and for how long: arithmetic
 * before anything is sent, so that --dry-run shows exactly what would be done. */
#ifndef RUN_LADDER_H
#define RUN_LADDER_H

#include "plan/plan.h"
#include "study/level.h"

#include <stdbool.h>
#include <stddef.h>

/* One level to measure. */
struct rung {
    size_t series;      /* index in the ladder's series */
    double users, rate; /* one of them; the other is NAN */
    double instances;   /* NAN: left as they are */
    double size;        /* NAN: left as it is */
    uint32_t replicate;
    nsec_t measure_ns, most_ns; /* measured time wanted, and the longest that the level may last */
    char name[64];              /* "60 users", "Baseline", ... */
};

struct ladder_series {
    enum suite_kind kind;
    const char *name;
};

struct ladder {
    struct ladder_series series[3];
    size_t series_count;
    struct rung *rungs;
    size_t rung_count;
    nsec_t planned_ns; /* all levels as wanted, with what lies between them */
    nsec_t limit_ns;   /* all levels at their longest, and grace: the hard limit of the suite */
};

/* Appends the levels of one kind of test to a ladder (zeroed before the first). Returns 0, or 1
 * with a sentence appended to why. Owner: caller, ladder_fini. */
int ladder_add(struct ladder *ladder, const struct plan *plan, enum suite_kind kind,
               struct text *why);
void ladder_fini(struct ladder *ladder);

/* The loads of the load axis, in order; the last is exactly the most. Owner: caller, free(). */
double *ladder_loads(const struct plan *plan, size_t *count);

/* How long users take to arrive at this load. */
nsec_t ladder_arrival_ns(const struct plan *plan, double users);

#endif
