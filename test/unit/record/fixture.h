/* What the tests of record share: three requests, four phases, metrics with a driver's
 * own, a scratch directory, and blocks filled with known numbers. */
#ifndef TEST_RECORD_FIXTURE_H
#define TEST_RECORD_FIXTURE_H

#include "base/check.h"
#include "base/memory.h"
#include "base/random.h"
#include "record/recorder.h"
#include "record/result.h"
#include "record/tally.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FIX_REQUESTS = 3, FIX_RULES = 2, FIX_PHASES = 4 };

struct fixture {
    struct run_declared run;
    struct run_request requests[FIX_REQUESTS];
    struct run_service rules[FIX_RULES];
    struct run_phase phases[FIX_PHASES];
    struct metric_table metrics;
    uint32_t tokens, first_token; /* the driver's counter and histogram */
    char directory[64];
    char path[128];
};

static inline void fixture_init(struct fixture *fix)
{
    memset(fix, 0, sizeof *fix);
    fix->requests[0] = (struct run_request){"chat", "chat", "main"};
    fix->requests[1] = (struct run_request){"browse/list", "browse", "main"};
    fix->requests[2] = (struct run_request){"browse/read", "browse", "main"};
    fix->rules[0] = (struct run_service){"qdrant", "timeout", .failure = true};
    fix->rules[1] = (struct run_service){"qdrant", "ok", .failure = false};
    static const char *const names[] = {"warm-up", "level 1 of 2", "level 2 of 2", "cool-down"};
    for (uint32_t i = 0; i < FIX_PHASES; i++)
        fix->phases[i] = (struct run_phase){.number = i,
                                            .name = names[i],
                                            .begin_ns = i * 2 * NSEC_PER_SEC,
                                            .end_ns = (i + 1) * 2 * NSEC_PER_SEC,
                                            .target = 10.0 * i,
                                            .excluded = i == 0 || i == 3,
                                            .level = i == 1 || i == 2};
    metric_table_init(&fix->metrics);
    const struct metric own[] = {
        {.name = "tokens", .kind = METRIC_COUNTER, .unit = "tokens", .sentence = "Tokens read."},
        {.name = "ttft", .kind = METRIC_HISTOGRAM, .unit = "ns", .sentence = "First token."},
    };
    metric_table_add(&fix->metrics, own, 2, &fix->tokens, &fix->first_token);
    static const struct run_label label = {"commit", "abc'1"};
    fix->run.head = (struct run_head){.id = "20261120T140203Z-1f2e3d",
                                      .name = "gateway",
                                      .plan_source = "target: \"http://x\"\n",
                                      .target = "http://127.0.0.1:8000",
                                      .version = "0.1.0",
                                      .host = "box",
                                      .kernel = "6.1",
                                      .cpu = "cpu",
                                      .cores = 2,
                                      .seed = UINT64_MAX - 1,
                                      .segments = 2,
                                      .wall_start_ns = 1763647323 * NSEC_PER_SEC,
                                      .interval_ns = NSEC_PER_SEC,
                                      .time_scale = 1};
    fix->run.metrics = &fix->metrics;
    fix->run.requests = fix->requests;
    fix->run.services = fix->rules;
    fix->run.phases = fix->phases;
    fix->run.labels = &label;
    fix->run.request_count = FIX_REQUESTS;
    fix->run.service_count = FIX_RULES;
    fix->run.phase_count = FIX_PHASES;
    fix->run.label_count = 1;
    snprintf(fix->directory, sizeof fix->directory, "/tmp/plimsoll-record-XXXXXX");
    assert_non_null(mkdtemp(fix->directory));
    snprintf(fix->path, sizeof fix->path, "%s/run.plim", fix->directory);
}

/* Removes a directory of plain files. */
static inline void remove_directory(const char *directory)
{
    DIR *handle = opendir(directory);
    for (struct dirent *entry = handle ? readdir(handle) : NULL; entry; entry = readdir(handle)) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        unlink(path);
    }
    if (handle)
        closedir(handle);
    rmdir(directory);
}

