/* How long it takes to record a duration, and to work with what was recorded. Prints; judges
 * nothing. */
#include "stat/hist.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "stat/distribution.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { VALUES = 1 << 16, ROUNDS = 300, REPEATS = 2000 };

static double best(double one, double other)
{
    return one < other ? one : other;
}

static double time_record(struct hist *hist, const nsec_t *values)
{
    double least = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        nsec_t begin = clock_monotonic_ns();
        for (size_t i = 0; i < VALUES; i++)
            hist_record(hist, values[i]);
        least = best(least, (double)(clock_monotonic_ns() - begin) / VALUES);
    }
    return least;
}

static nsec_t quantiles(const struct hist *hist)
{
    nsec_t p50 = 0, p99 = 0;
    hist_quantile(hist, 0.5, &p50);
    hist_quantile(hist, 0.99, &p99);
    return p50 + p99;
}

int main(void)
{
    struct random random = {.key = random_key(1, "bench", 0)};
    nsec_t *values = memory_new(VALUES, sizeof(*values));
    struct hist *hist = memory_new(1, sizeof(*hist)), *sum = memory_new(1, sizeof(*sum));
    hist_init(hist);
    hist_init(sum);
    for (size_t i = 0; i < VALUES; i++) /* lognormal around 1 ms */
        values[i] = (nsec_t)(exp(0.8 * normal_quantile(random_unit(&random))) * 1e6);
    printf("record, lognormal     %7.2f ns\n", time_record(hist, values));
    struct text bytes = TEXT_EMPTY;
    double merge = INFINITY, encode = INFINITY, decode = INFINITY, quantile = INFINITY;
    nsec_t used = 0;
    for (int i = 0; i < REPEATS; i++) {
        nsec_t begin = clock_monotonic_ns();
        hist_merge(sum, hist);
        nsec_t merged = clock_monotonic_ns();
        text_clear(&bytes);
        hist_encode(hist, &bytes);
        nsec_t encoded = clock_monotonic_ns();
        hist_clear(sum);
        nsec_t cleared = clock_monotonic_ns();
        if (hist_decode(text_span(&bytes), sum) != 0)
            return 1;
        nsec_t decoded = clock_monotonic_ns();
        used += quantiles(hist);
        nsec_t done = clock_monotonic_ns();
        merge = best(merge, (double)(merged - begin));
        encode = best(encode, (double)(encoded - merged));
        decode = best(decode, (double)(decoded - cleared));
        quantile = best(quantile, (double)(done - decoded) / 2);
    }
    printf("merge                 %7.0f ns   (%u buckets between least and most)\n", merge,
           hist->last_bucket - hist->first_bucket + 1);
    printf("encode                %7.0f ns   (%zu bytes)\n", encode, bytes.bytes);
    printf("decode                %7.0f ns\n", decode);
    printf("quantile              %7.0f ns\n", quantile);
    for (size_t i = 0; i < VALUES; i++)
        values[i] = 1000000;
    printf("record, all the same  %7.2f ns   (each waits for the one before)\n",
           time_record(hist, values));
    text_fini(&bytes);
    free(values);
    free(hist);
    free(sum);
    return used == 0;
}
