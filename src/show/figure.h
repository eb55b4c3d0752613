/* show/figure.h - the numbers that all reports print, computed once, so that no two of them differ.
 *
 * A time that is not known says why: nothing recorded, or too few records to carry the percentile
 * (hist_count_for). A time that unfinished requests reach is a lower bound, printed with a ≥. */
#ifndef SHOW_FIGURE_H
#define SHOW_FIGURE_H

#include "base/unit.h"
#include "record/result.h"

#include <stdbool.h>
#include <stdint.h>

struct figure_time {
    nsec_t ns;      /* meaningful when known */
    bool known;     /* else: nothing recorded, or fewer than `needs` */
    bool at_least;  /* a lower bound */
    uint64_t needs; /* how many records this percentile needs; 0 for least, mean and most */
};

/* The spread of a duration. The mean of a spread with unfinished requests counts each at its lower
 * bound: it is then a lower bound itself. */
struct figure_times {
    uint64_t count;      /* records behind it, unfinished ones included */
    uint64_t censored;   /* of them unfinished: known only as "at least" */
    double deviation_ns; /* of those that finished; NAN below two */
    struct figure_time least, mean, p50, p90, p95, p99, p999, most;
};

/* The spread of what finished (done) and of the lower bounds of what did not (censored or NULL). */
void figure_times(const struct hist *done, const struct hist *censored, struct figure_times *out);

/* What became of the requests of a sum. Shares and rates are NAN where nothing was observed. */
struct figure_sums {
    uint64_t offered, started, dropped, abandoned;
    uint64_t requests;  /* that came to an end by themselves: succeeded + failed + timed out */
    uint64_t succeeded; /* of them */
    uint64_t failed;    /* of them: failed + timed out */
    uint64_t timed_out;
    uint64_t checks_passed, checks_failed;
    uint64_t late, connections, retried, stale, bytes_in, bytes_out;
    /* failures rolled up: timeouts, connection errors, failed assertions, answers of 500 to 599 */
    uint64_t roll_timeout, roll_connection, roll_validation, roll_5xx;
    double error_share;                   /* failed / requests */
    double seconds;                       /* measured */
    double rate_rps, rate_rpm;            /* requests that ended, a second and a minute */
    double in_bytes_rate, out_bytes_rate; /* a second */
    struct figure_times response, service;
};

/* The figures of a sum; NULL gives those of nothing. */
void figure_sums(const struct result_sum *sum, struct figure_sums *out);

/* The kinds of error, in the order of enum core_counter from COUNT_ERROR_DNS on. */
enum { FIGURE_ERROR_KINDS = CORE_COUNTERS - COUNT_ERROR_DNS };

/* The words of a kind of error (a COUNT_ERROR_* or COUNT_CHECKS_FAILED): "response timeout"; and
 * its name in keys: "response_timeout". */
const char *figure_error_words(uint32_t counter);
const char *figure_error_key(uint32_t counter);

/* The accounts of the whole measured part of a run: all phases that are not excluded, with what
 * was carried into and out of them. */
struct figure_accounts {
    uint64_t waiting_begin, waiting_end, in_flight_begin, in_flight_end;
    int64_t offered_off, started_off; /* 0 when they close */
    bool close;
};
void figure_accounts(const struct result *result, struct figure_accounts *out);

/* "1.21 s", "≥ 30 s", or "–" where not known. Returns out. */
enum { FIGURE_ROOM = UNIT_ROOM + 8 };
const char *figure_write_time(char out[FIGURE_ROOM], struct figure_time time);

/* Why a time is not known: "not observed", or "n = 212: too few for p99 (needs 299)"; "" when it
 * is known. name: "p99". Returns out. */
enum { FIGURE_WHY_ROOM = 96 };
const char *figure_why(char out[FIGURE_WHY_ROOM], struct figure_time time, uint64_t count,
                       const char *name);

#endif
