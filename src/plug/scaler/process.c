/* process: so many instances of a command on this machine, each on a port of its own and, where
 * limits are given, in a control group of its own.
 *
 * Every instance carries a variable PLIMSOLL_INSTANCE_OF with a token in its environment, and so
 * does whatever it starts. The token stands in the journal before the first one is started: so
 * another process finds them all after kill -9, also those whose number was never written down. */
#include "plug/scaler/scaler_list.h"

#include "base/memory.h"
#include "host/file.h"
#include "plug/scaler/await.h"
#include "plug/scaler/group.h"
#include "plug/scaler/keeper.h"
#include "plug/scaler/token.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FAILS_AFTER_DEATHS = 3, SWEEP_MS = 50 };

struct process_config {
    char *command, *host, *health, *directory, *cpuset;
    uint64_t port, memory_bytes;
    double cores;
    nsec_t wait_ns, patience_ns, pause_ns;
};

struct process {
    const struct process_config *config;
    const struct scaler_place *place;
    struct token token;
    struct text home;         /* path of the group above the instances' own */
    const char *variables[2]; /* for the keeper */
    struct keeper *keeper;    /* from the first apply on */
    unsigned limits;          /* of groups: bits of enum group_limit */
    struct group *groups[KEEPER_MOST];
    double cores; /* of each; INFINITY: no limit */
    size_t wanted;
};

#define CONFIG(member) offsetof(struct process_config, member)

static const struct setting settings[] = {
    {.name = "command",
     .type = SETTING_TEXT,
     .offset = CONFIG(command),
     .required = true,
     .sentence = "what an instance runs, with {port} and {index} replaced; it stays in front"},
    {.name = "port",
     .type = SETTING_UINT,
     .offset = CONFIG(port),
     .most = 65535,
     .unset = "0",
     .sentence = "port of instance 0; the others count up; 0 is none"},
    {.name = "host",
     .type = SETTING_TEXT,
     .offset = CONFIG(host),
     .unset = "127.0.0.1",
     .sentence = "address at which the instances are reached"},
    {.name = "health",
     .type = SETTING_TEXT,
     .offset = CONFIG(health),
     .sentence =
         "path or URL that answers 2xx when an instance is healthy; else its port is tried"},
    {.name = "wait",
     .type = SETTING_DURATION,
     .offset = CONFIG(wait_ns),
     .unset = "60s",
     .sentence = "how long an instance may take to be healthy"},
    {.name = "directory",
     .type = SETTING_PATH,
     .offset = CONFIG(directory),
     .sentence = "directory to run in"},
    {.name = "stop",
     .type = SETTING_DURATION,
     .offset = CONFIG(patience_ns),
     .unset = "10s",
     .sentence = "time between SIGTERM and SIGKILL"},
    {.name = "restart_after",
     .type = SETTING_DURATION,
     .offset = CONFIG(pause_ns),
     .unset = "0.5s",
     .sentence = "pause before an instance that died is started again"},
    {.name = "cores",
     .type = SETTING_REAL,
     .offset = CONFIG(cores),
     .most = 4096,
     .unset = "0",
     .unit = "cores",
     .sentence = "processor time of each instance (needs control groups); 0 is no limit"},
    {.name = "memory",
     .type = SETTING_BYTES,
     .offset = CONFIG(memory_bytes),
     .unset = "0",
     .sentence = "memory of each instance (needs control groups); 0 is no limit"},
    {.name = "cpuset",
     .type = SETTING_TEXT,
     .offset = CONFIG(cpuset),
     .sentence = "processors that the instances may use, such as 0-3 (needs control groups)"},
    {.name = NULL},
};

/* ---- opening ------------------------------------------------------------------------------ */

static int process_open(const void *settings_of, const struct scaler_place *place, void **self,
                        struct text *why)
{
    const struct process_config *config = settings_of;
    if (strstr(config->command, "{port}") && config->port == 0) {
        text_puts(why, "the command has {port}, and no port is given; say port: 9000");
        return SCALER_FAILED;
    }
    struct process *process = memory_new(1, sizeof *process);
    *process = (struct process){
        .config = config, .place = place, .cores = config->cores > 0 ? config->cores : INFINITY};
    if (config->cores > 0)
        process->limits |= 1u << GROUP_CORES;
    if (config->memory_bytes)
        process->limits |= 1u << GROUP_MEMORY;
    if (config->cpuset)
        process->limits |= 1u << GROUP_CPUSET;
    process->token = token_new();
    process->variables[0] = process->token.variable;
    group_home(place->root, process->limits ? process->limits : 1u << GROUP_CORES, &process->home);
    text_printf(&process->home, "/plimsoll-%s", token_number(&process->token));
    *self = process;
    return 0;
}

static void process_close(void *self)
{
    struct process *process = self;
    keeper_free(process->keeper);
    for (size_t i = 0; i < KEEPER_MOST; i++)
        group_free(process->groups[i]);
    text_fini(&process->home);
    free(process);
}

