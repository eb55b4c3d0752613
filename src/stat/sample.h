/* stat/sample.h - a list of numbers, kept whole: for what is small enough, or must agree with other
 * tools to the digit. Everything else goes into a histogram (stat/hist.h). */
#ifndef STAT_SAMPLE_H
#define STAT_SAMPLE_H

#include <stddef.h>

/* Zeroed is an empty one. */
struct sample {
    double *values;
    size_t count, room;
};

/* Appends a number. */
void sample_add(struct sample *sample, double value);
/* Empties it and frees what it held. */
void sample_fini(struct sample *sample);

/* Sorts it, which the two below need. */
void sample_sort(struct sample *sample);

/* The value at this share (0 .. 1) of a sorted sample; NAN of an empty one.
 *   between   linear between the two nearest: numpy's percentile, R's type 7 (Hyndman and Fan,
 *             "Sample Quantiles in Statistical Packages", 1996, definition 7)
 *   rank      the least value that has at least this share of the sample at or below it
 *             (definition 1) */
double sample_between(const struct sample *sample, double share);
double sample_rank(const struct sample *sample, double share);

/* NAN of an empty one. The deviation is the population's (divided by n, as numpy does). */
double sample_mean(const struct sample *sample);
double sample_deviation(const struct sample *sample);
double sample_sum(const struct sample *sample);

#endif
