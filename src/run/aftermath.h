/* run/aftermath.h - whether a test left the machine as it found it: processor time, memory and GPU
 * memory before it and after it, side by side. */
#ifndef RUN_AFTERMATH_H
#define RUN_AFTERMATH_H

#include "base/text.h"
#include "plan/plan.h"
#include "watch/probe.h"

#include <stddef.h>

struct aftermath;

/* Looks before the test, through the plan's probes named cpu, memory and gpu (probes: by
 * plan_plugged.number); takes about a quarter of a second. NULL: the plan watches none of them, or
 * nothing could be read. Owner: caller, aftermath_free. */
struct aftermath *aftermath_before(const struct plan *plan, const struct probe *const *probes,
                                   size_t probe_count);
/* Frees it; NULL is fine; returns NULL. */
struct aftermath *aftermath_free(struct aftermath *aftermath);

/* Looks again and appends both in words: "processors 3 % busy before, 4 % after; memory 2.1 GiB
 * before, 2.2 GiB after". Returns whether something is still held that was free before: memory, or
 * a GPU's, by more than a twentieth of all of it. */
bool aftermath_after(struct aftermath *aftermath, struct text *out);

#endif
