/* The probes of this machine over a machine made of files: rates between two looks, and counters
 * that wrap, shrink or vanish, of which nothing is said. The process probe follows real ones. */
#include "../host/plant.h"

#include "base/memory.h"
#include "plug/list.h"
#include "watch/watch.h"

#include <math.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { KEPT = 2000 };

struct taken {
    struct {
        char metric[64], part[32];
        nsec_t at_ns;
        double value;
    } samples[KEPT];
    size_t count;
    struct text events;
};

static void take_sample(void *self, const struct watch_sample *sample)
{
    struct taken *taken = self;
    assert_true(taken->count < KEPT);
    snprintf(taken->samples[taken->count].metric, 64, "%s", sample->metric->name);
    snprintf(taken->samples[taken->count].part, 32, "%s", sample->part);
    taken->samples[taken->count].at_ns = sample->at_ns;
    taken->samples[taken->count++].value = sample->value;
}

static void take_event(void *self, size_t watched, nsec_t at_ns, const char *kind,
                       const char *words)
{
    struct taken *taken = self;
    (void)watched;
    (void)at_ns;
    text_printf(&taken->events, "%s: %s\n", kind, words);
}

static const struct probe *probe_named_so(const char *name)
{
    struct plug_list list;
    plug_list_init(&list);
    const struct probe *found = NULL;
    for (size_t i = 0; i < list.probe_count; i++)
        if (strcmp(list.probes[i]->name, name) == 0)
            found = list.probes[i];
    plug_list_fini(&list);
    assert_non_null(found);
    return found;
}

static struct watch *watch_of(const char *name, const void *config, const char *root,
                              struct taken *taken)
{
    const struct watched thing = {
        .name = name, .role = "test", .probe = probe_named_so(name), .config = config};
    struct watch_options options = {.things = &thing,
                                    .thing_count = 1,
                                    .interval_ns = NSEC_PER_SEC,
                                    .root = root,
                                    .sample = take_sample,
                                    .event = take_event,
                                    .self = taken};
    struct watch *watch = NULL;
    *taken = (struct taken){.count = 0};
    assert_int_equal(watch_new(&options, &watch), 0);
    return watch;
}

/* The value at an instant; NAN: there is none. */
static double value(const struct taken *taken, const char *metric, const char *part, nsec_t at_ns)
{
    for (size_t i = 0; i < taken->count; i++)
        if (strcmp(taken->samples[i].metric, metric) == 0 &&
            strcmp(taken->samples[i].part, part) == 0 && taken->samples[i].at_ns == at_ns)
            return taken->samples[i].value;
    return NAN;
}

#define AT(second) ((second)*NSEC_PER_SEC)

static void disks_have_rates_and_wraps(void **state)
{
    const char *root = *state;
    static struct taken taken;
    mkdir(root, 0755);
    plant(root, "/sys/block/vda/size", "1\n");
    struct watch *watch = watch_of("disk", NULL, root, &taken);
    plant(root, "/proc/diskstats",
          "8 0 vda 100 0 1000 500 10 0 100 50 0 200 600\n8 1 vda1 9 9 9 9 9 9 9 9 9 9 9\n");
    watch_look(watch, AT(10));
    plant(root, "/proc/diskstats",
          "8 0 vda 300 0 5000 900 30 0 300 150 2 1200 2600\n8 1 vda1 99 9 9 9 9 9 9 9 9 9 9\n");
    watch_look(watch, AT(12));
    assert_float_equal(value(&taken, "disk.reads", "vda", AT(12)), 100, 1e-9);
    assert_float_equal(value(&taken, "disk.writes", "vda", AT(12)), 10, 1e-9);
    assert_float_equal(value(&taken, "disk.read_bytes", "vda", AT(12)), 2000 * 512, 1e-6);
    assert_float_equal(value(&taken, "disk.await", "vda", AT(12)), 0.5 / 220, 1e-9);
    assert_float_equal(value(&taken, "disk.queue", "vda", AT(12)), 1, 1e-9);
    assert_float_equal(value(&taken, "disk.busy", "vda", AT(12)), 0.5, 1e-9);
    assert_true(isnan(value(&taken, "disk.reads", "vda", AT(10))));  /* no look before */
    assert_true(isnan(value(&taken, "disk.reads", "vda1", AT(12)))); /* a partition */
    /* The counter of reads wrapped, that of writes did not. */
    plant(root, "/proc/diskstats", "8 0 vda 4 0 6000 950 40 0 400 160 0 1300 2700\n");
    watch_look(watch, AT(13));
    assert_true(isnan(value(&taken, "disk.reads", "vda", AT(13))));
    assert_true(isnan(value(&taken, "disk.await", "vda", AT(13))));
    assert_float_equal(value(&taken, "disk.writes", "vda", AT(13)), 10, 1e-9);
    /* The disk was taken away and put back: what it did meanwhile is nobody's rate. */
    plant(root, "/proc/diskstats", "8 16 sdb 1 0 1 1 1 0 1 1 0 1 1\n");
    watch_look(watch, AT(14));
    plant(root, "/proc/diskstats", "8 0 vda 900 0 6000 950 900 0 400 160 0 1300 2700\n");
    watch_look(watch, AT(15));
    assert_true(isnan(value(&taken, "disk.writes", "vda", AT(15))));
    plant(root, "/proc/diskstats", "");
    watch_look(watch, AT(16));
    assert_string_equal(taken.events.at, "gap: /proc/diskstats lists no device\n");
    watch_free(watch);
    text_fini(&taken.events);
}

