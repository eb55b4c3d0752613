/* Ranks, their exact distribution, and what follows from all pairs of differences. */
#include "stat/rank.h"

#include "base/memory.h"
#include "stat/distribution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_numbers(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

double rank_median(double *values, size_t count)
{
    if (count == 0)
        return NAN;
    qsort(values, count, sizeof *values, compare_numbers);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double normal_share(double x)
{
    return erfc(-x / M_SQRT2) / 2;
}

/* Chances of each u: the coefficients of the product of (1 - q^(m+i)) / (1 - q^i), i = 1 .. n,
 * where every partial product is a polynomial. Owner: caller, m n + 1 numbers. */
static double *u_chances(size_t m, size_t n)
{
    size_t top = m * n;
    double *ways = memory_new(top + 1, sizeof *ways), total = 0;
    ways[0] = 1;
    for (size_t i = 1; i <= n; i++) {
        for (size_t u = top; u >= m + i && u <= top; u--)
            ways[u] -= ways[u - m - i];
        for (size_t u = i; u <= top; u++)
            ways[u] += ways[u - i];
    }
    for (size_t u = 0; u <= top; u++)
        total += ways[u];
    for (size_t u = 0; u <= top; u++)
        ways[u] /= total;
    return ways;
}

double rank_share(double u, size_t ones, size_t others)
{
    double *chances = u_chances(ones, others), sum = 0;
    for (size_t i = 0; i <= ones * others && (double)i <= u; i++)
        sum += chances[i];
    free(chances);
    return fmin(sum, 1);
}

double rank_least_p(size_t ones, size_t others)
{
    int sign = 0;
    double m = (double)ones, n = (double)others;
    double ways = lgamma_r(m + n + 1, &sign) - lgamma_r(m + 1, &sign) - lgamma_r(n + 1, &sign);
    return fmin(1, 2 * exp(-ways));
}

size_t rank_least_runs(double alpha)
{
    size_t runs = 1;
    while (runs < RANK_MOST && rank_least_p(runs, runs) > alpha * (1 + 1e-12))
        runs++;
    return runs;
}

/* Sum over groups of equal values of (t^3 - t); sorts. */
static double tie_term(double *all, size_t count)
{
    double sum = 0;
    qsort(all, count, sizeof *all, compare_numbers);
    for (size_t i = 0, end = 0; i < count; i = end) {
        for (end = i; end < count && all[end] == all[i]; end++)
            continue;
        double t = (double)(end - i);
        sum += t * t * t - t;
    }
    return sum;
}

static void test_exactly(struct rank_test *out, size_t m, size_t n)
{
    out->exact = true;
    out->p_less = rank_share(out->u, m, n);
    out->p_greater = rank_share((double)(m * n) - out->u, m, n);
    out->p = fmin(1, 2 * fmin(out->p_less, out->p_greater));
}

/* With the variance that ties leave, and half a step for going from steps to a curve. */
static double u_deviation(double ties, size_t ones, size_t others)
{
    double m = (double)ones, n = (double)others, all = m + n;
    return sqrt(m * n / 12 * (all + 1 - ties / (all * (all - 1))));
}

static void test_normally(struct rank_test *out, size_t m, size_t n, double deviation)
{
    double off = out->u - (double)m * (double)n / 2;
    out->p = out->p_less = out->p_greater = out->p_normal_plain = 1;
    if (deviation > 0) {
        out->p_less = normal_share((off + .5) / deviation);
        out->p_greater = normal_share(-(off - .5) / deviation);
        double step = off > 0 ? .5 : off < 0 ? -.5 : 0;
        out->p = fmin(1, 2 * normal_share(-fabs((off - step) / deviation)));
        out->p_normal_plain = fmin(1, 2 * normal_share(-fabs(off / deviation)));
    }
    out->p_normal = out->p;
}

/* How many of the sorted differences to leave out at each end: the interval goes from the q-th
 * least to the q-th largest. 0: all of them are not enough. */
static size_t interval_rank(struct rank_test *out, size_t m, size_t n, double tail,
                            double deviation)
{
    double pairs = (double)m * (double)n;
    if (m <= RANK_EXACT_MOST && n <= RANK_EXACT_MOST) {
        double *chances = u_chances(m, n), sum = 0;
        size_t q = 0;
        while (sum + chances[q] <= tail * (1 + 1e-12))
            sum += chances[q++];
        free(chances);
        out->coverage = q ? 1 - 2 * sum : (double)NAN;
        return q;
    }
    double reach = floor(pairs / 2 - .5 + normal_quantile(tail) * deviation);
    out->coverage = reach >= 0 ? 1 - 2 * tail : (double)NAN;
    return reach >= 0 ? (size_t)reach + 1 : 0;
}

int rank_compare(const double *one, size_t ones, const double *other, size_t others,
                 double confidence, struct rank_test *out)
{
    if (ones == 0 || others == 0)
        return RANK_TOO_FEW;
    if (ones > RANK_MOST || others > RANK_MOST)
        return RANK_TOO_MANY;
    size_t pairs = ones * others;
    double *differences = memory_new(pairs, sizeof *differences);
    double *all = memory_new(ones + others, sizeof *all);
    *out = (struct rank_test){.low = -INFINITY, .high = INFINITY};
    for (size_t i = 0; i < ones; i++)
        for (size_t j = 0; j < others; j++) {
            differences[i * others + j] = one[i] - other[j];
            out->u += one[i] > other[j] ? 1 : one[i] == other[j] ? .5 : 0;
        }
    memcpy(all, one, ones * sizeof *all);
    memcpy(all + ones, other, others * sizeof *all);
    double ties = tie_term(all, ones + others);
    out->ties = ties > 0;
    test_normally(out, ones, others, u_deviation(ties, ones, others));
    if (!out->ties && ones <= RANK_EXACT_MOST && others <= RANK_EXACT_MOST)
        test_exactly(out, ones, others);
    out->shift = rank_median(differences, pairs);
    size_t q = interval_rank(out, ones, others, (1 - confidence) / 2, u_deviation(0, ones, others));
    if (q > 0) {
        out->low = differences[q - 1];
        out->high = differences[pairs - q];
    }
    out->common = out->u / (double)pairs;
    out->cliff = 2 * out->common - 1;
    free(differences);
    free(all);
    return 0;
}

/* The places of the values from the least to the greatest, equal ones in their order; the caller
 * frees them. By insertion: a family of tests is small. */
static size_t *ascending_order(const double *values, size_t count)
{
    size_t *order = memory_new(count, sizeof *order);
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && values[order[at - 1]] > values[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return order;
}

void rank_holm(double *p, size_t count)
{
    size_t *order = ascending_order(p, count);
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        most = fmin(1, fmax(most, p[order[i]] * (double)(count - i)));
        p[order[i]] = most;
    }
    free(order);
}

void rank_benjamini_hochberg(double *p, size_t count)
{
    size_t *order = ascending_order(p, count);
    double least = 1;
    for (size_t i = count; i-- > 0;) {
        least = fmin(least, p[order[i]] * (double)count / (double)(i + 1));
        p[order[i]] = least;
    }
    free(order);
}

struct rank_interval rank_bootstrap(const double *values, size_t count, double confidence,
                                    uint64_t seed,
                                    double (*statistic)(const double *values, size_t count))
{
    enum { TURNS = 2000 };
    struct random random = {.key = random_key(seed, "bootstrap", 0)};
    double *drawn = memory_new(count, sizeof *drawn), *found = memory_new(TURNS, sizeof *found);
    for (size_t turn = 0; turn < TURNS; turn++) {
        for (size_t i = 0; i < count; i++)
            drawn[i] = values[random_below_of(random_next(&random), count)];
        found[turn] = statistic(drawn, count);
    }
    qsort(found, TURNS, sizeof *found, compare_numbers);
    size_t cut = (size_t)floor((1 - confidence) / 2 * TURNS);
    struct rank_interval out = {found[cut], found[TURNS - 1 - cut]};
    free(drawn);
    free(found);
    return out;
}
