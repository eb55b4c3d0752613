/* The break is searched between neighbours of x: given its place, the two lines are an ordinary
 * regression, so that only one number is searched. */
#include "stat/knee.h"

#include "base/memory.h"
#include "base/random.h"
#include "stat/fit.h"
#include "stat/quantile.h"
#include "stat/regression.h"

#include <math.h>
#include <stdlib.h>

enum { ORDERS = 999, SIDE_LEAST = 3, GRID = 10 };

#define P_MOST   0.05
#define BIC_GAIN 6.0

struct point {
    double x, y;
};

static int by_x(const void *one, const void *other)
{
    const struct point *a = one, *b = other;
    return (a->x > b->x) - (a->x < b->x);
}

/* The curve, sorted, and room for a design of four columns. */
struct curve {
    double *x, *y, *matrix;
    size_t count;
    double first, last; /* between which a break may lie */
};

static double squares_with(struct curve *curve, double at, struct regression *fit)
{
    for (size_t i = 0; i < curve->count; i++) {
        curve->matrix[3 * i] = 1;
        curve->matrix[3 * i + 1] = curve->x[i];
        curve->matrix[3 * i + 2] = fmax(curve->x[i] - at, 0);
    }
    return regression_fit(curve->matrix, curve->y, curve->count, 3, fit) == 0 ? fit->squares
                                                                              : (double)INFINITY;
}

/* Golden section between two places. */
static double narrow(struct curve *curve, double low, double high)
{
    const double golden = (sqrt(5) - 1) / 2;
    struct regression fit;
    double a = high - golden * (high - low), b = low + golden * (high - low);
    double at_a = squares_with(curve, a, &fit), at_b = squares_with(curve, b, &fit);
    for (int turn = 0; turn < 60; turn++) {
        if (at_a <= at_b) {
            high = b;
            b = a;
            at_b = at_a;
            at_a = squares_with(curve, a = high - golden * (high - low), &fit);
        } else {
            low = a;
            a = b;
            at_a = at_b;
            at_b = squares_with(curve, b = low + golden * (high - low), &fit);
        }
    }
    return (low + high) / 2;
}

/* Between two neighbours the best break is where the lines through the points on either side cross,
 * when they cross there: exact, where the search stops at half of the digits. */
static double cross(const struct curve *curve, double at)
{
    size_t left = 0;
    struct regression one, two;
    while (left < curve->count && curve->x[left] <= at)
        left++;
    if (left == curve->count || regression_line(curve->x, curve->y, left, false, &one) != 0 ||
        regression_line(curve->x + left, curve->y + left, curve->count - left, false, &two) != 0)
        return at;
    double place = (two.b[0] - one.b[0]) / (one.b[1] - two.b[1]);
    return place > curve->x[left - 1] && place < curve->x[left] ? place : at;
}

/* The place of least squares. Between two neighbouring x the squares have one minimum; the best of
 * all stretches is narrowed. fine: narrow every stretch. */
static double best_break(struct curve *curve, bool fine, double *squares)
{
    struct regression fit;
    double best = curve->first;
    *squares = squares_with(curve, best, &fit);
    for (size_t i = 0; i + 1 < curve->count; i++) {
        double low = curve->x[i], high = curve->x[i + 1];
        if (low < curve->first || high > curve->last || low == high)
            continue;
        const double places[] = {high, fine ? narrow(curve, low, high) : high};
        for (int k = 0; k < (fine ? 2 : 1); k++) {
            double here = squares_with(curve, places[k], &fit);
            if (here < *squares) {
                *squares = here;
                best = places[k];
            }
        }
    }
    return best;
}

static double f_of(double line, double two, size_t count)
{
    return two > 0 ? (line - two) / 2 / (two / (double)(count - 4)) : (double)INFINITY;
}

/* How often the line's residuals in random order have as good a break: the place is searched
 * again each time, which the naive F test forgets. */
