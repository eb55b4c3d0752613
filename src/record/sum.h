/* record/sum.h - inside of record: how a result_sum keeps its status codes and histograms.
 *
 * An open sum has full histograms and can be added to. A packed sum holds them encoded, a few
 * hundred bytes each; packed bytes never change and are shared by count, so that a copy of the live
 * picture costs a pointer for each point. */
#ifndef RECORD_SUM_H
#define RECORD_SUM_H

#include "record/result.h"
#include "record/tally.h"

/* Decoded histograms of points: the last RESULT_DECODED asked for. */
struct sum_cache;
struct sum_cache *sum_cache_new(void);
/* Frees it; NULL is fine; returns NULL. */
struct sum_cache *sum_cache_free(struct sum_cache *cache);

/* Empties an open sum, touching only what was used. */
void sum_clear(struct result_sum *sum, const struct metric_table *metrics);

/* Adds a request's tally to an open sum. */
void sum_add_tally(struct result_sum *sum, const struct tally *tally,
                   const struct metric_table *metrics);

/* A copy that shares the packed form; an open sum is packed first if it changed since. The copy
 * decodes through the cache, or for good when cache is NULL. Owner: caller. */
struct result_sum *sum_share(struct result_sum *sum, const struct metric_table *metrics,
                             struct sum_cache *cache);

/* Makes the stretch of time of one include that of the other; see result_sum_merge. */
void sum_extend(struct result_sum *to, nsec_t begin_ns, nsec_t end_ns, nsec_t measured_ns);

#endif
