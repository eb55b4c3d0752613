/* host/bandwidth.c - resctrl has one counter for each cache domain:
 * mon_data/mon_L3_00/mbm_total_bytes. */
#include "host/bandwidth.h"

#include "base/memory.h"
#include "host/uncore.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define MON_DATA "/sys/fs/resctrl/mon_data"

struct bandwidth {
    char *root;
    char **paths; /* of resctrl */
    size_t count;
    struct uncore *uncore; /* where there is no resctrl */
};

static void add_domain(struct bandwidth *bandwidth, const char *domain)
{
    struct text file = TEXT_EMPTY;
    text_printf(&file, MON_DATA "/%s/mbm_total_bytes", domain);
    if (host_known(host_read_number(bandwidth->root, file.at))) {
        bandwidth->paths =
            memory_resize(bandwidth->paths, bandwidth->count + 1, sizeof *bandwidth->paths);
        bandwidth->paths[bandwidth->count++] = memory_copy_text(file.at);
    }
    text_fini(&file);
}

static void find_domains(struct bandwidth *bandwidth)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s" MON_DATA, strcmp(bandwidth->root, "/") == 0 ? "" : bandwidth->root);
    DIR *directory = opendir(path.at);
    text_fini(&path);
    if (!directory)
        return;
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory))
        if (strncmp(entry->d_name, "mon_L3_", 7) == 0)
            add_domain(bandwidth, entry->d_name);
    closedir(directory);
}

struct bandwidth *bandwidth_open(const char *root)
{
    struct bandwidth *bandwidth = memory_new(1, sizeof *bandwidth);
    bandwidth->root = memory_copy_text(root);
    find_domains(bandwidth);
    if (bandwidth->count == 0)
        bandwidth->uncore = uncore_open(root);
    if (bandwidth->count > 0 || bandwidth->uncore)
        return bandwidth;
    bandwidth_close(bandwidth);
    return NULL;
}

void bandwidth_close(struct bandwidth *bandwidth)
{
    if (!bandwidth)
        return;
    for (size_t i = 0; i < bandwidth->count; i++)
        free(bandwidth->paths[i]);
    free(bandwidth->paths);
    uncore_close(bandwidth->uncore);
    free(bandwidth->root);
    free(bandwidth);
}

uint64_t bandwidth_read(struct bandwidth *bandwidth)
{
    uint64_t sum = 0;
    if (bandwidth->uncore)
        return uncore_read(bandwidth->uncore);
    for (size_t i = 0; i < bandwidth->count; i++) {
        uint64_t bytes = host_read_number(bandwidth->root, bandwidth->paths[i]);
        if (!host_known(bytes))
            return HOST_UNKNOWN;
        sum += bytes;
    }
    return sum;
}
