/* command: the user's own scripts. `up` and `down` reach a number, `look` tells it, `restore` goes
 * back to it; {instances} and {size} in them are replaced, and so is the number in the variable
 * PLIMSOLL_GOAL. A script that ends with another code than 0 has failed, and what it said last is
 * the reason. */
#include "base/memory.h"
#include "host/child.h"
#include "plug/scaler/await.h"
#include "plug/scaler/scaler_list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SAID = 64 * 1024 };

enum axis { AXIS_INSTANCES, AXIS_SIZE };

struct command_config {
    char *up, *down, *look, *restore, *health, *directory;
    int axis;
    nsec_t wait_ns, timeout_ns;
};

struct command {
    const struct command_config *config;
    const struct scaler_place *place;
    double value; /* as last known; NAN: not known */
};

#define CONFIG(member) offsetof(struct command_config, member)

static const struct setting_word axis_words[] = {
    {"instances", "how many there are"}, {"size", "how large they are"}, {NULL, NULL}};

static const struct setting settings[] = {
    {.name = "up",
     .type = SETTING_TEXT,
     .offset = CONFIG(up),
     .required = true,
     .sentence = "makes it {instances} or {size}, when that is more than before"},
    {.name = "down",
     .type = SETTING_TEXT,
     .offset = CONFIG(down),
     .sentence = "the same when it is less; up where it is not given"},
    {.name = "look",
     .type = SETTING_TEXT,
     .offset = CONFIG(look),
     .sentence = "prints the number as it is, and after a blank how many are ready"},
    {.name = "restore",
     .type = SETTING_TEXT,
     .offset = CONFIG(restore),
     .sentence = "puts everything back; where it is not given, up or down to what look said"},
    {.name = "axis",
     .type = SETTING_CHOICE,
     .offset = CONFIG(axis),
     .words = axis_words,
     .unset = "instances",
     .sentence = "what the scripts change"},
    {.name = "health",
     .type = SETTING_TEXT,
     .offset = CONFIG(health),
     .sentence = "URL that answers 2xx when the change is done"},
    {.name = "wait",
     .type = SETTING_DURATION,
     .offset = CONFIG(wait_ns),
     .unset = "60s",
     .sentence = "how long that may take"},
    {.name = "timeout",
     .type = SETTING_DURATION,
     .offset = CONFIG(timeout_ns),
     .unset = "120s",
     .sentence = "how long a script may run"},
    {.name = "directory",
     .type = SETTING_PATH,
     .offset = CONFIG(directory),
     .sentence = "directory that the scripts run in"},
    {.name = NULL},
};

/* The last line that says something. */
static struct span last_line(struct span said)
{
    said = span_trim(said);
    size_t begin = said.bytes;
    while (begin > 0 && said.at[begin - 1] != '\n')
        begin--;
    return (struct span){said.at ? said.at + begin : NULL, said.bytes - begin};
}

/* Runs a script with its holes filled. */
static int run_script(const struct command *command, const char *script, double value,
                      const atomic_bool *cancel, struct text *said, struct text *why)
{
    bool instances = command->config->axis == AXIS_INSTANCES;
    struct await_words values = {.port = NAN,
                                 .index = NAN,
                                 .instances = instances ? value : NAN,
                                 .size = instances ? NAN : value};
    struct text line = TEXT_EMPTY;
    char goal[64];
    snprintf(goal, sizeof goal, "PLIMSOLL_GOAL=%.15g", value);
    await_fill(script, &values, &line);
    const char *const variables[] = {goal, NULL};
    struct child_options child = {
        .command = line.at, .variables = variables, .directory = command->config->directory};
    struct child_limits limits = {
        .timeout_ns = command->config->timeout_ns, .most_bytes = MOST_SAID, .cancel = cancel};
    int status = 0, rc = child_run(&child, &limits, said, &status);
    struct span last = last_line(text_span(said));
    if (rc == CHILD_TIMEOUT || rc == CHILD_CANCELLED) {
        text_printf(why, "\"%s\" %s", line.at,
                    rc == CHILD_TIMEOUT ? "did not end in time; raise its timeout"
                                        : "was given up, as was asked");
        rc = SCALER_TIMEOUT;
    } else if (rc == 0 && status != 0) {
        text_printf(why, "\"%s\" ended with %d: %.*s", line.at, status, (int)last.bytes,
                    last.bytes ? last.at : "");
        rc = SCALER_FAILED;
    }
    text_fini(&line);
    return rc;
}

