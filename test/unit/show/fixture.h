/* A believable run for the tests of reports: three requests of two tasks, a warm-up and three load
 * levels in 75 intervals, errors of several kinds, two saturated intervals and a gap. It is made
 * through the recorder, as a real one is, from seeded draws. */
#ifndef TEST_SHOW_FIXTURE_H
#define TEST_SHOW_FIXTURE_H

#include "base/check.h"
#include "base/memory.h"
#include "base/random.h"
#include "plan/plan.h"
#include "record/recorder.h"
#include "record/result.h"
#include "stat/distribution.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum fixture_kind {
    FIXTURE_WHOLE,    /* as above */
    FIXTURE_EMPTY,    /* three intervals in which nothing was sent */
    FIXTURE_NOTHING,  /* no interval at all */
    FIXTURE_SINGLE,   /* one interval, seven requests */
    FIXTURE_KILLED,   /* 20 intervals, never closed */
    FIXTURE_CENSORED, /* a target that stalls: most requests time out or are dropped */
    FIXTURE_LONG,     /* 1,800 intervals */
    FIXTURE_HOSTILE,  /* names and messages that try to break out of every format */
    FIXTURE_STREAMED, /* as whole, two of its requests answered by streams of tokens */
    FIXTURE_KINDS,
};

static const char *const fixture_names[FIXTURE_KINDS] = {
    "whole", "empty", "nothing", "single", "killed", "censored", "long", "hostile", "streamed",
};

/* What the drivers of language models declare, as far as reports look at it. */
enum fixture_token_counter {
    FIXTURE_STREAMS,
    FIXTURE_EVENTS,
    FIXTURE_TOKENS,
    FIXTURE_PROMPTS,
    FIXTURE_REASONING,
    FIXTURE_USAGE,
    FIXTURE_BURSTS,
    FIXTURE_GOOD,
    FIXTURE_MISSED
};
enum fixture_token_hist { FIXTURE_TTFT, FIXTURE_TTFAT, FIXTURE_ITL, FIXTURE_TPOT, FIXTURE_E2E };
static const struct metric fixture_token_metrics[] = {
    {"streams", METRIC_COUNTER, "requests", "Streams.", "driver"},
    {"content_events", METRIC_COUNTER, "events", "Events.", "driver"},
    {"output_tokens", METRIC_COUNTER, "tokens", "Tokens.", "driver"},
    {"prompt_tokens", METRIC_COUNTER, "tokens", "Tokens of prompts.", "driver"},
    {"reasoning_tokens", METRIC_COUNTER, "tokens", "Reasoning.", "driver"},
    {"tokens_from_usage", METRIC_COUNTER, "requests", "By usage.", "driver"},
    {"burst_streams", METRIC_COUNTER, "requests", "Bursts.", "driver"},
    {"good", METRIC_COUNTER, "requests", "Good ones.", "driver"},
    {"missed", METRIC_COUNTER, "requests", "Others.", "driver"},
    {"ttft", METRIC_HISTOGRAM, "ns", "Time to first token.", "driver"},
    {"ttfat", METRIC_HISTOGRAM, "ns", "Time to first answer token.", "driver"},
    {"itl", METRIC_HISTOGRAM, "ns", "Inter-token latency.", "driver"},
    {"tpot", METRIC_HISTOGRAM, "ns", "Time per output token.", "driver"},
    {"e2e_content", METRIC_HISTOGRAM, "ns", "To the last content.", "driver"},
};

#define FIXTURE_EVIL "</script><img src=x onerror=alert(1)> \"';--|`\x1b[31m\xff\xe2\x80\xae& é"

enum { FIXTURE_REQUESTS = 3, FIXTURE_PHASES = 4 };

struct fixture_maker {
    enum fixture_kind kind;
    struct random random;
    uint64_t in_flight;
    uint32_t points;
    uint32_t token_counter, token_hist; /* numbers of the first ones of fixture_token_metrics */
};

static inline double fixture_users(uint32_t second)
{
    static const double levels[] = {10, 10, 50, 100};
    return levels[second < 6 ? 0 : second < 29 ? 1 : second < 52 ? 2 : 3];
}

static inline uint32_t fixture_phase(uint32_t second)
{
    return second < 6 ? 0 : second < 29 ? 1 : second < 52 ? 2 : 3;
}

