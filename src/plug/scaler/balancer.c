/* Two tables are read: one with blanks, whose head names what an administrator wished, and one with
 * commas, whose head names what is. Columns are found by their names, since versions add some. */
#include "plug/scaler/balancer.h"

#include "base/memory.h"
#include "base/unit.h"
#include "run/scaler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 256, FORCED_MAINT = 0x01, CONFIGURED_MAINT = 0x04, FORCED_DRAIN = 0x08 };

const char *balancer_word(enum balancer_state state)
{
    static const char *const words[] = {"ready", "drain", "maint"};
    return words[state];
}

static int ask(const struct balancer *balancer, struct text *answer, struct text *why,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

static int ask(const struct balancer *balancer, struct text *answer, struct text *why,
               const char *format, ...)
{
    struct text command = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&command, format, list);
    va_end(list);
    int rc = haproxy_ask(&balancer->place, command.at, answer, why);
    text_reserve(answer, answer->bytes);
    text_fini(&command);
    return rc;
}

/* ---- tables ------------------------------------------------------------------------------- */

/* One line cut into cells. */
struct cells {
    struct span items[MOST_COLUMNS];
    size_t count;
};

static void cut(struct span line, char separator, struct cells *out)
{
    out->count = 0;
    size_t begin = 0;
    for (size_t i = 0; i <= line.bytes && out->count < MOST_COLUMNS; i++) {
        if (i < line.bytes && line.at[i] != separator)
            continue;
        out->items[out->count++] = (struct span){line.at + begin, i - begin};
        begin = i + 1;
    }
}

static size_t column(const struct cells *head, const char *name)
{
    size_t i = 0;
    while (i < head->count && !span_equal(head->items[i], span_of(name)))
        i++;
    return i;
}

static struct span cell(const struct cells *row, size_t at)
{
    return at < row->count ? row->items[at] : (struct span){NULL, 0};
}

/* Takes the next line off. */
static struct span next_line(struct span *rest)
{
    const char *end = rest->bytes ? memchr(rest->at, '\n', rest->bytes) : NULL;
    struct span line = {rest->at, end ? (size_t)(end - rest->at) : rest->bytes};
    rest->at += line.bytes + (end != NULL);
    rest->bytes -= line.bytes + (end != NULL);
    return line;
}

/* The head begins with "# ", which is no column. */
static bool read_head(struct span *rest, char separator, struct cells *head)
{
    while (rest->bytes > 0) {
        struct span line = next_line(rest);
        if (line.bytes < 2 || line.at[0] != '#')
            continue;
        cut((struct span){line.at + 2, line.bytes - 2}, separator, head);
        return true;
    }
    return false;
}

static double number_in(struct span words)
{
    double number = 0;
    return unit_read_real(words, &number) == 0 ? number : 0;
}

/* What was wished of each server: "show servers state". */
static int list_states(const struct balancer *balancer, struct balancer_servers *out,
                       struct text *why)
{
    struct text answer = TEXT_EMPTY;
    struct cells *head = memory_new(2, sizeof *head), *row = head + 1;
    int rc = ask(balancer, &answer, why, "show servers state %s", balancer->backend);
    struct span rest = text_span(&answer);
    if (rc == 0 && !read_head(&rest, ' ', head)) {
        text_printf(why, "HAProxy has no backend \"%s\": %s", balancer->backend,
                    answer.bytes ? answer.at : "it said nothing");
        rc = SCALER_ABSENT;
    }
    size_t name = column(head, "srv_name"), admin = column(head, "srv_admin_state");
    while (rc == 0 && rest.bytes > 0) {
        cut(next_line(&rest), ' ', row);
        if (cell(row, name).bytes == 0)
            continue;
        unsigned flags = (unsigned)number_in(cell(row, admin));
        out->items = memory_resize(out->items, out->count + 1, sizeof *out->items);
        struct balancer_server *server = &out->items[out->count++];
        *server = (struct balancer_server){.state = flags & (FORCED_MAINT | CONFIGURED_MAINT)
                                                        ? BALANCER_MAINT
                                                    : flags & FORCED_DRAIN ? BALANCER_DRAIN
                                                                           : BALANCER_READY};
        snprintf(server->name, sizeof server->name, "%.*s", (int)cell(row, name).bytes,
                 cell(row, name).at);
    }
    free(head);
    text_fini(&answer);
    return rc;
}