static void memory_tells_of_kills(void **state)
{
    const char *root = *state;
    static struct taken taken;
    struct watch *watch = watch_of("memory", NULL, root, &taken);
    plant(root, "/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 250 kB\n");
    plant(root, "/proc/vmstat", "pgmajfault 10\noom_kill 1\n");
    plant(root, "/proc/pressure/memory", "some avg10=0 total=1000000\nfull avg10=0 total=0\n");
    watch_look(watch, AT(1));
    plant(root, "/proc/vmstat", "pgmajfault 30\noom_kill 3\n");
    plant(root, "/proc/pressure/memory", "some avg10=0 total=1500000\nfull avg10=0 total=0\n");
    watch_look(watch, AT(3));
    assert_float_equal(value(&taken, "memory.used_share", "", AT(1)), 0.75, 1e-9);
    assert_float_equal(value(&taken, "memory.major_faults", "", AT(3)), 10, 1e-9);
    assert_float_equal(value(&taken, "memory.oom_kills", "", AT(3)), 2, 0);
    assert_float_equal(value(&taken, "memory.pressure", "", AT(3)), 0.25, 1e-9);
    assert_true(isnan(value(&taken, "memory.swap_used", "", AT(3)))); /* not said: not there */
    assert_string_equal(taken.events.at, "oom: the kernel ended 2 processes for want of memory\n");
    watch_free(watch);
    text_fini(&taken.events);
}

static void processors_and_network(void **state)
{
    const char *root = *state;
    static struct taken taken;
    struct watch *watch = watch_of("cpu", NULL, root, &taken);
    plant(root, "/proc/stat", "cpu 10 0 10 80 0 0 0 0\ncpu0 10 0 10 80 0 0 0 0\n");
    watch_look(watch, AT(1));
    plant(root, "/proc/stat",
          "cpu 60 0 10 130 0 0 0 0\ncpu0 60 0 10 130 0 0 0 0\ncpu1 5 0 5 5 0 0 0 0\n");
    watch_look(watch, AT(2));
    assert_float_equal(value(&taken, "cpu.busy", "", AT(2)), 0.5, 1e-9);
    assert_float_equal(value(&taken, "cpu.busy", "cpu0", AT(2)), 0.5, 1e-9);
    assert_true(isnan(value(&taken, "cpu.busy", "cpu1", AT(2)))); /* it just came online */
    assert_true(isnan(value(&taken, "cpu.pressure", "", AT(2)))); /* such a kernel has none */
    plant(root, "/proc/stat", "nothing\n");
    watch_look(watch, AT(3));
    plant(root, "/proc/stat", "cpu 90 0 10 150 0 0 0 0\n");
    watch_look(watch, AT(4));
    assert_true(isnan(value(&taken, "cpu.busy", "", AT(4)))); /* nothing to compare with */
    watch_free(watch);
    text_fini(&taken.events);

    watch = watch_of("network", NULL, root, &taken);
    plant(root, "/sys/class/net/eth0/speed", "1000\n");
    plant(root, "/proc/net/dev", "eth0: 1000 10 0 0 0 0 0 0 500 5 0 0 0 0 0 0\n");
    plant(root, "/proc/net/snmp", "Tcp: OutSegs RetransSegs\nTcp: 100 10\n");
    watch_look(watch, AT(1));
    plant(root, "/proc/net/dev", "eth0: 62501000 20 0 4 0 0 0 0 300 5 0 0 0 0 0 0\n");
    plant(root, "/proc/net/snmp", "Tcp: OutSegs RetransSegs\nTcp: 300 30\n");
    watch_look(watch, AT(2));
    assert_float_equal(value(&taken, "network.in_bytes", "eth0", AT(2)), 62.5e6, 1);
    assert_true(isnan(value(&taken, "network.out_bytes", "eth0", AT(2)))); /* it shrank */
    assert_float_equal(value(&taken, "network.drops", "eth0", AT(2)), 4, 1e-9);
    assert_float_equal(value(&taken, "network.link_share", "eth0", AT(2)), 0.5, 1e-6);
    assert_float_equal(value(&taken, "network.tcp_retransmit_share", "", AT(2)), 0.1, 1e-9);
    watch_free(watch);
    text_fini(&taken.events);
}

