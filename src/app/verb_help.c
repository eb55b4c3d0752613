/* plimsoll help [VERB] [--man], plimsoll completion bash, plimsoll version. */
#include "app/help.h"

#include <string.h>

static const struct option help_options[] = {
    {.name = "man", .kind = OPTION_FLAG, .sentence = "as a man page, in roff"},
    {.name = NULL},
};

static int act_help(struct app *app, const struct verb *self, const struct arguments *arguments)
{
    const struct verb *verb = NULL;
    struct text out = TEXT_EMPTY;
    if (arguments->rest_count > 1)
        return usage_error(app, self, "one verb at most");
    if (arguments->rest_count && !(verb = verb_find(arguments->rest[0])))
        return usage_error(app, self, "there is no verb \"%s\"", arguments->rest[0]);
    if (argument_given(arguments, "man"))
        help_man(verb, &out);
    else if (verb)
        help_verb(verb, &out);
    else
        help_program(&out);
    fputs(out.at, app->out);
    text_fini(&out);
    return 0;
}

const struct verb verb_help = {
    .name = "help",
    .sentence = "say what the verbs do",
    .usage = "[VERB] [--man]",
    .options = help_options,
    .examples = {"plimsoll help run", "plimsoll help --man | man -l -"},
    .act = act_help,
};

static const struct option no_options[] = {{.name = NULL}};

static int act_completion(struct app *app, const struct verb *self,
                          const struct arguments *arguments)
{
    if (arguments->rest_count != 1 || strcmp(arguments->rest[0], "bash") != 0)
        return usage_error(app, self, "completion is there for one shell: bash");
    struct text out = TEXT_EMPTY;
    help_completion(&out);
    fputs(out.at, app->out);
    text_fini(&out);
    return 0;
}

const struct verb verb_completion = {
    .name = "completion",
    .sentence = "print a completion script for a shell",
    .usage = "bash",
    .options = no_options,
    .examples = {"eval \"$(plimsoll completion bash)\"",
                 "plimsoll completion bash > ~/.local/share/bash-completion/completions/plimsoll"},
    .act = act_completion,
};

static int act_version(struct app *app, const struct verb *self, const struct arguments *arguments)
{
    (void)self;
    (void)arguments;
    fputs("plimsoll " PLIMSOLL_VERSION "\n", app->out);
    return 0;
}

const struct verb verb_version = {
    .name = "version",
    .sentence = "print the version",
    .usage = "",
    .wordless = true,
    .options = no_options,
    .examples = {"plimsoll version", "plimsoll --version"},
    .act = act_version,
};
