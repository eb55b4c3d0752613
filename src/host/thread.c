/* host/thread.c - schedstat has three numbers: time run, time waited to run, times put to run. */
#include "host/thread.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint64_t thread_number(void)
{
    return (uint64_t)gettid();
}

nsec_t thread_cpu_now(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* The least that the kernel grants. */
enum { SHORTEST_SLICE_NS = 100000 };

void thread_wake_soon(void)
{
    struct sched_attr attributes = {.size = sizeof attributes};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 ||
        attributes.sched_policy != SCHED_NORMAL)
        return;
    attributes.sched_runtime = SHORTEST_SLICE_NS;
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

static void read_of(const char *root, uint64_t thread, const char *file, struct text *out)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "/proc/self/task/%llu/%s", (unsigned long long)thread, file);
    host_read(root, path.at, out);
    text_fini(&path);
}

int thread_usage_read(const char *root, uint64_t thread, struct thread_usage *out)
{
    struct text bytes = TEXT_EMPTY;
    read_of(root, thread, "schedstat", &bytes);
    struct span words = span_trim(text_span(&bytes));
    out->cpu_ns = host_number(host_word(&words));
    out->run_delay_ns = host_number(host_word(&words));
    out->slices = host_number(host_word(&words));
    read_of(root, thread, "status", &bytes);
    out->voluntary = host_value(text_span(&bytes), "voluntary_ctxt_switches");
    out->involuntary = host_value(text_span(&bytes), "nonvoluntary_ctxt_switches");
    text_fini(&bytes);
    bool any = host_known(out->cpu_ns) || host_known(out->run_delay_ns) ||
               host_known(out->voluntary) || host_known(out->involuntary);
    return any ? 0 : HOST_NOT_KNOWN;
}
