/* Piecewise linear courses; see course.h. */
#include "load/course.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* Levels are met to within rounding, so that an instant given by this file also tests as reached.
 */
static const double closeness = 1e-9;

static double seconds(nsec_t ns)
{
    return (double)ns / (double)NSEC_PER_SEC;
}

static nsec_t nanoseconds(double s)
{
    return (nsec_t)llround(s * (double)NSEC_PER_SEC);
}

static void add(struct course *course, nsec_t begin_ns, nsec_t end_ns, double from, double to)
{
    if (end_ns <= begin_ns)
        return;
    double area = 0;
    if (course->count) {
        const struct course_piece *last = &course->pieces[course->count - 1];
        area = last->area + (last->from + last->to) / 2 * seconds(last->end_ns - last->begin_ns);
    }
    course->pieces[course->count++] = (struct course_piece){
        .begin_ns = begin_ns, .end_ns = end_ns, .from = from, .to = to, .area = area};
}

void course_init(struct course *course, const struct plan_scenario *scenario)
{
    /* A jump at a spawn rate is two pieces. */
    *course =
        (struct course){.pieces = memory_new(2 * scenario->stage_count, sizeof *course->pieces)};
    nsec_t at_ns = scenario->start_time_ns;
    double target = scenario->start_target;
    if (scenario->spawn_rate > 0 && scenario->stage_count && scenario->stages[0].jump)
        target = 0; /* nobody is there before a scenario begins: its first users are spawned too */
    for (size_t i = 0; i < scenario->stage_count; i++) {
        const struct plan_stage *stage = &scenario->stages[i];
        nsec_t end_ns = at_ns + stage->duration_ns;
        if (!stage->jump) {
            add(course, at_ns, end_ns, target, stage->target);
        } else {
            double rise_s =
                scenario->spawn_rate > 0 && stage->target > target && !scenario_is_open(scenario)
                    ? (stage->target - target) / scenario->spawn_rate
                    : 0;
            nsec_t rise_ns = nanoseconds(fmin(rise_s, seconds(stage->duration_ns)));
            double reached = rise_s > 0
                                 ? target + (stage->target - target) * seconds(rise_ns) / rise_s
                                 : stage->target;
            add(course, at_ns, at_ns + rise_ns, target, reached);
            add(course, at_ns + rise_ns, end_ns, stage->target, stage->target);
        }
        at_ns = end_ns;
        target = stage->target;
    }
}

void course_fini(struct course *course)
{
    free(course->pieces);
    *course = (struct course){0};
}

nsec_t course_begin(const struct course *course)
{
    return course->count ? course->pieces[0].begin_ns : 0;
}

nsec_t course_end(const struct course *course)
{
    return course->count ? course->pieces[course->count - 1].end_ns : 0;
}

static double value_at(const struct course_piece *piece, nsec_t at_ns)
{
    double share = (double)(at_ns - piece->begin_ns) / (double)(piece->end_ns - piece->begin_ns);
    return piece->from + (piece->to - piece->from) * share;
}

double course_at(const struct course *course, nsec_t at_ns)
{
    for (size_t i = 0; i < course->count; i++) {
        const struct course_piece *piece = &course->pieces[i];
        if (at_ns >= piece->begin_ns && at_ns < piece->end_ns)
            return value_at(piece, at_ns);
    }
    return 0;
}

/* The instant within a piece at which the line passes level; the caller knows that it does. */
static nsec_t passes(const struct course_piece *piece, double level)
{
    double share = (level - piece->from) / (piece->to - piece->from);
    if (share > 1)
        share = 1;
    return piece->begin_ns + (nsec_t)ceil(share * (double)(piece->end_ns - piece->begin_ns));
}

nsec_t course_reaches(const struct course *course, double level, nsec_t after_ns)
{
    for (size_t i = 0; i < course->count; i++) {
        const struct course_piece *piece = &course->pieces[i];
        if (after_ns >= piece->end_ns)
            continue;
        nsec_t from_ns = after_ns > piece->begin_ns ? after_ns : piece->begin_ns;
        if (value_at(piece, from_ns) >= level - closeness)
            return from_ns;
        if (piece->to >= level - closeness) {
            nsec_t at_ns = passes(piece, level);
            return at_ns < from_ns ? from_ns : at_ns;
        }
    }
    return NSEC_NEVER;
}

nsec_t course_falls_below(const struct course *course, double level, nsec_t after_ns)
{
    for (size_t i = 0; i < course->count; i++) {
        const struct course_piece *piece = &course->pieces[i];
        if (after_ns >= piece->end_ns)
            continue;
        nsec_t from_ns = after_ns > piece->begin_ns ? after_ns : piece->begin_ns;
        if (value_at(piece, from_ns) < level - closeness)
            return from_ns;
        if (piece->to < level - closeness) {
            nsec_t at_ns = passes(piece, level - 2 * closeness) + 1;
            return at_ns < from_ns ? from_ns : at_ns;
        }
    }
    nsec_t end_ns = course_end(course);
    return after_ns > end_ns ? after_ns : end_ns;
}

/* Solves from * t + slope * t^2 / 2 = area for t, in the form that does not cancel. */
static double time_for(double from, double slope, double area)
{
    if (area <= 0)
        return 0;
    double root = sqrt(fmax(0, from * from + 2 * slope * area));
    return 2 * area / (from + root);
}

nsec_t course_area_instant(const struct course *course, double area)
{
    for (size_t i = 0; i < course->count; i++) {
        const struct course_piece *piece = &course->pieces[i];
        double length_s = seconds(piece->end_ns - piece->begin_ns);
        double within = (piece->from + piece->to) / 2 * length_s;
        if (within <= 0 || area - piece->area >= within)
            continue;
        double at_s =
            time_for(piece->from, (piece->to - piece->from) / length_s, area - piece->area);
        return piece->begin_ns + nanoseconds(fmin(at_s, length_s));
    }
    return NSEC_NEVER;
}
