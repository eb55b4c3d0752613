/* An expectation is a hypothesis with a size: that there is an effect at all is not yet success. */
#include "study/experiment.h"

#include "base/memory.h"
#include "base/unit.h"
#include "stat/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int expectation_read(const char *words, struct expectation *out, struct text *why)
{
    struct span all = span_trim(span_of(words));
    const char *percent = memchr(all.at, '%', all.bytes);
    double share = 0;
    if (percent) {
        struct span number = span_trim((struct span){all.at, (size_t)(percent - all.at)});
        bool plus = number.bytes && *number.at == '+';
        if (plus)
            number = (struct span){number.at + 1, number.bytes - 1};
        if (unit_read_real(number, &share) != 0)
            percent = NULL;
    }
    struct span metric = percent ? span_trim(span_of(percent + 1)) : SPAN("");
    if (metric.bytes == 0) {
        text_printf(why,
                    "\"%s\": an expectation is a change and a metric, as \"+30 %% "
                    "throughput\" or \"-20 %% p95\"",
                    words);
        return 1;
    }
    if (share == 0 || !(share > -100)) {
        text_printf(why, "\"%s\": the change expected is not 0, and above -100 %%", words);
        return 1;
    }
    struct text name = TEXT_EMPTY;
    text_put(&name, metric);
    *out = (struct expectation){share / 100, text_take(&name)};
    /* What people call latency is the response time that most of them see. */
    if (strcmp(out->metric, "latency") == 0) {
        free(out->metric);
        out->metric = memory_copy_text("p95");
    }
    return 0;
}

void expectation_fini(struct expectation *expectation)
{
    free(expectation->metric);
    expectation->metric = NULL;
}

static enum experiment_verdict verdict_of(double low, double high, double expected)
{
    /* Turned so that the expected way is upwards. */
    double way = expected > 0 ? 1 : -1, wanted = way * expected;
    double least = way > 0 ? low : -high, most = way > 0 ? high : -low;
    if (isnan(low) || isnan(high))
        return EXPERIMENT_TOO_FEW;
    if (least > wanted)
        return EXPERIMENT_EXCEEDED;
    if (most < 0)
        return EXPERIMENT_OPPOSITE;
    if (least > 0)
        return most >= wanted ? EXPERIMENT_CAME : EXPERIMENT_FELL_SHORT;
    return most >= wanted ? EXPERIMENT_INCONCLUSIVE : EXPERIMENT_NONE;
}

static int take_logs(const double *values, size_t count, double *out)
{
    for (size_t i = 0; i < count; i++) {
        if (!(values[i] > 0) || isinf(values[i]))
            return 1;
        out[i] = log(values[i]);
    }
    return count == 0;
}

int experiment_judge(const struct experiment_runs *runs, const struct expectation *expected,
                     double alpha, struct experiment_found *out, struct text *why)
{
    struct rank_test test;
    double *before = memory_new(runs->before_count + runs->after_count + 1, sizeof *before);
    double *after = before + runs->before_count;
    int error =
        take_logs(runs->before, runs->before_count, before) ||
        take_logs(runs->after, runs->after_count, after) ||
        rank_compare(after, runs->after_count, before, runs->before_count, 1 - alpha, &test) != 0;
    free(before);
    if (error) {
        text_puts(why, "each side needs at least one run, with a value above 0");
        return 1;
    }
    bool known = isfinite(test.low) && isfinite(test.high);
    *out = (struct experiment_found){.effect = expm1(test.shift),
                                     .low = known ? expm1(test.low) : (double)NAN,
                                     .high = known ? expm1(test.high) : (double)NAN,
                                     .coverage = test.coverage,
                                     .runs_needed = rank_least_runs(alpha)};
    out->verdict = verdict_of(out->low, out->high, expected->share);
    return 0;
}

const char *experiment_words(enum experiment_verdict verdict)
{
    static const char *const words[] = {"came",     "exceeded",     "fell short",  "did not come",
                                        "opposite", "inconclusive", "too few runs"};
    return words[verdict];
}
