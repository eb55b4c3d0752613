/* The text first says what the target means and how far it is from what was tested, then what to
 * do, then what not to trust. */
#include "show/advice.h"

#include "base/unit.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 80 };

static const char *load_unit(const struct advice_case *the_case)
{
    return the_case->open ? "req/s" : "users";
}

/* "61.3 req/s (58.9 to 63.0)" */
static void put_range(struct text *out, double value, double low, double high)
{
    char one[UNIT_ROOM], two[UNIT_ROOM], three[UNIT_ROOM];
    if (isfinite(value))
        text_printf(out, "%s", unit_write_number(one, value));
    if (isfinite(low) && isfinite(high))
        text_printf(out, "%s%s to %s%s", isfinite(value) ? " (" : "", unit_write_number(two, low),
                    unit_write_number(three, high), isfinite(value) ? ")" : "");
}

static void put_fact(struct text *out, const char *what, struct text *value)
{
    text_printf(out, "  %-22s ", what);
    words_put_wrapped(out, value->at ? value->at : "not known", 25, COLUMNS);
    text_fini(value);
}

static void put_facts(const struct advice_view *view, struct text *out)
{
    const struct advice *advice = view->advice;
    const struct advice_case *the_case = view->the_case;
    char one[UNIT_ROOM], two[UNIT_ROOM];
    struct text value = TEXT_EMPTY;
    if (advice->target_rate > 0 && advice->tested > 0)
        text_printf(&value, "%s req/s; highest tested level %s %s",
                    unit_write_number(one, advice->target_rate),
                    unit_write_number(two, advice->tested), load_unit(the_case));
    put_fact(out, "the target means", &value);
    if (the_case->capacity_known) {
        put_range(&value, the_case->capacity, the_case->capacity_low, the_case->capacity_high);
        text_puts(&value, " req/s at the objective, measured");
    }
    put_fact(out, "capacity today", &value);
    if (isfinite(advice->expected_range.low)) {
        put_range(&value, advice->expected, advice->expected_range.low,
                  advice->expected_range.high);
        text_puts(&value, " req/s, by two laws joined (a heuristic range)");
    }
    put_fact(out, "as it is, at the target", &value);
}

static void put_steps(const struct advice_view *view, bool colour, struct text *out)
{
    const struct advice *advice = view->advice;
    char one[UNIT_ROOM], two[UNIT_ROOM];
    if (advice->step_count == 0)
        return;
    text_putc(out, '\n');
    words_put_tone(out, colour, TONE_STRONG, "What binds, in order");
    text_putc(out, '\n');
    for (size_t i = 0; i < advice->step_count; i++) {
        const struct advice_step *step = &advice->steps[i];
        const struct case_bound *bound = &view->the_case->bounds[step->bound];
        struct text line = TEXT_EMPTY;
        text_printf(&line, "%s at %s %s", bound->name, unit_write_number(one, bound->load),
                    load_unit(view->the_case));
        if (!advice_has_load(advice, bound)) {
            text_clear(&line);
            text_printf(&line, "%s at %s req/s", bound->name,
                        unit_write_number(one, bound->ceiling));
        }
        if (advice->sizes.known && bound->intervened && !advice->sizes.carries &&
            isfinite(advice->sizes.roof))
            text_printf(&line, ": no size of it carries the target, they end near %s req/s",
                        unit_write_number(one, advice->sizes.roof));
        else if (step->factor > 1)
            text_printf(&line, ": %s times of it are needed",
                        unit_write_number(one, ceil(step->factor * 10 - 1e-9) / 10));
        if (isfinite(step->useful) && step->useful > 1.05 && step->useful < 0.95 * step->factor)
            text_printf(&line, ", %s are of use before the next binds",
                        unit_write_number(two, floor(step->useful * 100) / 100));
        if (step->next == SIZE_MAX) {
            text_puts(&line, "; what binds then is not known");
        } else {
            const struct case_bound *next = &view->the_case->bounds[step->next];
            bool by_load = advice_has_load(advice, next);
            text_printf(&line, "; then %s at %s %s%s", next->name,
                        unit_write_number(two, by_load ? next->load : next->ceiling),
                        by_load ? load_unit(view->the_case) : "req/s",
                        step->last ? ", beyond the target" : "");
        }
        text_printf(out, "  %zu. ", i + 1);
        words_put_wrapped(out, line.at, 5, COLUMNS);
        text_fini(&line);
    }
}

