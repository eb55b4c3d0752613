/* The summary's words: verdict, advice, judgements, errors, trust, next. Its tables of figures are
 * in summary_tables.c. */
#include "show/summary.h"

#include "base/unit.h"
#include "show/figure.h"
#include "show/summary_line.h"
#include "show/table.h"
#include "show/verdict.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 14 };

/* A line's label in the left margin: "errors        ". */
static void put_label(const char *label, const struct show_options *options, struct text *out)
{
    words_put_tone(out, options->colour, TONE_FAINT, label);
    for (unsigned width = words_width(label); width < LABEL; width++)
        text_putc(out, ' ');
}

void summary_put_line(const char *label, const char *words, const struct show_options *options,
                      struct text *out)
{
    put_label(label, options, out);
    words_put_wrapped(out, words, LABEL, options->columns);
}

/* What each of several targets answered or failed to, in the plan's order. */
static void put_targets(const struct result *result, const struct show_options *options,
                        struct text *out)
{
    struct text line = TEXT_EMPTY;
    char number[UNIT_ROOM];
    const struct metric_table *metrics = &result->metrics;
    for (size_t i = CORE_COUNTERS; i < metrics->counter_count; i++)
        if (strncmp(metrics->counters[i].name, TARGET_COUNTER, sizeof TARGET_COUNTER - 1) == 0)
            text_printf(&line, "%s%s", line.bytes ? ", " : "",
                        unit_write_count(number, result->total->counters[i]));
    if (line.bytes) {
        text_puts(&line, " requests, in the plan's order");
        summary_put_line("targets", line.at, options, out);
    }
    text_fini(&line);
}

void summary_put_verdict(const struct result *result, const struct show_options *options,
                         struct text *out)
{
    struct verdict verdict;
    show_verdict(result, &verdict);
    const char *title = show_verdict_title(verdict.word);
    text_putc(out, '\n');
    words_put_tone(out, options->colour, show_verdict_tone(verdict.word), title);
    for (unsigned width = words_width(title); width < LABEL; width++)
        text_putc(out, ' ');
    if (words_width(title) >= LABEL)
        text_puts(out, "  ");
    words_put_wrapped(out, verdict.sentence, LABEL, options->columns);
    show_verdict_fini(&verdict);

    struct text line = TEXT_EMPTY;
    if (result->name && result->name[0])
        text_printf(&line, "%s: ", result->name);
    char number[UNIT_ROOM];
    struct figure_sums sums;
    figure_sums(result->total, &sums);
    text_printf(&line, "%s requests in ", unit_write_count(number, sums.requests));
    text_printf(&line, "%s measured", unit_write_duration(number, result->total->measured_ns));
    text_printf(&line, " of %s", unit_write_duration(number, result->end_ns));
    if (sums.requests) {
        text_printf(&line, "; %s/s", unit_write_number(number, sums.rate_rps));
        text_printf(&line, ", %s/min", unit_write_number(number, sums.rate_rpm));
    }
    summary_put_line("", line.at, options, out);
    if (result->target && *result->target) /* servers that are child processes have none */
        summary_put_line("target", result->target, options, out);
    put_targets(result, options, out);
    if (options->run_path)
        summary_put_line("run", options->run_path, options, out);
    text_fini(&line);
}

void summary_put_advice(const struct result *result, const struct show_options *options,
                        struct text *out)
{
    for (size_t i = 0; i < result->fact_count; i++) {
        if (strncmp(result->facts[i].name, "advice.", 7) == 0)
            summary_put_line("note", result->facts[i].value, options, out);
    }
}

static void judged_cell(struct table *table, const struct result_verdict *judged, double value,
                        bool at_least)
{
    struct text words = TEXT_EMPTY;
    show_judged_value(judged->unit, value, at_least, &words);
    table_cell(table, words.at);
    text_fini(&words);
}

/* What was wanted; in words, since a goal that is to be exceeded looks like any other. */
static void goal_cell(struct table *table, const struct result_verdict *judged, double goal)
{
    struct text words = TEXT_EMPTY;
    if (judged->objective && judged->words && strchr(judged->words, '>'))
        text_puts(&words, "> ");
    show_judged_value(judged->unit, goal, false, &words);
    table_cell(table, words.at);
    text_fini(&words);
}

static void judged_row(struct table *table, const struct result_verdict *judged)
{
    struct text name = TEXT_EMPTY;
    show_judged_name(judged, &name);
    table_cell(table, name.at);
    text_fini(&name);
    goal_cell(table, judged, judged->limit);
    if (judged->objective && judged->accept != judged->limit)
        goal_cell(table, judged, judged->accept);
    else
        table_cell(table, "");
    if (judged->verdict == VERDICT_NOT_JUDGED)
        table_cell(table, "–");
    else
        judged_cell(table, judged, judged->value, judged->at_least);
    table_cell_tone(table, show_judged_words(judged), show_judged_tone(judged));
}

