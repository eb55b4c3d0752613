/* study/bottleneck.h - what holds a system back, and on what evidence.
 *
 * The load generator is tested first. Then everything that was watched is scored by independent
 * kinds of evidence; a resource that is merely busy, or that only grows with the load as everything
 * does, is none. What was never seen to bind is predicted from its ceiling, and marked so.
 *
 *   Source   Gregg's USE method (2012); Lazowska et al. (1984) for ceilings by service demands;
 *            Malkowski et al., "Bottleneck detection using statistical intervention analysis"
 *            (DSOM 2007): only an intervention confirms.
 *   Limits   Sees what was watched. One class of requests.
 *   Tests    test/unit/study/bottleneck: systems by exact MVA with planted demands. */
#ifndef STUDY_BOTTLENECK_H
#define STUDY_BOTTLENECK_H

#include "study/catalogue.h"
#include "study/curve.h"

enum evidence_kind {
    EVIDENCE_CEILING,      /* its ceiling by service demand is the measured capacity */
    EVIDENCE_ONSET,        /* it is full from the knee on, or before */
    EVIDENCE_PLATEAU,      /* it stays full while the load still rises */
    EVIDENCE_QUEUE,        /* what waits for it grows */
    EVIDENCE_ERRORS,       /* errors of its kind begin there */
    EVIDENCE_INTERVENTION, /* more of it moved the capacity */
    EVIDENCE_GENERATOR,    /* the generator itself was late */
    EVIDENCE_ENGINE,       /* the pattern of a model server's own figures; see study/engine.c */
};

struct evidence {
    enum evidence_kind kind;
    char *words;  /* "97 % from 190 users on" */
    char *metric; /* "kv.usage of llm"; where the number comes from */
    char *clears; /* what it shows not to be the limit: "KV cache"; or NULL */
    double value, limit, load;
    bool against; /* speaks against it */
};

enum bottleneck_standing {
    STANDING_PREDICTED,
    STANDING_OBSERVED,
    STANDING_CORROBORATED,
    STANDING_CONFIRMED
};
enum bottleneck_confidence { CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };

struct bottleneck {
    char *kind; /* "cpu", "gpu-memory", "kv-cache", "slots", "pool", "generator", "software", ... */
    char *name; /* "Embedding CPU" */
    char *thing, *role, *metric, *part, *unit;
    double load, load_low, load_high; /* at which it binds */
    bool predicted;                   /* never seen to bind: load and ceiling from its demand */
    double ceiling, ceiling_low, ceiling_high; /* requests a second; NAN: not known */
    double headroom;                           /* ceiling / the first primary's; NAN */
    double demand;     /* of the resource a request: processor-seconds, or share-seconds */
    double background; /* use without any load */
    double residual;   /* what the utilisation law leaves, at worst, a share of full */
    double residual_load;
    double value;       /* use at the highest load */
    double value_there; /* use at the load at which it binds; NAN: not known */
    double limit;       /* at which it counts as full */
    double score;
    enum bottleneck_standing standing;
    enum bottleneck_confidence confidence;
    struct evidence *evidence;
    size_t evidence_count;
    const struct catalogue_entry *expected; /* of the catalogue; NULL: none */
};

/* A watched resource that is clean. */
struct exonerated {
    char *name, *thing, *metric, *part, *unit;
    double value; /* at the highest load (of queues: the longest) */
};

enum resource_pattern { PATTERN_FLAT, PATTERN_LINEAR, PATTERN_PLATEAU, PATTERN_BURST };

/* How a resource goes with the load. */
struct resource_trend {
    char *thing, *metric, *part, *unit;
    enum resource_pattern pattern;
    double lowest, highest; /* means at the lowest and at the highest load */
    double leak_per_s;      /* growth at constant load; NAN: none */
};

/* The same system with another size or number of instances. */
struct size_capacity {
    enum suite_kind kind;
    double instances, size;
    char *size_name, *size_unit;
    double capacity_rps, low, high; /* at the objective; NAN: none met it */
    double most_rps, load;
    bool peak_observed;
};

/* What one thing used at the load of the capacity (else at the highest): what a replica of it
 * needs. Processors or bytes. */
struct resource_need {
    char *thing, *metric, *part, *unit;
    double value, load;
};

/* What the catalogue expects, held against what was measured. */
struct expectation {
    const struct catalogue_entry *entry;
    enum { EXPECTED_NOT_KNOWN, EXPECTED_NOT_SEEN, EXPECTED_SEEN } state;
    const char *metric; /* its indicator, of several the one with this value; borrowed */
    double value;       /* the highest; NAN: not known */
    double load;        /* first load at or above its limit; NAN: none */
};

struct analysis {
    struct curve *curve;        /* the one that is analyzed */
    struct bottleneck *primary; /* bind within the tested loads, the first first */
    size_t primary_count;
    struct bottleneck *secondary; /* would bind next, lowest ceiling first */
    size_t secondary_count;
    struct exonerated *exonerated;
    size_t exonerated_count;
    struct resource_trend *trends;
    size_t trend_count;
    struct size_capacity *sizes; /* of all series with several sizes or instances */
    size_t size_count;
    struct resource_need *needs;
    size_t need_count;
    struct expectation *expectations; /* a row for each of the catalogue */
    size_t expectation_count;
    bool none_observed; /* the system is healthy as far as it was tested */
    bool inconclusive;
    struct study_warnings warnings; /* the curve's too */
    char **next;                    /* what would settle what is open */
    size_t next_count;
};

/* Analyzes a suite with a catalogue (catalogue_default); both must outlive it. Never NULL. Owner:
 * caller, analysis_free. */
struct analysis *analysis_new(const struct suite *suite, const struct curve_wish *wish,
                              const struct catalogue *catalogue);
/* Frees it; NULL is fine; returns NULL. */
struct analysis *analysis_free(struct analysis *analysis);

/* "observed", "high", "plateau", ... */
const char *standing_words(enum bottleneck_standing standing);
const char *confidence_words(enum bottleneck_confidence confidence);
const char *evidence_words(enum evidence_kind kind);
const char *pattern_words(enum resource_pattern pattern);

#endif
