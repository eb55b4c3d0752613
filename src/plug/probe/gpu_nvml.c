/* NVML by dlopen, so that Plimsoll needs it neither to be built nor to run. The few functions used
 * are declared here by NVIDIA's documentation of the API; what a GPU does not support stays
 * unknown. */
#include "base/memory.h"
#include "plug/probe/gpu.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NVML_SUCCESS = 0, NVML_GPU_LOST = 15 };
enum { NVML_CLOCK_SM = 1, NVML_CLOCK_MEMORY = 2 };
enum { NVML_TEMPERATURE_GPU = 0 };
enum { NVML_ECC_CORRECTED = 0, NVML_ECC_UNCORRECTED = 1, NVML_ECC_VOLATILE = 0 };
enum { NVML_PCIE_TX = 0, NVML_PCIE_RX = 1 };
enum { NVML_EVENT_XID = 8 };

struct nvml_device; /* opaque, as the library's events are */
struct nvml_events;

struct nvml_utilization {
    unsigned gpu, memory; /* per cent */
};

struct nvml_memory {
    unsigned long long total, free, used; /* bytes */
};

struct nvml_process {
    unsigned pid;
    unsigned long long bytes;
    unsigned gpu_instance, compute_instance;
};

struct nvml_event {
    struct nvml_device *device;
    unsigned long long type, data;
    unsigned gpu_instance, compute_instance;
};

struct nvml_api {
    int (*init)(void);
    int (*shutdown)(void);
    const char *(*words)(int);
    int (*count)(unsigned *);
    int (*device)(unsigned, struct nvml_device **);
    int (*utilization)(struct nvml_device *, struct nvml_utilization *);
    int (*memory)(struct nvml_device *, struct nvml_memory *);
    int (*power)(struct nvml_device *, unsigned *);
    int (*power_limit)(struct nvml_device *, unsigned *);
    int (*clock)(struct nvml_device *, int, unsigned *);
    int (*clock_most)(struct nvml_device *, int, unsigned *);
    int (*throttle)(struct nvml_device *, unsigned long long *);
    int (*temperature)(struct nvml_device *, int, unsigned *);
    int (*ecc)(struct nvml_device *, int, int, unsigned long long *);
    int (*pcie)(struct nvml_device *, int, unsigned *);
    int (*processes)(struct nvml_device *, unsigned *, struct nvml_process *);
    int (*events_new)(struct nvml_events **);
    int (*events_free)(struct nvml_events *);
    int (*events_register)(struct nvml_device *, unsigned long long, struct nvml_events *);
    int (*events_wait)(struct nvml_events *, struct nvml_event *, unsigned);
};

#define API(field) offsetof(struct nvml_api, field)

static const struct {
    const char *name;
    size_t offset;
    bool required;
} functions[] = {
    {"nvmlInit_v2", API(init), true},
    {"nvmlShutdown", API(shutdown), true},
    {"nvmlErrorString", API(words), true},
    {"nvmlDeviceGetCount_v2", API(count), true},
    {"nvmlDeviceGetHandleByIndex_v2", API(device), true},
    {"nvmlDeviceGetUtilizationRates", API(utilization), false},
    {"nvmlDeviceGetMemoryInfo", API(memory), false},
    {"nvmlDeviceGetPowerUsage", API(power), false},
    {"nvmlDeviceGetEnforcedPowerLimit", API(power_limit), false},
    {"nvmlDeviceGetClockInfo", API(clock), false},
    {"nvmlDeviceGetMaxClockInfo", API(clock_most), false},
    {"nvmlDeviceGetCurrentClocksThrottleReasons", API(throttle), false},
    {"nvmlDeviceGetTemperature", API(temperature), false},
    {"nvmlDeviceGetTotalEccErrors", API(ecc), false},
    {"nvmlDeviceGetPcieThroughput", API(pcie), false},
    {"nvmlDeviceGetComputeRunningProcesses_v3", API(processes), false},
    {"nvmlEventSetCreate", API(events_new), false},
    {"nvmlEventSetFree", API(events_free), false},
    {"nvmlDeviceRegisterEvents", API(events_register), false},
    {"nvmlEventSetWait_v2", API(events_wait), false},
};

