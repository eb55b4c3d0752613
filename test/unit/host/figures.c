/* Threads, processors, TCP and clocks: planted readings with known differences, then the real ones
 * while something known happens. */
#include "host/clocks.h"
#include "host/cpu.h"
#include "host/netstat.h"
#include "host/thread.h"
#include "plant.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

/* ---- threads ------------------------------------------------------------------------------ */

static void thread_is_read(void **state)
{
    const char *root = *state;
    plant(root, "/proc/self/task/42/schedstat", "123456789 987654 321\n");
    plant(root, "/proc/self/task/42/status",
          "Name:\tx\nvoluntary_ctxt_switches:\t17\nnonvoluntary_ctxt_switches:\t5\n");
    struct thread_usage usage;
    assert_int_equal(thread_usage_read(root, 42, &usage), 0);
    assert_int_equal(usage.cpu_ns, 123456789);
    assert_int_equal(usage.run_delay_ns, 987654);
    assert_int_equal(usage.slices, 321);
    assert_int_equal(usage.voluntary, 17);
    assert_int_equal(usage.involuntary, 5);
    assert_int_equal(thread_usage_read(root, 43, &usage), HOST_NOT_KNOWN);
    assert_false(host_known(usage.cpu_ns) || host_known(usage.run_delay_ns) ||
                 host_known(usage.slices) || host_known(usage.voluntary) ||
                 host_known(usage.involuntary));
    plant(root, "/proc/self/task/44/schedstat", "12\n"); /* cut short */
    assert_int_equal(thread_usage_read(root, 44, &usage), 0);
    assert_int_equal(usage.cpu_ns, 12);
    assert_false(host_known(usage.run_delay_ns));
    plant(root, "/proc/self/task/45/schedstat", "no such thing\n");
    assert_int_equal(thread_usage_read(root, 45, &usage), HOST_NOT_KNOWN);
}

static void own_thread_is_seen_working(void **state)
{
    (void)state;
    struct thread_usage before, after;
    nsec_t begin = thread_cpu_now();
    if (thread_usage_read("/", thread_number(), &before) != 0) {
        print_message("SKIPPED: this kernel says nothing about threads\n");
        skip();
    }
    struct timespec nap = {.tv_nsec = 1000000};
    for (int i = 0; i < 5; i++)
        nanosleep(&nap, NULL);
    while (thread_cpu_now() - begin < 60 * NSEC_PER_MSEC)
        continue;
    assert_int_equal(thread_usage_read("/", thread_number(), &after), 0);
    if (host_known(before.cpu_ns)) {
        uint64_t used = host_growth(before.cpu_ns, after.cpu_ns);
        assert_true(used > 30000000 && used < 2000000000);
    }
    if (host_known(before.voluntary))
        assert_true(host_growth(before.voluntary, after.voluntary) >= 5);
}

/* ---- processors --------------------------------------------------------------------------- */

static void processors_are_read(void **state)
{
    const char *root = *state;
    struct cpu before, after;
    plant(root, "/proc/stat",
          "cpu  100 10 50 1000 40 5 5 20 7 0\ncpu0 60 5 25 500 20 5 5 10 7 0\n"
          "cpu2 40 5 25 500 20 0 0 10 0 0\nintr 1 2 3\nctxt 9\n");
    assert_int_equal(cpu_read(root, &before), 0);
    plant(root, "/proc/stat",
          "cpu  150 10 70 1100 50 5 5 40 9 0\ncpu0 110 5 45 500 20 5 5 10 9 0\n"
          "cpu2 40 5 25 600 30 0 0 30 0 0\n");
    assert_int_equal(cpu_read(root, &after), 0);
    assert_int_equal(before.core_count, 2);
    assert_true(cpu_core_times(&before, 1) == NULL);
    /* 200 ticks: 70 busy, 110 idle, 20 stolen */
    assert_true(fabs(cpu_busy_share(&before.all, &after.all) - 0.35) < 1e-12);
    assert_true(fabs(cpu_steal_share(&before.all, &after.all) - 0.1) < 1e-12);
    assert_true(cpu_busy_share(cpu_core_times(&before, 0), cpu_core_times(&after, 0)) == 1);
    assert_true(cpu_busy_share(cpu_core_times(&before, 2), cpu_core_times(&after, 2)) == 0);
    assert_true(isnan(cpu_busy_share(&after.all, &after.all)));
    assert_true(isnan(cpu_steal_share(&after.all, &before.all)));
    cpu_fini(&before);
    cpu_fini(&after);
    static const char *const nonsense[] = {
        "", "cpu", "cpu a b c d", "cpu 1 2 3", "cpu0 1 2 3 4\n", "cpux 1 2 3 4\n"};
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
        plant(root, "/proc/stat", nonsense[i]);
        assert_int_equal(cpu_read(root, &before), HOST_NOT_KNOWN);
        assert_true(before.cores == NULL && before.core_count == 0);
    }
    plant(root, "/proc/stat", "cpu 1 2 3 4\n"); /* a kernel of few columns */
    assert_int_equal(cpu_read(root, &before), 0);
    assert_int_equal(before.all.busy, 6);
    cpu_fini(&before);
}

/* ---- TCP ---------------------------------------------------------------------------------- */

