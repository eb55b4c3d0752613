/* study/advise.h - what to change so that a target load is carried: what binds, in the order in
 * which it binds, a remedy for each, and what binds next.
 *
 * It takes an analysis as plain values, because an analysis may come from a file of another day or
 * host. It says no more than the measurements carry: a number of replicas is a range where it lies
 * beyond twice what was tested, a lower bound where two were never measured side by side, and
 * refused where the law of replicas has its peak below the target.
 *
 *   Source   the order: a limit that is a setting is lifted first; then the law of replicas decides
 *            whether replicas help at all (Gunther, 2007), and shared state is architecture. By
 *            delay: Erlang C with Allen and Cunneen's correction (study/capacity.h).
 *   Tests    test/unit/study/advise; text in test/integration/test_recommend.py. */
#ifndef STUDY_ADVISE_H
#define STUDY_ADVISE_H

#include "study/capacity.h"
#include "study/remedy.h"
#include "study/warning.h"

/* One load level, as far as it is needed. NAN: not known. */
struct case_level {
    double load, concurrency, think_s, throughput;
    bool usable;
    double mean_s, p50_s, p95_s; /* response times; 0 or NAN: not known */
};

/* One bottleneck: binding within the tested loads (primary), or predicted. */
struct case_bound {
    char *kind, *name, *thing, *role, *metric, *unit;
    char *evidence;   /* the strongest, in words */
    char *standing;   /* "observed", ... */
    char *confidence; /* "high", ... */
    char *fix;        /* of the catalogue; or "" */
    double load, load_low, load_high;
    double ceiling, ceiling_low, ceiling_high; /* requests a second */
    double value, limit;
    bool primary, predicted;
    bool intervened; /* the sizes that were tested are sizes of this */
};

/* The capacity of one size and number of instances. */
struct case_size {
    double instances, size;
    char *series, *name, *unit;
    double capacity, low, high, most;
    bool full; /* more load brought no more: what it carries is known, and not only that much */
};

/* What one thing used at the load of the capacity: processors, or bytes. */
struct case_need {
    char *thing, *metric, *unit;
    double value, load;
};

/* An analysis. Texts are owned. */
struct advice_case {
    char *name, *target, *version, *source;
    bool open;        /* loads are arrivals a second, not users */
    double instances; /* of the levels */
    double slo_response_s;
    bool inconclusive, capacity_known;
    double capacity_load, capacity, capacity_low, capacity_high; /* at the objective */
    bool peak_observed;
    double most; /* highest throughput, objective or not; NAN: not known */
    struct case_level *levels;
    size_t level_count;
    struct case_bound *bounds; /* primary ones first, each in order of their ceilings */
    size_t bound_count;
    struct case_size *sizes;
    size_t size_count;
    struct case_need *needs;
    size_t need_count;
    struct study_warnings warnings; /* of the analysis, handed on */
};
/* Frees what it owns, not the case. */
void advice_case_fini(struct advice_case *the_case);

struct advice_wish {
    double target;
    bool target_is_rate; /* requests a second, though the levels are users */
    double ceiling;      /* 0.7 */
    uint32_t spare, zones;
    double confidence;               /* 0.95 */
    double gpu_memory_gb, memory_gb; /* what there is now; NAN: not told */
    const struct remedies *remedies;
    const struct prices *prices; /* or NULL */
};

/* One line of advice, with all that it rests on. Texts are owned. */
struct advice_item {
    enum remedy_group group;
    char *id;     /* of the remedy */
    char *action; /* "Deploy 4 embedding instances" */
    char *reason; /* what binds, where, by which evidence */
    char *impact, *tradeoff, *source, *address, *date;
    size_t bound; /* of the case */
};

