/* The analysis in words: first the five lines of the progression, then who holds the system back
 * and on what evidence, then what is clean, how far to trust it, and what to do next. */
#include "base/unit.h"
#include "show/analysis.h"
#include "show/suite_figures.h"
#include "show/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct page {
    const struct analysis *analysis;
    const struct curve *curve;
    unsigned columns;
    struct text *out;
};

enum { LOAD_ROOM = 48 };

/* "250 users", "61.3/s". */
static const char *load_words(char room[LOAD_ROOM], const struct curve *curve, double load)
{
    char number[UNIT_ROOM];
    if (!isfinite(load))
        snprintf(room, LOAD_ROOM, "an unknown load");
    else if (curve->open)
        snprintf(room, LOAD_ROOM, "%s/s", unit_write_number(number, load));
    else
        snprintf(room, LOAD_ROOM, "%s user%s", unit_write_number(number, round(load)),
                 round(load) > 1 || load < 0.5 ? "s" : "");
    return room;
}

/* A line of its own, broken at blanks; later lines are indented. */
static void put_line(const struct page *page, const char *lead, unsigned indent,
                     const struct text *words)
{
    text_puts(page->out, lead);
    words_put_wrapped(page->out, words->at ? words->at : "", indent, page->columns);
}

/* ---- the five lines -------------------------------------------------------------------------- */

static void say_linear(const struct page *page, struct text *line)
{
    char one[LOAD_ROOM], two[LOAD_ROOM];
    const struct curve *curve = page->curve;
    const struct curve_answer *linear = &curve->linear;
    if (curve->count < 2) {
        text_puts(line, "Linear scaling: not observed (one load only)");
        return;
    }
    text_printf(line, "Linear scaling up to %s%s (%s%s", linear->observed ? "" : "at least ",
                load_words(one, curve, linear->load), linear->observed ? "" : "its end was ",
                linear->words);
    if (linear->observed && linear->low > 0 && linear->high > linear->low)
        text_printf(line, "; 95 %% interval %g to %s", linear->low,
                    load_words(two, curve, linear->high));
    text_putc(line, ')');
}

static void say_knee(const struct page *page, struct text *line)
{
    char one[LOAD_ROOM], two[LOAD_ROOM], three[LOAD_ROOM];
    const struct curve *curve = page->curve;
    const struct curve_answer *knee = &curve->knee;
    if (knee->observed)
        text_printf(line, "Performance degradation starts at %s (%s, %s; 95 %% interval %s to %s)",
                    load_words(one, curve, knee->load), knee->method, knee->words,
                    unit_write_number(two, round(knee->low)), load_words(three, curve, knee->high));
    else if (isfinite(curve->gradual))
        text_printf(line,
                    "Performance degradation starts at %s: first load with 1.5 times the response "
                    "time of the lowest (%s)",
                    load_words(one, curve, curve->gradual), knee->words);
    else
        text_printf(line, "Performance degradation: %s%s",
                    strncmp(knee->words, "not observed", 12) == 0 ? "" : "not observed, ",
                    knee->words);
}

static void say_bottleneck(const struct page *page, struct text *line)
{
    const struct analysis *analysis = page->analysis;
    if (analysis->primary_count)
        text_printf(line, "Bottleneck identified: %s", analysis->primary[0].name);
    else
        text_printf(line, "Bottleneck identified: %s",
                    analysis->inconclusive ? "inconclusive" : "none observed");
}

static void say_critical(const struct page *page, struct text *line)
{
    char one[LOAD_ROOM], two[LOAD_ROOM], time[UNIT_ROOM];
    const struct curve *curve = page->curve;
    const struct curve_answer *critical = &curve->critical;
    if (!critical->observed) {
        text_printf(line, "Critical threshold: %s", critical->words);
        return;
    }
    text_printf(line, "Critical threshold: %s", load_words(one, curve, critical->load));
    if (curve->critical_by_errors)
        text_printf(line, " (%s", critical->words);
    else
        text_printf(line, " (response time >%s", suite_latency(time, curve->slo_response_s));
    if (isfinite(critical->low))
        text_printf(line, "; last good load %s)", load_words(two, curve, critical->low));
    else
        text_puts(line, ", at the lowest load already)");
}

