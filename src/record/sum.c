/* Sums: counters in the open, status codes and histograms in a detail that is either open (full
 * histograms, can grow) or packed (encoded, shared, read-only); see sum.h. */
#include "record/sum.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct packed_status {
    uint32_t code, count;
};

struct packed_hist {
    uint32_t metric, at, bytes;
};

/* Never changes once made; freed with its last owner. */
struct packed {
    _Atomic uint32_t owners;
    uint32_t status_count, hist_count;
    struct packed_status *status;
    struct packed_hist *hists; /* by rising metric number */
    char *bytes;
};

struct result_detail {
    size_t metric_count;
    bool open;
    struct hist **hists;     /* by metric; open: the truth, packed: decoded for good; or NULL */
    uint32_t *status;        /* open only */
    struct packed *packed;   /* open: a copy that is still true, or NULL */
    struct sum_cache *cache; /* packed: where to decode; NULL: in hists */
};

struct cache_slot {
    const struct packed *packed;
    uint32_t metric;
    struct hist *hist;
};

struct sum_cache {
    size_t next;
    struct cache_slot slots[RESULT_DECODED];
};

static const struct hist hist_empty = {
    .least = NSEC_NEVER, .most = -1, .first_bucket = HIST_BUCKETS, .last_bucket = 0};

/* ---- packed ---------------------------------------------------------------------------------- */

static struct packed *packed_share(struct packed *packed)
{
    atomic_fetch_add_explicit(&packed->owners, 1, memory_order_relaxed);
    return packed;
}

static struct packed *packed_release(struct packed *packed)
{
    if (packed && atomic_fetch_sub_explicit(&packed->owners, 1, memory_order_acq_rel) == 1) {
        free(packed->status);
        free(packed->hists);
        free(packed->bytes);
        free(packed);
    }
    return NULL;
}

static struct packed *packed_new(const struct result_detail *detail)
{
    struct packed *packed = memory_new(1, sizeof *packed);
    struct packed_status status[TALLY_STATUS_CODES];
    atomic_init(&packed->owners, 1);
    for (uint32_t code = 0; code < TALLY_STATUS_CODES; code++)
        if (detail->status[code])
            status[packed->status_count++] =
                (struct packed_status){.code = code, .count = detail->status[code]};
    packed->status = memory_new(packed->status_count, sizeof *status);
    memcpy(packed->status, status, packed->status_count * sizeof *status);

    struct text bytes = TEXT_EMPTY;
    packed->hists = memory_new(detail->metric_count, sizeof *packed->hists);
    for (uint32_t m = 0; m < detail->metric_count; m++) {
        const struct hist *hist = detail->hists[m];
        if (!hist || hist->count == 0)
            continue;
        struct packed_hist *row = &packed->hists[packed->hist_count++];
        *row = (struct packed_hist){.metric = m, .at = (uint32_t)bytes.bytes};
        hist_encode(hist, &bytes);
        row->bytes = (uint32_t)bytes.bytes - row->at;
    }
    packed->hists = memory_resize(packed->hists, packed->hist_count, sizeof *packed->hists);
    size_t used = bytes.bytes + 1;
    packed->bytes = memory_resize(text_take(&bytes), used, 1);
    return packed;
}

static const struct packed_hist *packed_find(const struct packed *packed, uint32_t metric)
{
    for (uint32_t i = 0; i < packed->hist_count; i++)
        if (packed->hists[i].metric == metric)
            return &packed->hists[i];
    return NULL;
}

static void packed_decode(const struct packed *packed, const struct packed_hist *row,
                          struct hist *to)
{
    struct span bytes = {.at = packed->bytes + row->at, .bytes = row->bytes};
    int error = hist_decode(bytes, to);
    check(error == 0); /* we encoded it ourselves */
}

/* ---- the cache of decoded histograms --------------------------------------------------------- */

struct sum_cache *sum_cache_new(void)
{
    return memory_new(1, sizeof(struct sum_cache));
}

struct sum_cache *sum_cache_free(struct sum_cache *cache)
{
    if (cache)
        for (size_t i = 0; i < RESULT_DECODED; i++)
            free(cache->slots[i].hist);
    free(cache);
    return NULL;
}

