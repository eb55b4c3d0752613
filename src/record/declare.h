/* record/declare.h - inside of record: the declarations of a run, as an empty result: head, labels,
 * metrics, requests, phases and services, every text a copy. */
#ifndef RECORD_DECLARE_H
#define RECORD_DECLARE_H

#include "record/recorder.h"
#include "record/result.h"

/* Declares from what the conductor knows. Owner: caller, result_free. */
struct result *declare_run(const struct run_declared *run);

/* A copy of another result's declarations; sums stay empty. Owner: caller, result_free. */
struct result *declare_copy(const struct result *from);

#endif
