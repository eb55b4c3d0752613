/* host/thread.h - what one thread of this process got from the scheduler. */
#ifndef HOST_THREAD_H
#define HOST_THREAD_H

#include "base/clock.h"
#include "host/file.h"

/* Since the thread began; each may be HOST_UNKNOWN. */
struct thread_usage {
    uint64_t cpu_ns;       /* time on a processor */
    uint64_t run_delay_ns; /* time ready to run but waiting for a processor */
    uint64_t slices;       /* times it was put on a processor */
    uint64_t voluntary;    /* switches because it waited for something */
    uint64_t involuntary;  /* switches because its time was up or another was more urgent */
};

/* The calling thread's number, for thread_usage_read from any thread. */
uint64_t thread_number(void);

/* The processor time of the calling thread, exact to the instant (about 200 ns to ask). */
nsec_t thread_cpu_now(void);

/* Asks for the shortest slices of a processor for the calling thread: it gets no larger share, but
 * gets it sooner after it wakes, even where another thread has just begun a slice. Linux since 6.12
 * does so (sched_setattr(2), sched_runtime of a SCHED_OTHER thread); kernels before it take no
 * notice. Its nice value stays as it is. */
void thread_wake_soon(void);

/* Reads a thread of this process. Returns 0, or HOST_NOT_KNOWN when nothing of it is known (it has
 * ended, or the kernel keeps no such figures); all fields are then HOST_UNKNOWN. */
int thread_usage_read(const char *root, uint64_t thread, struct thread_usage *out);

#endif
