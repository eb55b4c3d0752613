/* The watch inside a run. Its two callbacks come from the watch's threads, never two at once; what
 * the conductor asks for meanwhile is under a lock. */
#include "run/watching.h"

#include "base/memory.h"
#include "base/unit.h"
#include "watch/limit.h"
#include "watch/watch.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALM_NS (10 * NSEC_PER_SEC) /* a crossing is told again after so long within the limit */
#define GAPS    3                   /* intervals without a sample that break a stretch */

/* Which metrics the thresholds of the plan's watch are about. */
static const struct {
    const char *metric;
    size_t threshold; /* of struct plan_watch */
} safety[] = {
    {"cpu.busy", offsetof(struct plan_watch, cpu)},
    {"cgroup.cpu_of_quota", offsetof(struct plan_watch, cpu)},
    {"memory.used_share", offsetof(struct plan_watch, memory)},
    {"cgroup.memory_of_limit", offsetof(struct plan_watch, memory)},
    {"gpu.utilization", offsetof(struct plan_watch, gpu)},
    {"gpu.memory_share", offsetof(struct plan_watch, gpu)},
};

/* One series under one limit. */
struct guarded {
    size_t watched;
    const struct metric *metric;
    char *part;
    const struct plan_watch_stop *stop; /* NULL: a threshold */
    struct watch_limit limit;
    struct watch_limit_state state;
};

struct watching {
    const struct plan *plan;
    struct recorder *recorder;
    struct watch *watch;
    struct watched *things;
    uint32_t *numbers; /* of the record, by thing */
    size_t count;
    struct guarded *guarded;
    size_t guarded_count;
    pthread_mutex_t lock;                       /* of words */
    struct watching_news news[SAFETY_STOP + 1]; /* by action: the first that was held */
};

/* ---- limits ---------------------------------------------------------------------------------- */

static const struct plan_watched *thing_of(const struct watching *watching, size_t watched)
{
    return &watching->plan->watch.things[watched];
}

static bool stop_is_about(const struct plan_watch_stop *stop, const struct plan_watched *thing,
                          const struct watch_sample *sample)
{
    bool of = !stop->thing || strcmp(stop->thing, thing->name) == 0 ||
              strcmp(stop->thing, thing->role) == 0;
    return of && strcmp(stop->metric, sample->metric->name) == 0 &&
           (!stop->part || strcmp(stop->part, sample->part) == 0);
}

static void guard_add(struct watching *watching, const struct watch_sample *sample,
                      const struct plan_watch_stop *stop, struct watch_limit limit)
{
    const struct plan_watched *thing = thing_of(watching, sample->watched);
    nsec_t interval_ns =
        thing->interval_ns ? thing->interval_ns : watching->plan->watch.interval_ns;
    limit.most_gap_ns = GAPS * interval_ns;
    watching->guarded =
        memory_resize(watching->guarded, watching->guarded_count + 1, sizeof *watching->guarded);
    watching->guarded[watching->guarded_count++] =
        (struct guarded){.watched = sample->watched,
                         .metric = sample->metric,
                         .part = memory_copy_text(sample->part),
                         .stop = stop,
                         .limit = limit};
}

/* The limits that a series is under, once its first sample has shown that there is such a series.
 */
static void guard_series(struct watching *watching, const struct watch_sample *sample)
{
    const struct plan_watch *watch = &watching->plan->watch;
    const struct plan_watched *thing = thing_of(watching, sample->watched);
    for (size_t i = 0; i < sizeof safety / sizeof *safety; i++) {
        bool whole = *sample->part == '\0' || strncmp(sample->metric->name, "gpu.", 4) == 0;
        if (!whole || strcmp(safety[i].metric, sample->metric->name) != 0)
            continue;
        const double *limit = (const double *)((const char *)watch + safety[i].threshold);
        guard_add(watching, sample, NULL,
                  (struct watch_limit){.limit = *limit, .calm_ns = CALM_NS});
    }
    for (size_t i = 0; i < watch->stop_count; i++) {
        const struct plan_watch_stop *stop = &watch->stops[i];
        if (!stop_is_about(stop, thing, sample))
            continue;
        bool below = isnan(stop->above);
        guard_add(watching, sample, stop,
                  (struct watch_limit){.limit = below ? stop->below : stop->above,
                                       .below = below,
                                       .hold_ns = stop->hold_ns,
                                       .calm_ns = CALM_NS});
    }
}

static const char *write_value(char room[UNIT_ROOM], const struct metric *metric, double value)
{
    if (strcmp(metric->unit, "1") == 0)
        return unit_write_share(room, value);
    if (strcmp(metric->unit, "bytes") == 0)
        return unit_write_bytes(room, value);
    snprintf(room, UNIT_ROOM, "%.4g", value);
    return room;
}

