/* watch/probe.h - the contract of probes: one way to look at a resource, asked again and again.
 *
 * A probe reads levels and growths and hands them out as values of metrics that it has declared,
 * each with unit and source. What it cannot read it leaves out: a missing value is a gap, and no
 * value is ever repeated or made up. Counters are turned into rates by the probe itself, from two
 * readings; a counter that shrank (a wrap, a restart) gives no value for that interval.
 *
 * Probes of this machine are quick and share one thread. A probe that talks to somebody (`remote`)
 * gets a thread of its own, so that an endpoint that hangs holds up nobody else. */
#ifndef WATCH_PROBE_H
#define WATCH_PROBE_H

#include "base/clock.h"
#include "base/text.h"
#include "plan/setting.h"
#include "record/metric.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* What a probe may lean on. Lives as long as the probe. */
struct probe_place {
    const char *root;          /* stands before /proc and /sys: "" on a machine, a tree in tests */
    const char *target;        /* base URL of the plan, for addresses given as paths; or NULL */
    nsec_t timeout_ns;         /* the longest that one look may take */
    const atomic_bool *cancel; /* true: give up at once */
};

/* Takes what a look found. Made by the watch; valid during `look` only. */
struct probe_sink;

/* Hands out a value. metric: index in the probe's metrics. part: which of several ("cpu0", "sda",
 * "GPU1"), "" for the whole. NAN and infinities are left out. */
void probe_value(struct probe_sink *sink, size_t metric, const char *part, double value);
/* Hands out a value of a metric that only the reply names (exposition formats); declared with it
 * when first seen. Texts are copied. */
void probe_named(struct probe_sink *sink, const struct metric *metric, const char *part,
                 double value);
/* Tells of something that happened: kind "restart", "oom", "gone", "gap", ...; a sentence. */
void probe_event(struct probe_sink *sink, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a look came to. */
enum { PROBE_GAP = 1 /* nothing could be read; why says what; the watch records the gap */ };
/* What opening came to: the thing is not there (no GPU, no cgroup), which is no error: it is said
 * once and the run goes on without it. */
enum { PROBE_ABSENT = 2 };

struct probe {
    const char *name;               /* "cpu"; the key of an entry under watch.probes */
    const char *sentence;           /* what it watches, without full stop */
    const struct setting *settings; /* of its config struct; ends with name NULL */
    size_t config_bytes;
    const char *shorthand;        /* the setting that a bare text stands for; or NULL */
    const struct metric *metrics; /* METRIC_GAUGE rows, ends with name NULL; names "cpu.busy" */
    const char *role;             /* the role of a thing whose plan names none */
    const char *also;             /* probes that an entry of this one stands for too; or NULL */
    const char *unasked; /* the bare text with which every run has it ("" for none); NULL: asked for
                            only */
    bool remote;         /* looks may wait for somebody else: a thread of its own */
    void (*describe)(
        struct text *out); /* appends as Markdown what its tables do not say; or NULL */

    /* Makes ready to look. Returns 0 with *self, -errno, or PROBE_ABSENT; why then holds one
     * sentence. Owner: watch, by close. */
    int (*open)(const void *config, const struct probe_place *place, void **self, struct text *why);
    /* Looks once and hands out what it found; at_ns on the monotonic clock. The first look may
     * give levels only. Returns 0, or PROBE_GAP with why. */
    int (*look)(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why);
    void (*close)(void *self);
};

#endif