static inline void fixture_fini(struct fixture *fix)
{
    metric_table_fini(&fix->metrics);
    remove_directory(fix->directory);
}

static inline struct recorder *fixture_recorder(struct fixture *fix, const char *path)
{
    struct recorder *recorder = NULL;
    int error = recorder_new(&recorder, path, &fix->run);
    assert_int_equal(error, 0);
    return recorder;
}

/* Counts `requests` requests, from a sequence of its own for each (segment, interval): some fail,
 * one in ten times out. What is counted depends on nothing but the arguments. */
static inline void fill_block(const struct fixture *fix, struct tally_block *block,
                              uint32_t segment, uint32_t interval, uint32_t requests)
{
    struct random random = {.key = random_key(7, "fill", segment * 100000u + interval)};
    block->segment = segment;
    block->phase = interval / 2 < FIX_PHASES ? interval / 2 : FIX_PHASES - 1;
    block->first_interval = block->last_interval = interval;
    block->begin_ns = interval * NSEC_PER_SEC;
    block->end_ns = block->begin_ns + NSEC_PER_SEC;
    for (uint32_t i = 0; i < requests; i++) {
        struct tally *tally = &block->requests[random_below_of(random_next(&random), FIX_REQUESTS)];
        nsec_t response = (nsec_t)(1e6 / random_unit(&random));
        tally_count(tally, COUNT_OFFERED, 1);
        tally_count(tally, COUNT_STARTED, 1);
        tally_time(tally, HIST_LAG, response / 1000);
        if (i % 10 == 3) {
            tally_count(tally, COUNT_TIMED_OUT, 1);
            tally_count(tally, COUNT_ERROR_RESPONSE_TIMEOUT, 1);
            tally_time(tally, HIST_CENSORED, 30 * NSEC_PER_SEC);
            continue;
        }
        tally_count(tally, COUNT_SUCCEEDED, 1);
        tally_count(tally, fix->tokens, 5);
        tally_time(tally, HIST_RESPONSE, response);
        tally_time(tally, HIST_SERVICE, response / 2);
        tally_time(tally, fix->first_token, response / 3);
        tally->status[i % 7 == 0 ? 503 : 200]++;
    }
    block->rules[interval % FIX_RULES].hits += requests;
    hist_record(block->loop_lag, 1000 + interval);
    block->gauges[GAUGE_USERS] = 10 + interval;
    block->gauges[GAUGE_BUSY] = 0.1 * (segment + 1);
    block->gauges[GAUGE_CPU] = 1e6;
}

/* Fills an empty block of the exchange and hands it in; waits for one if need be. */
static inline void hand_in(const struct fixture *fix, struct tally_exchange *exchange,
                           uint32_t segment, uint32_t interval, uint32_t requests)
{
    struct tally_block *block = ring_take(&exchange->empty);
    while (!block) {
        usleep(200);
        block = ring_take(&exchange->empty);
    }
    fill_block(fix, block, segment, interval, requests);
    bool room = ring_put(&exchange->full, block);
    check(room);
}

static inline void assert_hist_equal(const struct hist *one, const struct hist *other)
{
    assert_int_equal(one->count, other->count);
    assert_int_equal(one->above, other->above);
    assert_int_equal(one->below, other->below);
    if (one->count == 0)
        return;
    assert_int_equal(one->least, other->least);
    assert_int_equal(one->most, other->most);
    assert_true(one->sum_ns == other->sum_ns);
    assert_memory_equal(one->buckets, other->buckets, sizeof one->buckets);
}

static inline void assert_sum_equal(const struct result_sum *one, const struct result_sum *other,
                                    const struct metric_table *metrics)
{
    assert_int_equal(!one, !other);
    if (!one)
        return;
    for (size_t m = 0; m < metrics->counter_count; m++)
        assert_int_equal(one->counters[m], other->counters[m]);
    for (uint32_t m = 0; m < metrics->hist_count; m++)
        assert_hist_equal(result_hist(one, m), result_hist(other, m));
    for (uint32_t code = 0; code < TALLY_STATUS_CODES; code++)
        assert_int_equal(result_status(one, code), result_status(other, code));
    assert_int_equal(one->begin_ns, other->begin_ns);
    assert_int_equal(one->end_ns, other->end_ns);
    assert_int_equal(one->measured_ns, other->measured_ns);
}