static double permuted_p(struct curve *curve, const struct regression *line, double gain,
                         uint64_t seed)
{
    struct random random = {.key = random_key(seed, "knee", 0)};
    double *kept = curve->y, *rests = memory_new(2 * curve->count, sizeof *rests);
    size_t n = curve->count, as_good = 0;
    curve->y = rests + n;
    for (size_t i = 0; i < n; i++)
        rests[i] = kept[i] - line->b[0] - line->b[1] * curve->x[i];
    for (int turn = 0; turn < ORDERS; turn++) {
        for (size_t i = n; i > 1; i--) {
            size_t j = random_below_of(random_next(&random), i);
            double rest = rests[i - 1];
            rests[i - 1] = rests[j];
            rests[j] = rest;
        }
        for (size_t i = 0; i < n; i++)
            curve->y[i] = rests[i];
        struct regression straight;
        double squares = 0;
        if (regression_line(curve->x, curve->y, n, false, &straight) != 0)
            continue;
        best_break(curve, false, &squares);
        as_good += (straight.squares - squares) / squares >= gain;
    }
    curve->y = kept;
    free(rests);
    return ((double)as_good + 1) / (ORDERS + 1);
}

/* Davies's bound for the largest of the t statistics over places, with unknown variance (his 2002
 * formula): the tail of t at the largest, and how far the angle asin(z / sqrt(z^2 + squares)), z the
 * statistic with deviation 1, moves from place to place. The places are ten between the second and
 * the last but one point, as R's davies.test has them. */
static double davies_p(struct curve *curve)
{
    double low = curve->x[1], high = curve->x[curve->count - 2];
    double most = 0, moved = 0, before = NAN, degrees = (double)curve->count - 3;
    for (int k = 0; k < GRID; k++) {
        struct regression fit;
        double squares = squares_with(curve, low + (high - low) * k / (GRID - 1), &fit);
        if (!isfinite(squares) || !(fit.error[2] > 0))
            continue;
        double t = fit.b[2] / fit.error[2], angle = atan(t / sqrt(degrees));
        moved += isnan(before) ? 0 : fabs(angle - before);
        before = angle;
        most = fmax(most, fabs(t));
    }
    int sign = 0;
    double half = degrees / 2;
    double share = 1 / (1 + most * most / degrees); /* 1 - u of Davies */
    double density =
        exp(lgamma_r(half + .5, &sign) - lgamma_r(half, &sign) + (half - .5) * log(share)) /
        (2 * sqrt(M_PI));
    return fmin(1, 2 * (t_share(-most, degrees) + moved * density));
}

static double bic_of(double squares, size_t count, size_t terms)
{
    double n = (double)count;
    return n * log(fmax(squares, 1e-300) / n) + log(n) * ((double)terms + 1);
}

static double quadratic_squares(struct curve *curve)
{
    struct regression fit;
    for (size_t i = 0; i < curve->count; i++) {
        curve->matrix[3 * i] = 1;
        curve->matrix[3 * i + 1] = curve->x[i];
        curve->matrix[3 * i + 2] = curve->x[i] * curve->x[i];
    }
    return regression_fit(curve->matrix, curve->y, curve->count, 3, &fit) == 0 ? fit.squares
                                                                               : (double)NAN;
}

/* y = b0 / (1 - x / b1) */
static double hyperbola(const void *context, const double *b, double x, double *gradient)
{
    (void)context;
    double below = 1 - x / b[1];
    gradient[0] = 1 / below;
    gradient[1] = -b[0] * x / (b[1] * b[1]) / below / below;
    return b[0] / below;
}

static double hyperbola_squares(const struct curve *curve)
{
    const struct fit_problem problem = {
        .x = curve->x, .y = curve->y, .count = curve->count, .parameters = 2, .value = hyperbola};
    double top = curve->x[curve->count - 1];
    const double starts[] = {curve->y[0], 1.05 * top, curve->y[0], 1.5 * top,
                             curve->y[0], 4 * top,    curve->y[0], -4 * top};
    struct fit fit;
    return fit_best(&problem, starts, 4, &fit) == 0 ? fit.squares : (double)NAN;
}

