/* Remedies made concrete: the places in their words filled with what was measured. */
#include "study/advise_part.h"

#include "base/memory.h"
#include "base/text.h"
#include "base/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a place is filled from. */
struct filling {
    const struct advice *advice;
    const struct advice_case *the_case;
    const struct advice_wish *wish;
    const struct advice_step *step;
};

/* No single step up is that large: the number stands where the order of what binds is told. */
static const double factor_most = 10;

/* Whether the sizes that were tested are those of what binds. */
static bool by_size(const struct filling *with)
{
    return with->advice->sizes.known && with->the_case->bounds[with->step->bound].intervened;
}

static void put_factor(const struct filling *with, struct text *out)
{
    char number[UNIT_ROOM];
    const struct case_size *best = &with->the_case->sizes[with->advice->sizes.best];
    if (by_size(with))
        text_printf(out, "%s%s%s", unit_write_number(number, best->size), *best->unit ? " " : "",
                    best->unit);
    else if (with->step->factor <= factor_most)
        text_printf(out, "%.1f times", ceil(with->step->factor * 10 - 1e-9) / 10);
    else
        text_puts(out, "several times");
}

static void put_replicas(const struct filling *with, struct text *out)
{
    const struct advice *advice = with->advice;
    uint32_t alone = advice_replicas_of(with->the_case, with->wish, with->step->factor);
    if (advice->replicas_known == REPLICAS_SIZED) {
        double low = advice->replica_range.low, high = advice->replica_range.high;
        bool far = advice->replicas.replicas > 2 * advice->replicas_tested;
        if (far && isfinite(low) && isfinite(high) && low < high)
            text_printf(out, "%.0f to %.0f", low, high);
        else if (far)
            text_printf(out, "at least %.0f", isfinite(low) ? low : advice->replicas.linear);
        else
            text_printf(out, "%u", advice->replicas.replicas);
    } else if (alone) {
        text_printf(out, "at least %u", alone);
    } else {
        text_puts(out, "more");
    }
}

static void put_gpu(const struct filling *with, struct text *out)
{
    double factor = with->step->factor, now = with->wish->gpu_memory_gb;
    if (!isfinite(factor) || !isfinite(now)) {
        text_puts(out, factor <= factor_most ? "GPUs with at least " : "GPUs with ");
        put_factor(with, out);
        text_puts(out, " the memory");
        return;
    }
    const struct remedy_gpu *gpu = remedy_gpu_with(now * factor, 0);
    if (gpu)
        text_printf(out, "%s GPUs (%.0fGB VRAM each)", gpu->name, gpu->memory_gb);
    else
        text_printf(out, "several GPUs for each model: %.0f GB are needed, more than one has",
                    ceil(now * factor));
}

static void put_ram(const struct filling *with, struct text *out)
{
    double needed = with->wish->memory_gb * with->step->factor, size = 1;
    if (!isfinite(needed) || with->step->factor > factor_most) {
        text_puts(out, with->step->factor <= factor_most ? "to at least " : "to ");
        put_factor(with, out);
        return;
    }
    while (size < needed)
        size *= 2;
    text_printf(out, "to %.0fGB", size);
}

/* Appends the words with their places filled. */
static void fill(const char *words, const struct filling *with, struct text *out)
{
    static const struct {
        const char *place;
        void (*put)(const struct filling *with, struct text *out);
    } places[] = {{"{factor}", put_factor},
                  {"{replicas}", put_replicas},
                  {"{gpu}", put_gpu},
                  {"{ram}", put_ram}};
    const struct case_bound *bound = &with->the_case->bounds[with->step->bound];
    while (*words) {
        size_t used = 0;
        if (strncmp(words, "{thing}", 7) == 0) {
            text_puts(out, *bound->thing             ? bound->thing
                           : *with->the_case->target ? with->the_case->target
                                                     : "the service");
            used = 7;
        }
        for (size_t i = 0; used == 0 && i < sizeof places / sizeof *places; i++)
            if (strncmp(words, places[i].place, strlen(places[i].place)) == 0) {
                places[i].put(with, out);
                used = strlen(places[i].place);
            }
        if (used == 0)
            text_putc(out, words[used++]);
        words += used;
    }
}

static void put_where(const struct filling *with, const struct case_bound *bound, struct text *out)
{
    char number[UNIT_ROOM];
    bool load = advice_has_load(with->advice, bound);
    if (load)
        text_printf(out, " at %s %s", unit_write_number(number, bound->load),
                    with->the_case->open ? "req/s" : "users");
    if (isfinite(bound->ceiling) && !(with->the_case->open && load))
        text_printf(out, "%s%s req/s%s", load ? " (" : " at ",
                    unit_write_number(number, bound->ceiling), load ? ")" : "");
}

