/* study/advise_part.h - what the files of study/advise.h share. Used by them only. */
#ifndef STUDY_ADVISE_PART_H
#define STUDY_ADVISE_PART_H

#include "study/advise.h"

/* The target load as requests a second, what is expected of the system as it is, and the warnings
 * of reaching beyond what was tested. */
void advise_forecast(struct advice *advice, const struct advice_case *the_case,
                     const struct advice_wish *wish);

/* What each step allows before the next binds, and what the tested sizes carry. */
void advise_vertical(struct advice *advice, const struct advice_case *the_case,
                     const struct advice_wish *wish);

/* How many replicas the response time wants. */
void advise_delay(struct advice *advice, const struct advice_case *the_case,
                  const struct advice_wish *wish);

/* How many replicas of the whole, and what they cost. */
void advise_replicas(struct advice *advice, const struct advice_case *the_case,
                     const struct advice_wish *wish);

/* The items: remedies of each step. */
void advise_items(struct advice *advice, const struct advice_case *the_case,
                  const struct advice_wish *wish);

#endif
