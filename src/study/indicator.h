/* study/indicator.h - what a watched metric says of a resource: which resource, and whether it is a
 * share of a rate, a level, something that waits, or a sign of want. */
#ifndef STUDY_INDICATOR_H
#define STUDY_INDICATOR_H

#include "study/level.h"

enum indicator_use {
    USE_SHARE, /* busy share of a rate: the utilisation law holds, and so do ceilings */
    USE_LEVEL, /* filled share of a store: no law of rates */
    USE_COUNT, /* in use, of a number that is not known: only a plateau tells */
    USE_QUEUE, /* what waits */
    USE_WANT,  /* a sign of want at or above its limit: pressure, throttling */
    USE_EVENT, /* should never happen */
    USE_WEAK,  /* a share that may be 1 without being full: never evidence alone */
};

struct indicator {
    const char *metric;
    const char *kind;  /* of the resource: "cpu"; see bottleneck.h */
    const char *label; /* "CPU" */
    enum indicator_use use;
    double limit; /* full from here on */
};

/* What this metric indicates; a metric of the user's own is known by its last word (app.queue,
 * search.busy, tools.used_share). NULL: nothing. */
const struct indicator *indicator_find(const char *metric, const char *unit);

/* Whether failures with these words ("503", "timeout") are a sign that a resource of this kind is
 * out. */
bool indicator_error_fits(const char *kind, const char *words);

#endif
