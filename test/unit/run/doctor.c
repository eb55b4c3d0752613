/* The diagnosis on machines made of files: each thing that is wrong is found, with what to do, and
 * what is fine is left alone. */
#include "../host/plant.h"

#include "base/memory.h"
#include "host/listening.h"
#include "run/doctor/doctor.h"
#include "run/port_forward.h"

static const struct finding *named(const struct findings *findings, const char *name)
{
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->items[i].name, name) == 0)
            return &findings->items[i];
    return NULL;
}

/* The finding of this name has this grade, and what is not fine has a remedy. */
static void assert_grade(const struct findings *findings, const char *name,
                         enum finding_grade grade)
{
    const struct finding *finding = named(findings, name);
    assert_non_null(finding);
    if (finding->grade != grade)
        print_error("%s: %s\n", name, finding->words);
    assert_int_equal(finding->grade, grade);
    assert_true((finding->remedy != NULL) == (grade >= FINDING_WARNING));
}

/* A command line with zeros between its words, as the kernel shows it. */
static void plant_command(const char *root, const char *pid, const char *words)
{
    char path[256];
    snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
    plant(root, path, "");
    char whole[512];
    snprintf(whole, sizeof whole, "%s%s", root, path);
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    for (const char *at = words; *at; at++)
        fputc(*at == ' ' ? '\0' : *at, file);
    fputc('\0', file);
    assert_int_equal(fclose(file), 0);
}

static void port_forwards_are_known_by_their_command_line(void **state)
{
    const char *root = *state;
    plant_command(root, "10", "/usr/local/bin/kubectl -n prod port-forward svc/ai 8000:80 9000");
    plant_command(root, "11", "grep kubectl port-forward 7000:80");
    plant_command(root, "12", "kubectl get pods 6000:1");
    assert_true(port_forward_has(root, 8000));
    assert_true(port_forward_has(root, 9000));
    assert_false(port_forward_has(root, 80));
    assert_false(port_forward_has(root, 7000));
    assert_false(port_forward_has(root, 6000));
    struct plan plan = {.target = "http://localhost:8000"};
    assert_string_equal(port_forward_target(root, &plan), plan.target);
    plan.target = "http://192.0.2.1:8000"; /* the same port of another machine */
    assert_null(port_forward_target(root, &plan));
    plan.target = "http://127.0.0.1:8001";
    assert_null(port_forward_target(root, &plan));
}

static void listening_sockets_are_read(void **state)
{
    const char *root = *state;
    struct listening listening;
    assert_int_equal(listening_read(root, &listening), HOST_NOT_KNOWN);
    plant(root, "/proc/net/tcp",
          "  sl  local_address rem_address   st\n"
          "   0: 0100007F:1F90 00000000:0000 0A 00000000\n"
          "   1: 0100007F:0016 0100007F:C000 01 00000000\n");
    plant(root, "/proc/net/tcp6",
          "  sl  local_address rem_address   st\n"
          "   0: 00000000000000000000000000000000:1F90 0:0000 0A\n"
          "   1: 00000000000000000000000000000000:0050 0:0000 0A\n");
    assert_int_equal(listening_read(root, &listening), 0);
    assert_int_equal(listening.count, 2);
    assert_int_equal(listening.ports[0], 80);
    assert_int_equal(listening.ports[1], 8080);
    listening_fini(&listening);
}

static void plant_network(const char *root, const char *lines)
{
    char bytes[1024];
    snprintf(bytes, sizeof bytes, "Inter-| Receive | Transmit\n face |bytes\n%s", lines);
    plant(root, "/proc/net/dev", bytes);
}

static void lossy_interfaces_are_named(void **state)
{
    const char *root = *state;
    plant_network(root, "  eth0: 9 1000000 600 600 0 0 0 0 9 1000 0 0 0 0 0 0\n");
    plant(root, "/sys/class/net/eth0/speed", "10000\n");
    struct findings findings = {0};
    doctor_network(root, &findings);
    assert_grade(&findings, "interface", FINDING_WARNING);
    assert_non_null(strstr(named(&findings, "interface")->words, "600 errors, 600 dropped"));
    assert_non_null(strstr(named(&findings, "interface")->words, "10,000 Mbit/s"));
    findings_fini(&findings);
    plant_network(root, "  eth0: 9 1000000 1 0 0 0 0 0 9 1000 0 0 0 0 0 0\n");
    doctor_network(root, &findings);
    assert_grade(&findings, "interface", FINDING_FINE);
    findings_fini(&findings);
}