/* Hands on what the keeper has to tell. */
static void tell(struct process *process)
{
    struct text words = TEXT_EMPTY;
    if (process->keeper)
        keeper_words(process->keeper, &words);
    struct span rest = text_span(&words);
    while (rest.bytes > 0 && process->place->say) {
        struct text line = TEXT_EMPTY;
        text_puts(&line, "process: ");
        text_put(&line, host_line(&rest));
        process->place->say(process->place->self, line.at);
        text_fini(&line);
    }
    text_fini(&words);
}

static int process_look(void *self, struct scaler_view *out, struct text *why)
{
    struct process *process = self;
    struct keeper_view view = {.wanted = 0};
    (void)why;
    if (process->keeper)
        view = keeper_look(process->keeper);
    tell(process);
    *out = (struct scaler_view){.instances = (double)process->wanted,
                                .ready = (double)view.running,
                                .size = process->cores,
                                .restarts = view.restarts};
    return 0;
}

static int process_save(void *self, struct text *state, struct text *why)
{
    const struct process *process = self;
    (void)why;
    text_printf(state, "%s %s", process->token.variable, process->home.at);
    return 0;
}

/* ---- applying ----------------------------------------------------------------------------- */

static const char *const *doors(void *self, size_t index)
{
    const struct process *process = self;
    return process->groups[index] ? group_doors(process->groups[index]) : NULL;
}

static int limit_group(const struct process *process, const struct group *group, struct text *why)
{
    const struct process_config *config = process->config;
    int rc = 0;
    if (process->limits & (1u << GROUP_CPUSET))
        rc = group_write_cpuset(group, config->cpuset, why);
    if (rc == 0 && (process->limits & (1u << GROUP_MEMORY)))
        rc = group_write(group, GROUP_MEMORY, (double)config->memory_bytes, why);
    if (rc == 0 && (process->limits & (1u << GROUP_CORES)))
        rc = group_write(group, GROUP_CORES, process->cores, why);
    return rc;
}

/* Makes the group of an instance, or sets its limits anew. */
static int make_group(struct process *process, size_t index, struct text *why)
{
    struct text path = TEXT_EMPTY;
    int rc = 0;
    text_printf(&path, "%s/%zu", process->home.at, index);
    if (!process->groups[index]) {
        struct group *group = NULL;
        rc = group_open(process->place->root, path.at, process->limits, true, &group, why);
        pid_t pid = process->keeper ? keeper_pid(process->keeper, index) : 0;
        if (rc == 0 && pid) /* it was started before there was a limit */
            rc = group_enter(group, pid, why);
        if (rc == 0)
            process->groups[index] = group;
        else
            group_free(group);
    }
    if (rc == 0)
        rc = limit_group(process, process->groups[index], why);
    text_fini(&path);
    return rc;
}

static int make_groups(struct process *process, size_t count, struct text *why)
{
    int rc = 0;
    for (size_t i = 0; process->limits && i < count && rc == 0; i++)
        rc = make_group(process, i, why);
    return rc;
}

static int start_keeper(struct process *process)
{
    struct keeper_options options = {
        .command = process->config->command,
        .port = process->config->port,
        .size = NAN,
        .variables = process->variables,
        .directory = process->config->directory,
        .logs = process->place->directory,
        .patience_ns = process->config->patience_ns,
        .pause_ns = process->config->pause_ns,
        .doors = doors,
        .self = process,
    };
    return process->keeper ? 0 : keeper_new(&options, &process->keeper);
}

/* Instances that die again and again will not become healthy. */
static bool is_hopeless(void *self, struct text *why)
{
    struct process *process = self;
    if (keeper_look(process->keeper).deaths < FAILS_AFTER_DEATHS)
        return false;
    struct text words = TEXT_EMPTY;
    keeper_words(process->keeper, &words);
    struct span rest = text_span(&words), last = {NULL, 0};
    while (rest.bytes > 0)
        last = host_line(&rest);
    text_printf(why, "instances do not stay alive (%.*s); see %s/instance-*.log", (int)last.bytes,
                last.bytes ? last.at : "", process->place->directory);
    text_fini(&words);
    return true;
}

static void health_url(const struct process *process, size_t index, struct text *out)
{
    const struct process_config *config = process->config;
    struct await_words values = {.port = (double)(config->port + index),
                                 .index = (double)index,
                                 .instances = NAN,
                                 .size = NAN};
    if (!config->health || config->health[0] == '/')
        text_printf(out, "http://%s:%llu", config->host,
                    (unsigned long long)(config->port + index));
    await_fill(config->health ? config->health : "/", &values, out);
}

