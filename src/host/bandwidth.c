/* host/bandwidth.c - one counter for each cache domain: mon_data/mon_L3_00/mbm_total_bytes. */
#include "host/bandwidth.h"

#include "base/memory.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define MON_DATA "/sys/fs/resctrl/mon_data"

struct bandwidth {
    char *root;
    char **paths;
    size_t count;
};

struct bandwidth *bandwidth_open(const char *root)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s" MON_DATA, strcmp(root, "/") == 0 ? "" : root);
    DIR *directory = opendir(path.at);
    text_fini(&path);
    if (!directory)
        return NULL;
    struct bandwidth *bandwidth = memory_new(1, sizeof *bandwidth);
    bandwidth->root = memory_copy_text(root);
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        if (strncmp(entry->d_name, "mon_L3_", 7) != 0)
            continue;
        struct text file = TEXT_EMPTY;
        text_printf(&file, MON_DATA "/%s/mbm_total_bytes", entry->d_name);
        if (host_known(host_read_number(root, file.at))) {
            bandwidth->paths =
                memory_resize(bandwidth->paths, bandwidth->count + 1, sizeof *bandwidth->paths);
            bandwidth->paths[bandwidth->count++] = memory_copy_text(file.at);
        }
        text_fini(&file);
    }
    closedir(directory);
    if (bandwidth->count > 0)
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
    free(bandwidth->root);
    free(bandwidth);
}

uint64_t bandwidth_read(struct bandwidth *bandwidth)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < bandwidth->count; i++) {
        uint64_t bytes = host_read_number(bandwidth->root, bandwidth->paths[i]);
        if (!host_known(bytes))
            return HOST_UNKNOWN;
        sum += bytes;
    }
    return sum;
}