static inline void fixture_fail(struct tally_block *block, uint32_t request, uint32_t kind,
                                int status, const char *words)
{
    struct tally *tally = &block->requests[request];
    tally_count(tally, kind, 1);
    tally_count(tally, kind == COUNT_ERROR_RESPONSE_TIMEOUT ? COUNT_TIMED_OUT : COUNT_FAILED, 1);
    struct tally_example example = {
        .at_ns = block->begin_ns, .request = request, .error = kind, .status = status};
    snprintf(example.words, sizeof example.words, "%s", words);
    tally_example(block, example);
    if (status > 0)
        tally->status[status]++;
    if (kind == COUNT_ERROR_RESPONSE_TIMEOUT)
        tally_time(tally, HIST_CENSORED, 10 * NSEC_PER_SEC);
    else
        tally_time(tally, HIST_FAILED, 40 * NSEC_PER_MSEC);
}

static inline void fixture_one(struct fixture_maker *maker, struct tally_block *block,
                               uint32_t request, double median_s, double p95_s)
{
    const struct distribution spread = {
        .spread = SPREAD_LOGNORMAL, .a = median_s, .b = p95_s, .most = 9.9};
    struct tally *tally = &block->requests[request];
    nsec_t service = (nsec_t)(distribution_draw(&spread, &maker->random) * 1e9);
    nsec_t lag = (nsec_t)(40e3 * -log(random_unit(&maker->random)));
    tally_count(tally, COUNT_SUCCEEDED, 1);
    tally_time(tally, HIST_SERVICE, service);
    tally_time(tally, HIST_RESPONSE, service + lag);
    tally_time(tally, HIST_LAG, lag);
    tally_time(tally, HIST_LATE, lag / 4);
    tally_time(tally, HIST_SEND, 9 * NSEC_PER_USEC);
    tally_time(tally, HIST_WAIT, service / 5);
    tally_time(tally, HIST_RECEIVE, service - service / 5);
    tally_count(tally, COUNT_BYTES_IN, request == 0 ? 2140 : 310);
    tally_count(tally, COUNT_BYTES_OUT, request == 0 ? 1180 : 140);
    tally_count(tally, COUNT_CHECKS_PASSED, 1);
    tally->status[200]++;
}

static inline void fixture_bad(struct fixture_maker *maker, struct tally_block *block,
                               uint32_t request, double share)
{
    bool hostile = maker->kind == FIXTURE_HOSTILE;
    double which = random_unit(&maker->random);
    (void)share;
    if (which < 0.6)
        fixture_fail(block, request, COUNT_ERROR_HTTP_STATUS, 503,
                     hostile ? FIXTURE_EVIL : "{\"error\":\"no free slot\"}");
    else if (which < 0.85)
        fixture_fail(block, request, COUNT_ERROR_RESPONSE_TIMEOUT, 0, "no reply within 10 s");
    else
        fixture_fail(block, request, COUNT_ERROR_RESET, 0, "connection reset by the server");
}

static inline void fixture_requests(struct fixture_maker *maker, struct tally_block *block,
                                    uint32_t second)
{
    static const double medians[] = {0.42, 0.009, 0.0011};
    static const double share[] = {0.7, 0.2, 0.1};
    double users = maker->kind == FIXTURE_SINGLE ? 3 : fixture_users(second);
    double slow = 1.0 + pow(users / 62.0, 3.0);
    double rate = maker->kind == FIXTURE_SINGLE ? 7.0 : users / (1.6 + 0.35 * slow);
    bool stalls = maker->kind == FIXTURE_CENSORED && second > 3;
    for (uint32_t request = 0; request < FIXTURE_REQUESTS; request++) {
        double jitter = 1.0 + 0.18 * (random_unit(&maker->random) - 0.5);
        uint64_t ended = (uint64_t)lround(rate * share[request] * 6 * jitter);
        struct tally *tally = &block->requests[request];
        for (uint64_t i = 0; i < ended; i++) {
            bool bad = random_unit(&maker->random) < (stalls ? 0.97
                                                      : maker->kind == FIXTURE_SINGLE
                                                          ? 0
                                                          : 0.0006 * slow * slow);
            if (bad)
                fixture_bad(maker, block, request, slow);
            else
                fixture_one(maker, block, request, medians[request] * slow,
                            medians[request] * slow * (1.5 + 0.5 * slow));
            tally_count(tally, COUNT_ITERATIONS, 1);
        }
        uint64_t started = ended;
        if (request == 0) { /* what is still in flight belongs to chat */
            uint64_t left = second + 1 >= maker->points ? 0 : (uint64_t)(users * 0.3);
            started = ended + left >= maker->in_flight ? ended + left - maker->in_flight : 0;
            maker->in_flight = maker->in_flight + started - ended;
        }
        tally_count(tally, COUNT_STARTED, started);
        tally_count(tally, COUNT_ATTEMPTS, started);
        tally_count(tally, COUNT_OFFERED, started);
        if (stalls) {
            tally_count(tally, COUNT_OFFERED, 2);
            tally_count(tally, COUNT_DROPPED, 2);
            tally_time(tally, HIST_CENSORED, 0);
            tally_time(tally, HIST_CENSORED, 0);
        }
    }
}

