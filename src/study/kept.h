/* study/kept.h - which part of a level is kept: warm-up cut off, and what is left tested.
 *
 * Both the throughput and the mean response of the record's intervals are looked at, and the later
 * cut of the two is taken. A stretch is steady when neither drifts. */
#ifndef STUDY_KEPT_H
#define STUDY_KEPT_H

#include "record/result.h"

#include <stdbool.h>

enum { KEPT_WORDS = 160 };

struct kept {
    nsec_t begin_ns, end_ns; /* of the part to keep */
    uint64_t requests;       /* that ended in it */
    bool steady;
    char words[KEPT_WORDS]; /* why not steady; or "" */
};

/* Looks at begin_ns .. end_ns of a run. What lies before begin_ns is warm-up in any case: users
 * still arrive. tolerance: a drift within this share of the mean is none. */
void kept_find(const struct result *result, nsec_t begin_ns, nsec_t end_ns, double tolerance,
               struct kept *out);

#endif
