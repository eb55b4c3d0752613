/* Arrival instants; see arrival.h. A gap takes its random numbers from 32 counters of its own, so
 * that it does not depend on how many numbers the gaps before it took. */
#include "load/arrival.h"

#include "base/error.h"
#include "base/memory.h"
#include "stat/distribution.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNTERS_A_GAP = 32 };

struct arrivals {
    const struct plan_scenario *scenario;
    const struct course *course;
    uint64_t key;
    double *starts; /* sum of all gaps before block b */
    size_t known, room;
    uint64_t block; /* the block whose sums are in `sums` */
    double *sums;   /* ARRIVAL_BLOCK: sum up to and with each gap */
    nsec_t *trace;  /* replay */
    size_t trace_count;
};

static int compare_times(const void *one, const void *other)
{
    nsec_t a = *(const nsec_t *)one, b = *(const nsec_t *)other;
    return (a > b) - (a < b);
}

/* The number at the beginning of a CSV line, or after "timestamp" in a JSON one; false: none there.
 */
static bool read_timestamp(const char *line, double *seconds)
{
    const char *at = strstr(line, "\"timestamp\"");
    if (line[0] == '{') {
        at = at ? strchr(at, ':') : NULL;
        if (!at)
            return false;
        at++;
    } else {
        at = line;
    }
    char *end;
    double value = strtod(at, &end);
    while (*end == ' ' || *end == '\t' || *end == '\r' || *end == '\n')
        end++;
    if (end == at || !isfinite(value) || value < 0 ||
        (*end && *end != ',' && *end != ';' && line[0] != '{'))
        return false;
    *seconds = value;
    return true;
}

static int read_trace(struct arrivals *arrivals, char *words, size_t room)
{
    FILE *file = fopen(arrivals->scenario->trace, "re");
    if (!file) {
        int error = -errno;
        char why[100];
        error_sentence(error, why, sizeof why);
        snprintf(words, room, "the trace %s cannot be read: %s", arrivals->scenario->trace, why);
        return error;
    }
    char *line = NULL;
    size_t size = 0, number = 0, kept = 0;
    int outcome = 0;
    while (outcome == 0 && getline(&line, &size, file) > 0) {
        double at_s;
        number++;
        if (line[0] == '\n' || line[0] == '#')
            continue;
        if (!read_timestamp(line, &at_s)) {
            if (number == 1)
                continue; /* a head line */
            snprintf(words, room, "%s:%zu: not a timestamp in seconds", arrivals->scenario->trace,
                     number);
            outcome = ARRIVALS_BAD_TRACE;
            break;
        }
        if (arrivals->trace_count == kept) {
            kept = kept ? 2 * kept : 1024;
            arrivals->trace = memory_resize(arrivals->trace, kept, sizeof *arrivals->trace);
        }
        arrivals->trace[arrivals->trace_count++] = (nsec_t)llround(at_s * (double)NSEC_PER_SEC);
    }
    free(line);
    fclose(file);
    if (arrivals->trace_count)
        qsort(arrivals->trace, arrivals->trace_count, sizeof *arrivals->trace, compare_times);
    return outcome;
}

int arrivals_new(struct arrivals **out, const struct plan_scenario *scenario,
                 const struct course *course, uint64_t key, char *words, size_t room)
{
    struct arrivals *arrivals = memory_new(1, sizeof *arrivals);
    arrivals->scenario = scenario;
    arrivals->course = course;
    arrivals->key = key;
    arrivals->block = UINT64_MAX;
    if (scenario->executor == EXECUTOR_REPLAY) {
        int error = read_trace(arrivals, words, room);
        if (error) {
            arrivals_free(arrivals);
            return error;
        }
    } else if (scenario->gaps != GAPS_CONSTANT) {
        arrivals->sums = memory_new(ARRIVAL_BLOCK, sizeof *arrivals->sums);
        arrivals->room = 64;
        arrivals->starts = memory_new(arrivals->room, sizeof *arrivals->starts);
        arrivals->known = 1;
    }
    *out = arrivals;
    return 0;
}

struct arrivals *arrivals_free(struct arrivals *arrivals)
{
    if (!arrivals)
        return NULL;
    free(arrivals->starts);
    free(arrivals->sums);
    free(arrivals->trace);
    free(arrivals);
    return NULL;
}

static void draw_block(struct arrivals *arrivals, uint64_t block)
{
    struct distribution gap = {.spread = SPREAD_EXPONENTIAL, .a = 1};
    if (arrivals->scenario->gaps == GAPS_GAMMA)
        gap = (struct distribution){
            .spread = SPREAD_GAMMA, .a = 1, .b = arrivals->scenario->burstiness};
    double sum = arrivals->starts[block];
    for (uint64_t i = 0; i < ARRIVAL_BLOCK; i++) {
        struct random random = {.key = arrivals->key,
                                .counter = (block * ARRIVAL_BLOCK + i) * COUNTERS_A_GAP};
        sum += distribution_draw(&gap, &random);
        arrivals->sums[i] = sum;
    }
    arrivals->block = block;
    if (block + 1 < arrivals->known)
        return;
    if (arrivals->known == arrivals->room) {
        arrivals->room *= 2;
        arrivals->starts =
            memory_resize(arrivals->starts, arrivals->room, sizeof *arrivals->starts);
    }
    arrivals->starts[arrivals->known++] = sum;
}

static double random_area(struct arrivals *arrivals, uint64_t n)
{
    uint64_t block = n / ARRIVAL_BLOCK;
    while (arrivals->known <= block)
        draw_block(arrivals, arrivals->known - 1);
    if (arrivals->block != block)
        draw_block(arrivals, block);
    return arrivals->sums[n % ARRIVAL_BLOCK];
}

nsec_t arrivals_instant(struct arrivals *arrivals, uint64_t n)
{
    if (arrivals->scenario->executor == EXECUTOR_REPLAY)
        return n < arrivals->trace_count ? course_begin(arrivals->course) + arrivals->trace[n]
                                         : NSEC_NEVER;
    double area = arrivals->sums ? random_area(arrivals, n) : (double)n;
    return course_area_instant(arrivals->course, area);
}