/* What is: "show stat". */
static int list_figures(const struct balancer *balancer, struct balancer_servers *out,
                        struct text *why)
{
    struct text answer = TEXT_EMPTY;
    struct cells *head = memory_new(2, sizeof *head), *row = head + 1;
    int rc = ask(balancer, &answer, why, "show stat");
    struct span rest = text_span(&answer);
    bool read = rc == 0 && read_head(&rest, ',', head);
    size_t backend = column(head, "pxname"), name = column(head, "svname");
    size_t status = column(head, "status"), sessions = column(head, "scur");
    size_t served = column(head, "stot"), mode = column(head, "mode");
    while (read && rest.bytes > 0) {
        cut(next_line(&rest), ',', row);
        if (!span_equal(cell(row, backend), span_of(balancer->backend)))
            continue;
        for (size_t i = 0; i < out->count; i++) {
            struct balancer_server *server = &out->items[i];
            if (!span_equal(cell(row, name), span_of(server->name)))
                continue;
            server->up = span_begins(cell(row, status), SPAN("UP")) ||
                         span_equal(cell(row, status), SPAN("no check"));
            server->sessions = number_in(cell(row, sessions));
            server->served = number_in(cell(row, served));
            server->http = span_equal(cell(row, mode), SPAN("http"));
        }
    }
    free(head);
    text_fini(&answer);
    return rc;
}

int balancer_list(const struct balancer *balancer, struct balancer_servers *out, struct text *why)
{
    *out = (struct balancer_servers){.count = 0};
    int rc = list_states(balancer, out, why);
    if (rc == 0)
        rc = list_figures(balancer, out, why);
    if (rc)
        balancer_servers_free(out);
    return rc;
}

void balancer_servers_free(struct balancer_servers *servers)
{
    free(servers->items);
    *servers = (struct balancer_servers){.count = 0};
}

const struct balancer_server *balancer_find(const struct balancer_servers *servers,
                                            const char *name)
{
    for (size_t i = 0; i < servers->count; i++)
        if (strcmp(servers->items[i].name, name) == 0)
            return &servers->items[i];
    return NULL;
}

/* ---- changes ------------------------------------------------------------------------------ */

/* An answer that is not the one for success is HAProxy's reason. */
static int judge(int rc, const struct text *answer, const char *wanted, const char *what,
                 struct text *why)
{
    struct span said = span_trim(text_span(answer));
    if (rc || (*wanted ? span_begins(said, span_of(wanted)) : said.bytes == 0))
        return rc;
    text_printf(why, "HAProxy refused %s: %.*s", what, (int)said.bytes, said.at);
    return SCALER_FAILED;
}

int balancer_set(const struct balancer *balancer, const char *name, enum balancer_state state,
                 struct text *why)
{
    struct text answer = TEXT_EMPTY;
    int rc = ask(balancer, &answer, why, "set server %s/%s state %s", balancer->backend, name,
                 balancer_word(state));
    rc = judge(rc, &answer, "", "\"set server\"", why);
    text_fini(&answer);
    return rc;
}

int balancer_add(const struct balancer *balancer, const char *name, const char *address,
                 const char *settings, struct text *why)
{
    struct text answer = TEXT_EMPTY;
    int rc = ask(balancer, &answer, why, "add server %s/%s %s %s", balancer->backend, name, address,
                 settings);
    rc = judge(rc, &answer, "New server registered", "\"add server\"", why);
    if (rc == 0 && strstr(settings, "check")) {
        rc = ask(balancer, &answer, why, "enable health %s/%s", balancer->backend, name);
        rc = judge(rc, &answer, "", "\"enable health\"", why);
    }
    text_fini(&answer);
    return rc;
}

int balancer_remove(const struct balancer *balancer, const char *name, struct text *why)
{
    struct text answer = TEXT_EMPTY;
    int rc = ask(balancer, &answer, why, "del server %s/%s", balancer->backend, name);
    rc = judge(rc, &answer, "Server deleted", "\"del server\"", why);
    text_fini(&answer);
    return rc;
}

int balancer_cut(const struct balancer *balancer, const char *name, struct text *why)
{
    struct text answer = TEXT_EMPTY;
    int rc = ask(balancer, &answer, why, "shutdown sessions server %s/%s", balancer->backend, name);
    rc = judge(rc, &answer, "", "\"shutdown sessions\"", why);
    text_fini(&answer);
    return rc;
}
