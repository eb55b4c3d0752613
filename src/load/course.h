/* load/course.h - how a scenario's target moves over time: pieces of straight line through users or
 * arrivals a second, made from the plan's stages. All instants are since the run's start.
 *
 * The area under the course is a number of arrivals: arrival n of a constant-gap scenario comes
 * when the area reaches n. */
#ifndef LOAD_COURSE_H
#define LOAD_COURSE_H

#include "base/clock.h"
#include "plan/plan.h"

struct course_piece {
    nsec_t begin_ns, end_ns;
    double from, to;
    double area; /* under all pieces before this one, in target * seconds */
};

struct course {
    struct course_piece *pieces;
    size_t count;
};

/* Makes the course of a scenario. A stage that jumps rises at spawn_rate where the scenario has one
 * (closed models), else at once. */
void course_init(struct course *course, const struct plan_scenario *scenario);
void course_fini(struct course *course);

/* Begin and end of the whole course. */
nsec_t course_begin(const struct course *course);
nsec_t course_end(const struct course *course);

/* The target at an instant; 0 outside the course. At a jump, the new value. */
double course_at(const struct course *course, nsec_t at_ns);

/* The first instant at or after after_ns at which the target is at least level (rising), or below
 * it (falling); NSEC_NEVER when that does not come. The end of the course counts as falling. */
nsec_t course_reaches(const struct course *course, double level, nsec_t after_ns);
nsec_t course_falls_below(const struct course *course, double level, nsec_t after_ns);

/* The instant at which the area under the course reaches a value; NSEC_NEVER when it never does. */
nsec_t course_area_instant(const struct course *course, double area);

#endif
