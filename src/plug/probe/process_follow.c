/* Who is followed; see process_follow.h.
 *
 * Reading what all processes of a machine do would cost more than what is worth knowing, so that a
 * look lists the pids only and reads those that are new: a child is found by its parent when it
 * begins. A process takes its name when it runs its program, a little after it began, so that a new
 * one is read again in the next few looks. */
#include "plug/probe/process_follow.h"

#include "base/memory.h"
#include "base/unit.h"
#include "host/sockets.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    YOUNG_LOOKS = 3,   /* in which a new process is read again */
    MOST_SOCKETS = 64, /* that listen on one port */
    MOST_MEMBERS = 4096,
};
#define SEARCH_SHARE 100 /* a search may cost this part of a processor's time */

/* A process of the machine that is no member. */
struct seen {
    uint64_t pid;
    uint8_t looks; /* since it was seen first */
};

struct follow {
    const struct process_wanted *wanted;
    const struct probe_place *place;
    struct text room;
    struct usage_pids list;
    struct seen *seen, *spare; /* ascending by pid */
    size_t seen_count, seen_room, spare_room;
    struct member *members;
    size_t count;
    nsec_t search_ns;    /* not before this is searched again for what is gone */
    nsec_t last_ns;      /* of the look before */
    uint64_t last_ticks; /* the same since the machine's start */
    nsec_t gone_ns;      /* since when no root was seen; 0: one is there */
    uint64_t gone_pid;   /* the first of them */
    bool ever;           /* there was a root at some time */
    bool broken;         /* in this look the roots are others than before */
};

void follow_words(const struct process_wanted *wanted, struct text *out)
{
    const char *before = "";
    if (wanted->pid) {
        text_printf(out, "pid %" PRIu64, wanted->pid);
        before = ", ";
    }
    if (wanted->name) {
        text_printf(out, "%sname %s", before, wanted->name);
        before = ", ";
    }
    if (wanted->port) {
        text_printf(out, "%sport %" PRIu64, before, wanted->port);
        before = ", ";
    }
    if (wanted->command)
        text_printf(out, "%scommand %s", before, wanted->command);
}

struct follow *follow_new(const struct process_wanted *wanted, const struct probe_place *place)
{
    struct follow *follow = memory_new(1, sizeof *follow);
    follow->wanted = wanted;
    follow->place = place;
    return follow;
}

struct follow *follow_free(struct follow *follow)
{
    if (!follow)
        return NULL;
    text_fini(&follow->room);
    usage_pids_fini(&follow->list);
    free(follow->seen);
    free(follow->spare);
    free(follow->members);
    free(follow);
    return NULL;
}

/* ---- what fits ------------------------------------------------------------------------------- */

/* The program's name in a command line: the last part of the path of its first word. */
static struct span program_of(struct span command)
{
    struct span word = host_word(&command);
    const char *slash = word.bytes ? memrchr(word.at, '/', word.bytes) : NULL;
    return slash ? (struct span){slash + 1, word.bytes - (size_t)(slash + 1 - word.at)} : word;
}

static bool has_name(struct follow *follow, const struct usage_stat *stat)
{
    const char *name = follow->wanted->name;
    if (strcmp(stat->name, name) == 0)
        return true;
    usage_command(follow->place->root, stat->pid, &follow->room);
    return span_equal(program_of(text_span(&follow->room)), span_of(name));
}

static bool has_command(struct follow *follow, uint64_t pid)
{
    usage_command(follow->place->root, pid, &follow->room);
    return follow->room.bytes &&
           memmem(follow->room.at, follow->room.bytes, follow->wanted->command,
                  strlen(follow->wanted->command)) != NULL;
}

/* Whether it fits in all but its port, which is costly to tell. */
static bool fits(struct follow *follow, const struct usage_stat *stat)
{
    const struct process_wanted *wanted = follow->wanted;
    if (stat->state == 'Z' || stat->state == 'X' || (wanted->pid && wanted->pid != stat->pid))
        return false;
    if (wanted->name && !has_name(follow, stat))
        return false;
    return !wanted->command || has_command(follow, stat->pid);
}

/* ---- members --------------------------------------------------------------------------------- */

static struct member *member_of(const struct follow *follow, uint64_t pid)
{
    for (size_t i = 0; i < follow->count; i++)
        if (follow->members[i].now.pid == pid && follow->members[i].alive)
            return &follow->members[i];
    return NULL;
}

static void add_member(struct follow *follow, const struct usage_stat *stat, bool root)
{
    if (follow->count == MOST_MEMBERS)
        return;
    follow->members = memory_resize(follow->members, follow->count + 1, sizeof *follow->members);
    follow->members[follow->count++] =
        (struct member){.now = *stat,
                        .root = root,
                        .alive = true,
                        .fresh = follow->last_ticks && stat->start_ticks >= follow->last_ticks};
}