/* Only one interface, whose driver says nothing of its speed, or too much. */
static void a_speed_that_is_told(void **state)
{
    const char *root = *state;
    static struct taken taken;
    struct { /* as in network.c, whose own it is */
        char *interface;
        uint64_t speed_bytes;
    } config = {(char[]){"eth0"}, 500000};
    static const char *const speeds[] = {"-1\n", "10000\n"};
    for (size_t i = 0; i < 2; i++) {
        plant(root, "/sys/class/net/eth0/speed", speeds[i]);
        struct watch *watch = watch_of("network", &config, root, &taken);
        plant(root, "/proc/net/dev",
              "lo: 5 5 0 0 0 0 0 0 5 5 0 0 0 0 0 0\neth0: 0 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0\n");
        plant(root, "/proc/net/snmp", "Tcp: OutSegs RetransSegs\nTcp: 100 10\n");
        watch_look(watch, AT(1));
        plant(root, "/proc/net/dev",
              "lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\neth0: 250000 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n");
        plant(root, "/proc/net/snmp", "Tcp: OutSegs RetransSegs\nTcp: 300 30\n");
        watch_look(watch, AT(2));
        assert_float_equal(value(&taken, "network.link_share", "eth0", AT(2)), 0.5, 1e-9);
        assert_true(isnan(value(&taken, "network.in_bytes", "lo", AT(2))));
        assert_true(isnan(value(&taken, "network.tcp_segments", "", AT(2))));
        watch_free(watch);
        text_fini(&taken.events);
    }
}

/* ---- processes ------------------------------------------------------------------------------- */

struct wanted { /* as src/plug/probe/process_follow.h has it */
    char *name, *command;
    uint64_t pid, port;
    bool children;
};

static void nap(long ms)
{
    struct timespec length = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&length, NULL);
}

static pid_t start_named(const char *name)
{
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NAME, name);
        for (;;)
            pause();
    }
    nap(50);
    return child;
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void a_restart_between_two_looks_is_told(void **state)
{
    (void)state;
    static struct taken taken;
    char name[16];
    snprintf(name, sizeof name, "svc%ld", (long)getpid());
    struct wanted wanted = {.name = name, .children = true};
    pid_t first = start_named(name);
    struct watch *watch = watch_of("process", &wanted, "", &taken);
    watch_look(watch, AT(1));
    watch_look(watch, AT(2));
    assert_float_equal(value(&taken, "process.count", "", AT(1)), 1, 0);
    assert_true(isfinite(value(&taken, "process.cpu", "", AT(2))));
    end(first);
    pid_t second = start_named(name);
    watch_look(watch, AT(3));
    assert_float_equal(value(&taken, "process.count", "", AT(3)), 1, 0);
    assert_true(isnan(value(&taken, "process.cpu", "", AT(3)))); /* two processes, no one rate */
    watch_look(watch, AT(4));
    assert_true(isfinite(value(&taken, "process.cpu", "", AT(4))));
    pid_t third = start_named(name); /* one more of the name joins */
    watch_look(watch, AT(5));
    assert_float_equal(value(&taken, "process.count", "", AT(5)), 2, 0);
    end(second);
    watch_look(watch, AT(6));
    assert_float_equal(value(&taken, "process.count", "", AT(6)), 1, 0);
    end(third);
    watch_look(watch, AT(7));
    assert_true(isnan(value(&taken, "process.count", "", AT(7))));
    char words[300];
    snprintf(
        words, sizeof words,
        "gone: process %d (%s) is gone\nrestart: process %d (%s) took the place of %d; nothing "
        "was there for at most 1 s\ngone: process %d (%s) is gone\n"
        "gap: there is no process with name %s\n",
        first, name, second, name, first, third, name, name);
    assert_string_equal(taken.events.at, words);
    watch_free(watch);
    text_fini(&taken.events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(disks_have_rates_and_wraps, new_root, drop_root),
        cmocka_unit_test_setup_teardown(memory_tells_of_kills, new_root, drop_root),
        cmocka_unit_test_setup_teardown(processors_and_network, new_root, drop_root),
        cmocka_unit_test_setup_teardown(a_speed_that_is_told, new_root, drop_root),
        cmocka_unit_test(a_restart_between_two_looks_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