struct nvml {
    void *library;
    struct nvml_api api;
    struct nvml_device *devices[GPU_MOST];
    size_t count;
    struct nvml_events *events; /* NULL: none are told */
    bool begun;
};

/* ---- life -------------------------------------------------------------------------------------
 */

/* Returns the name of a required function that is not there; NULL when all are. */
static const char *find_functions(struct nvml *nvml)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *symbol = dlsym(nvml->library, functions[i].name);
        if (!symbol && functions[i].required)
            return functions[i].name;
        /* ISO C has no conversion from an object's pointer to a function's; POSIX says that they
         * look alike. */
        memcpy((char *)&nvml->api + functions[i].offset, &symbol, sizeof symbol);
    }
    return NULL;
}

static void listen_to_events(struct nvml *nvml)
{
    struct nvml_api *api = &nvml->api;
    if (!api->events_new || !api->events_free || !api->events_register || !api->events_wait ||
        api->events_new(&nvml->events) != NVML_SUCCESS) {
        nvml->events = NULL;
        return;
    }
    for (size_t i = 0; i < nvml->count; i++)
        api->events_register(nvml->devices[i], NVML_EVENT_XID, nvml->events);
}

static int begin(struct nvml *nvml, const char *library, struct text *why)
{
    nvml->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!nvml->library) {
        text_printf(why, "the NVIDIA driver's library (%s) is not here", library);
        return PROBE_ABSENT;
    }
    const char *missing = find_functions(nvml);
    if (missing) {
        text_printf(why, "%s has no function %s", library, missing);
        return PROBE_ABSENT;
    }
    unsigned count = 0;
    int rc = nvml->api.init();
    nvml->begun = rc == NVML_SUCCESS;
    rc = rc ? rc : nvml->api.count(&count);
    if (rc != NVML_SUCCESS || count == 0) {
        text_printf(why, "the NVIDIA driver finds no GPU%s%s", rc ? ": " : "",
                    rc ? nvml->api.words(rc) : "");
        return PROBE_ABSENT;
    }
    for (unsigned i = 0; i < count && i < GPU_MOST; i++)
        if (nvml->api.device(i, &nvml->devices[nvml->count]) == NVML_SUCCESS)
            nvml->count++;
    listen_to_events(nvml);
    return 0;
}

int nvml_open(const char *library, struct nvml **out, struct text *why)
{
    struct nvml *nvml = memory_new(1, sizeof *nvml);
    int rc = begin(nvml, library, why);
    if (rc)
        nvml_close(nvml);
    else
        *out = nvml;
    return rc;
}

struct nvml *nvml_close(struct nvml *nvml)
{
    if (!nvml)
        return NULL;
    if (nvml->events)
        nvml->api.events_free(nvml->events);
    if (nvml->begun)
        nvml->api.shutdown();
    if (nvml->library)
        dlclose(nvml->library);
    free(nvml);
    return NULL;
}