/* Sixteen tokens for each answer of the first two requests. */
static inline void fixture_tokens(struct fixture_maker *maker, struct tally_block *block)
{
    for (uint32_t request = 0; request < 2; request++) {
        struct tally *tally = &block->requests[request];
        uint64_t *counters = &tally->counters[maker->token_counter];
        uint64_t answers = tally->counters[COUNT_SUCCEEDED];
        for (uint64_t i = 0; i < answers; i++) {
            nsec_t first = (nsec_t)(60e6 / random_unit(&maker->random)), sum = 0;
            tally_time(tally, maker->token_hist + FIXTURE_TTFT, first);
            for (int token = 1; token < 16; token++) {
                nsec_t gap = (nsec_t)(18e6 + 6e6 * random_unit(&maker->random));
                tally_time(tally, maker->token_hist + FIXTURE_ITL, gap);
                sum += gap;
                if (token == 4)
                    tally_time(tally, maker->token_hist + FIXTURE_TTFAT, first + sum);
            }
            tally_time(tally, maker->token_hist + FIXTURE_TPOT, sum / 15);
            tally_time(tally, maker->token_hist + FIXTURE_E2E, first + sum);
            counters[first < 300 * NSEC_PER_MSEC ? FIXTURE_GOOD : FIXTURE_MISSED]++;
        }
        counters[FIXTURE_STREAMS] += answers;
        counters[FIXTURE_USAGE] += answers;
        counters[FIXTURE_EVENTS] += 16 * answers;
        counters[FIXTURE_TOKENS] += 16 * answers;
        counters[FIXTURE_REASONING] += 4 * answers;
        counters[FIXTURE_PROMPTS] += 24 * answers;
        counters[FIXTURE_BURSTS] += answers > 3;
    }
}

static inline void fixture_gauges(struct fixture_maker *maker, struct tally_block *block,
                                  uint32_t second)
{
    double users = maker->kind == FIXTURE_EMPTY ? 0 : fixture_users(second);
    block->gauges[GAUGE_USERS] = users;
    block->gauges[GAUGE_USERS_ASKED] = users;
    block->gauges[GAUGE_IN_FLIGHT] = (double)maker->in_flight;
    block->gauges[GAUGE_CONNECTIONS] = users * 0.6;
    block->gauges[GAUGE_BUSY] = 0.02 + users / 900.0;
    block->gauges[GAUGE_LOOP_LAG] = 190e3;
}

static inline void fixture_feed(struct fixture_maker *maker, struct recorder *recorder,
                                struct tally_exchange *exchange)
{
    for (uint32_t point = 0; point < maker->points; point++) {
        uint32_t second = maker->kind == FIXTURE_LONG ? point * 75 / maker->points : point;
        if (maker->kind == FIXTURE_WHOLE && (second == 40 || second == 41))
            continue; /* a gap: the machine was asleep */
        struct tally_block *block = NULL;
        while (!(block = ring_take(&exchange->empty)))
            recorder_drain(recorder);
        block->segment = 0;
        block->phase = fixture_phase(second);
        block->first_interval = block->last_interval = point;
        block->begin_ns = point * NSEC_PER_SEC;
        block->end_ns = (point + 1) * NSEC_PER_SEC;
        maker->points = maker->points;
        if (maker->kind != FIXTURE_EMPTY)
            fixture_requests(maker, block, maker->kind == FIXTURE_LONG ? point : second);
        if (maker->kind == FIXTURE_STREAMED)
            fixture_tokens(maker, block);
        fixture_gauges(maker, block, second);
        check(ring_put(&exchange->full, block));
    }
}

