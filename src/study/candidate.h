/* study/candidate.h - inside of study: watched resources put in order along a curve, before anybody
 * judges them. */
#ifndef STUDY_CANDIDATE_H
#define STUDY_CANDIDATE_H

#include "study/bottleneck.h"
#include "study/indicator.h"

/* One metric of one thing, a value for each point of the curve; NAN where it was not watched. */
struct track {
    const struct indicator *indicator;
    const struct level_resource *like; /* its names */
    double *values, *slopes, *most, *p95;
};

/* A resource with all that was watched of it. */
struct candidate {
    const char *kind, *label;
    const char *thing, *role, *part;
    size_t *tracks; /* indices into the field's */
    size_t track_count;
    size_t main; /* the track that shows best how full it is; SIZE_MAX: none but queues and signs */
};

struct field {
    const struct curve *curve;
    struct track *tracks;
    size_t track_count;
    struct candidate *candidates;
    size_t count;
};

/* Everything that was watched at the points of the curve, generators apart. Owner: caller,
 * field_fini. */
void field_init(struct field *field, const struct curve *curve);
void field_fini(struct field *field);

/* The highest value of a track; the one at the highest load that has one. NAN: none. */
double track_most(const struct track *track, size_t count);
double track_last(const struct track *track, size_t count);
double track_first(const struct track *track, size_t count);

/* Judges one candidate: fills the bottleneck, with its evidence and its score. bend: the index of
 * the first point at which the system is no longer linear or good; SIZE_MAX: none. */
void candidate_judge(const struct field *field, const struct candidate *candidate, size_t bend,
                     struct bottleneck *out);

/* Adds what the model servers' own figures say of a candidate (study/engine.c). */
void engine_weigh(const struct field *field, const struct candidate *candidate, size_t bend,
                  struct bottleneck *one);
/* The index-th bottleneck that only their figures show: decoding, or reading of prompts. */
bool engine_bottleneck(const struct field *field, size_t bend, size_t index,
                       struct bottleneck *out);
/* Whether the batch of a model server of this name still grows with the load although some wait. */
bool engine_grows(const struct curve *curve, const char *thing);
/* What should be watched to tell whether it is one; NULL: nothing. */
const char *engine_question(const struct field *field);

/* Adds evidence to a bottleneck. */
struct evidence *bottleneck_add(struct bottleneck *bottleneck, enum evidence_kind kind,
                                double score, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void bottleneck_fini(struct bottleneck *bottleneck);

/* The load at which a throughput of this size would be reached if nothing stood in its way: in a
 * closed system where the asymptotes meet. */
double curve_load_for(const struct curve *curve, double throughput);

/* What each watched thing used at the load of the capacity. */
void analysis_fill_needs(struct analysis *analysis);
/* Trends of all tracks, capacities of all sizes. */
void analysis_fill_trends(struct analysis *analysis, const struct field *field);
void analysis_fill_sizes(struct analysis *analysis, const struct suite *suite,
                         const struct curve_wish *wish);
/* Warns (ENV_CHANGED) of a target that did not stay the same over the levels of the curve. */
void analysis_warn_of_surroundings(struct analysis *analysis, const struct suite *suite);
/* Holds each entry of the catalogue against the curve. */
void analysis_expect(struct analysis *analysis, const struct catalogue *catalogue);
/* Whether another size of this resource moved the capacity: the only evidence that confirms. */
void analysis_weigh_sizes(const struct analysis *analysis, struct bottleneck *one);

#endif