static void put_labelled(struct text *out, const char *label, const char *words, const char *more)
{
    struct text line = TEXT_EMPTY;
    if (!*words)
        return;
    text_printf(&line, "%s%s", words, more);
    text_printf(out, "       %-8s ", label);
    words_put_wrapped(out, line.at, 16, COLUMNS);
    text_fini(&line);
}

/* Why; in full the first time only. */
static void put_because(const struct advice_view *view, const struct advice_item *item,
                        struct text *out)
{
    const struct advice_item *first = view->advice->items;
    while (first->bound != item->bound)
        first++;
    if (first == item)
        put_labelled(out, "because", item->reason, "");
    else
        put_labelled(out, "because", view->the_case->bounds[item->bound].name, ", as above");
}

static void put_item(const struct advice_view *view, const struct advice_item *item, bool brief,
                     struct text *out)
{
    struct text source = TEXT_EMPTY;
    text_puts(out, "   - ");
    words_put_wrapped(out, item->action, 5, COLUMNS);
    if (brief)
        return;
    put_because(view, item, out);
    if (*item->source && *item->date)
        text_printf(&source, " (%s; table of %s)", item->source, item->date);
    else if (*item->source)
        text_printf(&source, " (%s)", item->source);
    put_labelled(out, "expect", item->impact, source.at ? source.at : "");
    put_labelled(out, "costs", item->tradeoff, "");
    text_fini(&source);
}

static void put_spread(const struct advice *advice, struct text *line)
{
    char median[UNIT_ROOM], share[UNIT_ROOM];
    if (isfinite(advice->replica_median))
        text_printf(line, "; median of draws %s, enough in %s of them",
                    unit_write_number(median, advice->replica_median),
                    unit_write_share(share, advice->suffices));
}

static void put_sized(const struct advice *advice, const char *spare, struct text *line)
{
    double low = advice->replica_range.low, high = advice->replica_range.high;
    bool far = advice->count > 2 * advice->replicas_tested;
    char one[UNIT_ROOM], two[UNIT_ROOM];
    if (far && isfinite(low) && isfinite(high))
        text_printf(line, "%s to %s replicas of all that was tested%s: a range, and no point",
                    unit_write_number(one, low), unit_write_number(two, high), spare);
    else if (far && isfinite(low))
        text_printf(line,
                    "At least %s replicas of all that was tested%s; what was measured does not "
                    "exclude that no number reaches it",
                    unit_write_number(one, low), spare);
    else if (isfinite(low) && isfinite(high))
        text_printf(line, "%u replicas of all that was tested%s (%.0f to %.0f)", advice->count,
                    spare, low, high);
    else
        text_printf(line, "%u replicas of all that was tested%s", advice->count, spare);
    if (advice->replicas.linear < low)
        text_printf(line, " (linear would say %.0f)", advice->replicas.linear);
    put_spread(advice, line);
}

static void put_unreachable(const struct advice *advice, struct text *line)
{
    char most[UNIT_ROOM], peak[UNIT_ROOM];
    unit_write_number(most, advice->replicas.peak_most);
    if (isfinite(advice->replicas.peak))
        text_printf(line,
                    "Not reachable by adding replicas; peak at n≈%s (%s req/s). %.0f, which "
                    "linear scaling would say, would carry less than that",
                    unit_write_number(peak, advice->replicas.peak), most, advice->replicas.linear);
    else
        text_printf(line, "Not reachable by adding replicas: they end at %s req/s, however many",
                    most);
    if (advice->replicas.bare)
        text_printf(line, "; %u would carry it without headroom", advice->replicas.bare);
}

/* What is said of replicas of the whole, under Horizontal Scaling. */
static void put_replicas(const struct advice_view *view, struct text *out)
{
    const struct advice *advice = view->advice;
    struct text line = TEXT_EMPTY;
    char spare[48] = "";
    if (view->wish->spare == 1)
        snprintf(spare, sizeof spare, ", one of them for a failure");
    else if (view->wish->spare)
        snprintf(spare, sizeof spare, ", %u of them for failures", view->wish->spare);
    if (advice->replicas_known == REPLICAS_UNREACHABLE)
        put_unreachable(advice, &line);
    else if (advice->replicas_known == REPLICAS_SIZED)
        put_sized(advice, spare, &line);
    else if (advice->replicas_known == REPLICAS_AT_LEAST)
        text_printf(&line,
                    "At least %u replicas of all that was tested%s: a lower bound, since two were "
                    "never measured side by side",
                    advice->count, spare);
    if (!line.at)
        return;
    text_puts(out, "   - ");
    words_put_wrapped(out, line.at, 5, COLUMNS);
    text_fini(&line);
}