static inline void fixture_verdict(struct result_verdict *out, const char *words, const char *scope,
                                   double value, double limit)
{
    *out = (struct result_verdict){.words = memory_copy_text(words),
                                   .scope = memory_copy_text(scope),
                                   .value = value,
                                   .limit = limit,
                                   .accept = limit,
                                   .unit = memory_copy_text("ms"),
                                   .count = 5538,
                                   .verdict = value < limit ? VERDICT_MET : VERDICT_FAILED};
}

static inline void fixture_verdicts(struct result *result)
{
    for (size_t i = 0; i < result->verdict_count; i++) {
        free(result->verdicts[i].words);
        free(result->verdicts[i].scope);
        free(result->verdicts[i].unit);
        free(result->verdicts[i].why);
    }
    free(result->verdicts);
    result->verdict_count = 5;
    result->verdicts = memory_new(5, sizeof *result->verdicts);
    struct result_verdict *to = result->verdicts;
    fixture_verdict(&to[0], "response_time p95 < 2 s", "task chat, level 100", 2.21, 2.0);
    to[0].objective = true;
    to[0].accept = 2.5;
    to[0].verdict = VERDICT_ACCEPTED;
    fixture_verdict(&to[1], "error_rate < 1 %", "", 0.003, 0.01);
    to[1].objective = true;
    fixture_verdict(&to[2], "response: p(95)<4000", "", 2890.5, 4000);
    fixture_verdict(&to[3], "http_req_failed: rate<0.01", "", 0.0031, 0.01);
    fixture_verdict(&to[4], "ttft: p(99)<800", "task chat", (double)NAN, 800);
    to[4].verdict = VERDICT_NOT_JUDGED;
    to[4].count = 212;
    to[4].why = memory_copy_text("n = 212: too few for p99 (needs 299)");
    static const char *const units[] = {"s", "share", "ms", "share", "ms"};
    for (size_t i = 0; i < 5; i++) {
        free(to[i].unit);
        to[i].unit = memory_copy_text(units[i]);
    }
}

/* A machine that gets busier with the users, a GPU that fills, and a look that was missed. */
static inline void fixture_watch(struct fixture_maker *maker, struct recorder *recorder)
{
    static const struct metric busy = {"cpu.busy", METRIC_GAUGE, "1", "share used", "/proc/stat"};
    static const struct metric memory = {"memory.used_share", METRIC_GAUGE, "1", "share used",
                                         "/proc/meminfo"};
    static const struct metric gpu = {"gpu.utilization", METRIC_GAUGE, "1", "share busy", "NVML"};
    static const struct metric sent = {"network.out_bytes", METRIC_GAUGE, "bytes/s", "bytes sent",
                                       "/proc/net/dev"};
    bool hostile = maker->kind == FIXTURE_HOSTILE;
    uint32_t host = recorder_watched(recorder, "this machine", "generator", "cpu");
    uint32_t model = recorder_watched(recorder, hostile ? FIXTURE_EVIL : "model", "gpu", "gpu");
    for (uint32_t second = 0; second < maker->points; second++) {
        double users = fixture_users(second), noise = random_unit(&maker->random);
        nsec_t at = second * NSEC_PER_SEC + 12 * NSEC_PER_MSEC, took = 300 * NSEC_PER_USEC;
        if (second == 33 || second == 34)
            continue; /* a gap */
        recorder_sample(recorder, host, &busy, "", at, took, 0.08 + users / 160 + noise * 0.05);
        recorder_sample(recorder, host, &memory, "", at, took, 0.41 + second * 0.001);
        recorder_sample(recorder, host, &sent, "eth0", at, took, users * 12e3 * (1 + noise));
        recorder_sample(recorder, model, &gpu, hostile ? FIXTURE_EVIL : "GPU0", at, took,
                        fmin(0.99, 0.2 + users / 90 + noise * 0.04));
    }
}

static inline void fixture_words(enum fixture_kind kind, struct recorder *recorder)
{
    recorder_fact(recorder, "generator.verdict", "ok");
    recorder_fact(recorder, "generator.reason", "cpu 11 %, lag p99 0.2 ms");
    recorder_fact(recorder, "objectives.needed", "0.8");
    recorder_fact(recorder, "advice.baseline",
                  "no baseline to compare with: keep this run, and give it to `plimsoll compare`");
    recorder_event(recorder, 29 * NSEC_PER_SEC, "phase", "level 2 of 3: 50 users");
    recorder_event(recorder, 63 * NSEC_PER_SEC, "target",
                   kind == FIXTURE_HOSTILE ? FIXTURE_EVIL : "gateway answered 503: no free slot");
    if (kind != FIXTURE_WHOLE)
        return;
    recorder_saturated(recorder, 70 * NSEC_PER_SEC, 72 * NSEC_PER_SEC,
                       "a loop thread was 97 % busy");
    recorder_event(recorder, 40 * NSEC_PER_SEC, "clock", "the machine was suspended for 2 s");
}

