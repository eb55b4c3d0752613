/* watch/limit.h - whether a figure stays beyond a limit: pure arithmetic over samples.
 *
 * A limit is held when every sample of a stretch of at least hold_ns lies beyond it. A gap in the
 * samples longer than most_gap_ns breaks the stretch: what was not seen is not held against anyone.
 * Going back within the limit ends it only after calm_ns, so that a figure that plays around the
 * limit is told once. */
#ifndef WATCH_LIMIT_H
#define WATCH_LIMIT_H

#include "base/clock.h"

#include <stdbool.h>

struct watch_limit {
    double limit;
    bool below;         /* beyond is below it; else above */
    nsec_t hold_ns;     /* 0: one sample is enough */
    nsec_t most_gap_ns; /* 0: any gap will do */
    nsec_t calm_ns;     /* how long it must stay within before it counts as back */
};

/* Where one series stands to it. Zeroed: nothing was seen yet. */
struct watch_limit_state {
    bool seen, beyond, held;
    nsec_t last_ns;   /* of the last sample */
    nsec_t since_ns;  /* first sample of the stretch beyond */
    nsec_t within_ns; /* first sample within again, while held */
    bool calming;
    double worst; /* of the stretch beyond */
};

enum watch_limit_news {
    LIMIT_NOTHING, /* as before */
    LIMIT_HELD,    /* beyond it for hold_ns, just now */
    LIMIT_BACK,    /* within it for calm_ns, just now */
};

/* Takes the next sample, at_ns rising. */
enum watch_limit_news watch_limit_take(const struct watch_limit *limit,
                                       struct watch_limit_state *state, nsec_t at_ns, double value);

#endif
