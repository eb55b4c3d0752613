/* study/evidence_part.h - what the files that judge one resource share. Used by them only. */
#ifndef STUDY_EVIDENCE_PART_H
#define STUDY_EVIDENCE_PART_H

#include "study/candidate.h"

enum { EVIDENCE_ROOM = 32 };

/* One resource, and what is known of it so far. */
struct case_file {
    const struct field *field;
    const struct candidate *candidate;
    const struct track *main; /* NULL: none */
    double whole;             /* of a count that stays at a whole number: that number; else 0 */
    size_t bend;
    size_t onset; /* first point at which it is full; SIZE_MAX: none */
    bool peaked;  /* ... for moments, in which requests failed */
    struct bottleneck *out;
};

/* Says where a number comes from. */
void evidence_source(struct evidence *evidence, const struct track *track, double value,
                     double limit, double load);
/* "97 %", or "4.2"; returns room. */
const char *evidence_number(char room[EVIDENCE_ROOM], const struct track *track, double value);

/* Fills demand, background, ceiling and what the utilisation law leaves; NAN: not known. */
void evidence_find_ceiling(struct case_file *file);
/* Adds what the ceiling says, if it is the measured capacity. */
void evidence_weigh_ceiling(struct case_file *file);

#endif
