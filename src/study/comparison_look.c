/* What else differs between runs than what they measured: each aspect is a text made of a run, and
 * all runs are held against the first of the base. */
#include "study/comparison_part.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MOST = 60 };

/* What a plan says of the side that is tested, of how it is judged and of what is kept is no other
 * load: these keys are left out, with what stands indented below them. */
static bool says_load(const char *line)
{
    static const char *const others[] = {
        "target",   "host",      "base_url",   "name",       "description",       "labels",
        "baseline", "baselines", "thresholds", "objectives", "objectives_needed", "output_dir",
        "quiet",
    };
    size_t bytes = strcspn(line, ":\n");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strlen(others[i]) == bytes && strncmp(line, others[i], bytes) == 0)
            return false;
    return line[0] != '#';
}

static void put_plan(const struct result *run, struct text *out)
{
    bool kept = true;
    for (const char *at = run->plan_source ? run->plan_source : ""; *at;) {
        size_t bytes = strcspn(at, "\n");
        if (bytes && !strchr(" \t-}]", at[0]))
            kept = says_load(at);
        if (kept && strspn(at, " \t\r") < bytes) {
            text_put(out, (struct span){at, bytes});
            text_putc(out, '\n');
        }
        at += bytes + (at[bytes] != '\0');
    }
}

/* The levels as they were asked for, and what the run says of its load: options of the command line
 * change these without changing the plan. */
static void put_load(const struct result *run, struct text *out)
{
    for (size_t i = 0; i < run->phase_count; i++)
        text_printf(out, "%s%s", i ? ", " : "", run->phases[i].name ? run->phases[i].name : "");
    for (size_t i = 0; i < run->fact_count; i++)
        if (strncmp(run->facts[i].name, "load.", 5) == 0)
            text_printf(out, "; %s %s", run->facts[i].name + 5, run->facts[i].value);
}

static void put_processor(const struct result *run, struct text *out)
{
    text_printf(out, "%s, %u cores", run->cpu ? run->cpu : "unknown", (unsigned)run->cores);
}

static void put_kernel(const struct result *run, struct text *out)
{
    text_puts(out, run->kernel);
}

static void put_version(const struct result *run, struct text *out)
{
    text_puts(out, run->version);
}

static void put_scale(const struct result *run, struct text *out)
{
    text_printf(out, "%g", run->time_scale);
}

static void put_host(const struct result *run, struct text *out)
{
    text_puts(out, run->host);
}

static void put_target(const struct result *run, struct text *out)
{
    text_puts(out, run->target);
}

static void put_labels(const struct result *run, struct text *out)
{
    for (size_t i = 0; i < run->label_count; i++)
        text_printf(out, "%s%s=%s", i ? ", " : "", run->labels[i].name, run->labels[i].value);
    if (run->label_count == 0)
        text_puts(out, "none");
}

static const struct aspect {
    const char *name;
    void (*put)(const struct result *run, struct text *out);
    bool blocks;
    bool hidden; /* too long to be shown */
} aspects[] = {
    {"plan", put_plan, true, true},
    {"load", put_load, true, false},
    {"processor", put_processor, true, false},
    {"kernel", put_kernel, true, false},
    {"plimsoll", put_version, true, false},
    {"time scale", put_scale, true, false},
    {"host", put_host, false, false},
    {"target", put_target, false, false},
    {"labels", put_labels, false, false},
};

static void add(struct comparison *out, struct text *words, bool blocks)
{
    out->differences =
        memory_resize(out->differences, out->difference_count + 1, sizeof *out->differences);
    out->differences[out->difference_count++] =
        (struct comparison_difference){.words = text_take(words), .blocks = blocks};
    out->comparable = out->comparable && !blocks;
}

/* How many runs of a group differ in an aspect from the words; other: what the first of them has.
 */
