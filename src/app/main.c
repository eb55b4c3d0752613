/* The program: prepares the process (signals, descriptors), finds the verb, reads its options, and
 * ends with the exit code that the verb returns. Errors are printed in this room only. */
#include "app/help.h"
#include "app/verb.h"
#include "run/run.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often the user asked to stop. A signal handler can reach no other place, so
 * breach: this is the one mutable variable at file scope in the program. */
static volatile sig_atomic_t interrupts;

static void on_interrupt(int signal)
{
    (void)signal;
    if (interrupts < 2)
        interrupts++;
}

static void prepare_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction stop = {.sa_handler = on_interrupt}; /* no SA_RESTART: sleeps shall end */
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* a file size limit is then an error of the write */
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
}

/* A connection is a descriptor: take as many as the hard limit allows. */
static void raise_descriptors(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

const struct verb *const verbs[] = {
    &verb_run,        &verb_scale,
    &verb_stop,       &verb_rollback,
    &verb_clean,      &verb_monitor,
    &verb_load_test,  &verb_wrk,
    &verb_validate,   &verb_doctor,
    &verb_schema,     &verb_report,
    &verb_analyze,    &verb_self_test,
    &verb_fit,        &verb_model,
    &verb_compare,    &verb_baseline,
    &verb_detect,     &verb_recommend,
    &verb_experiment, &verb_list,
    &verb_completion, &verb_version,
    &verb_help,       NULL,
};

const struct verb *verb_find(const char *name)
{
    for (const struct verb *const *verb = verbs; *verb; verb++)
        if (strcmp((*verb)->name, name) == 0)
            return *verb;
    return NULL;
}

int usage_error(struct app *app, const struct verb *verb, const char *format, ...)
{
    va_list list;
    fputs("plimsoll: ", app->err);
    va_start(list, format);
    vfprintf(app->err, format, list);
    va_end(list);
    fprintf(app->err, "\n  plimsoll %s%s says more\n", verb ? verb->name : "help",
            verb ? " --help" : "");
    return EXIT_USAGE;
}

static int unknown_verb(struct app *app, const char *word)
{
    const char *names[sizeof verbs / sizeof *verbs];
    size_t count = 0;
    for (const struct verb *const *verb = verbs; *verb; verb++)
        names[count++] = (*verb)->name;
    names[count] = NULL;
    const char *near = nearest_word(word, names);
    if (strstr(word, "://"))
        return usage_error(app, &verb_run, "\"%s\" is no verb; did you mean \"plimsoll run %s\"?",
                           word, word);
    if (near)
        return usage_error(app, NULL, "\"%s\" is no verb; did you mean \"%s\"?", word, near);
    return usage_error(app, NULL, "\"%s\" is no verb", word);
}

static int act(struct app *app, const struct verb *verb, int count, char **words)
{
    struct arguments arguments;
    struct text why = TEXT_EMPTY;
    int code = 0;
    if (arguments_read(verb->options, count, words, &arguments, &why) != 0) {
        code = usage_error(app, verb, "%s", why.at);
    } else if (arguments.help) {
        help_verb(verb, &why);
        fputs(why.at, app->out);
    } else if (verb->wordless && arguments.rest_count) {
        code = usage_error(app, verb, "%s takes no \"%s\"", verb->name, arguments.rest[0]);
    } else {
        if (verb->harmless)
            signal(SIGINT, SIG_DFL);
        code = verb->act(app, verb, &arguments);
    }
    text_fini(&why);
    arguments_fini(&arguments);
    return code;
}

/* What was printed must have arrived, else the code says so: a full disk behind ">" is no success.
 * A reader of a pipe that left early, as head does, is none of our business. */
static int flush_output(int code)
{
    struct stat info;
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    bool read =
        fstat(STDOUT_FILENO, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode));
    if (!lost || read)
        return code;
    fputs("plimsoll: what was to be printed could not be written: is the disk full?\n", stderr);
    return code ? code : RUN_FAILED;
}

int main(int count, char **words)
{
    struct plug_list plugs;
    struct app app = {.out = stdout,
                      .err = stderr,
                      .interrupts = &interrupts,
                      .environment = environ,
                      .plugs = &plugs};
    plug_list_init(&plugs);
    prepare_signals();
    raise_descriptors();
    int code = 0;
    if (count < 2 || strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0) {
        code = act(&app, &verb_help, 0, words);
    } else if (strcmp(words[1], "--version") == 0 || strcmp(words[1], "-V") == 0) {
        code = act(&app, &verb_version, 0, words);
    } else {
        const struct verb *verb = verb_find(words[1]);
        code = verb ? act(&app, verb, count - 2, words + 2) : unknown_verb(&app, words[1]);
    }
    plug_list_fini(&plugs);
    return flush_output(code);
}
