/* The runs of a baseline, read once before the load; see reference.h. */
#include "run/reference.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/unit.h"
#include "record/baseline.h"
#include "study/comparison.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct reference {
    const struct plan *plan;
    struct result **runs;
    size_t count;
};

struct reference *reference_free(struct reference *reference)
{
    if (!reference)
        return NULL;
    for (size_t i = 0; i < reference->count; i++)
        result_free(reference->runs[i]);
    free(reference->runs);
    free(reference);
    return NULL;
}

static void say_missing(const struct plan *plan, struct text *why)
{
    char **names = NULL;
    text_printf(why, "there is no baseline \"%s\" in %s", plan->baseline, plan->baselines);
    if (baseline_names(plan->baselines, &names) == 0)
        for (size_t i = 0; names[i]; i++)
            text_printf(why, "%s%s", i ? ", " : "; there are ", names[i]);
    text_printf(why, " (plimsoll baseline set %s RUN... makes it)", plan->baseline);
    baseline_list_free(names);
}

static int read_runs(struct reference *reference, char *const *paths, struct text *why)
{
    char sentence[100];
    for (; *paths; paths++) {
        struct result *run = NULL;
        int error = result_read(*paths, &run);
        if (error) {
            text_printf(why, "%s of the baseline can not be read: %s", *paths,
                        error > 0 ? "it is no run file, or damaged"
                                  : error_sentence(error, sentence, sizeof sentence));
            return 1;
        }
        reference->runs =
            memory_resize(reference->runs, reference->count + 1, sizeof *reference->runs);
        reference->runs[reference->count++] = run;
    }
    return 0;
}

int reference_read(const struct plan *plan, struct reference **out, struct text *why)
{
    char **paths = NULL;
    *out = NULL;
    if (!plan->baseline)
        return 0;
    struct reference *reference = memory_new(1, sizeof *reference);
    reference->plan = plan;
    int error = baseline_runs(plan->baselines, plan->baseline, &paths);
    if (error || !paths[0]) {
        say_missing(plan, why);
        error = 1;
    } else {
        error = read_runs(reference, paths, why);
    }
    baseline_list_free(paths);
    if (error)
        reference_free(reference);
    else
        *out = reference;
    return error;
}

/* The median over the runs. Returns 0, or 1 with the reason in why. */
static int value_of(const struct reference *reference, const struct measure_question *question,
                    double *value, struct text *why)
{
    double *values = memory_new(reference->count, sizeof *values);
    int error = 0;
    for (size_t i = 0; i < reference->count && error == 0; i++) {
        struct measured measured;
        error = measure(reference->runs[i], question, &measured, why);
        values[i] = measured.value;
        if (error == 0 && measured.at_least) {
            text_puts(why, "only a lower bound is known");
            error = 1;
        }
    }
    *value = error ? (double)NAN : rank_median(values, reference->count);
    free(values);
    return error ? 1 : 0;
}

int reference_limits(const struct reference *reference, struct guard *guard, struct text *why)
{
    const struct plan *plan = reference->plan;
    for (size_t i = 0; i < plan->threshold_count; i++) {
        const struct plan_threshold *threshold = &plan->thresholds[i];
        struct measure_question question = {
            .metric = threshold->metric,
            .aggregate = threshold->aggregate,
            .percentile = threshold->percentile,
            .scope = {.key = threshold->filter_key, .value = threshold->filter_value},
        };
        double value = NAN;
        struct text reason = TEXT_EMPTY;
        if (!(threshold->baseline > 0))
            continue;
        int error = value_of(reference, &question, &value, &reason);
        if (error)
            text_printf(why, "%s: %s: the baseline \"%s\" does not tell: %s", threshold->metric,
                        threshold->words, plan->baseline, reason.at ? reason.at : "");
        else
            guard_limit(guard, i, threshold->baseline * value);
        text_fini(&reason);
        if (error)
            return error;
    }
    return 0;
}

static void put_time(double value_ms, struct text *out)
{
    char words[UNIT_ROOM];
    text_puts(out, unit_write_duration(words, (nsec_t)llround(value_ms * (double)NSEC_PER_MSEC)));
}

/* How the run stands to its baseline, in one sentence. */
static void put_sentence(const struct reference *reference, const struct comparison *comparison,
                         struct text *out)
{
    const struct comparison_row *row = &comparison->rows[0];
    text_printf(out, "%s ", row->words);
    put_time(row->found.new_median, out);
    text_puts(out, ", ");
    put_time(row->found.base_median, out);
    text_printf(out, " in the baseline %s (%zu run%s): %+.3g %%", reference->plan->baseline,
                reference->count, reference->count == 1 ? "" : "s",
                row->found.test.shift / row->found.base_median * 100);
    for (size_t i = 0, said = 0; i < comparison->difference_count; i++)
        if (comparison->differences[i].blocks)
            text_printf(out, "%s%s", said++ ? "; " : "; not comparable, ",
                        comparison->differences[i].words);
    if (comparison->verdict == GROUPS_REFUSED)
        text_printf(out, "; one run is no test: plimsoll compare takes %zu and more of each side",
                    row->found.runs_needed);
    else
        text_printf(out, "; %s", groups_verdict_words(comparison->verdict));
}

void reference_record(const struct reference *reference, const struct result *result,
                      struct recorder *recorder)
{
    struct comparison comparison;
    struct text words = TEXT_EMPTY, why = TEXT_EMPTY;
    if (!reference)
        return;
    struct result whole = *result; /* all of it is there, though its file is not closed yet */
    whole.finished = true;
    const struct result *const now = &whole;
    struct comparison_runs runs = {.base = (const struct result *const *)reference->runs,
                                   .new_runs = &now,
                                   .base_count = reference->count,
                                   .new_count = 1};
    struct comparison_wish wish = {.alpha = 0.05};
    recorder_fact(recorder, "baseline.name", reference->plan->baseline);
    text_printf(&words, "%zu", reference->count);
    recorder_fact(recorder, "baseline.runs", words.at);
    text_clear(&words);
    if (comparison_make(&runs, &wish, &comparison, &why) == 0) {
        put_sentence(reference, &comparison, &words);
        comparison_fini(&comparison);
    } else {
        text_printf(&words, "not compared with the baseline %s: %s", reference->plan->baseline,
                    why.at);
    }
    recorder_fact(recorder, "advice.compared", words.at);
    text_fini(&words);
    text_fini(&why);
}
