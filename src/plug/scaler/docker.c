/* docker: processor time or memory of running containers, or how many containers a service of
 * Compose has. Limits are changed over the engine's API while the container runs; the number by
 * `docker compose up --scale`, since only Compose knows how one of its containers is made.
 *
 *   Source   Docker Engine API 1.43: ContainerInspect, ContainerUpdate, ContainerList. A quota is
 *            written where the container has no NanoCpus, because the engine takes away a quota
 *            (-1) but not NanoCpus (0 means "as it is"). */
#include "control/docker.h"
#include "base/memory.h"
#include "plug/scaler/await.h"
#include "plug/scaler/scaler_list.h"
#include "plug/scaler/script.h"
#include "wire/url.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERIOD_US = 100000, POLL_MS = 250 };
enum what { WHAT_CPU, WHAT_MEMORY };

struct docker_config {
    struct plan_texts containers;
    char *engine, *service, *project, *file;
    int what;
    nsec_t wait_ns;
};

struct docker_scaler {
    const struct docker_config *config;
    const struct scaler_place *place;
    struct docker *client;
};

#define CONFIG(member) offsetof(struct docker_config, member)

static const struct setting_word what_words[] = {
    {"cpu", "processor time, in cores"}, {"memory", "memory, in bytes"}, {NULL, NULL}};

static const struct setting settings[] = {
    {.name = "containers",
     .type = SETTING_TEXTS,
     .offset = CONFIG(containers),
     .aliases = "container",
     .sentence = "names of the containers whose size is changed"},
    {.name = "what",
     .type = SETTING_CHOICE,
     .offset = CONFIG(what),
     .words = what_words,
     .unset = "cpu",
     .sentence = "what the size is"},
    {.name = "service",
     .type = SETTING_TEXT,
     .offset = CONFIG(service),
     .sentence = "service of Compose whose containers are made more or fewer"},
    {.name = "project",
     .type = SETTING_TEXT,
     .offset = CONFIG(project),
     .sentence = "its project; needed with service"},
    {.name = "file",
     .type = SETTING_PATH,
     .offset = CONFIG(file),
     .sentence = "its compose file; else the one in the working directory"},
    {.name = "engine",
     .type = SETTING_TEXT,
     .offset = CONFIG(engine),
     .sentence = "where the engine listens: a socket's path, unix://, tcp:// or http://"},
    {.name = "wait",
     .type = SETTING_DURATION,
     .offset = CONFIG(wait_ns),
     .unset = "120s",
     .sentence = "how long containers may take to be healthy"},
    {.name = NULL},
};

/* ---- asking ------------------------------------------------------------------------------- */

static int inspect(const struct docker_scaler *scaler, const char *name, json_t **out,
                   struct text *why)
{
    struct text path = TEXT_EMPTY;
    text_puts(&path, "/containers/");
    url_encode(span_of(name), &path);
    text_puts(&path, "/json");
    int rc = docker_ask(scaler->client, &(struct control_request){.path = path.at}, out, why);
    text_fini(&path);
    return rc;
}

static int update(const struct docker_scaler *scaler, const char *name, json_t *body,
                  struct text *why)
{
    struct text path = TEXT_EMPTY;
    text_puts(&path, "/containers/");
    url_encode(span_of(name), &path);
    text_puts(&path, "/update");
    char *words = json_dumps(body, JSON_COMPACT);
    struct control_request request = {.method = "POST", .path = path.at, .body = span_of(words)};
    int rc = docker_ask(scaler->client, &request, NULL, why);
    free(words);
    json_decref(body);
    text_fini(&path);
    return rc;
}

static double limit_of(const json_t *container, const char *key)
{
    return json_number_value(json_object_get(json_object_get(container, "HostConfig"), key));
}

static double size_of(const json_t *container, int what)
{
    if (what == WHAT_MEMORY) {
        double bytes = limit_of(container, "Memory");
        return bytes > 0 ? bytes : INFINITY;
    }
    double nano = limit_of(container, "NanoCpus"), quota = limit_of(container, "CpuQuota");
    double period = limit_of(container, "CpuPeriod");
    if (nano > 0)
        return nano / 1e9;
    return quota > 0 ? quota / (period > 0 ? period : PERIOD_US) : INFINITY;
}

