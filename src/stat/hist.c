/* stat/hist.c - the log-linear histogram: everything that is not on the hot path.
 *
 * A bucket is found from the highest nine bits of a value (hist_bucket_of in the header), so that
 * quantiles, merging and the compact form are walks over an array of fixed meaning. */
#include "stat/hist.h"

#include "base/check.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

static const nsec_t top_ns = (nsec_t)1 << HIST_TOP_BITS;

static void reset_fields(struct hist *hist)
{
    hist->count = 0;
    hist->above = 0;
    hist->below = 0;
    hist->least = NSEC_NEVER;
    hist->most = -1;
    hist->sum_ns = 0;
    hist->sum_squares = 0;
    hist->first_bucket = HIST_BUCKETS;
    hist->last_bucket = 0;
}

void hist_init(struct hist *hist)
{
    for (uint32_t bucket = 0; bucket < HIST_BUCKETS; bucket++)
        if (hist->buckets[bucket] != 0)
            hist->buckets[bucket] = 0;
    reset_fields(hist);
}

void hist_clear(struct hist *hist)
{
    if (hist->first_bucket <= hist->last_bucket)
        memset(&hist->buckets[hist->first_bucket], 0,
               (hist->last_bucket - hist->first_bucket + 1) * sizeof(hist->buckets[0]));
    reset_fields(hist);
}

/* Adds to one bucket. A bucket that is full (2^32 - 1 records) passes the rest to its neighbour
 * above: ranks stay right, and the values' error grows by one bucket instead of wrapping. */
static void add_to_bucket(struct hist *hist, uint32_t bucket, uint64_t times)
{
    if (bucket < hist->first_bucket)
        hist->first_bucket = bucket;
    for (;;) {
        uint64_t room = UINT32_MAX - hist->buckets[bucket];
        uint64_t fits = times < room || bucket == HIST_BUCKETS - 1 ? times : room;
        hist->buckets[bucket] += (uint32_t)fits;
        times -= fits;
        if (times == 0)
            break;
        bucket++;
    }
    if (bucket > hist->last_bucket)
        hist->last_bucket = bucket;
}

/* hist_record takes a value up to `most` to lie in a bucket in use: true only if they reach up to
 * the top once `most` lies beyond it. */
static void add_above(struct hist *hist, uint64_t times)
{
    hist->above += times;
    if (times > 0)
        hist->last_bucket = HIST_BUCKETS - 1;
}

void hist_record_outside(struct hist *hist, nsec_t value_ns)
{
    hist_record_many(hist, value_ns, 1);
}

void hist_record_many(struct hist *hist, nsec_t value_ns, uint32_t times)
{
    if (times == 0)
        return;
    if (value_ns < 0) {
        hist->below += times;
        value_ns = 0;
    }
    double value = (double)value_ns;
    hist->count += times;
    hist->sum_ns += value * times;
    hist->sum_squares += value * value * times;
    if (value_ns < hist->least)
        hist->least = value_ns;
    if (value_ns > hist->most)
        hist->most = value_ns;
    if (value_ns >= top_ns)
        add_above(hist, times);
    else
        add_to_bucket(hist, hist_bucket_of(value_ns), times);
}

/* Everything but the buckets. */
struct header {
    uint64_t count, above, below;
    nsec_t least, most;
    double sum_ns, sum_squares;
};

static void add_header(struct hist *to, const struct header *from)
{
    to->count += from->count;
    add_above(to, from->above);
    to->below += from->below;
    to->sum_ns += from->sum_ns;
    to->sum_squares += from->sum_squares;
    if (from->least < to->least)
        to->least = from->least;
    if (from->most > to->most)
        to->most = from->most;
}

