/* The analysis is held to what was planted: the primary named right, its load within one level of
 * where the asymptotes meet, the first secondary where one was planted, and nothing where the load
 * stays below every limit. */
#include "planted/planted.h"

#include "study/bottleneck.h"
#include "study/indicator.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS = 3 };

static void tell_one(const struct bottleneck *one, const char *rank)
{
    print_message("    %s: %s (%s of %s) at %g, score %g, ceiling %g%s\n", rank, one->name,
                  one->kind, one->thing, one->load, one->score, one->ceiling,
                  one->predicted ? ", predicted" : "");
    for (size_t k = 0; k < one->evidence_count; k++)
        print_message("      %s: %s\n", evidence_words(one->evidence[k].kind),
                      one->evidence[k].words);
}

/* All that was seen, for whoever has to find out why. */
static void tell(const struct suite *suite, const struct analysis *found)
{
    const struct level_series *series = &suite->series[0];
    for (size_t i = 0; i < series->level_count; i++) {
        const struct level *level = &series->levels[i];
        print_message("    at %4g: %.2f/s, %.4f s (p95 %.4f), errors %.4f, generator %d\n",
                      isnan(level->rate) ? level->users : level->rate, level->throughput,
                      level->mean_s, level->p95_s, level->error_share, level->generator);
        for (size_t k = 0; k < level->resource_count; k++) {
            const struct level_resource *one = &level->resources[k];
            if (getenv("PLANTED_ALL") && indicator_find(one->metric, one->unit))
                print_message("         %s %s %s: %.4g\n", one->thing, one->metric, one->part,
                              one->mean);
        }
    }
    for (size_t i = 0; i < found->primary_count; i++)
        tell_one(&found->primary[i], "primary");
    for (size_t i = 0; i < found->secondary_count; i++)
        tell_one(&found->secondary[i], "secondary");
}

/* Where the asymptotes of low and of high load meet (Denning and Buzen 1978; Lazowska et al. 1984,
 * 5). */
static double meet_of(const struct planted *row)
{
    double round = row->round > 0 ? row->round : 1;
    if (row->open)
        return row->capacity_rps / round;
    return row->capacity_rps / round * (row->response_s + row->think_s);
}

/* The share of requests that find the room full when so many users come (Engset 1918: each of the
 * others has its turn as often as response / think says). */
static double lost(double room, double users, double ratio)
{
    double term = 1, sum = 1;
    for (double k = 1; k <= room; k++) {
        term *= (users - k) / k * ratio;
        sum += term;
    }
    return term / sum;
}

/* The load at which the planted one binds. */
static double knee_of(const struct planted *row)
{
    double users = row->room + 1;
    if (row->room <= 0)
        return meet_of(row);
    while (lost(row->room, users, row->response_s / row->think_s) <= 0.01)
        users++;
    return users;
}

static size_t level_at(const struct planted *row, double load)
{
    size_t at = 0;
    while (at + 1 < PLANTED_LEVELS && row->levels[at + 1] > 0 && row->levels[at + 1] <= load + 0.5)
        at++;
    return at;
}

/* What is wrong with the answer; NULL: nothing. */
static const char *fault_of(const struct planted *row, const struct analysis *found)
{
    if (!row->kind)
        return found->none_observed && found->primary_count == 0 ? NULL : "it is healthy";
    if (found->primary_count == 0)
        return "no primary";
    const struct bottleneck *one = &found->primary[0];
    if (strcmp(one->kind, row->kind) != 0 || strcmp(one->thing, row->thing) != 0)
        return "another primary";
    if (labs((long)level_at(row, one->load) - (long)level_at(row, knee_of(row))) > 1)
        return "another load";
    if (row->expected && (!one->expected || strcmp(one->expected->id, row->expected) != 0))
        return "another entry of the catalogue";
    if (row->second_kind &&
        (found->secondary_count == 0 || strcmp(found->secondary[0].kind, row->second_kind) != 0 ||
         strcmp(found->secondary[0].thing, row->second_thing) != 0))
        return "another secondary";
    return NULL;
}

static bool check_one(const struct planted *row, uint64_t seed, const struct catalogue *catalogue)
{
    struct suite *suite = planted_play(row, seed);
    struct curve_wish wish = curve_wish_of(suite);
    struct analysis *found = analysis_new(suite, &wish, catalogue);
    const char *fault = fault_of(row, found);
    const struct bottleneck *one = found->primary_count ? &found->primary[0] : NULL;
    print_message("  %-28s seed %llu: %s%s%s at %g of %.0f%s%s\n", row->name,
                  (unsigned long long)seed, one ? one->kind : "none", one ? " of " : "",
                  one ? one->thing : "", one ? one->load : 0.0, knee_of(row),
                  fault ? ": WRONG, " : "", fault ? fault : "");
    if (fault || getenv("PLANTED_TELL"))
        tell(suite, found);
    analysis_free(found);
    suite_free(suite);
    return !fault;
}

/* What of the table is played: part of `parts`, so that several processes share the work; of it the
 * configurations whose name has the word, if any; seeds from 1 on. */
struct choice {
    unsigned long part, parts, seeds;
    const char *word;
};

static void planted_bottlenecks_are_named(void **state)
{
    const struct choice *choice = *state;
    struct catalogue *catalogue = catalogue_default();
    unsigned wrong = 0;
    for (size_t i = 0; planted_rows[i].name; i++)
        for (uint64_t seed = 1; seed <= choice->seeds; seed++)
            if (i % choice->parts == choice->part &&
                (!choice->word || strstr(planted_rows[i].name, choice->word)))
                wrong += !check_one(&planted_rows[i], seed, catalogue);
    catalogue_free(catalogue);
    assert_int_equal(wrong, 0);
}

/* planted [PART PARTS [SEEDS [WORD]]]; PLANTED_TELL=1 tells all that was seen, PLANTED_ALL=1 every
 * figure that the analysis looked at too. */
int main(int count, char **arguments)
{
    struct choice choice = {.part = count > 2 ? strtoul(arguments[1], NULL, 10) : 0,
                            .parts = count > 2 ? strtoul(arguments[2], NULL, 10) : 1,
                            .seeds = count > 3 ? strtoul(arguments[3], NULL, 10) : SEEDS,
                            .word = count > 4 ? arguments[4] : NULL};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(planted_bottlenecks_are_named, &choice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
