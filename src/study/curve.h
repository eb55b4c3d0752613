/* study/curve.h - where a system bends under load: four answers, which are never conflated.
 *
 *   linear     how far throughput grows as load does: efficiency at least 0.90, with its interval
 *   knee       where response times begin to degrade: segmented regression, whose break has to be
 *              proven against smooth curves; Kneedle, power and the asymptotes only corroborate
 *   critical   between which two tested loads the objective is lost: a bracket, not a point
 *   capacity   the most throughput that was measured while the objective was met
 *
 * Each comes with an interval and the name of its method, or is not observed and says why.
 *
 *   Source   Gunther, "Guerrilla Capacity Planning" (2007), for efficiency; Kleinrock (1979) for
 *            power; Lazowska et al., "Quantitative System Performance" (1984), 5, for asymptotes.
 *   Limits   Loads that differ in nothing else: of a suite with several sizes or numbers of
 *            instances, one of these (curve_slice).
 *   Tests    test/unit/study/curve. */
#ifndef STUDY_CURVE_H
#define STUDY_CURVE_H

#include "study/level.h"
#include "study/warning.h"

#include <stdbool.h>
#include <stddef.h>

/* One tested load: its replicates taken together. NAN: not known. */
struct curve_point {
    double load;                       /* users, or arrivals a second */
    const struct level *const *levels; /* its replicates */
    size_t level_count;
    double throughput, throughput_low, throughput_high; /* 95 % interval */
    double goodput;
    double concurrency, think_s;
    double mean_s, p50_s, p95_s, p99_s;
    double error_share, timeout_share;
    double efficiency, efficiency_low,
        efficiency_high; /* throughput a load, of the lowest load's */
    double power;        /* throughput / response time */
    double little;       /* Little's law: what is left of 0 */
    bool inconsistent;   /* an operational law is broken by more than 5 %: not used in fits */
    bool good;           /* objective met */
    bool usable;         /* steady, long enough, generator in order, consistent */
};

struct curve_answer {
    bool observed;
    double load;      /* NAN when not observed */
    double low, high; /* interval; or the bracket */
    char *method;
    char *words; /* one sentence: how sure, or why not observed */
};

struct curve {
    char *series; /* its name */
    enum suite_kind kind;
    bool open;              /* loads are arrivals a second */
    double instances, size; /* of all its levels; size NAN: not varied */
    double slo_response_s, slo_error_share;
    const struct level **levels; /* by load; borrowed */
    size_t level_count;
    struct curve_point *points; /* by load */
    size_t count;

    struct curve_answer linear, knee, critical;
    double knee_p;     /* of the break's existence; NAN: not tested */
    double kneedle;    /* corroborating; NAN: none */
    double power_peak; /* load of the highest power */
    double
        asymptote;  /* load at which the asymptotes of low and of high load meet; NAN: no plateau */
    double gradual; /* first load with 1.5 times the response time of the lowest */
    bool critical_by_errors; /* errors, and not response times, lost the objective */

    struct curve_answer capacity; /* load: at which it was measured */
    double capacity_rps, capacity_low, capacity_high;
    double most_rps, most_load; /* highest measured throughput, objective or not */
    bool peak_observed;         /* more load brought no more throughput */
    bool retrograde;            /* ... but clearly less */
    struct study_warnings warnings;
};

/* What the answers depend on. */
struct curve_wish {
    double response_s;  /* critical_response_time: 0.2 when the suite says nothing */
    double error_share; /* 0.01 */
    double efficiency;  /* 0.9 */
    double confidence;  /* 0.95 */
};
struct curve_wish curve_wish_of(const struct suite *suite);

/* The levels of a series at one size and number of instances, as pointers; levels that were not
 * measured (no requests) are left out. Returns how many; *out is to be given to free(). */
size_t curve_slice(const struct level_series *series, double instances, double size,
                   const struct level ***out);

/* The curve of these levels, which stay with the caller and must outlive it. Owner: caller,
 * curve_free. */
struct curve *curve_new(const struct level_series *series, const struct level *const *levels,
                        size_t count, const struct curve_wish *wish);
/* The lowest load that can be trusted; of a curve with points. */
const struct curve_point *curve_baseline(const struct curve *curve);
/* What follows a load in words: "/s" or " users". */
const char *curve_unit(const struct curve *curve);
/* Frees it; NULL is fine; returns NULL. */
struct curve *curve_free(struct curve *curve);

#endif
