/* Figures of answers made of tokens; see figure_llm.h. */
#include "show/figure_llm.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static uint64_t counter(const struct result_sum *sum, const struct metric_table *metrics,
                        const char *name)
{
    for (size_t i = CORE_COUNTERS; i < metrics->counter_count; i++)
        if (strcmp(metrics->counters[i].name, name) == 0)
            return sum->counters[i];
    return 0;
}

static void times(const struct result_sum *sum, const struct metric_table *metrics,
                  const char *name, struct figure_times *out)
{
    const struct hist *hist = NULL;
    for (uint32_t i = CORE_HISTS; i < metrics->hist_count && !hist; i++)
        if (strcmp(metrics->hists[i].name, name) == 0)
            hist = result_hist(sum, i);
    if (hist) /* else it stays as it was made: nothing recorded */
        figure_times(hist, NULL, out);
}

static void read_counters(const struct result_sum *sum, const struct metric_table *metrics,
                          struct figure_llm *out)
{
    static const struct {
        const char *name;
        size_t offset;
    } rows[] = {
        {"streams", offsetof(struct figure_llm, streams)},
        {"content_events", offsetof(struct figure_llm, content_events)},
        {"output_tokens", offsetof(struct figure_llm, output_tokens)},
        {"prompt_tokens", offsetof(struct figure_llm, prompt_tokens)},
        {"cached_tokens", offsetof(struct figure_llm, cached_tokens)},
        {"reasoning_tokens", offsetof(struct figure_llm, reasoning_tokens)},
        {"tokens_from_continuous_usage", offsetof(struct figure_llm, from_continuous)},
        {"tokens_from_usage", offsetof(struct figure_llm, from_usage)},
        {"tokens_from_events", offsetof(struct figure_llm, from_events)},
        {"empty_streams", offsetof(struct figure_llm, empty)},
        {"unstreamed", offsetof(struct figure_llm, unstreamed)},
        {"burst_streams", offsetof(struct figure_llm, bursts)},
        {"truncated_streams", offsetof(struct figure_llm, truncated_streams)},
        {"truncated_prompts", offsetof(struct figure_llm, truncated_prompts)},
        {"reply_errors", offsetof(struct figure_llm, reply_errors)},
        {"asked_prompt_tokens", offsetof(struct figure_llm, asked_prompt)},
        {"counted_prompt_tokens", offsetof(struct figure_llm, counted_prompt)},
        {"asked_output_tokens", offsetof(struct figure_llm, asked_output)},
        {"counted_output_tokens", offsetof(struct figure_llm, counted_output)},
        {"later_turns", offsetof(struct figure_llm, later_turns)},
        {"forgetful_turns", offsetof(struct figure_llm, forgetful_turns)},
        {"answers_cut", offsetof(struct figure_llm, answers_cut)},
        {"good", offsetof(struct figure_llm, good)},
        {"missed", offsetof(struct figure_llm, judged)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        *(uint64_t *)((char *)out + rows[i].offset) = counter(sum, metrics, rows[i].name);
}

static void read_times(const struct result_sum *sum, const struct metric_table *metrics,
                       struct figure_llm *out)
{
    times(sum, metrics, "ttft", &out->ttft);
    times(sum, metrics, "ttft_service", &out->ttft_service);
    times(sum, metrics, "ttfat", &out->ttfat);
    times(sum, metrics, "itl", &out->itl);
    times(sum, metrics, "itl_token", &out->itl_token);
    times(sum, metrics, "tpot", &out->tpot);
    times(sum, metrics, "e2e_content", &out->e2e_content);
    times(sum, metrics, "server_load", &out->server_load);
    times(sum, metrics, "server_prompt", &out->server_prompt);
    times(sum, metrics, "server_decode", &out->server_decode);
}

bool figure_llm(const struct result_sum *sum, const struct metric_table *metrics,
                struct figure_llm *out)
{
    *out = (struct figure_llm){.streams = 0};
    if (!sum)
        return false;
    read_counters(sum, metrics, out);
    read_times(sum, metrics, out);
    out->judged += out->good;
    double seconds = (double)sum->measured_ns / (double)NSEC_PER_SEC;
    out->output_rate = seconds > 0 ? (double)out->output_tokens / seconds : NAN;
    out->prompt_rate = seconds > 0 ? (double)out->prompt_tokens / seconds : NAN;
    out->stream_rate = out->tpot.mean.known && out->tpot.mean.ns > 0
                           ? (double)NSEC_PER_SEC / (double)out->tpot.mean.ns
                           : NAN;
    out->good_rate = out->judged && seconds > 0 ? (double)out->good / seconds : NAN;
    out->good_share = out->judged ? (double)out->good / (double)out->judged : NAN;
    out->burst_share = out->streams ? (double)out->bursts / (double)out->streams : NAN;
    return out->streams || out->content_events || out->output_tokens || out->prompt_tokens ||
           out->reply_errors || out->truncated_streams || out->judged || out->later_turns;
}

char *figure_llm_source(const struct figure_llm *figures)
{
    struct text words = TEXT_EMPTY;
    if (figures->from_continuous)
        text_puts(&words, "continuous usage");
    if (figures->from_usage)
        text_printf(&words, "%susage", words.bytes ? " and " : "");
    if (figures->from_events)
        text_printf(&words, "%sevents", words.bytes ? " and " : "");
    if (words.bytes == 0)
        text_puts(&words, figures->output_tokens ? "events" : "no source");
    return text_take(&words);
}
