/* The summary's lines on answers made of tokens; see summary.h. */
#include "show/figure_llm.h"
#include "show/summary.h"
#include "show/summary_line.h"

#include <math.h>
#include <stdlib.h>

static void put_time(const char *words, struct figure_time time, struct text *line)
{
    char number[FIGURE_ROOM];
    if (time.known)
        text_printf(line, "%s %s", words, figure_write_time(number, time));
}

/* "ttft p50 34 ms p95 41 ms": the percentiles that can be carried, else the mean. */
static void put_spread(const char *name, const struct figure_times *times, struct text *line)
{
    if (times->count == 0)
        return;
    text_printf(line, "%s%s", line->bytes ? " · " : "", name);
    put_time(times->p50.known ? " p50" : " mean", times->p50.known ? times->p50 : times->mean,
             line);
    put_time(" p95", times->p95, line);
    put_time(" p99", times->p99, line);
}

static void put_rate(double rate, const char *words, struct text *line)
{
    char number[UNIT_ROOM];
    if (isfinite(rate) && rate > 0)
        text_printf(line, "%s%s %s", line->bytes ? " · " : "", unit_write_number(number, rate),
                    words);
}

static void put_tokens(const struct figure_llm *figures, struct text *line)
{
    char *source = figure_llm_source(figures);
    put_rate(figures->output_rate, "tok/s", line);
    put_rate(figures->stream_rate, "tok/s a stream", line);
    put_rate(figures->prompt_rate, "prompt tok/s", line);
    text_printf(line, "%stokens from %s", line->bytes ? " · " : "", source);
    free(source);
}

static void put_goodput(const struct figure_llm *figures, struct text *line)
{
    char number[UNIT_ROOM];
    if (!figures->judged)
        return;
    text_printf(line, "%sgoodput %s/s", line->bytes ? " · " : "",
                unit_write_number(number, figures->good_rate));
    text_printf(line, " (%s)", unit_write_share(number, figures->good_share));
}

static void put_count(uint64_t count, const char *words, struct text *line)
{
    char number[UNIT_ROOM];
    if (count)
        text_printf(line, "%s%s %s", line->bytes ? " · " : "", unit_write_count(number, count),
                    words);
}

/* "prompts asked for 20,000 tokens, counted 20,412 (+2.1 %)" */
static void put_asked(const char *what, uint64_t asked, uint64_t counted, struct text *line)
{
    char number[UNIT_ROOM], share[UNIT_ROOM];
    if (!asked)
        return;
    double more = (double)counted / (double)asked - 1;
    text_printf(line, "%s%s %s tokens", line->bytes ? " · " : "", what,
                unit_write_count(number, asked));
    text_printf(line, ", counted %s", unit_write_count(number, counted));
    if (counted != asked)
        text_printf(line, " (%s%s)", more < 0 ? "-" : "+", unit_write_share(share, fabs(more)));
}

/* Lengths that the plan asked for, beside what the server counted. */
static void put_lengths(const struct figure_llm *figures, struct text *line)
{
    put_asked("prompts asked for", figures->asked_prompt, figures->counted_prompt, line);
    if (figures->asked_prompt || figures->later_turns)
        put_asked("answers up to", figures->asked_output, figures->counted_output, line);
    put_count(figures->later_turns, "later turns of conversations", line);
}

/* What makes the figures mean something else than they seem to. */
static void put_doubts(const struct figure_llm *figures, struct text *line)
{
    put_count(figures->truncated_streams, "streams cut off", line);
    put_count(figures->reply_errors, "errors in replies of status 200", line);
    put_count(figures->truncated_prompts, "prompts truncated by the server", line);
    put_count(figures->empty, "streams without content", line);
    put_count(figures->unstreamed, "answers whole though a stream was asked for", line);
    put_count(figures->bursts, "streams in one burst: something on the way collects them", line);
    put_count(figures->forgetful_turns, "turns without the oldest (max_context)", line);
    put_count(figures->answers_cut, "answers repeated in part only", line);
    put_count(figures->cached_tokens, "prompt tokens from the server's cache", line);
}

void summary_put_streamed(const struct result *result, const struct show_options *options,
                          struct text *out)
{
    struct figure_llm figures;
    struct text line = TEXT_EMPTY;
    if (!figure_llm(result->total, &result->metrics, &figures))
        return;
    text_putc(out, '\n');
    put_spread("ttft", &figures.ttft, &line);
    put_spread("itl", &figures.itl, &line);
    if (figures.tpot.count)
        put_time(" · tpot mean", figures.tpot.mean, &line);
    put_goodput(&figures, &line);
    if (line.bytes)
        summary_put_line("streamed", line.at, options, out);
    text_clear(&line);
    put_tokens(&figures, &line);
    summary_put_line(figures.ttft.count ? "" : "tokens", line.at, options, out);
    text_clear(&line);
    put_lengths(&figures, &line);
    if (line.bytes)
        summary_put_line("lengths", line.at, options, out);
    text_clear(&line);
    put_doubts(&figures, &line);
    if (line.bytes)
        summary_put_line("", line.at, options, out);
    text_fini(&line);
}
