/* Around MINPACK: its outcome is always looked at, because its default limits give up silently on
 * hard problems, and errors come from the Jacobian in the parameters that the caller asked for. */
#include "stat/fit.h"

#include "base/check.h"
#include "base/memory.h"
#include "stat/regression.h"

#include <cminpack.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EVALUATIONS_MOST = 20000 };

/* What a point costs that has no value: large, but still a number. */
#define NO_VALUE 1e150

static int evaluate(void *context, int rows, int parameters, const double *b, double *rests,
                    double *jacobian, int stride, int what)
{
    const struct fit_problem *problem = context;
    double gradient[FIT_MOST];
    for (int i = 0; i < rows; i++) {
        double value = problem->value(problem->context, b, problem->x[i], gradient);
        if (what == 1) {
            rests[i] = value - problem->y[i];
            if (!isfinite(rests[i]))
                rests[i] = NO_VALUE;
        }
        for (int j = 0; what == 2 && j < parameters; j++)
            jacobian[i + j * stride] = isfinite(gradient[j]) ? gradient[j] : 0;
    }
    return 0;
}

static bool descend(const struct fit_problem *problem, double *b)
{
    int rows = (int)problem->count, columns = (int)problem->parameters;
    int calls = 0, derivatives = 0, pivots[FIT_MOST];
    double diagonal[FIT_MOST], qtf[FIT_MOST], one[FIT_MOST], two[FIT_MOST], three[FIT_MOST];
    double *rests = memory_new((size_t)rows * 2, sizeof *rests);
    double *jacobian = memory_new((size_t)rows * (size_t)columns, sizeof *jacobian);
    struct fit_problem copy = *problem;
    int info = lmder(evaluate, &copy, rows, columns, b, rests, jacobian, rows, 1e-15, 1e-15, 0,
                     EVALUATIONS_MOST, diagonal, 1, 100, 0, &calls, &derivatives, pivots, qtf, one,
                     two, three, rests + rows);
    free(rests);
    free(jacobian);
    /* 1 to 3: converged; 4: the gradient is 0; 6 to 8: no further digit can be had. */
    bool reached = (info >= 1 && info <= 4) || (info >= 6 && info <= 8);
    for (int j = 0; j < columns; j++)
        reached = reached && isfinite(b[j]);
    return reached;
}

/* step: what Gauss and Newton would still add to the parameters, from the same regression; 0 where
 * the Jacobian is singular. */
static void measure(const struct fit_problem *problem, const double *b, struct fit *out,
                    double *step)
{
    size_t rows = problem->count, terms = problem->parameters;
    double *matrix = memory_new(rows * terms, sizeof *matrix);
    double *rests = memory_new(rows, sizeof *rests);
    *out = (struct fit){.degrees = rows - terms, .condition = INFINITY};
    for (size_t i = 0; i < rows; i++) {
        rests[i] =
            problem->y[i] - problem->value(problem->context, b, problem->x[i], matrix + i * terms);
        out->squares += rests[i] * rests[i];
    }
    memcpy(out->b, b, terms * sizeof *b);
    out->deviation = out->degrees ? sqrt(out->squares / (double)out->degrees) : NAN;
    struct regression local;
    bool known = regression_fit(matrix, rests, rows, terms, &local) == 0;
    for (size_t i = 0; i < terms * terms; i++)
        out->covariance[i] =
            known ? local.inverse[i] * out->deviation * out->deviation : (double)NAN;
    for (size_t j = 0; j < terms; j++)
        out->error[j] = sqrt(out->covariance[j * terms + j]);
    if (known)
        out->condition = local.condition;
    for (size_t j = 0; j < terms; j++)
        step[j] = known ? local.b[j] : 0;
    free(matrix);
    free(rests);
}

void fit_measure(const struct fit_problem *problem, const double *b, struct fit *out)
{
    double step[FIT_MOST];
    measure(problem, b, out, step);
}

/* The squares are flat at their least, so a search by squares stops with half of the digits of the
 * parameters. A few steps of Gauss and Newton, which look at the slope, find the rest. */
static void polish(const struct fit_problem *problem, const double *b, struct fit *out)
{
    enum { TURNS = 40 };
    double step[FIT_MOST], next[FIT_MOST];
    measure(problem, b, out, step);
    for (int turn = 0; turn < TURNS; turn++) {
        struct fit made;
        bool small = true, still = true;
        for (size_t j = 0; j < problem->parameters; j++) {
            next[j] = out->b[j] + step[j];
            small = small && fabs(step[j]) <= 1e-4 * fabs(next[j]);
            still = still && fabs(step[j]) <= 1e-12 * fabs(next[j]);
        }
        if (!small || still)
            return;
        measure(problem, next, &made, step);
        if (!(made.squares <= out->squares * (1 + 1e-12)))
            return;
        *out = made;
    }
}

int fit_from(const struct fit_problem *problem, const double *start, struct fit *out)
{
    check(problem->parameters >= 1 && problem->parameters <= FIT_MOST);
    double b[FIT_MOST];
    if (problem->count < problem->parameters)
        return FIT_TOO_FEW;
    memcpy(b, start, problem->parameters * sizeof *b);
    if (!descend(problem, b))
        return FIT_LOST;
    struct fit made;
    polish(problem, b, &made);
    if (!isfinite(made.squares))
        return FIT_LOST;
    *out = made;
    return 0;
}

int fit_best(const struct fit_problem *problem, const double *starts, size_t count, struct fit *out)
{
    int outcome = FIT_LOST;
    struct fit made;
    for (size_t i = 0; i < count; i++) {
        int error = fit_from(problem, starts + i * problem->parameters, &made);
        if (error == FIT_TOO_FEW)
            return error;
        if (error == 0 && (outcome != 0 || made.squares < out->squares)) {
            *out = made;
            outcome = 0;
        }
    }
    return outcome;
}
