/* Everything of the instances is changed by the keeper's thread, under the lock; others read it and
 * say what they want. Ending an instance may take as long as its patience, during which the lock
 * is free. */
#include "plug/scaler/keeper.h"

#include "base/error.h"
#include "base/memory.h"
#include "host/child.h"
#include "plug/scaler/await.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 50, MOST_WORDS = 64 * 1024 };

struct instance {
    pid_t pid;         /* 0: does not run */
    nsec_t not_before; /* when it may be started again */
    bool started;      /* once before: starting it is a restart */
};

struct keeper {
    struct keeper_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    struct instance instances[KEEPER_MOST];
    size_t wanted;
    uint64_t restarts, deaths;
    struct text words;
    bool over; /* tells the thread to end */
};

static void note(struct keeper *keeper, size_t index, const char *words)
{
    if (keeper->words.bytes < MOST_WORDS)
        text_printf(&keeper->words, "instance %zu %s\n", index, words);
}

/* Starts an instance; the lock is held. */
static void start(struct keeper *keeper, size_t index)
{
    const struct keeper_options *options = &keeper->options;
    struct instance *instance = &keeper->instances[index];
    struct text command = TEXT_EMPTY, log = TEXT_EMPTY;
    struct await_words values = {.port = options->port ? (double)(options->port + index) : NAN,
                                 .index = (double)index,
                                 .instances = NAN,
                                 .size = options->size};
    if (!options->command[strcspn(options->command, ";&|(\n")])
        text_puts(&command, "exec env "); /* the shell makes way, also for NAME=value COMMAND */
    await_fill(options->command, &values, &command);
    text_printf(&log, "%s/instance-%zu.log", options->logs, index);
    struct child_options child = {.command = command.at,
                                  .variables = options->variables,
                                  .directory = options->directory,
                                  .log = log.at,
                                  .groups =
                                      options->doors ? options->doors(options->self, index) : NULL};
    int rc = child_start(&child, &instance->pid);
    if (rc) {
        char sentence[100];
        instance->pid = 0;
        instance->not_before = clock_monotonic_ns() + options->pause_ns;
        keeper->deaths++;
        struct text words = TEXT_EMPTY;
        text_printf(&words, "could not be started: %s",
                    error_sentence(rc, sentence, sizeof sentence));
        note(keeper, index, words.at);
        text_fini(&words);
    } else if (instance->started) {
        keeper->restarts++;
        note(keeper, index, "was started again");
    }
    instance->started = true;
    text_fini(&command);
    text_fini(&log);
}

/* Looks whether it died; the lock is held. */
static void look_after(struct keeper *keeper, size_t index)
{
    struct instance *instance = &keeper->instances[index];
    struct text words = TEXT_EMPTY;
    if (instance->pid && child_ended(instance->pid, &words)) {
        instance->pid = 0;
        instance->not_before = clock_monotonic_ns() + keeper->options.pause_ns;
        keeper->deaths++;
        note(keeper, index, words.bytes ? words.at : "ended");
    }
    text_fini(&words);
    if (!instance->pid && clock_monotonic_ns() >= instance->not_before)
        start(keeper, index);
}

/* Ends those from `first` on: all at once are told to, so that they take no longer than one. */
static void end_from(struct keeper *keeper, size_t first)
{
    pid_t pids[KEEPER_MOST];
    size_t count = 0;
    for (size_t i = KEEPER_MOST; i-- > first;) {
        if (keeper->instances[i].pid)
            pids[count++] = keeper->instances[i].pid;
    }
    if (count == 0)
        return;
    pthread_mutex_unlock(&keeper->lock);
    child_end_all(pids, count, keeper->options.patience_ns);
    pthread_mutex_lock(&keeper->lock);
    for (size_t i = first; i < KEEPER_MOST; i++)
        keeper->instances[i] = (struct instance){.pid = 0};
}

static void *keep(void *self)
{
    struct keeper *keeper = self;
    pthread_mutex_lock(&keeper->lock);
    while (!keeper->over) {
        end_from(keeper, keeper->wanted);
        for (size_t i = 0; i < keeper->wanted; i++)
            look_after(keeper, i);
        pthread_mutex_unlock(&keeper->lock);
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * NSEC_PER_MSEC}, NULL);
        pthread_mutex_lock(&keeper->lock);
    }
    end_from(keeper, 0);
    pthread_mutex_unlock(&keeper->lock);
    return NULL;
}

int keeper_new(const struct keeper_options *options, struct keeper **out)
{
    struct keeper *keeper = memory_new(1, sizeof *keeper);
    keeper->options = *options;
    pthread_mutex_init(&keeper->lock, NULL);
    int rc = pthread_create(&keeper->thread, NULL, keep, keeper);
    if (rc) {
        pthread_mutex_destroy(&keeper->lock);
        free(keeper);
        return -rc;
    }
    *out = keeper;
    return 0;
}

struct keeper *keeper_free(struct keeper *keeper)
{
    if (!keeper)
        return NULL;
    pthread_mutex_lock(&keeper->lock);
    keeper->over = true;
    pthread_mutex_unlock(&keeper->lock);
    pthread_join(keeper->thread, NULL);
    pthread_mutex_destroy(&keeper->lock);
    text_fini(&keeper->words);
    free(keeper);
    return NULL;
}

void keeper_want(struct keeper *keeper, size_t count)
{
    pthread_mutex_lock(&keeper->lock);
    keeper->wanted = count < KEEPER_MOST ? count : KEEPER_MOST;
    keeper->deaths = 0;
    pthread_mutex_unlock(&keeper->lock);
}

struct keeper_view keeper_look(struct keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    struct keeper_view view = {
        .wanted = keeper->wanted, .restarts = keeper->restarts, .deaths = keeper->deaths};
    for (size_t i = 0; i < KEEPER_MOST; i++)
        view.running += keeper->instances[i].pid != 0;
    pthread_mutex_unlock(&keeper->lock);
    return view;
}

pid_t keeper_pid(struct keeper *keeper, size_t index)
{
    pthread_mutex_lock(&keeper->lock);
    pid_t pid = index < KEEPER_MOST ? keeper->instances[index].pid : 0;
    pthread_mutex_unlock(&keeper->lock);
    return pid;
}

void keeper_words(struct keeper *keeper, struct text *out)
{
    pthread_mutex_lock(&keeper->lock);
    text_put(out, text_span(&keeper->words));
    text_clear(&keeper->words);
    pthread_mutex_unlock(&keeper->lock);
}
