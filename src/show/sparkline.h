/* show/sparkline.h - a row of small bars, one letter a value. */
#ifndef SHOW_SPARKLINE_H
#define SHOW_SPARKLINE_H

#include "base/text.h"

#include <stddef.h>

/* Appends a bar for each value, from 0 to the largest; a blank for what is not finite. The values'
 * own scale: the largest is the tallest, and all are low when all are 0. */
void sparkline_put(const double *values, size_t count, struct text *out);

#endif
