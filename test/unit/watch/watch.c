/* The watch over scripted probes: a slow, a hanging, a failing and an absent one hold up nobody;
 * what was not read is a gap and never a value said again; instants lie on the watch's clock. */
#include "watch/watch.h"

#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

/* ---- probes by script ------------------------------------------------------------------------ */

/* What a probe does; its values count its looks from 1. */
struct script {
    nsec_t takes_ns;
    int open;             /* what opening comes to */
    int gap_from, gap_to; /* looks that find nothing */
    bool hangs;           /* until it is cancelled */
    bool names;           /* hands out a metric that only the reply names */
};

struct scripted {
    const struct script *script;
    const struct probe_place *place;
    int looks;
};

static const struct metric metrics[] = {
    {.name = "look", .kind = METRIC_GAUGE, .unit = "looks"},
    {.name = NULL},
};

static void nap(nsec_t length_ns)
{
    struct timespec length = {.tv_sec = length_ns / NSEC_PER_SEC,
                              .tv_nsec = length_ns % NSEC_PER_SEC};
    nanosleep(&length, NULL);
}

static int scripted_open(const void *config, const struct probe_place *place, void **self,
                         struct text *why)
{
    const struct script *script = config;
    if (script->open) {
        text_puts(why, "no such thing here");
        return script->open;
    }
    struct scripted *scripted = memory_new(1, sizeof *scripted);
    *scripted = (struct scripted){script, place, 0};
    *self = scripted;
    return 0;
}

static int scripted_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    struct scripted *scripted = self;
    const struct script *script = scripted->script;
    int number = ++scripted->looks;
    (void)at_ns;
    while (script->hangs && !atomic_load(scripted->place->cancel))
        nap(NSEC_PER_MSEC);
    if (script->takes_ns)
        nap(script->takes_ns);
    if (script->hangs || (number >= script->gap_from && number <= script->gap_to)) {
        text_puts(why, "it does not answer");
        return PROBE_GAP;
    }
    probe_value(sink, 0, "", number);
    probe_value(sink, 0, "nan", NAN);
    probe_value(sink, 0, "infinite", -INFINITY);
    if (script->names) {
        char name[] = "reply:name";
        const struct metric metric = {.name = name, .kind = METRIC_GAUGE, .unit = "1"};
        probe_named(sink, &metric, "part", 10.0 * number);
        memset(name, 'x', sizeof name - 1);
        probe_event(sink, "oom", "look %d", number);
    }
    return 0;
}

#define SCRIPTED(apart)                                                                            \
    {                                                                                              \
        .name = "scripted", .metrics = metrics, .remote = (apart), .open = scripted_open,          \
        .look = scripted_look, .close = free                                                       \
    }
static const struct probe local = SCRIPTED(false), remote = SCRIPTED(true);

/* ---- who takes it ---------------------------------------------------------------------------- */

enum { THINGS = 8, KEPT = 4000 };

struct taken {
    struct watch_sample samples[KEPT];
    char parts[KEPT][16];
    size_t count;
    struct {
        size_t watched;
        nsec_t at_ns;
        char kind[16], words[100];
    } events[KEPT];
    size_t event_count;
    atomic_int inside;
    bool twice; /* it was called while it was being called */
};

static void take_sample(void *self, const struct watch_sample *sample)
{
    struct taken *taken = self;
    taken->twice |= atomic_fetch_add(&taken->inside, 1) != 0;
    assert_true(taken->count < KEPT);
    taken->samples[taken->count] = *sample;
    snprintf(taken->parts[taken->count++], 16, "%s", sample->part);
    atomic_fetch_sub(&taken->inside, 1);
}

static void take_event(void *self, size_t watched, nsec_t at_ns, const char *kind,
                       const char *words)
{
    struct taken *taken = self;
    taken->twice |= atomic_fetch_add(&taken->inside, 1) != 0;
    assert_true(taken->event_count < KEPT);
    taken->events[taken->event_count].watched = watched;
    taken->events[taken->event_count].at_ns = at_ns;
    snprintf(taken->events[taken->event_count].kind, 16, "%s", kind);
    snprintf(taken->events[taken->event_count++].words, 100, "%s", words);
    atomic_fetch_sub(&taken->inside, 1);
}

static size_t count_samples(const struct taken *taken, size_t watched)
{
    size_t count = 0;
    for (size_t i = 0; i < taken->count; i++)
        count += taken->samples[i].watched == watched;
    return count;
}

static size_t count_events(const struct taken *taken, size_t watched, const char *kind)
{
    size_t count = 0;
    for (size_t i = 0; i < taken->event_count; i++)
        count += taken->events[i].watched == watched && strcmp(taken->events[i].kind, kind) == 0;
    return count;
}

/* Watches for so long at 0.1 s. Owner: caller. */
static struct taken *watch_for(nsec_t length_ns, const struct watched *things, size_t count)
{
    struct taken *taken = memory_new(1, sizeof *taken);
    struct watch_options options = {.things = things,
                                    .thing_count = count,
                                    .interval_ns = 100 * NSEC_PER_MSEC,
                                    .sample = take_sample,
                                    .event = take_event,
                                    .self = taken};
    struct watch *watch = NULL;
    assert_int_equal(watch_new(&options, &watch), 0);
    nsec_t start_ns = clock_monotonic_ns();
    assert_int_equal(watch_start(watch, start_ns), 0);
    nap(length_ns);
    nsec_t before_ns = clock_monotonic_ns();
    watch_stop(watch);
    assert_true(clock_monotonic_ns() - before_ns < NSEC_PER_SEC); /* also what hangs ends */
    watch_free(watch);
    assert_false(taken->twice);
    return taken;
}

