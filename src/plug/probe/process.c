/* A service's processes: what they use, all together, and what becomes of them.
 *
 * Reading some figures takes time that grows with what is read (threads, pages): each such reading
 * is done as seldom as keeps it below a share of one processor. What is shared between processes
 * counts for each of them in rss, and in parts in pss. */
#include "base/memory.h"
#include "base/unit.h"
#include "plug/probe/local.h"
#include "plug/probe/probe_list.h"
#include "plug/probe/process_follow.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    COUNT,
    CPU,
    RSS,
    PSS,
    THREADS,
    DESCRIPTORS,
    RUN_DELAY,
    SWITCHES,
    PREEMPTIONS,
    READ_BYTES,
    WRITE_BYTES,
};

static const struct metric metrics[] = {
    [COUNT] =
        LOCAL_METRIC("process.count", "processes", "processes, those that it started too", "/proc"),
    [CPU] = LOCAL_METRIC("process.cpu", "processors",
                         "processor time used a second, user and system, all threads",
                         "/proc/PID/stat"),
    [RSS] = LOCAL_METRIC("process.rss", "bytes", "memory resident; what is shared counts for each",
                         "/proc/PID/stat"),
    [PSS] = LOCAL_METRIC("process.pss", "bytes", "memory resident; what is shared counts in parts",
                         "/proc/PID/smaps_rollup"),
    [THREADS] = LOCAL_METRIC("process.threads", "threads", "threads", "/proc/PID/stat"),
    [DESCRIPTORS] = LOCAL_METRIC("process.descriptors", "descriptors", "files and sockets open",
                                 "/proc/PID/fd"),
    [RUN_DELAY] = LOCAL_METRIC("process.run_delay", "s/s",
                               "time for which threads were ready and had no processor",
                               "/proc/PID/task/TID/schedstat"),
    [SWITCHES] = LOCAL_METRIC("process.context_switches", "1/s", "threads that began to wait",
                              "/proc/PID/task/TID/status"),
    [PREEMPTIONS] =
        LOCAL_METRIC("process.preemptions", "1/s", "threads that lost their processor to others",
                     "/proc/PID/task/TID/status"),
    [READ_BYTES] =
        LOCAL_METRIC("process.read_bytes", "bytes/s", "bytes read from storage", "/proc/PID/io"),
    [WRITE_BYTES] =
        LOCAL_METRIC("process.write_bytes", "bytes/s", "bytes written to storage", "/proc/PID/io"),
    {.name = NULL},
};

#define CONFIG(member) offsetof(struct process_wanted, member)

static const struct setting settings[] = {
    {.name = "name",
     .type = SETTING_TEXT,
     .offset = CONFIG(name),
     .sentence = "name of the program; a number is a pid, and self is this program"},
    {.name = "pid",
     .type = SETTING_UINT,
     .offset = CONFIG(pid),
     .most = 1 << 30,
     .sentence = "number of the process"},
    {.name = "port",
     .type = SETTING_UINT,
     .offset = CONFIG(port),
     .most = 65535,
     .sentence = "TCP port that it listens on"},
    {.name = "command",
     .type = SETTING_TEXT,
     .offset = CONFIG(command),
     .sentence = "a part of its command line"},
    {.name = "children",
     .type = SETTING_BOOL,
     .offset = CONFIG(children),
     .unset = "true",
     .sentence = "the processes that it starts too"},
    {.name = NULL},
};

/* A costly reading takes at most this part of one processor's time. */
#define COST_SHARE 2000
#define PSS_NS     (10 * NSEC_PER_SEC) /* and this one is not done more often */

/* When a costly reading is due again. */
struct costly {
    nsec_t due_ns, last_ns;
};

struct process_probe {
    struct local local;
    struct process_wanted wanted; /* texts are the config's */
    struct follow *follow;
    struct costly threads, io, descriptors, pss;
    bool there; /* at the look before */
};

/* ---- opening --------------------------------------------------------------------------------- */

static int process_open(const void *config, const struct probe_place *place, void **self,
                        struct text *why)
{
    struct process_wanted wanted = *(const struct process_wanted *)config;
    uint64_t pid = wanted.name ? host_number(span_of(wanted.name)) : HOST_UNKNOWN;
    bool own = wanted.name && strcmp(wanted.name, "self") == 0;
    if (own || host_known(pid)) {
        wanted.pid = own ? (uint64_t)getpid() : pid;
        wanted.name = NULL;
    }
    if (!wanted.pid && !wanted.name && !wanted.port && !wanted.command) {
        text_puts(why, "say which process: name, pid, port or command");
        return -EINVAL;
    }
    struct process_probe *probe = memory_new(1, sizeof *probe);
    probe->local.place = place;
    probe->wanted = wanted;
    probe->follow = follow_new(&probe->wanted, place);
    *self = probe;
    return 0;
}

static void process_close(void *self)
{
    struct process_probe *probe = self;
    follow_free(probe->follow);
    local_fini(&probe->local);
    free(probe);
}

/* ---- costly readings ------------------------------------------------------------------------- */

static bool is_due(const struct costly *costly, nsec_t at_ns)
{
    return at_ns >= costly->due_ns;
}

static void done(struct costly *costly, nsec_t at_ns, nsec_t begin_ns, nsec_t least_ns)
{
    nsec_t rest_ns = COST_SHARE * (clock_monotonic_ns() - begin_ns);
    costly->last_ns = at_ns;
    /* Looks come a little early or late: what is due within one is due now. */
    costly->due_ns = at_ns + (rest_ns > least_ns ? rest_ns : least_ns) - 50 * NSEC_PER_MSEC;
}

/* Sums of growths, NAN as soon as one of them is not known. */
static void add_growth(double *sum, uint64_t before, uint64_t now)
{
    *sum += local_known(host_growth(before, now));
}

