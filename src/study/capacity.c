/* Whole numbers of replicas are looked for one by one up to the peak: that is a few hundred cheap
 * steps, and no closed form has spares, zones and a ceiling at once. */
#include "study/capacity.h"

#include "base/memory.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>

enum { DRAWS = 400 };

/* What is left when the failure that was asked for has come. */
static double after_failure(struct usl law, const struct capacity_wish *wish, uint32_t replicas)
{
    uint32_t lost = wish->spare;
    if (wish->zones >= 2) {
        uint32_t zone = (replicas + wish->zones - 1) / wish->zones;
        lost = zone > lost ? zone : lost;
    }
    return lost < replicas ? usl_at(law, replicas - lost) : 0;
}

static bool satisfied(struct usl law, const struct capacity_wish *wish, uint32_t replicas)
{
    return usl_at(law, replicas) >= wish->target / wish->ceiling &&
           after_failure(law, wish, replicas) >= wish->target;
}

int capacity_replicas(struct usl law, const struct capacity_wish *wish, struct capacity_answer *out)
{
    double peak = usl_peak(law), most = usl_peak_whole(law);
    *out = (struct capacity_answer){.linear = ceil(wish->target / (law.gamma * wish->ceiling)),
                                    .peak = peak,
                                    .peak_most = isfinite(most) ? usl_at(law, most)
                                                                : usl_peak_throughput(law)};
    uint32_t last = most < CAPACITY_REPLICAS_MOST ? (uint32_t)most : CAPACITY_REPLICAS_MOST;
    if (wish->target > out->peak_most)
        return CAPACITY_UNREACHABLE;
    for (uint32_t n = 1; n <= last && out->replicas == 0; n++) {
        if (out->bare == 0 && usl_at(law, n) >= wish->target)
            out->bare = n;
        if (satisfied(law, wish, n))
            out->replicas = n;
    }
    if (out->replicas == 0)
        return CAPACITY_UNREACHABLE;
    out->carries = usl_at(law, out->replicas);
    out->carries_failed = after_failure(law, wish, out->replicas);
    return 0;
}

static int compare_numbers(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* Replicas in one draw; INFINITY: unreachable; NAN: the draw carries no fit. */
static double drawn_replicas(const struct usl_points *points, const struct capacity_wish *wish,
                             enum usl_family family)
{
    struct usl_fit fit;
    struct capacity_answer answer;
    if (usl_fit(points, family, &fit) != 0)
        return NAN;
    return capacity_replicas(fit.law, wish, &answer) == 0 ? (double)answer.replicas : INFINITY;
}

/* The element below which this share lies. */
static double part(const double *sorted, size_t count, double share)
{
    return sorted[(size_t)(share * (double)(count - 1) + 0.5)];
}

static void sum_up(double *counts, size_t draws, uint32_t replicas, struct capacity_spread *out)
{
    size_t enough = 0, finite = 0;
    qsort(counts, draws, sizeof *counts, compare_numbers);
    for (size_t i = 0; i < draws; i++) {
        enough += counts[i] <= replicas;
        finite += isfinite(counts[i]) ? 1 : 0;
    }
    *out = (struct capacity_spread){.median = part(counts, draws, 0.5),
                                    .low = part(counts, draws, 0.05),
                                    .high = part(counts, draws, 0.95),
                                    .suffices = (double)enough / (double)draws,
                                    .reachable = (double)finite / (double)draws,
                                    .draws = draws};
}

int capacity_draw(const struct usl_points *points, const struct capacity_wish *wish,
                  uint32_t replicas, uint64_t seed, struct capacity_spread *out)
{
    struct usl_fit fit;
    struct usl_residuals residuals;
    int error = usl_fit(points, USL_FULL, &fit);
    if (error || fit.degrees == 0)
        return error ? error : USL_TOO_FEW;
    size_t count = points->count, draws = 0;
    double *rests = memory_new(2 * count + (size_t)DRAWS, sizeof *rests);
    double *x = rests + count, *counts = x + count;
    usl_residuals(points, &fit, rests, &residuals);
    /* Residuals are smaller than the noise that they come from by what the fit has used up. */
    double grow = sqrt((double)count / (double)fit.degrees);
    struct random random = {random_key(seed, "capacity", 0), 0};
    for (size_t turn = 0; turn < DRAWS; turn++) {
        for (size_t i = 0; i < count; i++) {
            uint64_t from = random_below_of(random_next(&random), count);
            x[i] = fmax(usl_at(fit.law, points->n[i]) + grow * rests[from], 0);
        }
        const struct usl_points drawn = {points->n, x, count};
        double needed = drawn_replicas(&drawn, wish, USL_FULL);
        if (!isnan(needed))
            counts[draws++] = needed;
    }
    if (draws)
        sum_up(counts, draws, replicas, out);
    free(rests);
    return draws ? 0 : USL_NO_FIT;
}

double capacity_vertical(const struct capacity_ceiling *ceilings, size_t count, size_t *binding)
{
    double least = INFINITY;
    for (size_t i = 0; i < count; i++) {
        double lifted = ceilings[i].throughput * ceilings[i].factor;
        if (lifted < least) {
            least = lifted;
            *binding = i;
        }
    }
    return least;
}

double capacity_useful_factor(const struct capacity_ceiling *ceilings, size_t count)
{
    size_t first = count;
    double least = capacity_vertical(ceilings, count, &first), next = INFINITY;
    for (size_t i = 0; i < count; i++)
        if (i != first)
            next = fmin(next, ceilings[i].throughput * ceilings[i].factor);
    return first == count ? INFINITY : next / least;
}