/* Adds all buckets where none can become full: a loop without a branch, ten times as fast. */
static void add_buckets(struct hist *restrict to, const struct hist *restrict from)
{
    if (from->first_bucket > from->last_bucket)
        return;
    for (uint32_t bucket = from->first_bucket; bucket <= from->last_bucket; bucket++)
        to->buckets[bucket] += from->buckets[bucket];
    if (from->first_bucket < to->first_bucket)
        to->first_bucket = from->first_bucket;
    if (from->last_bucket > to->last_bucket)
        to->last_bucket = from->last_bucket;
}

void hist_merge(struct hist *to, const struct hist *from)
{
    if (from->count == 0)
        return;
    if (to->count <= UINT32_MAX && from->count <= UINT32_MAX - to->count)
        add_buckets(to, from);
    else
        for (uint32_t bucket = from->first_bucket; bucket <= from->last_bucket; bucket++)
            if (from->buckets[bucket] != 0)
                add_to_bucket(to, bucket, from->buckets[bucket]);
    struct header header = {.count = from->count,
                            .above = from->above,
                            .below = from->below,
                            .least = from->least,
                            .most = from->most,
                            .sum_ns = from->sum_ns,
                            .sum_squares = from->sum_squares};
    add_header(to, &header);
}

/* ---- quantiles ---------------------------------------------------------------------------- */

/* The rank ceil(share * n), at least 1. The product is shrunk by its own rounding first: .07 * 100
 * is 7.000000000000001 in binary and means rank 7. */
static uint64_t rank_of(double share, uint64_t count)
{
    double rank = ceil(share * (double)count * (1.0 - 4 * DBL_EPSILON));
    if (!(rank >= 1))
        return 1;
    return rank < (double)count ? (uint64_t)rank : count;
}

uint32_t hist_bucket_at_rank(const struct hist *hist, uint64_t rank)
{
    uint64_t seen = 0;
    for (uint32_t bucket = hist->first_bucket; bucket <= hist->last_bucket; bucket++) {
        seen += hist->buckets[bucket];
        if (seen >= rank)
            return bucket;
    }
    return HIST_BUCKETS;
}

static nsec_t value_in(const struct hist *hist, uint32_t bucket)
{
    if (bucket >= HIST_BUCKETS)
        return hist->most;
    nsec_t high = hist_bucket_high(bucket);
    return high < hist->most ? high : hist->most;
}

int hist_quantile(const struct hist *hist, double share, nsec_t *value_ns)
{
    if (hist->count == 0)
        return HIST_EMPTY;
    if (share <= 0)
        *value_ns = hist->least;
    else
        *value_ns = value_in(hist, hist_bucket_at_rank(hist, rank_of(share, hist->count)));
    return 0;
}

/* Records in buckets below this one (HIST_BUCKETS: all but `above`). */
static uint64_t count_under(const struct hist *hist, uint32_t bucket)
{
    uint64_t seen = 0;
    for (uint32_t i = hist->first_bucket; i <= hist->last_bucket && i < bucket; i++)
        seen += hist->buckets[i];
    return seen;
}

uint64_t hist_count_to(const struct hist *hist, nsec_t value_ns)
{
    if (hist->count == 0 || value_ns < 0)
        return 0;
    if (value_ns >= hist->most)
        return hist->count;
    return count_under(hist, value_ns >= top_ns ? HIST_BUCKETS : hist_bucket_of(value_ns) + 1);
}

int hist_quantile_censored(const struct hist *done, const struct hist *censored, double share,
                           nsec_t *value_ns, bool *at_least)
{
    uint64_t count = done->count + censored->count;
    if (count == 0)
        return HIST_EMPTY;
    uint64_t rank = rank_of(share, count);
    if (rank > done->count) {
        nsec_t bound = value_in(censored, hist_bucket_at_rank(censored, rank - done->count));
        *value_ns = bound > done->most ? bound : done->most;
        *at_least = true;
        return 0;
    }
    uint32_t bucket = hist_bucket_at_rank(done, rank);
    /* With the unfinished at their bounds the rank can only move down; it leaves this bucket when
     * those below it are enough by themselves. */
    *at_least = count_under(done, bucket) + count_under(censored, bucket) >= rank;
    *value_ns = share <= 0 ? done->least : value_in(done, bucket);
    return 0;
}