/* Whether two results say the same in everything but how they ended and what they were called. */
/* A series by what it is of, whatever its number is in the other. */
static inline void assert_series_equal(const struct result *one, const struct result *other,
                                       size_t number)
{
    const struct result_series *a = &one->series[number], *b;
    const struct result_watched *watched = &one->watched[a->watched];
    b = result_series_find(other, watched->name, a->metric, a->part);
    assert_non_null(b);
    assert_string_equal(watched->role, other->watched[b->watched].role);
    assert_string_equal(watched->probe, other->watched[b->watched].probe);
    assert_string_equal(a->unit, b->unit);
    assert_string_equal(a->sentence, b->sentence);
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->at_ns, b->at_ns, a->count * sizeof *a->at_ns);
    assert_memory_equal(a->took_ns, b->took_ns, a->count * sizeof *a->took_ns);
    assert_memory_equal(a->values, b->values, a->count * sizeof *a->values);
}

static inline void assert_result_equal(const struct result *one, const struct result *other)
{
    const struct metric_table *metrics = &one->metrics;
    assert_int_equal(metrics->counter_count, other->metrics.counter_count);
    assert_int_equal(metrics->hist_count, other->metrics.hist_count);
    assert_int_equal(one->end_ns, other->end_ns);
    assert_sum_equal(one->total, other->total, metrics);
    assert_hist_equal(one->loop_lag, other->loop_lag);
    assert_int_equal(one->phase_count, other->phase_count);
    for (size_t p = 0; p < one->phase_count; p++) {
        const struct result_phase *a = &one->phases[p], *b = &other->phases[p];
        assert_string_equal(a->name, b->name);
        assert_sum_equal(a->sum, b->sum, metrics);
        assert_int_equal(a->begin_ns, b->begin_ns);
        assert_int_equal(a->end_ns, b->end_ns);
        assert_true(a->users - b->users < 1e-4 && b->users - a->users < 1e-4);
        assert_int_equal(a->waiting_begin, b->waiting_begin);
        assert_int_equal(a->waiting_end, b->waiting_end);
        assert_int_equal(a->in_flight_begin, b->in_flight_begin);
        assert_int_equal(a->in_flight_end, b->in_flight_end);
        assert_int_equal(a->excluded, b->excluded);
        assert_int_equal(a->level, b->level);
    }
    assert_int_equal(one->request_count, other->request_count);
    for (size_t r = 0; r < one->request_count; r++) {
        assert_string_equal(one->requests[r].name, other->requests[r].name);
        assert_sum_equal(one->requests[r].sum, other->requests[r].sum, metrics);
        for (size_t p = 0; p < one->phase_count; p++)
            assert_sum_equal(one->requests[r].phase[p], other->requests[r].phase[p], metrics);
    }
    assert_int_equal(one->point_count, other->point_count);
    for (size_t i = 0; i < one->point_count; i++) {
        const struct result_point *a = &one->points[i], *b = &other->points[i];
        assert_int_equal(a->begin_ns, b->begin_ns);
        assert_int_equal(a->end_ns, b->end_ns);
        assert_int_equal(a->phase, b->phase);
        assert_int_equal(a->saturated, b->saturated);
        for (size_t g = 0; g < CORE_GAUGES; g++)
            assert_true(a->gauges[g] == b->gauges[g]);
        assert_sum_equal(a->sum, b->sum, metrics);
        for (size_t r = 0; r < one->request_count; r++)
            assert_sum_equal(a->requests[r], b->requests[r], metrics);
    }
    assert_int_equal(one->service_count, other->service_count);
    for (size_t i = 0; i < one->service_count; i++)
        assert_int_equal(one->services[i].hits, other->services[i].hits);
    assert_int_equal(one->watched_count, other->watched_count);
    assert_int_equal(one->series_count, other->series_count);
    for (size_t i = 0; i < one->series_count; i++)
        assert_series_equal(one, other, i);
}

#endif
