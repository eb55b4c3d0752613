/* testbed/pool.h - a few threads for what would hold up the loop: a search through all vectors, a
 * child process, a page fetched.
 *
 * Everything else of the testbed is arithmetic on one thread, and stays punctual only if nothing
 * long runs there. A job is done on a thread of its pool, first come first served, and told to the
 * loop when it is over. A job that computes takes a processor all the same: on a machine whose
 * processors are all at work, replies of other services leave late by as much, which is why the
 * number of threads is an option and 1 where it computes.
 *
 *   Threads  are started with the first job. A job belongs to its thread between submission and
 *            `done`; nothing else of the testbed may be touched from `work`.
 *   Virtual  on a simulated loop the work is done within pool_submit, and `done` is told after the
 *            job's known cost, with as many servers as the pool has threads; busy_ns is then
 *            exact at each instant. */
#ifndef TESTBED_POOL_H
#define TESTBED_POOL_H

#include "base/list.h"
#include "net/loop.h"

#include <stdatomic.h>
#include <stdint.h>

struct pool;

/* Lives inside what is to be done. */
struct job {
    struct list node;
    void (*work)(struct job *job);                   /* on a thread of the pool */
    void (*stepped)(struct job *job, uint64_t step); /* on the loop: steps were made; or NULL */
    void (*done)(struct job *job);                   /* on the loop; may free the job */
    nsec_t cost_ns;    /* of work by its law, which work itself may set; for virtual time */
    bool virtual_time; /* set by the pool: work must not spend time on purpose */
    nsec_t submitted_ns, begun_ns, ended_ns;
    struct pool *pool;      /* set by the pool */
    _Atomic uint64_t steps; /* made by work, with job_step */
    uint64_t told;          /* private: steps that the loop knows of */
    struct timer timer;     /* private: in virtual time */
};

/* Makes a pool of this many threads (at least 1), none started yet. Owner: caller. */
struct pool *pool_new(struct loop *loop, unsigned threads);
/* Gives all its threads together a quota of so many processors (quota.h), before the first job. In
 * real time a job's end is held back until it would be over by the quota's arithmetic. */
void pool_limit(struct pool *pool, double processors);
/* Waits for the work that is being done, and gives all jobs to `done` (which must not submit). NULL
 * is fine; returns NULL. */
struct pool *pool_free(struct pool *pool);

/* Hands over a job. Returns 0, or -errno when no thread could be started. */
int pool_submit(struct pool *pool, struct job *job);
/* From within work: one more step is made, of which the loop is told. */
void job_step(struct job *job);

/* Whether its loop is simulated. */
bool pool_is_virtual(struct pool *pool);

struct pool_counts {
    unsigned threads;
    uint64_t waiting, running; /* now */
    uint64_t most_running;     /* at once, so far */
    uint64_t done;
    nsec_t busy_ns;              /* of all threads together, of jobs that are done */
    uint64_t periods, throttled; /* of the quota, as a cgroup counts them; 0 without */
    nsec_t throttled_ns;
};
void pool_counts(struct pool *pool, struct pool_counts *out);

#endif