/* Makes the run. Owner: caller, result_free. */
static inline struct result *fixture_result(enum fixture_kind kind)
{
    static const uint32_t points[FIXTURE_KINDS] = {75, 3, 0, 1, 20, 40, 1800, 75, 75};
    bool hostile = kind == FIXTURE_HOSTILE;
    const struct run_request requests[FIXTURE_REQUESTS] = {
        {hostile ? FIXTURE_EVIL : "chat", "chat", "api"},
        {"browse/models", "browse", "api"},
        {"browse/health", "browse", "api"},
    };
    static const char *const names[] = {"warm-up", "level 1 of 3: 10 users",
                                        "level 2 of 3: 50 users", "level 3 of 3: 100 users"};
    static const nsec_t edges[] = {0, 6, 29, 52, 75};
    static const double targets[] = {10, 10, 50, 100};
    struct run_phase phases[FIXTURE_PHASES];
    for (uint32_t i = 0; i < FIXTURE_PHASES; i++)
        phases[i] = (struct run_phase){.number = i,
                                       .name = names[i],
                                       .scenario = "api",
                                       .begin_ns = edges[i] * NSEC_PER_SEC,
                                       .end_ns = edges[i + 1] * NSEC_PER_SEC,
                                       .target = targets[i],
                                       .excluded = i == 0 && kind != FIXTURE_SINGLE,
                                       .level = i > 0};
    static const struct run_label label = {"commit", "4550f77"};
    const struct run_head head = {
        .id = "2026-11-20T14-02-31-1f2e3d",
        .name = hostile ? FIXTURE_EVIL : "api-gateway",
        .plan_source = hostile ? FIXTURE_EVIL "\n--> ]]> \n"
                               : "schema: 1\nname: api-gateway\ntarget: http://127.0.0.1:8000\n\n"
                                 "scenarios:\n  api:\n    executor: ramping-vus\n    levels: [10, "
                                 "50, 100]\n    level_duration: 23s\n    think: 1s..2s\n",
        .plan_file = "gateway.yaml",
        .target = "http://127.0.0.1:8000",
        .version = "0.1.0",
        .host = "build-7",
        .kernel = "Linux 6.1.0-18-amd64",
        .cpu = "AMD EPYC 7763",
        .cores = 8,
        .seed = 20261120140231,
        .segments = 2,
        .wall_start_ns = 1795183351 * NSEC_PER_SEC,
        .interval_ns = NSEC_PER_SEC,
        .time_scale = 1,
    };
    struct metric_table metrics;
    metric_table_init(&metrics);
    struct fixture_maker maker = {
        .kind = kind, .random = {.key = random_key(7, "fixture", 0)}, .points = points[kind]};
    if (kind == FIXTURE_STREAMED)
        metric_table_add(&metrics, fixture_token_metrics,
                         sizeof fixture_token_metrics / sizeof *fixture_token_metrics,
                         &maker.token_counter, &maker.token_hist);
    struct recorder *recorder = NULL;
    const struct run_declared run = {
        .head = head,
        .metrics = &metrics,
        .requests = requests,
        .phases = phases,
        .labels = &label,
        .request_count = FIXTURE_REQUESTS,
        .phase_count = FIXTURE_PHASES,
        .label_count = 1,
    };
    check(recorder_new(&recorder, NULL, &run) == 0);
    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &metrics, 0, FIXTURE_REQUESTS, 0);
    recorder_attach(recorder, &exchange);
    fixture_feed(&maker, recorder, &exchange);
    if (kind == FIXTURE_WHOLE || kind == FIXTURE_HOSTILE)
        fixture_watch(&maker, recorder);
    fixture_words(kind, recorder);
    recorder_drain(recorder);
    check(kind == FIXTURE_KILLED || recorder_close(recorder) == 0);
    struct result *result = recorder_result(recorder, 0);
    recorder_free(recorder);
    tally_exchange_fini(&exchange);
    metric_table_fini(&metrics);
    if (kind == FIXTURE_WHOLE || kind == FIXTURE_HOSTILE)
        fixture_verdicts(result);
    return result;
}

#endif
