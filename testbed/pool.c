/* Threads, two lists under one lock, and an eventfd that wakes the loop; see pool.h. */
#include "testbed/pool.h"

#include "base/check.h"
#include "base/memory.h"
#include "testbed/quota.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct pool {
    struct loop *loop;
    unsigned threads, started;
    bool virtual_time, stopping;
    nsec_t *free_ns; /* of each thread, in virtual time */
    struct watch watch;
    pthread_t *ids;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t wanted;
    struct list waiting, running, over;
    struct pool_counts counts;
    struct quota *quota; /* NULL: none */
};

struct pool *pool_new(struct loop *loop, unsigned threads)
{
    struct pool *pool = memory_new(1, sizeof *pool);
    check(threads > 0);
    pool->loop = loop;
    pool->threads = threads;
    pool->watch.fd = -1;
    pool->ids = memory_new(threads, sizeof *pool->ids);
    pool->free_ns = memory_new(threads, sizeof *pool->free_ns);
    pool->counts.threads = threads;
    list_init(&pool->waiting);
    list_init(&pool->running);
    list_init(&pool->over);
    check(pthread_mutex_init(&pool->lock, NULL) == 0);
    check(pthread_cond_init(&pool->wanted, NULL) == 0);
    return pool;
}

void pool_limit(struct pool *pool, double processors)
{
    pool->quota = quota_free(pool->quota);
    pool->quota = quota_new(processors);
}

/* When work that begins now is over by its cost and the quota. */
static nsec_t book(const struct pool *pool, const struct job *job, nsec_t begin_ns)
{
    return pool->quota ? quota_book(pool->quota, begin_ns, job->cost_ns) : begin_ns + job->cost_ns;
}

static void wake(const struct pool *pool)
{
    uint64_t one = 1;
    ssize_t written = write(pool->watch.fd, &one, sizeof one);
    (void)written; /* a counter that is full has woken the loop already */
}

/* ---- on the threads ---------------------------------------------------------------------------
 */

static struct job *take(struct pool *pool)
{
    while (list_empty(&pool->waiting) && !pool->stopping)
        pthread_cond_wait(&pool->wanted, &pool->lock);
    if (pool->stopping)
        return NULL;
    struct job *job = list_entry(list_take(&pool->waiting), struct job, node);
    list_append(&pool->running, &job->node);
    pool->counts.waiting--;
    if (++pool->counts.running > pool->counts.most_running)
        pool->counts.most_running = pool->counts.running;
    return job;
}

static void sleep_until(nsec_t at_ns)
{
    struct timespec at = {.tv_sec = at_ns / NSEC_PER_SEC, .tv_nsec = at_ns % NSEC_PER_SEC};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        continue;
}

