/* The run over time, in columns; see document.h. A gap in the record is a gap in begin_s. */
#include "show/document.h"
#include "show/figure.h"

#include <math.h>

/* The columns that the whole run and each request have. */
struct sum_columns {
    json_t *requests, *failed, *rate, *errors;
    json_t *mean, *p50, *p95, *p99, *most, *service_p50, *service_p95, *at_least;
};

static json_t *column(json_t *object, const char *name)
{
    json_t *array = json_array();
    json_object_set_new(object, name, array);
    return array;
}

static struct sum_columns columns_new(json_t *object)
{
    return (struct sum_columns){
        .requests = column(object, "requests"),
        .failed = column(object, "failed"),
        .rate = column(object, "rate_rps"),
        .errors = column(object, "error_ratio"),
        .mean = column(object, "avg_ms"),
        .p50 = column(object, "p50_ms"),
        .p95 = column(object, "p95_ms"),
        .p99 = column(object, "p99_ms"),
        .most = column(object, "max_ms"),
        .service_p50 = column(object, "service_p50_ms"),
        .service_p95 = column(object, "service_p95_ms"),
        .at_least = column(object, "censored"),
    };
}

/* Microsecond digits are enough on a time line and keep the document small. */
static json_t *time_cell(struct figure_time time)
{
    if (!time.known)
        return json_null();
    return json_real(round((double)time.ns / 1e3) / 1e3);
}

/* A percentile of one interval, also where its count could not carry it for the whole run: a time
 * line shows each interval as it was, and the reader sees how it scatters. The rank must exist: p99
 * of 20 requests is their largest. */
static json_t *interval_quantile(const struct hist *done, const struct hist *censored, double share)
{
    struct figure_time time = {.known = false};
    if (done->count + censored->count > 0)
        time.known = hist_quantile_censored(done, censored, share, &time.ns, &time.at_least) == 0;
    return time_cell(time);
}

static void append_sum(struct sum_columns *columns, const struct result_sum *sum, nsec_t length_ns)
{
    struct figure_sums figures;
    figure_sums(sum, &figures);
    double seconds = (double)length_ns / (double)NSEC_PER_SEC;
    double rate = seconds > 0.0 ? (double)figures.requests / seconds : (double)NAN;
    json_array_append_new(columns->requests, document_count(figures.requests));
    json_array_append_new(columns->failed, document_count(figures.failed));
    json_array_append_new(columns->rate, document_number(round(rate * 1e3) / 1e3));
    json_array_append_new(columns->errors, document_number(figures.error_share));
    json_array_append_new(columns->mean, time_cell(figures.response.mean));
    json_array_append_new(columns->most, time_cell(figures.response.most));
    json_array_append_new(columns->at_least, document_count(figures.response.censored));
    if (!sum) {
        json_t *times[] = {columns->p50, columns->p95, columns->p99, columns->service_p50,
                           columns->service_p95};
        for (size_t i = 0; i < sizeof times / sizeof *times; i++)
            json_array_append_new(times[i], json_null());
        return;
    }
    const struct hist *done = result_hist(sum, HIST_RESPONSE);
    const struct hist *censored = result_hist(sum, HIST_CENSORED);
    const struct hist *service = result_hist(sum, HIST_SERVICE);
    static const struct hist none;
    json_array_append_new(columns->p50, interval_quantile(done, censored, 0.5));
    json_array_append_new(columns->p95, interval_quantile(done, censored, 0.95));
    json_array_append_new(columns->p99, interval_quantile(done, censored, 0.99));
    json_array_append_new(columns->service_p50, interval_quantile(service, &none, 0.5));
    json_array_append_new(columns->service_p95, interval_quantile(service, &none, 0.95));
}

static nsec_t length_of(const struct result_point *point)
{
    return point->end_ns - point->begin_ns;
}

static void append_instants(json_t *series, const struct result *result)
{
    json_t *begin = column(series, "begin_s"), *end = column(series, "end_s");
    json_t *phase = column(series, "phase"), *saturated = column(series, "saturated");
    for (size_t i = 0; i < result->point_count; i++) {
        const struct result_point *point = &result->points[i];
        json_array_append_new(begin, document_seconds(point->begin_ns));
        json_array_append_new(end, document_seconds(point->end_ns));
        json_array_append_new(phase, json_integer(point->phase));
        json_array_append_new(saturated, json_boolean(point->saturated));
    }
}

struct gauge_column {
    enum core_gauge gauge;
    const char *name;
    double scale;
};

static void append_gauges(json_t *series, const struct result *result)
{
    static const struct gauge_column gauges[] = {
        {GAUGE_USERS, "users", 1.0},
        {GAUGE_USERS_ASKED, "users_asked", 1.0},
        {GAUGE_IN_FLIGHT, "in_flight", 1.0},
        {GAUGE_WAITING, "waiting", 1.0},
        {GAUGE_CONNECTIONS, "connections", 1.0},
        {GAUGE_BUSY, "generator_busy_ratio", 1.0},
        {GAUGE_LOOP_LAG, "generator_loop_lag_ms", 1e-6},
    };
    for (size_t g = 0; g < sizeof gauges / sizeof *gauges; g++) {
        json_t *values = column(series, gauges[g].name);
        for (size_t i = 0; i < result->point_count; i++) {
            double value = result->points[i].gauges[gauges[g].gauge] * gauges[g].scale;
            json_array_append_new(values, document_number(round(value * 1e4) / 1e4));
        }
    }
}

static void append_counter(json_t *series, const struct result *result, const char *name,
                           enum core_counter counter)
{
    json_t *values = column(series, name);
    for (size_t i = 0; i < result->point_count; i++) {
        const struct result_sum *sum = result->points[i].sum;
        json_array_append_new(values, sum ? document_count(sum->counters[counter]) : json_null());
    }
}

json_t *document_series(const struct result *result)
{
    json_t *series = json_object();
    append_instants(series, result);
    struct sum_columns columns = columns_new(series);
    for (size_t i = 0; i < result->point_count; i++)
        append_sum(&columns, result->points[i].sum, length_of(&result->points[i]));
    append_gauges(series, result);
    append_counter(series, result, "timed_out", COUNT_TIMED_OUT);
    append_counter(series, result, "dropped", COUNT_DROPPED);
    append_counter(series, result, "late", COUNT_LATE);
    append_counter(series, result, "failed_assertions", COUNT_CHECKS_FAILED);
    append_counter(series, result, "received_bytes", COUNT_BYTES_IN);
    append_counter(series, result, "sent_bytes", COUNT_BYTES_OUT);
    document_llm_series(series, result, SIZE_MAX);
    return series;
}

json_t *document_request_series(const struct result *result, size_t request)
{
    json_t *series = json_object();
    struct sum_columns columns = columns_new(series);
    for (size_t i = 0; i < result->point_count; i++) {
        const struct result_point *point = &result->points[i];
        append_sum(&columns, point->requests ? point->requests[request] : NULL, length_of(point));
    }
    document_llm_series(series, result, request);
    return series;
}