/* The break is a parameter as well: its column in the Jacobian is -change where x is beyond it. */
static void measure(struct curve *curve, double confidence, struct knee_break *out)
{
    struct regression two, full;
    squares_with(curve, out->at, &two);
    double *matrix = memory_new(4 * curve->count, sizeof *matrix);
    double *rests = memory_new(curve->count, sizeof *rests);
    for (size_t i = 0; i < curve->count; i++) {
        double over = fmax(curve->x[i] - out->at, 0), *row = matrix + 4 * i;
        row[0] = 1;
        row[1] = curve->x[i];
        row[2] = over;
        row[3] = over > 0 ? -two.b[2] : 0;
        rests[i] = curve->y[i] - two.b[0] - two.b[1] * row[1] - two.b[2] * over;
    }
    out->constant = two.b[0];
    out->slope_before = two.b[1];
    out->slope_after = two.b[1] + two.b[2];
    out->error = out->slope_before_error = out->slope_after_error = NAN;
    if (regression_fit(matrix, rests, curve->count, 4, &full) == 0) {
        const double after[] = {0, 1, 1, 0};
        out->error = full.error[3];
        out->slope_before_error = full.error[1];
        out->slope_after_error = regression_error_at(&full, after);
    }
    double degrees = (double)curve->count - 4;
    double reach = t_quantile((1 + confidence) / 2, degrees) * out->error;
    out->low = out->at - reach;
    out->high = out->at + reach;
    free(matrix);
    free(rests);
}

static void judge(struct curve *curve, uint64_t seed, struct knee_break *out)
{
    struct regression line;
    regression_line(curve->x, curve->y, curve->count, false, &line);
    out->line_squares = line.squares;
    out->f = f_of(line.squares, out->squares, curve->count);
    out->p = 1;
    double floor = 1e-24 * line.total;
    if (line.squares > floor)
        out->p = permuted_p(curve, &line, (line.squares - out->squares) / out->squares, seed);
    out->davies_p = davies_p(curve);
    out->bic = bic_of(fmax(out->squares, floor), curve->count, 4);
    out->quadratic_bic = bic_of(fmax(quadratic_squares(curve), floor), curve->count, 3);
    double squares = hyperbola_squares(curve);
    out->hyperbola_bic = isnan(squares) ? squares : bic_of(fmax(squares, floor), curve->count, 2);
    double rival =
        isnan(squares) ? out->quadratic_bic : fmin(out->quadratic_bic, out->hyperbola_bic);
    out->exists = out->p < P_MOST && out->bic < rival - BIC_GAIN;
}

/* The third distinct x from either end. Returns whether there are enough. */
static bool bound(struct curve *curve)
{
    size_t n = curve->count, seen = 1, i = 0, back = 1, j = n - 1;
    for (; i + 1 < n && seen < SIDE_LEAST; i++)
        seen += curve->x[i + 1] != curve->x[i];
    for (; j > 0 && back < SIDE_LEAST; j--)
        back += curve->x[j - 1] != curve->x[j];
    curve->first = curve->x[i];
    curve->last = curve->x[j];
    return seen == SIDE_LEAST && back == SIDE_LEAST && curve->first < curve->last;
}

int knee_segmented(const double *x, const double *y, size_t count, double confidence, uint64_t seed,
                   struct knee_break *out)
{
    if (count < (size_t)2 * SIDE_LEAST)
        return KNEE_TOO_FEW;
    struct point *points = memory_new(count, sizeof *points);
    struct curve curve = {.count = count};
    curve.x = memory_new(5 * count, sizeof *curve.x);
    curve.y = curve.x + count;
    curve.matrix = curve.y + count;
    for (size_t i = 0; i < count; i++)
        points[i] = (struct point){x[i], y[i]};
    qsort(points, count, sizeof *points, by_x);
    for (size_t i = 0; i < count; i++) {
        curve.x[i] = points[i].x;
        curve.y[i] = points[i].y;
    }
    int outcome = bound(&curve) ? 0 : KNEE_TOO_FEW;
    if (outcome == 0) {
        struct knee_break made = {.at = 0};
        made.at = best_break(&curve, true, &made.squares);
        struct regression fit;
        double place = cross(&curve, made.at), squares = squares_with(&curve, place, &fit);
        if (squares <= made.squares * (1 + 1e-12)) {
            made.at = place;
            made.squares = squares;
        }
        measure(&curve, confidence, &made);
        judge(&curve, seed, &made);
        *out = made;
    }
    free(points);
    free(curve.x);
    return outcome;
}
