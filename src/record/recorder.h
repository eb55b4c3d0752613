/* record/recorder.h - writes a run to its file, in a thread of its own, and keeps a live picture of
 * it.
 *
 * The run file is SQLite; its schema is documented in doc/run-file.md. Everything is keyed so that
 * runs of several threads and machines merge exactly: run, segment, attempt, interval since the
 * agreed start, phase, request, metric. WAL while running; one plain file when closed. kill -9
 * loses at most the last second. A full disk, or any other error of the file, is kept in
 * recorder_error and the recorder goes on keeping the live picture, so that the summary is still
 * true. */
#ifndef RECORD_RECORDER_H
#define RECORD_RECORDER_H

#include "base/clock.h"
#include "record/metric.h"
#include "record/tally.h"

#include <stdbool.h>
#include <stdint.h>

struct recorder;

/* What stands at the head of a run. Texts are copied. */
struct run_head {
    const char *id;          /* unique: time and random hex */
    const char *name;        /* of the plan */
    const char *plan_source; /* as given, secrets masked */
    const char *plan_file;   /* or NULL */
    const char *target;
    const char *version; /* of Plimsoll */
    const char *host, *kernel, *cpu;
    uint32_t cores;
    uint64_t seed;
    uint32_t segments;    /* loop threads */
    nsec_t wall_start_ns; /* since 1970 */
    nsec_t interval_ns;
    double time_scale;
};

/* What the run counts apart, in the plan's words. */
struct run_request {
    const char *name, *task;
    const char *scenario; /* "setup", "teardown": tasks before and after the load; "": of none */
};

/* Replies that a rule says something about a service by. */
struct run_service {
    const char *service, *outcome;
    bool failure; /* whether the reply then counts as failed */
};

struct run_label {
    const char *name, *value;
};

/* A stretch of the run: a stage of a scenario, named in the plan. With several scenarios, phases
 * are the stages of the union of their instants of change. */
struct run_phase {
    uint32_t number; /* from 0, in order of time */
    const char *name;
    const char *scenario; /* NULL: all */
    nsec_t begin_ns;      /* planned, since the run's start */
    nsec_t end_ns;
    double target; /* users or arrivals a second at its end */
    bool excluded; /* warm-up, cool-down: kept out of the results */
    bool level;    /* a load level */
};

/* All that is known of a run before it begins. Everything but the metrics is copied. */
struct run_declared {
    struct run_head head;
    const struct metric_table *metrics; /* outlive the recorder */
    const struct run_request *requests; /* as tallies number them */
    const struct run_service *services; /* as tallies number them */
    const struct run_phase *phases;     /* the n-th has the number n */
    const struct run_label *labels;
    size_t request_count, service_count, phase_count, label_count;
    uint64_t trace_most; /* requests that are written one by one, over all threads */
};

/* Creates the file (an existing one is an error: -EEXIST) and starts the thread. path NULL: no
 * file, only the live picture. Returns 0 or -errno. */
int recorder_new(struct recorder **out, const char *path, const struct run_declared *run);

/* Gives the recorder a loop thread's exchange to drain; before the load starts. Where the exchange
 * has a trace, its requests are written one by one, at most trace_most of them over all threads;
 * the facts trace.requests and trace.lost say how many were and were not. */
void recorder_attach(struct recorder *recorder, struct tally_exchange *exchange);

/* Records an event: kind ("threshold", "stop", "health", "generator", "clock"), words. Any thread.
 */
void recorder_event(struct recorder *recorder, nsec_t at_ns, const char *kind, const char *words);

/* Declares a thing that is watched beside the load; returns its number for recorder_sample. Any
 * thread. */
uint32_t recorder_watched(struct recorder *recorder, const char *name, const char *role,
                          const char *probe);
/* Records a sample of it: the metric is declared with the first one. part: which of several
 * ("cpu0"), "" for the whole. at_ns since the run's start. Any thread. */
void recorder_sample(struct recorder *recorder, uint32_t watched, const struct metric *metric,
                     const char *part, nsec_t at_ns, nsec_t took_ns, double value);

/* Sets a fact of the run, shown in reports and JSON ("generator.verdict", "saturated"); last one
 * wins. Any thread. */
void recorder_fact(struct recorder *recorder, const char *name, const char *value);

/* Marks a stretch in which the generator itself was the limit: result_point.saturated. Any thread.
 */
void recorder_saturated(struct recorder *recorder, nsec_t begin_ns, nsec_t end_ns,
                        const char *words);

/* Takes over, on the calling thread, what the loop threads have handed in so far; else this happens
 * every RECORDER_CADENCE_MS by itself. For those who need the picture now, and for simulated time.
 */
enum { RECORDER_CADENCE_MS = 50 };
void recorder_drain(struct recorder *recorder);

/* 0, or the -errno at which writing the file first failed (-ENOSPC: disk full). Any thread. */
int recorder_error(struct recorder *recorder);

/* Drains everything, closes the file (checkpointed, WAL removed) and ends the thread. Returns as
 * recorder_error. The live picture can still be read. */
int recorder_close(struct recorder *recorder);
/* Frees it; NULL is fine; returns NULL. */
struct recorder *recorder_free(struct recorder *recorder);

struct result; /* record/result.h */

/* A copy of the live picture as a result, for the live view, thresholds and the end summary; its
 * series cover the last `window_ns` only (0: everything). Owner: caller, result_free. Any thread.
 */
struct result *recorder_result(struct recorder *recorder, nsec_t window_ns);

#endif
