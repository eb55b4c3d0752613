/* A regression is one decomposition: the coefficients, their errors and the condition all come from
 * its triangle. */
#include "stat/regression.h"

#include "base/check.h"
#include "base/memory.h"
#include "stat/quantile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Columns of smaller part that is their own are combinations of the others. */
#define OWN_LEAST 1e-12

/* The work of a fit: a holds columns of length 1; the triangle grows above its diagonal. */
struct decomposition {
    double *a, *y, scale[REGRESSION_TERMS], diagonal[REGRESSION_TERMS];
    size_t rows, terms;
};

/* The length of a vector whose numbers are `stride` apart; divided by the largest first, so that no
 * square overflows or vanishes. (A hypot for each number would be most of the time of a fit.) */
static double length_of(const double *values, size_t count, size_t stride)
{
    double most = 0, sum = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(values[i * stride]));
    for (size_t i = 0; i < count && most > 0; i++) {
        double part = values[i * stride] / most;
        sum += part * part;
    }
    return most * sqrt(sum);
}

static void reflect(const double *axis, double length, double *column, size_t rows)
{
    double sum = 0;
    for (size_t i = 0; i < rows; i++)
        sum += axis[i] * column[i];
    for (size_t i = 0; i < rows; i++)
        column[i] -= sum / length * axis[i];
}

static int decompose(struct decomposition *work)
{
    for (size_t k = 0; k < work->terms; k++) {
        size_t rows = work->rows - k;
        double *axis = work->a + k * work->rows + k, norm = length_of(axis, rows, 1);
        if (!(norm > OWN_LEAST))
            return REGRESSION_SINGULAR;
        double head = axis[0] > 0 ? -norm : norm;
        axis[0] -= head;
        work->diagonal[k] = head;
        double length = -axis[0] * head;
        for (size_t j = k + 1; j < work->terms; j++)
            reflect(axis, length, work->a + j * work->rows + k, rows);
        reflect(axis, length, work->y + k, rows);
    }
    return 0;
}

/* Row i of the triangle, column j > i. */
static double upper(const struct decomposition *work, size_t i, size_t j)
{
    return work->a[j * work->rows + i];
}

/* (X'X)^-1 = R^-1 R^-T, from columns of R^-1. */
static void invert(const struct decomposition *work, struct regression *out)
{
    size_t terms = work->terms;
    double inverse[REGRESSION_TERMS][REGRESSION_TERMS] = {{0}};
    for (size_t j = 0; j < terms; j++)
        for (size_t i = j + 1; i-- > 0;) {
            double sum = i == j ? 1 : 0;
            for (size_t k = i + 1; k <= j; k++)
                sum -= upper(work, i, k) * inverse[k][j];
            inverse[i][j] = sum / work->diagonal[i];
        }
    for (size_t i = 0; i < terms; i++)
        for (size_t j = 0; j < terms; j++) {
            double sum = 0;
            for (size_t k = i > j ? i : j; k < terms; k++)
                sum += inverse[i][k] * inverse[j][k];
            out->inverse[i * terms + j] = sum / work->scale[i] / work->scale[j];
        }
}

static int solve(struct decomposition *work, struct regression *out)
{
    int error = decompose(work);
    if (error)
        return error;
    double least = INFINITY, most = 0;
    for (size_t i = work->terms; i-- > 0;) {
        double sum = work->y[i];
        for (size_t j = i + 1; j < work->terms; j++)
            sum -= upper(work, i, j) * out->b[j] * work->scale[j];
        out->b[i] = sum / work->diagonal[i] / work->scale[i];
        least = fmin(least, fabs(work->diagonal[i]));
        most = fmax(most, fabs(work->diagonal[i]));
    }
    out->condition = most / least;
    invert(work, out);
    return 0;
}

