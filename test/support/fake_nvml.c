/* A libnvidia-ml.so.1 for tests: two GPUs whose figures are fixed, but for what grows. The second
 * supports little, as a partitioned one does, and is lost from its fifth question on. Declared anew
 * from NVIDIA's documentation, not from the probe, so that a wrong declaration there shows. */
#include <stddef.h>
#include <string.h>

/* A library's functions, found by name: no header of ours has them. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

struct fake_device {
    unsigned asked, waited;
    unsigned long long ecc;
};

static struct fake_device devices[2];

int nvmlInit_v2(void)
{
    memset(devices, 0, sizeof devices);
    return 0;
}

int nvmlShutdown(void)
{
    return 0;
}

const char *nvmlErrorString(int code)
{
    return code == 3 ? "Not Supported" : "Some Error";
}

int nvmlDeviceGetCount_v2(unsigned int *count)
{
    *count = 2;
    return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, struct fake_device **device)
{
    if (index > 1)
        return 2;
    *device = &devices[index];
    return 0;
}

int nvmlDeviceGetUtilizationRates(struct fake_device *device, unsigned int rates[2])
{
    if (device == &devices[1] && ++device->asked >= 5)
        return 15; /* lost */
    rates[0] = device == &devices[0] ? 87 : 0;
    rates[1] = device == &devices[0] ? 41 : 0;
    return 0;
}

int nvmlDeviceGetMemoryInfo(struct fake_device *device, unsigned long long memory[3])
{
    memory[0] = 80ULL << 30;
    memory[2] = device == &devices[0] ? 60ULL << 30 : 20ULL << 30;
    memory[1] = memory[0] - memory[2];
    return 0;
}

int nvmlDeviceGetPowerUsage(struct fake_device *device, unsigned int *milliwatts)
{
    *milliwatts = 350500;
    return device == &devices[0] ? 0 : 3;
}

int nvmlDeviceGetEnforcedPowerLimit(struct fake_device *device, unsigned int *milliwatts)
{
    *milliwatts = 701000;
    return device == &devices[0] ? 0 : 3;
}

int nvmlDeviceGetClockInfo(struct fake_device *device, int type, unsigned int *mhz)
{
    *mhz = type == 1 ? 1485 : type == 2 ? 2619 : 0;
    return device == &devices[0] ? 0 : 3;
}

int nvmlDeviceGetMaxClockInfo(struct fake_device *device, int type, unsigned int *mhz)
{
    *mhz = type == 1 ? 1980 : 0;
    return device == &devices[0] ? 0 : 3;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(struct fake_device *device,
                                              unsigned long long *reasons)
{
    *reasons = 0x4; /* software power cap */
    return device == &devices[0] ? 0 : 3;
}

int nvmlDeviceGetTemperature(struct fake_device *device, int sensor, unsigned int *celsius)
{
    *celsius = device == &devices[0] ? 71 : 35;
    return sensor;
}

int nvmlDeviceGetTotalEccErrors(struct fake_device *device, int type, int counter,
                                unsigned long long *errors)
{
    if (device == &devices[1] || counter != 0)
        return 3;
    device->ecc += type == 0 ? 2 : 0;
    *errors = type == 0 ? device->ecc : 1;
    return 0;
}

int nvmlDeviceGetPcieThroughput(struct fake_device *device, int counter, unsigned int *kilobytes)
{
    *kilobytes = counter == 0 ? 1500 : 42;
    return device == &devices[0] ? 0 : 3;
}

struct fake_process {
    unsigned int pid;
    unsigned long long bytes;
    unsigned int gpu_instance, compute_instance;
};

int nvmlDeviceGetComputeRunningProcesses_v3(struct fake_device *device, unsigned int *count,
                                            struct fake_process *processes)
{
    if (device == &devices[1]) {
        *count = 0;
        return 0;
    }
    if (*count < 2)
        return 7;
    *count = 2;
    processes[0] = (struct fake_process){4242, 59ULL << 30, ~0U, ~0U};
    processes[1] = (struct fake_process){4243, ~0ULL, ~0U, ~0U};
    return 0;
}

int nvmlEventSetCreate(void **set)
{
    *set = devices;
    return 0;
}

int nvmlEventSetFree(void *set)
{
    return set == devices ? 0 : 1;
}

int nvmlDeviceRegisterEvents(struct fake_device *device, unsigned long long types, void *set)
{
    return device && types == 8 && set == devices ? 0 : 3;
}

struct fake_event {
    struct fake_device *device;
    unsigned long long type, data;
    unsigned int gpu_instance, compute_instance;
};

int nvmlEventSetWait_v2(void *set, struct fake_event *event, unsigned int timeout_ms)
{
    /* One error of the second GPU, in the second round of questions. */
    if (set != devices || timeout_ms != 0 || devices[1].waited++ != 1)
        return 10;
    *event = (struct fake_event){.device = &devices[1], .type = 8, .data = 79};
    return 0;
}
