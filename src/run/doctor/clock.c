/* Every latency is a difference of two readings of the clock, and every arrival waits for a timer:
 * both are tried here instead of believed. */
#include "run/doctor/doctor.h"

#include "base/clock.h"
#include "base/unit.h"
#include "host/file.h"

#include <stdlib.h>
#include <time.h>

static const char *const area = "generator";

enum {
    READINGS = 20000,
    NAPS = 60,
    NAP_NS = 1000000,
    READING_DEAR_NS = 300, /* a reading through the kernel instead of the vDSO */
    NAP_LATE_NS = 1000000, /* as late as what counts as a late arrival */
};

static int by_size(const void *one, const void *other)
{
    nsec_t a = *(const nsec_t *)one, b = *(const nsec_t *)other;
    return (a > b) - (a < b);
}

static void look_at_reading(struct findings *findings)
{
    nsec_t begin = clock_monotonic_ns(), last = begin;
    for (int i = 0; i < READINGS; i++)
        last = clock_monotonic_ns();
    nsec_t cost = (last - begin) / READINGS;
    struct text source = TEXT_EMPTY;
    host_read("", "/sys/devices/system/clocksource/clocksource0/current_clocksource", &source);
    struct span name = span_trim(text_span(&source));
    char words[UNIT_ROOM];
    bool dear = cost > READING_DEAR_NS;
    finding_add(findings, dear ? FINDING_WARNING : FINDING_FINE, area, "clock",
                "a reading takes %s (clock source %.*s)", unit_write_duration(words, cost),
                name.bytes ? (int)name.bytes : 9, name.bytes ? name.at : "not known");
    if (dear)
        finding_remedy(findings,
                       "choose a source that needs no system call: echo tsc > "
                       "/sys/devices/system/clocksource/clocksource0/current_clocksource");
    text_fini(&source);
}

static void look_at_timers(struct findings *findings)
{
    nsec_t late[NAPS];
    for (int i = 0; i < NAPS; i++) {
        nsec_t begin = clock_monotonic_ns();
        nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
        late[i] = clock_monotonic_ns() - begin - NAP_NS;
    }
    qsort(late, NAPS, sizeof *late, by_size);
    char middle[UNIT_ROOM], most[UNIT_ROOM];
    bool bad = late[NAPS / 2] > NAP_LATE_NS;
    finding_add(findings, bad ? FINDING_WARNING : FINDING_FINE, area, "timers",
                "%d naps of 1 ms ended %s late in the middle, %s at most", NAPS,
                unit_write_duration(middle, late[NAPS / 2]),
                unit_write_duration(most, late[NAPS - 1]));
    if (bad)
        finding_remedy(findings, "arrivals will be late by as much: use a machine that is not "
                                 "shared, or a kernel with high-resolution timers");
}

void doctor_clock(struct findings *findings)
{
    look_at_reading(findings);
    look_at_timers(findings);
}
