/* What one look finds; see sink.h. */
#include "watch/sink.h"

#include "base/check.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void sink_init(struct probe_sink *sink, const struct metric *metrics)
{
    *sink = (struct probe_sink){.metrics = metrics};
    while (metrics && metrics[sink->metric_count].name)
        sink->metric_count++;
}

static void metric_free(struct metric *metric)
{
    free((char *)(uintptr_t)metric->name);
    free((char *)(uintptr_t)metric->unit);
    free((char *)(uintptr_t)metric->sentence);
    free((char *)(uintptr_t)metric->source);
    free(metric);
}

void sink_fini(struct probe_sink *sink)
{
    for (size_t i = 0; i < sink->named_count; i++)
        metric_free(sink->named[i]);
    free(sink->named);
    free(sink->values);
    text_fini(&sink->texts);
}

void sink_clear(struct probe_sink *sink)
{
    sink->value_count = sink->event_count = 0;
    text_clear(&sink->texts);
}

const char *sink_text(const struct probe_sink *sink, size_t at)
{
    return sink->texts.at + at;
}

static size_t keep_text(struct probe_sink *sink, const char *words)
{
    size_t at = sink->texts.bytes;
    text_put(&sink->texts, (struct span){words, strlen(words) + 1}); /* with its zero */
    return at;
}

static void keep_value(struct probe_sink *sink, const struct metric *metric, const char *part,
                       double value)
{
    if (!isfinite(value) || sink->value_count == SINK_VALUES)
        return;
    if (sink->value_count == sink->value_room) {
        sink->value_room = sink->value_room ? 2 * sink->value_room : 64;
        sink->values = memory_resize(sink->values, sink->value_room, sizeof *sink->values);
    }
    sink->values[sink->value_count++] =
        (struct sink_value){metric, keep_text(sink, part ? part : ""), value};
}

void probe_value(struct probe_sink *sink, size_t metric, const char *part, double value)
{
    check(metric < sink->metric_count);
    keep_value(sink, &sink->metrics[metric], part, value);
}

static const char *copy_or_empty(const char *words)
{
    return memory_copy_text(words ? words : "");
}

/* The kept metric of this name; replies name them in the same order again and again. */
static const struct metric *named_metric(struct probe_sink *sink, const struct metric *metric)
{
    for (size_t i = 0; i < sink->named_count; i++) {
        size_t at = (sink->named_next + i) % sink->named_count;
        if (strcmp(sink->named[at]->name, metric->name) != 0)
            continue;
        sink->named_next = at + 1;
        return sink->named[at];
    }
    if (sink->named_count == SINK_NAMED)
        return NULL;
    struct metric *kept = memory_new(1, sizeof *kept);
    *kept = (struct metric){.name = copy_or_empty(metric->name),
                            .kind = METRIC_GAUGE,
                            .unit = copy_or_empty(metric->unit),
                            .sentence = copy_or_empty(metric->sentence),
                            .source = copy_or_empty(metric->source)};
    sink->named = memory_resize(sink->named, sink->named_count + 1, sizeof *sink->named);
    sink->named[sink->named_count++] = kept;
    return kept;
}

void probe_named(struct probe_sink *sink, const struct metric *metric, const char *part,
                 double value)
{
    const struct metric *kept = named_metric(sink, metric);
    if (kept)
        keep_value(sink, kept, part, value);
}

void probe_event(struct probe_sink *sink, const char *kind, const char *format, ...)
{
    if (sink->event_count == SINK_EVENTS)
        return;
    va_list arguments;
    va_start(arguments, format);
    struct text words = TEXT_EMPTY;
    text_vprintf(&words, format, arguments);
    va_end(arguments);
    text_reserve(&words, 1);
    sink->events[sink->event_count++] =
        (struct sink_event){keep_text(sink, kind), keep_text(sink, words.at)};
    text_fini(&words);
}
