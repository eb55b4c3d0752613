/* The core's metrics, one row each, and the table that a run's metrics are numbered in.
 *
 * The names are part of the run file and of every report: they are never reused for something
 * else. */
#include "record/metric.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>

#define COUNTER(number, word, of, what)                                                            \
    [number] = METRIC_ROW(METRIC_COUNTER, word, of, what, "engine")

const struct metric core_counters[CORE_COUNTERS] = {
    COUNTER(COUNT_OFFERED, "offered", "requests", "Requests that became due."),
    COUNTER(COUNT_STARTED, "started", "requests",
            "Requests that left the queue: sent, or a connection was opened for them."),
    COUNTER(COUNT_DROPPED, "dropped", "requests",
            "Requests that never started because the backlog was full."),
    COUNTER(COUNT_SUCCEEDED, "succeeded", "requests", "Requests answered without an error."),
    COUNTER(COUNT_FAILED, "failed", "requests",
            "Requests that ended in an error other than a timeout."),
    COUNTER(COUNT_TIMED_OUT, "timed_out", "requests", "Requests that ended in a timeout."),
    COUNTER(COUNT_ABANDONED, "abandoned", "requests",
            "Requests cut off at the end of the run or by a stop."),
    COUNTER(COUNT_ATTEMPTS, "attempts", "requests",
            "Sends on the wire, retries and second attempts included."),
    COUNTER(COUNT_RETRIED, "retried", "requests", "Attempts that the plan's retry rule asked for."),
    COUNTER(COUNT_STALE, "stale", "requests",
            "Second attempts because a kept connection had died."),
    COUNTER(COUNT_REDIRECTS, "redirects", "replies", "Replies that pointed elsewhere."),
    COUNTER(COUNT_CHECKS_PASSED, "checks_passed", "checks", "Checks of replies that passed."),
    COUNTER(COUNT_CHECKS_FAILED, "checks_failed", "checks", "Checks of replies that failed."),
    COUNTER(COUNT_BYTES_IN, "bytes_in", "bytes",
            "Bytes received, heads included, TLS records not."),
    COUNTER(COUNT_BYTES_OUT, "bytes_out", "bytes", "Bytes sent, heads included, TLS records not."),
    COUNTER(COUNT_CONNECTIONS, "connections", "connections", "Connections opened."),
    COUNTER(COUNT_LATE, "late", "requests",
            "Arrivals that the generator itself started more than 1 ms late."),
    COUNTER(COUNT_ITERATIONS, "iterations", "iterations", "Tasks carried out to their end."),
    COUNTER(COUNT_ERROR_DNS, "error_dns", "requests", "The name could not be looked up."),
    COUNTER(COUNT_ERROR_REFUSED, "error_refused", "requests", "The connection was refused."),
    COUNTER(COUNT_ERROR_UNREACHABLE, "error_unreachable", "requests",
            "No route to the target's host or network."),
    COUNTER(COUNT_ERROR_CONNECT_TIMEOUT, "error_connect_timeout", "requests",
            "The connection was not established in time."),
    COUNTER(COUNT_ERROR_TLS, "error_tls", "requests",
            "The TLS handshake or the check of the certificate failed."),
    COUNTER(COUNT_ERROR_RESET, "error_reset", "requests",
            "The connection was closed or reset before the reply was complete."),
    COUNTER(COUNT_ERROR_RESPONSE_TIMEOUT, "error_response_timeout", "requests",
            "The reply was not complete in time."),
    COUNTER(COUNT_ERROR_PROTOCOL, "error_protocol", "requests",
            "The reply broke the rules of its protocol."),
    COUNTER(COUNT_ERROR_HTTP_STATUS, "error_http_status", "requests",
            "The reply's status says that the request failed."),
    COUNTER(COUNT_ERROR_TOO_LARGE, "error_too_large", "requests",
            "The reply was longer than the plan allows."),
    COUNTER(COUNT_ERROR_GENERATOR, "error_generator", "requests",
            "No port, descriptor or memory left on the generator: not the target's fault."),
};

#define DURATION(number, word, what)                                                               \
    [number] = METRIC_ROW(METRIC_HISTOGRAM, word, "ns", what, "engine")

