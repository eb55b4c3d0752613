/* record/result.h - a run as data, read from its file or from the live picture: what thresholds,
 * studies and reports look at. Nothing here depends on the plan's own structures, so that a run can
 * be read without its plan. */
#ifndef RECORD_RESULT_H
#define RECORD_RESULT_H

#include "base/clock.h"
#include "record/metric.h"
#include "record/tally.h"
#include "stat/hist.h"

#include <stdbool.h>
#include <stdint.h>

/* Counters and histograms of a request name (or of all) over a stretch of time. Status codes and
 * histograms are kept packed, so that an hour of points fits: read them with result_status and
 * result_hist. */
struct result_detail;
struct result_sum {
    uint64_t *counters;      /* by metric number, result.metrics.counter_count of them */
    nsec_t begin_ns, end_ns; /* first and last measured instant, since the run's start */
    nsec_t measured_ns;      /* time measured in between, excluded phases left out: for rates */
    struct result_detail *detail; /* status codes and histograms */
};

struct result_request {
    char *name, *task, *scenario;
    struct result_sum *sum;    /* over all phases that are not excluded */
    struct result_sum **phase; /* by phase number; NULL where it was not active */
};

struct result_phase {
    char *name, *scenario;
    nsec_t begin_ns, end_ns; /* as it was, since the run's start */
    double target;
    bool excluded, level;
    struct result_sum *sum;                  /* all requests */
    double users;                            /* mean of the users alive */
    uint64_t waiting_begin, in_flight_begin; /* carried in ... */
    uint64_t waiting_end, in_flight_end;     /* ... and out */
};

/* One interval of the whole run, all threads and requests. A gap is an interval that is not there.
 */
struct result_point {
    nsec_t begin_ns, end_ns;
    uint32_t phase;
    bool saturated;               /* the generator was the limit here */
    double gauges[CORE_GAUGES];   /* summed over threads; busy, loop lag and run delay: the worst
                                     thread */
    struct result_sum *sum;       /* all requests */
    struct result_sum **requests; /* by request; NULL where nothing happened */
};

struct result_event {
    nsec_t at_ns;
    char *kind, *words;
};

struct result_example {
    nsec_t at_ns;
    uint32_t request;
    uint32_t error;
    int32_t status;
    char *words;
    uint64_t times; /* equal words were folded */
};

struct result_fact {
    char *name, *value;
};

struct result_service {
    char *service, *outcome;
    bool failure;
    uint64_t hits;
};

/* A thing that was watched beside the load by one probe; several probes may watch one thing, and
 * then share its name and role. */
struct result_watched {
    char *name, *role, *probe; /* "gateway", "gateway", "process" */
};

/* One metric of one part of a watched thing over time. A gap is a sample that is not there. */
struct result_series {
    uint32_t watched;                      /* index in result.watched */
    char *metric, *unit, *part, *sentence; /* "cpu.busy", "1", "cpu0" or "", ... */
    size_t count;
    nsec_t *at_ns; /* since the run's start: when the look began; rising */
    nsec_t *took_ns;
    double *values;
};

/* A threshold or objective, judged. */
struct result_verdict {
    char *words;  /* "http_req_failed: rate<0.01" */
    char *scope;  /* "task chat", "level 50 users"; or "" */
    double value; /* as judged, in the unit of limit; NAN: not judged */
    double limit, accept;
    char *unit;
    uint64_t count; /* of samples behind the value */
    bool at_least;  /* the value is only a lower bound (censored) */
    enum { VERDICT_MET, VERDICT_ACCEPTED, VERDICT_FAILED, VERDICT_NOT_JUDGED } verdict;
    bool objective; /* else a threshold */
    char *why;      /* not judged: "n = 212: too few for p99" */
};