/* ---- moments ------------------------------------------------------------------------------ */

double hist_mean(const struct hist *hist)
{
    return hist->count == 0 ? 0 : hist->sum_ns / (double)hist->count;
}

double hist_deviation(const struct hist *hist)
{
    if (hist->count < 2 || hist->least == hist->most)
        return 0;
    double count = (double)hist->count;
    double squares = hist->sum_squares - hist->sum_ns * (hist->sum_ns / count);
    return squares > 0 ? sqrt(squares / (count - 1)) : 0;
}

uint64_t hist_count_for(double share)
{
    if (!(share > 0 && share < 1))
        return 1;
    double larger = share > 0.5 ? share : 1 - share;
    double smaller = share > 0.5 ? 1 - share : share;
    double count = ceil(log(0.05) / log(larger));
    while (pow(larger, count) + pow(smaller, count) > 0.05)
        count++;
    return (uint64_t)count;
}

nsec_t hist_bucket_low(uint32_t bucket)
{
    check(bucket < HIST_BUCKETS);
    uint32_t octave = bucket >> HIST_SUB_BITS;
    uint32_t shift = octave == 0 ? 0 : octave - 1;
    return (nsec_t)(bucket - (shift << HIST_SUB_BITS)) << shift;
}

nsec_t hist_bucket_high(uint32_t bucket)
{
    return bucket + 1 < HIST_BUCKETS ? hist_bucket_low(bucket + 1) - 1 : top_ns - 1;
}

/* ---- the compact form --------------------------------------------------------------------- */

static void put_number(struct text *out, uint64_t number)
{
    char bytes[10];
    size_t used = 0;
    for (; number >= 128; number >>= 7)
        bytes[used++] = (char)(uint8_t)(number | 128);
    bytes[used++] = (char)number;
    text_put(out, (struct span){.at = bytes, .bytes = used});
}

static void put_real(struct text *out, double real)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof(bits));
    char bytes[8];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(uint8_t)(bits >> (8 * i));
    text_put(out, (struct span){.at = bytes, .bytes = sizeof(bytes)});
}

static size_t write_number(char *to, uint32_t number)
{
    size_t used = 0;
    for (; number >= 128; number >>= 7)
        to[used++] = (char)(uint8_t)(number | 128);
    to[used++] = (char)number;
    return used;
}

/* Collected on the stack first: a recorder does this hundreds of times a second. */
static void put_buckets(struct text *out, const struct hist *hist)
{
    enum { PAIR_BYTES = 10 };
    char bytes[1024];
    size_t used = 0;
    uint32_t next = 0;
    for (uint32_t bucket = hist->first_bucket; bucket <= hist->last_bucket; bucket++) {
        if (hist->buckets[bucket] == 0)
            continue;
        used += write_number(bytes + used, bucket - next);
        used += write_number(bytes + used, hist->buckets[bucket]);
        next = bucket + 1;
        if (used > sizeof(bytes) - PAIR_BYTES) {
            text_put(out, (struct span){.at = bytes, .bytes = used});
            used = 0;
        }
    }
    text_put(out, (struct span){.at = bytes, .bytes = used});
}

void hist_encode(const struct hist *hist, struct text *out)
{
    put_number(out, HIST_LAYOUT);
    put_number(out, hist->count);
    if (hist->count == 0)
        return;
    put_number(out, hist->above);
    put_number(out, hist->below);
    put_number(out, (uint64_t)hist->least);
    put_number(out, (uint64_t)hist->most);
    put_real(out, hist->sum_ns);
    put_real(out, hist->sum_squares);
    put_buckets(out, hist);
}

static bool get_number(struct span *bytes, uint64_t *number)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && bytes->bytes > 0; shift += 7) {
        uint8_t byte = (uint8_t)bytes->at[0];
        bytes->at++;
        bytes->bytes--;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *number = value;
            return true;
        }
    }
    return false;
}

