/* run/open.h - where a run file goes and what stands at its head. */
#ifndef RUN_OPEN_H
#define RUN_OPEN_H

#include "plan/plan.h"
#include "record/recorder.h"
#include "run/run.h"

/* Makes the directory, and those above it, when missing, and sees that it can be written. Returns 0
 * or -errno. */
int run_directory_make(const char *directory);

/* Creates the run file, named after the wall clock and the plan ("2026-11-20T14-02-07-chat.plim"; a
 * number is added when that exists), and its recorder. path: owner is the caller. Returns 0 or
 * -errno. */
struct run_open_options {
    const struct run_options *options;
    const struct metric_table *metrics;
    const struct run_phase *phases;
    size_t phase_count;
    uint32_t threads;
};
int run_open_record(const struct run_open_options *options, struct recorder **recorder,
                    char **path);

#endif