const struct metric core_hists[CORE_HISTS] = {
    DURATION(HIST_RESPONSE, "response",
             "From the intended start to the last byte, of requests that succeeded."),
    DURATION(HIST_SERVICE, "service", "From sent to the last byte, of requests that succeeded."),
    DURATION(HIST_FAILED, "failed",
             "From the intended start to the failure, of requests that failed."),
    DURATION(HIST_CENSORED, "censored",
             "At least this long: time since the intended start of requests that timed out, were "
             "abandoned or were dropped."),
    DURATION(HIST_LAG, "lag", "From the intended start to sent, whatever the cause."),
    DURATION(HIST_LATE, "late",
             "The generator's own part of the lag: started late while nothing else was missing."),
    DURATION(HIST_CONN_WAIT, "connection_wait", "Waiting for a connection of the pool."),
    DURATION(HIST_DNS, "dns", "Looking up the target's name."),
    DURATION(HIST_CONNECT, "connect", "Establishing the TCP connection."),
    DURATION(HIST_TLS, "tls", "The TLS handshake."),
    DURATION(HIST_SEND, "send", "From the first byte written to the last."),
    DURATION(HIST_WAIT, "wait", "From the last byte written to the first byte received."),
    DURATION(HIST_RECEIVE, "receive", "From the first byte received to the last."),
    DURATION(HIST_ITERATION, "iteration",
             "A whole task of several requests, counted under its first request."),
};

#define LEVEL(number, word, of, what) [number] = METRIC_ROW(METRIC_GAUGE, word, of, what, "engine")

const struct metric core_gauges[CORE_GAUGES] = {
    LEVEL(GAUGE_USERS, "users", "users", "Virtual users alive."),
    LEVEL(GAUGE_USERS_ASKED, "users_asked", "users",
          "What the plan asks for at that instant: users, or arrivals a second."),
    LEVEL(GAUGE_IN_FLIGHT, "in_flight", "requests", "Requests started and not yet ended."),
    LEVEL(GAUGE_WAITING, "waiting", "requests", "Requests due and not yet started."),
    LEVEL(GAUGE_CONNECTIONS, "open_connections", "connections", "Connections open."),
    LEVEL(GAUGE_BUSY, "busy", "1", "Share of the interval in which the loop was not asleep."),
    LEVEL(GAUGE_LOOP_LAG, "loop_lag", "ns",
          "The longest that a due timer waited for the loop in the interval."),
    LEVEL(GAUGE_RUN_DELAY, "run_delay", "ns",
          "Time in the interval that the thread waited for a processor."),
    LEVEL(GAUGE_CPU, "cpu", "ns", "Processor time that the thread used in the interval."),
};

static struct metric *copied(const struct metric *rows, size_t count)
{
    struct metric *copy = memory_new(count, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = rows[i];
    return copy;
}

void metric_table_init(struct metric_table *table)
{
    *table = (struct metric_table){
        .counters = copied(core_counters, CORE_COUNTERS),
        .counter_count = CORE_COUNTERS,
        .hists = copied(core_hists, CORE_HISTS),
        .hist_count = CORE_HISTS,
    };
}

static void append(struct metric **rows, size_t *count, const struct metric *more)
{
    *rows = memory_resize(*rows, *count + 1, sizeof **rows);
    (*rows)[(*count)++] = *more;
}

void metric_table_add(struct metric_table *table, const struct metric *metrics, size_t count,
                      uint32_t *first_counter, uint32_t *first_hist)
{
    *first_counter = (uint32_t)table->counter_count;
    *first_hist = (uint32_t)table->hist_count;
    for (size_t i = 0; i < count; i++) {
        check(metrics[i].kind != METRIC_GAUGE);
        if (metrics[i].kind == METRIC_COUNTER)
            append(&table->counters, &table->counter_count, &metrics[i]);
        else
            append(&table->hists, &table->hist_count, &metrics[i]);
    }
}

void metric_table_fini(struct metric_table *table)
{
    free(table->counters);
    free(table->hists);
    *table = (struct metric_table){.counters = NULL};
}
