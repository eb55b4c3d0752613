/* study/curve_part.h - inside of study: what a curve is made of. Used by curve*.c only. */
#ifndef STUDY_CURVE_PART_H
#define STUDY_CURVE_PART_H

#include "study/curve.h"

/* The response time that is compared with the objective: p95, else the mean. */
double curve_response_s(const struct curve_point *point);
/* Warns of what in the points asks for caution; points are filled. */
void curve_warn_all(struct curve *curve);
/* Answers the four questions; points are filled. */
void curve_answer_all(struct curve *curve, const struct curve_wish *wish);

#endif
