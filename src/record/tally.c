/* The blocks in which a loop thread counts, and their exchange with the recorder.
 *
 * A histogram takes 35 KiB, most of which is never touched; it is made when the first duration of
 * its metric comes and kept with the block from then on. Clearing a block costs what was used. */
#include "record/tally.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static struct tally_block *block_new(const struct metric_table *metrics, uint32_t segment,
                                     size_t request_count, size_t rule_count)
{
    struct tally_block *block = memory_new(1, sizeof *block);
    block->segment = segment;
    block->request_count = request_count;
    block->requests = memory_new(request_count, sizeof *block->requests);
    for (size_t i = 0; i < request_count; i++) {
        block->requests[i].counters = memory_new(metrics->counter_count, sizeof(uint64_t));
        block->requests[i].hists = memory_new(metrics->hist_count, sizeof(struct hist *));
    }
    block->rule_count = rule_count;
    block->rules = memory_new(rule_count, sizeof *block->rules);
    block->loop_lag = memory_new(1, sizeof *block->loop_lag);
    hist_init(block->loop_lag);
    return block;
}

static void block_free(struct tally_block *block, const struct metric_table *metrics)
{
    if (!block)
        return;
    for (size_t i = 0; i < block->request_count; i++) {
        for (size_t m = 0; m < metrics->hist_count; m++)
            free(block->requests[i].hists[m]);
        free(block->requests[i].hists);
        free(block->requests[i].counters);
    }
    free(block->requests);
    free(block->rules);
    free(block->loop_lag);
    free(block);
}

void tally_exchange_init(struct tally_exchange *exchange, const struct metric_table *metrics,
                         uint32_t segment, size_t request_count, size_t rule_count)
{
    ring_init(&exchange->full);
    ring_init(&exchange->empty);
    exchange->metrics = metrics;
    exchange->trace = NULL;
    for (size_t i = 0; i < TALLY_BLOCKS; i++) {
        exchange->blocks[i] = block_new(metrics, segment, request_count, rule_count);
        bool room = ring_put(&exchange->empty, exchange->blocks[i]);
        check(room);
    }
}

void tally_exchange_fini(struct tally_exchange *exchange)
{
    for (size_t i = 0; i < TALLY_BLOCKS; i++) {
        block_free(exchange->blocks[i], exchange->metrics);
        exchange->blocks[i] = NULL;
    }
    exchange->trace = trace_ring_free(exchange->trace);
}

void tally_exchange_trace(struct tally_exchange *exchange)
{
    check(!exchange->trace);
    exchange->trace = trace_ring_new();
}

void tally_block_clear(struct tally_block *block, const struct metric_table *metrics)
{
    for (size_t i = 0; i < block->request_count; i++) {
        struct tally *tally = &block->requests[i];
        memset(tally->counters, 0, metrics->counter_count * sizeof *tally->counters);
        memset(tally->status, 0, sizeof tally->status);
        for (size_t m = 0; m < metrics->hist_count; m++)
            if (tally->hists[m] && tally->hists[m]->count > 0)
                hist_clear(tally->hists[m]);
    }
    for (size_t i = 0; i < block->rule_count; i++)
        block->rules[i].hits = 0;
    memset(block->gauges, 0, sizeof block->gauges);
    hist_clear(block->loop_lag);
    block->example_count = 0;
    block->phase = 0;
    block->first_interval = block->last_interval = 0;
    block->begin_ns = block->end_ns = 0;
}

static void tally_merge(struct tally *to, const struct tally *from,
                        const struct metric_table *metrics)
{
    for (size_t m = 0; m < metrics->counter_count; m++)
        to->counters[m] += from->counters[m];
    for (size_t code = 0; code < TALLY_STATUS_CODES; code++)
        to->status[code] += from->status[code];
    for (uint32_t m = 0; m < metrics->hist_count; m++) {
        const struct hist *hist = from->hists[m];
        if (hist && hist->count > 0)
            hist_merge(to->hists[m] ? to->hists[m] : tally_hist(to, m), hist);
    }
}

void tally_block_merge(struct tally_block *to, const struct tally_block *from,
                       const struct metric_table *metrics)
{
    check(to->request_count == from->request_count && to->rule_count == from->rule_count);
    bool later = from->end_ns >= to->end_ns;
    for (size_t i = 0; i < to->request_count; i++)
        tally_merge(&to->requests[i], &from->requests[i], metrics);
    for (size_t i = 0; i < to->rule_count; i++)
        to->rules[i].hits += from->rules[i].hits;
    hist_merge(to->loop_lag, from->loop_lag);
    for (uint32_t i = 0; i < from->example_count; i++)
        tally_example(to, from->examples[i]);
    if (later) { /* gauges are levels at the block's end */
        memcpy(to->gauges, from->gauges, sizeof to->gauges);
        to->end_ns = from->end_ns;
        to->last_interval = from->last_interval;
    }
    if (from->begin_ns < to->begin_ns) {
        to->begin_ns = from->begin_ns;
        to->first_interval = from->first_interval;
    }
}

struct hist *tally_hist(struct tally *tally, uint32_t metric)
{
    if (!tally->hists[metric]) {
        tally->hists[metric] = memory_new(1, sizeof(struct hist));
        hist_init(tally->hists[metric]);
    }
    return tally->hists[metric];
}

/* A place for one more example: a free one, or the last of the kind that has most, if this kind has
 * none yet. NULL: no room. */
static struct tally_example *example_place(struct tally_block *block, uint32_t error)
{
    if (block->example_count < TALLY_EXAMPLES)
        return &block->examples[block->example_count++];
    struct tally_example *victim = NULL;
    uint32_t most = 1;
    for (uint32_t i = 0; i < TALLY_EXAMPLES; i++) {
        if (block->examples[i].error == error)
            return NULL;
        uint32_t same = 0;
        for (uint32_t j = 0; j <= i; j++)
            same += block->examples[j].error == block->examples[i].error;
        if (same > most) {
            most = same;
            victim = &block->examples[i];
        }
    }
    return victim;
}

void tally_example(struct tally_block *block, struct tally_example example)
{
    example.words[TALLY_EXAMPLE_BYTES - 1] = '\0';
    if (example.times == 0)
        example.times = 1;
    for (uint32_t i = 0; i < block->example_count; i++) {
        struct tally_example *known = &block->examples[i];
        if (known->request == example.request && known->error == example.error &&
            known->status == example.status && strcmp(known->words, example.words) == 0) {
            known->times += example.times;
            return;
        }
    }
    struct tally_example *place = example_place(block, example.error);
    if (place)
        *place = example;
}
