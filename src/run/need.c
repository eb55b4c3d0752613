/* Descriptors: one a connection; a loop thread holds an epoll descriptor, a timer, a wake-up and
 * the resolver's sockets; the program its run file (three with the write-ahead log), the page and
 * probes. Ports: a connection over TCP takes one of the range for its pair of addresses. */
#include "run/need.h"

#include "base/unit.h"
#include "host/limits.h"
#include "net/piped.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DESCRIPTORS_A_THREAD = 8, DESCRIPTORS_OF_PROGRAM = 24 };

static uint64_t known(uint64_t number)
{
    return host_known(number) && number != LIMIT_NONE ? number : 0;
}

/* 0: no limit, or one that does not bind the superuser. */
static uint64_t processes_allowed(void)
{
    struct rlimit limit;
    if (geteuid() == 0 || getrlimit(RLIMIT_NPROC, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return 0;
    return limit.rlim_cur;
}

void need_limits_read(struct need_limits *out)
{
    struct limits limits;
    limits_read("", &limits);
    *out = (struct need_limits){
        .descriptors = known(limits.descriptors_soft),
        .descriptors_most = known(limits.descriptors_hard),
        .ports = known(limits.ports),
        .processes = processes_allowed(),
    };
}

/* The most users that a closed scenario has at once. */
static uint64_t most_users(const struct plan_scenario *scenario)
{
    double most = fmax((double)scenario->vus, scenario->start_target);
    for (size_t i = 0; i < scenario->stage_count; i++)
        most = fmax(most, scenario->stages[i].target);
    bool iterations = scenario->executor == EXECUTOR_SHARED_ITERATIONS ||
                      scenario->executor == EXECUTOR_PER_VU_ITERATIONS;
    return iterations ? scenario->vus : (uint64_t)ceil(most);
}

struct need need_of(const struct plan *plan, uint64_t threads)
{
    struct need need = {.bounded = true};
    for (size_t i = 0; i < plan->scenario_count; i++) {
        const struct plan_scenario *scenario = &plan->scenarios[i];
        if (!scenario_is_open(scenario))
            need.users += most_users(scenario);
        else if (scenario->max_vus)
            need.users += scenario->max_vus;
        else
            need.bounded = false;
    }
    need.connections = need.users;
    if (plan->connections.mode == POOL_SHARED && plan->connections.most &&
        (plan->connections.most < need.connections || !need.bounded))
        need.connections = plan->connections.most;
    need.descriptors = need.connections + threads * DESCRIPTORS_A_THREAD + DESCRIPTORS_OF_PROGRAM;
    uint64_t sources = plan->connections.source.count ? plan->connections.source.count : 1;
    uint64_t targets = plan->targets.count ? plan->targets.count : 1;
    need.pairs = sources * targets;
    return need;
}

void need_add_children(struct need *need, const struct plan *plan, uint64_t threads,
                       uint64_t servers, bool only)
{
    uint64_t each = need->users;
    if (plan->connections.mode == POOL_SHARED) {
        uint64_t most = plan->connections.most ? plan->connections.most : 1;
        each = most < threads ? threads : most;
    }
    need->children = each * servers;
    if (only) {
        need->descriptors -= need->connections;
        need->connections = 0;
    }
    need->descriptors += need->children * PIPED_DESCRIPTORS;
}

static void refuse_processes(const struct need *need, const struct need_limits *limits,
                             struct notes *notes)
{
    char needed[UNIT_ROOM], have[UNIT_ROOM];
    struct text words = TEXT_EMPTY;
    text_printf(&words,
                "the plan starts %s servers as child processes, but this user may have %s "
                "processes and threads in all",
                unit_write_count(needed, need->children),
                unit_write_count(have, limits->processes));
    notes_add(notes, (struct note){.level = NOTE_ERROR,
                                   .sentence = words.at,
                                   .hint = "share them (connections: {mode: shared}), ask for "
                                           "fewer users, or raise the limit: ulimit -u"});
    text_fini(&words);
}

static bool over_tcp(const struct plan *plan)
{
    return plan->target == NULL || strncmp(plan->target, "http+unix:", 10) != 0;
}

static void refuse_descriptors(const struct need *need, const struct need_limits *limits,
                               struct notes *notes)
{
    char needed[UNIT_ROOM], open[UNIT_ROOM], have[UNIT_ROOM];
    struct text words = TEXT_EMPTY, hint = TEXT_EMPTY;
    text_printf(&words,
                "the plan needs %s file descriptors (%s connections at once and %" PRIu64
                " for the program and its children), but this process may open %s",
                unit_write_count(needed, need->descriptors),
                unit_write_count(open, need->connections), need->descriptors - need->connections,
                unit_write_count(have, limits->descriptors));
    if (limits->descriptors_most >= need->descriptors)
        text_printf(&hint, "raise the limit: ulimit -n %" PRIu64, need->descriptors);
    else
        text_puts(&hint, "share connections (connections: {mode: shared, most: N}), ask for fewer "
                         "users, or raise the hard limit (LimitNOFILE= or limits.conf)");
    notes_add(notes, (struct note){.level = NOTE_ERROR, .sentence = words.at, .hint = hint.at});
    text_fini(&words);
    text_fini(&hint);
}

static void refuse_ports(const struct need *need, const struct need_limits *limits,
                         struct notes *notes)
{
    char open[UNIT_ROOM], have[UNIT_ROOM], all[UNIT_ROOM];
    uint64_t more = (need->connections + limits->ports - 1) / limits->ports;
    struct text words = TEXT_EMPTY, hint = TEXT_EMPTY;
    text_printf(
        &words,
        "the plan needs %s connections at once, but this machine has %s ports for each pair "
        "of addresses: %s for the %" PRIu64 " of this plan",
        unit_write_count(open, need->connections), unit_write_count(have, limits->ports),
        unit_write_count(all, limits->ports * need->pairs), need->pairs);
    text_printf(&hint,
                "give %" PRIu64 " source addresses (connections: {source: [...]}), share "
                "connections, or widen net.ipv4.ip_local_port_range",
                more);
    notes_add(notes, (struct note){.level = NOTE_ERROR, .sentence = words.at, .hint = hint.at});
    text_fini(&words);
    text_fini(&hint);
}

void need_check(const struct need *need, const struct plan *plan, const struct need_limits *limits,
                struct notes *notes)
{
    if (limits->descriptors && need->descriptors > limits->descriptors)
        refuse_descriptors(need, limits, notes);
    if (limits->processes && need->children > limits->processes)
        refuse_processes(need, limits, notes);
    if (limits->ports && over_tcp(plan) && need->connections > limits->ports * need->pairs)
        refuse_ports(need, limits, notes);
}