size_t nvml_count(const struct nvml *nvml)
{
    return nvml->count;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static double whole(int (*ask)(struct nvml_device *, unsigned *), struct nvml_device *device,
                    double factor)
{
    unsigned value = 0;
    return ask && ask(device, &value) == NVML_SUCCESS ? value * factor : NAN;
}

static double whole_of(int (*ask)(struct nvml_device *, int, unsigned *),
                       struct nvml_device *device, int which, double factor)
{
    unsigned value = 0;
    return ask && ask(device, which, &value) == NVML_SUCCESS ? value * factor : NAN;
}

static double ecc_errors(const struct nvml *nvml, struct nvml_device *device, int kind)
{
    unsigned long long count = 0;
    bool told =
        nvml->api.ecc && nvml->api.ecc(device, kind, NVML_ECC_VOLATILE, &count) == NVML_SUCCESS;
    return told ? (double)count : NAN;
}

static void read_processes(const struct nvml *nvml, struct nvml_device *device,
                           struct gpu_reading *out)
{
    struct nvml_process found[GPU_MOST_PROCESSES];
    unsigned count = GPU_MOST_PROCESSES;
    if (!nvml->api.processes || nvml->api.processes(device, &count, found) != NVML_SUCCESS)
        return;
    out->figures[GPU_PROCESSES] = count;
    for (unsigned i = 0; i < count && i < GPU_MOST_PROCESSES; i++)
        out->processes[out->process_count++] = (struct gpu_process){
            .pid = found[i].pid,
            /* all bits set: not available */
            .bytes = found[i].bytes == ~0ULL ? (double)NAN : (double)found[i].bytes};
}

static void read_clocks(const struct nvml *nvml, struct nvml_device *device,
                        struct gpu_reading *out)
{
    const struct nvml_api *api = &nvml->api;
    unsigned long long reasons = 0;
    out->figures[GPU_POWER] = whole(api->power, device, 1e-3);
    out->figures[GPU_CLOCK] = whole_of(api->clock, device, NVML_CLOCK_SM, 1e6);
    out->figures[GPU_MEMORY_CLOCK] = whole_of(api->clock, device, NVML_CLOCK_MEMORY, 1e6);
    out->figures[GPU_TEMPERATURE] = whole_of(api->temperature, device, NVML_TEMPERATURE_GPU, 1);
    if (api->throttle && api->throttle(device, &reasons) == NVML_SUCCESS)
        gpu_reading_throttle(out, reasons);
    gpu_reading_complete(out, whole(api->power_limit, device, 1e-3),
                         whole_of(api->clock_most, device, NVML_CLOCK_SM, 1e6));
}

bool nvml_read(struct nvml *nvml, size_t gpu, bool pcie, struct gpu_reading *out)
{
    const struct nvml_api *api = &nvml->api;
    struct nvml_device *device = nvml->devices[gpu];
    struct nvml_utilization busy;
    struct nvml_memory memory;
    gpu_reading_clear(out);
    int rc = api->utilization ? api->utilization(device, &busy) : -1;
    if (rc == NVML_GPU_LOST)
        return false;
    if (rc == NVML_SUCCESS) {
        out->figures[GPU_UTILIZATION] = busy.gpu / 100.0;
        out->figures[GPU_MEMORY_BUSY] = busy.memory / 100.0;
    }
    if (api->memory && api->memory(device, &memory) == NVML_SUCCESS) {
        out->figures[GPU_MEMORY_USED] = (double)memory.used;
        out->figures[GPU_MEMORY_TOTAL] = (double)memory.total;
    }
    read_clocks(nvml, device, out);
    out->figures[GPU_ECC_CORRECTED] = ecc_errors(nvml, device, NVML_ECC_CORRECTED);
    out->figures[GPU_ECC_UNCORRECTED] = ecc_errors(nvml, device, NVML_ECC_UNCORRECTED);
    if (pcie) { /* told in units of 1,000 bytes a second */
        out->figures[GPU_PCIE_SENT] = whole_of(api->pcie, device, NVML_PCIE_TX, 1e3);
        out->figures[GPU_PCIE_RECEIVED] = whole_of(api->pcie, device, NVML_PCIE_RX, 1e3);
    }
    read_processes(nvml, device, out);
    return true;
}

bool nvml_xid(struct nvml *nvml, size_t *gpu, unsigned long long *xid)
{
    struct nvml_event event = {.device = NULL};
    if (!nvml->events || nvml->api.events_wait(nvml->events, &event, 0) != NVML_SUCCESS)
        return false;
    *gpu = 0;
    for (size_t i = 0; i < nvml->count; i++)
        if (nvml->devices[i] == event.device)
            *gpu = i;
    *xid = event.data;
    return true;
}
