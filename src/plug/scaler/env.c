/* env: a server's own knobs (slots, pool sizes, workers), which it reads from its environment when
 * it starts: so each size is a restart. Either Plimsoll runs the server, or it is a unit of systemd
 * that gets a drop-in file under /run, which a reboot forgets and the end of the test removes. */
#include "base/memory.h"
#include "plug/scaler/await.h"
#include "plug/scaler/keeper.h"
#include "plug/scaler/scaler_list.h"
#include "plug/scaler/script.h"
#include "plug/scaler/token.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIRECTORY_MODE = 0755, STEP_MS = 20 };

struct env_config {
    char *variable, *command, *unit, *health, *directory;
    uint64_t port;
    nsec_t wait_ns, patience_ns, timeout_ns;
};

struct env {
    const struct env_config *config;
    const struct scaler_place *place;
    struct token token;
    char setting[256]; /* "OLLAMA_NUM_PARALLEL=4" */
    const char *variables[3];
    struct keeper *keeper; /* of a server that is ours */
    double size;           /* NAN: as it was found */
};

#define CONFIG(member) offsetof(struct env_config, member)

static const struct setting settings[] = {
    {.name = "variable",
     .type = SETTING_TEXT,
     .offset = CONFIG(variable),
     .required = true,
     .sentence = "the variable that holds the size, such as OLLAMA_NUM_PARALLEL"},
    {.name = "command",
     .type = SETTING_TEXT,
     .offset = CONFIG(command),
     .sentence = "the server, where Plimsoll runs it; {size} and {port} in it are replaced"},
    {.name = "unit",
     .type = SETTING_TEXT,
     .offset = CONFIG(unit),
     .sentence = "in place of a command: the unit of systemd that is restarted"},
    {.name = "port",
     .type = SETTING_UINT,
     .offset = CONFIG(port),
     .most = 65535,
     .unset = "0",
     .sentence = "where the server listens; 0: health says it"},
    {.name = "health",
     .type = SETTING_TEXT,
     .offset = CONFIG(health),
     .sentence = "URL that answers 2xx when it is healthy again"},
    {.name = "wait",
     .type = SETTING_DURATION,
     .offset = CONFIG(wait_ns),
     .unset = "120s",
     .sentence = "how long that may take"},
    {.name = "stop",
     .type = SETTING_DURATION,
     .offset = CONFIG(patience_ns),
     .unset = "10s",
     .sentence = "time between SIGTERM and SIGKILL of a command"},
    {.name = "timeout",
     .type = SETTING_DURATION,
     .offset = CONFIG(timeout_ns),
     .unset = "60s",
     .sentence = "how long systemctl may take"},
    {.name = "directory",
     .type = SETTING_PATH,
     .offset = CONFIG(directory),
     .sentence = "directory that the command runs in"},
    {.name = NULL},
};

/* ---- a unit ------------------------------------------------------------------------------- */

static void drop_in(const struct env *env, const char *unit, const char *file, struct text *out)
{
    text_printf(out, "%s/run/systemd/system/%s.d%s", env->place->root, unit, file);
}

static int reload_and_restart(const struct env *env, const atomic_bool *cancel, struct text *why)
{
    const char *const reload[] = {"systemctl", "--no-ask-password", "daemon-reload", NULL};
    const char *const restart[] = {"systemctl", "--no-ask-password", "restart", env->config->unit,
                                   NULL};
    struct text said = TEXT_EMPTY;
    int rc = script_run(reload, env->config->timeout_ns, cancel, &said, why);
    if (rc == 0)
        rc = script_run(restart, env->config->timeout_ns, cancel, &said, why);
    text_fini(&said);
    return rc;
}

static int write_drop_in(const struct env *env, struct text *why)
{
    struct text path = TEXT_EMPTY;
    drop_in(env, env->config->unit, "", &path);
    mkdir(path.at, DIRECTORY_MODE);
    text_puts(&path, "/plimsoll.conf");
    FILE *file = fopen(path.at, "we");
    int rc = file ? 0 : errno == EACCES || errno == EPERM ? SCALER_FORBIDDEN : SCALER_FAILED;
    if (file)
        fprintf(file, "# Written by plimsoll for one test.\n[Service]\nEnvironment=%s\n",
                env->setting);
    if (rc || fclose(file)) {
        text_printf(why, "%s can not be written; run as root", path.at);
        rc = rc ? rc : SCALER_FAILED;
    }
    text_fini(&path);
    return rc;
}

static int remove_drop_in(const struct env *env, struct text *why)
{
    struct text path = TEXT_EMPTY;
    drop_in(env, env->config->unit, "/plimsoll.conf", &path);
    int rc = unlink(path.at) && errno != ENOENT ? SCALER_FORBIDDEN : 0;
    if (rc)
        text_printf(why,
                    "%s can not be removed; by hand: rm it, systemctl daemon-reload, "
                    "systemctl restart %s",
                    path.at, env->config->unit);
    text_clear(&path);
    drop_in(env, env->config->unit, "", &path);
    rmdir(path.at); /* only when nobody else has a file there */
    text_fini(&path);
    return rc ? rc : reload_and_restart(env, NULL, why);
}

