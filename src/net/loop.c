/* The real loop: epoll, edge-triggered for streams, waiting to the nanosecond with epoll_pwait2.
 *
 * One turn: wait (until the caller's instant or the next timer), hand out events, run timers.
 * Timers run after events, so that a reply that is already here is not called late by its own
 * timeout. */
#include "net/loop.h"

#include "base/check.h"
#include "base/memory.h"
#include "net/loop_real.h"
#include "net/wheel.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 256 }; /* events taken by one wait */

struct loop {
    int epoll, wake;
    bool slack_set; /* timer slack is a thread's property: set by the thread that turns the loop */
    int taken, at;  /* events of the present batch, and the next one to hand out */
    struct epoll_event batch[BATCH];
    nsec_t asleep_ns, worst_lag_ns;
    struct wheel wheel;
};

int loop_new(struct loop **out)
{
    struct loop *loop = memory_new(1, sizeof *loop);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->epoll < 0 || loop->wake < 0) {
        int error = -errno;
        loop_free(loop);
        return error;
    }
    wheel_init(&loop->wheel, clock_monotonic_ns());
    int error = loop_register(loop, loop->wake, loop, LOOP_SELF, EPOLLIN);
    if (error) {
        loop_free(loop);
        return error;
    }
    *out = loop;
    return 0;
}

struct loop *loop_free(struct loop *loop)
{
    if (!loop)
        return NULL;
    if (loop->epoll >= 0)
        close(loop->epoll);
    if (loop->wake >= 0)
        close(loop->wake);
    free(loop);
    return NULL;
}

nsec_t loop_now(const struct loop *loop)
{
    (void)loop;
    return clock_monotonic_ns();
}

int loop_register(struct loop *loop, int fd, void *thing, enum loop_kind kind, uint32_t events)
{
    check(((uintptr_t)thing & 3) == 0);
    struct epoll_event event = {.events = events, .data.u64 = (uintptr_t)thing | (unsigned)kind};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return 0;
    return errno == EEXIST && epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event) == 0 ? 0 : -errno;
}

void loop_forget(struct loop *loop, const void *thing)
{
    for (int i = loop->at; i < loop->taken; i++) {
        if ((loop->batch[i].data.u64 & ~UINT64_C(3)) == (uintptr_t)thing)
            loop->batch[i].data.u64 = 0;
    }
}

static int wait_for_events(struct loop *loop, nsec_t until_ns)
{
    nsec_t before_ns = clock_monotonic_ns();
    nsec_t next_ns = wheel_next(&loop->wheel);
    nsec_t wait_ns = (next_ns < until_ns ? next_ns : until_ns) - before_ns;
    if (until_ns == NSEC_NEVER && next_ns == NSEC_NEVER)
        wait_ns = 3600 * NSEC_PER_SEC;
    if (wait_ns <= 0)
        return epoll_wait(loop->epoll, loop->batch, BATCH, 0);
    struct timespec patience = {.tv_sec = wait_ns / NSEC_PER_SEC,
                                .tv_nsec = wait_ns % NSEC_PER_SEC};
    int taken = epoll_pwait2(loop->epoll, loop->batch, BATCH, &patience, NULL);
    if (taken < 0 && errno == ENOSYS) /* before Linux 5.11: to the millisecond */
        taken = epoll_wait(loop->epoll, loop->batch, BATCH, (int)(wait_ns / NSEC_PER_MSEC) + 1);
    loop->asleep_ns += clock_monotonic_ns() - before_ns;
    return taken;
}

static void hand_out(struct loop *loop, const struct epoll_event *event)
{
    void *thing = (void *)(uintptr_t)(event->data.u64 & ~UINT64_C(3));
    enum loop_kind kind = event->data.u64 & 3;
    if (!thing)
        return;
    if (kind == LOOP_SELF) {
        uint64_t count;
        while (read(loop->wake, &count, sizeof count) > 0)
            continue;
    } else if (kind == LOOP_WATCH) {
        struct watch *watch = thing;
        unsigned what = (event->events & EPOLLOUT ? WATCH_WRITE : 0U);
        if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            what |= WATCH_READ;
        watch->ready(watch, what);
    } else {
        stream_dispatch(thing, kind, event->events);
    }
}

/* With thousands of connections the next one's memory is not in the cache: it is asked for while
 * the present one is handled. (Profile at 10,000 connections: most of the time in user space was
 * first touches.) */
static void prefetch(const struct epoll_event *next)
{
    const char *thing = (const char *)(uintptr_t)(next->data.u64 & ~UINT64_C(3));
    for (size_t line = 0; line < 6; line++)
        __builtin_prefetch(thing + 64 * line);
}

int loop_turn(struct loop *loop, nsec_t until_ns)
{
    if (!loop->slack_set) {
        prctl(PR_SET_TIMERSLACK, 1UL); /* the default of 50 us would be added to every wait */
        loop->slack_set = true;
    }
    loop->at = loop->taken = 0;
    int taken = wait_for_events(loop, until_ns);
    if (taken < 0)
        return errno == EINTR ? 0 : -errno;
    loop->taken = taken;
    while (loop->at < loop->taken) {
        struct epoll_event event = loop->batch[loop->at++];
        if (loop->at < loop->taken)
            prefetch(&loop->batch[loop->at]);
        hand_out(loop, &event);
    }
    return taken + wheel_run(&loop->wheel, clock_monotonic_ns(), &loop->worst_lag_ns);
}

void loop_wake(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t written = write(loop->wake, &one, sizeof one);
    (void)written; /* EAGAIN: it is awake already */
}

void loop_usage(struct loop *loop, nsec_t *asleep_ns, nsec_t *worst_lag_ns)
{
    *asleep_ns = loop->asleep_ns;
    *worst_lag_ns = loop->worst_lag_ns;
    loop->asleep_ns = loop->worst_lag_ns = 0;
}

void timer_start(struct loop *loop, struct timer *timer, nsec_t due_ns)
{
    wheel_stop(&loop->wheel, timer);
    wheel_start(&loop->wheel, timer, due_ns);
}

void timer_stop(struct loop *loop, struct timer *timer)
{
    wheel_stop(&loop->wheel, timer);
}

int loop_watch(struct loop *loop, struct watch *watch, unsigned what)
{
    if (!what) {
        loop_forget(loop, watch);
        return epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL) ? -errno : 0;
    }
    uint32_t events =
        (what & WATCH_READ ? (uint32_t)EPOLLIN : 0) | (what & WATCH_WRITE ? (uint32_t)EPOLLOUT : 0);
    return loop_register(loop, watch->fd, watch, LOOP_WATCH, events);
}
