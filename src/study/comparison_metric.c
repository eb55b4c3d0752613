/* Metrics as people write them: a name, what of it, and of which requests. */
#include "study/comparison.h"

#include "base/memory.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

/* Metrics of which more is better. Times and shares of failures are the others. */
static bool wants_more(const char *name)
{
    static const char *const words[] = {
        "throughput",   "http_reqs", "rps",        "requests",      "goodput",   "success_rate",
        "availability", "checks",    "iterations", "data_received", "data_sent",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], name) == 0)
            return true;
    return strstr(name, "tokens") != NULL || strstr(name, "hits") != NULL;
}

/* "p95", "p(95)", "avg": fills in aggregate and percentile. Returns false for other words. */
static bool read_aggregate(struct span words, struct comparison_metric *out)
{
    static const char *const names[] = {"avg",  "med",   "min", "max",
                                        "rate", "count", "rps", "value"};
    double percentile = -1;
    bool bracketed =
        words.bytes > 3 && span_begins(words, SPAN("p(")) && words.at[words.bytes - 1] == ')';
    struct span digits = bracketed ? (struct span){words.at + 2, words.bytes - 3}
                                   : (struct span){words.at + 1, words.bytes - 1};
    if (words.bytes > 1 && words.at[0] == 'p' && unit_read_real(digits, &percentile) == 0 &&
        percentile >= 0 && percentile <= 100) {
        out->aggregate = memory_copy_text("p");
        out->percentile = percentile;
        return true;
    }
    if (span_equal(words, SPAN("mean")))
        words = SPAN("avg");
    if (span_equal(words, SPAN("median")))
        words = SPAN("med");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_equal(words, span_of(names[i]))) {
            out->aggregate = memory_copy_text(names[i]);
            return true;
        }
    return false;
}

static char *copy_span(struct span span)
{
    struct text copy = TEXT_EMPTY;
    text_put(&copy, span_trim(span));
    return text_take(&copy);
}

/* Takes "{task:chat}" out of the words. Returns false when the braces hold something else. */
static bool take_filter(struct text *words, struct comparison_metric *out)
{
    char *open = words->at ? strchr(words->at, '{') : NULL;
    char *colon = open ? strchr(open, ':') : NULL, *close = open ? strchr(open, '}') : NULL;
    if (!open)
        return true;
    if (!colon || !close || colon > close)
        return false;
    out->key = copy_span((struct span){open + 1, (size_t)(colon - open) - 1});
    out->value = copy_span((struct span){colon + 1, (size_t)(close - colon) - 1});
    struct text rest = TEXT_EMPTY;
    text_put(&rest, (struct span){words->at, (size_t)(open - words->at)});
    text_puts(&rest, close + 1);
    text_fini(words);
    *words = rest;
    return true;
}

static void tidy(struct comparison_metric *out)
{
    struct text words = TEXT_EMPTY;
    text_puts(&words, out->name);
    if (out->key)
        text_printf(&words, "{%s:%s}", out->key, out->value);
    if (out->aggregate && strcmp(out->aggregate, "p") == 0)
        text_printf(&words, " p%.10g", out->percentile);
    else if (out->aggregate)
        text_printf(&words, " %s", out->aggregate);
    out->words = text_take(&words);
}

int comparison_metric_read(const char *words, struct comparison_metric *out, struct text *why)
{
    struct text rest = TEXT_EMPTY;
    *out = (struct comparison_metric){.percentile = 95};
    text_puts(&rest, words);
    bool fine = take_filter(&rest, out);
    struct span all = span_trim(text_span(&rest));
    size_t at = all.bytes;
    while (at > 0 && all.at[at - 1] != ' ' && all.at[at - 1] != ':')
        at--;
    struct span last = {all.at + at, all.bytes - at};
    if (fine && last.bytes && read_aggregate(last, out))
        all.bytes = at;
    while (all.bytes && strchr(" :", all.at[all.bytes - 1]))
        all.bytes--;
    fine = fine &&
           (all.bytes == 0 ? out->aggregate != NULL
                           : !memchr(all.at, ' ', all.bytes) && !memchr(all.at, ':', all.bytes));
    if (fine) {
        out->name = all.bytes ? copy_span(all) : memory_copy_text("response");
        out->higher_better = wants_more(out->name);
        tidy(out);
    } else {
        text_printf(why,
                    "\"%s\" is no metric; for example p95, \"ttft p99\", throughput, error_rate, "
                    "\"response{task:chat} p95\"",
                    words);
        comparison_metric_fini(out);
    }
    text_fini(&rest);
    return fine ? 0 : 1;
}

void comparison_metric_fini(struct comparison_metric *metric)
{
    free(metric->words);
    free(metric->name);
    free(metric->aggregate);
    free(metric->key);
    free(metric->value);
    *metric = (struct comparison_metric){0};
}

struct measure_question comparison_question(const struct comparison_metric *metric)
{
    return (struct measure_question){
        .metric = metric->name,
        .aggregate = metric->aggregate,
        .percentile = metric->percentile,
        .scope = {.key = metric->key, .value = metric->value},
    };
}
