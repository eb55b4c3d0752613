/* The machine, its control groups and limits, on planted files of real machines, on nonsense, and
 * on the machine that runs the test. */
#include "host/machine.h"
#include "base/random.h"
#include "host/cgroup.h"
#include "host/limits.h"
#include "plant.h"

#include <math.h>
#include <sched.h>
#include <sys/resource.h>

/* ---- small readers ------------------------------------------------------------------------ */

static void lists_are_counted(void **state)
{
    (void)state;
    assert_int_equal(host_list_count(SPAN("0\n")), 1);
    assert_int_equal(host_list_count(SPAN("0-3\n")), 4);
    assert_int_equal(host_list_count(SPAN("0-3,8,10-11")), 7);
    static const char *const bad[] = {"",  "\n", "a", "0-", "3-1", "0,", "0-3;", "99999999999-1",
                                      "-1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(host_known(host_list_count(span_of(bad[i]))));
}

static void numbers_and_values(void **state)
{
    (void)state;
    assert_int_equal(host_number(SPAN("12")), 12);
    assert_int_equal(host_number(SPAN("12 kB")), 12);
    assert_int_equal(host_number(SPAN("12\n")), 12);
    assert_false(host_known(host_number(SPAN("12x"))));
    assert_false(host_known(host_number(SPAN("-1"))));
    assert_false(host_known(host_number(SPAN(""))));
    assert_false(host_known(host_number(SPAN("99999999999999999999999"))));
    struct span lines = SPAN("ab 1\nabc: 2 kB\n\nd\n");
    assert_int_equal(host_value(lines, "ab"), 1);
    assert_int_equal(host_value(lines, "abc"), 2);
    assert_false(host_known(host_value(lines, "d")));
    assert_false(host_known(host_value(lines, "a")));
    assert_int_equal(host_growth(5, 9), 4);
    assert_false(host_known(host_growth(9, 5)));
    assert_false(host_known(host_growth(HOST_UNKNOWN, 5)));
    assert_false(host_known(host_growth(5, HOST_UNKNOWN)));
}

/* ---- the machine -------------------------------------------------------------------------- */

static void plant_machine(const char *root)
{
    plant(root, "/proc/sys/kernel/hostname", "web-3\n");
    plant(root, "/proc/sys/kernel/ostype", "Linux\n");
    plant(root, "/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
    plant(root, "/proc/cpuinfo",
          "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 7763 64-Core "
          "Processor\n\nprocessor\t: 1\nmodel name\t: AMD EPYC 7763 64-Core Processor\n");
    plant(root, "/sys/devices/system/cpu/online", "0-7\n");
    plant(root, "/proc/self/status",
          "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t0-3,6\nMems_allowed_list:\t0\n");
    plant(root, "/proc/meminfo",
          "MemTotal:       16316412 kB\nMemFree:  1 kB\nMemAvailable:   12000000 kB\n");
}

static void machine_is_read(void **state)
{
    const char *root = *state;
    plant_machine(root);
    struct machine machine;
    machine_read(root, &machine);
    assert_string_equal(machine.host, "web-3");
    assert_string_equal(machine.kernel, "Linux 6.1.0-18-amd64");
    assert_string_equal(machine.cpu, "AMD EPYC 7763 64-Core Processor");
    assert_int_equal(machine.cores, 8);
    assert_int_equal(machine.cores_allowed, 5);
    assert_true(machine.cores_usable == 5);
    assert_int_equal(machine.memory_bytes, 16316412ull * 1024);
    assert_int_equal(machine.memory_usable, 16316412ull * 1024);
    assert_int_equal(machine.memory_available, 12000000ull * 1024);
    machine_fini(&machine);
    plant(root, "/proc/self/cgroup", "0::/\n");
    plant(root, "/sys/fs/cgroup/cpu.max", "150000 100000\n");
    plant(root, "/sys/fs/cgroup/memory.max", "1073741824\n");
    machine_read(root, &machine);
    assert_true(machine.cores_usable == 1.5);
    assert_int_equal(machine.memory_usable, 1073741824);
    machine_fini(&machine);
}

static void assert_nothing_known(const char *root)
{
    struct machine machine;
    machine_read(root, &machine);
    assert_string_equal(machine.cpu, "not known");
    assert_false(host_known(machine.cores) || host_known(machine.cores_allowed) ||
                 host_known(machine.memory_bytes) || host_known(machine.memory_usable) ||
                 host_known(machine.memory_available));
    assert_true(isnan(machine.cores_usable));
    machine_fini(&machine);
    struct limits limits;
    limits_read(root, &limits);
    assert_false(host_known(limits.descriptors_soft) || host_known(limits.descriptors_hard) ||
                 host_known(limits.files_most) || host_known(limits.files_open) ||
                 host_known(limits.port_first) || host_known(limits.ports) ||
                 host_known(limits.listen_most));
    struct cgroup cgroup;
    cgroup_read(root, &cgroup);
    assert_true(isnan(cgroup.quota_cores));
    assert_false(host_known(cgroup.throttled) || host_known(cgroup.throttled_ns) ||
                 host_known(cgroup.periods) || host_known(cgroup.memory_limit) ||
                 host_known(cgroup.memory_used));
}

static const char *const every_file[] = {
    "/proc/cpuinfo",
    "/sys/devices/system/cpu/online",
    "/proc/self/status",
    "/proc/self/limits",
    "/proc/meminfo",
    "/proc/sys/fs/file-max",
    "/proc/sys/fs/file-nr",
    "/proc/sys/net/core/somaxconn",
    "/proc/sys/net/ipv4/ip_local_port_range",
    "/proc/sys/net/ipv4/ip_local_reserved_ports",
    "/sys/fs/cgroup/cpu.max",
    "/sys/fs/cgroup/cpu.stat",
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
    "/sys/fs/cgroup/cpu/cpu.cfs_period_us",
};

static void what_is_missing_is_not_known(void **state)
{
    const char *root = *state;
    assert_nothing_known(root);
    struct machine machine;
    machine_read(root, &machine);
    assert_string_equal(machine.host, "not known");
    assert_string_equal(machine.kernel, "not known");
    machine_fini(&machine);
    struct limits limits;
    limits_read(root, &limits);
    assert_false(host_known(limits.descriptors_open));
    assert_nothing_known("/nowhere/at/all");
}

static void nonsense_is_not_known(void **state)
{
    const char *root = *state;
    static const char *const nonsense[] = {
        "",
        "\n",
        "\n\n \t\n",
        ":",
        "garbage",
        "-",
        "max",
        "-1",
        "Max open files\n",
        "Cpus_allowed_list:\nMemTotal:\nMax open files x y\nnr_throttled x\n",
        "MemTotal: 99999999999999999999 kB\n"};
    for (size_t n = 0; n < sizeof(nonsense) / sizeof(*nonsense); n++) {
        plant(root, "/proc/self/cgroup", n % 2 ? "0::/a\n7:cpu,cpuacct:/b/c\n" : nonsense[n]);
        for (size_t i = 0; i < sizeof(every_file) / sizeof(*every_file); i++)
            plant(root, every_file[i], nonsense[n]);
        if (strcmp(nonsense[n], "-1") != 0 && strcmp(nonsense[n], "max") != 0)
            assert_nothing_known(root);
    }
    struct random random = {.key = 5};
    for (int round = 0; round < 100; round++) { /* only: does not crash */
        char bytes[80];
        for (size_t i = 0; i < sizeof(bytes) - 1; i++)
            bytes[i] = ":,-/ \n\t0123456789maxcpu"[random_below_of(random_next(&random), 23)];
        bytes[sizeof(bytes) - 1] = '\0';
        plant(root, "/proc/self/cgroup", bytes);
        for (size_t i = 0; i < sizeof(every_file) / sizeof(*every_file); i++)
            plant(root, every_file[i], bytes);
        struct machine machine;
        struct limits limits;
        machine_read(root, &machine);
        limits_read(root, &limits);
        machine_fini(&machine);
    }
}

/* ---- control groups ----------------------------------------------------------------------- */

static void group_of_version_two(void **state)
{
    const char *root = *state;
    plant(root, "/proc/self/cgroup", "0::/kube/pod1/box\n");
    plant(root, "/sys/fs/cgroup/kube/pod1/box/cpu.max", "max 100000\n");
    plant(root, "/sys/fs/cgroup/kube/pod1/box/cpu.stat",
          "usage_usec 9\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n");
    plant(root, "/sys/fs/cgroup/kube/pod1/cpu.max", "50000 100000\n");
    plant(root, "/sys/fs/cgroup/kube/pod1/cpu.stat",
          "usage_usec 9\nnr_periods 100\nnr_throttled 7\nthrottled_usec 123\n");
    plant(root, "/sys/fs/cgroup/kube/cpu.max", "400000 100000\n");
    plant(root, "/sys/fs/cgroup/kube/cpu.stat",
          "usage_usec 9\nnr_periods 200\nnr_throttled 1\nthrottled_usec 5\n");
    plant(root, "/sys/fs/cgroup/kube/pod1/box/memory.max", "max\n");
    plant(root, "/sys/fs/cgroup/kube/pod1/box/memory.current", "4096\n");
    plant(root, "/sys/fs/cgroup/kube/pod1/memory.max", "1000000\n");
    plant(root, "/sys/fs/cgroup/kube/memory.max", "2000000\n");
    struct cgroup cgroup;
    cgroup_read(root, &cgroup);
    assert_true(cgroup.quota_cores == 0.5); /* the tightest, and its throttling */
    assert_int_equal(cgroup.periods, 100);
    assert_int_equal(cgroup.throttled, 7);
    assert_int_equal(cgroup.throttled_ns, 123000);
    assert_int_equal(cgroup.memory_limit, 1000000);
    assert_int_equal(cgroup.memory_used, 4096);
}

static void group_of_version_one(void **state)
{
    const char *root = *state;
    plant(root, "/proc/self/cgroup",
          "9:name=systemd:/\n4:memory:/box\n2:cpuacct,cpu:/box\n3:cpuset:/other\n0::/\n");
    plant(root, "/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "250000\n");
    plant(root, "/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
    plant(root, "/sys/fs/cgroup/cpu,cpuacct/box/cpu.stat",
          "nr_periods 10\nnr_throttled 3\nthrottled_time 987654321\n");
    plant(root, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    plant(root, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    plant(root, "/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "9223372036854771712\n");
    plant(root, "/sys/fs/cgroup/memory/box/memory.usage_in_bytes", "777\n");
    struct cgroup cgroup;
    cgroup_read(root, &cgroup);
    assert_true(cgroup.quota_cores == 2.5);
    assert_int_equal(cgroup.throttled, 3);
    assert_int_equal(cgroup.throttled_ns, 987654321);
    assert_true(cgroup.memory_limit == CGROUP_NO_LIMIT);
    assert_int_equal(cgroup.memory_used, 777);
    /* Without a quota, and in a container whose own group is mounted as the root. */
    plant(root, "/proc/self/cgroup", "2:cpu,cpuacct:/docker/0123\n");
    cgroup_read(root, &cgroup);
    assert_true(isinf(cgroup.quota_cores));
    assert_false(host_known(cgroup.throttled));
}

static void group_without_quota(void **state)
{
    const char *root = *state;
    plant(root, "/proc/self/cgroup", "0::/\n");
    plant(root, "/sys/fs/cgroup/cpu.stat", "usage_usec 9\nnr_periods 0\nnr_throttled 0\n");
    struct cgroup cgroup;
    cgroup_read(root, &cgroup);
    assert_true(isinf(cgroup.quota_cores));
    assert_int_equal(cgroup.throttled, 0);
    assert_false(host_known(cgroup.throttled_ns));
    assert_false(host_known(cgroup.memory_limit));
}

/* ---- limits ------------------------------------------------------------------------------- */

static void limits_are_read(void **state)
{
    const char *root = *state;
    plant(root, "/proc/self/limits",
          "Limit                     Soft Limit           Hard Limit           Units     \n"
          "Max processes             63432                63432                processes \n"
          "Max open files            1024                 unlimited            files     \n");
    plant(root, "/proc/self/fd/0", "");
    plant(root, "/proc/self/fd/17", "");
    plant(root, "/proc/sys/fs/file-max", "9223372036854775807\n");
    plant(root, "/proc/sys/fs/file-nr", "1184\t0\t9223372036854775807\n");
    plant(root, "/proc/sys/net/core/somaxconn", "4096\n");
    plant(root, "/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
    plant(root, "/proc/sys/net/ipv4/ip_local_reserved_ports", "40000-40009,50000\n");
    struct limits limits;
    limits_read(root, &limits);
    assert_int_equal(limits.descriptors_soft, 1024);
    assert_true(limits.descriptors_hard == LIMIT_NONE);
    assert_int_equal(limits.descriptors_open, 2);
    assert_int_equal(limits.files_most, INT64_MAX);
    assert_int_equal(limits.files_open, 1184);
    assert_int_equal(limits.port_first, 32768);
    assert_int_equal(limits.port_last, 60999);
    assert_int_equal(limits.ports, 28232 - 11);
    assert_int_equal(limits.listen_most, 4096);
    plant(root, "/proc/sys/net/ipv4/ip_local_reserved_ports", "\n"); /* none */
    limits_read(root, &limits);
    assert_int_equal(limits.ports, 28232);
    plant(root, "/proc/sys/net/ipv4/ip_local_port_range", "60999 32768\n");
    limits_read(root, &limits);
    assert_false(host_known(limits.ports));
}

static void raising_never_lowers(void **state)
{
    (void)state;
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = 200;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    uint64_t now = 0;
    assert_int_equal(limits_raise_descriptors(100, &now), 0);
    assert_int_equal(now, 200);
    assert_int_equal(limits_raise_descriptors(250, &now), 0);
    assert_int_equal(now, 250);
    struct limits limits;
    limits_read("/", &limits);
    assert_int_equal(limits.descriptors_soft, 250);
    assert_int_equal(limits_raise_descriptors(UINT64_MAX, &now), 0);
    assert_true(now == (before.rlim_max == RLIM_INFINITY ? LIMIT_NONE : before.rlim_max));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* ---- this machine ------------------------------------------------------------------------- */

static void this_machine_answers(void **state)
{
    (void)state;
    struct machine machine;
    char name[256] = "";
    gethostname(name, sizeof(name) - 1);
    machine_read("/", &machine);
    assert_string_equal(machine.host, name);
    cpu_set_t allowed;
    assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    assert_int_equal(machine.cores_allowed, CPU_COUNT(&allowed));
    assert_int_equal(machine.cores, sysconf(_SC_NPROCESSORS_ONLN));
    assert_int_equal(machine.memory_bytes / 4096, sysconf(_SC_PHYS_PAGES) * (getpagesize() / 4096));
    assert_true(machine.cores_usable > 0);
    machine_fini(&machine);
    struct limits one, two;
    limits_read("", &one);
    FILE *file = fopen("/dev/null", "r");
    limits_read("/", &two);
    assert_int_equal(two.descriptors_open, one.descriptors_open + 1);
    fclose(file);
    assert_true(host_known(one.ports) && one.ports > 100);
}

int main(void)
{
#define PLANTED(test) cmocka_unit_test_setup_teardown(test, new_root, drop_root)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_counted),
        cmocka_unit_test(numbers_and_values),
        PLANTED(machine_is_read),
        PLANTED(what_is_missing_is_not_known),
        PLANTED(nonsense_is_not_known),
        PLANTED(group_of_version_two),
        PLANTED(group_of_version_one),
        PLANTED(group_without_quota),
        PLANTED(limits_are_read),
        cmocka_unit_test(raising_never_lowers),
        cmocka_unit_test(this_machine_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
