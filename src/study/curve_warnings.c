/* What in the data asks for caution. Each code is one line, and names the loads that it is about:
 * the same sentence for every load would be read for none of them.
 *
 *   Tests   test/unit/study/curve, advise. */
#include "study/curve_part.h"

#include "base/text.h"
#include "base/unit.h"

#include <math.h>

enum { LOADS_NAMED = 4 };

typedef bool point_test(const struct curve *curve, const struct curve_point *point);

static bool is_not_steady(const struct curve *curve, const struct curve_point *point)
{
    bool is = false;
    (void)curve;
    for (size_t i = 0; i < point->level_count; i++)
        is |=
            point->levels[i]->state == LEVEL_NOT_STEADY || point->levels[i]->state == LEVEL_STOPPED;
    return is;
}

static bool is_late(const struct curve *curve, const struct curve_point *point)
{
    bool is = false;
    (void)curve;
    for (size_t i = 0; i < point->level_count; i++)
        is |= point->levels[i]->generator == 2;
    return is;
}

static bool is_failing(const struct curve *curve, const struct curve_point *point)
{
    bool is = false;
    for (size_t i = 0; i < point->level_count; i++)
        is |= point->levels[i]->error_share > curve->slo_error_share;
    return is;
}

static bool is_undersampled(const struct curve *curve, const struct curve_point *point)
{
    bool is = false;
    (void)curve;
    for (size_t i = 0; i < point->level_count; i++)
        is |= isnan(point->levels[i]->p99_s);
    return is;
}

static bool is_inconsistent(const struct curve *curve, const struct curve_point *point)
{
    (void)curve;
    return point->inconsistent;
}

/* "12, 16 and 20 users", or "6 loads from 12 to 48 users". Returns how many. */
static size_t name_loads(const struct curve *curve, point_test *test, struct text *out)
{
    char number[UNIT_ROOM];
    size_t found = 0, named = 0, first = 0, last = 0;
    for (size_t i = 0; i < curve->count; i++)
        if (test(curve, &curve->points[i])) {
            first = found++ ? first : i;
            last = i;
        }
    if (found > LOADS_NAMED) {
        text_printf(out, "%s%zu loads from %s", found == curve->count ? "all " : "", found,
                    unit_write_number(number, curve->points[first].load));
        text_printf(out, " to %s", unit_write_number(number, curve->points[last].load));
    }
    for (size_t i = 0; i < curve->count && found <= LOADS_NAMED; i++)
        if (test(curve, &curve->points[i])) {
            const char *between = !named ? "" : named + 1 == found ? " and " : ", ";
            text_printf(out, "%s%s", between, unit_write_number(number, curve->points[i].load));
            named++;
        }
    text_puts(out, curve->open                                   ? "/s"
                   : found == 1 && curve->points[first].load < 2 ? " user"
                                                                 : " users");
    return found;
}

static void warn_where(struct curve *curve, const char *code, point_test *test, const char *words)
{
    struct text loads = TEXT_EMPTY;
    if (name_loads(curve, test, &loads))
        study_warn(&curve->warnings, code, "at %s %s", loads.at, words);
    text_fini(&loads);
}

static void warn_of_failures(struct curve *curve)
{
    struct text words = TEXT_EMPTY;
    double most = 0;
    for (size_t i = 0; i < curve->count; i++)
        most = fmax(most, curve->points[i].error_share);
    text_printf(&words,
                "more than %.3g %% of the requests failed, up to %.3g %%; throughput counts "
                "successes only",
                100 * curve->slo_error_share, 100 * most);
    warn_where(curve, "ERRORS_IN_WINDOW", is_failing, words.at);
    text_fini(&words);
}

static void warn_of_little(struct curve *curve)
{
    struct text words = TEXT_EMPTY;
    double most = 0;
    for (size_t i = 0; i < curve->count; i++)
        if (curve->points[i].inconsistent)
            most = fmax(most, fabs(curve->points[i].little));
    text_printf(&words,
                "requests in the system differ by up to %.0f %% from throughput times response "
                "time: kept out of fits",
                100 * most);
    warn_where(curve, "LITTLE_VIOLATION", is_inconsistent, words.at);
    text_fini(&words);
}

void curve_warn_all(struct curve *curve)
{
    bool replicated = false;
    for (size_t i = 0; i < curve->count; i++)
        replicated |= curve->points[i].level_count > 1;
    warn_where(curve, "NOT_STEADY", is_not_steady, "the system was not steady to the end");
    warn_where(curve, "GENERATOR_LIMITED", is_late,
               "the load generator was the bottleneck: such levels say nothing about the system");
    warn_of_failures(curve);
    warn_where(curve, "P99_UNDERSAMPLED", is_undersampled, "there were too few requests for a p99");
    warn_of_little(curve);
    if (curve->count < 6)
        study_warn(&curve->warnings, "FEW_LEVELS", "%zu load%s: a break can be proven from 6 on",
                   curve->count, curve->count == 1 ? "" : "s");
    if (!replicated)
        study_warn(&curve->warnings, "NO_REPLICATES",
                   "no load was measured twice: intervals are those of counts within a level");
}
