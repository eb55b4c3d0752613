/* app/live.h - the live view on the error stream: a panel on a terminal, lines elsewhere (what they
 * show is show/live.h's). On the error stream, so that the output stream carries the report
 * only. */
#ifndef APP_LIVE_H
#define APP_LIVE_H

#include "app/terminal.h"
#include "run/run.h"

struct live;

/* Owner: caller, live_free. The stream must outlive it. */
struct live *live_new(FILE *out, const struct terminal *terminal);
/* Takes away what is on the screen and frees it; NULL is fine; returns NULL. */
struct live *live_free(struct live *live);
/* Shows the progress. */
void live_show(struct live *live, const struct run_progress *progress);
/* Takes the panel away, so that a line can be printed; NULL is fine. */
void live_clear(struct live *live);

#endif