static void say_capacity(const struct page *page, struct text *line)
{
    char one[LOAD_ROOM];
    const struct curve *curve = page->curve;
    const struct curve_answer *capacity = &curve->capacity;
    if (!capacity->observed && !isfinite(curve->most_rps)) {
        text_puts(line, "System capacity: not observed: no level that could be judged");
        return;
    }
    if (!capacity->observed) {
        text_printf(line, "System capacity: %s; highest throughput %.4g/s at %s", capacity->words,
                    curve->most_rps, load_words(one, curve, curve->most_load));
        return;
    }
    bool least = isnan(capacity->high) && !curve->peak_observed;
    text_printf(line, "System capacity: %s%s%s (%.4g/s at the objective, %.4g to %.4g; %s)",
                least ? "at least " : "", load_words(one, curve, capacity->load),
                least ? "" : " maximum", curve->capacity_rps, curve->capacity_low,
                curve->capacity_high, capacity->words);
}

static void put_progression(const struct page *page)
{
    void (*const lines[])(const struct page *, struct text *) = {
        say_linear, say_knee, say_bottleneck, say_critical, say_capacity};
    text_puts(page->out, "Load Progression Analysis:\n");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct text line = TEXT_EMPTY;
        lines[i](page, &line);
        put_line(page, "- ", 2, &line);
        text_fini(&line);
    }
}

/* ---- bottlenecks ----------------------------------------------------------------------------- */

/* What binding means for a kind, where no share tells it. */
static const char *phrase_of(const char *kind)
{
    static const struct {
        const char *kinds, *words;
    } phrases[] = {{" cpu cpu-quota ", "CPU bound"},
                   {" slots ", "all taken"},
                   {" pool database ", "pool exhaustion"},
                   {" network ", "bandwidth saturation"},
                   {" memory-bandwidth gpu-bandwidth ", "memory bandwidth"},
                   {" tools queue balancer accept-queue vector-search dependency ", "queue grows"},
                   {" gpu-memory kv-cache memory ", "full"},
                   {" decode ", "each token slower in a larger batch"},
                   {" prefill ", "first tokens late"},
                   {" rate-limit ", "refusals"}};
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        const char *at = strstr(phrases[i].kinds, kind);
        if (at && at[-1] == ' ' && at[strlen(kind)] == ' ')
            return phrases[i].words;
    }
    return "binds";
}

/* What of it at the load at which it binds: "97% utilization", "all taken (7.98 requests)". */
static void say_use(const struct bottleneck *one, struct text *line)
{
    char number[UNIT_ROOM];
    if (strcmp(one->unit, "1") == 0 && isfinite(one->value_there))
        text_printf(line, "%.0f%% utilization ", 100 * one->value_there);
    else if (strcmp(one->kind, "software") == 0)
        text_printf(line, "%.4g/s at most ", one->value);
    else if (strcmp(one->unit, "s") == 0 && isfinite(one->value_there))
        text_printf(line, "%s (%s) ", phrase_of(one->kind),
                    unit_write_duration(number, (nsec_t)(one->value_there * 1e9)));
    else if (isfinite(one->value_there) && strcmp(one->unit, "1") != 0)
        text_printf(line, "%s (%s %s) ", phrase_of(one->kind),
                    unit_write_number(number, one->value_there), one->unit);
    else
        text_printf(line, "%s ", phrase_of(one->kind));
}

static void put_evidence(const struct page *page, const struct bottleneck *one)
{
    for (size_t i = 0; i < one->evidence_count; i++) {
        const struct evidence *evidence = &one->evidence[i];
        struct text line = TEXT_EMPTY;
        text_printf(&line, "%s%s: %s", evidence->against ? "against it, " : "",
                    evidence_words(evidence->kind), evidence->words);
        if (evidence->clears)
            text_printf(&line, "; clears %s", evidence->clears);
        if (evidence->metric)
            text_printf(&line, " [%s]", evidence->metric);
        put_line(page, "   · ", 5, &line);
        text_fini(&line);
    }
}

static void put_expected(const struct page *page, const struct catalogue_entry *entry)
{
    struct text line = TEXT_EMPTY;
    text_printf(&line, "usually: %s. Fix: %s. Brings: %s.", entry->root_cause, entry->fix,
                entry->impact);
    put_line(page, "   ", 3, &line);
    text_fini(&line);
}