/* What the number rests on. */
static void put_why_replicas(const struct advice_view *view, struct text *out)
{
    const struct advice *advice = view->advice;
    const struct advice_case *the_case = view->the_case;
    struct text line = TEXT_EMPTY;
    char one[UNIT_ROOM], two[UNIT_ROOM], share[UNIT_ROOM];
    text_printf(&line, "%s req/s are asked for, and %s of what they carry may be used; ",
                unit_write_number(one, advice->target_rate),
                unit_write_share(share, view->wish->ceiling));
    if (advice->replicas_known == REPLICAS_AT_LEAST)
        text_printf(&line, "one carries at least %s (low end of its capacity)",
                    unit_write_number(two, fmax(the_case->capacity_low, 0) > 0
                                               ? the_case->capacity_low
                                               : the_case->capacity));
    else
        text_printf(&line, "how they add up was measured on up to %s side by side%s",
                    unit_write_number(two, advice->replicas_tested),
                    advice->scaled ? ", which were not full there: what one carries is the "
                                     "capacity measured alone"
                                   : "");
    put_labelled(out, "because", line.at, "");
    text_fini(&line);
}

/* Which of the two counts: headroom, or the response time. */
static void put_delay(const struct advice_view *view, struct text *out)
{
    const struct advice_delay *delay = &view->advice->delay;
    char limit[UNIT_ROOM], service[UNIT_ROOM], use[UNIT_ROOM], p95[UNIT_ROOM];
    struct text line = TEXT_EMPTY;
    unit_write_duration(limit, (nsec_t)(delay->limit_s * 1e9));
    unit_write_duration(service, (nsec_t)(delay->service_s * 1e9));
    unit_write_duration(p95, (nsec_t)(delay->p95_s * 1e9));
    if (delay->state == DELAY_TOO_SLOW)
        text_printf(&line,
                    "the p95 of %s at the lowest load misses the objective of %s without any "
                    "queue: a faster one is needed, not more of them",
                    p95, limit);
    else if (delay->state == DELAY_SIZED)
        text_printf(&line,
                    "%u keep p95 within %s, at %s of use (%u behind one queue that all share): one "
                    "is taken as %u server%s of %s, variation %.2g%s (Erlang C, Allen-Cunneen)",
                    delay->replicas, limit, unit_write_share(use, delay->utilisation),
                    delay->replicas_shared, delay->servers, delay->servers == 1 ? "" : "s", service,
                    delay->variation, delay->assumed ? ", assumed" : "");
    if (line.at)
        put_labelled(out, "delay", line.at, "");
    text_fini(&line);
}

/* What one replica used at its capacity, with the headroom that the whole has. */
static void put_needs(const struct advice_view *view, struct text *out)
{
    const struct advice_case *the_case = view->the_case;
    char value[UNIT_ROOM], share[UNIT_ROOM];
    struct text line = TEXT_EMPTY;
    for (size_t i = 0; i < the_case->need_count; i++) {
        const struct case_need *need = &the_case->needs[i];
        bool bytes = strcmp(need->unit, "bytes") == 0;
        if (bytes)
            unit_write_bytes(value, need->value / view->wish->ceiling);
        else
            unit_write_number(value, need->value / view->wish->ceiling);
        text_printf(&line, "%s%s %s%s (%s)", line.bytes ? ", " : "", need->thing, value,
                    bytes ? "" : " processors", need->metric);
    }
    if (line.at) {
        text_printf(&line, "; measured at %g %s, over %s",
                    the_case->needs[the_case->need_count - 1].load, load_unit(the_case),
                    unit_write_share(share, view->wish->ceiling));
        put_labelled(out, "each", line.at, "");
    }
    text_fini(&line);
}

