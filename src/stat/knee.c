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

/* Sums over the points of one side, x and y less their means. */
struct side {
    double n, x, y, xx, xy, yy;
};

static void side_add(struct side *side, double x, double y)
{
    side->n++;
    side->x += x;
    side->y += y;
    side->xx += x * x;
    side->xy += x * y;
    side->yy += y * y;
}

static struct side side_rest(const struct side *whole, const struct side *part)
{
    return (struct side){whole->n - part->n,   whole->x - part->x,   whole->y - part->y,
                         whole->xx - part->xx, whole->xy - part->xy, whole->yy - part->yy};
}

/* The line of a side, and the squares that it leaves. */
static double side_line(const struct side *side, double *slope, double *constant)
{
    double xx = side->xx - side->x * side->x / side->n, xy = side->xy - side->x * side->y / side->n;
    *slope = xx > 0 ? xy / xx : 0;
    *constant = (side->y - *slope * side->x) / side->n;
    return side->yy - side->y * side->y / side->n - *slope * xy;
}

/* Between two neighbours the squares have one minimum: where the lines through the points on either
 * side cross, when they cross there; else it lies at a point. at: of the best crossing; NAN: there
 * is none. Sums are exact enough to choose by, and what is chosen is fitted again. */
static double best_crossing(const struct curve *curve, double *at)
{
    double mean_x = 0, mean_y = 0, best = INFINITY;
    struct side whole = {.n = 0}, left = {.n = 0};
    for (size_t i = 0; i < curve->count; i++) {
        mean_x += curve->x[i] / (double)curve->count;
        mean_y += curve->y[i] / (double)curve->count;
    }
    for (size_t i = 0; i < curve->count; i++)
        side_add(&whole, curve->x[i] - mean_x, curve->y[i] - mean_y);
    *at = NAN;
    for (size_t i = 0; i + 1 < curve->count; i++) {
        side_add(&left, curve->x[i] - mean_x, curve->y[i] - mean_y);
        double low = curve->x[i], high = curve->x[i + 1], slopes[2], constants[2];
        if (low < curve->first || high > curve->last || low == high)
            continue;
        struct side right = side_rest(&whole, &left);
        double squares = side_line(&left, &slopes[0], &constants[0]) +
                         side_line(&right, &slopes[1], &constants[1]);
        double place = (constants[1] - constants[0]) / (slopes[0] - slopes[1]) + mean_x;
        if (place > low && place < high && squares < best) {
            best = squares;
            *at = place;
        }
    }
    return best;
}

/* What a break at each point takes from the squares of a straight line whose residuals are y: the
 * square of what they have in common with the bend max(x - at, 0), over what of the bend is no
 * straight line (free, of bends_of). Returns the most; at: where. */
static double best_bend(const struct curve *curve, const double *free, double *at)
{
    double best = 0, sum = 0, moment = 0;
    for (size_t i = curve->count; i-- > 0;) {
        sum += curve->y[i];
        moment += curve->x[i] * curve->y[i];
        if (curve->x[i] > curve->last || !(free[i] > 0))
            continue;
        double common = moment - curve->x[i] * sum, gain = common * common / free[i];
        if (gain > best) {
            best = gain;
            *at = curve->x[i];
        }
    }
    return best;
}

/* Of each point's bend, the squares that no straight line explains; 0 where no break may lie. From
 * the last point on, all its sums grow by those of the points beyond it. */
static double *bends_of(const struct curve *curve)
{
    double *out = memory_new(curve->count, sizeof *out), mean = 0, spread = 0;
    double n = (double)curve->count, sum = 0, squares = 0, beyond = 0, products = 0;
    for (size_t i = 0; i < curve->count; i++)
        mean += curve->x[i] / n;
    for (size_t i = 0; i < curve->count; i++)
        spread += (curve->x[i] - mean) * (curve->x[i] - mean);
    double moment = 0; /* of what is beyond, about the mean */
    for (size_t i = curve->count; i-- > 0;) {
        double step = i + 1 < curve->count ? curve->x[i + 1] - curve->x[i] : 0;
        squares += 2 * step * sum + step * step * beyond;
        sum += step * beyond;
        products += step * moment;
        beyond++;
        moment += curve->x[i] - mean;
        bool may = curve->x[i] >= curve->first && curve->x[i] <= curve->last;
        if (!may || (i && curve->x[i] == curve->x[i - 1])) /* the first of equals stands for all */
            continue;
        double free = squares - sum * sum / n - products * products / spread;
        out[i] = free > 1e-12 * squares ? free : 0;
    }
    return out;
}

