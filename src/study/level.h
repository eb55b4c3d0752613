/* study/level.h - load levels as data: what the studies of a curve look at, whether the levels came
 * from the phases of one run or from the runs of a suite. Plain values; NAN: not known. */
#ifndef STUDY_LEVEL_H
#define STUDY_LEVEL_H

#include "base/clock.h"
#include "record/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One resource over a level. */
struct level_resource {
    char *thing, *role, *metric, *part,
        *unit; /* as watched: "gateway", "gateway", "cpu.busy", "" */
    double mean, p95, most;
    double slope;                 /* a second, over the level */
    double slope_low, slope_high; /* its 95 % interval; see study/leak.h */
    uint64_t count;
};

enum level_state {
    LEVEL_STEADY,
    LEVEL_NOT_STEADY, /* prolonged to its cap and never steady */
    LEVEL_SHORT,      /* too few samples for the percentiles asked for */
    LEVEL_STOPPED,    /* cut off by a safety threshold or by the user */
};

/* One load level at one size and number of instances. */
struct level {
    /* the axes */
    double users;       /* virtual users asked for; of open loads NAN */
    double rate;        /* arrivals a second asked for; of closed loads NAN */
    double instances;   /* 1 when not varied */
    double size;        /* value on the size axis (processors, slots); NAN when not varied */
    char *size_name;    /* "cpu 0.5"; or "" */
    uint32_t replicate; /* from 0 */

    /* what was measured in the kept part, warm-up removed */
    nsec_t begin_ns, end_ns; /* of it, in its run */
    double measured_s, warmup_s;
    double concurrency; /* mean requests in the system: in flight and waiting */
    double think_s;     /* mean think time; NAN when open */
    double throughput;  /* succeeded a second */
    double goodput;     /* met the SLO, a second; NAN: none declared */
    uint64_t requests, failed, timed_out;
    double error_share, timeout_share;
    double mean_s, p50_s, p95_s, p99_s, most_s; /* response, from the intended start */
    double service_s;                           /* mean, from sent */
    double ttft_p95_s, tokens_s;                /* streamed: time to first token; tokens a second */
    double little; /* throughput x response / concurrency - 1: near 0 when accounts hold */

    enum level_state state;
    int generator; /* 0 ok, 1 suspect, 2 saturated: as run/generator.h orders them */
    struct level_resource *resources;
    size_t resource_count;
    char *run; /* path of the run file, relative to the suite; or "" */
    struct level_error {
        char *words; /* "503", "timeout", "refused", or a service of the reply rules */
        uint64_t count;
    } * errors;
    size_t error_count;
    /* Requests that each instance served, as the balancer counted them, over the whole level with
     * its warm-up; none: not known. */
    uint64_t *served;
    size_t served_count;
    /* Or, where the generator spreads its users over a list of targets, as it counted them itself
     * in the measured part: then what each user happens to ask for makes them differ by chance. */
    bool served_by_users;
};

enum suite_kind { SUITE_PROGRESSION, SUITE_VERTICAL, SUITE_HORIZONTAL, SUITE_RUN, SUITE_SOAK };

/* Levels that belong to one question. */
struct level_series {
    enum suite_kind kind;
    char *name;
    struct level *levels; /* in the order measured */
    size_t level_count;
    char *size_unit; /* of level.size: "cores", "slots"; or "" */
};

/* Everything that one scale test, or one run with levels, has measured. */
struct suite {
    char *name, *target, *version, *host;
    nsec_t wall_start_ns;
    double time_scale;
    double slo_response_s; /* the response time that counts as too slow (critical_response_time) */
    double slo_error_share;
    struct level_series *series;
    size_t series_count;
    struct suite_event {
        nsec_t at_ns;
        char *kind, *words;
    } * events; /* scaling steps, restarts, safety */
    size_t event_count;
};

/* An empty one. Owner: caller, suite_free. */
struct suite *suite_new(void);
/* Frees everything; NULL is fine; returns NULL. */
struct suite *suite_free(struct suite *suite);

/* Appends a series, a level of a series, a resource or an error of a level; returns the zeroed (NAN
 * where unknown) new row, valid until the next one is added to the same list. Texts are
 * memory_copy_text'd by the caller. */
struct level_series *suite_add(struct suite *suite, enum suite_kind kind, const char *name);
struct level *series_add(struct level_series *series);
struct level_resource *level_add_resource(struct level *level);
/* The same words again add to their count. */
void level_add_error(struct level *level, const char *words, uint64_t count);
/* Appends what one more instance served. */
void level_add_served(struct level *level, uint64_t count);
/* How far apart instances are in what they served: most less least, as a share of their mean. NAN:
 * fewer than two, or nothing served. */
double level_skew(const struct level *level);
/* Whether that is more than 5 %, and more than chance makes of an even spread, with room: four
 * standard deviations of a Poisson count. A balancer that takes its servers in turn does better
 * than chance, one that takes the least busy about as well. */
bool level_unbalanced(const struct level *level);
/* Appends an event; at_ns since the suite's start. Words are copied. */
void suite_add_event(struct suite *suite, nsec_t at_ns, const char *kind, const char *words);

/* Fills a level's measured part from a stretch of a run: begin_ns .. end_ns of it. Axes, state, run
 * and warm-up are the caller's. */
void level_measure(const struct result *result, nsec_t begin_ns, nsec_t end_ns,
                   struct level *level);

/* Fills a level's goodput where the plan declared none: answers within this response time, a
 * second. slo_response_s NAN or 0: left as it is. The level was measured before. */
void level_goodput(const struct result *result, double slo_response_s, struct level *level);

/* A suite of one series from the phases of a run that are marked as levels; without any, one level:
 * the whole run. Owner: caller, suite_free. */
struct suite *suite_of_run(const struct result *result, double slo_response_s);

#endif