/* What the coefficients leave of y, and what they had to explain. */
static void account(const double *matrix, const double *y, struct regression *out)
{
    size_t rows = out->rows, terms = out->terms;
    bool constant = true;
    double mean = 0;
    for (size_t i = 0; i < rows; i++) {
        constant = constant && matrix[i * terms] == matrix[0];
        mean += y[i] / (double)rows;
    }
    for (size_t i = 0; i < rows; i++) {
        double rest = y[i], centre = constant ? mean : 0;
        for (size_t j = 0; j < terms; j++)
            rest -= out->b[j] * matrix[i * terms + j];
        out->squares += rest * rest;
        out->total += (y[i] - centre) * (y[i] - centre);
    }
    out->degrees = rows - terms;
    out->deviation = out->degrees ? sqrt(out->squares / (double)out->degrees) : NAN;
    out->fit = out->total > 0 ? 1 - out->squares / out->total : NAN;
    for (size_t j = 0; j < terms; j++)
        out->error[j] = out->deviation * sqrt(out->inverse[j * terms + j]);
}

int regression_fit(const double *matrix, const double *y, size_t rows, size_t terms,
                   struct regression *out)
{
    check(terms >= 1 && terms <= REGRESSION_TERMS);
    if (rows < terms)
        return REGRESSION_TOO_FEW;
    struct decomposition work = {.rows = rows, .terms = terms};
    work.a = memory_new(rows * terms, sizeof *work.a);
    work.y = memory_new(rows, sizeof *work.y);
    memcpy(work.y, y, rows * sizeof *y);
    for (size_t j = 0; j < terms; j++) {
        work.scale[j] = length_of(matrix + j, rows, terms);
        for (size_t i = 0; i < rows && work.scale[j] > 0; i++)
            work.a[j * rows + i] = matrix[i * terms + j] / work.scale[j];
    }
    struct regression made = {.rows = rows, .terms = terms};
    int error = solve(&work, &made);
    if (error == 0) {
        account(matrix, y, &made);
        *out = made;
    }
    free(work.a);
    free(work.y);
    return error;
}

int regression_line(const double *x, const double *y, size_t rows, bool through_origin,
                    struct regression *out)
{
    size_t terms = through_origin ? 1 : 2;
    double *matrix = memory_new(rows * terms, sizeof *matrix);
    for (size_t i = 0; i < rows; i++) {
        matrix[i * terms] = 1;
        matrix[i * terms + terms - 1] = x[i];
    }
    int error = regression_fit(matrix, y, rows, terms, out);
    free(matrix);
    return error;
}

double regression_error_at(const struct regression *fit, const double *row)
{
    double sum = 0;
    for (size_t i = 0; i < fit->terms; i++)
        for (size_t j = 0; j < fit->terms; j++)
            sum += row[i] * fit->inverse[i * fit->terms + j] * row[j];
    return fit->deviation * sqrt(fmax(sum, 0));
}

/* The x for which (y - b0 - b1 x)^2 <= t^2 s^2 (v00 + 2 x v01 + x^2 v11): a quadratic in x. */
struct regression_reach regression_reaches(const struct regression *line, double y,
                                           double confidence)
{
    check(line->terms == 2);
    double t = t_quantile((1 + confidence) / 2, (double)line->degrees) * line->deviation;
    double gap = y - line->b[0], slope = line->b[1], t2 = t * t;
    double a = slope * slope - t2 * line->inverse[3];
    double half = -(gap * slope + t2 * line->inverse[1]);
    double c = gap * gap - t2 * line->inverse[0], root = half * half - a * c;
    struct regression_reach out = {.x = gap / slope, .low = -INFINITY, .high = INFINITY};
    /* With a slope certain to differ from 0 there are two roots: below 0 is rounding. */
    if (a > 0) {
        out.low = (-half - sqrt(fmax(root, 0))) / a;
        out.high = (-half + sqrt(fmax(root, 0))) / a;
    }
    return out;
}

