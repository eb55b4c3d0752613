/* Command lines are read from /proc/PID/cmdline, words ended by zeros. A forwarded port stands as
 * "8000:80", ":80" (any local port, not known here) or "8000". */
#include "run/port_forward.h"

#include "base/text.h"
#include "host/file.h"
#include "wire/url.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

/* The next word of a command line; an empty span at its end. */
static struct span next_word(struct span *rest)
{
    size_t bytes = 0;
    while (bytes < rest->bytes && rest->at[bytes] != '\0')
        bytes++;
    struct span word = {rest->at, bytes};
    size_t skip = bytes < rest->bytes ? bytes + 1 : bytes;
    *rest = (struct span){rest->at + skip, rest->bytes - skip};
    return word;
}

static bool is_kubectl(struct span program)
{
    size_t begin = program.bytes;
    while (begin > 0 && program.at[begin - 1] != '/')
        begin--;
    struct span name = {program.at + begin, program.bytes - begin};
    return span_equal(name, SPAN("kubectl")) || span_equal(name, SPAN("oc"));
}

/* Whether a word of the command line forwards this port. */
static bool names_port(struct span word, uint16_t port)
{
    size_t bytes = 0;
    while (bytes < word.bytes && word.at[bytes] != ':')
        bytes++;
    uint64_t number = 0;
    return span_uint((struct span){word.at, bytes}, &number) == 0 && number == port;
}

static bool line_forwards(struct span line, uint16_t port)
{
    bool forwards = false, named = false;
    if (!is_kubectl(next_word(&line)))
        return false;
    while (line.bytes > 0) {
        struct span word = next_word(&line);
        forwards |= span_equal(word, SPAN("port-forward"));
        named |= forwards && names_port(word, port);
    }
    return named;
}

bool port_forward_has(const char *root, uint16_t port)
{
    struct text path = TEXT_EMPTY, line = TEXT_EMPTY;
    text_printf(&path, "%s/proc", root);
    DIR *processes = opendir(path.at);
    bool has = false;
    for (struct dirent *each; processes && !has && (each = readdir(processes));) {
        if (each->d_name[0] < '0' || each->d_name[0] > '9')
            continue;
        text_clear(&path);
        text_printf(&path, "/proc/%s/cmdline", each->d_name);
        has = host_read(root, path.at, &line) == 0 && line_forwards(text_span(&line), port);
    }
    if (processes)
        closedir(processes);
    text_fini(&path);
    text_fini(&line);
    return has;
}

static bool url_is_forwarded(const char *root, const char *words)
{
    struct url url;
    const char *why = NULL;
    if (!words || url_read(span_of(words), &url, &why) != 0 || url.unix_socket)
        return false;
    bool loopback = span_equal_nocase(url.host, SPAN("localhost")) ||
                    span_begins(url.host, SPAN("127.")) || span_equal(url.host, SPAN("::1"));
    return loopback && port_forward_has(root, url.port);
}

const char *port_forward_target(const char *root, const struct plan *plan)
{
    if (url_is_forwarded(root, plan->target))
        return plan->target;
    for (size_t i = 0; i < plan->targets.count; i++)
        if (url_is_forwarded(root, plan->targets.items[i]))
            return plan->targets.items[i];
    for (size_t i = 0; i < plan->request_count; i++)
        if (url_is_forwarded(root, plan->requests[i].target))
            return plan->requests[i].target;
    return NULL;
}