/* Every sample of a thing: a new number at a later instant, on the grid where looks are quick. */
static void assert_never_repeated(const struct taken *taken, size_t watched)
{
    double last = 0;
    nsec_t last_ns = -1;
    for (size_t i = 0; i < taken->count; i++) {
        const struct watch_sample *sample = &taken->samples[i];
        if (sample->watched != watched || *taken->parts[i])
            continue;
        assert_true(sample->value > last);
        assert_true(sample->at_ns > last_ns && sample->took_ns >= 0);
        last = sample->value;
        last_ns = sample->at_ns;
    }
}

static void nothing_holds_up_the_others(void **state)
{
    (void)state;
    static const struct script quick = {0}, named = {.names = true}, hangs = {.hangs = true},
                               slow = {.takes_ns = 350 * NSEC_PER_MSEC},
                               fails = {.gap_from = 3, .gap_to = 6},
                               absent = {.open = PROBE_ABSENT}, broken = {.open = -EACCES};
    const struct watched things[] = {
        {.name = "quick", .probe = &local, .config = &quick},
        {.name = "named", .probe = &local, .config = &named, .interval_ns = 200 * NSEC_PER_MSEC},
        {.name = "hangs", .probe = &remote, .config = &hangs},
        {.name = "slow", .probe = &remote, .config = &slow},
        {.name = "fails", .probe = &remote, .config = &fails},
        {.name = "absent", .probe = &local, .config = &absent},
        {.name = "broken", .probe = &local, .config = &broken},
    };
    struct taken *taken = watch_for(1450 * NSEC_PER_MSEC, things, 7);
    /* 15 instants; a busy machine may leave some out, but these are told */
    size_t quicks = count_samples(taken, 0);
    assert_true(quicks <= 15);
    assert_true(quicks == 15 || count_events(taken, 0, "gap") > 0);
    size_t nameds = count_samples(taken, 1);
    assert_true(nameds <= 16 && nameds % 2 == 0); /* two values a look */
    assert_int_equal(count_events(taken, 1, "oom"), nameds / 2);
    assert_int_equal(count_samples(taken, 2), 0);
    assert_true(count_samples(taken, 3) >= 1 && count_samples(taken, 3) <= 4);
    assert_true(count_events(taken, 3, "gap") > 0);      /* looks left out */
    assert_true(count_samples(taken, 4) <= 11);          /* four of 15 found nothing ... */
    assert_int_equal(count_events(taken, 4, "back"), 1); /* ... and this is told once */
    assert_int_equal(count_samples(taken, 5) + count_samples(taken, 6), 0);
    assert_int_equal(count_events(taken, 5, "absent"), 1);
    assert_int_equal(count_events(taken, 6, "absent"), 1);
    for (size_t i = 0; i < THINGS; i++)
        assert_never_repeated(taken, i);
    for (size_t i = 0; i < taken->count; i++) {
        assert_true(isfinite(taken->samples[i].value));
        if (taken->samples[i].watched == 3)
            assert_true(taken->samples[i].took_ns >= 350 * NSEC_PER_MSEC);
    }
    free(taken);
}

/* What a reply named is declared as it was then, and keeps its name. */
static void looks_without_threads(void **state)
{
    (void)state;
    static const struct script named = {.names = true}, gap = {.gap_from = 2, .gap_to = 2};
    const struct watched things[] = {{.name = "a", .probe = &local, .config = &named},
                                     {.name = "b", .probe = &remote, .config = &gap}};
    struct taken *taken = memory_new(1, sizeof *taken);
    struct watch_options options = {.things = things,
                                    .thing_count = 2,
                                    .interval_ns = NSEC_PER_SEC,
                                    .sample = take_sample,
                                    .event = take_event,
                                    .self = taken};
    struct watch *watch = NULL;
    assert_int_equal(watch_new(&options, &watch), 0);
    for (int i = 1; i <= 3; i++)
        watch_look(watch, i * NSEC_PER_SEC);
    assert_int_equal(count_samples(taken, 0), 6);
    assert_int_equal(count_samples(taken, 1), 2);
    assert_string_equal(taken->samples[1].metric->name, "reply:name");
    assert_ptr_equal(taken->samples[1].metric, taken->samples[4].metric);
    assert_string_equal(taken->parts[1], "part");
    assert_int_equal(taken->samples[0].at_ns, NSEC_PER_SEC);
    assert_int_equal(count_events(taken, 1, "gap"), 1);
    assert_int_equal(count_events(taken, 1, "back"), 1);
    for (size_t i = 0; i < taken->event_count; i++)
        if (taken->events[i].watched == 1 && strcmp(taken->events[i].kind, "gap") == 0)
            assert_string_equal(taken->events[i].words, "it does not answer");
    watch_free(watch);
    free(taken);
}

/* A start in the future is waited for, and can be called off. */
static void it_waits_for_its_start(void **state)
{
    (void)state;
    static const struct script quick = {0};
    const struct watched thing = {.name = "quick", .probe = &local, .config = &quick};
    struct taken *taken = memory_new(1, sizeof *taken);
    struct watch_options options = {.things = &thing,
                                    .thing_count = 1,
                                    .sample = take_sample,
                                    .event = take_event,
                                    .self = taken};
    struct watch *watch = NULL;
    assert_int_equal(watch_new(&options, &watch), 0);
    assert_int_equal(watch_start(watch, clock_monotonic_ns() + 3600 * NSEC_PER_SEC), 0);
    nap(50 * NSEC_PER_MSEC);
    watch_free(watch);
    assert_int_equal(taken->count, 0);
    free(taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_holds_up_the_others),
        cmocka_unit_test(looks_without_threads),
        cmocka_unit_test(it_waits_for_its_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
