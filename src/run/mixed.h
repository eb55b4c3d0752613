/* run/mixed.h - several plans at once: what a gateway, a retrieval service and a tool server do to
 * each other when all are used, measured over the time in which all of them are.
 *
 * Each plan is a run of its own, on threads of its own, beginning so long after the one before. */
#ifndef RUN_MIXED_H
#define RUN_MIXED_H

#include "run/suite.h"

struct mixed_options {
    struct run_options run; /* for each; its plan is not used, and progress is not asked for */
    struct plan *const *plans;
    size_t count;
    nsec_t offset_ns; /* from the beginning of one plan to that of the next */
};

/* Runs the plans. Returns 0 with the report filled: a series for each plan, of one level: what was
 * measured while all of them made load. Owner: caller, suite_report_fini. */
int mixed_run(const struct mixed_options *options, struct suite_report *out);

#endif