static void put_primary(const struct page *page, size_t number, const struct bottleneck *one)
{
    char load[LOAD_ROOM], lead[24];
    struct text line = TEXT_EMPTY;
    text_printf(&line, "%s: ", one->name);
    say_use(one, &line);
    text_printf(&line, "at %s (%s, confidence %s)", load_words(load, page->curve, one->load),
                standing_words(one->standing), confidence_words(one->confidence));
    snprintf(lead, sizeof lead, "%zu. ", number);
    put_line(page, lead, 3, &line);
    text_fini(&line);
    put_evidence(page, one);
    if (one->expected)
        put_expected(page, one->expected);
}

/* "4 %", "12.3 MiB", "0.044 processors". */
static const char *amount_words(char room[LOAD_ROOM], const char *unit, double value)
{
    char number[UNIT_ROOM];
    if (strcmp(unit, "1") == 0)
        return unit_write_share(room, value);
    if (strcmp(unit, "bytes") == 0)
        return unit_write_bytes(room, value);
    snprintf(room, LOAD_ROOM, "%s %s", unit_write_number(number, value), unit);
    return room;
}

static void put_secondary(const struct page *page, size_t number, const struct bottleneck *one)
{
    char load[LOAD_ROOM], lead[24];
    struct text line = TEXT_EMPTY;
    text_printf(&line, "%s: ", one->name);
    if (one->predicted && isfinite(one->ceiling)) {
        /* Within the tested loads something else binds before: only its throughput says when. */
        bool beyond = one->load > page->curve->points[page->curve->count - 1].load;
        text_printf(&line, "would bind at %s%s%.4g/s (predicted",
                    beyond ? load_words(load, page->curve, one->load) : "", beyond ? ", " : "",
                    one->ceiling);
        if (isfinite(one->headroom))
            text_printf(&line, "; %.2g times the %s", one->headroom,
                        page->analysis->primary_count ? "first limit" : "highest measured");
        bool share = strcmp(one->unit, "1") == 0;
        text_printf(&line, "; each request/s takes %s)",
                    share ? (snprintf(load, sizeof load, "%.3g %% of it", 100 * one->demand), load)
                          : amount_words(load, one->unit, one->demand));
    } else {
        text_printf(&line, "signs only, from %s on", load_words(load, page->curve, one->load));
    }
    snprintf(lead, sizeof lead, "%zu. ", number);
    put_line(page, lead, 3, &line);
    text_fini(&line);
    put_evidence(page, one);
}

static void put_exonerated(const struct page *page)
{
    const struct analysis *analysis = page->analysis;
    char room[LOAD_ROOM];
    struct text line = TEXT_EMPTY;
    for (size_t i = 0; i < analysis->exonerated_count; i++) {
        const struct exonerated *one = &analysis->exonerated[i];
        text_printf(&line, "%s%s %s", i ? ", " : "", one->name,
                    amount_words(room, one->unit, one->value));
    }
    if (analysis->exonerated_count)
        put_line(page, "Exonerated: ", 12, &line);
    text_fini(&line);
}

static void put_bottlenecks(const struct page *page)
{
    const struct analysis *analysis = page->analysis;
    text_puts(page->out, "\nBottleneck Analysis:\nPrimary Bottlenecks:\n");
    for (size_t i = 0; i < analysis->primary_count; i++)
        put_primary(page, i + 1, &analysis->primary[i]);
    if (analysis->primary_count == 0)
        text_puts(page->out, analysis->inconclusive ? "inconclusive\n" : "none observed\n");
    text_puts(page->out, "\nSecondary Bottlenecks:\n");
    for (size_t i = 0; i < analysis->secondary_count; i++)
        put_secondary(page, i + 1, &analysis->secondary[i]);
    if (analysis->secondary_count == 0)
        text_puts(page->out, "none that can be predicted from what was watched\n");
    put_exonerated(page);
}

