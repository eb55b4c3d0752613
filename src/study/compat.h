/* study/compat.h - what other tools would have reported of the same answers: their definitions,
 * recomputed from a run's trace. Not their measurement: instants are ours, and their clients' own
 * delays are not imitated.
 *
 *   Sources   vLLM: vllm/benchmarks/serve.py and lib/endpoint_request_func.py (2026);
 *             AIPerf: docs/metrics-reference.md, aiperf/metrics/types/ (2025 and 2026);
 *             guidellm: src/guidellm/schemas/request_stats.py, statistics.py (2026)
 *   Test      test/integration/test_compat.py recomputes each from the exported trace */
#ifndef STUDY_COMPAT_H
#define STUDY_COMPAT_H

#include "record/trace.h"

#include <stdbool.h>
#include <stddef.h>

enum compat_tool { COMPAT_VLLM, COMPAT_AIPERF, COMPAT_GUIDELLM, COMPAT_TOOLS };

/* One of a tool's metrics: what it is called there, and what it came to. */
struct compat_metric {
    const char *name, *unit; /* as the tool writes them: "TTFT", "ms" */
    const char *definition;  /* a sentence */
    const char *difference;  /* from `ours`; NULL: none but the clock's start */
    const char *ours;        /* the histogram that it is compared with ("ttft_service"), or NULL */
    bool single;             /* one number: `mean` is it */
    size_t count;            /* of values behind it */
    double mean, deviation, median, p90, p95, p99; /* NAN: nothing recorded */
};

struct compat {
    enum compat_tool tool;
    struct compat_metric *metrics;
    size_t count;
    size_t completed, failed; /* requests of the trace outside excluded phases */
    size_t cut;               /* of them with chunks missing: left out of the figures of chunks */
};

/* The tool of a word ("vllm"); false: there is none of that name. */
bool compat_tool_of(const char *word, enum compat_tool *out);
/* "vllm bench serve", "AIPerf", "guidellm". */
const char *compat_tool_name(enum compat_tool tool);

/* Reads the trace of a run file and computes the tool's metrics. Returns 0, or an outcome of
 * trace_open. Owner: caller, compat_fini. */
int compat_of_run(const char *path, enum compat_tool tool, struct compat *out);
void compat_fini(struct compat *compat);

#endif
