/* GPUs of NVIDIA: by the driver's library, else by nvidia-smi. A GPU is a part, GPU0 and so on, in
 * the driver's order. Both ways may take some tens of milliseconds a GPU, so the probe has a thread
 * of its own. */
#include "plug/probe/gpu.h"

#include "base/memory.h"
#include "plug/probe/probe_list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LIBRARY "libnvidia-ml.so.1"

enum { METRIC_XID = GPU_FIGURES, METRIC_PROCESS_MEMORY };
enum { MOST_XIDS = 16 }; /* of one look */

#define GPU(number, word, of, what)                                                                \
    [number] = METRIC_ROW(METRIC_GAUGE, "gpu." word, of, what, "NVML, or nvidia-smi")

static const struct metric metrics[] = {
    GPU(GPU_UTILIZATION, "utilization", "1",
        "share of the driver's sampling period in which some kernel ran"),
    GPU(GPU_MEMORY_BUSY, "memory_busy", "1",
        "share of that period in which memory was read or written"),
    GPU(GPU_MEMORY_USED, "memory_used", "bytes", "memory in use"),
    GPU(GPU_MEMORY_TOTAL, "memory_total", "bytes", "memory there is"),
    GPU(GPU_MEMORY_SHARE, "memory_share", "1", "share of the memory in use"),
    GPU(GPU_POWER, "power", "W", "power drawn"),
    GPU(GPU_POWER_SHARE, "power_share", "1", "power drawn over its limit"),
    GPU(GPU_CLOCK, "clock", "Hz", "clock of the multiprocessors"),
    GPU(GPU_CLOCK_SHARE, "clock_share", "1", "that clock over the highest there is"),
    GPU(GPU_MEMORY_CLOCK, "memory_clock", "Hz", "clock of the memory"),
    GPU(GPU_THROTTLED_POWER, "throttled_power", "1", "1 while clocks are lowered for power"),
    GPU(GPU_THROTTLED_HEAT, "throttled_heat", "1", "1 while clocks are lowered for heat"),
    GPU(GPU_TEMPERATURE, "temperature", "C", "temperature of the chip"),
    GPU(GPU_PCIE_SENT, "pcie_sent", "bytes/s", "sent over PCIe, in 20 ms of the look"),
    GPU(GPU_PCIE_RECEIVED, "pcie_received", "bytes/s", "received over PCIe, in 20 ms of the look"),
    GPU(GPU_PROCESSES, "processes", "processes", "processes that compute on it"),
    GPU(GPU_ECC_CORRECTED, "ecc_corrected", "errors",
        "memory errors corrected since the look before"),
    GPU(GPU_ECC_UNCORRECTED, "ecc_uncorrected", "errors",
        "memory errors not corrected since the look before"),
    GPU(METRIC_XID, "xid", "1", "number of an Xid error that the driver reported"),
    GPU(METRIC_PROCESS_MEMORY, "process_memory", "bytes", "memory of one process, as GPU0/PID"),
    {.name = NULL},
};

struct gpu_config {
    char *library, *program;
    bool pcie, processes;
};

static const struct setting settings[] = {
    {.name = "library",
     .type = SETTING_TEXT,
     .offset = offsetof(struct gpu_config, library),
     .unset = LIBRARY,
     .sentence = "the driver's library"},
    {.name = "program",
     .type = SETTING_TEXT,
     .offset = offsetof(struct gpu_config, program),
     .unset = "nvidia-smi",
     .sentence = "what is asked where the library cannot be loaded"},
    {.name = "pcie",
     .type = SETTING_BOOL,
     .offset = offsetof(struct gpu_config, pcie),
     .unset = "true",
     .sentence = "measure PCIe's throughput, which takes 40 ms a GPU"},
    {.name = "processes",
     .type = SETTING_BOOL,
     .offset = offsetof(struct gpu_config, processes),
     .sentence = "the memory of each process too"},
    {.name = NULL},
};

struct gpu_probe {
    const struct gpu_config *config;
    const struct probe_place *place;
    struct nvml *nvml; /* NULL: by the program */
    struct gpu_reading *readings;
    double before[GPU_MOST][GPU_FIGURES]; /* totals of the look before */
    bool lost[GPU_MOST];
};

/* ---- readings ---------------------------------------------------------------------------------
 */

void gpu_reading_clear(struct gpu_reading *reading)
{
    for (size_t i = 0; i < GPU_FIGURES; i++)
        reading->figures[i] = NAN;
    reading->process_count = 0;
}

void gpu_reading_throttle(struct gpu_reading *reading, unsigned long long reasons)
{
    /* Software power cap, power brake; software and hardware thermal slowdown. The bit of a
     * slowdown by hardware (8) comes with the one that says why. */
    reading->figures[GPU_THROTTLED_POWER] = reasons & (0x4 | 0x80) ? 1 : 0;
    reading->figures[GPU_THROTTLED_HEAT] = reasons & (0x20 | 0x40) ? 1 : 0;
}

