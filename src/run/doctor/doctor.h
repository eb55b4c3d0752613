/* run/doctor/doctor.h - the diagnosis before a test: whether this machine can make the load,
 * whether what it would measure can be trusted, and whether the target is there.
 *
 * Each part looks at one thing and adds findings; none changes anything. Reading takes
 * milliseconds, but for doctor_storage (writes small files, about a second on a slow disk) and
 * doctor_target (asks, and waits at most a few seconds for each that does not answer). */
#ifndef RUN_DOCTOR_DOCTOR_H
#define RUN_DOCTOR_DOCTOR_H

#include "plan/plan.h"
#include "run/doctor/finding.h"
#include "watch/probe.h"

/* Processors, quota, steal, clock source, frequency governor, heat, memory, pressure. root: stands
 * before /proc and /sys ("" on a machine). */
void doctor_generator(const char *root, struct findings *findings);

/* How late this machine's timers are, and what reading its clock costs; takes about 0.1 s. */
void doctor_clock(struct findings *findings);

/* Descriptors, ephemeral ports, listening queues and what else of the kernel bounds a generator. */
void doctor_kernel(const char *root, struct findings *findings);

/* Interfaces with their errors and speed, repeated segments, listening sockets. */
void doctor_network(const char *root, struct findings *findings);

/* Free space and the latency of a durable write in the directory of run files, or in the nearest
 * one above that exists. */
void doctor_storage(const char *directory, struct findings *findings);

/* What each probe of the plan, or of every run, may read here and what not: each is opened and
 * looks twice. probes: by plan_plugged.number. */
void doctor_probes(const struct plan *plan, const struct probe *const *probes, size_t probe_count,
                   struct findings *findings);

/* The plan's needs against this machine, its targets' and services' answers, and whether a target
 * is a kubectl port-forward. */
void doctor_target(const char *root, const struct plan *plan, struct findings *findings);

#endif
