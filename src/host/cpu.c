/* host/cpu.c - /proc/stat: "cpu3 user nice system idle iowait irq softirq steal guest guest_nice".
 * Old kernels and emulations have fewer columns; the first four are needed. */
#include "host/cpu.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

enum { COLUMNS = 8 };

static bool read_times(struct span words, struct cpu_times *out)
{
    uint64_t columns[COLUMNS] = {0};
    for (size_t i = 0; i < COLUMNS; i++) {
        uint64_t number = host_number(host_word(&words));
        if (!host_known(number) && i < 4)
            return false;
        if (!host_known(number))
            break;
        columns[i] = number;
    }
    out->user = columns[0] + columns[1];
    out->system = columns[2] + columns[5] + columns[6];
    out->iowait = columns[4];
    out->busy = out->user + out->system;
    out->idle = columns[3] + columns[4];
    out->steal = columns[7];
    return true;
}

static void add_core(struct cpu *cpu, uint32_t number, const struct cpu_times *times)
{
    cpu->cores = memory_resize(cpu->cores, cpu->core_count + 1, sizeof(*cpu->cores));
    cpu->cores[cpu->core_count++] = (struct cpu_core){.number = number, .times = *times};
}

int cpu_parse(struct span text, struct cpu *out)
{
    struct span rest = text;
    bool found = false;
    out->core_count = 0;
    while (rest.bytes > 0) {
        struct span line = host_line(&rest);
        struct span name = host_word(&line);
        struct cpu_times times;
        if (!span_begins(name, SPAN("cpu")) || !read_times(line, &times))
            continue;
        uint64_t number = host_number((struct span){name.at + 3, name.bytes - 3});
        if (name.bytes == 3) {
            out->all = times;
            found = true;
        } else if (number < UINT32_MAX) {
            add_core(out, (uint32_t)number, &times);
        }
    }
    out->running = host_value(text, "procs_running");
    out->blocked = host_value(text, "procs_blocked");
    out->switches = host_value(text, "ctxt");
    if (!found)
        cpu_fini(out);
    return found ? 0 : HOST_NOT_KNOWN;
}

int cpu_read(const char *root, struct cpu *out)
{
    struct text bytes = TEXT_EMPTY;
    *out = (struct cpu){0};
    host_read(root, "/proc/stat", &bytes);
    int outcome = cpu_parse(text_span(&bytes), out);
    text_fini(&bytes);
    return outcome;
}

void cpu_fini(struct cpu *cpu)
{
    free(cpu->cores);
    *cpu = (struct cpu){0};
}

/* The idle column may go back by a tick on some kernels: then nothing is said. */
static double share_of(uint64_t part, const struct cpu_times *before, const struct cpu_times *after)
{
    uint64_t busy = host_growth(before->busy, after->busy);
    uint64_t idle = host_growth(before->idle, after->idle);
    uint64_t steal = host_growth(before->steal, after->steal);
    if (!host_known(part) || !host_known(busy) || !host_known(idle) || !host_known(steal) ||
        busy + idle + steal == 0)
        return NAN;
    return (double)part / (double)(busy + idle + steal);
}

double cpu_busy_share(const struct cpu_times *before, const struct cpu_times *after)
{
    return share_of(host_growth(before->busy, after->busy), before, after);
}

double cpu_steal_share(const struct cpu_times *before, const struct cpu_times *after)
{
    return share_of(host_growth(before->steal, after->steal), before, after);
}

const struct cpu_times *cpu_core_times(const struct cpu *cpu, uint32_t number)
{
    for (size_t i = 0; i < cpu->core_count; i++)
        if (cpu->cores[i].number == number)
            return &cpu->cores[i].times;
    return NULL;
}
