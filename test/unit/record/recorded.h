/* A run recorded from known numbers, for the tests that read it back. */
#ifndef TEST_RECORD_RECORDED_H
#define TEST_RECORD_RECORDED_H

#include "fixture.h"

#include <math.h>

enum { INTERVALS = 8, REQUESTS = 300 };

/* Records what threads first .. last counted in all intervals. */
static inline struct result *record(struct fixture *fix, const char *path, uint32_t first,
                                    uint32_t last)
{
    struct recorder *recorder = fixture_recorder(fix, path);
    struct tally_exchange exchange[4];
    const struct metric load = {
        .name = "cpu.busy", .kind = METRIC_GAUGE, .unit = "1", .sentence = "busy", .source = "us"};
    uint32_t host = recorder_watched(recorder, "host", "generator", "cpu");
    for (uint32_t k = first; k <= last; k++) {
        tally_exchange_init(&exchange[k], &fix->metrics, k, FIX_REQUESTS, FIX_RULES);
        recorder_attach(recorder, &exchange[k]);
    }
    for (uint32_t i = 0; i < INTERVALS; i++) {
        for (uint32_t k = first; k <= last; k++) {
            hand_in(fix, &exchange[k], k, i, REQUESTS);
            char part[8];
            snprintf(part, sizeof part, "cpu%u", k);
            recorder_sample(recorder, host, &load, part, i * NSEC_PER_SEC, 9, 0.25 * k + i);
            recorder_sample(recorder, host, &load, part, i * NSEC_PER_SEC, 9, NAN);
            recorder_drain(recorder);
        }
    }
    struct tally_block *block = ring_take(&exchange[first].empty);
    tally_example(block, (struct tally_example){.at_ns = 5,
                                                .request = 2,
                                                .error = COUNT_ERROR_DNS,
                                                .status = -1,
                                                .words = "it's \"gone\""});
    block->phase = 3;
    block->first_interval = block->last_interval = INTERVALS;
    block->begin_ns = INTERVALS * NSEC_PER_SEC;
    block->end_ns = block->begin_ns + 1000;
    assert_true(ring_put(&exchange[first].full, block));
    recorder_event(recorder, 7, "health", "gateway: ok");
    recorder_fact(recorder, "generator.verdict", "suspect");
    recorder_fact(recorder, "generator.verdict", "ok");
    recorder_saturated(recorder, 2 * NSEC_PER_SEC, 3 * NSEC_PER_SEC, "cpu");
    assert_int_equal(recorder_close(recorder), 0);
    struct result *live = recorder_result(recorder, 0);
    recorder_free(recorder);
    for (uint32_t k = first; k <= last; k++)
        tally_exchange_fini(&exchange[k]);
    return live;
}

static inline bool exists(const char *path, const char *end)
{
    char name[512];
    struct stat status;
    snprintf(name, sizeof name, "%s%s", path, end);
    return stat(name, &status) == 0;
}

#endif
