/* run/overseer.h - looks at the generator once a second: brings the figures of the engines and of
 * the machine to the rules of run/generator.h, and marks saturated stretches in the record. */
#ifndef RUN_OVERSEER_H
#define RUN_OVERSEER_H

#include "plan/plan.h"
#include "record/recorder.h"
#include "record/result.h"
#include "run/generator.h"

struct overseer;

/* Looks at the machine for the first time. recorder and plan must outlive it. Owner: caller,
 * overseer_free. */
struct overseer *overseer_new(const struct plan *plan, struct recorder *recorder, uint32_t threads);
/* Frees it; NULL is fine; returns NULL. */
struct overseer *overseer_free(struct overseer *overseer);

/* Samples the machine; to be called about once a second. now_ns: since the run's start. */
void overseer_sample(struct overseer *overseer, nsec_t now_ns);

/* Judges the intervals of a result that are complete and not yet judged; with `all`, also the last
 * one. */
void overseer_judge(struct overseer *overseer, const struct result *result, bool all);

/* "ok (cpu 11 %, lag p99 0.2 ms)", for the live view; valid until the next call. */
const char *overseer_words(struct overseer *overseer, const struct result *recent);

/* Records the verdict and its figures as facts. Returns the state. */
enum generator_state overseer_conclude(struct overseer *overseer, const struct result *result);

/* Whether the target is on this machine. */
bool overseer_shares_machine(const struct overseer *overseer);

#endif
