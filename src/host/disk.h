/* host/disk.h - what each block device did since the start (/proc/diskstats). */
#ifndef HOST_DISK_H
#define HOST_DISK_H

#include "host/file.h"

enum { DISK_NAME = 64 };

/* Counters; sectors are of 512 bytes, whatever the device's own are. */
struct disk {
    char name[DISK_NAME];
    uint64_t reads, read_sectors, read_ms;
    uint64_t writes, written_sectors, write_ms;
    uint64_t in_flight;   /* now */
    uint64_t busy_ms;     /* something was in flight */
    uint64_t weighted_ms; /* in flight, times time: its growth over time is the mean queue */
};

/* Takes the next device from a text of /proc/diskstats; false at its end. Lines that are no device
 * are passed over. */
bool disk_next(struct span *lines, struct disk *out);

#endif
