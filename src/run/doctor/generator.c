/* Can this machine's processors and memory be relied on while it makes load? */
#include "run/doctor/doctor.h"

#include "base/unit.h"
#include "host/cgroup.h"
#include "host/cpu.h"
#include "host/machine.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const area = "generator";

enum { LOOK_MS = 200, MOST_CORES = 4096 };

/* Limits of what is worth a warning: shares of 1. */
static const double busy_much = 0.3, steal_much = 0.01, memory_little = 0.1, pressed = 0.1;

static void look_at_processors(const struct machine *machine, struct findings *findings)
{
    if (isnan(machine->cores_usable)) {
        finding_add(findings, FINDING_UNKNOWN, area, "processors",
                    "this machine does not say how many processors it has");
        return;
    }
    bool cut = machine->cores_usable < (double)machine->cores_allowed;
    finding_add(findings, cut ? FINDING_WARNING : FINDING_FINE, area, "processors",
                "%g of %" PRIu64 " may be used%s", machine->cores_usable, machine->cores,
                cut ? " (a quota of the control group)" : "");
    if (cut)
        finding_remedy(findings,
                       "a quota stops all threads at once for the rest of its period: "
                       "raise it, or give --threads %.0f",
                       fmax(1, floor(machine->cores_usable)));
}

/* What the processors do now, before there is any load. */
static void look_at_use(const char *root, struct findings *findings)
{
    struct cpu before, after;
    if (cpu_read(root, &before) != 0) {
        finding_add(findings, FINDING_UNKNOWN, area, "use", "there is no /proc/stat to read");
        return;
    }
    nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * NSEC_PER_MSEC}, NULL);
    double busy = NAN, steal = NAN;
    if (cpu_read(root, &after) == 0) {
        busy = cpu_busy_share(&before.all, &after.all);
        steal = cpu_steal_share(&before.all, &after.all);
        cpu_fini(&after);
    }
    uint64_t all = before.all.busy + before.all.idle + before.all.steal;
    double ever = all && host_known(all) ? (double)before.all.steal / (double)all : 0;
    cpu_fini(&before);
    char share[UNIT_ROOM];
    bool much = busy > busy_much;
    finding_add(findings,
                isnan(busy) ? FINDING_UNKNOWN
                : much      ? FINDING_WARNING
                            : FINDING_FINE,
                area, "use", "processors are %s busy with other things now",
                isnan(busy) ? "an unknown share" : unit_write_share(share, busy));
    if (much)
        finding_remedy(findings, "see with top what runs, and end it: it will be measured as the "
                                 "target's slowness");
    steal = fmax(isnan(steal) ? 0 : steal, ever);
    if (steal > steal_much) {
        finding_add(findings, FINDING_WARNING, area, "steal",
                    "the hypervisor took %s of the processors' time",
                    unit_write_share(share, steal));
        finding_remedy(findings, "use a machine with processors of its own for figures that count");
    }
}

/* How many processors' file says something else than `wanted`, and an example. */
static uint64_t others(const char *root, const char *form, const char *wanted, struct text *example,
                       uint64_t *known)
{
    struct text path = TEXT_EMPTY, value = TEXT_EMPTY;
    uint64_t count = 0;
    for (unsigned cpu = 0; cpu < MOST_CORES; cpu++) {
        text_clear(&path);
        text_printf(&path, "/sys/devices/system/cpu/cpu%u/%s", cpu, form);
        if (host_read(root, path.at, &value) != 0)
            break;
        ++*known;
        struct span words = span_trim(text_span(&value));
        if (!span_equal(words, span_of(wanted))) {
            count++;
            text_clear(example);
            text_put(example, words);
        }
    }
    text_fini(&path);
    text_fini(&value);
    return count;
}