static void drop_dead(struct follow *follow)
{
    size_t kept = 0;
    for (size_t i = 0; i < follow->count; i++)
        if (follow->members[i].alive)
            follow->members[kept++] = follow->members[i];
    follow->count = kept;
}

static void tell_changes(struct member *member, struct probe_sink *sink)
{
    const struct usage_stat *before = &member->before, *now = &member->now;
    bool stopped = now->state == 'T';
    if (strcmp(before->name, now->name) != 0)
        probe_event(sink, "renamed", "process %" PRIu64 " is now named %s; it was %s", now->pid,
                    now->name, before->name);
    if (stopped != member->stopped)
        probe_event(sink, stopped ? "stopped" : "continued", "process %" PRIu64 " (%s) %s",
                    now->pid, now->name, stopped ? "was stopped by a signal" : "continues");
    member->stopped = stopped;
}

/* Reads each member again; who is not there any more, or is only waited for, is dead. */
static void read_members(struct follow *follow, struct probe_sink *sink)
{
    for (size_t i = 0; i < follow->count; i++) {
        struct member *member = &follow->members[i];
        struct usage_stat now;
        member->before = member->now;
        member->counted = true;
        member->fresh = false;
        member->alive =
            usage_read(follow->place->root, member->now.pid, &follow->room, &now) == 0 &&
            now.start_ticks == member->now.start_ticks && now.state != 'Z' && now.state != 'X';
        if (!member->alive)
            continue;
        member->now = now;
        tell_changes(member, sink);
    }
}

static size_t count_roots(const struct follow *follow)
{
    size_t roots = 0;
    for (size_t i = 0; i < follow->count; i++)
        roots += follow->members[i].alive && follow->members[i].root;
    return roots;
}

/* ---- who is new ------------------------------------------------------------------------------ */

/* Considers a process that is no member: as a child of one, or as one more root. */
static void consider(struct follow *follow, uint64_t pid)
{
    struct usage_stat stat;
    if (usage_read(follow->place->root, pid, &follow->room, &stat) != 0)
        return;
    const struct member *parent = follow->wanted->children ? member_of(follow, stat.parent) : NULL;
    if (parent && stat.state != 'Z')
        add_member(follow, &stat, false);
    else if (!follow->wanted->port && count_roots(follow) > 0 && fits(follow, &stat))
        add_member(follow, &stat, true);
}

/* Goes through the pids along with those seen before, both ascending. */
static void find_new(struct follow *follow)
{
    size_t old = 0, kept = 0;
    bool first = follow->seen_count == 0; /* then a search has just looked at all of them */
    if (follow->spare_room < follow->list.count) {
        follow->spare_room = follow->list.room;
        follow->spare = memory_resize(follow->spare, follow->spare_room, sizeof *follow->spare);
    }
    for (size_t i = 0; i < follow->list.count; i++) {
        uint64_t pid = follow->list.pids[i];
        while (old < follow->seen_count && follow->seen[old].pid < pid)
            old++;
        bool known = old < follow->seen_count && follow->seen[old].pid == pid;
        struct seen seen = {pid, known ? follow->seen[old].looks : first ? YOUNG_LOOKS : 0};
        if (seen.looks < YOUNG_LOOKS && !member_of(follow, pid))
            consider(follow, pid);
        if (seen.looks < YOUNG_LOOKS)
            seen.looks++;
        follow->spare[kept++] = seen;
    }
    struct seen *swap = follow->seen;
    size_t room = follow->seen_room;
    follow->seen = follow->spare;
    follow->seen_room = follow->spare_room;
    follow->seen_count = kept;
    follow->spare = swap;
    follow->spare_room = room;
}

/* ---- searching ------------------------------------------------------------------------------- */

/* Whether it is one that listens on the wanted port. */
static bool listens(struct follow *follow, uint64_t pid, const uint64_t *inodes, int count)
{
    return count > 0 && usage_has_socket(follow->place->root, pid, inodes, count);
}

/* Takes all processes that fit as roots. */
static void search_roots(struct follow *follow)
{
    const struct process_wanted *wanted = follow->wanted;
    uint64_t inodes[MOST_SOCKETS];
    int sockets =
        wanted->port ? sockets_listening((uint16_t)wanted->port, inodes, MOST_SOCKETS) : 0;
    if (wanted->port && sockets <= 0)
        return;
    for (size_t i = 0; i < follow->list.count; i++) {
        struct usage_stat stat;
        uint64_t pid = follow->list.pids[i];
        if ((wanted->pid && pid != wanted->pid) || member_of(follow, pid) ||
            usage_read(follow->place->root, pid, &follow->room, &stat) != 0 || !fits(follow, &stat))
            continue;
        if (!wanted->port || listens(follow, pid, inodes, sockets))
            add_member(follow, &stat, true);
    }
}