/* ---- a command ---------------------------------------------------------------------------- */

static bool is_hopeless(void *self, struct text *why)
{
    struct env *env = self;
    if (keeper_look(env->keeper).deaths < 3)
        return false;
    text_printf(why, "the server does not stay alive; see %s/instance-0.log",
                env->place->directory);
    return true;
}

static int start_command(struct env *env, struct text *why)
{
    env->keeper = keeper_free(env->keeper);
    struct keeper_options options = {.command = env->config->command,
                                     .port = env->config->port,
                                     .size = env->size,
                                     .variables = env->variables,
                                     .directory = env->config->directory,
                                     .logs = env->place->directory,
                                     .patience_ns = env->config->patience_ns,
                                     .pause_ns = NSEC_PER_SEC / 2};
    int rc = keeper_new(&options, &env->keeper);
    if (rc)
        return rc;
    keeper_want(env->keeper, 1);
    while (keeper_look(env->keeper).running == 0 && !is_hopeless(env, why))
        if (!await_pause(STEP_MS * NSEC_PER_MSEC, env->place->cancel))
            break;
    return why->bytes ? SCALER_FAILED : 0;
}

/* ---- the contract ------------------------------------------------------------------------- */

static int await_server(struct env *env, const atomic_bool *cancel, struct text *why)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)env->config->port);
    struct await await = {.url = env->config->health ? env->config->health : url,
                          .any = !env->config->health,
                          .timeout_ns = env->config->wait_ns,
                          .cancel = cancel,
                          .hopeless = env->keeper ? is_hopeless : NULL,
                          .self = env};
    return env->config->health || env->config->port ? await_healthy(&await, why) : 0;
}

static int env_open(const void *settings_of, const struct scaler_place *place, void **self,
                    struct text *why)
{
    const struct env_config *config = settings_of;
    if ((config->command != NULL) == (config->unit != NULL)) {
        text_puts(why, "say either command (Plimsoll runs the server) or unit (systemd does)");
        return SCALER_FAILED;
    }
    if (config->unit && strchr(config->unit, '/')) {
        text_puts(why, "unit is a name such as ollama.service");
        return SCALER_FAILED;
    }
    struct env *env = memory_new(1, sizeof *env);
    *env = (struct env){.config = config, .place = place, .token = token_new(), .size = NAN};
    *self = env;
    return 0;
}

static void env_close(void *self)
{
    struct env *env = self;
    keeper_free(env->keeper);
    free(env);
}

static int env_look(void *self, struct scaler_view *out, struct text *why)
{
    struct env *env = self;
    struct keeper_view view = {.wanted = 0};
    (void)why;
    if (env->keeper)
        view = keeper_look(env->keeper);
    *out = (struct scaler_view){.instances = NAN,
                                .ready = env->config->unit ? NAN : (double)view.running,
                                .size = env->size,
                                .restarts = view.restarts};
    return 0;
}

static int env_save(void *self, struct text *state, struct text *why)
{
    struct env *env = self;
    (void)why;
    text_puts(state, env->config->unit ? "unit" : env->token.variable);
    return 0;
}

static int env_apply(void *self, const struct scaler_goal *goal, struct text *why)
{
    struct env *env = self;
    if (isnan(goal->size) || goal->size == env->size)
        return 0;
    env->size = goal->size;
    snprintf(env->setting, sizeof env->setting, "%s=%.15g", env->config->variable, env->size);
    env->variables[0] = env->setting;
    env->variables[1] = env->token.variable;
    int rc = env->config->unit ? write_drop_in(env, why) : start_command(env, why);
    if (rc == 0 && env->config->unit)
        rc = reload_and_restart(env, env->place->cancel, why);
    return rc ? rc : await_server(env, env->place->cancel, why);
}

static int env_restore(void *self, const char *state, struct text *why)
{
    struct env *env = self;
    struct token token;
    env->size = NAN;
    if (strcmp(state, "unit") == 0 && env->config->unit) {
        int rc = remove_drop_in(env, why);
        return rc ? rc : await_server(env, NULL, why);
    }
    if (token_read(state, &token)) {
        text_puts(why, "the saved state is none of this scaler");
        return SCALER_FAILED;
    }
    env->keeper = keeper_free(env->keeper);
    return token_sweep(env->place->root, &token, env->config->patience_ns, why);
}

const struct scaler scaler_env = {
    .name = "env",
    .sentence = "a server's own knobs (slots, workers, pool sizes), by restarting it",
    .settings = settings,
    .config_bytes = sizeof(struct env_config),
    .axes = SCALER_SIZE,
    .size_unit = "slots",
    .open = env_open,
    .look = env_look,
    .save = env_save,
    .apply = env_apply,
    .restore = env_restore,
    .close = env_close,
};
