/* The numbers of reports; see figure.h. */
#include "show/figure.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct figure_time quantile(const struct hist *done, const struct hist *censored,
                                   uint64_t count, double share)
{
    struct figure_time time = {.needs = hist_count_for(share)};
    if (count == 0 || count < time.needs)
        return time;
    int error = censored ? hist_quantile_censored(done, censored, share, &time.ns, &time.at_least)
                         : hist_quantile(done, share, &time.ns);
    time.known = error == 0;
    return time;
}

static nsec_t larger(nsec_t one, nsec_t other)
{
    return one > other ? one : other;
}

static void ends_and_mean(const struct hist *done, const struct hist *censored,
                          struct figure_times *out)
{
    bool unfinished = out->censored > 0;
    if (done->count) {
        out->least = (struct figure_time){.ns = done->least, .known = true};
        out->most = (struct figure_time){.ns = done->most, .known = true, .at_least = unfinished};
    }
    if (unfinished) {
        nsec_t most = done->count ? larger(done->most, censored->most) : censored->most;
        out->most = (struct figure_time){.ns = most, .known = true, .at_least = true};
    }
    if (out->count) {
        double sum = done->sum_ns + (unfinished ? censored->sum_ns : 0.0);
        out->mean = (struct figure_time){
            .ns = (nsec_t)(sum / (double)out->count + 0.5), .known = true, .at_least = unfinished};
    }
}

void figure_times(const struct hist *done, const struct hist *censored, struct figure_times *out)
{
    memset(out, 0, sizeof *out);
    if (censored && censored->count == 0)
        censored = NULL;
    out->censored = censored ? censored->count : 0;
    out->count = done->count + out->censored;
    out->deviation_ns = done->count > 1 ? hist_deviation(done) : (double)NAN;
    ends_and_mean(done, censored, out);
    out->p50 = quantile(done, censored, out->count, 0.5);
    out->p90 = quantile(done, censored, out->count, 0.9);
    out->p95 = quantile(done, censored, out->count, 0.95);
    out->p99 = quantile(done, censored, out->count, 0.99);
    out->p999 = quantile(done, censored, out->count, 0.999);
}

static uint64_t status_between(const struct result_sum *sum, uint32_t first, uint32_t last)
{
    uint64_t count = 0;
    for (uint32_t code = first; code <= last; code++)
        count += result_status(sum, code);
    return count;
}

static void roll_up(const struct result_sum *sum, struct figure_sums *out)
{
    const uint64_t *counters = sum->counters;
    out->roll_timeout =
        counters[COUNT_ERROR_CONNECT_TIMEOUT] + counters[COUNT_ERROR_RESPONSE_TIMEOUT];
    out->roll_connection = counters[COUNT_ERROR_DNS] + counters[COUNT_ERROR_REFUSED] +
                           counters[COUNT_ERROR_UNREACHABLE] + counters[COUNT_ERROR_TLS] +
                           counters[COUNT_ERROR_RESET];
    out->roll_validation = counters[COUNT_CHECKS_FAILED] + counters[COUNT_ERROR_PROTOCOL] +
                           counters[COUNT_ERROR_TOO_LARGE];
    out->roll_5xx = status_between(sum, 500, 599);
}

static void rates(struct figure_sums *out, nsec_t measured_ns)
{
    out->error_share = out->requests ? (double)out->failed / (double)out->requests : (double)NAN;
    out->seconds = (double)measured_ns / (double)NSEC_PER_SEC;
    if (measured_ns <= 0) {
        out->seconds = 0.0;
        out->rate_rps = out->rate_rpm = out->in_bytes_rate = out->out_bytes_rate = (double)NAN;
        return;
    }
    out->rate_rps = (double)out->requests / out->seconds;
    out->rate_rpm = 60.0 * out->rate_rps;
    out->in_bytes_rate = (double)out->bytes_in / out->seconds;
    out->out_bytes_rate = (double)out->bytes_out / out->seconds;
}

