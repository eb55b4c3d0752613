/* Block devices: how much they are asked, how long a request takes, and how many wait. Whole
 * devices only: what a partition does, its disk does too. A device that never did anything, and the
 * kernel's own (loop, ram), are left out. */
#include "host/disk.h"

#include "base/memory.h"
#include "plug/probe/local.h"
#include "plug/probe/probe_list.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    READS,
    WRITES,
    READ_BYTES,
    WRITE_BYTES,
    AWAIT,
    QUEUE,
    BUSY,
    PRESSURE_SOME,
    PRESSURE_FULL,
};

#define DISKSTATS "/proc/diskstats"
enum { SECTOR = 512 };

static const struct metric metrics[] = {
    [READS] = LOCAL_METRIC("disk.reads", "1/s", "reads that were finished", DISKSTATS),
    [WRITES] = LOCAL_METRIC("disk.writes", "1/s", "writes that were finished", DISKSTATS),
    [READ_BYTES] = LOCAL_METRIC("disk.read_bytes", "bytes/s", "bytes read", DISKSTATS),
    [WRITE_BYTES] = LOCAL_METRIC("disk.write_bytes", "bytes/s", "bytes written", DISKSTATS),
    [AWAIT] =
        LOCAL_METRIC("disk.await", "s", "mean time of a request, waiting included", DISKSTATS),
    [QUEUE] =
        LOCAL_METRIC("disk.queue", "requests", "mean number of requests in flight", DISKSTATS),
    [BUSY] =
        LOCAL_METRIC("disk.busy", "1", "share of the time with a request in flight", DISKSTATS),
    [PRESSURE_SOME] =
        LOCAL_METRIC("disk.pressure", "1", "share of the time in which some task waited for a disk",
                     "/proc/pressure/io"),
    [PRESSURE_FULL] = LOCAL_METRIC("disk.pressure_full", "1",
                                   "share of the time in which all tasks did", "/proc/pressure/io"),
    {.name = NULL},
};

static const struct setting settings[] = {{.name = NULL}};

struct known_disk {
    struct disk before;
    bool whole;   /* else a partition, or one of the kernel's own */
    nsec_t at_ns; /* when it was read */
};

struct disk_probe {
    struct local local;
    struct known_disk *disks;
    size_t count;
    struct pressure pressure;
};

static int disk_open(const void *config, const struct probe_place *place, void **self,
                     struct text *why)
{
    (void)config;
    (void)why;
    struct disk_probe *probe = memory_new(1, sizeof *probe);
    probe->local.place = place;
    *self = probe;
    return 0;
}

/* Devices stand in /sys/block under their names, with a slash as '!'; partitions do not. */
static bool is_whole(const struct disk_probe *probe, const char *name)
{
    if (strncmp(name, "loop", 4) == 0 || strncmp(name, "ram", 3) == 0)
        return false;
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s/sys/block/%s", probe->local.place->root, name);
    bool whole = access(path.at, F_OK) == 0;
    text_fini(&path);
    return whole;
}

static struct known_disk *known(struct disk_probe *probe, const struct disk *now)
{
    for (size_t i = 0; i < probe->count; i++)
        if (strcmp(probe->disks[i].before.name, now->name) == 0)
            return &probe->disks[i];
    probe->disks = memory_resize(probe->disks, probe->count + 1, sizeof *probe->disks);
    probe->disks[probe->count] = (struct known_disk){.whole = is_whole(probe, now->name)};
    memcpy(probe->disks[probe->count].before.name, now->name, DISK_NAME);
    return &probe->disks[probe->count++];
}

static void put_disk(const struct local *local, const struct disk *before, const struct disk *now,
                     struct probe_sink *sink)
{
    const char *part = now->name;
    double reads = local_rate(local, before->reads, now->reads);
    double writes = local_rate(local, before->writes, now->writes);
    double read_ms = local_rate(local, before->read_ms, now->read_ms);
    double write_ms = local_rate(local, before->write_ms, now->write_ms);
    double queue = local_rate(local, before->weighted_ms, now->weighted_ms) / 1000;
    double busy = local_rate(local, before->busy_ms, now->busy_ms) / 1000;
    probe_value(sink, READS, part, reads);
    probe_value(sink, WRITES, part, writes);
    probe_value(sink, READ_BYTES, part,
                SECTOR * local_rate(local, before->read_sectors, now->read_sectors));
    probe_value(sink, WRITE_BYTES, part,
                SECTOR * local_rate(local, before->written_sectors, now->written_sectors));
    if (reads + writes > 0) /* without a request there is no mean of one */
        probe_value(sink, AWAIT, part, (read_ms + write_ms) / 1000 / (reads + writes));
    probe_value(sink, QUEUE, part, queue);
    probe_value(sink, BUSY, part, busy > 1 ? 1 : busy);
}

static int disk_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    struct disk_probe *probe = self;
    struct disk now;
    bool any = false;
    local_begin(&probe->local, at_ns);
    struct span lines = local_read(&probe->local, DISKSTATS);
    while (disk_next(&lines, &now)) {
        any = true;
        struct known_disk *disk = known(probe, &now);
        bool used = now.reads + now.writes > 0;
        if (disk->whole && used && disk->at_ns && disk->at_ns + probe->local.elapsed_ns == at_ns)
            put_disk(&probe->local, &disk->before, &now, sink);
        disk->before = now;
        disk->at_ns = at_ns;
    }
    local_pressure(&probe->local, "/proc/pressure/io", &probe->pressure, sink, PRESSURE_SOME,
                   PRESSURE_FULL);
    if (any)
        return 0;
    text_puts(why, DISKSTATS " lists no device");
    return PROBE_GAP;
}

static void disk_close(void *self)
{
    struct disk_probe *probe = self;
    local_fini(&probe->local);
    free(probe->disks);
    free(probe);
}

const struct probe probe_disk = {
    .name = "disk",
    .sentence = "the disks of this machine",
    .settings = settings,
    .metrics = metrics,
    .role = "host",
    .unasked = "",
    .open = disk_open,
    .look = disk_look,
    .close = disk_close,
};
