/* Kneedle: all shapes become a concave rising one, whose knee is where it is farthest above the
 * diagonal of the unit square. */
#include "stat/knee.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* The curve within the unit square, concave and rising; its distance above the diagonal. */
static bool differences(const double *x, const double *y, size_t count, bool flip_x, bool flip_y,
                        double *at, double *difference)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, y[i]);
        high = fmax(high, y[i]);
    }
    if (!(high > low) || !(x[count - 1] > x[0]))
        return false;
    for (size_t i = 0; i < count; i++) {
        double level = (y[flip_x ? count - 1 - i : i] - low) / (high - low);
        double place = flip_x ? x[count - 1] - x[count - 1 - i] : x[i] - x[0];
        at[i] = place / (x[count - 1] - x[0]);
        difference[i] = (flip_y ? 1 - level : level) - at[i];
    }
    return true;
}

/* The maxima from which the curve falls below their threshold before the next rise. */
static void all_knees(const double *at, const double *difference, size_t count, double sensitivity,
                      struct knee_way *way)
{
    double step = sensitivity * (at[count - 1] - at[0]) / (double)(count - 1), threshold = 0;
    size_t knee = 0;
    bool seen = false, told = false;
    for (size_t i = 0; i + 1 < count; i++) {
        double before = difference[i ? i - 1 : 0], here = difference[i], after = difference[i + 1];
        if (here >= before && here >= after) {
            threshold = here - step;
            knee = i;
            seen = true;
            told = false;
        }
        if (!seen)
            continue;
        if (here <= before && here <= after)
            threshold = 0;
        if (after >= threshold || told)
            continue;
        if (way->found == 0) {
            way->difference = difference[knee];
            way->threshold = difference[knee] - step;
        }
        way->knees[way->found++] = knee;
        told = true;
    }
}

int knee_kneedle_way(const struct knee_points *points, enum knee_shape shape, bool rising,
                     double sensitivity, struct knee_way *way)
{
    size_t count = points->count;
    way->found = 0;
    way->difference = way->threshold = NAN;
    if (count < 3)
        return KNEE_TOO_FEW;
    double *at = memory_new(2 * count, sizeof *at), *difference = at + count;
    bool convex = shape == KNEE_CONVEX;
    bool flip_x = convex == rising, flip_y = convex;
    if (differences(points->x, points->y, count, flip_x, flip_y, at, difference))
        all_knees(at, difference, count, sensitivity, way);
    for (size_t i = 0; i < way->found && flip_x; i++)
        way->knees[i] = count - 1 - way->knees[i];
    free(at);
    return way->found ? 0 : KNEE_NONE;
}

int knee_kneedle(const double *x, const double *y, size_t count, enum knee_shape shape, bool rising,
                 double sensitivity, size_t *index)
{
    struct knee_way way = {.knees = memory_new(count ? count : 1, sizeof *way.knees)};
    const struct knee_points points = {x, y, count};
    int outcome = knee_kneedle_way(&points, shape, rising, sensitivity, &way);
    if (outcome == 0)
        *index = way.knees[0];
    free(way.knees);
    return outcome;
}
