/* show/suite_figures.h - the cells of a scale test's tables: of resources, which of the watched
 * figures stands for "the processor of the target". */
#ifndef SHOW_SUITE_FIGURES_H
#define SHOW_SUITE_FIGURES_H

#include "base/unit.h"
#include "study/level.h"

/* Shares of 1 over the level, means; NAN: not watched. The processor and memory of what is tested
 * come before those of the machine that it may share with the generator.
 *   instances   1: of the whole; more: of one instance, on average */
double suite_cpu(const struct level *level);
double suite_memory(const struct level *level);
/* Whether these two are of the machine alone, since nothing of the target was watched. */
bool suite_host_only(const struct level_series *series);
/* How far instances that are watched one by one differ in processor time: most less least, as a
 * share of their mean; NAN where they are not. */
double suite_skew(const struct level *level);
/* Use of the n-th GPU, from 0. */
double suite_gpu(const struct level *level, unsigned number);
/* How many GPUs any level of the series has. */
unsigned suite_gpus(const struct level_series *series);

/* "45%", or "–" when not known. Returns out. */
const char *suite_percent(char out[UNIT_ROOM], double share);
/* "78ms", "2.7s": as in the tables of the requirements; "–" when not known. Returns out. */
const char *suite_latency(char out[UNIT_ROOM], double seconds);
/* "125", "9.8"; "–" when not known. Returns out. */
const char *suite_rate(char out[UNIT_ROOM], double rate);

/* The load of a level: "50", "20/s", or "–". Returns out. */
const char *suite_users(char out[UNIT_ROOM], const struct level *level);
/* " users", " user", or nothing where the load is no users. */
const char *suite_users_word(const struct level *level);
/* "steady", "not steady", "short", "stopped", or what is worse: "all failed", "nothing ended",
 * "generator saturated". */
const char *suite_state(const struct level *level);

/* How large a share of linear scaling was reached: throughput a unit of load against that of the
 * first level. NAN when not known. */
double suite_speed_up(const struct level *level, const struct level *first);

#endif
