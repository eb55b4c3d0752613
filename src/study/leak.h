/* study/leak.h - whether something grows at constant load: the slope of watched memory and open
 * descriptors over a level, with its interval.
 *
 * Samples that follow each other are alike, which makes the usual interval of a slope too narrow;
 * so the line is laid through the means of up to 20 batches, which hardly are.
 *
 *   Source   batch means: Law, "Simulation Modeling and Analysis", 9.5.3.
 *   Tests    test/unit/study/leak. */
#ifndef STUDY_LEAK_H
#define STUDY_LEAK_H

#include "study/level.h"

/* The 95 % interval of the slope a second of samples in begin_ns .. end_ns; NAN: fewer than 10. */
void leak_slope(const struct result_series *series, nsec_t begin_ns, nsec_t end_ns, double *low,
                double *high);

enum leak {
    LEAK_NOT_ASKED, /* neither memory nor descriptors of the target, or too few samples */
    LEAK_NONE,      /* it may stand still, or grew by less than 1 % of its mean over the level */
    LEAK_GROWS,     /* the whole interval is above 0, and it grew by 1 % or more */
};

/* What a resource of a level tells. */
enum leak leak_of(const struct level *level, const struct level_resource *resource);

#endif