static void kernel_limits_are_judged(void **state)
{
    const char *root = *state;
    struct findings findings = {0};
    plant(root, "/proc/sys/net/ipv4/ip_local_port_range", "32768\t33767\n");
    plant(root, "/proc/sys/net/core/somaxconn", "128\n");
    plant(root, "/proc/net/sockstat", "TCP: inuse 5 orphan 0 tw 900 alloc 6 mem 1\n");
    plant(root, "/proc/net/netstat", "TcpExt: ListenOverflows ListenDrops\nTcpExt: 7 9\n");
    plant(root, "/proc/sys/net/netfilter/nf_conntrack_count", "60000\n");
    plant(root, "/proc/sys/net/netfilter/nf_conntrack_max", "65536\n");
    doctor_kernel(root, &findings);
    assert_grade(&findings, "ports", FINDING_WARNING);
    assert_non_null(strstr(named(&findings, "ports")->words, "1,000"));
    assert_non_null(strstr(named(&findings, "ports")->words, "900 resting"));
    assert_grade(&findings, "somaxconn", FINDING_WARNING);
    assert_grade(&findings, "overflows", FINDING_WARNING);
    assert_grade(&findings, "conntrack", FINDING_WARNING);
    assert_non_null(strstr(named(&findings, "conntrack")->remedy, "262144"));
    findings_fini(&findings);
}

static void slow_and_held_back_processors_are_told(void **state)
{
    const char *root = *state;
    struct findings findings = {0};
    plant(root, "/proc/stat",
          "cpu  100 0 100 800 0 0 0 100 0 0\ncpu0 100 0 100 800 0 0 0 100 0 0\n");
    plant(root, "/sys/devices/system/cpu/online", "0\n");
    plant(root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    plant(root, "/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3\n");
    plant(root, "/proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable: 50000 kB\n");
    plant(root, "/proc/pressure/memory", "some avg10=40.00 avg60=0.00 avg300=0.00 total=1\n");
    doctor_generator(root, &findings);
    assert_grade(&findings, "governor", FINDING_WARNING);
    assert_non_null(strstr(named(&findings, "governor")->words, "powersave"));
    assert_grade(&findings, "heat", FINDING_WARNING);
    assert_grade(&findings, "steal", FINDING_WARNING);
    assert_grade(&findings, "memory", FINDING_WARNING);
    assert_grade(&findings, "memory pressure", FINDING_WARNING);
    assert_null(named(&findings, "cpu pressure"));
    findings_fini(&findings);
}

static void nothing_to_read_is_unknown_not_fine(void **state)
{
    const char *root = *state;
    struct findings findings = {0};
    doctor_generator(root, &findings);
    doctor_kernel(root, &findings);
    doctor_network(root, &findings);
    assert_int_equal(findings.problems, 0);
    assert_grade(&findings, "use", FINDING_UNKNOWN);
    assert_grade(&findings, "memory", FINDING_UNKNOWN);
    assert_grade(&findings, "ports", FINDING_UNKNOWN);
    assert_grade(&findings, "listening", FINDING_UNKNOWN);
    findings_fini(&findings);
}

static void a_directory_that_cannot_be_written_is_a_problem(void **state)
{
    const char *root = *state;
    struct findings findings = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/not/there/yet", root);
    doctor_storage(path, &findings); /* the nearest above it is tried, and nothing is left there */
    assert_grade(&findings, "space", FINDING_FINE);
    assert_non_null(strstr(named(&findings, "space")->words, root));
    findings_fini(&findings);
    assert_int_equal(rmdir(root), 0);
    assert_int_equal(mkdir(root, 0755), 0);
    doctor_storage("/proc/self", &findings);
    assert_grade(&findings, "writing", FINDING_PROBLEM);
    findings_fini(&findings);
}

int main(void)
{
#define PLANTED(test) cmocka_unit_test_setup_teardown(test, new_root, drop_root)
    const struct CMUnitTest tests[] = {
        PLANTED(port_forwards_are_known_by_their_command_line),
        PLANTED(listening_sockets_are_read),
        PLANTED(lossy_interfaces_are_named),
        PLANTED(kernel_limits_are_judged),
        PLANTED(slow_and_held_back_processors_are_told),
        PLANTED(nothing_to_read_is_unknown_not_fine),
        PLANTED(a_directory_that_cannot_be_written_is_a_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
