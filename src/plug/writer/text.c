/* The summary at the end of a run: the verdict, the figures, how far to trust them, notes on the
 * plan, what to do next. */
#include "plug/writer/writer_list.h"
#include "show/summary.h"

static int write_text(const struct result *result, const struct show_options *options,
                      struct text *out)
{
    summary_put_verdict(result, options, out);
    summary_put_judged(result, options, out);
    summary_put_requests(result, options, out);
    summary_put_levels(result, options, out);
    summary_put_times(result, options, out);
    summary_put_streamed(result, options, out);
    summary_put_concurrency(result, options, out);
    summary_put_errors(result, options, out);
    summary_put_trust(result, options, out);
    summary_put_advice(result, options, out);
    summary_put_next(result, options, out);
    return 0;
}

const struct writer writer_text = {
    .name = "text",
    .file = "summary.txt",
    .sentence = "the summary that fits a terminal",
    .write = write_text,
};
