/* Whether what a fit leaves is noise: a high R^2 with long runs of one sign is a wrong curve. */
#include "stat/usl.h"

#include "base/memory.h"
#include "stat/quantile.h"

#include <math.h>
#include <stdlib.h>

#define DURBIN_WATSON_LEAST 1.2
#define RUNS_P_LEAST        0.05

struct rest {
    double n, x, rest;
};

static int by_n(const void *one, const void *other)
{
    const struct rest *a = one, *b = other;
    return (a->n > b->n) - (a->n < b->n);
}

static double choose_log(double all, double some)
{
    int sign = 0;
    return lgamma_r(all + 1, &sign) - lgamma_r(some + 1, &sign) - lgamma_r(all - some + 1, &sign);
}

static double choose(double all, double some)
{
    return some < 0 || some > all ? 0 : exp(choose_log(all, some));
}

/* The chance of exactly this many runs of `plus` and `minus` signs in random order. Source: Wald &
 * Wolfowitz (1940). */
static double runs_chance(size_t plus, size_t minus, size_t runs)
{
    size_t pairs = runs / 2;
    double p = (double)plus, m = (double)minus, half = (double)pairs;
    double all = choose_log(p + m, p);
    double ways = runs % 2 == 0 ? 2 * choose(p - 1, half - 1) * choose(m - 1, half - 1)
                                : choose(p - 1, half - 1) * choose(m - 1, half) +
                                      choose(p - 1, half) * choose(m - 1, half - 1);
    return ways * exp(-all);
}

static double runs_p(size_t plus, size_t minus, size_t runs)
{
    double below = 0, above = 0;
    if (plus == 0 || minus == 0)
        return 1;
    for (size_t r = 2; r <= plus + minus; r++) {
        double chance = runs_chance(plus, minus, r);
        below += r <= runs ? chance : 0;
        above += r >= runs ? chance : 0;
    }
    return fmin(1, 2 * fmin(below, above));
}

/* Splits what is left into noise between replicates and what the curve cannot follow. */
static void lack_of_fit(const struct rest *rests, const struct usl_fit *fit,
                        struct usl_residuals *out)
{
    double pure = 0;
    size_t count = fit->count, inner = 0;
    for (size_t i = 0, end = 0; i < count; i = end) {
        double mean = 0;
        for (end = i; end < count && rests[end].n == rests[i].n; end++)
            mean += rests[end].x;
        mean /= (double)(end - i);
        for (size_t j = i; j < end; j++)
            pure += (rests[j].x - mean) * (rests[j].x - mean);
        out->levels++;
        out->replicated += end - i > 1;
        inner += end - i - 1;
    }
    out->lack_p = NAN;
    if (inner > 0 && fit->degrees > inner && pure > 0) {
        double over = (double)(fit->degrees - inner), under = (double)inner;
        double f = fmax(fit->squares - pure, 0) / over / (pure / under);
        out->lack_p = 1 - f_share(f, over, under);
    }
}

void usl_residuals(const struct usl_points *points, const struct usl_fit *fit, double *rests,
                   struct usl_residuals *out)
{
    struct rest *sorted = memory_new(points->count, sizeof *sorted);
    double neighbours = 0, products = 0, squares = 0, spread = 0, mean = 0;
    size_t plus = 0, minus = 0;
    *out = (struct usl_residuals){.runs = 0};
    for (size_t i = 0; i < points->count; i++) {
        double rest = points->x[i] - usl_at(fit->law, points->n[i]);
        sorted[i] = (struct rest){points->n[i], points->x[i], rest};
        mean += rest / (double)points->count;
        if (rests)
            rests[i] = rest;
    }
    qsort(sorted, points->count, sizeof *sorted, by_n);
    for (size_t i = 0; i < points->count; i++) {
        double rest = sorted[i].rest, before = i ? sorted[i - 1].rest : 0;
        squares += rest * rest;
        plus += rest >= 0;
        minus += rest < 0;
        out->runs += i == 0 || (rest >= 0) != (before >= 0);
        neighbours += i ? (rest - before) * (rest - before) : 0;
        spread += (rest - mean) * (rest - mean);
        products += i ? (rest - mean) * (before - mean) : 0;
    }
    bool noise = points->count >= 3 && fit->deviation > 1e-9 * fabs(fit->law.gamma);
    out->durbin_watson = noise ? neighbours / squares : (double)NAN;
    out->lag_one = noise ? products / spread : (double)NAN;
    out->runs_p = noise ? runs_p(plus, minus, out->runs) : 1;
    out->structured =
        noise && (out->durbin_watson < DURBIN_WATSON_LEAST || out->runs_p < RUNS_P_LEAST);
    lack_of_fit(sorted, fit, out);
    free(sorted);
}
