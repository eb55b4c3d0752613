/* How many replicas of what was tested. Two that were measured side by side make a law; of one, all
 * that can be said is that more than linear does not happen. */
#include "study/advise_part.h"

#include "base/memory.h"
#include "base/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 20 };

/* Capacities over instances, of one series. */
struct side_by_side {
    double *n, *x, *low, *high;
    size_t count, distinct;
    double most;
    bool full; /* at the number of instances of the capacity, or it was not measured there */
    double at; /* what that number carried; 0: not measured */
};

static struct side_by_side gather(const struct advice_case *the_case, const char *series)
{
    size_t all = the_case->size_count;
    struct side_by_side out = {.n = memory_new(4 * all + 1, sizeof(double))};
    out.x = out.n + all;
    out.low = out.x + all;
    out.high = out.low + all;
    for (size_t i = 0; i < all; i++) {
        const struct case_size *size = &the_case->sizes[i];
        if (strcmp(size->series, series) != 0 || !(size->capacity > 0) || !(size->instances > 0))
            continue;
        bool seen = false;
        for (size_t j = 0; j < out.count; j++)
            seen |= out.n[j] == size->instances;
        out.distinct += !seen;
        if (size->instances >= the_case->instances && size->instances <= the_case->instances) {
            out.at = fmax(out.at, size->capacity);
            out.full |= size->full;
        }
        out.most = fmax(out.most, size->instances);
        out.n[out.count] = size->instances;
        out.x[out.count] = size->capacity;
        out.low[out.count] = isfinite(size->low) ? size->low : size->capacity;
        out.high[out.count++] = isfinite(size->high) ? size->high : size->capacity;
    }
    return out;
}

/* The series with the most numbers of instances. */
static struct side_by_side find_side_by_side(const struct advice_case *the_case)
{
    struct side_by_side best = {0};
    for (size_t i = 0; i < the_case->size_count; i++) {
        struct side_by_side one = gather(the_case, the_case->sizes[i].series);
        if (one.distinct > best.distinct) {
            free(best.n);
            best = one;
        } else {
            free(one.n);
        }
    }
    return best;
}

static enum usl_family family_of(const struct side_by_side *data)
{
    return data->distinct >= 3 ? USL_FULL : USL_AMDAHL;
}

/* Replicas that were not full carried what they were asked for: how they add up is known from
 * that, and what one of them carries is the capacity, measured on its own. */
static bool scale(struct side_by_side *data, const struct advice_case *the_case)
{
    double low = the_case->capacity_low, high = the_case->capacity_high;
    if (data->full || !(data->at > 0) || !the_case->capacity_known ||
        !(the_case->capacity > data->at))
        return false;
    double grown = the_case->capacity / data->at;
    for (size_t i = 0; i < data->count; i++) {
        data->low[i] = data->x[i] * (isfinite(low) ? low / data->at : grown);
        data->high[i] = data->x[i] * (isfinite(high) ? high / data->at : grown);
        data->x[i] *= grown;
    }
    return true;
}

/* Replicas if the capacities were these; INFINITY: unreachable. */
static double replicas_if(const struct side_by_side *data, const double *x, enum usl_family family,
                          const struct capacity_wish *wish)
{
    const struct usl_points points = {data->n, x, data->count};
    struct usl_fit fit;
    struct capacity_answer answer;
    if (usl_fit(&points, family, &fit) != 0)
        return NAN;
    return capacity_replicas(fit.law, wish, &answer) == 0 ? (double)answer.replicas : INFINITY;
}

/* Capacities from one end of their intervals at the fewest instances (0: low, 1: high) to one at
 * the most: errors that lean the same way for all are the mildest, those that turn the curve are
 * the ones that matter far outside. */
static void tilt(const struct side_by_side *data, double first, double last, double *x)
{
    double least = data->most;
    for (size_t i = 0; i < data->count; i++)
        least = fmin(least, data->n[i]);
    for (size_t i = 0; i < data->count; i++) {
        double way = data->most > least ? (data->n[i] - least) / (data->most - least) : 0;
        double share = first + (last - first) * way;
        x[i] = data->low[i] + share * (data->high[i] - data->low[i]);
    }
}

static void spread_of(struct advice *advice, const struct side_by_side *data,
                      const struct capacity_wish *wish)
{
    const struct usl_points points = {data->n, data->x, data->count};
    struct capacity_spread spread;
    /* One law's interval would not be honest: Amdahl's has no peak, the other's may be too near. */
    const enum usl_family families[] = {family_of(data), USL_AMDAHL};
    double *x = memory_new(data->count, sizeof *x);
    for (int turn = 0; turn < 8; turn++) {
        tilt(data, turn & 1 ? 1 : 0, turn & 2 ? 1 : 0, x);
        double needed = replicas_if(data, x, families[turn / 4], wish);
        advice->replica_range.low = fmin(advice->replica_range.low, needed);
        advice->replica_range.high = fmax(advice->replica_range.high, needed);
    }
    free(x);
    if (data->distinct < 4 ||
        capacity_draw(&points, wish, advice->replicas.replicas, SEED, &spread) != 0)
        return;
    advice->replica_range.low = fmin(spread.low, advice->replica_range.low);
    advice->replica_range.high = fmax(spread.high, advice->replica_range.high);
    advice->replica_median = spread.median;
    advice->suffices = spread.suffices;
}

