/* stat/hist.h - counts durations in buckets of bounded relative error.
 *
 *   Owner    one thread records; another reads only a copy, or after a hand-over.
 *   Cost     record O(1), no branch on size but one; quantile O(buckets between least and most);
 *            memory 35 KiB of address space, of which only touched pages are real (test/bench).
 *   Limits   0 ns .. 2^42 - 1 ns (73 minutes; at least 1 h is promised); values above are counted
 *            apart in `above` and never clipped; negative values are counted as 0 in `below`.
 *   Layout   version HIST_LAYOUT: values below 256 one bucket each; above, 256 buckets an octave,
 * so that a bucket is at most 1/256 (0.39 %) wide. Fixed for all runs: any two merge. Source   G.
 * Tene, HdrHistogram (log-linear buckets). */
#ifndef STAT_HIST_H
#define STAT_HIST_H

#include "base/clock.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HIST_LAYOUT = 1,
    HIST_SUB_BITS = 8,                                                   /* 256 buckets an octave */
    HIST_TOP_BITS = 42,                                                  /* values below 2^42 ns */
    HIST_BUCKETS = (HIST_TOP_BITS - HIST_SUB_BITS + 1) << HIST_SUB_BITS, /* 8960 */
};

enum { HIST_EMPTY = 1, HIST_TOO_FEW = 2 }; /* outcomes > 0 of the functions below */

struct hist {
    uint64_t count; /* everything recorded, `above` included */
    uint64_t above; /* values of 2^42 ns or more */
    uint64_t below; /* negative values, counted as 0 as well */
    nsec_t least;   /* smallest value recorded; meaningless while count is 0 */
    nsec_t most;    /* largest value recorded, exact also when `above` */
    double sum_ns;
    double sum_squares;
    uint32_t first_bucket; /* buckets in use lie in first_bucket .. last_bucket */
    uint32_t last_bucket;
    uint32_t buckets[HIST_BUCKETS];
};

/* An empty histogram in memory that the caller owns (memory_new'd memory is already empty but for
 * its bounds: call this once anyway; it touches only what was used). */
void hist_init(struct hist *hist);

/* Empties it, touching only the buckets in use. */
void hist_clear(struct hist *hist);

/* Counts one duration. */
void hist_record(struct hist *hist, nsec_t value_ns);

/* Counts the same duration many times. */
void hist_record_many(struct hist *hist, nsec_t value_ns, uint32_t times);

/* Adds everything of `from` to `to`: exactly as if all had been recorded in one. */
void hist_merge(struct hist *to, const struct hist *from);

/* The smallest recorded value that a share of the records do not exceed (rank ceil(share * n)).
 *
 *   share      0.0 .. 1.0 (0.99: the 99th percentile; 0 gives the least)
 *   value_ns   upper edge of the bucket but never above `most`, at most 0.4 % above the true value;
 *              written on success only
 *
 * Returns 0, or HIST_EMPTY when nothing was recorded. */
int hist_quantile(const struct hist *hist, double share, nsec_t *value_ns);

/* The number of records at or below a value (to bucket resolution: the whole bucket counts). */
uint64_t hist_count_to(const struct hist *hist, nsec_t value_ns);

/* Mean and standard deviation (n - 1) in ns; 0 when there are too few. */
double hist_mean(const struct hist *hist);
double hist_deviation(const struct hist *hist);

/* The smallest count that can carry this quantile: an upper 95 % order-statistic bound exists
 * (share^n <= .05): 59 for .95, 299 for .99, 2995 for .999; 6 for the median.
 * Source: reference in stat/quantile.h. */
uint64_t hist_count_for(double share);

/* Response times of requests of which some never finished: quantiles over both.
 *
 *   done       those that finished
 *   censored   lower bounds of those that did not (timed out at x, dropped at 0): each is
 *              "at least" its bound
 *
 * The value is the rank ceil(share * n) with every unfinished request placed above all finished
 * ones, since it has no answer at all. at_least is set when the unfinished reach the percentile:
 * when the rank falls among them, or when putting them at their lower bounds instead would give
 * another value. The value is then a lower bound: print it with a ≥.
 *
 * Returns 0 or HIST_EMPTY; outputs are written on success only. */
int hist_quantile_censored(const struct hist *done, const struct hist *censored, double share,
                           nsec_t *value_ns, bool *at_least);

/* Lower and upper edge (inclusive) of the values that a bucket holds. */
nsec_t hist_bucket_low(uint32_t bucket);
nsec_t hist_bucket_high(uint32_t bucket);

/* The bucket of a value in 0 .. 2^42 - 1. */
uint32_t hist_bucket_of(nsec_t value_ns);

/* Appends a compact form: layout version, the fields above, then pairs (buckets skipped, count) as
 * LEB128. hist_decode adds an encoded histogram to `to`; returns 0 or -EBADMSG (truncated, other
 * layout, out of range), `to` then being unchanged. */
void hist_encode(const struct hist *hist, struct text *out);
int hist_decode(struct span bytes, struct hist *to);

#endif