static bool get_time(struct span *bytes, nsec_t *time)
{
    uint64_t number;
    if (!get_number(bytes, &number) || number > INT64_MAX)
        return false;
    *time = (nsec_t)number;
    return true;
}

static bool get_real(struct span *bytes, double *real)
{
    uint64_t bits = 0;
    if (bytes->bytes < 8)
        return false;
    for (size_t i = 0; i < 8; i++)
        bits |= (uint64_t)(uint8_t)bytes->at[i] << (8 * i);
    bytes->at += 8;
    bytes->bytes -= 8;
    memcpy(real, &bits, sizeof(bits));
    return true;
}

/* Whether a sum is possible for this many values between two bounds (a thousandth for rounding). */
static bool sum_possible(double sum, double count, double least, double most)
{
    return sum >= count * least * 0.999 && sum <= count * most * 1.001;
}

static bool get_header(struct span *bytes, struct header *header)
{
    uint64_t layout;
    if (!get_number(bytes, &layout) || layout != HIST_LAYOUT)
        return false;
    if (!get_number(bytes, &header->count))
        return false;
    if (header->count == 0)
        return true;
    if (!get_number(bytes, &header->above) || !get_number(bytes, &header->below) ||
        !get_time(bytes, &header->least) || !get_time(bytes, &header->most) ||
        !get_real(bytes, &header->sum_ns) || !get_real(bytes, &header->sum_squares))
        return false;
    double count = (double)header->count;
    double least = (double)header->least;
    double most = (double)header->most;
    return header->least <= header->most && header->above <= header->count &&
           sum_possible(header->sum_ns, count, least, most) &&
           sum_possible(header->sum_squares, count, least * least, most * most);
}

/* One pair; next is the first bucket that it may name, and then the one after it. */
static bool get_pair(struct span *bytes, uint32_t *next, uint32_t *bucket, uint32_t *times)
{
    uint64_t skip, number;
    if (!get_number(bytes, &skip) || !get_number(bytes, &number))
        return false;
    if (skip >= HIST_BUCKETS - *next || number == 0 || number > UINT32_MAX)
        return false;
    *bucket = *next + (uint32_t)skip;
    *times = (uint32_t)number;
    *next = *bucket + 1;
    return true;
}

/* Whether the pairs hold what the header says: every record once, between least and most. */
static bool pairs_fit(struct span pairs, const struct header *header)
{
    uint64_t seen = header->above, zeros = 0;
    uint32_t next = 0, bucket = 0, times = 0;
    uint32_t first = HIST_BUCKETS, last = 0;
    while (pairs.bytes > 0) {
        if (!get_pair(&pairs, &next, &bucket, &times))
            return false;
        if (first == HIST_BUCKETS)
            first = bucket;
        last = bucket;
        zeros += bucket == 0 ? times : 0;
        seen += times;
    }
    if (seen != header->count)
        return false;
    if (header->count == 0)
        return true;
    bool any = first != HIST_BUCKETS;
    bool above = header->above > 0;
    bool least_fits = any ? header->least < top_ns && hist_bucket_of(header->least) == first
                          : header->least >= top_ns;
    /* A full bucket may have passed records on, so that the last may lie above that of most. */
    bool most_fits = above ? header->most >= top_ns
                           : header->most < top_ns && hist_bucket_of(header->most) <= last;
    return least_fits && most_fits && header->below <= zeros;
}

int hist_decode(struct span bytes, struct hist *to)
{
    struct header header = {0};
    if (!get_header(&bytes, &header) || !pairs_fit(bytes, &header))
        return -EBADMSG;
    if (header.count == 0)
        return 0;
    uint32_t next = 0, bucket = 0, times = 0;
    while (bytes.bytes > 0 && get_pair(&bytes, &next, &bucket, &times))
        add_to_bucket(to, bucket, times);
    add_header(to, &header);
    return 0;
}
