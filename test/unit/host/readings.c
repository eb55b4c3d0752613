/* Texts of /proc and /sys as machines wrote them, and as damaged or older ones would: what is not
 * said stays unknown, and is never 0. */
#include "host/control_group.h"
#include "host/cpu.h"
#include "host/disk.h"
#include "host/interface.h"
#include "host/memory.h"
#include "host/netstat.h"
#include "host/pressure.h"
#include "host/sockets.h"
#include "host/uncore.h"
#include "host/usage.h"
#include "plant.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <sys/socket.h>

static void pressure_is_read(void **state)
{
    (void)state;
    struct pressure pressure;
    pressure_parse(SPAN("some avg10=16.35 avg60=16.50 avg300=15.32 total=3228495381\n"
                        "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"),
                   &pressure);
    assert_int_equal(pressure.some_us, 3228495381);
    assert_int_equal(pressure.full_us, 7);
    pressure_parse(SPAN("some avg10=0.00 avg60=0.00 avg300=0.00 total=12"), &pressure);
    assert_int_equal(pressure.some_us, 12);
    assert_false(host_known(pressure.full_us)); /* processors before Linux 5.13 */
    pressure_parse(SPAN("some avg10=0.00\nfull total=x\n"), &pressure);
    assert_false(host_known(pressure.some_us) || host_known(pressure.full_us));
    pressure_parse((struct span){NULL, 0}, &pressure);
    assert_false(host_known(pressure.some_us));
}

static void memory_is_read(void **state)
{
    (void)state;
    struct memory_figures memory;
    memory_parse(SPAN("MemTotal:       24684092 kB\nMemFree:        22727268 kB\n"
                      "MemAvailable:   24069340 kB\nBuffers:          108224 kB\n"
                      "Cached:          1271572 kB\nSwapCached:            0 kB\n"
                      "SwapTotal:       2097148 kB\nSwapFree:        2097100 kB\n"
                      "SReclaimable:     134640 kB\n"),
                 SPAN("pgfault 100\npgmajfault 17\npswpin 3\npswpout 4\noom_kill 2\n"), &memory);
    assert_int_equal(memory.total_bytes, 24684092ULL * 1024);
    assert_int_equal(memory.available_bytes, 24069340ULL * 1024);
    assert_int_equal(memory.cache_bytes, (1271572ULL + 108224 + 134640) * 1024);
    assert_int_equal(memory.swap_total_bytes - memory.swap_free_bytes, 48 * 1024);
    assert_int_equal(memory.major_faults, 17);
    assert_int_equal(memory.swapped_in, 3);
    assert_int_equal(memory.swapped_out, 4);
    assert_int_equal(memory.oom_kills, 2);
    memory_parse(SPAN("MemTotal: 5 kB\nMemAvailable: much\n"), SPAN(""), &memory);
    assert_int_equal(memory.total_bytes, 5120);
    assert_false(host_known(memory.available_bytes) || host_known(memory.cache_bytes) ||
                 host_known(memory.oom_kills));
}

static void disks_are_read(void **state)
{
    (void)state;
    struct span lines =
        SPAN("   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n"
             " 254       0 vda 8405 2 670610 1603 1001 900 61440 4100 1 2888 5750 0 0 0 0 12 47\n"
             " 8 1 broken 1 2 3\n"
             " 259       0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11\n");
    struct disk disk;
    assert_true(disk_next(&lines, &disk));
    assert_string_equal(disk.name, "loop0");
    assert_true(disk_next(&lines, &disk));
    assert_string_equal(disk.name, "vda");
    assert_int_equal(disk.reads, 8405);
    assert_int_equal(disk.read_sectors, 670610);
    assert_int_equal(disk.read_ms, 1603);
    assert_int_equal(disk.writes, 1001);
    assert_int_equal(disk.written_sectors, 61440);
    assert_int_equal(disk.write_ms, 4100);
    assert_int_equal(disk.in_flight, 1);
    assert_int_equal(disk.busy_ms, 2888);
    assert_int_equal(disk.weighted_ms, 5750);
    assert_true(disk_next(&lines, &disk)); /* the broken line is passed over */
    assert_string_equal(disk.name, "nvme0n1");
    assert_int_equal(disk.weighted_ms, 11);
    assert_false(disk_next(&lines, &disk));
}

