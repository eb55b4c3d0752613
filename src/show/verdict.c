/* The verdict; see verdict.h. The order of the questions is the order of what would make a reader
 * act: an invalid measurement first, then an unfinished one, then what failed. */
#include "show/verdict.h"

#include "base/unit.h"
#include "study/threshold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool fact_is(const struct result *result, const char *name, const char *value)
{
    const char *fact = result_fact(result, name);
    return fact && strcmp(fact, value) == 0;
}

/* Joins what one more judgement says to what was known: one no is a no. */
static void join_answer(enum verdict_answer *answer, const struct result_verdict *judged)
{
    if (judged->verdict == VERDICT_FAILED)
        *answer = ANSWER_NO;
    else if (judged->verdict != VERDICT_NOT_JUDGED && *answer == ANSWER_UNKNOWN)
        *answer = ANSWER_YES;
}

static bool begins(const char *words, const char *begin)
{
    return strncmp(words, begin, strlen(begin)) == 0;
}

static bool asks_availability(const char *words)
{
    return begins(words, "http_req_failed") || begins(words, "error_rate") ||
           begins(words, "success_rate") || begins(words, "availability");
}

static bool asks_latency_p95(const char *words)
{
    static const char *const times[] = {"response", "http_req_duration", "service", "latency"};
    if (!strstr(words, "p(95)") && !strstr(words, "p95"))
        return false;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        if (begins(words, times[i]))
            return true;
    }
    return false;
}

static void count(const struct result *result, struct verdict *out)
{
    for (size_t i = 0; i < result->verdict_count; i++) {
        const struct result_verdict *judged = &result->verdicts[i];
        const char *words = judged->words ? judged->words : "";
        if (judged->objective) {
            out->objectives++;
        } else {
            out->thresholds++;
            out->thresholds_failed += judged->verdict == VERDICT_FAILED;
            out->thresholds_unjudged += judged->verdict == VERDICT_NOT_JUDGED;
        }
        if (asks_availability(words))
            join_answer(&out->availability_passed, judged);
        if (asks_latency_p95(words))
            join_answer(&out->latency_p95_passed, judged);
    }
    const char *needed = result_fact(result, "objectives.needed");
    out->objectives_needed = 1.0;
    if (needed && unit_read_share(span_of(needed), &out->objectives_needed) != 0)
        out->objectives_needed = 1.0;
    out->objectives_pass =
        objectives_pass(result->verdicts, result->verdict_count, out->objectives_needed,
                        &out->objectives_met, &out->objectives_judged);
}

static bool nothing_ended(const struct result *result)
{
    const uint64_t *counters = result->total->counters;
    return counters[COUNT_SUCCEEDED] + counters[COUNT_FAILED] + counters[COUNT_TIMED_OUT] == 0;
}

static enum verdict_word word_of(const struct result *result, const struct verdict *verdict)
{
    if (nothing_ended(result))
        return VERDICT_WORD_EMPTY;
    if (result->finished && result->total->counters[COUNT_SUCCEEDED] == 0)
        return VERDICT_WORD_FAIL; /* not even the generator can be judged by such a run */
    if (fact_is(result, "generator.verdict", "saturated") ||
        fact_is(result, "outcome", "saturated"))
        return VERDICT_WORD_INVALID;
    if (!result->finished || fact_is(result, "outcome", "interrupted") ||
        fact_is(result, "outcome", "disk_full") || fact_is(result, "outcome", "failed"))
        return VERDICT_WORD_INCOMPLETE;
    if (verdict->thresholds_failed || fact_is(result, "outcome", "thresholds"))
        return VERDICT_WORD_FAIL;
    if (verdict->objectives_judged && !verdict->objectives_pass)
        return VERDICT_WORD_FAIL;
    if (verdict->thresholds + verdict->objectives == 0)
        return VERDICT_WORD_MEASURED;
    if (verdict->thresholds_unjudged == verdict->thresholds && verdict->objectives_judged == 0)
        return VERDICT_WORD_UNJUDGED;
    return VERDICT_WORD_PASS;
}

static void judged_sentence(const struct verdict *verdict, struct text *out)
{
    if (verdict->objectives) {
        char needed[UNIT_ROOM];
        text_printf(out, "%zu of %zu objective%s met", verdict->objectives_met, verdict->objectives,
                    verdict->objectives == 1 ? "" : "s");
        if (verdict->objectives_needed < 1.0)
            text_printf(out, " (%s needed)", unit_write_share(needed, verdict->objectives_needed));
        if (verdict->objectives_judged < verdict->objectives)
            text_printf(out, ", %zu not judged", verdict->objectives - verdict->objectives_judged);
    }
    if (verdict->thresholds) {
        size_t good =
            verdict->thresholds - verdict->thresholds_failed - verdict->thresholds_unjudged;
        text_printf(out, "%s%zu of %zu threshold%s held", out->bytes ? "; " : "", good,
                    verdict->thresholds, verdict->thresholds == 1 ? "" : "s");
        if (verdict->thresholds_failed)
            text_printf(out, ", %zu failed", verdict->thresholds_failed);
        if (verdict->thresholds_unjudged)
            text_printf(out, ", %zu not judged", verdict->thresholds_unjudged);
    }
}

static void reason_or(const struct result *result, const char *fact, const char *otherwise,
                      struct text *out)
{
    const char *reason = result_fact(result, fact);
    words_put(out, reason && reason[0] ? reason : otherwise, false);
}