/* The containers of the service: how many there are, and how many of them are healthy. */
static int count_service(const struct docker_scaler *scaler, double *running, double *ready,
                         struct text *why)
{
    struct text plain = TEXT_EMPTY, path = TEXT_EMPTY;
    json_t *list = NULL, *each = NULL;
    size_t i;
    text_printf(&plain,
                "{\"label\":[\"com.docker.compose.project=%s\",\"com.docker.compose.service=%s\"]}",
                scaler->config->project, scaler->config->service);
    text_puts(&path, "/containers/json?filters=");
    url_encode(text_span(&plain), &path);
    int rc = docker_ask(scaler->client, &(struct control_request){.path = path.at}, &list, why);
    *running = *ready = 0;
    json_array_foreach(list, i, each)
    {
        const char *status = json_string_value(json_object_get(each, "Status"));
        bool waits = status && (strstr(status, "health: starting") || strstr(status, "unhealthy"));
        *running += 1;
        *ready += !waits;
    }
    json_decref(list);
    text_fini(&plain);
    text_fini(&path);
    return rc;
}

/* ---- the contract ------------------------------------------------------------------------- */

static void docker_close(void *self)
{
    struct docker_scaler *scaler = self;
    docker_free(scaler->client);
    free(scaler);
}

static int docker_look(void *self, struct scaler_view *out, struct text *why)
{
    struct docker_scaler *scaler = self;
    struct scaler_view view = {.instances = NAN,
                               .ready = NAN,
                               .size = NAN,
                               .size_unit = scaler->config->what ? "bytes" : "cores"};
    int rc = 0;
    for (size_t i = 0; i < scaler->config->containers.count && rc == 0; i++) {
        json_t *container = NULL;
        rc = inspect(scaler, scaler->config->containers.items[i], &container, why);
        if (rc == 0 && i == 0)
            view.size = size_of(container, scaler->config->what);
        view.restarts += (uint64_t)json_integer_value(json_object_get(container, "RestartCount"));
        json_decref(container);
    }
    if (rc == 0 && scaler->config->service)
        rc = count_service(scaler, &view.instances, &view.ready, why);
    if (rc == 0)
        *out = view;
    return rc;
}

static int docker_open(const void *settings_of, const struct scaler_place *place, void **self,
                       struct text *why)
{
    const struct docker_config *config = settings_of;
    if (config->containers.count == 0 && !config->service) {
        text_puts(why, "say containers (for a size) or service and project (for instances)");
        return SCALER_FAILED;
    }
    if (config->service && !config->project) {
        text_puts(why, "say the project of the service, as in docker compose ls");
        return SCALER_FAILED;
    }
    struct docker_scaler *scaler = memory_new(1, sizeof *scaler);
    struct scaler_view view;
    *scaler = (struct docker_scaler){.config = config, .place = place};
    int rc = docker_new(&(struct docker_options){.engine = config->engine}, &scaler->client, why);
    if (rc == 0)
        rc = docker_look(scaler, &view, why);
    if (rc)
        docker_close(scaler);
    else
        *self = scaler;
    return rc;
}

static int docker_save(void *self, struct text *state, struct text *why)
{
    static const char *const keys[] = {"NanoCpus", "CpuQuota", "CpuPeriod", "Memory", "MemorySwap"};
    struct docker_scaler *scaler = self;
    json_t *saved = json_pack("{s:{}}", "containers");
    double running = 0, ready = 0;
    int rc = scaler->config->service ? count_service(scaler, &running, &ready, why) : 0;
    json_object_set_new(saved, "instances", json_integer((json_int_t)running));
    for (size_t i = 0; i < scaler->config->containers.count && rc == 0; i++) {
        json_t *container = NULL, *limits = json_object();
        rc = inspect(scaler, scaler->config->containers.items[i], &container, why);
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            json_object_set_new(limits, keys[k],
                                json_integer((json_int_t)limit_of(container, keys[k])));
        json_object_set_new(json_object_get(saved, "containers"),
                            scaler->config->containers.items[i], limits);
        json_decref(container);
    }
    char *words = json_dumps(saved, JSON_COMPACT | JSON_SORT_KEYS);
    if (rc == 0)
        text_puts(state, words);
    free(words);
    json_decref(saved);
    return rc;
}

/* The body that gives a container this size. */
static json_t *body_of(const struct docker_scaler *scaler, const json_t *container, double size)
{
    if (scaler->config->what == WHAT_MEMORY) /* swap goes with it, or the engine refuses to lower */
        return json_pack("{s:I,s:I}", "Memory", (json_int_t)size, "MemorySwap", (json_int_t)size);
    if (limit_of(container, "NanoCpus") > 0)
        return json_pack("{s:I}", "NanoCpus", (json_int_t)(size * 1e9));
    return json_pack("{s:I,s:I}", "CpuPeriod", (json_int_t)PERIOD_US, "CpuQuota",
                     (json_int_t)(size * PERIOD_US));
}