static void interfaces_are_read(void **state)
{
    const char *root = *state;
    struct span lines = SPAN(
        "Inter-|   Receive                            |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes packets\n"
        "    lo:87799854973 383438460    0 64117    0     0          0         0 5 6 7 8 0 0 0 0\n"
        "  eth0.1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
    struct interface interface;
    assert_true(interface_next(&lines, &interface));
    assert_string_equal(interface.name, "lo");
    assert_int_equal(interface.in_bytes, 87799854973);
    assert_int_equal(interface.in_packets, 383438460);
    assert_int_equal(interface.in_drops, 64117);
    assert_int_equal(interface.out_bytes, 5);
    assert_int_equal(interface.out_drops, 8);
    assert_true(interface_next(&lines, &interface));
    assert_string_equal(interface.name, "eth0.1");
    assert_int_equal(interface.out_errors, 11);
    assert_false(interface_next(&lines, &interface));
    plant(root, "/sys/class/net/eth0/speed", "10000\n");
    plant(root, "/sys/class/net/veth/speed", "-1\n");
    assert_int_equal(interface_speed(root, "eth0"), 10000000000);
    assert_false(host_known(interface_speed(root, "veth")));
    assert_false(host_known(interface_speed(root, "none")));
}

static void processors_are_split(void **state)
{
    (void)state;
    struct cpu before = {0}, after = {0};
    assert_int_equal(cpu_parse(SPAN("cpu  100 10 50 800 40 5 15 20 0 0\ncpu0 1 1 1 1 1 1 1 1\n"
                                    "ctxt 1000\nprocs_running 3\nprocs_blocked 1\n"),
                               &before),
                     0);
    assert_int_equal(cpu_parse(SPAN("cpu  130 10 60 840 50 5 15 30 0 0\ncpu0 1 1 1 1 1 1 1 1\n"
                                    "ctxt 1700\nprocs_running 2\nprocs_blocked 0\n"),
                               &after),
                     0);
    /* 100 ticks passed: 30 user, 10 system, 40 idle, 10 waiting for disks, 10 stolen */
    assert_float_equal(cpu_busy_share(&before.all, &after.all), 0.40, 1e-9);
    assert_float_equal(cpu_steal_share(&before.all, &after.all), 0.10, 1e-9);
    assert_int_equal(after.all.user - before.all.user, 30);
    assert_int_equal(after.all.system - before.all.system, 10);
    assert_int_equal(after.all.iowait - before.all.iowait, 10);
    assert_int_equal(before.running, 3);
    assert_int_equal(before.blocked, 1);
    assert_float_equal(host_rate(before.switches, after.switches, 2 * NSEC_PER_SEC), 350, 1e-9);
    assert_true(isnan(host_rate(after.switches, before.switches, NSEC_PER_SEC))); /* a wrap */
    assert_true(isnan(host_rate(1, 2, 0)));
    assert_int_equal(cpu_parse(SPAN("intr 5\n"), &after), HOST_NOT_KNOWN);
    cpu_fini(&before);
}

static void a_process_is_read(void **state)
{
    const char *root = *state;
    struct usage_stat stat;
    assert_int_equal(
        usage_parse(SPAN("1234 (my (odd) name) S 1 1234 1234 0 -1 4194304 500 0 3 0 700 300 20 10 "
                         "20 0 8 0 123456 1000000 250 18446744073709551615 1 1 0 0 0\n"),
                    &stat),
        0);
    assert_int_equal(stat.pid, 1234);
    assert_int_equal(stat.parent, 1);
    assert_string_equal(stat.name, "my (odd) name");
    assert_int_equal(stat.state, 'S');
    assert_int_equal(stat.own_ticks, 1000);
    assert_int_equal(stat.child_ticks, 30);
    assert_int_equal(stat.threads, 8);
    assert_int_equal(stat.start_ticks, 123456);
    assert_int_equal(stat.rss_pages, 250);
    assert_int_equal(usage_parse(SPAN("1234 (cut"), &stat), HOST_NOT_KNOWN);
    assert_int_equal(usage_parse(SPAN("1234 (x) S 1 2"), &stat), HOST_NOT_KNOWN);
    struct text room = TEXT_EMPTY;
    plant(root, "/proc/77/task/77/schedstat", "10 2000 3\n");
    plant(root, "/proc/77/task/77/status",
          "voluntary_ctxt_switches:\t17\nnonvoluntary_ctxt_switches:\t5\n");
    plant(root, "/proc/77/task/78/schedstat", "10 500 3\n");
    plant(root, "/proc/77/task/78/status",
          "voluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t1\n");
    plant(root, "/proc/77/io", "rchar: 9\nread_bytes: 4096\nwrite_bytes: 8192\n");
    plant(root, "/proc/77/smaps_rollup", "00400000-7fff [rollup]\nRss: 10 kB\nPss:  7 kB\n");
    plant(root, "/proc/9/stat", "");
    plant(root, "/proc/uptime", "1 2\n");
    struct usage_threads threads;
    struct usage_io io;
    usage_read_threads(root, 77, &room, &threads);
    assert_int_equal(threads.run_delay_ns, 2500);
    assert_int_equal(threads.voluntary, 20);
    assert_int_equal(threads.involuntary, 6);
    usage_read_io(root, 77, &room, &io);
    assert_int_equal(io.read_bytes, 4096);
    assert_int_equal(io.written_bytes, 8192);
    assert_int_equal(usage_pss_bytes(root, 77, &room), 7 * 1024);
    assert_false(host_known(usage_pss_bytes(root, 9, &room)));
    struct usage_pids pids = {0};
    assert_int_equal(usage_pids_read(root, &pids), 2);
    assert_int_equal(pids.pids[0], 9);
    assert_int_equal(pids.pids[1], 77);
    usage_pids_fini(&pids);
    text_fini(&room);
}

static void groups_of_version_1(void **state)
{
    const char *root = *state;
    plant(root, "/proc/55/cgroup", "4:memory:/web/api\n2:cpuacct:/web/api\n1:cpu:/web/api\n0::/\n");
    plant(root, "/sys/fs/cgroup/cpu/web/api/cpu.stat",
          "nr_periods 100\nnr_throttled 25\nthrottled_time 5000000\n");
    plant(root, "/sys/fs/cgroup/cpu/web/api/cpu.cfs_quota_us", "50000\n");
    plant(root, "/sys/fs/cgroup/cpu/web/api/cpu.cfs_period_us", "100000\n");
    plant(root, "/sys/fs/cgroup/cpuacct/web/api/cpuacct.usage", "123456789\n");
    plant(root, "/sys/fs/cgroup/memory/web/api/memory.usage_in_bytes", "1048576\n");
    plant(root, "/sys/fs/cgroup/memory/web/api/memory.limit_in_bytes", "9223372036854771712\n");
    plant(root, "/sys/fs/cgroup/memory/web/api/memory.stat", "total_inactive_file 4096\n");
    plant(root, "/sys/fs/cgroup/memory/web/api/memory.failcnt", "3\n");
    plant(root, "/sys/fs/cgroup/memory/web/api/memory.oom_control",
          "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
    struct control_group_place by_pid, by_path;
    struct control_group group;
    struct text room = TEXT_EMPTY;
    assert_int_equal(control_group_place_of(root, 55, &by_pid), 0);
    assert_int_equal(control_group_place_at(root, "/sys/fs/cgroup/cpu/web/api", &by_path), 0);
    assert_string_equal(by_pid.memory.at, by_path.memory.at);
    assert_string_equal(by_pid.usage.at, by_path.usage.at);
    assert_int_equal(control_group_read(root, &by_path, &room, &group), 0);
    assert_int_equal(group.cpu_us, 123456);
    assert_int_equal(group.quota_us, 50000);
    assert_int_equal(group.period_us, 100000);
    assert_int_equal(group.throttled, 25);
    assert_int_equal(group.throttled_us, 5000);
    assert_int_equal(group.memory_bytes, 1048576);
    assert_int_equal(group.limit_bytes, CONTROL_GROUP_NO_LIMIT);
    assert_int_equal(group.cache_bytes, 4096);
    assert_int_equal(group.limit_hits, 3);
    assert_int_equal(group.oom_kills, 1);
    assert_false(host_known(group.cpu.some_us));
    control_group_place_fini(&by_pid);
    control_group_place_fini(&by_path);
    assert_int_equal(control_group_place_at(root, "/nope", &by_path), HOST_NOT_KNOWN);
    text_fini(&room);
}

static void groups_of_version_2(void **state)
{
    const char *root = *state;
    plant(root, "/proc/self/cgroup", "0::/web.slice\n");
    plant(root, "/sys/fs/cgroup/web.slice/cgroup.procs", "1\n");
    plant(root, "/sys/fs/cgroup/web.slice/cpu.max", "max 100000\n");
    plant(root, "/sys/fs/cgroup/web.slice/cpu.stat",
          "usage_usec 777\nnr_periods 10\nnr_throttled 2\nthrottled_usec 30\n");
    plant(root, "/sys/fs/cgroup/web.slice/memory.current", "4096\n");
    plant(root, "/sys/fs/cgroup/web.slice/memory.max", "8192\n");
    plant(root, "/sys/fs/cgroup/web.slice/memory.events", "low 0\nmax 5\noom 1\noom_kill 1\n");
    plant(root, "/sys/fs/cgroup/web.slice/cpu.pressure", "some avg10=0.00 total=99\n");
    plant(root, "/sys/fs/cgroup/web.slice/pids.current", "12\n");
    struct control_group_place place;
    struct control_group group;
    struct text room = TEXT_EMPTY;
    assert_int_equal(control_group_place_of(root, 0, &place), 0);
    assert_true(place.two);
    assert_int_equal(control_group_read(root, &place, &room, &group), 0);
    assert_int_equal(group.cpu_us, 777);
    assert_int_equal(group.quota_us, CONTROL_GROUP_NO_LIMIT);
    assert_int_equal(group.throttled_us, 30);
    assert_int_equal(group.memory_bytes, 4096);
    assert_int_equal(group.limit_bytes, 8192);
    assert_int_equal(group.limit_hits, 5);
    assert_int_equal(group.tasks, 12);
    assert_int_equal(group.cpu.some_us, 99);
    assert_false(host_known(group.memory.some_us));
    control_group_place_fini(&place);
    text_fini(&room);
}

static void listening_sockets_are_found(void **state)
{
    (void)state;
    int socket_here = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert_int_equal(bind(socket_here, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(socket_here, 8), 0);
    assert_int_equal(getsockname(socket_here, (struct sockaddr *)&address, &length), 0);
    uint64_t inodes[4], counts[SOCKET_STATES];
    int found = sockets_listening(ntohs(address.sin_port), inodes, 4);
    if (found < 0) {
        close(socket_here);
        print_message("SKIPPED: this kernel has no inet_diag\n");
        skip();
    }
    struct stat status;
    assert_int_equal(found, 1);
    assert_int_equal(fstat(socket_here, &status), 0);
    assert_int_equal(inodes[0], status.st_ino);
    assert_true(usage_has_socket("", (uint64_t)getpid(), inodes, found));
    assert_int_equal(sockets_count(1U << SOCKET_LISTEN, counts), 0);
    assert_true(counts[SOCKET_LISTEN] >= 1);
    assert_int_equal(counts[SOCKET_ESTABLISHED], 0);
    close(socket_here);
    assert_false(usage_has_socket("", (uint64_t)getpid(), inodes, found));
    assert_int_equal(sockets_listening(ntohs(address.sin_port), inodes, 4), 0);
}

static void plant_controller(const char *root, const char *file, const char *words)
{
    char path[256];
    snprintf(path, sizeof path, "/sys/bus/event_source/devices/uncore_imc_0/%s", file);
    plant(root, path, words);
}

/* The coding of an Intel server's controller, as its kernel says it; then each part wrong. */
static void memory_controllers_are_coded_as_told(void **state)
{
    const char *root = *state;
    struct uncore_event event = {.type = 99};
    plant_controller(root, "type", "14\n");
    plant_controller(root, "cpumask", "0,18\n");
    plant_controller(root, "format/event", "config:0-7\n");
    plant_controller(root, "format/umask", "config:8-15\n");
    plant_controller(root, "format/edge", "config:18\n");
    plant_controller(root, "format/split", "config:0-3,32-35\n");
    plant_controller(root, "events/cas_count_read", "event=0x04,umask=0x03\n");
    plant_controller(root, "events/cas_count_read.scale", "6.103515625e-5\n");
    plant_controller(root, "events/cas_count_read.unit", "MiB\n");
    assert_int_equal(uncore_event_read(root, "uncore_imc_0", "cas_count_read", &event), 0);
    assert_int_equal(event.type, 14);
    assert_int_equal(event.config, 0x304);
    assert_int_equal(event.cpu, 0);
    assert_true(event.bytes == 64); /* a line */
    plant_controller(root, "events/cas_count_read", "split=0xab,edge\n");
    assert_int_equal(uncore_event_read(root, "uncore_imc_0", "cas_count_read", &event), 0);
    assert_true(event.config == (UINT64_C(0xa) << 32 | 0xb | 1 << 18));
    static const char *const wrong[] = {"event=0x1ff", "event=zz", "nothing=1", "event=0x", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        plant_controller(root, "events/cas_count_read", wrong[i]);
        assert_int_equal(uncore_event_read(root, "uncore_imc_0", "cas_count_read", &event),
                         HOST_NOT_KNOWN);
    }
    plant_controller(root, "events/cas_count_read", "event=0x04");
    plant_controller(root, "events/cas_count_read.unit", "furlongs");
    assert_int_equal(uncore_event_read(root, "uncore_imc_0", "cas_count_read", &event),
                     HOST_NOT_KNOWN);
    assert_int_equal(uncore_event_read(root, "uncore_imc_1", "cas_count_read", &event),
                     HOST_NOT_KNOWN);
}

/* Where this machine has such counters, copying memory moves them. */
static void copying_moves_what_is_counted(void **state)
{
    (void)state;
    enum { BYTES = 64 << 20 };
    struct uncore *uncore = uncore_open("");
    if (!uncore) {
        print_message("SKIPPED: no counters of memory controllers that this process may read\n");
        skip();
    }
    char *from = calloc(1, BYTES), *to = malloc(BYTES);
    assert_true(from && to);
    uint64_t before = uncore_read(uncore);
    for (int i = 0; i < 4; i++) {
        memset(from, i, BYTES);
        memcpy(to, from, BYTES);
    }
    assert_int_equal(to[BYTES - 1], 3);
    assert_true(uncore_read(uncore) - before >= BYTES);
    uncore_close(uncore);
    free(from);
    free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pressure_is_read),
        cmocka_unit_test(memory_is_read),
        cmocka_unit_test(disks_are_read),
        cmocka_unit_test_setup_teardown(interfaces_are_read, new_root, drop_root),
        cmocka_unit_test(processors_are_split),
        cmocka_unit_test_setup_teardown(a_process_is_read, new_root, drop_root),
        cmocka_unit_test_setup_teardown(groups_of_version_1, new_root, drop_root),
        cmocka_unit_test_setup_teardown(groups_of_version_2, new_root, drop_root),
        cmocka_unit_test(listening_sockets_are_found),
        cmocka_unit_test_setup_teardown(memory_controllers_are_coded_as_told, new_root, drop_root),
        cmocka_unit_test(copying_moves_what_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
