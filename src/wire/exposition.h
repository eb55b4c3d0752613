/* wire/exposition.h - reads metrics as services expose them: Prometheus text 0.0.4 and OpenMetrics
 * 1.0, sample by sample, over the bytes as they came.
 *
 *     struct exposition reader = exposition_of(bytes, false);
 *     struct exposition_sample sample;
 *     while (exposition_next(&reader, &sample))
 *         ...
 *
 * Nothing is copied and nothing allocated: names and labels are spans of the bytes. A line that is
 * not of the format is passed over and counted, and the first such is named, so that one bad line
 * of an exporter does not hide its other thousand. Histograms and summaries come as the series
 * that they are made of (x_bucket{le="..."}, x_sum, x_count, x{quantile="..."}).
 *
 * Source: the formats' specifications of the Prometheus and OpenMetrics projects. */
#ifndef WIRE_EXPOSITION_H
#define WIRE_EXPOSITION_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum exposition_kind {
    EXPOSITION_UNKNOWN, /* untyped, or no TYPE line before the sample */
    EXPOSITION_COUNTER,
    EXPOSITION_GAUGE,
    EXPOSITION_HISTOGRAM,
    EXPOSITION_SUMMARY,
    EXPOSITION_INFO,
    EXPOSITION_STATESET,
    EXPOSITION_GAUGE_HISTOGRAM,
};

struct exposition_sample {
    struct span name;          /* "vllm:num_requests_waiting", "x_bucket" */
    struct span labels;        /* between the braces, as in the bytes; exposition_label reads it */
    double value;              /* may be NaN or infinite */
    double at_s;               /* the sample's own time stamp, seconds since 1970; NaN: none */
    struct span family;        /* the name without what its kind appends */
    enum exposition_kind kind; /* by the TYPE line of the family */
    struct span help, unit;    /* as in the bytes; empty when not said */
};

struct exposition {
    struct span rest; /* private, as are the next five */
    bool open_metrics;
    struct span family, help, unit;
    enum exposition_kind kind;
    uint64_t lines;
    uint64_t samples;
    uint64_t bad_lines;
    uint64_t first_bad; /* its number, from 1; 0: none */
    const char *why;    /* what is wrong with it */
    bool ended;         /* "# EOF" was read: an OpenMetrics text is whole */
};

/* Stands before the first line. open_metrics: the reply's content type begins with
 * "application/openmetrics-text"; time stamps are then seconds rather than milliseconds. */
struct exposition exposition_of(struct span bytes, bool open_metrics);

/* The next sample. Returns false at the end. */
bool exposition_next(struct exposition *reader, struct exposition_sample *out);

/* Takes the next label from the front of a sample's labels; value is still escaped. Returns false
 * at the end. */
bool exposition_label(struct span *labels, struct span *name, struct span *value);

/* The (escaped) value of a label; at == NULL: the sample has none of this name. */
struct span exposition_find(struct span labels, struct span name);

/* Appends a label's value with its escapes (\\, \", \n) undone. */
void exposition_text(struct span value, struct text *out);

#endif