struct sum_cache;
struct result {
    char *id, *name, *plan_source, *plan_file, *target, *version, *host, *kernel, *cpu;
    uint32_t cores, segments;
    uint64_t seed;
    nsec_t wall_start_ns, interval_ns;
    double time_scale;
    nsec_t end_ns;               /* last instant recorded, since the run's start */
    bool finished;               /* closed properly, not killed */
    struct metric_table metrics; /* names owned by the result */
    struct hist *loop_lag;       /* lateness of the loops' timers, all threads, whole run */
    struct result_sum *total;    /* all requests, phases not excluded */
    struct result_request *requests;
    size_t request_count;
    struct result_phase *phases;
    size_t phase_count;
    struct result_point *points;
    size_t point_count;
    struct result_event *events;
    size_t event_count;
    struct result_example *examples;
    size_t example_count;
    struct result_fact *facts;
    size_t fact_count;
    struct result_service *services;
    size_t service_count;
    struct result_verdict *verdicts;
    size_t verdict_count; /* written by run at the end; also stored */
    struct result_fact *labels;
    size_t label_count;
    struct result_watched *watched;
    size_t watched_count;
    struct result_series *series; /* in the order first seen */
    size_t series_count;
    struct sum_cache *decoded; /* of result_hist */
};

/* Reads a run file, also one whose writer was killed, also from a read-only directory. Runs of more
 * than RESULT_POINTS intervals are read in points of several intervals each. Returns 0, -errno,
 * RESULT_NOT_A_RUN, RESULT_NEWER (made by a newer layout), or RESULT_DAMAGED (a run file that was
 * cut off or changed). Owner: caller, result_free. */
enum { RESULT_NOT_A_RUN = 1, RESULT_NEWER = 2, RESULT_DAMAGED = 3 };
enum { RESULT_POINTS = 1800 };
int result_read(const char *path, struct result **out);

/* Frees it; NULL is fine; returns NULL. */
struct result *result_free(struct result *result);

/* The samples of a series that lie in begin_ns .. end_ns: how many, and their mean, least, most and
 * slope a second by least squares (NAN where there are too few). */
struct series_figures {
    size_t count;
    double mean, least, most, p95, slope;
};
struct series_figures result_series_over(const struct result_series *series, nsec_t begin_ns,
                                         nsec_t end_ns);
/* The series of a watched thing, metric and part; NULL: there is none. */
const struct result_series *result_series_find(const struct result *result, const char *watched,
                                               const char *metric, const char *part);

/* The value of a fact, or NULL. */
const char *result_fact(const struct result *result, const char *name);

/* Appends what an example says, in a line: "HTTP 503, no free slot". */
void result_put_example(const struct result_example *example, struct text *out);

/* Adds one sum to another of the same metrics. Measured time: of stretches that overlap (two
 * requests of a task) the longer, of others (two phases) both together. */
void result_sum_merge(struct result_sum *to, const struct result_sum *from,
                      const struct metric_table *metrics);
struct result_sum *result_sum_new(const struct metric_table *metrics);
struct result_sum *result_sum_free(struct result_sum *sum, const struct metric_table *metrics);

/* A histogram of a sum, an empty one where nothing was recorded; never NULL; owned by the library.
 * Of a point: valid until RESULT_DECODED more histograms of points of the same result were asked
 * for. Of any other sum: as long as the sum. Not for two threads on one result at once. */
enum { RESULT_DECODED = 64 };
const struct hist *result_hist(const struct result_sum *sum, uint32_t metric);

/* How many replies had this status code. */
uint64_t result_status(const struct result_sum *sum, uint32_t code);

/* A sum over the points whose middle lies in begin_ns .. end_ns, excluded phases left out (sliding
 * windows). request UINT32_MAX: all. Never NULL; measured_ns is 0 where there is no such point.
 * Owner: caller, result_sum_free. */
struct result_sum *result_window(const struct result *result, nsec_t begin_ns, nsec_t end_ns,
                                 uint32_t request);

/* Whether the accounts of a sum close, given what was carried in and out; writes the two
 * differences: waiting_begin + offered - started - dropped - waiting_end, and in_flight_begin +
 * started - succeeded - failed - timed out - abandoned - in_flight_end. */
bool result_accounts_close(const struct result_sum *sum, uint64_t waiting_begin,
                           uint64_t waiting_end, uint64_t in_flight_begin, uint64_t in_flight_end,
                           int64_t *offered_off, int64_t *started_off);

/* Stores verdicts in the file of a closed run (and replaces those there). Returns 0 or -errno. */
int result_store_verdicts(const char *path, const struct result_verdict *verdicts, size_t count);

/* Merges run files of one run's segments into a new file. Returns 0, -errno, or an outcome
 * of result_read (RESULT_NOT_A_RUN also when they are of different runs). */
int result_merge_files(const char *const *paths, size_t count, const char *into);

#endif