static void say_limit(struct watching *watching, const struct guarded *guarded, nsec_t at_ns,
                      double value, bool back)
{
    char is[UNIT_ROOM], limit[UNIT_ROOM], held[UNIT_ROOM], words[WATCHING_WORDS];
    const struct plan_watched *thing = thing_of(watching, guarded->watched);
    write_value(is, guarded->metric, value);
    write_value(limit, guarded->metric, guarded->limit.limit);
    snprintf(words, sizeof words, "%s: %s%s%s is %s, %s %s%s%s", thing->name, guarded->metric->name,
             *guarded->part ? " of " : "", guarded->part, is,
             back                   ? "back within"
             : guarded->limit.below ? "below"
                                    : "above",
             limit, guarded->stop && !back ? " for " : "",
             guarded->stop && !back ? unit_write_duration(held, guarded->limit.hold_ns) : "");
    bool warns = !guarded->stop || guarded->stop->action == SAFETY_WARN;
    recorder_event(watching->recorder, at_ns, back ? "back" : warns ? "warning" : "limit", words);
    if (warns || back)
        return;
    struct watching_news *news = &watching->news[guarded->stop->action];
    pthread_mutex_lock(&watching->lock);
    if (!*news->words) {
        snprintf(news->words, sizeof news->words, "%s", words);
        news->to = guarded->stop->to;
    }
    pthread_mutex_unlock(&watching->lock);
}

static void guard_sample(struct watching *watching, const struct watch_sample *sample)
{
    for (size_t i = 0; i < watching->guarded_count; i++) {
        struct guarded *guarded = &watching->guarded[i];
        if (guarded->watched != sample->watched || guarded->metric != sample->metric ||
            strcmp(guarded->part, sample->part) != 0)
            continue;
        enum watch_limit_news news =
            watch_limit_take(&guarded->limit, &guarded->state, sample->at_ns, sample->value);
        if (news != LIMIT_NOTHING)
            say_limit(watching, guarded, sample->at_ns, sample->value, news == LIMIT_BACK);
    }
}

bool watching_limit(struct watching *watching, enum safety_action action, struct watching_news *out)
{
    if (!watching)
        return false;
    pthread_mutex_lock(&watching->lock);
    *out = watching->news[action];
    if (action == SAFETY_REDUCE) /* each is told once, so that the next one is a new one */
        watching->news[action].words[0] = '\0';
    pthread_mutex_unlock(&watching->lock);
    return out->words[0] != '\0';
}

/* ---- what the watch finds -------------------------------------------------------------------- */

static bool is_guarded(const struct watching *watching, const struct watch_sample *sample)
{
    for (size_t i = 0; i < watching->guarded_count; i++) {
        const struct guarded *guarded = &watching->guarded[i];
        if (guarded->watched == sample->watched && guarded->metric == sample->metric &&
            strcmp(guarded->part, sample->part) == 0)
            return true;
    }
    return false;
}

static void take_sample(void *self, const struct watch_sample *sample)
{
    struct watching *watching = self;
    recorder_sample(watching->recorder, watching->numbers[sample->watched], sample->metric,
                    sample->part, sample->at_ns, sample->took_ns, sample->value);
    if (!is_guarded(watching, sample))
        guard_series(watching, sample);
    guard_sample(watching, sample);
}

static void take_event(void *self, size_t watched, nsec_t at_ns, const char *kind,
                       const char *words)
{
    struct watching *watching = self;
    const struct plan_watched *thing = thing_of(watching, watched);
    struct text whole = TEXT_EMPTY;
    text_printf(&whole, "%s (%s): %s", thing->name, thing->probe.word, words);
    recorder_event(watching->recorder, at_ns, kind, whole.at);
    text_fini(&whole);
}

/* ---- life ------------------------------------------------------------------------------------ */

struct watching *watching_new(const struct plan *plan, const struct probe *const *probes,
                              size_t probe_count, struct recorder *recorder)
{
    const struct plan_watch *watch = &plan->watch;
    if (watch->thing_count == 0 || probe_count == 0)
        return NULL;
    struct watching *watching = memory_new(1, sizeof *watching);
    watching->plan = plan;
    watching->recorder = recorder;
    watching->count = watch->thing_count;
    watching->things = memory_new(watching->count, sizeof *watching->things);
    watching->numbers = memory_new(watching->count, sizeof *watching->numbers);
    pthread_mutex_init(&watching->lock, NULL);
    for (size_t i = 0; i < watching->count; i++) {
        const struct plan_watched *thing = &watch->things[i];
        watching->things[i] = (struct watched){.name = thing->name,
                                               .role = thing->role,
                                               .probe = probes[thing->probe.number],
                                               .config = thing->probe.config,
                                               .interval_ns = thing->interval_ns};
        watching->numbers[i] =
            recorder_watched(recorder, thing->name, thing->role, thing->probe.word);
    }
    struct watch_options options = {.things = watching->things,
                                    .thing_count = watching->count,
                                    .interval_ns = watch->interval_ns,
                                    .target = plan->target,
                                    .sample = take_sample,
                                    .event = take_event,
                                    .self = watching};
    if (watch_new(&options, &watching->watch) != 0)
        recorder_event(recorder, 0, "gap", "nothing is watched: there is no memory for it");
    return watching;
}

struct watching *watching_free(struct watching *watching)
{
    if (!watching)
        return NULL;
    watch_free(watching->watch);
    for (size_t i = 0; i < watching->guarded_count; i++)
        free(watching->guarded[i].part);
    free(watching->guarded);
    free(watching->things);
    free(watching->numbers);
    pthread_mutex_destroy(&watching->lock);
    free(watching);
    return NULL;
}

int watching_start(struct watching *watching, nsec_t start_ns)
{
    return watching && watching->watch ? watch_start(watching->watch, start_ns) : 0;
}

void watching_stop(struct watching *watching)
{
    if (watching && watching->watch)
        watch_stop(watching->watch);
}