static int command_open(const void *config, const struct scaler_place *place, void **self,
                        struct text *why)
{
    struct command *command = memory_new(1, sizeof *command);
    *command = (struct command){.config = config, .place = place, .value = NAN};
    if (!command->config->look && !command->config->restore) {
        text_puts(why, "give look or restore, so that the change can be undone");
        free(command);
        return SCALER_FAILED;
    }
    *self = command;
    return 0;
}

static int ask(struct command *command, double *value, double *ready, struct text *why)
{
    struct text said = TEXT_EMPTY;
    int rc = run_script(command, command->config->look, command->value, command->place->cancel,
                        &said, why);
    if (rc == 0) {
        struct span line = last_line(text_span(&said));
        char words[128], *rest = NULL;
        snprintf(words, sizeof words, "%.*s", (int)line.bytes, line.bytes ? line.at : "");
        *value = strtod(words, &rest);
        if (rest == words) {
            text_printf(why, "look must print a number; it printed \"%s\"", words);
            rc = SCALER_FAILED;
        } else {
            char *end = NULL;
            *ready = strtod(rest, &end);
            *ready = end == rest ? *value : *ready;
        }
    }
    text_fini(&said);
    return rc;
}

static int command_look(void *self, struct scaler_view *out, struct text *why)
{
    struct command *command = self;
    double value = command->value, ready = command->value;
    int rc = command->config->look ? ask(command, &value, &ready, why) : 0;
    if (rc)
        return rc;
    bool instances = command->config->axis == AXIS_INSTANCES;
    command->value = value;
    *out = (struct scaler_view){.instances = instances ? value : NAN,
                                .ready = instances ? ready : NAN,
                                .size = instances ? NAN : value};
    return 0;
}

static int command_save(void *self, struct text *state, struct text *why)
{
    struct command *command = self;
    struct scaler_view view;
    int rc = command_look(command, &view, why);
    if (rc == 0)
        text_printf(state, "%.17g", command->value);
    return rc;
}

/* Makes it so, by the script for that direction. */
static int reach(struct command *command, double value, const atomic_bool *cancel, struct text *why)
{
    const struct command_config *config = command->config;
    struct text said = TEXT_EMPTY;
    bool falls = config->down && value < command->value;
    int rc = run_script(command, falls ? config->down : config->up, value, cancel, &said, why);
    text_fini(&said);
    if (rc == 0)
        command->value = value;
    struct await await = {.url = config->health, .timeout_ns = config->wait_ns, .cancel = cancel};
    return rc == 0 && config->health ? await_healthy(&await, why) : rc;
}

static int command_apply(void *self, const struct scaler_goal *goal, struct text *why)
{
    struct command *command = self;
    double value = command->config->axis == AXIS_INSTANCES ? goal->instances : goal->size;
    return isnan(value) ? 0 : reach(command, value, command->place->cancel, why);
}

static int command_restore(void *self, const char *state, struct text *why)
{
    struct command *command = self;
    char *rest = NULL;
    double value = strtod(state, &rest);
    if (rest == state) {
        text_puts(why, "the saved state is none of this scaler");
        return SCALER_FAILED;
    }
    int rc = 0;
    if (command->config->restore) {
        struct text said = TEXT_EMPTY;
        rc = run_script(command, command->config->restore, value, NULL, &said, why);
        text_fini(&said);
    } else {
        rc = reach(command, value, NULL, why);
    }
    if (rc)
        text_printf(why, "; by hand: run it, with %.15g", value);
    return rc;
}

const struct scaler scaler_command = {
    .name = "command",
    .sentence = "your own scripts",
    .settings = settings,
    .config_bytes = sizeof(struct command_config),
    .axes = SCALER_INSTANCES | SCALER_SIZE,
    .open = command_open,
    .look = command_look,
    .save = command_save,
    .apply = command_apply,
    .restore = command_restore,
    .close = free,
};
