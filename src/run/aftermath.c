/* Each figure is the mean of what the looks gave; a look at rates needs one before it, so there are
 * two, a little apart. */
#include "run/aftermath.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/unit.h"
#include "watch/watch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { APART_MS = 200, LEAST_INTERVAL_MS = 100, PART_ROOM = 32, FIGURES_MOST = 24 };

static const double held_share = 0.05;

/* One figure of one part, before and after. */
struct figure {
    const char *metric, *noun;
    char part[PART_ROOM];
    double before, after;
};

struct aftermath {
    struct watch *watch;
    bool again; /* what is sampled now is after the test */
    struct figure figures[FIGURES_MOST];
    size_t count;
    double memory_total; /* bytes; NAN: not known */
};

static const struct {
    const char *metric, *noun;
} rows[] = {{"cpu.busy", "processors"},
            {"memory.used", "memory"},
            {"gpu.memory_used", "memory of"},
            {"gpu.memory_share", "share of the memory of"}};

static struct figure *figure_of(struct aftermath *aftermath, const char *metric, const char *part)
{
    for (size_t i = 0; i < aftermath->count; i++)
        if (strcmp(aftermath->figures[i].metric, metric) == 0 &&
            strncmp(aftermath->figures[i].part, part, PART_ROOM - 1) == 0)
            return &aftermath->figures[i];
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !aftermath->again; i++) {
        if (strcmp(rows[i].metric, metric) != 0 || aftermath->count == FIGURES_MOST)
            continue;
        struct figure *figure = &aftermath->figures[aftermath->count++];
        *figure = (struct figure){
            .metric = rows[i].metric, .noun = rows[i].noun, .before = NAN, .after = NAN};
        snprintf(figure->part, PART_ROOM, "%s", part);
        return figure;
    }
    return NULL;
}

static void take(void *self, const struct watch_sample *sample)
{
    struct aftermath *aftermath = self;
    if (strcmp(sample->metric->name, "memory.total") == 0)
        aftermath->memory_total = sample->value;
    if (strncmp(sample->metric->name, "gpu.", 4) != 0 && sample->part[0])
        return; /* of the machine only the whole counts */
    struct figure *figure = figure_of(aftermath, sample->metric->name, sample->part);
    if (figure && aftermath->again)
        figure->after = sample->value;
    else if (figure)
        figure->before = sample->value;
}

static void pass_over(void *self, size_t watched, nsec_t at_ns, const char *kind, const char *words)
{
    (void)self, (void)watched, (void)at_ns, (void)kind, (void)words;
}

static void look(struct aftermath *aftermath)
{
    watch_look(aftermath->watch, clock_monotonic_ns());
    nanosleep(&(struct timespec){.tv_nsec = APART_MS * NSEC_PER_MSEC}, NULL);
    watch_look(aftermath->watch, clock_monotonic_ns());
}

static bool is_wanted(const char *probe)
{
    return strcmp(probe, "cpu") == 0 || strcmp(probe, "memory") == 0 || strcmp(probe, "gpu") == 0;
}

struct aftermath *aftermath_before(const struct plan *plan, const struct probe *const *probes,
                                   size_t probe_count)
{
    struct aftermath *aftermath = memory_new(1, sizeof *aftermath);
    struct watched *things = memory_new(plan->watch.thing_count + 1, sizeof *things);
    size_t count = 0;
    for (size_t i = 0; i < plan->watch.thing_count; i++) {
        const struct plan_watched *thing = &plan->watch.things[i];
        check(thing->probe.number >= 0 && (size_t)thing->probe.number < probe_count);
        const struct probe *probe = probes[thing->probe.number];
        if (is_wanted(probe->name))
            things[count++] = (struct watched){.name = thing->name,
                                               .role = thing->role,
                                               .probe = probe,
                                               .config = thing->probe.config};
    }
    struct watch_options options = {.things = things,
                                    .thing_count = count,
                                    .interval_ns = LEAST_INTERVAL_MS * NSEC_PER_MSEC,
                                    .sample = take,
                                    .event = pass_over,
                                    .self = aftermath};
    aftermath->memory_total = NAN;
    if (count && watch_new(&options, &aftermath->watch) == 0)
        look(aftermath);
    free(things);
    return aftermath->count ? aftermath : aftermath_free(aftermath);
}

struct aftermath *aftermath_free(struct aftermath *aftermath)
{
    if (aftermath)
        watch_free(aftermath->watch);
    free(aftermath);
    return NULL;
}

static const char *value_words(char out[UNIT_ROOM], const char *metric, double value)
{
    if (isnan(value))
        return "not known";
    bool bytes = strstr(metric, "_used") != NULL || strcmp(metric, "memory.used") == 0;
    return bytes ? unit_write_bytes(out, value) : unit_write_share(out, value);
}

/* Whether it holds more than before, by more than a twentieth of all. */
static bool is_held(const struct aftermath *aftermath, const struct figure *figure)
{
    if (strcmp(figure->metric, "memory.used") == 0)
        return figure->after - figure->before > held_share * aftermath->memory_total;
    return strcmp(figure->metric, "gpu.memory_share") == 0 &&
           figure->after - figure->before > held_share;
}

bool aftermath_after(struct aftermath *aftermath, struct text *out)
{
    bool held = false;
    aftermath->again = true;
    look(aftermath);
    for (size_t i = 0; i < aftermath->count; i++) {
        const struct figure *figure = &aftermath->figures[i];
        char before[UNIT_ROOM], after[UNIT_ROOM];
        held |= is_held(aftermath, figure);
        text_printf(out, "%s%s%s%s %s before, %s after", i ? "; " : "", figure->noun,
                    figure->part[0] ? " " : "", figure->part,
                    value_words(before, figure->metric, figure->before),
                    value_words(after, figure->metric, figure->after));
    }
    return held;
}