static const struct hist *cache_hist(struct sum_cache *cache, const struct packed *packed,
                                     const struct packed_hist *row)
{
    for (size_t i = 0; i < RESULT_DECODED; i++)
        if (cache->slots[i].packed == packed && cache->slots[i].metric == row->metric)
            return cache->slots[i].hist;
    struct cache_slot *slot = &cache->slots[cache->next];
    cache->next = (cache->next + 1) % RESULT_DECODED;
    if (slot->hist) {
        hist_clear(slot->hist);
    } else {
        slot->hist = memory_new(1, sizeof *slot->hist);
        hist_init(slot->hist);
    }
    slot->packed = packed;
    slot->metric = row->metric;
    packed_decode(packed, row, slot->hist);
    return slot->hist;
}

/* ---- sums ------------------------------------------------------------------------------------ */

static struct hist *detail_hist(struct result_detail *detail, uint32_t metric)
{
    if (!detail->hists[metric]) {
        detail->hists[metric] = memory_new(1, sizeof(struct hist));
        hist_init(detail->hists[metric]);
    }
    return detail->hists[metric];
}

static struct result_sum *sum_new(const struct metric_table *metrics)
{
    struct result_sum *sum = memory_new(1, sizeof *sum);
    sum->counters = memory_new(metrics->counter_count, sizeof *sum->counters);
    sum->detail = memory_new(1, sizeof *sum->detail);
    sum->detail->metric_count = metrics->hist_count;
    return sum;
}

struct result_sum *result_sum_new(const struct metric_table *metrics)
{
    struct result_sum *sum = sum_new(metrics);
    sum->detail->open = true;
    sum->detail->hists = memory_new(metrics->hist_count, sizeof *sum->detail->hists);
    sum->detail->status = memory_new(TALLY_STATUS_CODES, sizeof *sum->detail->status);
    return sum;
}

struct result_sum *result_sum_free(struct result_sum *sum, const struct metric_table *metrics)
{
    if (!sum)
        return NULL;
    check(metrics->hist_count == sum->detail->metric_count);
    if (sum->detail->hists)
        for (size_t m = 0; m < sum->detail->metric_count; m++)
            free(sum->detail->hists[m]);
    free(sum->detail->hists);
    free(sum->detail->status);
    packed_release(sum->detail->packed);
    free(sum->detail);
    free(sum->counters);
    free(sum);
    return NULL;
}

/* Adding needs full histograms: those of a packed sum are decoded. */
static void sum_open(struct result_sum *sum)
{
    struct result_detail *detail = sum->detail;
    if (detail->open) {
        detail->packed = packed_release(detail->packed); /* about to be untrue */
        return;
    }
    const struct packed *packed = detail->packed;
    if (!detail->hists)
        detail->hists = memory_new(detail->metric_count, sizeof *detail->hists);
    for (uint32_t i = 0; i < packed->hist_count; i++)
        if (!detail->hists[packed->hists[i].metric])
            packed_decode(packed, &packed->hists[i], detail_hist(detail, packed->hists[i].metric));
    detail->status = memory_new(TALLY_STATUS_CODES, sizeof *detail->status);
    for (uint32_t i = 0; i < packed->status_count; i++)
        detail->status[packed->status[i].code] = packed->status[i].count;
    detail->open = true;
    detail->cache = NULL;
    detail->packed = packed_release(detail->packed);
}

void sum_clear(struct result_sum *sum, const struct metric_table *metrics)
{
    sum_open(sum);
    memset(sum->counters, 0, metrics->counter_count * sizeof *sum->counters);
    memset(sum->detail->status, 0, TALLY_STATUS_CODES * sizeof *sum->detail->status);
    for (size_t m = 0; m < metrics->hist_count; m++)
        if (sum->detail->hists[m] && sum->detail->hists[m]->count > 0)
            hist_clear(sum->detail->hists[m]);
    sum->begin_ns = sum->end_ns = sum->measured_ns = 0;
}

void sum_add_tally(struct result_sum *sum, const struct tally *tally,
                   const struct metric_table *metrics)
{
    sum_open(sum);
    for (size_t m = 0; m < metrics->counter_count; m++)
        sum->counters[m] += tally->counters[m];
    for (size_t code = 0; code < TALLY_STATUS_CODES; code++)
        sum->detail->status[code] += tally->status[code];
    for (uint32_t m = 0; m < metrics->hist_count; m++)
        if (tally->hists[m] && tally->hists[m]->count > 0)
            hist_merge(detail_hist(sum->detail, m), tally->hists[m]);
}