/* Least squares over the columns that are in; b of the others is 0. */
static int fit_chosen(const double *matrix, const double *y, size_t rows, size_t terms,
                      const bool *in, double *b)
{
    size_t map[REGRESSION_TERMS], count = 0;
    for (size_t j = 0; j < terms; j++) {
        b[j] = 0;
        if (in[j])
            map[count++] = j;
    }
    if (count == 0)
        return 0;
    struct regression part;
    double *chosen = memory_new(rows * count, sizeof *chosen);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < count; j++)
            chosen[i * count + j] = matrix[i * terms + map[j]];
    int error = regression_fit(chosen, y, rows, count, &part);
    for (size_t j = 0; error == 0 && j < count; j++)
        b[map[j]] = part.b[j];
    free(chosen);
    return error;
}

/* The column left out along which the squares would fall fastest; terms: none. */
static size_t steepest(const double *matrix, const double *y, const double *b, const bool *in,
                       struct decomposition size)
{
    size_t best = size.terms;
    double most = 0, height = length_of(y, size.rows, 1);
    for (size_t j = 0; j < size.terms; j++) {
        double slope = 0, length = length_of(matrix + j, size.rows, size.terms);
        for (size_t i = 0; i < size.rows; i++) {
            const double *row = matrix + i * size.terms;
            double rest = y[i];
            for (size_t k = 0; k < size.terms; k++)
                rest -= row[k] * b[k];
            slope += row[j] * rest;
        }
        slope = length > 0 && height > 0 ? slope / length / height : 0;
        if (!in[j] && slope > fmax(most, 1e-12)) {
            most = slope;
            best = j;
        }
    }
    return best;
}

/* Moves from b towards the wish until the first coefficient reaches 0, and takes it out. Returns
 * whether the wish was reached. */
static bool approach(double *b, const double *wish, bool *in, size_t terms)
{
    double step = 1;
    for (size_t j = 0; j < terms; j++)
        if (in[j] && wish[j] <= 0)
            step = fmin(step, b[j] / (b[j] - wish[j]));
    bool reached = true;
    for (size_t j = 0; j < terms; j++) {
        bool falls = in[j] && wish[j] <= 0;
        reached = reached && !falls;
        b[j] += step * (wish[j] - b[j]);
        if (falls && b[j] <= 1e-15 * fabs(wish[j])) {
            b[j] = 0;
            in[j] = false;
        }
    }
    return reached;
}

int regression_nonnegative(const double *matrix, const double *y, size_t rows, size_t terms,
                           double *out)
{
    check(terms >= 1 && terms <= REGRESSION_TERMS);
    bool in[REGRESSION_TERMS] = {false};
    double b[REGRESSION_TERMS] = {0}, wish[REGRESSION_TERMS];
    struct decomposition size = {.rows = rows, .terms = terms};
    if (rows < terms)
        return REGRESSION_TOO_FEW;
    for (size_t turn = 0; turn < 3 * terms; turn++) {
        size_t next = steepest(matrix, y, b, in, size);
        if (next == terms)
            break;
        in[next] = true;
        for (size_t inner = 0; inner <= terms; inner++) {
            int error = fit_chosen(matrix, y, rows, terms, in, wish);
            if (error)
                return error;
            if (approach(b, wish, in, terms))
                break;
        }
    }
    memcpy(out, b, terms * sizeof *out);
    return 0;
}

static int compare_numbers(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static double median_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_numbers);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

int regression_theil_sen(const double *x, const double *y, size_t rows, double *slope,
                         double *constant)
{
    enum { ROWS_MOST = 2000 };
    check(rows <= ROWS_MOST);
    double *slopes = memory_new(rows * rows / 2 + rows, sizeof *slopes);
    size_t count = 0;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = i + 1; j < rows; j++)
            if (x[i] != x[j])
                slopes[count++] = (y[j] - y[i]) / (x[j] - x[i]);
    if (count) {
        *slope = median_of(slopes, count);
        for (size_t i = 0; i < rows; i++)
            slopes[i] = y[i] - *slope * x[i];
        *constant = median_of(slopes, rows);
    }
    free(slopes);
    return count ? 0 : REGRESSION_TOO_FEW;
}
