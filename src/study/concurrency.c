/* Bounds of the number of calls in execution; see concurrency.h for what they rest on. */
#include "study/concurrency.h"

#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the wire and both programs add to the fastest call makes `executing` a little too large; and
 * what is within a fifth of the limit was held back by it, as far as can be told. */
static const double exceeded_from = 1.05, respected_from = 0.8;

static bool declared(const struct result *result, const struct result_request *request,
                     uint64_t *limit, uint64_t *server)
{
    struct text name = TEXT_EMPTY;
    text_printf(&name, "concurrency_limit %s", request->name);
    const char *value = result_fact(result, name.at);
    text_fini(&name);
    return value && sscanf(value, "%" SCNu64 " %" SCNu64, limit, server) == 2 && *limit > 0;
}

/* Adds up the work of one stretch: sums[i] of request i, NULL where nothing happened. */
static void add_stretch(struct concurrency *one, struct result_sum *const *sums,
                        const nsec_t *fastest_ns, size_t count, nsec_t length_ns)
{
    double work_ns = 0, waited_ns = 0, longest_ns = 0;
    for (size_t i = 0; i < count; i++) {
        if (!sums[i] || fastest_ns[i] == 0)
            continue;
        const struct hist *hist = result_hist(sums[i], HIST_SERVICE);
        if (hist->count == 0)
            continue;
        work_ns += (double)hist->count * (double)fastest_ns[i];
        waited_ns += (double)hist->count * hist_mean(hist);
        longest_ns = fmax(longest_ns, (double)fastest_ns[i]);
    }
    if (length_ns <= 0)
        return;
    one->executing = fmax(one->executing, work_ns / ((double)length_ns + longest_ns));
    one->asked = fmax(one->asked, waited_ns / (double)length_ns);
}

static void look(const struct result *result, const nsec_t *fastest_ns, struct concurrency *one)
{
    size_t count = result->request_count;
    struct result_sum **sums = memory_new(count + 1, sizeof *sums);
    for (size_t i = 0; i < count; i++)
        sums[i] = result->requests[i].sum;
    add_stretch(one, sums, fastest_ns, count, result->total ? result->total->measured_ns : 0);
    for (size_t p = 0; p < result->point_count; p++) {
        const struct result_point *point = &result->points[p];
        if (point->requests)
            add_stretch(one, point->requests, fastest_ns, count, point->end_ns - point->begin_ns);
    }
    free(sums);
    double limit = (double)one->declared;
    one->verdict = one->executing > limit * exceeded_from     ? CONCURRENCY_EXCEEDED
                   : one->asked <= limit                      ? CONCURRENCY_NOT_REACHED
                   : one->executing >= limit * respected_from ? CONCURRENCY_RESPECTED
                                                              : CONCURRENCY_UNKNOWN;
}

size_t concurrency_look(const struct result *result, struct concurrency out[CONCURRENCY_SERVERS])
{
    size_t found = 0;
    nsec_t *fastest_ns = memory_new(result->request_count + 1, sizeof *fastest_ns);
    for (uint64_t number = 0; number < CONCURRENCY_SERVERS; number++) {
        struct concurrency one = {.server = number};
        bool any = false;
        for (size_t i = 0; i < result->request_count; i++) {
            uint64_t limit = 0, server = 0;
            fastest_ns[i] = 0;
            if (!declared(result, &result->requests[i], &limit, &server) || server != number)
                continue;
            const struct hist *hist = result_hist(result->requests[i].sum, HIST_SERVICE);
            fastest_ns[i] = hist->count ? (hist->least > 0 ? hist->least : 1) : 0;
            one.declared = limit;
            any = true;
        }
        if (!any)
            continue;
        look(result, fastest_ns, &one);
        out[found++] = one;
    }
    free(fastest_ns);
    return found;
}

const char *concurrency_word(enum concurrency_verdict verdict)
{
    static const char *const words[] = {"not reached", "respected", "exceeded", "unknown"};
    return words[verdict];
}