static void look_at_governor(const char *root, struct findings *findings)
{
    struct text example = TEXT_EMPTY;
    uint64_t known = 0;
    uint64_t slow = others(root, "cpufreq/scaling_governor", "performance", &example, &known);
    if (known == 0)
        finding_add(findings, FINDING_UNKNOWN, area, "governor",
                    "processor frequencies are not shown here (usual in virtual machines)");
    else if (slow == 0)
        finding_add(findings, FINDING_FINE, area, "governor", "all processors: performance");
    else {
        finding_add(findings, FINDING_WARNING, area, "governor",
                    "%" PRIu64 " of %" PRIu64 " processors change their speed with load (%s)", slow,
                    known, example.at);
        finding_remedy(findings, "cpupower frequency-set -g performance");
    }
    text_clear(&example);
    known = 0;
    uint64_t hot = others(root, "thermal_throttle/core_throttle_count", "0", &example, &known);
    if (hot > 0) {
        finding_add(findings, FINDING_WARNING, area, "heat",
                    "%" PRIu64 " processors were slowed down because of heat since the start", hot);
        finding_remedy(findings, "cool the machine; figures of a run in which it happens differ");
    }
    text_fini(&example);
}

static void look_at_group(const char *root, struct findings *findings)
{
    struct cgroup group;
    cgroup_read(root, &group);
    if (!isfinite(group.quota_cores) || !host_known(group.throttled) || group.throttled == 0)
        return;
    finding_add(findings, FINDING_WARNING, area, "throttling",
                "the control group was stopped in %" PRIu64 " of %" PRIu64 " periods so far",
                group.throttled, host_known(group.periods) ? group.periods : group.throttled);
    finding_remedy(findings, "raise the CPU quota (cpu.max, --cpus, limits.cpu) or remove it");
}

static void look_at_memory(const struct machine *machine, struct findings *findings)
{
    char have[UNIT_ROOM], all[UNIT_ROOM];
    if (!host_known(machine->memory_available) || !host_known(machine->memory_usable)) {
        finding_add(findings, FINDING_UNKNOWN, area, "memory", "memory is not shown here");
        return;
    }
    double usable = (double)machine->memory_usable;
    double available = fmin((double)machine->memory_available, usable);
    bool little = available < memory_little * usable;
    finding_add(findings, little ? FINDING_WARNING : FINDING_FINE, area, "memory",
                "%s of %s can be had", unit_write_bytes(have, available),
                unit_write_bytes(all, usable));
    if (little)
        finding_remedy(findings, "end what holds it: a machine that swaps cannot measure");
}

/* "some avg10=1.50 ..." of /proc/pressure/NAME as a share; NAN: the kernel does not say. */
static double pressure(const char *root, const char *path)
{
    struct text bytes = TEXT_EMPTY;
    double percent = NAN;
    host_read(root, path, &bytes);
    struct span line = text_span(&bytes);
    host_word(&line);
    struct span word = host_word(&line);
    if (span_begins(word, SPAN("avg10=")))
        unit_read_real((struct span){word.at + 6, word.bytes - 6}, &percent);
    text_fini(&bytes);
    return percent / 100;
}

static void look_at_pressure(const char *root, struct findings *findings)
{
    static const struct {
        const char *path, *name, *what;
    } rows[] = {{"/proc/pressure/cpu", "cpu pressure", "processors"},
                {"/proc/pressure/memory", "memory pressure", "memory"},
                {"/proc/pressure/io", "disk pressure", "disks"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double share = pressure(root, rows[i].path);
        char words[UNIT_ROOM];
        if (isnan(share) || share < pressed)
            continue;
        finding_add(findings, FINDING_WARNING, area, rows[i].name,
                    "something waited for %s during %s of the last 10 s", rows[i].what,
                    unit_write_share(words, share));
        finding_remedy(findings, "wait until what runs beside has ended");
    }
}

void doctor_generator(const char *root, struct findings *findings)
{
    struct machine machine;
    machine_read(root, &machine);
    look_at_processors(&machine, findings);
    look_at_use(root, findings);
    look_at_governor(root, findings);
    look_at_group(root, findings);
    look_at_memory(&machine, findings);
    look_at_pressure(root, findings);
    machine_fini(&machine);
}
