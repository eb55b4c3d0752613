/* Larger ones in place of more. A ceiling that is lifted is of use only until the next one binds;
 * and where sizes were tested, what they carried goes before any factor of ours. */
#include "study/advise_part.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Walks the steps: the ceilings before each are lifted as the target needs it. */
static void walk(struct advice *advice, const struct advice_case *the_case)
{
    struct capacity_ceiling *ceilings = memory_new(the_case->bound_count + 1, sizeof *ceilings);
    size_t *place = memory_new(the_case->bound_count + 1, sizeof *place), count = 0, binding = 0;
    for (size_t i = 0; i < the_case->bound_count; i++) {
        double ceiling = the_case->bounds[i].ceiling;
        if (!isfinite(ceiling) && the_case->bounds[i].primary && the_case->capacity_known)
            ceiling = the_case->capacity;
        place[i] = count;
        if (isfinite(ceiling) && ceiling > 0)
            ceilings[count++] = (struct capacity_ceiling){ceiling, 1};
        else
            place[i] = SIZE_MAX;
    }
    for (size_t s = 0; s < advice->step_count; s++) {
        struct advice_step *step = &advice->steps[s];
        size_t at = place[step->bound];
        if (at == SIZE_MAX || !isfinite(step->factor))
            continue;
        (void)capacity_vertical(ceilings, count, &binding);
        step->useful = binding == at ? capacity_useful_factor(ceilings, count) : 1;
        ceilings[at].factor = step->factor;
        step->allows = capacity_vertical(ceilings, count, &binding);
    }
    free(place);
    free(ceilings);
}

static bool is_size(const struct case_size *size)
{
    return size->size > 0 && size->most > 0 && strcmp(size->series, "vertical") == 0;
}

/* The most that any size carries, by the law of the sizes. */
static double roof_of(const struct advice_case *the_case)
{
    double *n = memory_new(2 * the_case->size_count + 1, sizeof *n), *x = n + the_case->size_count;
    struct usl_fit fit;
    size_t count = 0;
    for (size_t i = 0; i < the_case->size_count; i++)
        if (is_size(&the_case->sizes[i])) {
            n[count] = the_case->sizes[i].size;
            x[count++] = the_case->sizes[i].most;
        }
    const struct usl_points points = {n, x, count};
    bool fitted = count >= 3 && usl_fit(&points, count > 3 ? USL_FULL : USL_AMDAHL, &fit) == 0;
    double roof = fitted ? usl_peak_throughput(fit.law) : (double)NAN;
    free(n);
    return roof;
}

static void find_sizes(struct advice *advice, const struct advice_case *the_case,
                       const struct advice_wish *wish)
{
    struct advice_sizes *sizes = &advice->sizes;
    double wanted = advice->target_rate / wish->ceiling;
    sizes->roof = NAN;
    for (size_t i = 0; i < the_case->size_count; i++) {
        const struct case_size *one = &the_case->sizes[i];
        if (!is_size(one))
            continue;
        const struct case_size *best = sizes->known ? &the_case->sizes[sizes->best] : one;
        bool enough = one->capacity >= wanted;
        bool better = !sizes->known || (enough && !sizes->carries) ||
                      (enough == sizes->carries &&
                       (enough ? one->size < best->size : one->most > best->most));
        if (!sizes->known || one->size < the_case->sizes[sizes->base].size)
            sizes->base = i;
        if (better) {
            sizes->best = i;
            sizes->carries = enough;
        }
        sizes->known = true;
    }
    sizes->known &= sizes->best != sizes->base;
    if (sizes->known)
        sizes->roof = roof_of(the_case);
}

void advise_vertical(struct advice *advice, const struct advice_case *the_case,
                     const struct advice_wish *wish)
{
    walk(advice, the_case);
    find_sizes(advice, the_case, wish);
}
