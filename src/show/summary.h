/* show/summary.h - the parts of the summary at the end of a run, in the order in which they are
 * read. Each appends whole lines, or nothing where it has nothing to say. */
#ifndef SHOW_SUMMARY_H
#define SHOW_SUMMARY_H

#include "record/result.h"
#include "show/writer.h"

/* PASS or FAIL with the reason, then the run in a line. */
void summary_put_verdict(const struct result *result, const struct show_options *options,
                         struct text *out);
/* What would make the next run tell more: the facts named advice.*. */
void summary_put_advice(const struct result *result, const struct show_options *options,
                        struct text *out);
/* Objectives and thresholds: target, what was measured, how it was judged. */
void summary_put_judged(const struct result *result, const struct show_options *options,
                        struct text *out);
/* A row for each request name, and one of all. */
void summary_put_requests(const struct result *result, const struct show_options *options,
                          struct text *out);
/* A row for each load level; nothing for fewer than two. */
void summary_put_levels(const struct result *result, const struct show_options *options,
                        struct text *out);
/* Response and service time side by side, why percentiles are missing, where the time went. */
void summary_put_times(const struct result *result, const struct show_options *options,
                       struct text *out);
/* Answers made of tokens: times to the first one and between them, tokens a second, and what makes
 * these doubtful; nothing for a run without such answers. */
/* Servers' declared limits of calls at once, and what was seen of them; nothing where none is
 * declared. */
void summary_put_concurrency(const struct result *result, const struct show_options *options,
                             struct text *out);
void summary_put_streamed(const struct result *result, const struct show_options *options,
                          struct text *out);
/* Errors by kind, status codes, failed checks, the commonest messages. */
void summary_put_errors(const struct result *result, const struct show_options *options,
                        struct text *out);
/* The accounts and the generator: how far to trust the numbers. */
void summary_put_trust(const struct result *result, const struct show_options *options,
                       struct text *out);
/* What to do next, and where the report is. */
void summary_put_next(const struct result *result, const struct show_options *options,
                      struct text *out);

#endif
