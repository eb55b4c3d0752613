/* The summary as Markdown, for pull requests and wikis. Words from outside are escaped letter by
 * letter, so that no name or message becomes a link, an image or markup. */
#include "base/unit.h"
#include "plug/writer/writer_list.h"
#include "show/figure_llm.h"
#include "show/verdict.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put_words(const char *words, struct text *out)
{
    char *clean = words_clean(words, false);
    for (const char *at = clean; *at; at++) {
        if (*at == '<' || *at == '>' || *at == '&')
            text_puts(out, *at == '<' ? "&lt;" : *at == '>' ? "&gt;" : "&amp;");
        else if (strchr("\\`*_{}[]()#+!|~@:", *at))
            text_printf(out, "&#%d;", *at);
        else
            text_putc(out, *at);
    }
    free(clean);
}

static void put_time(struct figure_time time, struct text *out)
{
    char words[FIGURE_ROOM];
    text_printf(out, " %s |", figure_write_time(words, time));
}

static void put_number(double number, struct text *out)
{
    char words[UNIT_ROOM];
    text_printf(out, " %s |", isfinite(number) ? unit_write_number(words, number) : "–");
}

static void put_sum(const char *name, const struct result_sum *sum, struct text *out)
{
    char number[UNIT_ROOM];
    struct figure_sums figures;
    figure_sums(sum, &figures);
    text_puts(out, "| ");
    put_words(name, out);
    text_printf(out, " | %s |", unit_write_count(number, figures.requests));
    text_printf(out, " %s |", unit_write_count(number, figures.failed));
    put_time(figures.response.least, out);
    put_time(figures.response.mean, out);
    put_time(figures.response.p50, out);
    put_time(figures.response.p95, out);
    put_time(figures.response.p99, out);
    put_time(figures.response.most, out);
    put_number(figures.rate_rps, out);
    put_number(figures.rate_rpm, out);
    text_putc(out, '\n');
}

static void put_head(const char *first, struct text *out)
{
    text_printf(out,
                "\n| %s | requests | failed | min | avg | p50 | p95 | p99 | max | req/s | req/min "
                "|\n|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
                first);
}

static void put_tables(const struct result *result, struct text *out)
{
    size_t levels = 0;
    put_head("request", out);
    for (size_t i = 0; i < result->request_count; i++)
        put_sum(result->requests[i].name, result->requests[i].sum, out);
    put_sum("all", result->total, out);
    for (size_t i = 0; i < result->phase_count; i++) {
        const struct result_phase *phase = &result->phases[i];
        if (!phase->level || phase->sum->measured_ns <= 0)
            continue;
        if (levels++ == 0)
            put_head("level", out);
        put_sum(phase->name ? phase->name : "level", phase->sum, out);
    }
}

static void put_tokens_row(const char *name, const struct figure_times *times, struct text *out)
{
    char number[UNIT_ROOM];
    if (times->count == 0)
        return;
    text_printf(out, "| %s | %s |", name, unit_write_count(number, times->count));
    put_time(times->mean, out);
    put_time(times->p50, out);
    put_time(times->p95, out);
    put_time(times->p99, out);
    put_time(times->most, out);
    text_putc(out, '\n');
}

/* Answers made of tokens, where there are such. */
static void put_tokens(const struct result *result, struct text *out)
{
    struct figure_llm figures;
    char number[UNIT_ROOM];
    if (!figure_llm(result->total, &result->metrics, &figures))
        return;
    if (figures.ttft.count)
        text_puts(
            out, "\n| tokens | n | avg | p50 | p95 | p99 | max |\n|:--|--:|--:|--:|--:|--:|--:|\n");
    put_tokens_row("time to first token", &figures.ttft, out);
    put_tokens_row("inter-token latency", &figures.itl, out);
    put_tokens_row("time per output token", &figures.tpot, out);
    char *source = figure_llm_source(&figures);
    text_printf(out, "\n%s output tokens", unit_write_count(number, figures.output_tokens));
    if (isfinite(figures.output_rate))
        text_printf(out, ", %s a second", unit_write_number(number, figures.output_rate));
    text_printf(out, "; counted from %s", source);
    if (figures.judged)
        text_printf(out, "; goodput %s", unit_write_share(number, figures.good_share));
    text_puts(out, ".\n");
    free(source);
}

static void put_judged(const struct result *result, struct text *out)
{
    if (result->verdict_count)
        text_puts(out, "\n| asked | of | measured | verdict |\n|:--|:--|--:|:--|\n");
    for (size_t i = 0; i < result->verdict_count; i++) {
        const struct result_verdict *judged = &result->verdicts[i];
        text_puts(out, "| ");
        put_words(judged->words, out);
        text_puts(out, " | ");
        put_words(judged->scope && judged->scope[0] ? judged->scope : "everything", out);
        text_puts(out, " | ");
        if (judged->verdict == VERDICT_NOT_JUDGED)
            put_words(judged->why ? judged->why : "not observed", out);
        else
            show_judged_value(judged->unit, judged->value, judged->at_least, out);
        text_printf(out, " | %s |\n", show_judged_words(judged));
    }
}

static void put_errors(const struct result *result, struct text *out)
{
    char number[UNIT_ROOM];
    const char *separator = "\n**Errors:** ";
    for (uint32_t kind = COUNT_ERROR_DNS; kind < CORE_COUNTERS; kind++) {
        uint64_t count = result->total->counters[kind];
        if (!count)
            continue;
        text_printf(out, "%s%s %s", separator, unit_write_count(number, count),
                    figure_error_words(kind));
        separator = " · ";
    }
    if (separator[0] == ' ')
        text_putc(out, '\n');
}

static void put_trust(const struct result *result, struct text *out)
{
    struct figure_accounts accounts;
    struct figure_sums figures;
    figure_accounts(result, &accounts);
    figure_sums(result->total, &figures);
    const char *generator = result_fact(result, "generator.verdict");
    const char *reason = result_fact(result, "generator.reason");
    if (figures.response.censored)
        text_printf(out, "\n≥: %" PRIu64 " requests never finished or were dropped.\n",
                    figures.response.censored);
    text_puts(out, "\n**Generator:** ");
    put_words(generator ? generator : "not judged", out);
    if (reason && reason[0]) {
        text_puts(out, ", ");
        put_words(reason, out);
    }
    text_printf(out, "  \n**Accounts:** %s\n", accounts.close ? "close" : "do not close");
}

static int write_markdown(const struct result *result, const struct show_options *options,
                          struct text *out)
{
    (void)options;
    char number[UNIT_ROOM];
    struct verdict verdict;
    struct figure_sums figures;
    show_verdict(result, &verdict);
    figure_sums(result->total, &figures);
    text_puts(out, "## ");
    put_words(result->name && result->name[0] ? result->name : "Load test", out);
    text_printf(out, ": %s\n\n", show_verdict_title(verdict.word));
    put_words(verdict.sentence, out);
    text_printf(out, ". %s requests", unit_write_count(number, figures.requests));
    text_printf(out, " in %s.\n", unit_write_duration(number, result->total->measured_ns));
    show_verdict_fini(&verdict);
    put_judged(result, out);
    put_tables(result, out);
    put_tokens(result, out);
    put_errors(result, out);
    put_trust(result, out);
    return 0;
}

const struct writer writer_markdown = {
    .name = "markdown",
    .file = "summary.md",
    .sentence = "the summary for pull requests",
    .write = write_markdown,
};