static void put_reason(const struct filling *with, struct text *out)
{
    const struct case_bound *bound = &with->the_case->bounds[with->step->bound];
    text_printf(out, "%s%s", bound->name, bound->predicted ? " would bind" : ",");
    put_where(with, bound, out);
    if (*bound->evidence)
        text_printf(out, ": %s", bound->evidence);
    text_printf(out, " (%s, confidence %s)",
                bound->predicted ? "predicted from its demand" : bound->standing,
                bound->confidence);
}

/* GPUs of one machine talk over its own links; the law of more than those is another one. */
enum { MACHINE_GPUS = 8 };

static void warn_of_region(struct advice *advice, const struct filling *with)
{
    const char *kind = with->the_case->bounds[with->step->bound].kind;
    bool gpu = strncmp(kind, "gpu", 3) == 0 || strcmp(kind, "kv-cache") == 0;
    uint32_t count = advice->replicas_known == REPLICAS_SIZED
                         ? advice->replicas.replicas
                         : advice_replicas_of(with->the_case, with->wish, with->step->factor);
    if (gpu && count > MACHINE_GPUS)
        study_warn(&advice->warnings, "REGION_CHANGE",
                   "more than %d GPUs leave one machine: beyond its links it is another curve",
                   MACHINE_GPUS);
}

/* What was measured in this test goes before what others measured. */
static char *impact_of(const struct remedy *remedy, const struct filling *with)
{
    char one[UNIT_ROOM], two[UNIT_ROOM], three[UNIT_ROOM];
    struct text words = TEXT_EMPTY;
    const struct advice_sizes *sizes = &with->advice->sizes;
    if (!by_size(with) || !strstr(remedy->action, "{factor}"))
        return memory_copy_text(remedy->impact);
    const struct case_size *best = &with->the_case->sizes[sizes->best],
                           *base = &with->the_case->sizes[sizes->base];
    text_printf(&words, "%s req/s at %s against %s at %s, measured",
                unit_write_number(one, best->most), best->name, unit_write_number(two, base->most),
                base->name);
    if (sizes->carries)
        text_puts(&words, ": it carries the target");
    else if (isfinite(sizes->roof))
        text_printf(&words,
                    "; larger ones end near %s by the law of the sizes: the rest is for replicas",
                    unit_write_number(three, sizes->roof));
    else
        text_puts(&words, "; larger ones were not tested: the rest is for replicas");
    return text_take(&words);
}

/* The same words; or, where the words name no thing, the same remedy for what binds before. */
static bool has_item(const struct advice *advice, const struct remedy *remedy, const char *action)
{
    bool anything = !strstr(remedy->action, "{thing}");
    for (size_t i = 0; i < advice->item_count; i++)
        if (strcmp(advice->items[i].id, remedy->id) == 0 &&
            (anything || strcmp(advice->items[i].action, action) == 0))
            return true;
    return false;
}

static void add_item(struct advice *advice, const struct remedy *remedy, const struct filling *with)
{
    /* Replicas that do not help are not counted out. */
    if (advice->replicas_known == REPLICAS_UNREACHABLE && strstr(remedy->action, "{replicas}"))
        return;
    /* All of it was measured side by side, and is counted as a whole. */
    if (advice->replicas_known == REPLICAS_SIZED && strcmp(remedy->id, "replicas") == 0)
        return;
    struct text action = TEXT_EMPTY, reason = TEXT_EMPTY;
    fill(remedy->action, with, &action);
    if (has_item(advice, remedy, action.at)) {
        text_fini(&action);
        return;
    }
    bool measured = by_size(with) && strstr(remedy->action, "{factor}");
    put_reason(with, &reason);
    if (strstr(remedy->action, "{replicas}"))
        warn_of_region(advice, with);
    advice->items = memory_resize(advice->items, advice->item_count + 1, sizeof *advice->items);
    advice->items[advice->item_count++] = (struct advice_item){
        .group = remedy->group,
        .id = memory_copy_text(remedy->id),
        .action = text_take(&action),
        .reason = text_take(&reason),
        .impact = impact_of(remedy, with),
        .tradeoff = memory_copy_text(remedy->tradeoff),
        .source = memory_copy_text(measured ? "vertical test of this suite" : remedy->source),
        .address = memory_copy_text(measured ? "" : remedy->address),
        .date = memory_copy_text(measured ? "" : remedy->date),
        .bound = with->step->bound};
}

void advise_items(struct advice *advice, const struct advice_case *the_case,
                  const struct advice_wish *wish)
{
    for (int group = 0; group < REMEDY_GROUPS; group++)
        for (size_t s = 0; s < advice->step_count; s++) {
            const struct filling with = {advice, the_case, wish, &advice->steps[s]};
            const struct case_bound *bound = &the_case->bounds[advice->steps[s].bound];
            for (size_t r = 0; r < wish->remedies->count; r++) {
                const struct remedy *remedy = &wish->remedies->rows[r];
                if ((int)remedy->group == group &&
                    remedy_fits(remedy, bound->kind, bound->thing, bound->role))
                    add_item(advice, remedy, &with);
            }
        }
}