static void put_judged_kind(const struct result *result, bool objective,
                            const struct show_options *options, struct text *out)
{
    const struct table_column columns[] = {
        {objective ? "objective" : "threshold", false, 0},
        {objective ? "target" : "limit", true, objective ? 0 : 1},
        {objective ? "accepted" : "", true, objective ? 0 : 2},
        {"measured", true, 0},
        {"", false, 0},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < result->verdict_count; i++) {
        if (result->verdicts[i].objective == objective)
            judged_row(table, &result->verdicts[i]);
    }
    if (table_rows(table)) {
        text_putc(out, '\n');
        table_put(table, 0, options->columns, options->colour, out);
    }
    table_free(table);
    for (size_t i = 0; i < result->verdict_count; i++) {
        const struct result_verdict *judged = &result->verdicts[i];
        if (judged->objective != objective || judged->verdict != VERDICT_NOT_JUDGED)
            continue;
        struct text why = TEXT_EMPTY;
        show_judged_name(judged, &why);
        text_printf(&why, ": %s", judged->why ? judged->why : "not observed");
        summary_put_line("not judged", why.at, options, out);
        text_fini(&why);
    }
}

void summary_put_judged(const struct result *result, const struct show_options *options,
                        struct text *out)
{
    put_judged_kind(result, true, options, out);
    put_judged_kind(result, false, options, out);
}

static void item(struct text *line, uint64_t count, const char *words)
{
    char number[UNIT_ROOM];
    text_printf(line, "%s%s %s", line->bytes ? " · " : "", unit_write_count(number, count), words);
}

static void error_items(const struct result_sum *total, struct text *line)
{
    uint64_t by_status = 0;
    for (uint32_t code = 400; code < TALLY_STATUS_CODES; code++) {
        char words[24];
        uint64_t count = result_status(total, code);
        if (!count || !total->counters[COUNT_ERROR_HTTP_STATUS])
            continue;
        snprintf(words, sizeof words, "HTTP %" PRIu32, code);
        item(line, count, words);
        by_status += count;
    }
    for (uint32_t kind = COUNT_ERROR_DNS; kind < CORE_COUNTERS; kind++) {
        uint64_t count = total->counters[kind];
        if (count && !(kind == COUNT_ERROR_HTTP_STATUS && by_status == count))
            item(line, count, figure_error_words(kind));
    }
}

static void status_items(const struct result_sum *total, struct text *line)
{
    char number[UNIT_ROOM];
    for (uint32_t code = 100; code < TALLY_STATUS_CODES; code++) {
        uint64_t count = result_status(total, code);
        if (count)
            text_printf(line, "%s%" PRIu32 ": %s", line->bytes ? " · " : "", code,
                        unit_write_count(number, count));
    }
}

/* The example seen most often says more than all the kinds. */
static void put_example(const struct result *result, const struct show_options *options,
                        struct text *out)
{
    const struct result_example *most = NULL;
    for (size_t i = 0; i < result->example_count; i++) {
        if (!most || result->examples[i].times > most->times)
            most = &result->examples[i];
    }
    if (!most || !most->words)
        return;
    struct text line = TEXT_EMPTY;
    char number[UNIT_ROOM];
    if (most->request < result->request_count)
        text_printf(&line, "%s: ", result->requests[most->request].name);
    result_put_example(most, &line);
    text_printf(&line, " (%s times kept)", unit_write_count(number, most->times));
    summary_put_line("", line.at, options, out);
    text_fini(&line);
}

/* Each service once, at its first outcome: the share of its replies that no failure rule caught. */
static void put_services(const struct result *result, const struct show_options *options,
                         struct text *out)
{
    struct text line = TEXT_EMPTY;
    char number[UNIT_ROOM];
    for (size_t i = 0; i < result->service_count; i++) {
        const char *name = result->services[i].service;
        uint64_t hits = 0, failures = 0;
        bool seen = false;
        for (size_t k = 0; k < result->service_count; k++) {
            if (strcmp(result->services[k].service, name) != 0)
                continue;
            seen = seen || k < i;
            hits += result->services[k].hits;
            failures += result->services[k].failure ? result->services[k].hits : 0;
        }
        if (seen)
            continue;
        text_printf(&line, "%s%s ", line.bytes ? " · " : "", name);
        if (hits == 0)
            text_puts(&line, "not observed");
        else
            text_printf(&line, "%s fine of %" PRIu64,
                        unit_write_share(number, (double)(hits - failures) / (double)hits), hits);
    }
    if (line.bytes)
        summary_put_line("services", line.at, options, out);
    text_fini(&line);
}

static void put_traffic(const struct figure_sums *sums, const struct show_options *options,
                        struct text *out)
{
    struct text line = TEXT_EMPTY;
    char number[UNIT_ROOM];
    if (sums->seconds <= 0.0)
        return;
    text_printf(&line, "in %s/s", unit_write_bytes(number, sums->in_bytes_rate));
    text_printf(&line, ", out %s/s", unit_write_bytes(number, sums->out_bytes_rate));
    text_printf(&line, ", %s connections opened", unit_write_count(number, sums->connections));
    summary_put_line("traffic", line.at, options, out);
    text_fini(&line);
}

