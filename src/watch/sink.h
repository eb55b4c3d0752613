/* watch/sink.h - inside of watch: keeps what one look finds until the look is over, since only then
 * it is known how long it took. Its memory is used again by the next look. */
#ifndef WATCH_SINK_H
#define WATCH_SINK_H

#include "watch/probe.h"

enum {
    SINK_VALUES = 200000, /* most values of one look; more are left out */
    SINK_EVENTS = 100,
    SINK_NAMED = 20000, /* most metrics that replies of one probe may name */
};

struct sink_value {
    const struct metric *metric;
    size_t part_at; /* in texts */
    double value;
};

struct sink_event {
    size_t kind_at, words_at; /* in texts */
};

struct probe_sink {
    const struct metric *metrics; /* of the probe */
    size_t metric_count;
    struct metric **named; /* each in a place of its own, with texts of its own */
    size_t named_count, named_next;
    struct sink_value *values;
    size_t value_count, value_room;
    struct sink_event events[SINK_EVENTS];
    size_t event_count;
    struct text texts;
};

/* Begins empty, for a probe with these metrics. */
void sink_init(struct probe_sink *sink, const struct metric *metrics);
/* Frees what it keeps, named metrics too. */
void sink_fini(struct probe_sink *sink);
/* Empty again, for the next look. */
void sink_clear(struct probe_sink *sink);
/* Text at a place given above. Valid until the next value or event. */
const char *sink_text(const struct probe_sink *sink, size_t at);

#endif
