/* app/live.h - what is shown while a run goes on: plain lines, one for each call. */
#ifndef APP_LIVE_H
#define APP_LIVE_H

#include "app/terminal.h"
#include "plan/plan.h"
#include "run/run.h"

struct live;

/* Owner: caller, live_free. The stream and plan must outlive it. */
struct live *live_new(FILE *out, const struct terminal *terminal, const struct plan *plan);
/* Takes away what is on the screen and frees it; NULL is fine; returns NULL. */
struct live *live_free(struct live *live);
/* Shows the progress; NULL shows nothing. */
void live_show(struct live *live, const struct run_progress *progress);
/* Takes the panel away, so that a line can be printed; NULL is fine. */
void live_clear(struct live *live);

#endif