/* Adds what the roots have started already, in as many rounds as there are generations. */
static void search_children(struct follow *follow)
{
    for (size_t before = SIZE_MAX; follow->wanted->children && before != follow->count;) {
        before = follow->count;
        for (size_t i = 0; i < follow->list.count; i++) {
            struct usage_stat stat;
            uint64_t pid = follow->list.pids[i];
            if (!member_of(follow, pid) &&
                usage_read(follow->place->root, pid, &follow->room, &stat) == 0 &&
                stat.state != 'Z' && member_of(follow, stat.parent))
                add_member(follow, &stat, false);
        }
    }
}

static void tell_found(struct follow *follow, nsec_t at_ns, struct probe_sink *sink)
{
    const struct member *root = NULL;
    for (size_t i = 0; i < follow->count && !root; i++)
        if (follow->members[i].alive && follow->members[i].root)
            root = &follow->members[i];
    if (!root || !follow->ever)
        return;
    char room[UNIT_ROOM];
    probe_event(sink, "restart",
                "process %" PRIu64 " (%s) took the place of %" PRIu64
                "; nothing was there for at most %s",
                root->now.pid, root->now.name, follow->gone_pid,
                unit_write_duration(room, at_ns - follow->gone_ns));
}

/* Looks for roots when there are none; how often depends on what it costs. */
static void search(struct follow *follow, nsec_t at_ns, struct probe_sink *sink)
{
    if (at_ns < follow->search_ns)
        return;
    nsec_t begin_ns = clock_monotonic_ns();
    search_roots(follow);
    if (count_roots(follow) > 0) {
        search_children(follow);
        tell_found(follow, at_ns, sink);
        follow->ever = follow->broken = true;
        follow->gone_ns = 0;
    } else {
        follow->search_ns = at_ns + SEARCH_SHARE * (clock_monotonic_ns() - begin_ns);
    }
}

static void note_gone(struct follow *follow, struct probe_sink *sink)
{
    const struct member *root = NULL;
    for (size_t i = 0; i < follow->count && !root; i++)
        if (follow->members[i].root)
            root = &follow->members[i];
    if (!root || follow->gone_ns || count_roots(follow) > 0)
        return;
    follow->gone_ns = follow->last_ns;
    follow->gone_pid = root->now.pid;
    probe_event(sink, "gone", "process %" PRIu64 " (%s) is gone", root->now.pid, root->now.name);
    for (size_t i = 0; i < follow->count; i++) /* what it started is not what was asked for */
        follow->members[i].alive = false;
}

size_t follow_look(struct follow *follow, nsec_t at_ns, struct probe_sink *sink,
                   struct member **out, size_t *count)
{
    uint64_t ticks = usage_ticks_now();
    follow->broken = false;
    drop_dead(follow);
    read_members(follow, sink);
    usage_pids_read(follow->place->root, &follow->list);
    note_gone(follow, sink);
    if (count_roots(follow) == 0)
        search(follow, at_ns, sink);
    find_new(follow);
    follow->last_ns = at_ns;
    follow->last_ticks = ticks;
    size_t alive = 0;
    for (size_t i = 0; i < follow->count; i++)
        alive += follow->members[i].alive;
    *out = follow->members;
    *count = follow->count;
    return alive;
}

/* ---- processor time -------------------------------------------------------------------------- */

/* What the children of a member that died had used when they were read last: the kernel added it to
 * their parent's, where it must not be counted again. */
static uint64_t counted_of_dead(const struct follow *follow, uint64_t parent)
{
    uint64_t ticks = 0;
    for (size_t i = 0; i < follow->count; i++) {
        const struct member *child = &follow->members[i];
        if (!child->alive && child->before.parent == parent)
            ticks += child->before.own_ticks + child->before.child_ticks;
    }
    return ticks;
}

/* Whether a member ended whose time no other one took over. */
static bool is_lost(const struct follow *follow, const struct member *member)
{
    return !member->alive && !member_of(follow, member->before.parent);
}

bool follow_is_broken(const struct follow *follow)
{
    return follow->broken;
}

int64_t follow_ticks(const struct follow *follow)
{
    int64_t sum = 0;
    for (size_t i = 0; i < follow->count; i++) {
        const struct member *member = &follow->members[i];
        if (follow->broken || is_lost(follow, member))
            return -1;
        if (!member->alive)
            continue;
        if (member->fresh)
            sum += (int64_t)(member->now.own_ticks + member->now.child_ticks);
        if (!member->counted)
            continue;
        uint64_t own = host_growth(member->before.own_ticks, member->now.own_ticks);
        uint64_t taken = host_growth(member->before.child_ticks, member->now.child_ticks);
        uint64_t dead = counted_of_dead(follow, member->now.pid);
        if (!host_known(own) || !host_known(taken))
            return -1;
        /* A parent that ignores its children's end takes nothing over. */
        sum += (int64_t)own + (int64_t)(taken >= dead ? taken - dead : taken);
    }
    return sum;
}