void summary_put_errors(const struct result *result, const struct show_options *options,
                        struct text *out)
{
    const struct result_sum *total = result->total;
    struct figure_sums sums;
    char number[UNIT_ROOM];
    figure_sums(total, &sums);
    struct text line = TEXT_EMPTY;
    text_putc(out, '\n');
    error_items(total, &line);
    if (line.bytes)
        text_printf(&line, "  (%s of all)", unit_write_share(number, sums.error_share));
    summary_put_line("errors",
                     line.bytes      ? line.at
                     : sums.requests ? "none"
                                     : "not observed",
                     options, out);
    put_example(result, options, out);
    text_clear(&line);
    status_items(total, &line);
    if (line.bytes)
        summary_put_line("status codes", line.at, options, out);
    if (sums.checks_passed + sums.checks_failed) {
        text_clear(&line);
        text_printf(&line, "%s failed", unit_write_count(number, sums.checks_failed));
        text_printf(&line, " of %s",
                    unit_write_count(number, sums.checks_passed + sums.checks_failed));
        summary_put_line("checks", line.at, options, out);
    }
    put_services(result, options, out);
    put_traffic(&sums, options, out);
    text_fini(&line);
}

struct account {
    uint64_t count;
    const char *words;
};

/* Appends "1,200 started + 3 waiting"; what is 0 is left out but for the first. */
static void account_side(const struct account *accounts, size_t count, struct text *line)
{
    char number[UNIT_ROOM];
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if (accounts[i].count == 0 && i > 0)
            continue;
        text_printf(line, "%s%s %s", first ? "" : " + ",
                    unit_write_count(number, accounts[i].count), accounts[i].words);
        first = false;
    }
}

static void accounts_line(const struct result *result, struct text *line)
{
    struct figure_accounts accounts;
    struct figure_sums sums;
    figure_accounts(result, &accounts);
    figure_sums(result->total, &sums);
    const struct account due[] = {{sums.offered, "offered"},
                                  {accounts.waiting_begin, "waiting before"}};
    const struct account became[] = {
        {sums.started, "started"}, {accounts.waiting_end, "waiting"}, {sums.dropped, "dropped"}};
    const struct account begun[] = {{sums.started, "started"},
                                    {accounts.in_flight_begin, "in flight before"}};
    const struct account ended[] = {{sums.succeeded, "succeeded"},
                                    {sums.failed - sums.timed_out, "failed"},
                                    {sums.timed_out, "timed out"},
                                    {sums.abandoned, "abandoned"},
                                    {accounts.in_flight_end, "in flight"}};
    text_puts(line, accounts.close ? "close: " : "DO NOT CLOSE: ");
    account_side(due, 2, line);
    text_puts(line, accounts.offered_off ? " ≠ " : " = ");
    account_side(became, 3, line);
    text_puts(line, "; ");
    account_side(begun, 2, line);
    text_puts(line, accounts.started_off ? " ≠ " : " = ");
    account_side(ended, 5, line);
    if (!accounts.close)
        text_printf(line, "; off by %" PRId64 " and %" PRId64 " requests: please report this",
                    accounts.offered_off, accounts.started_off);
}

static void generator_line(const struct result *result, struct text *line)
{
    const char *verdict = result_fact(result, "generator.verdict");
    const char *reason = result_fact(result, "generator.reason");
    char number[UNIT_ROOM];
    struct figure_sums sums;
    struct figure_times lag;
    figure_sums(result->total, &sums);
    figure_times(result_hist(result->total, HIST_LATE), NULL, &lag);
    text_puts(line, verdict ? verdict : "not judged");
    if (reason && reason[0])
        text_printf(line, ": %s", reason);
    text_printf(line, " (%" PRIu32 " thread%s", result->segments, result->segments == 1 ? "" : "s");
    const char *cpu = result_fact(result, "generator.cpu_share");
    double share = 0.0;
    if (cpu && unit_read_share(span_of(cpu), &share) == 0)
        text_printf(line, ", cpu %s", unit_write_share(number, share));
    if (lag.p99.known)
        text_printf(line, ", own lag p99 %s", unit_write_duration(number, lag.p99.ns));
    text_printf(line, ", %s late", unit_write_count(number, sums.late));
    text_printf(line, ", %s dropped)", unit_write_count(number, sums.dropped));
}

void summary_put_trust(const struct result *result, const struct show_options *options,
                       struct text *out)
{
    struct text line = TEXT_EMPTY;
    accounts_line(result, &line);
    summary_put_line("accounts", line.at, options, out);
    text_clear(&line);
    generator_line(result, &line);
    summary_put_line("generator", line.at, options, out);
    text_fini(&line);
}

void summary_put_next(const struct result *result, const struct show_options *options,
                      struct text *out)
{
    const char *next = result_fact(result, "next");
    if (next || options->report_path)
        text_putc(out, '\n');
    if (next)
        summary_put_line("next", next, options, out);
    if (options->report_path)
        summary_put_line("report", options->report_path, options, out);
}
