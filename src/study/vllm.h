/* study/vllm.h - a run as `vllm bench serve` would have kept it: the arrays of its result file, one
 * entry a request in the order in which they were begun, and the aggregates it makes of them. The
 * formulas are its own (vllm/benchmarks/serve.py, calculate_metrics, 2026); where they differ from
 * ours, study/compat.h says how.
 *
 *   Test   test/integration/test_compat.py reads the file back and recomputes every aggregate */
#ifndef STUDY_VLLM_H
#define STUDY_VLLM_H

#include "record/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One request. Seconds; an answer that came whole has all of its time before its first token. */
struct vllm_request {
    bool succeeded;
    double start_s;                      /* since the first one's start */
    double queue_s;                      /* from when it was due to its start */
    double ttft_s;                       /* to the first chunk with a choice; 0: none came */
    double latency_s;                    /* to the last one */
    double end_s;                        /* start_s + latency_s, without its rounding */
    int64_t input_tokens, output_tokens; /* 0: not known, or failed */
    double *gaps_s;                      /* between chunks with a choice */
    size_t gap_count;
    char *error; /* "" when it succeeded */
};

enum { VLLM_PERCENTILES = 4 };
extern const int vllm_percentiles[VLLM_PERCENTILES];

/* Milliseconds, of answers that succeeded; 0 where there were none, as there. */
struct vllm_spread {
    double mean, median, deviation;
    double percentiles[VLLM_PERCENTILES];
};

struct vllm_run {
    struct vllm_request *requests;
    size_t count, completed, failed;
    double duration_s; /* from the first start to the last end */
    int64_t input_tokens, output_tokens;
    double request_rate, output_rate, token_rate; /* a second of the duration */
    bool judged;                                  /* the plan asked for a goodput */
    double good_rate;                             /* with its goals, by vLLM's times */
    double peak_chunks;      /* most chunks in one second: what vLLM calls peak output tokens */
    size_t peak_concurrency; /* most requests at once */
    struct vllm_spread ttft, tpot, itl, e2el;
};

/* Reads the trace of a run file; goals come from the run's fact load.goodput. Requests of excluded
 * phases are left out. Returns 0, or an outcome of trace_open. Owner: caller, vllm_run_fini. */
int vllm_run_read(const char *path, const struct result *result, struct vllm_run *out);
void vllm_run_fini(struct vllm_run *run);

#endif