static void look_at_threads(struct process_probe *probe, nsec_t at_ns, struct member *members,
                            size_t count, struct probe_sink *sink)
{
    nsec_t begin_ns = clock_monotonic_ns();
    double delay = 0, voluntary = 0, involuntary = 0;
    double elapsed = (double)(at_ns - probe->threads.last_ns) / (double)NSEC_PER_SEC;
    bool whole = probe->threads.last_ns > 0;
    if (!is_due(&probe->threads, at_ns))
        return;
    for (size_t i = 0; i < count; i++) {
        struct member *member = &members[i];
        struct usage_threads now;
        if (!member->alive)
            continue;
        usage_read_threads(probe->local.place->root, member->now.pid, &probe->local.text, &now);
        struct usage_threads before = member->threads;
        add_growth(&delay, before.run_delay_ns, now.run_delay_ns);
        add_growth(&voluntary, before.voluntary, now.voluntary);
        add_growth(&involuntary, before.involuntary, now.involuntary);
        member->threads = now;
    }
    done(&probe->threads, at_ns, begin_ns, 0);
    if (!whole)
        return;
    probe_value(sink, RUN_DELAY, "", delay / (double)NSEC_PER_SEC / elapsed);
    probe_value(sink, SWITCHES, "", voluntary / elapsed);
    probe_value(sink, PREEMPTIONS, "", involuntary / elapsed);
}

static void look_at_io(struct process_probe *probe, nsec_t at_ns, struct member *members,
                       size_t count, struct probe_sink *sink)
{
    nsec_t begin_ns = clock_monotonic_ns();
    double read = 0, written = 0;
    double elapsed = (double)(at_ns - probe->io.last_ns) / (double)NSEC_PER_SEC;
    bool whole = probe->io.last_ns > 0;
    if (!is_due(&probe->io, at_ns))
        return;
    for (size_t i = 0; i < count; i++) {
        struct usage_io now;
        if (!members[i].alive)
            continue;
        usage_read_io(probe->local.place->root, members[i].now.pid, &probe->local.text, &now);
        add_growth(&read, members[i].io.read_bytes, now.read_bytes);
        add_growth(&written, members[i].io.written_bytes, now.written_bytes);
        members[i].io = now;
    }
    done(&probe->io, at_ns, begin_ns, 0);
    if (!whole)
        return;
    probe_value(sink, READ_BYTES, "", read / elapsed);
    probe_value(sink, WRITE_BYTES, "", written / elapsed);
}

/* A level of each member, summed; NAN when one of them does not tell. */
static double sum_of(struct process_probe *probe, const struct member *members, size_t count,
                     bool pss)
{
    const char *root = probe->local.place->root;
    struct text *room = &probe->local.text;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t pid = members[i].now.pid;
        if (members[i].alive)
            sum +=
                local_known(pss ? usage_pss_bytes(root, pid, room) : usage_descriptors(root, pid));
    }
    return sum;
}

static void look_at_levels(struct process_probe *probe, nsec_t at_ns, const struct member *members,
                           size_t count, struct probe_sink *sink)
{
    nsec_t begin_ns = clock_monotonic_ns();
    if (is_due(&probe->descriptors, at_ns)) {
        probe_value(sink, DESCRIPTORS, "", sum_of(probe, members, count, false));
        done(&probe->descriptors, at_ns, begin_ns, 0);
    }
    begin_ns = clock_monotonic_ns();
    if (is_due(&probe->pss, at_ns)) {
        probe_value(sink, PSS, "", sum_of(probe, members, count, true));
        done(&probe->pss, at_ns, begin_ns, PSS_NS);
    }
}

/* ---- a look ---------------------------------------------------------------------------------- */

static void put_cheap(const struct process_probe *probe, const struct member *members, size_t count,
                      struct probe_sink *sink)
{
    double alive = 0, threads = 0, pages = 0;
    int64_t ticks = follow_ticks(probe->follow);
    for (size_t i = 0; i < count; i++) {
        if (!members[i].alive)
            continue;
        alive++;
        threads += local_known(members[i].now.threads);
        pages += local_known(members[i].now.rss_pages);
    }
    probe_value(sink, COUNT, "", alive);
    probe_value(sink, THREADS, "", threads);
    probe_value(sink, RSS, "", pages * (double)sysconf(_SC_PAGESIZE));
    if (probe->there && probe->local.elapsed_ns > 0 && ticks >= 0)
        probe_value(sink, CPU, "",
                    (double)ticks / USAGE_TICKS /
                        ((double)probe->local.elapsed_ns / (double)NSEC_PER_SEC));
}

static int process_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    struct process_probe *probe = self;
    struct member *members = NULL;
    size_t count = 0;
    local_begin(&probe->local, at_ns);
    if (follow_look(probe->follow, at_ns, sink, &members, &count) == 0) {
        probe->there = false;
        text_puts(why, "there is no process with ");
        follow_words(&probe->wanted, why);
        return PROBE_GAP;
    }
    if (!probe->there || follow_is_broken(probe->follow))
        probe->threads.last_ns = probe->io.last_ns = 0; /* nothing to compare with */
    put_cheap(probe, members, count, sink);
    look_at_threads(probe, at_ns, members, count, sink);
    look_at_io(probe, at_ns, members, count, sink);
    look_at_levels(probe, at_ns, members, count, sink);
    probe->there = true;
    return 0;
}

const struct probe probe_process = {
    .name = "process",
    .sentence = "a service's processes, by name, pid, listening port or command",
    .settings = settings,
    .config_bytes = sizeof(struct process_wanted),
    .shorthand = "name",
    .metrics = metrics,
    .role = "process",
    .unasked = "self",
    .open = process_open,
    .look = process_look,
    .close = process_close,
};