static void *serve(void *self)
{
    struct pool *pool = self;
    struct job *job;
    pthread_mutex_lock(&pool->lock);
    while ((job = take(pool))) {
        job->begun_ns = clock_monotonic_ns();
        pthread_mutex_unlock(&pool->lock);
        job->work(job);
        pthread_mutex_lock(&pool->lock);
        nsec_t until_ns = pool->quota ? book(pool, job, job->begun_ns) : 0;
        if (until_ns) {
            pthread_mutex_unlock(&pool->lock);
            sleep_until(until_ns);
            pthread_mutex_lock(&pool->lock);
        }
        job->ended_ns = clock_monotonic_ns();
        list_remove(&job->node);
        list_append(&pool->over, &job->node);
        pool->counts.running--;
        pool->counts.done++;
        pool->counts.busy_ns += job->ended_ns - job->begun_ns;
        wake(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

void job_step(struct job *job)
{
    atomic_fetch_add(&job->steps, 1);
    if (!job->virtual_time)
        wake(job->pool);
}

/* ---- on the loop ------------------------------------------------------------------------------
 */

static void tell_steps(struct job *job)
{
    uint64_t steps = atomic_load(&job->steps);
    while (job->told < steps) {
        job->told++;
        if (job->stepped)
            job->stepped(job, job->told);
    }
}

static struct job *take_over(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct list *node = list_take(&pool->over);
    pthread_mutex_unlock(&pool->lock);
    return node ? list_entry(node, struct job, node) : NULL;
}

/* Steps of running jobs are told with the lock held, so that none ends meanwhile: what is told
 * appends some bytes to a reply and waits for nothing. */
static void on_event(struct watch *watch, unsigned what)
{
    struct pool *pool = list_entry(watch, struct pool, watch);
    uint64_t count;
    struct job *job;
    (void)what;
    while (read(watch->fd, &count, sizeof count) > 0)
        continue;
    pthread_mutex_lock(&pool->lock);
    for (struct list *node = pool->running.next; node != &pool->running; node = node->next)
        tell_steps(list_entry(node, struct job, node));
    pthread_mutex_unlock(&pool->lock);
    while ((job = take_over(pool))) {
        tell_steps(job);
        job->done(job);
    }
}

/* Signals are the business of the program's loop: a thread takes none. */
static int start_thread(struct pool *pool)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&pool->ids[pool->started], NULL, serve, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        pool->started++;
    return -error;
}

/* Joins the loop; one that watches nothing is simulated. */
static int join(struct pool *pool)
{
    if (pool->watch.fd >= 0 || pool->virtual_time)
        return 0;
    pool->watch.ready = on_event;
    pool->watch.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (pool->watch.fd < 0)
        return -errno;
    int error = loop_watch(pool->loop, &pool->watch, WATCH_READ);
    if (error) {
        close(pool->watch.fd);
        pool->watch.fd = -1;
    }
    pool->virtual_time = error == -ENOTSUP;
    return pool->virtual_time ? 0 : error;
}

static int start(struct pool *pool)
{
    int error = join(pool);
    if (pool->started || pool->virtual_time)
        return 0;
    while (error == 0 && pool->started < pool->threads)
        error = start_thread(pool);
    return pool->started ? 0 : error;
}

bool pool_is_virtual(struct pool *pool)
{
    return join(pool) == 0 && pool->virtual_time;
}

static void on_due(struct timer *timer, nsec_t now_ns)
{
    struct job *job = list_entry(timer, struct job, timer);
    (void)now_ns;
    list_remove(&job->node);
    job->pool->counts.done++;
    job->pool->counts.busy_ns += job->ended_ns - job->begun_ns;
    tell_steps(job);
    job->done(job);
}

/* The work is done at once; the job leaves when a thread that took its cost would have done it. */
static void submit_virtual(struct pool *pool, struct job *job)
{
    unsigned first = 0;
    job->virtual_time = true;
    job->work(job);
    for (unsigned i = 1; i < pool->threads; i++) {
        if (pool->free_ns[i] < pool->free_ns[first])
            first = i;
    }
    job->begun_ns =
        pool->free_ns[first] > job->submitted_ns ? pool->free_ns[first] : job->submitted_ns;
    job->ended_ns = pool->free_ns[first] = book(pool, job, job->begun_ns);
    list_append(&pool->running, &job->node);
    timer_init(&job->timer, on_due);
    timer_start(pool->loop, &job->timer, job->ended_ns);
}

int pool_submit(struct pool *pool, struct job *job)
{
    int error = start(pool);
    if (error)
        return error;
    job->pool = pool;
    job->told = 0;
    job->submitted_ns = loop_now(pool->loop);
    job->begun_ns = job->ended_ns = 0;
    job->virtual_time = false;
    atomic_store(&job->steps, 0);
    list_init(&job->node);
    if (pool->virtual_time) {
        submit_virtual(pool, job);
        return 0;
    }
    pthread_mutex_lock(&pool->lock);
    list_append(&pool->waiting, &job->node);
    pool->counts.waiting++;
    pthread_cond_signal(&pool->wanted);
    pthread_mutex_unlock(&pool->lock);
    return 0;
}

/* In virtual time all that is not over stands in one list, whether it has begun or not. */
static void count_virtual(const struct pool *pool, nsec_t now_ns, struct pool_counts *out)
{
    for (struct list *node = pool->running.next; node != &pool->running; node = node->next) {
        const struct job *job = list_entry(node, struct job, node);
        if (job->begun_ns > now_ns) {
            out->waiting++;
            continue;
        }
        nsec_t length_ns = job->ended_ns - job->begun_ns, gone_ns = now_ns - job->begun_ns;
        out->running++;
        out->busy_ns += gone_ns < length_ns ? gone_ns : length_ns;
    }
}

void pool_counts(struct pool *pool, struct pool_counts *out)
{
    nsec_t now_ns = loop_now(pool->loop);
    struct quota_counts quota = {0};
    pthread_mutex_lock(&pool->lock);
    *out = pool->counts;
    if (pool->quota) {
        quota_counts(pool->quota, now_ns, &quota);
        out->periods = quota.periods;
        out->throttled = quota.throttled;
        out->throttled_ns = quota.throttled_ns;
    }
    if (pool->virtual_time)
        count_virtual(pool, now_ns, out);
    if (pool->quota)
        out->busy_ns = quota.used_ns; /* who waits for the next period uses no processor */
    pthread_mutex_unlock(&pool->lock);
}

static void finish(struct list *jobs, const struct pool *pool)
{
    struct list *node;
    while ((node = list_take(jobs))) {
        struct job *job = list_entry(node, struct job, node);
        if (pool->virtual_time)
            timer_stop(pool->loop, &job->timer);
        job->done(job);
    }
}

struct pool *pool_free(struct pool *pool)
{
    if (!pool)
        return NULL;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->wanted);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->started; i++)
        pthread_join(pool->ids[i], NULL);
    if (pool->watch.fd >= 0) {
        loop_watch(pool->loop, &pool->watch, 0);
        close(pool->watch.fd);
    }
    finish(&pool->over, pool);
    finish(&pool->waiting, pool);
    finish(&pool->running, pool);
    pthread_cond_destroy(&pool->wanted);
    pthread_mutex_destroy(&pool->lock);
    quota_free(pool->quota);
    free(pool->ids);
    free(pool->free_ns);
    free(pool);
    return NULL;
}