static size_t count_others(const struct aspect *aspect, const char *words,
                           const struct result *const *runs, size_t count, struct text *other)
{
    size_t differing = 0;
    for (size_t i = 0; i < count; i++) {
        struct text mine = TEXT_EMPTY;
        text_puts(&mine, "");
        aspect->put(runs[i], &mine);
        if (strcmp(mine.at ? mine.at : "", words) != 0 && differing++ == 0)
            text_puts(other, mine.at);
        text_fini(&mine);
    }
    return differing;
}

static void look_at(const struct aspect *aspect, const struct comparison_runs *runs,
                    struct comparison *out)
{
    struct text first = TEXT_EMPTY, other = TEXT_EMPTY, words = TEXT_EMPTY;
    text_puts(&first, "");
    aspect->put(runs->base[0], &first);
    const char *own = first.at ? first.at : "";
    size_t base = count_others(aspect, own, runs->base, runs->base_count, &other);
    size_t fresh = count_others(aspect, own, runs->new_runs, runs->new_count, &other);
    if (base || fresh) {
        text_printf(&words, "%s: ", aspect->name);
        if (!aspect->hidden)
            text_printf(&words, "%.*s in the base, %.*s ", WORDS_MOST, own, WORDS_MOST,
                        other.at ? other.at : "none");
        else
            text_puts(&words, "another ");
        text_puts(&words, "in ");
        if (fresh)
            text_printf(&words, "%zu of %zu new runs", fresh, runs->new_count);
        if (base)
            text_printf(&words, "%s%zu of %zu base runs", fresh ? " and " : "", base,
                        runs->base_count);
        add(out, &words, aspect->blocks);
    }
    text_fini(&first);
    text_fini(&other);
}

/* Runs that were cut off, or whose generator was the limit, did not measure the target. */
static void look_at_ends(const char *side, const struct result *const *runs, size_t count,
                         struct comparison *out)
{
    static const struct {
        const char *outcome, *words;
    } rows[] = {
        {"saturated", "had the generator as its limit: its figures are not the target's"},
        {"interrupted", "was interrupted"},
        {"failed", "failed"},
        {"disk_full", "could not be recorded to its end"},
    };
    for (size_t i = 0; i < count; i++) {
        const char *outcome = result_fact(runs[i], "outcome"), *what = NULL;
        for (size_t k = 0; outcome && k < sizeof rows / sizeof *rows; k++)
            if (strcmp(outcome, rows[k].outcome) == 0)
                what = rows[k].words;
        if (!runs[i]->finished)
            what = "was killed before its end";
        struct text words = TEXT_EMPTY;
        if (what) {
            text_printf(&words, "%s run %zu %s", side, i + 1, what);
            add(out, &words, true);
        }
    }
}

static const struct result *run_at(const struct comparison_runs *runs, size_t index)
{
    return index < runs->base_count ? runs->base[index] : runs->new_runs[index - runs->base_count];
}

/* A run twice among those that are counted is one draw counted twice: copies of a baseline beside
 * their originals, a pattern that takes in both sides. */
static void look_for_copies(const struct comparison_runs *runs, struct comparison *out)
{
    size_t all = runs->base_count + runs->new_count, copies = 0;
    const char *first = NULL;
    for (size_t i = 0; i < all; i++) {
        bool copy = false;
        const char *id = run_at(runs, i)->id;
        for (size_t k = 0; k < i && !copy; k++)
            copy = id && run_at(runs, k)->id && strcmp(id, run_at(runs, k)->id) == 0;
        if (copy && copies++ == 0)
            first = id;
    }
    struct text words = TEXT_EMPTY;
    if (copies) {
        text_printf(&words, "%zu run%s given twice, on both sides or on one: run %s", copies,
                    copies == 1 ? " is" : "s are", first);
        if (copies > 1)
            text_puts(&words, " and others");
        add(out, &words, true);
    }
}

void comparison_look(const struct comparison_runs *runs, struct comparison *out)
{
    out->comparable = true;
    for (size_t i = 0; i < sizeof aspects / sizeof *aspects; i++)
        look_at(&aspects[i], runs, out);
    look_at_ends("base", runs->base, runs->base_count, out);
    look_at_ends("new", runs->new_runs, runs->new_count, out);
    look_for_copies(runs, out);
}
