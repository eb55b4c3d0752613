/* A result made by hand, where every number can be checked by eye: 30 seconds, three load levels,
 * two requests. */
#ifndef TEST_STUDY_FIXTURE_H
#define TEST_STUDY_FIXTURE_H

#include "base/memory.h"
#include "record/result.h"
#include "record/sum.h"
#include "record/tally.h"

#include <stdlib.h>

enum { REQUESTS = 2, PHASES = 3, POINTS = 30 };

/* What one request did in one second. */
struct second {
    uint64_t times; /* answered, with times rising by 1 ms from first_ms */
    int first_ms;
    uint64_t status_503, timed_out, dropped;
};

static inline void add_second(struct result_sum *sum, const struct metric_table *metrics,
                              const struct second *second)
{
    struct tally *tally = memory_new(1, sizeof(*tally));
    tally->counters = memory_new(metrics->counter_count, sizeof(*tally->counters));
    tally->hists = memory_new(metrics->hist_count, sizeof(struct hist *));
    for (uint32_t i = 0; i < metrics->hist_count; i++) {
        tally->hists[i] = memory_new(1, sizeof(struct hist));
        hist_init(tally->hists[i]);
    }
    for (uint64_t i = 0; i < second->times; i++) {
        nsec_t value = (second->first_ms + (nsec_t)i) * NSEC_PER_MSEC;
        hist_record(tally->hists[HIST_RESPONSE], value);
        hist_record(tally->hists[HIST_SERVICE], value / 2);
        hist_record(tally->hists[HIST_WAIT], value / 4);
    }
    for (uint64_t i = 0; i < second->timed_out; i++)
        hist_record(tally->hists[HIST_CENSORED], 60 * NSEC_PER_SEC);
    for (uint64_t i = 0; i < second->dropped; i++)
        hist_record(tally->hists[HIST_CENSORED], 0);
    tally->counters[COUNT_SUCCEEDED] = second->times;
    tally->counters[COUNT_FAILED] = second->status_503;
    tally->counters[COUNT_ERROR_HTTP_STATUS] = second->status_503;
    tally->counters[COUNT_TIMED_OUT] = second->timed_out;
    tally->counters[COUNT_ERROR_RESPONSE_TIMEOUT] = second->timed_out;
    tally->counters[COUNT_DROPPED] = second->dropped;
    tally->counters[COUNT_CHECKS_PASSED] = 3 * second->times;
    tally->counters[COUNT_CHECKS_FAILED] = second->status_503;
    tally->counters[COUNT_BYTES_IN] = 1000 * second->times;
    tally->status[200] = (uint32_t)second->times;
    tally->status[503] = (uint32_t)second->status_503;
    sum_add_tally(sum, tally, metrics);
    for (uint32_t i = 0; i < metrics->hist_count; i++)
        free(tally->hists[i]);
    free(tally->hists);
    free(tally->counters);
    free(tally);
}

static inline struct result_sum *new_sum(const struct metric_table *metrics, nsec_t begin_s,
                                         nsec_t end_s)
{
    struct result_sum *sum = result_sum_new(metrics);
    sum->begin_ns = begin_s * NSEC_PER_SEC;
    sum->end_ns = end_s * NSEC_PER_SEC;
    sum->measured_ns = (end_s - begin_s) * NSEC_PER_SEC;
    return sum;
}

/* A result owns the words of its metrics. */
static inline void own_words(struct metric *metrics, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        metrics[i].name = memory_copy_text(metrics[i].name);
        metrics[i].unit = memory_copy_text(metrics[i].unit);
        metrics[i].sentence = memory_copy_text(metrics[i].sentence);
        metrics[i].source = memory_copy_text(metrics[i].source);
    }
}

/* A run of 30 s: 10 s at level 10, 10 s at level 50, 10 s at level 100; request 0 is task "chat",
 * request 1 task "models". chat(t) and models(t) say what happened in second t. */
static inline struct result *new_result(struct second (*chat)(int t),
                                        struct second (*models)(int t))
{
    static const double targets[PHASES] = {10, 50, 100};
    struct result *result = memory_new(1, sizeof(*result));
    metric_table_init(&result->metrics);
    own_words(result->metrics.counters, result->metrics.counter_count);
    own_words(result->metrics.hists, result->metrics.hist_count);
    const struct metric_table *metrics = &result->metrics;
    result->total = new_sum(metrics, 0, POINTS);
    result->request_count = REQUESTS;
    result->requests = memory_new(REQUESTS, sizeof(*result->requests));
    result->phase_count = PHASES;
    result->phases = memory_new(PHASES, sizeof(*result->phases));
    result->point_count = POINTS;
    result->points = memory_new(POINTS, sizeof(*result->points));
    for (int p = 0; p < PHASES; p++) {
        result->phases[p].level = true;
        result->phases[p].target = targets[p];
        result->phases[p].begin_ns = p * 10 * NSEC_PER_SEC;
        result->phases[p].end_ns = (p + 1) * 10 * NSEC_PER_SEC;
        result->phases[p].sum = new_sum(metrics, p * 10, p * 10 + 10);
    }
    for (int r = 0; r < REQUESTS; r++) {
        struct result_request *request = &result->requests[r];
        request->name = memory_copy_text(r == 0 ? "chat" : "models");
        request->task = memory_copy_text(r == 0 ? "chat" : "models");
        request->scenario = memory_copy_text("default");
        request->sum = new_sum(metrics, 0, POINTS);
        request->phase = memory_new(PHASES, sizeof(struct result_sum *));
        for (int p = 0; p < PHASES; p++)
            request->phase[p] = new_sum(metrics, p * 10, p * 10 + 10);
    }
    for (int t = 0; t < POINTS; t++) {
        struct result_point *point = &result->points[t];
        point->begin_ns = t * NSEC_PER_SEC;
        point->end_ns = (t + 1) * NSEC_PER_SEC;
        point->phase = (uint32_t)(t / 10);
        point->gauges[GAUGE_USERS] = targets[t / 10];
        point->sum = new_sum(metrics, t, t + 1);
        point->requests = memory_new(REQUESTS, sizeof(struct result_sum *));
        for (int r = 0; r < REQUESTS; r++) {
            struct second second = r == 0 ? chat(t) : models(t);
            point->requests[r] = new_sum(metrics, t, t + 1);
            add_second(point->requests[r], metrics, &second);
            add_second(point->sum, metrics, &second);
            add_second(result->total, metrics, &second);
            add_second(result->phases[t / 10].sum, metrics, &second);
            add_second(result->requests[r].sum, metrics, &second);
            add_second(result->requests[r].phase[t / 10], metrics, &second);
        }
    }
    return result;
}

#endif