static void put_cost(const struct advice_view *view, struct text *out)
{
    const struct advice *advice = view->advice;
    const struct prices *prices = view->wish->prices;
    struct text line = TEXT_EMPTY;
    if (!isfinite(advice->cost.hour))
        return;
    put_range(&line, advice->cost.hour, advice->cost_low.hour, advice->cost_high.hour);
    text_printf(&line, " %s an hour, ", prices->currency);
    put_range(&line, advice->cost.million, advice->cost_low.million, advice->cost_high.million);
    text_printf(&line, " %s per million requests (prices of %s)", prices->currency, prices->date);
    put_labelled(out, "cost", line.at, "");
    text_fini(&line);
}

static void put_group(const struct advice_view *view, enum remedy_group group, bool brief,
                      struct text *out)
{
    const struct advice *advice = view->advice;
    bool sized = advice->count > 0;
    if (group == REMEDY_HORIZONTAL) {
        put_replicas(view, out);
        if (sized && !brief)
            put_why_replicas(view, out);
        if (!brief)
            put_delay(view, out);
        if (sized && !brief)
            put_needs(view, out);
        put_cost(view, out);
    }
    for (size_t i = 0; i < advice->item_count; i++)
        if (advice->items[i].group == group)
            put_item(view, &advice->items[i], brief, out);
}

static void put_groups(const struct advice_view *view, bool colour, bool brief, struct text *out)
{
    static const char *const titles[REMEDY_GROUPS] = {
        "Configuration first:", "1. Vertical Scaling:", "2. Horizontal Scaling:",
        "3. Architecture Optimizations:"};
    for (int group = 0; group < REMEDY_GROUPS; group++) {
        struct text lines = TEXT_EMPTY;
        put_group(view, (enum remedy_group)group, brief, &lines);
        bool empty = !lines.at;
        if (empty && group == REMEDY_CONFIGURATION)
            continue;
        words_put_tone(out, colour, TONE_STRONG, titles[group]);
        text_putc(out, '\n');
        text_puts(out, empty ? "   - none for what was seen to bind\n" : lines.at);
        text_putc(out, '\n');
        text_fini(&lines);
    }
}

/* The verdict, where it needs no steps or allows none. */
static void put_verdict(const struct advice_view *view, struct text *out)
{
    const struct advice *advice = view->advice;
    char share[UNIT_ROOM];
    struct text line = TEXT_EMPTY;
    if (advice->verdict == ADVICE_ENOUGH)
        text_printf(&line, "Nothing to change: the measured capacity carries it within %s.",
                    unit_write_share(share, view->wish->ceiling));
    else if (advice->verdict == ADVICE_GENERATOR)
        text_puts(&line, "No recommendation: the load generator was the limit. Measure again "
                         "with more cores for it, or with several hosts.");
    else if (advice->verdict == ADVICE_UNKNOWN && view->the_case->inconclusive)
        text_puts(&line, "The analysis is inconclusive: something binds, and it is not known what. "
                         "Settle that first; plimsoll analyze says how. What follows is a lower "
                         "bound.");
    else if (advice->verdict == ADVICE_UNKNOWN)
        text_puts(&line, "Nothing was seen to bind before the target: test at higher loads first, "
                         "with the resources watched. What follows is a lower bound.");
    if (line.at) {
        text_puts(out, "  ");
        words_put_wrapped(out, line.at, 2, COLUMNS);
        text_putc(out, '\n');
    }
    text_fini(&line);
}

void advice_put(const struct advice_view *view, bool colour, bool brief, struct text *out)
{
    const struct advice *advice = view->advice;
    char number[UNIT_ROOM];
    text_printf(out, "Scaling Recommendations for %s %s target:\n",
                view->wish->target < 10000
                    ? (snprintf(number, sizeof number, "%.10g", view->wish->target), number)
                    : unit_write_number(number, view->wish->target),
                view->wish->target_is_rate || view->the_case->open ? "req/s" : "user");
    put_verdict(view, out);
    bool steps = advice->verdict == ADVICE_STEPS || advice->verdict == ADVICE_UNKNOWN;
    if (steps)
        put_groups(view, colour, brief, out);
    if (brief)
        return;
    put_facts(view, out);
    put_steps(view, colour, out);
    if (advice->warnings.count)
        text_putc(out, '\n');
    for (size_t i = 0; i < advice->warnings.count; i++) {
        struct text line = TEXT_EMPTY;
        text_printf(&line, "%s %s", advice->warnings.rows[i].code, advice->warnings.rows[i].words);
        text_puts(out, "  ! ");
        words_put_wrapped(out, line.at, 4, COLUMNS);
        text_fini(&line);
    }
}
