/* show/suite_leaks.h - what a soak says of growth: a line for each amount of memory or descriptors
 * that the target holds. */
#ifndef SHOW_SUITE_LEAKS_H
#define SHOW_SUITE_LEAKS_H

#include "base/text.h"
#include "study/level.h"

/* Appends the lines; where nothing of the kind was watched, that is said. */
void suite_leaks(const struct level_series *series, bool markdown, struct text *out);

#endif