/* "1.4 to 6.67 requests", "3 % to 4 %". */
static void put_span(struct text *line, const struct resource_trend *one, bool both)
{
    char low[LOAD_ROOM], high[LOAD_ROOM], number[UNIT_ROOM];
    bool plain = strcmp(one->unit, "1") != 0 && strcmp(one->unit, "bytes") != 0;
    if (both)
        text_printf(line, "%s to ",
                    plain ? unit_write_number(number, one->lowest)
                          : amount_words(low, one->unit, one->lowest));
    text_puts(line, amount_words(high, one->unit, one->highest));
}

/* How what was watched goes with the load, a line for each pattern; what grows at constant load. */
static void put_patterns(const struct page *page)
{
    const struct analysis *analysis = page->analysis;
    text_puts(page->out, analysis->trend_count ? "\nResource Patterns:\n" : "");
    for (int pattern = PATTERN_LINEAR; pattern <= PATTERN_BURST + 1; pattern++) {
        enum resource_pattern wanted =
            pattern > PATTERN_BURST ? PATTERN_FLAT : (enum resource_pattern)pattern;
        struct text line = TEXT_EMPTY;
        bool any = false;
        text_printf(&line, "%s: ", pattern_words(wanted));
        for (size_t i = 0; i < analysis->trend_count; i++) {
            const struct resource_trend *one = &analysis->trends[i];
            if (one->pattern != wanted)
                continue;
            text_printf(&line, "%s%s %s%s%s%s ", any ? ", " : "", one->thing, one->metric,
                        *one->part ? "[" : "", one->part, *one->part ? "]" : "");
            put_span(&line, one, wanted != PATTERN_FLAT);
            any = true;
            if (one->leak_per_s > 0)
                text_puts(&line, " (grows at constant load too)");
        }
        if (any)
            put_line(page, "- ", 2, &line);
        text_fini(&line);
    }
}

/* What the catalogue expects: seen, not seen, and not watched. */
static void put_expectations(const struct page *page)
{
    static const char *const heads[] = {"not watched: ", "not seen: ", "seen: "};
    const struct analysis *analysis = page->analysis;
    char load[LOAD_ROOM], number[UNIT_ROOM];
    text_puts(page->out, "\nExpected Bottlenecks:\n");
    for (int state = EXPECTED_SEEN; state >= EXPECTED_NOT_KNOWN; state--) {
        struct text line = TEXT_EMPTY;
        bool any = false;
        text_puts(&line, heads[state]);
        for (size_t i = 0; i < analysis->expectation_count; i++) {
            const struct expectation *one = &analysis->expectations[i];
            if ((int)one->state != state)
                continue;
            text_printf(&line, "%s%s", any ? "; " : "", one->entry->name);
            any = true;
            if (state == EXPECTED_SEEN)
                text_printf(&line, " (%s %s from %s on)", one->metric,
                            unit_write_number(number, one->value),
                            load_words(load, page->curve, one->load));
        }
        if (any)
            put_line(page, "- ", 2, &line);
        text_fini(&line);
    }
}

/* ---- trust and next -------------------------------------------------------------------------- */

static void put_rest(const struct page *page)
{
    const struct analysis *analysis = page->analysis;
    if (analysis->warnings.count)
        text_putc(page->out, '\n');
    for (size_t i = 0; i < analysis->warnings.count; i++) {
        struct text line = TEXT_EMPTY;
        text_printf(&line, "%s: %s", analysis->warnings.rows[i].code,
                    analysis->warnings.rows[i].words);
        put_line(page, "! ", 2, &line);
        text_fini(&line);
    }
    if (analysis->next_count)
        text_puts(page->out, "\nWhat would settle what is open:\n");
    for (size_t i = 0; i < analysis->next_count; i++) {
        struct text line = TEXT_EMPTY;
        text_puts(&line, analysis->next[i]);
        put_line(page, "- ", 2, &line);
        text_fini(&line);
    }
}

void analysis_text(const struct analysis *analysis, unsigned columns, struct text *out)
{
    struct page page = {analysis, analysis->curve, columns ? columns : 80, out};
    if (page.curve && page.curve->count) {
        put_progression(&page);
        put_bottlenecks(&page);
        put_patterns(&page);
        put_expectations(&page);
    } else {
        text_puts(out, "Nothing was measured: no level has any request.\n");
    }
    put_rest(&page);
}
