/* support/probe_stage.h - one probe on a stage: opened by a test, looked with, and its values asked
 * for by name and part. */
#ifndef SUPPORT_PROBE_STAGE_H
#define SUPPORT_PROBE_STAGE_H

#include "base/memory.h"
#include "watch/sink.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct probe_stage {
    const struct probe *probe;
    struct probe_place place;
    struct probe_sink sink;
    struct text why;
    void *self;
    int rc; /* of the last open or look */
};

/* Opens it. Returns whether that went well. */
static inline bool stage_open(struct probe_stage *stage, const struct probe *probe,
                              const void *config)
{
    stage->probe = probe;
    stage->why = TEXT_EMPTY;
    stage->self = NULL;
    if (!stage->place.timeout_ns)
        stage->place.timeout_ns = 2 * NSEC_PER_SEC;
    if (!stage->place.root)
        stage->place.root = "";
    sink_init(&stage->sink, probe->metrics);
    stage->rc = probe->open(config, &stage->place, &stage->self, &stage->why);
    return stage->rc == 0;
}

static inline int stage_look(struct probe_stage *stage)
{
    text_clear(&stage->why);
    sink_clear(&stage->sink);
    stage->rc = stage->probe->look(stage->self, clock_monotonic_ns(), &stage->sink, &stage->why);
    return stage->rc;
}

/* The value of a metric's part; NAN: there is none. */
static inline double stage_value(const struct probe_stage *stage, const char *metric,
                                 const char *part)
{
    for (size_t i = 0; i < stage->sink.value_count; i++) {
        const struct sink_value *value = &stage->sink.values[i];
        if (strcmp(value->metric->name, metric) == 0 &&
            strcmp(sink_text(&stage->sink, value->part_at), part) == 0)
            return value->value;
    }
    return NAN;
}

/* Whether an event of this kind was told. */
static inline bool stage_event(const struct probe_stage *stage, const char *kind)
{
    for (size_t i = 0; i < stage->sink.event_count; i++)
        if (strcmp(sink_text(&stage->sink, stage->sink.events[i].kind_at), kind) == 0)
            return true;
    return false;
}

/* All that was handed out, for a look at it. */
static inline void stage_print(const struct probe_stage *stage)
{
    for (size_t i = 0; i < stage->sink.value_count; i++) {
        const struct sink_value *value = &stage->sink.values[i];
        fprintf(stderr, "%s{%s} %.17g %s\n", value->metric->name,
                sink_text(&stage->sink, value->part_at), value->value, value->metric->unit);
    }
}

static inline void stage_close(struct probe_stage *stage)
{
    if (stage->self)
        stage->probe->close(stage->self);
    sink_fini(&stage->sink);
    text_fini(&stage->why);
}

#endif
