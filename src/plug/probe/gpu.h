/* plug/probe/gpu.h - inside of the gpu probe: the figures of a GPU, and the two ways to them. */
#ifndef PLUG_PROBE_GPU_H
#define PLUG_PROBE_GPU_H

#include "base/text.h"
#include "watch/probe.h"

enum gpu_figure {
    GPU_UTILIZATION,
    GPU_MEMORY_BUSY,
    GPU_MEMORY_USED,
    GPU_MEMORY_TOTAL,
    GPU_MEMORY_SHARE,
    GPU_POWER,
    GPU_POWER_SHARE,
    GPU_CLOCK,
    GPU_CLOCK_SHARE,
    GPU_MEMORY_CLOCK,
    GPU_THROTTLED_POWER,
    GPU_THROTTLED_HEAT,
    GPU_TEMPERATURE,
    GPU_PCIE_SENT,
    GPU_PCIE_RECEIVED,
    GPU_PROCESSES,
    GPU_LEVELS, /* those before are levels; those from here on totals, of which growth is told */
    GPU_ECC_CORRECTED = GPU_LEVELS,
    GPU_ECC_UNCORRECTED,
    GPU_FIGURES,
};

enum { GPU_MOST = 64, GPU_MOST_PROCESSES = 128 };

struct gpu_reading {
    double figures[GPU_FIGURES]; /* in the units of gpu.c's metrics; NAN: not told */
    size_t process_count;
    struct gpu_process {
        unsigned pid;
        double bytes; /* NAN: not told */
    } processes[GPU_MOST_PROCESSES];
};

/* All figures unknown, no process. */
void gpu_reading_clear(struct gpu_reading *reading);
/* Fills the two shares of reasons from NVML's bits ("clocks throttle reasons"). */
void gpu_reading_throttle(struct gpu_reading *reading, unsigned long long reasons);
/* Fills what follows from other figures: shares, in so far as both parts are known. */
void gpu_reading_complete(struct gpu_reading *reading, double power_limit, double clock_most);

/* ---- NVML, the driver's library ---------------------------------------------------------------
 */

struct nvml;
/* Loads the library and finds the GPUs. Returns 0, or PROBE_ABSENT with why. Owner: caller,
 * nvml_close. */
int nvml_open(const char *library, struct nvml **out, struct text *why);
/* Ends it; NULL is fine; returns NULL. */
struct nvml *nvml_close(struct nvml *nvml);
/* How many GPUs there are. */
size_t nvml_count(const struct nvml *nvml);
/* Reads one. pcie: its throughput too, which NVML measures for 20 ms each way. Returns false when
 * the GPU is lost. */
bool nvml_read(struct nvml *nvml, size_t gpu, bool pcie, struct gpu_reading *out);
/* The next Xid error since the last call; false: none. */
bool nvml_xid(struct nvml *nvml, size_t *gpu, unsigned long long *xid);

/* ---- nvidia-smi -------------------------------------------------------------------------------
 */

/* Runs the program once and reads what it says, at most `most` GPUs; count: how many there were.
 * Returns 0, PROBE_ABSENT (no such program, or it finds no GPU) or PROBE_GAP (not in time, or not
 * understood), with why. */
int smi_read(const char *program, const struct probe_place *place, struct gpu_reading *out,
             size_t *count, struct text *why);
/* The same of what the program wrote: one line a GPU. Returns how many lines were understood. */
size_t smi_parse(struct span said, struct gpu_reading *out, size_t most);

#endif
