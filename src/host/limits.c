/* host/limits.c - limits are read from files too, so that a plan can be checked for any machine. */
#include "host/limits.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

static uint64_t limit_word(struct span word)
{
    return span_equal(word, SPAN("unlimited")) ? LIMIT_NONE : host_number(word);
}

/* "Max open files            1024                 1048576              files" */
static void read_descriptors(struct span lines, struct limits *out)
{
    const struct span key = SPAN("Max open files");
    while (lines.bytes > 0) {
        struct span line = host_line(&lines);
        if (!span_begins(line, key))
            continue;
        line.at += key.bytes;
        line.bytes -= key.bytes;
        out->descriptors_soft = limit_word(host_word(&line));
        out->descriptors_hard = limit_word(host_word(&line));
        return;
    }
}

/* Entries of /proc/self/fd, without the one that this reading opens. */
static uint64_t count_open(const char *root)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s/proc/self/fd", strcmp(root, "/") == 0 ? "" : root);
    DIR *directory = opendir(path.at);
    bool own = root[0] == '\0' || strcmp(root, "/") == 0;
    text_fini(&path);
    if (directory == NULL)
        return HOST_UNKNOWN;
    uint64_t count = 0;
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
        count += entry->d_name[0] != '.';
    closedir(directory);
    return own && count > 0 ? count - 1 : count;
}

static void read_ports(const char *root, struct limits *out)
{
    struct text bytes = TEXT_EMPTY;
    host_read(root, "/proc/sys/net/ipv4/ip_local_port_range", &bytes);
    struct span words = span_trim(text_span(&bytes));
    uint64_t first = host_number(host_word(&words)), last = host_number(host_word(&words));
    if (host_known(first) && host_known(last) && first <= last && last < 65536) {
        out->port_first = first;
        out->port_last = last;
        out->ports = last - first + 1;
        host_read(root, "/proc/sys/net/ipv4/ip_local_reserved_ports", &bytes);
        uint64_t reserved = host_list_count(text_span(&bytes));
        if (host_known(reserved) && reserved < out->ports)
            out->ports -= reserved;
    }
    text_fini(&bytes);
}

void limits_read_machine(const char *root, struct limits *out)
{
    *out = (struct limits){.descriptors_soft = HOST_UNKNOWN,
                           .descriptors_hard = HOST_UNKNOWN,
                           .descriptors_open = HOST_UNKNOWN,
                           .files_most = host_read_number(root, "/proc/sys/fs/file-max"),
                           .files_open = HOST_UNKNOWN,
                           .port_first = HOST_UNKNOWN,
                           .port_last = HOST_UNKNOWN,
                           .ports = HOST_UNKNOWN,
                           .listen_most = host_read_number(root, "/proc/sys/net/core/somaxconn")};
    struct text bytes = TEXT_EMPTY;
    if (host_read(root, "/proc/sys/fs/file-nr", &bytes) == 0) {
        struct span words = span_trim(text_span(&bytes));
        out->files_open = host_number(host_word(&words));
    }
    text_fini(&bytes);
    read_ports(root, out);
}

void limits_read(const char *root, struct limits *out)
{
    struct text bytes = TEXT_EMPTY;
    limits_read_machine(root, out);
    out->descriptors_open = count_open(root);
    host_read(root, "/proc/self/limits", &bytes);
    read_descriptors(text_span(&bytes), out);
    text_fini(&bytes);
}

int limits_raise_descriptors(uint64_t wanted, uint64_t *now)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -errno;
    rlim_t aim = wanted < limit.rlim_max ? (rlim_t)wanted : limit.rlim_max;
    if (limit.rlim_cur != RLIM_INFINITY && aim > limit.rlim_cur) {
        limit.rlim_cur = aim;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            return -errno;
    }
    *now = limit.rlim_cur == RLIM_INFINITY ? LIMIT_NONE : limit.rlim_cur;
    return 0;
}
