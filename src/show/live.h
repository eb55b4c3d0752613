/* show/live.h - the run while it runs: a line every few seconds through a pipe, and on a terminal a
 * panel of a few lines that is drawn anew in its place. Both only append text; whoever owns the
 * terminal writes it. */
#ifndef SHOW_LIVE_H
#define SHOW_LIVE_H

#include "base/text.h"
#include "run/run.h"
#include "show/writer.h"

/* Appends one line, ended by a line feed:
 * "0:35 of 1:15  level 2 of 3: 50 users  50 users  128 req/s  p50 483 ms  p95 1.34 s  0 errors". */
void show_live_line(const struct run_progress *progress, const struct show_options *options,
                    struct text *out);

/* The panel's memory: how many lines of it stand on the terminal, and its past for the sparkline.
 * Zeroed is a fresh one. */
enum { LIVE_PAST = 60 };
struct live_panel {
    unsigned lines;         /* that the last drawing left on the terminal */
    double past[LIVE_PAST]; /* p95 in ms, oldest first; NAN where nothing was answered */
    size_t past_count;
    nsec_t past_end_ns; /* last interval that is in it */
};

/* Appends what redraws the panel over its last drawing: the cursor goes up, each line is cleared
 * and written, cut to the terminal's width. */
void show_live_panel(struct live_panel *panel, const struct run_progress *progress,
                     const struct show_options *options, struct text *out);

/* Appends what takes the panel off the terminal, before the summary or a message is written. */
void show_live_clear(struct live_panel *panel, struct text *out);

#endif