static int resize(const struct docker_scaler *scaler, double size, struct text *why)
{
    int rc = 0;
    for (size_t i = 0; i < scaler->config->containers.count && rc == 0; i++) {
        const char *name = scaler->config->containers.items[i];
        json_t *container = NULL;
        rc = inspect(scaler, name, &container, why);
        if (rc == 0)
            rc = update(scaler, name, body_of(scaler, container, size), why);
        json_decref(container);
    }
    return rc;
}

static int compose(const struct docker_scaler *scaler, double instances, const atomic_bool *cancel,
                   struct text *why)
{
    const struct docker_config *config = scaler->config;
    char scale[256];
    struct text said = TEXT_EMPTY;
    snprintf(scale, sizeof scale, "%s=%.0f", config->service, instances);
    const char *words[16] = {"docker", "compose", "-p", config->project};
    size_t count = 4;
    if (config->file) {
        words[count++] = "-f";
        words[count++] = config->file;
    }
    const char *const more[] = {"up",      "-d",  "--no-deps",     "--no-recreate",
                                "--scale", scale, config->service, NULL};
    for (size_t i = 0; more[i]; i++)
        words[count++] = more[i];
    int rc = script_run(words, config->wait_ns, cancel, &said, why);
    text_fini(&said);
    nsec_t until_ns = clock_monotonic_ns() + config->wait_ns;
    while (rc == 0) {
        double running = 0, ready = 0;
        rc = count_service(scaler, &running, &ready, why);
        if (rc || (running == instances && ready == instances))
            break;
        if (clock_monotonic_ns() > until_ns || !await_pause(POLL_MS * NSEC_PER_MSEC, cancel)) {
            text_printf(why, "%g of %g containers of %s are healthy", ready, instances,
                        config->service);
            rc = SCALER_TIMEOUT;
        }
    }
    return rc;
}

static int docker_apply(void *self, const struct scaler_goal *goal, struct text *why)
{
    struct docker_scaler *scaler = self;
    int rc = 0;
    if (!isnan(goal->instances) && scaler->config->service)
        rc = compose(scaler, goal->instances, scaler->place->cancel, why);
    if (rc == 0 && !isnan(goal->size))
        rc = resize(scaler, goal->size, why);
    return rc;
}

/* What was no limit is written as -1, which is how the engine takes one away. */
static json_t *limit_back(const json_t *saved, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(saved, key));
    return json_integer(value ? value : -1);
}

static int restore_container(const struct docker_scaler *scaler, const char *name,
                             const json_t *saved, struct text *why)
{
    json_t *body = json_object();
    json_int_t nano = json_integer_value(json_object_get(saved, "NanoCpus"));
    json_int_t period = json_integer_value(json_object_get(saved, "CpuPeriod"));
    if (scaler->config->what == WHAT_MEMORY) {
        json_object_set_new(body, "Memory", limit_back(saved, "Memory"));
        json_object_set_new(body, "MemorySwap", limit_back(saved, "MemorySwap"));
    } else if (nano > 0) {
        json_object_set_new(body, "NanoCpus", json_integer(nano));
    } else {
        json_object_set_new(body, "CpuPeriod", json_integer(period ? period : PERIOD_US));
        json_object_set_new(body, "CpuQuota", limit_back(saved, "CpuQuota"));
    }
    char *words = json_dumps(body, JSON_COMPACT);
    int rc = update(scaler, name, body, why);
    if (rc)
        text_printf(why, "; by hand: docker update %s to %s", name, words);
    free(words);
    return rc;
}

static int docker_restore(void *self, const char *state, struct text *why)
{
    struct docker_scaler *scaler = self;
    json_t *saved = json_loads(state, 0, NULL), *limits = NULL;
    json_t *instances = json_object_get(saved, "instances");
    const char *name = NULL;
    int rc = 0;
    if (!json_is_integer(instances)) {
        text_puts(why, "the saved state is none of this scaler");
        rc = SCALER_FAILED;
    }
    json_object_foreach(json_object_get(saved, "containers"), name, limits)
    {
        int own = rc ? rc : restore_container(scaler, name, limits, why);
        rc = rc ? rc : own;
    }
    if (rc == 0 && scaler->config->service)
        rc = compose(scaler, (double)json_integer_value(instances), NULL, why);
    json_decref(saved);
    return rc;
}

const struct scaler scaler_docker = {
    .name = "docker",
    .sentence = "processor time or memory of containers, or containers of a Compose service",
    .settings = settings,
    .config_bytes = sizeof(struct docker_config),
    .axes = SCALER_INSTANCES | SCALER_SIZE,
    .size_unit = "cores",
    .open = docker_open,
    .look = docker_look,
    .save = docker_save,
    .apply = docker_apply,
    .restore = docker_restore,
    .close = docker_close,
};