static void warn_of_replicas(struct advice *advice, const struct advice_case *the_case,
                             const struct side_by_side *data)
{
    char number[UNIT_ROOM];
    double ratio = advice->replicas.replicas / data->most;
    if (data->distinct < 6)
        study_warn(&advice->warnings, "FEW_LEVELS",
                   "%zu numbers of instances carry the law of replicas", data->distinct);
    if (ratio > 1)
        study_warn(&advice->warnings, "EXTRAPOLATION_RATIO",
                   "%s: %u replicas, of which at most %.0f were measured side by side",
                   unit_write_number(number, ratio), advice->replicas.replicas, data->most);
    for (size_t i = 0; i < the_case->bound_count; i++) {
        const char *kind = the_case->bounds[i].kind;
        if (strcmp(kind, "database") == 0 || strcmp(kind, "dependency") == 0 ||
            strcmp(kind, "vector-search") == 0 || strcmp(kind, "pool") == 0)
            study_warn(&advice->warnings, "SHARED_DEPENDENCY_NOT_SCALED",
                       "%s is shared by all replicas, and was not scaled with them",
                       the_case->bounds[i].name);
    }
}

static void size_by_law(struct advice *advice, const struct advice_case *the_case,
                        const struct side_by_side *data, const struct capacity_wish *wish)
{
    const struct usl_points points = {data->n, data->x, data->count};
    struct usl_fit fit;
    if (usl_fit(&points, family_of(data), &fit) != 0)
        return;
    if (capacity_replicas(fit.law, wish, &advice->replicas) != 0) {
        char most[UNIT_ROOM], wanted[UNIT_ROOM];
        advice->replicas_known = REPLICAS_UNREACHABLE;
        study_warn(&advice->warnings, "BEYOND_PEAK",
                   "no number of replicas carries %s req/s with headroom: %s at most%s",
                   unit_write_number(wanted, wish->target),
                   unit_write_number(most, advice->replicas.peak_most),
                   isfinite(advice->replicas.peak) ? ", and less beyond" : "");
        return;
    }
    advice->replicas_known = REPLICAS_SIZED;
    spread_of(advice, data, wish);
    warn_of_replicas(advice, the_case, data);
}

static void size_alone(struct advice *advice, const struct advice_case *the_case,
                       const struct capacity_wish *wish)
{
    double sure = isfinite(the_case->capacity_low) && the_case->capacity_low > 0
                      ? the_case->capacity_low
                      : the_case->capacity;
    double count = the_case->instances >= 1 ? the_case->instances : 1;
    const struct usl linear = {sure / count, 0, 0};
    advice->replicas_tested = count;
    if (capacity_replicas(linear, wish, &advice->replicas) != 0)
        return;
    advice->replicas_known = REPLICAS_AT_LEAST;
    study_warn(&advice->warnings, "EXTRAPOLATION_RATIO",
               "%u replicas are a lower bound: two were never measured side by side",
               advice->replicas.replicas);
}

static void price_it(struct advice *advice, const struct advice_case *the_case,
                     const struct advice_wish *wish)
{
    double hour = wish->prices ? prices_of(wish->prices, the_case->target, "replica") : (double)NAN;
    if (!isfinite(hour) || advice->count == 0)
        return;
    double low = advice->replica_range.low, high = advice->replica_range.high;
    advice->cost = capacity_cost(advice->count, hour, advice->target_rate);
    if (isfinite(low))
        advice->cost_low = capacity_cost(low, hour, advice->target_rate);
    if (isfinite(high))
        advice->cost_high = capacity_cost(high, hour, advice->target_rate);
}

void advise_replicas(struct advice *advice, const struct advice_case *the_case,
                     const struct advice_wish *wish)
{
    const struct capacity_wish sizes = {advice->target_rate, wish->ceiling, wish->spare,
                                        wish->zones};
    struct side_by_side data = find_side_by_side(the_case);
    advice->replicas_tested = data.most;
    if (data.distinct >= 2) {
        advice->scaled = scale(&data, the_case);
        size_by_law(advice, the_case, &data, &sizes);
    } else if (the_case->capacity_known && the_case->capacity > 0) {
        size_alone(advice, the_case, &sizes);
    }
    free(data.n);
    bool sized =
        advice->replicas_known == REPLICAS_SIZED || advice->replicas_known == REPLICAS_AT_LEAST;
    advice->count = sized ? advice->replicas.replicas : 0;
    if (sized && advice->delay.state == DELAY_SIZED) {
        double least = advice->delay.replicas;
        advice->count = (uint32_t)fmax(advice->count, least);
        if (isfinite(advice->replica_range.low))
            advice->replica_range.low = fmax(advice->replica_range.low, least);
    }
    if (isfinite(advice->replica_range.high))
        advice->replica_range.high = fmax(advice->replica_range.high, advice->count);
    price_it(advice, the_case, wish);
}

uint32_t advice_replicas_of(const struct advice_case *the_case, const struct advice_wish *wish,
                            double factor)
{
    double count = the_case->instances >= 1 ? the_case->instances : 1;
    if (!isfinite(factor) || factor * count > CAPACITY_REPLICAS_MOST)
        return 0;
    double by_factor = ceil(factor * count);
    /* The target without what may fail must fit as well: factor has the ceiling in it. */
    double by_spare = ceil(factor * wish->ceiling * count) + wish->spare;
    return (uint32_t)fmax(by_factor, by_spare);
}