/* That nothing succeeded explains whatever was judged by it. */
static void failed_sentence(const struct result *result, const struct verdict *verdict,
                            struct text *out)
{
    struct text judged = TEXT_EMPTY;
    judged_sentence(verdict, &judged);
    if (result->total->counters[COUNT_SUCCEEDED] == 0)
        text_printf(out, "no request succeeded%s", judged.bytes ? "; " : "");
    text_put(out, text_span(&judged));
    text_fini(&judged);
}

static char *sentence_of(const struct result *result, const struct verdict *verdict)
{
    struct text out = TEXT_EMPTY;
    switch (verdict->word) {
    case VERDICT_WORD_EMPTY:
        reason_or(result, "outcome.reason", "no request came to an end: nothing was measured",
                  &out);
        break;
    case VERDICT_WORD_INVALID:
        text_puts(&out, "the generator was the bottleneck, not the target: ");
        reason_or(result, "generator.reason", "it was saturated", &out);
        if (result_fact(result, "outcome.stopped")) {
            text_puts(&out, "; ");
            reason_or(result, "outcome.stopped", "", &out);
        }
        break;
    case VERDICT_WORD_INCOMPLETE:
        reason_or(result, "outcome.reason",
                  result->finished ? "the run was stopped before its end"
                                   : "the run was cut off; what was recorded until then is shown",
                  &out);
        break;
    case VERDICT_WORD_MEASURED:
        text_puts(&out, "no threshold or objective to judge the run by");
        break;
    case VERDICT_WORD_FAIL:
        if (fact_is(result, "outcome", "failed"))
            reason_or(result, "outcome.reason", "the run failed", &out);
        else
            failed_sentence(result, verdict, &out);
        break;
    default:
        judged_sentence(verdict, &out);
        break;
    }
    return text_take(&out);
}

void show_verdict(const struct result *result, struct verdict *out)
{
    memset(out, 0, sizeof *out);
    count(result, out);
    out->word = word_of(result, out);
    out->sentence = sentence_of(result, out);
}

void show_verdict_fini(struct verdict *verdict)
{
    free(verdict->sentence);
    verdict->sentence = NULL;
}

struct word_row {
    const char *title, *key;
    enum words_tone tone;
};

static const struct word_row words_of[] = {
    [VERDICT_WORD_PASS] = {"PASS", "pass", TONE_GOOD},
    [VERDICT_WORD_FAIL] = {"FAIL", "fail", TONE_BAD},
    [VERDICT_WORD_INVALID] = {"INVALID", "invalid", TONE_BAD},
    [VERDICT_WORD_INCOMPLETE] = {"INCOMPLETE", "incomplete", TONE_DOUBTFUL},
    [VERDICT_WORD_MEASURED] = {"MEASURED", "measured", TONE_STRONG},
    [VERDICT_WORD_UNJUDGED] = {"NOT JUDGED", "not_judged", TONE_DOUBTFUL},
    [VERDICT_WORD_EMPTY] = {"NOTHING MEASURED", "empty", TONE_BAD},
};

const char *show_verdict_title(enum verdict_word word)
{
    return words_of[word].title;
}

const char *show_verdict_key(enum verdict_word word)
{
    return words_of[word].key;
}

enum words_tone show_verdict_tone(enum verdict_word word)
{
    return words_of[word].tone;
}

const char *show_judged_words(const struct result_verdict *judged)
{
    switch (judged->verdict) {
    case VERDICT_MET:
        return "met";
    case VERDICT_ACCEPTED:
        return "accepted";
    case VERDICT_FAILED:
        return "failed";
    case VERDICT_NOT_JUDGED:
        break;
    }
    return "not judged";
}

enum words_tone show_judged_tone(const struct result_verdict *judged)
{
    switch (judged->verdict) {
    case VERDICT_MET:
        return TONE_GOOD;
    case VERDICT_ACCEPTED:
        return TONE_DOUBTFUL;
    case VERDICT_FAILED:
        return TONE_BAD;
    case VERDICT_NOT_JUDGED:
        break;
    }
    return TONE_FAINT;
}

void show_judged_name(const struct result_verdict *judged, struct text *out)
{
    const char *words = judged->words ? judged->words : "";
    struct text name = TEXT_EMPTY;
    size_t bytes = judged->objective ? strcspn(words, "<>") : strlen(words);
    text_put(&name, span_trim((struct span){.at = words, .bytes = bytes}));
    if (judged->scope && judged->scope[0] && !(name.bytes && strstr(name.at, judged->scope)))
        text_printf(&name, ", %s", judged->scope);
    words_put(out, name.bytes ? name.at : "", false);
    text_fini(&name);
}

static bool is_share(const char *unit)
{
    return strcmp(unit, "1") == 0 || strcmp(unit, "share") == 0 || strcmp(unit, "ratio") == 0 ||
           strcmp(unit, "%") == 0;
}

void show_judged_value(const char *unit, double value, bool at_least, struct text *out)
{
    char number[UNIT_ROOM];
    if (!unit)
        unit = "";
    if (!isfinite(value)) {
        text_puts(out, "not observed");
        return;
    }
    if (at_least)
        text_puts(out, "≥ ");
    double ns = strcmp(unit, "s") == 0    ? 1e9
                : strcmp(unit, "ms") == 0 ? 1e6
                : strcmp(unit, "ns") == 0 ? 1.0
                                          : 0.0;
    if (ns > 0.0 && fabs(value * ns) < 9e18)
        text_puts(out, unit_write_duration(number, (nsec_t)llround(value * ns)));
    else if (is_share(unit))
        text_puts(out, unit_write_share(number, unit[0] == '%' ? value / 100.0 : value));
    else
        text_printf(out, "%s%s%s", unit_write_number(number, value),
                    unit[0] && unit[0] != '/' ? " " : "", unit);
}