/* Waits until so many are healthy. */
static int await_instances(struct process *process, size_t count, struct text *why)
{
    nsec_t until_ns = clock_monotonic_ns() + process->config->wait_ns;
    bool asks = process->config->port || process->config->health;
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0 && asks; i++) {
        struct text url = TEXT_EMPTY;
        health_url(process, i, &url);
        nsec_t left_ns = until_ns - clock_monotonic_ns();
        struct await await = {.url = url.at,
                              .any = !process->config->health,
                              .timeout_ns = left_ns > 0 ? left_ns : 0,
                              .cancel = process->place->cancel,
                              .hopeless = is_hopeless,
                              .self = process};
        rc = await_healthy(&await, why);
        if (rc == SCALER_TIMEOUT)
            text_printf(why, "; see %s/instance-%zu.log", process->place->directory, i);
        text_fini(&url);
    }
    return rc;
}

/* Waits until exactly so many run. */
static int await_count(struct process *process, size_t count, struct text *why)
{
    nsec_t until_ns =
        clock_monotonic_ns() + process->config->patience_ns + process->config->wait_ns;
    while (keeper_look(process->keeper).running != count) {
        if (is_hopeless(process, why))
            return SCALER_FAILED;
        bool cancelled = !await_pause(SWEEP_MS * NSEC_PER_MSEC, process->place->cancel);
        if (cancelled || clock_monotonic_ns() > until_ns) {
            text_printf(why, "%zu of %zu instances run%s", keeper_look(process->keeper).running,
                        count, cancelled ? " (given up, as was asked)" : "");
            return SCALER_TIMEOUT;
        }
    }
    return 0;
}

static int process_apply(void *self, const struct scaler_goal *goal, struct text *why)
{
    struct process *process = self;
    size_t count = isnan(goal->instances) ? process->wanted : (size_t)(goal->instances + 0.5);
    if (count > KEEPER_MOST) {
        text_printf(why, "at most %d instances are kept", KEEPER_MOST);
        return SCALER_FAILED;
    }
    if (!isnan(goal->size)) {
        process->cores = goal->size > 0 ? goal->size : INFINITY;
        process->limits |= 1u << GROUP_CORES;
        if (isnan(goal->instances) && process->wanted == 0)
            count = 1; /* a size needs something that has it */
    }
    int rc = make_groups(process, count, why);
    if (rc == 0)
        rc = start_keeper(process);
    if (rc)
        return rc;
    keeper_want(process->keeper, count);
    process->wanted = count;
    rc = await_count(process, count, why);
    if (rc == 0)
        rc = await_instances(process, count, why);
    tell(process);
    return rc;
}

/* ---- undoing ------------------------------------------------------------------------------ */

/* Removes one limit's group of a path, once what was in it is gone. Absent: *there stays false. */
static int remove_group(const struct process *process, const char *path, int limit, bool *there,
                        struct text *why)
{
    struct group *group = NULL;
    struct text ignored = TEXT_EMPTY;
    int rc = group_open(process->place->root, path, 1u << limit, false, &group, &ignored);
    text_fini(&ignored);
    if (rc)
        return 0;
    *there = true;
    for (int i = 0; i < 20; i++) { /* the kernel lets go of the last process a little later */
        text_clear(why);
        rc = group_remove(group, why);
        if (rc == 0)
            break;
        await_pause(SWEEP_MS * NSEC_PER_MSEC, NULL);
    }
    if (rc)
        text_printf(why, "; by hand: rmdir it");
    group_free(group);
    return rc;
}

static int remove_groups(const struct process *process, const char *home, struct text *why)
{
    int rc = 0;
    bool there = true;
    for (size_t i = 0; i < KEEPER_MOST && there && rc == 0; i++) {
        struct text path = TEXT_EMPTY;
        text_printf(&path, "%s/%zu", home, i);
        there = false;
        for (int limit = 0; limit < GROUP_LIMITS && rc == 0; limit++)
            rc = remove_group(process, path.at, limit, &there, why);
        text_fini(&path);
    }
    for (int limit = 0; limit < GROUP_LIMITS && rc == 0; limit++)
        rc = remove_group(process, home, limit, &there, why);
    return rc;
}

static int process_restore(void *self, const char *state, struct text *why)
{
    struct process *process = self;
    struct token token;
    const char *home = strchr(state, ' '), *last = home ? strrchr(home, '/') : NULL;
    if (token_read(state, &token) || !last || strncmp(last, "/plimsoll-", 10) != 0 ||
        strstr(home, "..")) {
        text_puts(why, "the saved state is none of this scaler");
        return SCALER_FAILED;
    }
    process->keeper = keeper_free(process->keeper);
    process->wanted = 0;
    for (size_t i = 0; i < KEEPER_MOST; i++)
        process->groups[i] = group_free(process->groups[i]);
    int rc = token_sweep(process->place->root, &token, process->config->patience_ns, why);
    return rc ? rc : remove_groups(process, home + 1, why);
}

const struct scaler scaler_process = {
    .name = "process",
    .sentence = "instances of a command on this machine, kept alive, each with limits if wished",
    .settings = settings,
    .config_bytes = sizeof(struct process_config),
    .axes = SCALER_INSTANCES | SCALER_SIZE,
    .size_unit = "cores",
    .open = process_open,
    .look = process_look,
    .save = process_save,
    .apply = process_apply,
    .restore = process_restore,
    .close = process_close,
};
