/* stat/hist.h - counts durations in buckets of bounded relative error.
 *
 *   Owner    one thread records; another reads only a copy, or after a hand-over.
 *   Cost     record 2.7 ns, no branch on size but one; with 2,500 buckets between least and most:
 *            quantile 0.5 us, merge 3 us, encode 12 us, decode 18 us (test/bench/hist, gcc 12 -O2,
 *            AMD EPYC); memory 35 KiB of address space, of which only touched pages are real.
 *   Limits   0 ns .. 2^42 - 1 ns (73 minutes; at least 1 h is promised); values above are counted
 *            apart in `above` and never clipped; negative values are counted as 0 in `below`.
 *            A bucket holds 2^32 - 1 records; what comes beyond goes to its neighbour above.
 *   Layout   version HIST_LAYOUT: values below 256 one bucket each; above, 256 buckets an octave,
 *            so that a bucket is at most 1/256 (0.39 %) wide. Fixed for all runs: any two merge.
 *   Source   G. Tene, HdrHistogram (log-linear buckets). */
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
    uint32_t first_bucket; /* buckets in use lie in first_bucket .. last_bucket; */
    uint32_t last_bucket;  /* none are while first_bucket > last_bucket */
    uint32_t buckets[HIST_BUCKETS];
};

/* Makes an empty histogram in memory of any content that the caller owns. It writes only what is
 * not zero yet, so that fresh pages of memory_new stay unreal until a value falls into them. */
void hist_init(struct hist *hist);

/* Empties it, touching only the buckets in use. */
void hist_clear(struct hist *hist);

/* The bucket of a value in 0 .. 2^42 - 1. */
static inline uint32_t hist_bucket_of(nsec_t value_ns)
{
    /* With bit 8 set the shift is 0 for all values below 512, which so have a bucket each; from
     * there on each octave keeps its highest nine bits. */
    uint64_t value = (uint64_t)value_ns;
    uint32_t shift = 63 - HIST_SUB_BITS - (uint32_t)__builtin_clzll(value | 1u << HIST_SUB_BITS);
    return (shift << HIST_SUB_BITS) + (uint32_t)(value >> shift);
}

/* hist_record for values outside 0 .. 2^42 - 1; not called from elsewhere. */
void hist_record_outside(struct hist *hist, nsec_t value_ns);

/* Counts one duration. */
static inline void hist_record(struct hist *hist, nsec_t value_ns)
{
    if ((uint64_t)value_ns >> HIST_TOP_BITS) {
        hist_record_outside(hist, value_ns);
        return;
    }
    uint32_t bucket = hist_bucket_of(value_ns);
    double value = (double)value_ns;
    hist->buckets[bucket]++;
    hist->count++;
    hist->sum_ns += value;
    hist->sum_squares += value * value;
    if (value_ns < hist->least) {
        hist->least = value_ns;
        hist->first_bucket = bucket;
    }
    if (value_ns > hist->most) {
        hist->most = value_ns;
        if (bucket > hist->last_bucket)
            hist->last_bucket = bucket;
    }
}

/* Counts the same duration many times. */
void hist_record_many(struct hist *hist, nsec_t value_ns, uint32_t times);

/* Adds everything of `from` to `to`: exactly as if all had been recorded in one. */
void hist_merge(struct hist *to, const struct hist *from);

/* The smallest recorded value that a share of the records do not exceed (rank ceil(share * n)).
 *
 *   share      0.0 .. 1.0 (0.99: the 99th percentile; 0 gives the least)
 *   value_ns   upper edge of the bucket but never above `most`, at most 0.4 % above the true value;
 *              `most` when the rank falls among `above`; written on success only
 *
 * Returns 0, or HIST_EMPTY when nothing was recorded. */
int hist_quantile(const struct hist *hist, double share, nsec_t *value_ns);

/* The bucket that holds the rank-th smallest record (1 .. count); HIST_BUCKETS when that is among
 * `above`. */
uint32_t hist_bucket_at_rank(const struct hist *hist, uint64_t rank);

/* The number of records at or below a value (to bucket resolution: the whole bucket counts). */
uint64_t hist_count_to(const struct hist *hist, nsec_t value_ns);

/* Mean and standard deviation (n - 1) in ns; 0 when there are too few. */
double hist_mean(const struct hist *hist);
double hist_deviation(const struct hist *hist);

/* The smallest count that can carry this quantile: a two-sided 95 % order-statistic interval exists
 * (share^n + (1 - share)^n <= .05): 59 for .95, 299 for .99, 2995 for .999; 6 for the median; 1 for
 * the least and the most, which are facts of the sample. Source: stat/quantile.h. */
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
 * another value. The value is then a lower bound: print it with a ≥. Among the unfinished the rank
 * counts through their bounds in order, and the value is never below the largest finished one.
 *
 * Returns 0 or HIST_EMPTY; outputs are written on success only. */
int hist_quantile_censored(const struct hist *done, const struct hist *censored, double share,
                           nsec_t *value_ns, bool *at_least);

/* Lower and upper edge (inclusive) of the values that a bucket holds. */
nsec_t hist_bucket_low(uint32_t bucket);
nsec_t hist_bucket_high(uint32_t bucket);

/* Appends a compact form: layout version, the fields above, then pairs (buckets skipped, count) as
 * LEB128; the two sums are the 8 bytes of an IEEE double, lowest first. hist_decode adds an encoded
 * histogram to `to`; returns 0 or -EBADMSG (truncated, other layout, out of range), `to` then being
 * unchanged. */
void hist_encode(const struct hist *hist, struct text *out);
int hist_decode(struct span bytes, struct hist *to);

#endif
