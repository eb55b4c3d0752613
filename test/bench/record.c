/* What recording costs: a block of 3 requests with all 14 histograms in the picture and in the
 * file, clearing one, copying the live picture of 10 minutes with 20 requests, and reading it
 * back. Prints figures and judges nothing. */
#include "base/memory.h"
#include "base/random.h"
#include "record/recorder.h"
#include "record/result.h"
#include "record/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_REQUESTS = 20, INTERVALS = 600, PER_HIST = 1000 };

struct bench {
    struct run_request requests[MOST_REQUESTS];
    struct metric_table metrics;
    struct run_phase phase;
    struct tally_exchange exchange;
    size_t request_count;
};

static void bench_init(struct bench *bench, size_t request_count)
{
    *bench = (struct bench){.request_count = request_count};
    for (size_t i = 0; i < request_count; i++)
        bench->requests[i].name = "request";
    bench->phase = (struct run_phase){.name = "all", .end_ns = INTERVALS * NSEC_PER_SEC};
    metric_table_init(&bench->metrics);
    tally_exchange_init(&bench->exchange, &bench->metrics, 0, request_count, 0);
}

static void bench_fini(struct bench *bench)
{
    tally_exchange_fini(&bench->exchange);
    metric_table_fini(&bench->metrics);
}

/* Durations spread over three decades, as those of a loaded service are. */
static void fill(struct bench *bench, struct tally_block *block, uint32_t interval)
{
    struct random random = {.key = interval};
    block->first_interval = block->last_interval = interval;
    block->begin_ns = interval * NSEC_PER_SEC;
    block->end_ns = block->begin_ns + NSEC_PER_SEC;
    for (size_t r = 0; r < bench->request_count; r++) {
        struct tally *tally = &block->requests[r];
        for (uint32_t m = 0; m < CORE_COUNTERS; m++)
            tally_count(tally, m, m + 1);
        tally->status[200] += PER_HIST;
        for (uint32_t m = 0; m < CORE_HISTS; m++)
            for (int i = 0; i < PER_HIST; i++)
                tally_time(tally, m, (nsec_t)(1e6 / random_unit(&random)));
    }
}

/* Processor time of this thread: what others do on the machine stays out of it. */
static nsec_t spent_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * NSEC_PER_SEC + time.tv_nsec;
}

static double us_since(nsec_t begin_ns, double times)
{
    return (double)(spent_ns() - begin_ns) / 1e3 / times;
}

static struct recorder *recorder_of(struct bench *bench, const char *path)
{
    const struct run_declared run = {
        .head = {.id = "bench", .segments = 1, .interval_ns = NSEC_PER_SEC},
        .metrics = &bench->metrics,
        .requests = bench->requests,
        .phases = &bench->phase,
        .request_count = bench->request_count,
        .phase_count = 1,
    };
    struct recorder *recorder = NULL;
    int error = recorder_new(&recorder, path, &run);
    if (error) {
        fprintf(stderr, "recorder_new: %d\n", error);
        exit(1);
    }
    recorder_attach(recorder, &bench->exchange);
    return recorder;
}

/* Time spent in drains over all intervals; the recorder's own thread is beaten to them. */
static double drain_all(struct bench *bench, struct recorder *recorder)
{
    double spent_us = 0;
    for (uint32_t i = 0; i < INTERVALS; i++) {
        struct tally_block *block = ring_take(&bench->exchange.empty);
        fill(bench, block, i);
        nsec_t begin_ns = spent_ns();
        ring_put(&bench->exchange.full, block);
        recorder_drain(recorder);
        spent_us += us_since(begin_ns, 1);
    }
    return spent_us / INTERVALS;
}

static void bench_clear(void)
{
    struct bench bench;
    bench_init(&bench, 3);
    struct tally_block *block = ring_take(&bench.exchange.empty);
    double spent_us = 0;
    for (uint32_t i = 0; i < 100; i++) {
        fill(&bench, block, i);
        nsec_t begin_ns = spent_ns();
        tally_block_clear(block, &bench.metrics);
        spent_us += us_since(begin_ns, 100);
    }
    printf("clear a block of 3 requests, 14 histograms each      %10.1f us\n", spent_us);
    bench_fini(&bench);
}

static void bench_drain(size_t request_count, const char *path)
{
    struct bench bench;
    bench_init(&bench, request_count);
    struct recorder *recorder = recorder_of(&bench, NULL);
    printf("%2zu requests: a block into the picture               %10.1f us\n", request_count,
           drain_all(&bench, recorder));
    nsec_t begin_ns = spent_ns();
    struct result *result = recorder_result(recorder, 10 * NSEC_PER_SEC);
    printf("%2zu requests: copy, last 10 s                        %10.1f us\n", request_count,
           us_since(begin_ns, 1));
    result_free(result);
    begin_ns = spent_ns();
    result = recorder_result(recorder, 0);
    printf("%2zu requests: copy, all %d s                        %10.1f us\n", request_count,
           INTERVALS, us_since(begin_ns, 1));
    result_free(result);
    recorder_free(recorder);

    recorder = recorder_of(&bench, path);
    printf("%2zu requests: a block into picture and file          %10.1f us\n", request_count,
           drain_all(&bench, recorder));
    begin_ns = spent_ns();
    recorder_close(recorder);
    printf("%2zu requests: close                                  %10.1f us\n", request_count,
           us_since(begin_ns, 1));
    recorder_free(recorder);
    struct stat status = {.st_size = 0};
    stat(path, &status);
    begin_ns = spent_ns();
    int error = result_read(path, &result);
    printf("%2zu requests: read %.1f MB back (%d)                 %10.1f us\n", request_count,
           (double)status.st_size / 1e6, error, us_since(begin_ns, 1));
    if (!error)
        result_free(result);
    unlink(path);
    bench_fini(&bench);
}

int main(void)
{
    char directory[] = "/tmp/plimsoll-bench-XXXXXX", path[64];
    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof path, "%s/run.plim", directory);
    bench_clear();
    bench_drain(3, path);
    bench_drain(MOST_REQUESTS, path);
    rmdir(directory);
    return 0;
}