static void tcp_is_read(void **state)
{
    const char *root = *state;
    plant(root, "/proc/net/netstat",
          "TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPTimeouts\nTcpExt: 1 22 333 4\n"
          "IpExt: InNoRoutes ListenDrops\nIpExt: 5 6\n");
    plant(root, "/proc/net/snmp",
          "Ip: Forwarding OutSegs\nIp: 1 99\n"
          "Tcp: RtoAlgorithm MaxConn AttemptFails CurrEstab OutSegs RetransSegs\n"
          "Tcp: 1 -1 7 8 900 10\n");
    plant(root, "/proc/net/sockstat",
          "sockets: used 64\nTCP: inuse 47 orphan 0 tw 10069 alloc 47 mem 642\nUDP: inuse 3\n");
    plant(root, "/proc/net/sockstat6", "TCP6: inuse 5\n");
    struct netstat netstat;
    netstat_read(root, &netstat);
    assert_int_equal(netstat.listen_overflows, 22);
    assert_int_equal(netstat.listen_drops, 333);
    assert_int_equal(netstat.opens_failed, 7);
    assert_int_equal(netstat.established, 8);
    assert_int_equal(netstat.segments_out, 900);
    assert_int_equal(netstat.segments_repeated, 10);
    assert_int_equal(netstat.time_wait, 10069);
    assert_int_equal(netstat.in_use, 52);
    static const char *const nonsense[] = {
        "", "TcpExt: ListenOverflows ListenDrops\n", "TcpExt:\nTcpExt: 1 2\n",
        "TcpExt: ListenDrops ListenOverflows\nTcpExt:\n",
        "Tcp: OutSegs RetransSegs\nUdp: 1 2\nTCP: inuse\nTCP: tw x\n"};
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
        plant(root, "/proc/net/netstat", nonsense[i]);
        plant(root, "/proc/net/snmp", nonsense[i]);
        plant(root, "/proc/net/sockstat", nonsense[i]);
        netstat_read(root, &netstat);
        const uint64_t *fields = (const uint64_t *)&netstat;
        for (size_t k = 0; k < sizeof(netstat) / sizeof(*fields); k++)
            assert_false(host_known(fields[k]));
    }
}

/* A listening socket with room for one, to which four connect and nobody accepts: the kernel counts
 * overflows. */
static void overflow_is_seen(void **state)
{
    (void)state;
    struct netstat before, after;
    netstat_read("/", &before);
    if (!host_known(before.listen_overflows)) {
        print_message("SKIPPED: this kernel does not count listen overflows\n");
        skip();
    }
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    int clients[8];
    for (size_t i = 0; i < 8; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(clients[i], (struct sockaddr *)&address, length);
    }
    struct timespec nap = {.tv_nsec = 20000000};
    nanosleep(&nap, NULL);
    netstat_read("/", &after);
    for (size_t i = 0; i < 8; i++)
        close(clients[i]);
    close(listener);
    assert_true(host_growth(before.listen_overflows, after.listen_overflows) >= 1);
    assert_true(after.listen_overflows != HOST_UNKNOWN);
}

/* ---- clocks ------------------------------------------------------------------------------- */

static void sleep_and_steps_are_told_apart(void **state)
{
    (void)state;
    const nsec_t second = NSEC_PER_SEC;
    struct clocks before = {.monotonic_ns = 100 * second,
                            .boot_ns = 500 * second,
                            .wall_ns = 9000 * second,
                            .spread_ns = 300};
    struct clocks after = before;
    after.monotonic_ns += 10 * second;
    after.boot_ns += 10 * second;
    after.wall_ns += 10 * second;
    assert_int_equal(clocks_suspended(&before, &after), 0);
    assert_int_equal(clocks_stepped(&before, &after), 0);
    struct clocks slept = after;
    slept.boot_ns += 7 * second;
    slept.wall_ns += 7 * second; /* the wall clock went on, as it should */
    assert_int_equal(clocks_suspended(&before, &slept), 7 * second);
    assert_int_equal(clocks_stepped(&before, &slept), 0);
    struct clocks set = after;
    set.wall_ns -= 3600 * second;
    assert_int_equal(clocks_suspended(&before, &set), 0);
    assert_int_equal(clocks_stepped(&before, &set), -3600 * second);
    set = after;
    set.wall_ns += second / 2;
    assert_int_equal(clocks_stepped(&before, &set), second / 2);
    set.wall_ns = after.wall_ns + 900000; /* within the doubt */
    assert_int_equal(clocks_stepped(&before, &set), 0);
    set.wall_ns = after.wall_ns + 50000000;
    set.spread_ns = 60000000; /* the reading itself was held up */
    assert_int_equal(clocks_stepped(&before, &set), 0);
}

static void clocks_agree_here(void **state)
{
    (void)state;
    struct clocks before, after;
    clocks_read(&before);
    struct timespec nap = {.tv_nsec = 30000000};
    nanosleep(&nap, NULL);
    clocks_read(&after);
    assert_true(before.spread_ns >= 0 && before.spread_ns < NSEC_PER_SEC);
    assert_true(after.monotonic_ns - before.monotonic_ns >= 30 * NSEC_PER_MSEC);
    assert_int_equal(clocks_suspended(&before, &after), 0);
    assert_int_equal(clocks_stepped(&before, &after), 0);
}

int main(void)
{
#define PLANTED(test) cmocka_unit_test_setup_teardown(test, new_root, drop_root)
    const struct CMUnitTest tests[] = {
        PLANTED(thread_is_read),
        cmocka_unit_test(own_thread_is_seen_working),
        PLANTED(processors_are_read),
        PLANTED(tcp_is_read),
        cmocka_unit_test(overflow_is_seen),
        cmocka_unit_test(sleep_and_steps_are_told_apart),
        cmocka_unit_test(clocks_agree_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