/* One step: what is lifted, and what binds then. */
struct advice_step {
    size_t bound;  /* of the case */
    double factor; /* how much more of it the target needs, at the ceiling; NAN: not known */
    double useful; /* how much more of it is of use before the next binds; INFINITY: not known */
    double allows; /* throughput once this and the steps before are taken; INFINITY: not known */
    size_t next;   /* the bound that comes then; SIZE_MAX: not known */
    bool last;     /* the next one comes beyond the target */
};

enum advice_replicas {
    REPLICAS_NOT_KNOWN, /* no capacity was measured */
    REPLICAS_AT_LEAST,  /* two were never measured side by side: a lower bound, were they linear */
    REPLICAS_SIZED,     /* by the law of replicas */
    REPLICAS_UNREACHABLE, /* the law has its peak below the target */
};

/* Replicas by the response time, as queues: each replica taken as so many servers behind a queue of
 * its own, which requests reach at random. */
struct advice_delay {
    enum { DELAY_NOT_KNOWN, DELAY_SIZED, DELAY_TOO_SLOW } state; /* too slow: one request alone */
    uint32_t servers;        /* of one replica: its throughput x service time */
    double service_s, p95_s; /* of the lowest load, where hardly anybody waits */
    double variation;        /* of the service: squared coefficient, by its p50 and p95 */
    bool assumed;            /* that: at least an exponential service, as its times are mixed */
    double limit_s;          /* of the 95th percentile: the objective */
    uint32_t replicas, replicas_shared; /* so many; behind one queue that all of them share */
    double response_s, utilisation;     /* p95 and use with so many */
};

/* Sizes of one instance, as they were tested. */
struct advice_sizes {
    bool known;
    size_t best, base; /* of the case: the least size that carries the target, else the largest; and
                          the smallest one */
    bool carries;      /* it carries the target, with headroom */
    double roof;       /* no size carries more, by their law; INFINITY, NAN: not known */
};

enum advice_verdict {
    ADVICE_ENOUGH,    /* the target is carried, with headroom */
    ADVICE_STEPS,     /* the steps lead there, as far as is known */
    ADVICE_UNKNOWN,   /* nothing was seen to bind: test further */
    ADVICE_GENERATOR, /* the generator was the limit: nothing is known of the target */
};

struct advice {
    enum advice_verdict verdict;
    double target_rate; /* requests a second that the target load means */
    double tested;      /* highest load */
    double ratio;       /* target load / tested */
    double expected;    /* throughput at the target load as it is; NAN: only a range is honest */
    struct usl_interval expected_range; /* by the combined rule; NAN: not known */
    struct advice_step *steps;
    size_t step_count;
    struct advice_item *items; /* by group */
    size_t item_count;
    enum advice_replicas replicas_known;
    struct capacity_answer replicas;   /* at least: replicas.replicas */
    struct usl_interval replica_range; /* 90 %; NAN: not known */
    double replica_median, suffices;   /* NAN: not known */
    double replicas_tested;            /* most measured side by side */
    struct advice_delay delay;
    uint32_t count; /* the larger of both; 0: not known */
    bool scaled;    /* replicas were not full when measured side by side: only how they add up was
                       taken from there, and what one carries from the capacity */
    struct advice_sizes sizes;
    struct capacity_cost cost, cost_low, cost_high; /* NAN: no price */
    struct study_warnings warnings;
};

/* Makes the advice; the case and the wish must outlive it. Never NULL. Owner: caller,
 * advice_free. */
struct advice *advice_new(const struct advice_case *the_case, const struct advice_wish *wish);
/* Frees it; NULL is fine; returns NULL. */
struct advice *advice_free(struct advice *advice);

/* Whether the load of a bound says when it binds: of a predicted one that lies within the tested
 * loads it does not, for something else binds there before; its throughput does. */
bool advice_has_load(const struct advice *advice, const struct case_bound *bound);

/* Replicas of one bound's thing, for its factor: at least so many, were they linear. */
uint32_t advice_replicas_of(const struct advice_case *the_case, const struct advice_wish *wish,
                            double factor);

#endif
