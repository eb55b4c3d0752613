/* study/comparison_part.h - what a comparison is made of. Used by its files only. */
#ifndef STUDY_COMPARISON_PART_H
#define STUDY_COMPARISON_PART_H

#include "study/comparison.h"

/* Fills in the differences of the runs, and whether one of them blocks. */
void comparison_look(const struct comparison_runs *runs, struct comparison *out);

#endif