void figure_sums(const struct result_sum *sum, struct figure_sums *out)
{
    memset(out, 0, sizeof *out);
    rates(out, 0);
    out->response.deviation_ns = out->service.deviation_ns = (double)NAN;
    if (!sum)
        return;
    const uint64_t *counters = sum->counters;
    out->offered = counters[COUNT_OFFERED];
    out->started = counters[COUNT_STARTED];
    out->dropped = counters[COUNT_DROPPED];
    out->abandoned = counters[COUNT_ABANDONED];
    out->succeeded = counters[COUNT_SUCCEEDED];
    out->timed_out = counters[COUNT_TIMED_OUT];
    out->failed = counters[COUNT_FAILED] + out->timed_out;
    out->requests = out->succeeded + out->failed;
    out->checks_passed = counters[COUNT_CHECKS_PASSED];
    out->checks_failed = counters[COUNT_CHECKS_FAILED];
    out->late = counters[COUNT_LATE];
    out->connections = counters[COUNT_CONNECTIONS];
    out->retried = counters[COUNT_RETRIED];
    out->stale = counters[COUNT_STALE];
    out->bytes_in = counters[COUNT_BYTES_IN];
    out->bytes_out = counters[COUNT_BYTES_OUT];
    roll_up(sum, out);
    rates(out, sum->measured_ns);
    figure_times(result_hist(sum, HIST_RESPONSE), result_hist(sum, HIST_CENSORED), &out->response);
    figure_times(result_hist(sum, HIST_SERVICE), NULL, &out->service);
}

struct error_kind {
    const char *words, *key;
};

static const struct error_kind error_kinds[FIGURE_ERROR_KINDS] = {
    {"name look-up", "dns"},
    {"connection refused", "refused"},
    {"unreachable", "unreachable"},
    {"connect timeout", "connect_timeout"},
    {"TLS", "tls"},
    {"connection reset", "reset"},
    {"response timeout", "response_timeout"},
    {"protocol", "protocol"},
    {"HTTP status", "http_status"},
    {"response too large", "too_large"},
    {"generator out of resources", "generator"},
};

static const struct error_kind *kind_of(uint32_t counter)
{
    static const struct error_kind check_failed = {"failed check", "check"};
    static const struct error_kind other = {"other", "other"};
    if (counter == COUNT_CHECKS_FAILED)
        return &check_failed;
    if (counter < COUNT_ERROR_DNS || counter >= CORE_COUNTERS)
        return &other;
    return &error_kinds[counter - COUNT_ERROR_DNS];
}

const char *figure_error_words(uint32_t counter)
{
    return kind_of(counter)->words;
}

const char *figure_error_key(uint32_t counter)
{
    return kind_of(counter)->key;
}

void figure_accounts(const struct result *result, struct figure_accounts *out)
{
    memset(out, 0, sizeof *out);
    const struct result_phase *before = NULL; /* the counted phase that this one follows directly */
    for (size_t i = 0; i < result->phase_count; i++) {
        const struct result_phase *phase = &result->phases[i];
        if (phase->excluded) {
            before = NULL;
            continue;
        }
        /* What one counted phase hands to the next stays inside: it is neither carried in nor
         * out. */
        bool follows = before && before->waiting_end == phase->waiting_begin &&
                       before->in_flight_end == phase->in_flight_begin;
        out->waiting_begin += follows ? 0 : phase->waiting_begin;
        out->in_flight_begin += follows ? 0 : phase->in_flight_begin;
        out->waiting_end += phase->waiting_end;
        out->in_flight_end += phase->in_flight_end;
        if (follows) {
            out->waiting_end -= before->waiting_end;
            out->in_flight_end -= before->in_flight_end;
        }
        before = phase;
    }
    out->close = result_accounts_close(result->total, out->waiting_begin, out->waiting_end,
                                       out->in_flight_begin, out->in_flight_end, &out->offered_off,
                                       &out->started_off);
}

const char *figure_write_time(char out[FIGURE_ROOM], struct figure_time time)
{
    char number[UNIT_ROOM];
    if (!time.known)
        snprintf(out, FIGURE_ROOM, "–");
    else
        snprintf(out, FIGURE_ROOM, "%s%s", time.at_least ? "≥ " : "",
                 unit_write_duration(number, time.ns));
    return out;
}

const char *figure_why(char out[FIGURE_WHY_ROOM], struct figure_time time, uint64_t count,
                       const char *name)
{
    if (time.known)
        out[0] = '\0';
    else if (count == 0)
        snprintf(out, FIGURE_WHY_ROOM, "not observed");
    else
        snprintf(out, FIGURE_WHY_ROOM, "n = %" PRIu64 ": too few for %s (needs %" PRIu64 ")", count,
                 name, time.needs);
    return out;
}
