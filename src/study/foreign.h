/* study/foreign.h - whether somebody else sends requests to the target meanwhile: the target's own
 * counter of requests against ours.
 *
 * Ours are those that were sent, retries too. The counter is read now and then, so that its first
 * and last readings bound a stretch that ours is compared over; at the ends of that stretch as many
 * requests may count on one side only as come in between two readings, and as many as are under way
 * at once. What exceeds both is foreign. Source: plain accounting; tested in test/unit/study. */
#ifndef STUDY_FOREIGN_H
#define STUDY_FOREIGN_H

#include "base/text.h"
#include "record/result.h"

#include <stdbool.h>

struct foreign_counts {
    double seconds;      /* of the stretch */
    double theirs, ours; /* requests that the target counted, and that we sent */
    double slack;        /* how far apart they may be without meaning anything */
};

/* Whether the target saw more than we sent; share: the foreign part of what it saw, 0 .. 1. */
bool foreign_traffic(const struct foreign_counts *counts, double *share);

/* Compares a run with what was watched: the rates of requests (metrics that end in ".requests", in
 * 1/s) that the target counted, its instances together. Appends a sentence for each metric that saw
 * foreign traffic. Returns how many. */
size_t foreign_find(const struct result *result, struct text *out);

#endif
