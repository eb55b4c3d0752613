/* See show/suite_figures.h. Metrics are found by name, since probes are above this room. */
#include "show/suite_figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is(const struct level_resource *resource, const char *metric, const char *part)
{
    return strcmp(resource->metric, metric) == 0 && strcmp(resource->part, part) == 0;
}

/* The mean of a metric over the things that have it: of what is tested, or of the generator's own
 * machine. */
static double mean_of(const struct level *level, const char *metric, bool own)
{
    double sum = 0;
    unsigned count = 0;
    for (size_t i = 0; i < level->resource_count; i++) {
        const struct level_resource *resource = &level->resources[i];
        bool generator = strcmp(resource->role, "generator") == 0;
        if (generator != own || !is(resource, metric, "") || isnan(resource->mean))
            continue;
        sum += resource->mean;
        count++;
    }
    return count ? sum / count : NAN;
}

/* The first metric that anything of the target has; else the last of them, of this machine. */
static double first_of(const struct level *level, const char *const *metrics)
{
    double value = NAN;
    const char *machine = NULL;
    for (; *metrics && isnan(value); metrics++) {
        value = mean_of(level, *metrics, false);
        machine = *metrics;
    }
    return isnan(value) && machine ? mean_of(level, machine, true) : value;
}

/* process.cpu counts processors, of which a process of one thread can have one; where one name
 * stands for several processes, each has its part. */
double suite_cpu(const struct level *level)
{
    static const char *const metrics[] = {"cgroup.cpu_of_quota", "process.cpu", "cpu.busy", NULL};
    double processes = mean_of(level, "process.count", false);
    bool several = isnan(mean_of(level, metrics[0], false)) && processes > 1 &&
                   !isnan(mean_of(level, metrics[1], false));
    return first_of(level, metrics) / (several ? processes : 1);
}

double suite_skew(const struct level *level)
{
    static const char *const metrics[] = {"cgroup.cpu", "process.cpu", "cpu.busy", NULL};
    for (size_t m = 0; metrics[m]; m++) {
        double least = INFINITY, most = 0, sum = 0;
        unsigned count = 0;
        for (size_t i = 0; i < level->resource_count; i++) {
            const struct level_resource *resource = &level->resources[i];
            if (!is(resource, metrics[m], "") || strcmp(resource->role, "generator") == 0)
                continue;
            least = fmin(least, resource->mean);
            most = fmax(most, resource->mean);
            sum += resource->mean;
            count++;
        }
        if (count > 1 && count >= level->instances && sum > 0)
            return (most - least) / (sum / count);
    }
    return NAN;
}

double suite_memory(const struct level *level)
{
    static const char *const metrics[] = {"cgroup.memory_of_limit", "container.memory_share",
                                          "memory.used_share", NULL};
    return first_of(level, metrics);
}

bool suite_host_only(const struct level_series *series)
{
    bool host = false;
    for (size_t i = 0; i < series->level_count; i++) {
        const struct level *level = &series->levels[i];
        if (!isnan(mean_of(level, "cpu.busy", false)) ||
            !isnan(mean_of(level, "process.cpu", false)) ||
            !isnan(mean_of(level, "cgroup.cpu_of_quota", false)))
            return false;
        host |= !isnan(mean_of(level, "cpu.busy", true));
    }
    return host;
}

double suite_gpu(const struct level *level, unsigned number)
{
    static const char *const metrics[] = {"gpu.utilization", NULL};
    char parts[3][24];
    snprintf(parts[0], sizeof parts[0], "GPU%u", number);
    snprintf(parts[1], sizeof parts[1], "gpu%u", number);
    snprintf(parts[2], sizeof parts[2], "%u", number);
    for (size_t i = 0; i < level->resource_count; i++)
        for (size_t m = 0; metrics[m]; m++)
            for (size_t p = 0; p < 3; p++)
                if (is(&level->resources[i], metrics[m], parts[p]))
                    return level->resources[i].mean;
    return NAN;
}

unsigned suite_gpus(const struct level_series *series)
{
    unsigned count = 0;
    for (size_t i = 0; i < series->level_count; i++)
        while (count < 64 && !isnan(suite_gpu(&series->levels[i], count)))
            count++;
    return count;
}

const char *suite_percent(char out[UNIT_ROOM], double share)
{
    if (isnan(share))
        snprintf(out, UNIT_ROOM, "–");
    else
        snprintf(out, UNIT_ROOM, "%.0f%%", 100 * share);
    return out;
}

const char *suite_latency(char out[UNIT_ROOM], double seconds)
{
    if (isnan(seconds))
        snprintf(out, UNIT_ROOM, "–");
    else if (seconds < 0.00009995)
        snprintf(out, UNIT_ROOM, "%.0fµs", 1e6 * seconds);
    else if (seconds < 0.000995)
        snprintf(out, UNIT_ROOM, "%.2fms", 1e3 * seconds);
    else if (seconds < 0.00995)
        snprintf(out, UNIT_ROOM, "%.1fms", 1e3 * seconds);
    else if (seconds < 0.9995)
        snprintf(out, UNIT_ROOM, "%.0fms", 1e3 * seconds);
    else
        snprintf(out, UNIT_ROOM, seconds < 9.995 ? "%.2fs" : "%.1fs", seconds);
    return out;
}

const char *suite_rate(char out[UNIT_ROOM], double rate)
{
    if (isnan(rate))
        snprintf(out, UNIT_ROOM, "–");
    else
        snprintf(out, UNIT_ROOM, rate < 9.95 ? "%.1f" : "%.0f", rate);
    return out;
}

double suite_speed_up(const struct level *level, const struct level *first)
{
    return first && first->throughput > 0 ? level->throughput / first->throughput : NAN;
}

const char *suite_users(char out[UNIT_ROOM], const struct level *level)
{
    if (!isnan(level->users))
        snprintf(out, UNIT_ROOM, "%.0f", level->users);
    else if (!isnan(level->rate))
        snprintf(out, UNIT_ROOM, "%.4g/s", level->rate);
    else
        snprintf(out, UNIT_ROOM, "–");
    return out;
}

const char *suite_users_word(const struct level *level)
{
    return isnan(level->users) ? "" : level->users > 1 ? " users" : " user";
}

const char *suite_state(const struct level *level)
{
    static const char *const words[] = {"steady", "not steady", "short", "stopped"};
    if (level->requests > 0 && level->failed >= level->requests)
        return "all failed";
    if (level->requests == 0)
        return "nothing ended";
    return level->generator == 2 ? "generator saturated" : words[level->state];
}
