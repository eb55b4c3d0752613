/* The probe `gpu` on a real GPU: each of its figures lies where it must, and those of the driver's
 * library agree with nvidia-smi's, which asks on its own. Ends with 77 where there is no GPU. */
#include "plug/probe/gpu.h"
#include "plug/probe/probe_list.h"

#include "support/probe_stage.h"

#include <poll.h>

/* As in gpu.c, whose own it is. */
struct config {
    char *library, *program;
    bool pcie, processes;
};

static int faults;

static void expect(bool right, const char *what, double value)
{
    printf("%-8s %s: %g\n", right ? "right" : "WRONG", what, value);
    faults += !right;
}

/* Within the range where it is told at all; what the GPU does not support is said. */
static void within(const struct probe_stage *stage, const char *metric, double least, double most)
{
    double value = stage_value(stage, metric, "GPU0");
    if (isnan(value))
        printf("unknown  %s\n", metric);
    else
        expect(value >= least && value <= most, metric, value);
}

static void compare(const struct probe_stage *one, const struct probe_stage *other,
                    const char *metric, double share)
{
    double a = stage_value(one, metric, "GPU0"), b = stage_value(other, metric, "GPU0");
    if (isnan(a) || isnan(b))
        printf("unknown  %s by one of both ways\n", metric);
    else
        expect(fabs(a - b) <= share * fabs(b), metric, b > 0 ? a / b : a - b);
}

int main(void)
{
    struct probe_stage library = {.rc = 0}, program = {.rc = 0};
    struct config config = {
        .library = "libnvidia-ml.so.1", .program = "/none", .pcie = true, .processes = true};
    if (!stage_open(&library, &probe_gpu, &config)) {
        printf("SKIPPED: %s\n", library.why.at);
        stage_close(&library);
        return 77;
    }
    stage_look(&library);
    poll(NULL, 0, 500);
    nsec_t began_ns = clock_monotonic_ns();
    expect(stage_look(&library) == 0, "looks", library.rc);
    expect(clock_monotonic_ns() - began_ns < NSEC_PER_SEC, "ms a look",
           (double)(clock_monotonic_ns() - began_ns) / 1e6);
    stage_print(&library);
    within(&library, "gpu.utilization", 0, 1);
    within(&library, "gpu.memory_busy", 0, 1);
    within(&library, "gpu.memory_share", 0, 1);
    within(&library, "gpu.memory_total", 1e9, 1e12);
    within(&library, "gpu.power", 1, 2000);
    within(&library, "gpu.power_share", 0, 1.2);
    within(&library, "gpu.clock", 1e8, 5e9);
    within(&library, "gpu.clock_share", 0, 1);
    within(&library, "gpu.temperature", 5, 110);
    within(&library, "gpu.pcie_sent", 0, 2e11);
    within(&library, "gpu.pcie_received", 0, 2e11);
    within(&library, "gpu.processes", 0, 10000);
    within(&library, "gpu.ecc_uncorrected", 0, 0);
    config.library = "/none";
    config.program = "nvidia-smi";
    program.place.timeout_ns = 20 * NSEC_PER_SEC;
    if (stage_open(&program, &probe_gpu, &config)) {
        expect(stage_look(&program) == 0, "nvidia-smi looks", program.rc);
        compare(&library, &program, "gpu.memory_total", 0.01);
        compare(&library, &program, "gpu.power", 0.25);
        compare(&library, &program, "gpu.clock", 0.5);
        compare(&library, &program, "gpu.temperature", 0.2);
    } else {
        printf("no nvidia-smi to compare with: %s\n", program.why.at);
    }
    stage_close(&program);
    stage_close(&library);
    return faults ? 1 : 0;
}
