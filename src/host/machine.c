/* host/machine.c - everything from files, so that a test can be any machine. */
#include "host/machine.h"

#include "base/memory.h"
#include "host/cgroup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const not_known = "not known";

static char *copy_span(struct span words)
{
    struct text copy = TEXT_EMPTY;
    text_put(&copy, words);
    return text_take(&copy);
}

/* The file's first line without blanks around it. */
static char *first_line(const char *root, const char *path)
{
    struct text bytes = TEXT_EMPTY;
    host_read(root, path, &bytes);
    struct span rest = text_span(&bytes);
    struct span line = span_trim(host_line(&rest));
    char *copy = line.bytes > 0 ? copy_span(line) : memory_copy_text(not_known);
    text_fini(&bytes);
    return copy;
}

static char *kernel_words(const char *root)
{
    struct text words = TEXT_EMPTY;
    char *type = first_line(root, "/proc/sys/kernel/ostype");
    char *release = first_line(root, "/proc/sys/kernel/osrelease");
    if (strcmp(release, not_known) == 0)
        text_puts(&words, not_known);
    else
        text_printf(&words, "%s %s", strcmp(type, not_known) == 0 ? "Linux" : type, release);
    free(type);
    free(release);
    return text_take(&words);
}

/* What stands after the colon of the first line with this key in /proc/cpuinfo. */
static struct span cpuinfo_value(struct span lines, const char *key)
{
    while (lines.bytes > 0) {
        struct span line = host_line(&lines);
        const char *colon = line.bytes ? memchr(line.at, ':', line.bytes) : NULL;
        if (colon == NULL)
            continue;
        size_t length = (size_t)(colon - line.at);
        struct span name = span_trim((struct span){line.at, length});
        if (span_equal(name, span_of(key)))
            return span_trim((struct span){colon + 1, line.bytes - length - 1});
    }
    return (struct span){0};
}

/* x86 names its model; ARM and RISC-V boards have other keys. */
static char *cpu_words(const char *root)
{
    static const char *const keys[] = {"model name", "Model", "Hardware",
                                       "cpu model",  "uarch", "cpu"};
    struct text bytes = TEXT_EMPTY;
    struct span words = {0};
    host_read(root, "/proc/cpuinfo", &bytes);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys) && words.bytes == 0; i++)
        words = cpuinfo_value(text_span(&bytes), keys[i]);
    char *copy = words.bytes > 0 ? copy_span(words) : memory_copy_text(not_known);
    text_fini(&bytes);
    return copy;
}

static uint64_t cores_online(const char *root)
{
    struct text bytes = TEXT_EMPTY;
    host_read(root, "/sys/devices/system/cpu/online", &bytes);
    uint64_t count = host_list_count(text_span(&bytes));
    if (!host_known(count)) {
        host_read(root, "/proc/cpuinfo", &bytes);
        struct span rest = text_span(&bytes);
        uint64_t lines = 0;
        while (rest.bytes > 0)
            lines += span_begins(host_line(&rest), SPAN("processor"));
        count = lines > 0 ? lines : HOST_UNKNOWN;
    }
    text_fini(&bytes);
    return count;
}

static uint64_t cores_allowed(const char *root)
{
    struct text bytes = TEXT_EMPTY;
    uint64_t count = HOST_UNKNOWN;
    host_read(root, "/proc/self/status", &bytes);
    struct span rest = text_span(&bytes);
    while (rest.bytes > 0) {
        struct span line = host_line(&rest);
        struct span key = host_word(&line);
        if (span_equal(key, SPAN("Cpus_allowed_list:")))
            count = host_list_count(line);
    }
    text_fini(&bytes);
    return count;
}

static uint64_t least_known(uint64_t one, uint64_t other)
{
    return one < other ? one : other; /* HOST_UNKNOWN is the largest */
}

/* "MemTotal:  16316412 kB" */
static uint64_t memory_line(struct span lines, const char *key)
{
    uint64_t kibibytes = host_value(lines, key);
    return host_known(kibibytes) && kibibytes < UINT64_MAX / 2048 ? kibibytes * 1024 : HOST_UNKNOWN;
}

void machine_read(const char *root, struct machine *out)
{
    struct cgroup cgroup;
    cgroup_read(root, &cgroup);
    *out = (struct machine){.host = first_line(root, "/proc/sys/kernel/hostname"),
                            .kernel = kernel_words(root),
                            .cpu = cpu_words(root),
                            .cores = cores_online(root),
                            .cores_allowed = cores_allowed(root)};
    uint64_t cores = least_known(out->cores, out->cores_allowed);
    out->cores_usable = host_known(cores) ? (double)cores : NAN;
    if (cgroup.quota_cores < out->cores_usable || isnan(out->cores_usable))
        out->cores_usable = isfinite(cgroup.quota_cores) ? cgroup.quota_cores : out->cores_usable;
    struct text bytes = TEXT_EMPTY;
    host_read(root, "/proc/meminfo", &bytes);
    out->memory_bytes = memory_line(text_span(&bytes), "MemTotal");
    out->memory_available = memory_line(text_span(&bytes), "MemAvailable");
    out->memory_usable = out->memory_bytes;
    if (cgroup.memory_limit != CGROUP_NO_LIMIT)
        out->memory_usable = least_known(out->memory_bytes, cgroup.memory_limit);
    text_fini(&bytes);
}

void machine_fini(struct machine *machine)
{
    free(machine->host);
    free(machine->kernel);
    free(machine->cpu);
    *machine = (struct machine){0};
}