void gpu_reading_complete(struct gpu_reading *reading, double power_limit, double clock_most)
{
    double *figures = reading->figures;
    if (figures[GPU_MEMORY_TOTAL] > 0)
        figures[GPU_MEMORY_SHARE] = figures[GPU_MEMORY_USED] / figures[GPU_MEMORY_TOTAL];
    if (power_limit > 0)
        figures[GPU_POWER_SHARE] = figures[GPU_POWER] / power_limit;
    if (clock_most > 0)
        figures[GPU_CLOCK_SHARE] = figures[GPU_CLOCK] / clock_most;
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void gpu_close(void *self)
{
    struct gpu_probe *probe = self;
    nvml_close(probe->nvml);
    free(probe->readings);
    free(probe);
}

static int gpu_open(const void *config, const struct probe_place *place, void **self,
                    struct text *why)
{
    struct gpu_probe *probe = memory_new(1, sizeof *probe);
    struct text second = TEXT_EMPTY;
    size_t count = 0;
    probe->config = config;
    probe->place = place;
    probe->readings = memory_new(GPU_MOST, sizeof *probe->readings);
    for (size_t i = 0; i < GPU_MOST; i++)
        for (size_t f = 0; f < GPU_FIGURES; f++)
            probe->before[i][f] = NAN;
    int rc = nvml_open(probe->config->library, &probe->nvml, why);
    if (rc)
        rc = smi_read(probe->config->program, place, probe->readings, &count, &second);
    if (rc == 0) {
        text_clear(why);
        *self = probe;
    } else {
        text_printf(why, ", and %s: no NVIDIA GPU is watched", second.at);
        gpu_close(probe);
        rc = PROBE_ABSENT;
    }
    text_fini(&second);
    return rc;
}

/* ---- looking ----------------------------------------------------------------------------------
 */

static void tell_errors(const char *part, const char *kind, double growth, struct probe_sink *sink)
{
    if (growth > 0)
        probe_event(sink, "ecc", "%s: %.0f %s memory errors", part, growth, kind);
}

static void hand_out(struct gpu_probe *probe, size_t gpu, struct probe_sink *sink)
{
    const struct gpu_reading *reading = &probe->readings[gpu];
    double *before = probe->before[gpu];
    char part[32];
    snprintf(part, sizeof part, "GPU%zu", gpu);
    for (size_t i = 0; i < GPU_FIGURES; i++) {
        double value = reading->figures[i];
        if (i >= GPU_LEVELS) {
            double growth = value - before[i];
            before[i] = value;
            value = growth >= 0 ? growth : (double)NAN;
        }
        probe_value(sink, i, part, value);
        if (i == GPU_ECC_CORRECTED || i == GPU_ECC_UNCORRECTED)
            tell_errors(part, i == GPU_ECC_CORRECTED ? "corrected" : "uncorrected", value, sink);
    }
    for (size_t i = 0; probe->config->processes && i < reading->process_count; i++) {
        snprintf(part, sizeof part, "GPU%zu/%u", gpu, reading->processes[i].pid);
        probe_value(sink, METRIC_PROCESS_MEMORY, part, reading->processes[i].bytes);
    }
}

static int look_by_library(struct gpu_probe *probe, struct probe_sink *sink)
{
    size_t gpu = 0;
    unsigned long long xid = 0;
    char part[32];
    for (size_t i = 0; i < nvml_count(probe->nvml); i++) {
        bool there = nvml_read(probe->nvml, i, probe->config->pcie, &probe->readings[i]);
        if (there)
            hand_out(probe, i, sink);
        else if (!probe->lost[i])
            probe_event(sink, "gone", "GPU%zu is lost to its driver", i);
        probe->lost[i] = !there;
    }
    for (int i = 0; i < MOST_XIDS && nvml_xid(probe->nvml, &gpu, &xid); i++) {
        snprintf(part, sizeof part, "GPU%zu", gpu);
        probe_value(sink, METRIC_XID, part, (double)xid);
        probe_event(sink, "xid", "%s: the driver reports Xid error %llu", part, xid);
    }
    return 0;
}

static int gpu_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    struct gpu_probe *probe = self;
    size_t count = 0;
    (void)at_ns;
    if (probe->nvml)
        return look_by_library(probe, sink);
    if (smi_read(probe->config->program, probe->place, probe->readings, &count, why))
        return PROBE_GAP;
    for (size_t i = 0; i < count; i++)
        hand_out(probe, i, sink);
    return 0;
}

static void describe(struct text *out)
{
    text_puts(out, "Seen so far with a driver's library and a program of the tests' own (two GPUs, "
                   "one that supports little and is lost). `ctest -R gpu/real` holds the figures "
                   "of a real GPU against `nvidia-smi`'s, and says so where there is none.\n");
}

const struct probe probe_gpu = {
    .name = "gpu",
    .sentence = "GPUs of NVIDIA on this machine",
    .settings = settings,
    .config_bytes = sizeof(struct gpu_config),
    .metrics = metrics,
    .role = "gpu",
    .unasked = "",
    .remote = true,
    .describe = describe,
    .open = gpu_open,
    .look = gpu_look,
    .close = gpu_close,
};
