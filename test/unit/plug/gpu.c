/* The probe `gpu` against a driver's library of the tests' own, against scripts in the place of
 * nvidia-smi, and where there is neither. */
#include "plug/probe/gpu.h"
#include "plug/probe/probe_list.h"

#include "../../support/probe_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* As in gpu.c, whose own it is. */
struct config {
    char *library, *program;
    bool pcie, processes;
};

static void near(double value, double wanted)
{
    if (!(fabs(value - wanted) <= 1e-9 * fabs(wanted)))
        fail_msg("%.17g is not %.17g", value, wanted);
}

static void test_library(void **state)
{
    (void)state;
    struct probe_stage stage = {.rc = 0};
    struct config config = {
        .library = FAKE_NVML, .program = "/none", .pcie = true, .processes = true};
    assert_true(stage_open(&stage, &probe_gpu, &config));
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "gpu.utilization", "GPU0"), 0.87);
    near(stage_value(&stage, "gpu.memory_busy", "GPU0"), 0.41);
    near(stage_value(&stage, "gpu.memory_used", "GPU0"), 60.0 * (1 << 30));
    near(stage_value(&stage, "gpu.memory_share", "GPU0"), 0.75);
    near(stage_value(&stage, "gpu.memory_share", "GPU1"), 0.25);
    near(stage_value(&stage, "gpu.power", "GPU0"), 350.5);
    near(stage_value(&stage, "gpu.power_share", "GPU0"), 0.5);
    near(stage_value(&stage, "gpu.clock", "GPU0"), 1.485e9);
    near(stage_value(&stage, "gpu.clock_share", "GPU0"), 0.75);
    near(stage_value(&stage, "gpu.memory_clock", "GPU0"), 2.619e9);
    near(stage_value(&stage, "gpu.throttled_power", "GPU0"), 1);
    near(stage_value(&stage, "gpu.throttled_heat", "GPU0"), 0);
    near(stage_value(&stage, "gpu.temperature", "GPU1"), 35);
    near(stage_value(&stage, "gpu.pcie_sent", "GPU0"), 1.5e6);
    near(stage_value(&stage, "gpu.pcie_received", "GPU0"), 42e3);
    near(stage_value(&stage, "gpu.processes", "GPU0"), 2);
    near(stage_value(&stage, "gpu.process_memory", "GPU0/4242"), 59.0 * (1 << 30));
    assert_true(isnan(stage_value(&stage, "gpu.process_memory", "GPU0/4243")));
    /* What a GPU does not support is a gap, and growth needs a look before. */
    assert_true(isnan(stage_value(&stage, "gpu.power", "GPU1")));
    assert_true(isnan(stage_value(&stage, "gpu.throttled_power", "GPU1")));
    assert_true(isnan(stage_value(&stage, "gpu.ecc_corrected", "GPU0")));
    assert_false(stage_event(&stage, "ecc"));
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "gpu.ecc_corrected", "GPU0"), 2);
    near(stage_value(&stage, "gpu.ecc_uncorrected", "GPU0"), 0);
    assert_true(stage_event(&stage, "ecc"));
    near(stage_value(&stage, "gpu.xid", "GPU1"), 79);
    assert_true(stage_event(&stage, "xid"));
    for (int i = 0; i < 3; i++)
        assert_int_equal(stage_look(&stage), 0);
    assert_true(isnan(stage_value(&stage, "gpu.utilization", "GPU1")));
    assert_true(isnan(stage_value(&stage, "gpu.memory_used", "GPU1")));
    near(stage_value(&stage, "gpu.utilization", "GPU0"), 0.87);
    assert_true(stage_event(&stage, "gone"));
    stage_close(&stage);
}

/* A script in the place of nvidia-smi; its path. */
static char *plant(const char *words)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/plimsoll-smi-%d", (int)getpid());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", words);
    fclose(file);
    chmod(path, 0755);
    return path;
}

static void test_program(void **state)
{
    (void)state;
    struct probe_stage stage = {.rc = 0};
    struct config config = {.library = "/no/such/library.so"};
    config.program =
        plant("case \"$1 $2\" in '--query-gpu='*,clocks_throttle_reasons.active' "
              "--format=csv,noheader,nounits')\n"
              "echo '45, 12, 20480, 81920, 120.50, 482.00, 990, 1980, 2619, 33, 0, 0, "
              "0x0000000000000040'\n"
              "echo '[N/A], [N/A], 1, 100, [Not Supported], [N/A], 5, [N/A], 1, 60, [N/A], [N/A], "
              "[N/A]';; *) echo wrong arguments; exit 3;; esac");
    assert_true(stage_open(&stage, &probe_gpu, &config));
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "gpu.utilization", "GPU0"), 0.45);
    near(stage_value(&stage, "gpu.memory_busy", "GPU0"), 0.12);
    near(stage_value(&stage, "gpu.memory_used", "GPU0"), 20480.0 * 1048576);
    near(stage_value(&stage, "gpu.memory_share", "GPU0"), 0.25);
    near(stage_value(&stage, "gpu.power_share", "GPU0"), 0.25);
    near(stage_value(&stage, "gpu.clock_share", "GPU0"), 0.5);
    near(stage_value(&stage, "gpu.throttled_heat", "GPU0"), 1);
    near(stage_value(&stage, "gpu.throttled_power", "GPU0"), 0);
    assert_true(isnan(stage_value(&stage, "gpu.utilization", "GPU1")));
    near(stage_value(&stage, "gpu.temperature", "GPU1"), 60);
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "gpu.ecc_corrected", "GPU0"), 0);
    /* It hangs: the look ends in time, and is a gap. */
    plant("sleep 60");
    stage.place.timeout_ns = 200 * NSEC_PER_MSEC;
    nsec_t began_ns = clock_monotonic_ns();
    assert_int_equal(stage_look(&stage), PROBE_GAP);
    assert_true(clock_monotonic_ns() - began_ns < 10 * NSEC_PER_SEC);
    stage_close(&stage);
    stage.place.timeout_ns = 5 * NSEC_PER_SEC;
    plant("echo NVIDIA-SMI has failed; exit 9");
    assert_false(stage_open(&stage, &probe_gpu, &config));
    assert_int_equal(stage.rc, PROBE_ABSENT);
    assert_non_null(strstr(stage.why.at, "NVIDIA-SMI has failed"));
    stage_close(&stage);
    unlink(config.program);
}

static void test_nothing(void **state)
{
    (void)state;
    struct probe_stage stage = {.rc = 0};
    struct config config = {.library = "/no/such/library.so", .program = "/no/such/program"};
    assert_false(stage_open(&stage, &probe_gpu, &config));
    assert_int_equal(stage.rc, PROBE_ABSENT);
    assert_string_equal(stage.why.at,
                        "the NVIDIA driver's library (/no/such/library.so) is not here, and "
                        "/no/such/program cannot be run: no NVIDIA GPU is watched");
    stage_close(&stage);
}

static void test_lines(void **state)
{
    (void)state;
    struct gpu_reading readings[2];
    assert_int_equal(smi_parse(SPAN("1,2,3\nNo devices were found\n"), readings, 2), 0);
    assert_int_equal(smi_parse(SPAN("1,2,3,4,5,6,7,8,9,10,11,12,0x1\r\n1,2,3,4,5,6,7,8,9,10,11,12,"
                                    "0x1\n1,2,3,4,5,6,7,8,9,10,11,12,0x1"),
                               readings, 2),
                     2);
    assert_int_equal(smi_parse(SPAN("1,2,3,4,5,6,7,8,9,10,11,12,0x1,14"), readings, 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_library),
        cmocka_unit_test(test_program),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