static void add_packed(struct result_detail *to, const struct packed *from)
{
    for (uint32_t i = 0; i < from->status_count; i++)
        to->status[from->status[i].code] += from->status[i].count;
    for (uint32_t i = 0; i < from->hist_count; i++)
        packed_decode(from, &from->hists[i], detail_hist(to, from->hists[i].metric));
}

void sum_extend(struct result_sum *to, nsec_t begin_ns, nsec_t end_ns, nsec_t measured_ns)
{
    if (end_ns <= begin_ns)
        return;
    if (to->end_ns <= to->begin_ns) {
        to->begin_ns = begin_ns;
        to->end_ns = end_ns;
        to->measured_ns = measured_ns;
        return;
    }
    nsec_t overlap_begin = to->begin_ns > begin_ns ? to->begin_ns : begin_ns;
    nsec_t overlap_end = to->end_ns < end_ns ? to->end_ns : end_ns;
    nsec_t shorter = to->end_ns - to->begin_ns;
    if (end_ns - begin_ns < shorter)
        shorter = end_ns - begin_ns;
    if (overlap_end - overlap_begin <= shorter / 2)
        to->measured_ns += measured_ns;
    else if (measured_ns > to->measured_ns)
        to->measured_ns = measured_ns;
    if (begin_ns < to->begin_ns)
        to->begin_ns = begin_ns;
    if (end_ns > to->end_ns)
        to->end_ns = end_ns;
}

void result_sum_merge(struct result_sum *to, const struct result_sum *from,
                      const struct metric_table *metrics)
{
    sum_open(to);
    for (size_t m = 0; m < metrics->counter_count; m++)
        to->counters[m] += from->counters[m];
    if (from->detail->packed) {
        add_packed(to->detail, from->detail->packed);
    } else {
        for (size_t code = 0; code < TALLY_STATUS_CODES; code++)
            to->detail->status[code] += from->detail->status[code];
        for (uint32_t m = 0; m < metrics->hist_count; m++)
            if (from->detail->hists[m] && from->detail->hists[m]->count > 0)
                hist_merge(detail_hist(to->detail, m), from->detail->hists[m]);
    }
    sum_extend(to, from->begin_ns, from->end_ns, from->measured_ns);
}

struct result_sum *sum_share(struct result_sum *sum, const struct metric_table *metrics,
                             struct sum_cache *cache)
{
    if (!sum->detail->packed)
        sum->detail->packed = packed_new(sum->detail);
    struct result_sum *copy = sum_new(metrics);
    memcpy(copy->counters, sum->counters, metrics->counter_count * sizeof *copy->counters);
    copy->begin_ns = sum->begin_ns;
    copy->end_ns = sum->end_ns;
    copy->measured_ns = sum->measured_ns;
    copy->detail->packed = packed_share(sum->detail->packed);
    copy->detail->cache = cache;
    return copy;
}

const struct hist *result_hist(const struct result_sum *sum, uint32_t metric)
{
    struct result_detail *detail = sum->detail;
    check(metric < detail->metric_count);
    if (detail->hists && detail->hists[metric])
        return detail->hists[metric];
    if (detail->open)
        return &hist_empty;
    const struct packed_hist *row = packed_find(detail->packed, metric);
    if (!row)
        return &hist_empty;
    if (detail->cache)
        return cache_hist(detail->cache, detail->packed, row);
    if (!detail->hists)
        detail->hists = memory_new(detail->metric_count, sizeof *detail->hists);
    packed_decode(detail->packed, row, detail_hist(detail, metric));
    return detail->hists[metric];
}

uint64_t result_status(const struct result_sum *sum, uint32_t code)
{
    const struct result_detail *detail = sum->detail;
    if (code >= TALLY_STATUS_CODES)
        return 0;
    if (detail->open)
        return detail->status[code];
    for (uint32_t i = 0; i < detail->packed->status_count; i++)
        if (detail->packed->status[i].code == code)
            return detail->packed->status[i].count;
    return 0;
}