/* Where the lines through the points on either side of a break cross, when they cross between the
 * same neighbours: the break with all its digits. */
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

/* The better of two places. */
static void try_place(struct curve *curve, double place, struct knee_break *out)
{
    struct regression fit;
    double squares = isnan(place) ? (double)INFINITY : squares_with(curve, place, &fit);
    if (squares < out->squares) {
        out->squares = squares;
        out->at = place;
    }
}

/* The place of least squares: at a point, or where two lines cross. */
static void find_break(struct curve *curve, const struct regression *line, struct knee_break *out)
{
    double *bends = bends_of(curve), *kept = curve->y, crossing = NAN, point = NAN;
    double *rests = memory_new(curve->count, sizeof *rests);
    for (size_t i = 0; i < curve->count; i++)
        rests[i] = kept[i] - line->b[0] - line->b[1] * curve->x[i];
    curve->y = rests;
    best_bend(curve, bends, &point);
    curve->y = kept;
    best_crossing(curve, &crossing);
    out->squares = INFINITY;
    try_place(curve, curve->first, out);
    try_place(curve, point, out);
    try_place(curve, crossing, out);
    try_place(curve, cross(curve, out->at), out);
    free(rests);
    free(bends);
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
    double *bends = bends_of(curve), at = 0;
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
        struct regression straight;
        if (regression_line(curve->x, rests, n, false, &straight) != 0)
            continue;
        for (size_t i = 0; i < n; i++)
            curve->y[i] = rests[i] - straight.b[0] - straight.b[1] * curve->x[i];
        double taken = best_bend(curve, bends, &at);
        as_good += taken >= gain * (straight.squares - taken);
    }
    curve->y = kept;
    free(rests);
    free(bends);
    return ((double)as_good + 1) / (ORDERS + 1);
}

/* Davies's bound for the largest of the t statistics over places, with unknown variance (his 2002
 * formula): the tail of t at the largest, and how far the angle asin(z / sqrt(z^2 + squares)) moves
 * from place to place, z being the statistic with deviation 1. The places are ten between the
 * second and the last but one point, and signs are dropped, as R's davies.test has it. */
static double davies_p(struct curve *curve)
{
    double low = curve->x[1], high = curve->x[curve->count - 2];
    double most = 0, moved = 0, before = NAN, degrees = (double)curve->count - 3;
    for (int k = 0; k < GRID; k++) {
        struct regression fit;
        double squares = squares_with(curve, low + (high - low) * k / (GRID - 1), &fit);
        if (!isfinite(squares) || !(fit.error[2] > 0))
            continue;
        double t = fabs(fit.b[2] / fit.error[2]), angle = atan(t / sqrt(degrees));
        moved += isnan(before) ? 0 : fabs(angle - before);
        before = angle;
        most = fmax(most, t);
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

static void judge(struct curve *curve, const struct regression *line, uint64_t seed,
                  struct knee_break *out)
{
    out->line_squares = line->squares;
    out->f = f_of(line->squares, out->squares, curve->count);
    out->p = 1;
    double floor = 1e-24 * line->total;
    if (line->squares > floor)
        out->p = permuted_p(curve, line, (line->squares - out->squares) / out->squares, seed);
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
        struct regression line;
        regression_line(curve.x, curve.y, count, false, &line);
        find_break(&curve, &line, &made);
        measure(&curve, confidence, &made);
        judge(&curve, &line, seed, &made);
        *out = made;
    }
    free(points);
    free(curve.x);
    return outcome;
}
