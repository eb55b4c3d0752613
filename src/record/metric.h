/* record/metric.h - what may be recorded: each metric is declared once, with kind, unit, sentence
 * and source, before a number of it is written.
 *
 * The core's metrics have fixed numbers (enum below); drivers add theirs when the table is made,
 * and probes declare theirs as samples. */
#ifndef RECORD_METRIC_H
#define RECORD_METRIC_H

#include <stddef.h>
#include <stdint.h>

enum metric_kind {
    METRIC_COUNTER,   /* only grows; recorded as the growth in an interval */
    METRIC_HISTOGRAM, /* durations, struct hist */
    METRIC_GAUGE,     /* a level, sampled */
};

struct metric {
    const char *name; /* "response", "http_req_failed" */
    enum metric_kind kind;
    const char *unit;     /* "ns", "requests", "bytes", "1" */
    const char *sentence; /* what it counts, from when to when */
    const char *source;   /* who measures it: "engine", "driver http", "/proc/stat" */
};

/* A row of a table of metrics: its kind, name, unit, sentence and source. */
#define METRIC_ROW(which, is, of, what, from)                                                      \
    {                                                                                              \
        .name = (is), .kind = (which), .unit = (of), .sentence = (what), .source = (from)          \
    }

/* Counters of one request name. The accounts: offered = started + waiting + dropped;
 * started = succeeded + failed + timed_out + abandoned + in flight. */
enum core_counter {
    COUNT_OFFERED, /* became due */
    COUNT_STARTED, /* left the queue: sent, or a connection was opened for it */
    COUNT_DROPPED, /* never started: backlog full */
    COUNT_SUCCEEDED,
    COUNT_FAILED, /* an error other than a timeout */
    COUNT_TIMED_OUT,
    COUNT_ABANDONED, /* cut off at the end of the run, or by a stop */
    COUNT_ATTEMPTS,  /* sends on the wire: started + retries + second attempts on stale connections
                      */
    COUNT_RETRIED,   /* attempts that the plan's retry rule asked for */
    COUNT_STALE,     /* second attempts because a kept connection had died */
    COUNT_REDIRECTS,
    COUNT_CHECKS_PASSED,
    COUNT_CHECKS_FAILED,
    COUNT_BYTES_IN, /* on the wire, heads included, TLS records not */
    COUNT_BYTES_OUT,
    COUNT_CONNECTIONS, /* opened */
    COUNT_LATE,        /* arrivals that the generator itself started more than 1 ms late */
    COUNT_ITERATIONS,
    /* errors by kind; their sum is failed + timed_out */
    COUNT_ERROR_DNS,
    COUNT_ERROR_REFUSED,
    COUNT_ERROR_UNREACHABLE,
    COUNT_ERROR_CONNECT_TIMEOUT,
    COUNT_ERROR_TLS,
    COUNT_ERROR_RESET,
    COUNT_ERROR_RESPONSE_TIMEOUT,
    COUNT_ERROR_PROTOCOL,
    COUNT_ERROR_HTTP_STATUS,
    COUNT_ERROR_TOO_LARGE,
    COUNT_ERROR_GENERATOR, /* no port, descriptor or memory left here: not the target's fault */
    CORE_COUNTERS,
};

/* Histograms of one request name, all ns. */
enum core_hist {
    HIST_RESPONSE, /* from the intended start to the last byte, requests that succeeded */
    HIST_SERVICE,  /* from sent to the last byte, requests that succeeded */
    HIST_FAILED,   /* from the intended start to the failure, requests that failed */
    HIST_CENSORED, /* lower bounds of requests timed out, abandoned or dropped: time since intended
                    */
    HIST_LAG,      /* schedule lag: sent - intended, all causes */
    HIST_LATE, /* the generator's own part of it: started - intended while nothing else was missing
                */
    HIST_CONN_WAIT, /* waiting for a connection of the pool */
    HIST_DNS,
    HIST_CONNECT,
    HIST_TLS,
    HIST_SEND,      /* first byte written to last byte written */
    HIST_WAIT,      /* last byte written to first byte received */
    HIST_RECEIVE,   /* first byte to last byte */
    HIST_ITERATION, /* of tasks with several requests: whole task; recorded under its first request
                     */
    CORE_HISTS,
};

/* Gauges of a loop thread, sampled at the end of each interval. */
enum core_gauge {
    GAUGE_USERS,       /* virtual users alive */
    GAUGE_USERS_ASKED, /* what the plan asked for at that instant (users, or arrivals a second) */
    GAUGE_IN_FLIGHT,
    GAUGE_WAITING,     /* due but not started */
    GAUGE_CONNECTIONS, /* open */
    GAUGE_BUSY,        /* share of the interval that the loop was not asleep */
    GAUGE_LOOP_LAG, /* longest time in ns that a ready timer waited for the loop, in the interval */
    GAUGE_RUN_DELAY, /* ns that the thread waited for a processor (schedstat), in the interval */
    GAUGE_CPU,       /* ns of processor time that the thread used, in the interval */
    CORE_GAUGES,
};

/* Declarations in the order of the enums. */
extern const struct metric core_counters[CORE_COUNTERS];
extern const struct metric core_hists[CORE_HISTS];
extern const struct metric core_gauges[CORE_GAUGES];

/* All counters and histograms of a run: the core's first, then those of drivers in the order added.
 */
struct metric_table {
    struct metric *counters;
    size_t counter_count;
    struct metric *hists;
    size_t hist_count;
};

/* Counters of the requests of each of several targets: "target_requests_1", ... */
#define TARGET_COUNTER "target_requests_"

/* A table with the core's metrics. */
void metric_table_init(struct metric_table *table);
/* Adds a driver's metrics (gauges are not allowed here); first_counter and first_hist give the
 * numbers of its first ones. */
void metric_table_add(struct metric_table *table, const struct metric *metrics, size_t count,
                      uint32_t *first_counter, uint32_t *first_hist);
void metric_table_fini(struct metric_table *table);

#endif
