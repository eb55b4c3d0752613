/* plimsoll-testbed: the reference AI service as a program.
 *
 * The first line on standard output is "listening on ADDRESS", for programs that started it with
 * --port 0. Standard error has one line with the address and with how late this machine's timers
 * are, since no reply can leave more punctually than that; and at the end one line of account. */
#include "base/error.h"
#include "base/text.h"
#include "base/unit.h"
#include "testbed/journal.h"
#include "testbed/nearest.h"
#include "testbed/options.h"
#include "testbed/testbed.h"
#include "testbed/timer_error.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, SPARE_DESCRIPTORS = 64 };

struct program {
    struct watch signals;
    bool stopping;
};

static int complain(const char *what, int error)
{
    char sentence[128];
    fprintf(stderr, "plimsoll-testbed: %s: %s\n", what,
            error_sentence(error, sentence, sizeof sentence));
    return EXIT_FAILURE;
}

static void on_signal(struct watch *watch, unsigned what)
{
    struct program *program = list_entry(watch, struct program, signals);
    struct signalfd_siginfo info;
    (void)what;
    if (read(watch->fd, &info, sizeof info) == sizeof info)
        program->stopping = true;
}

/* SIGTERM and SIGINT become an event of the loop. */
static int watch_signals(struct program *program, struct loop *loop)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL))
        return -errno;
    program->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    program->signals.ready = on_signal;
    if (program->signals.fd < 0)
        return -errno;
    return loop_watch(loop, &program->signals, WATCH_READ);
}

/* As many descriptors as the system allows; connections beyond that are refused by reset rather
 * than left to wait for ever. */
static void raise_limits(struct testbed_options *options)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur > SPARE_DESCRIPTORS &&
        options->listen.most_connections > limit.rlim_cur - SPARE_DESCRIPTORS)
        options->listen.most_connections = limit.rlim_cur - SPARE_DESCRIPTORS;
}

static void greet(const struct testbed *testbed, struct loop *loop)
{
    char where[128], p50[UNIT_ROOM], p99[UNIT_ROOM];
    struct net_address address;
    struct timer_error error;
    const char *name;
    testbed_address(testbed, &address);
    net_address_write(&address, where, sizeof where);
    printf("listening on %s\n", where);
    for (uint64_t i = 1; (name = testbed_door(testbed, i, &address)); i++) {
        char more[128];
        net_address_write(&address, more, sizeof more);
        printf("%s on %s\n", name, more);
    }
    fflush(stdout);
    timer_error_measure(loop, &error);
    fprintf(stderr, "plimsoll-testbed on %s; timers fire late by p50 %s, p99 %s (n = %u)\n", where,
            unit_write_duration(p50, error.p50_ns), unit_write_duration(p99, error.p99_ns),
            error.count);
}

static void account(struct testbed *testbed)
{
    struct testbed_counts counts;
    testbed_counts(testbed, &counts);
    fprintf(stderr,
            "plimsoll-testbed: %llu requests, %llu replies on %llu connections; law: %llu arrivals"
            " = %llu departures + %llu given up + %llu in flight; %llu refused, %llu faults\n",
            (unsigned long long)counts.requests, (unsigned long long)counts.replies,
            (unsigned long long)counts.connections, (unsigned long long)counts.arrivals,
            (unsigned long long)counts.departures, (unsigned long long)counts.abandoned,
            (unsigned long long)(counts.arrivals - counts.departures - counts.abandoned),
            (unsigned long long)counts.refused, (unsigned long long)counts.faults);
}

/* Names all ports, since any of a preset's may be the one that is taken. */
static int complain_of_listening(const struct testbed_listen *listen, int error)
{
    struct text where = TEXT_EMPTY;
    if (listen->unix_path)
        text_puts(&where, listen->unix_path);
    else
        text_printf(&where, "%s:%u", listen->address, listen->port);
    for (uint64_t i = 0; i < listen->more_count && !listen->unix_path; i++)
        text_printf(&where, ", :%u (%s)", listen->more[i].port, listen->more[i].name);
    int code = complain(where.at, error);
    if (error == -EADDRINUSE && listen->more_count)
        fputs("plimsoll-testbed: one of these ports is taken; --port-offset N moves all of them\n",
              stderr);
    text_fini(&where);
    return code;
}

static int serve(struct program *program, struct loop *loop, const struct testbed_options *options)
{
    struct testbed *testbed;
    int error = testbed_new(&testbed, loop, options);
    if (error == -EPERM && !options->listen.token) {
        fprintf(stderr,
                "plimsoll-testbed: %s is not a loopback address; give --token WORD so that"
                " strangers cannot use this server\n",
                options->listen.address);
        return EXIT_USAGE;
    }
    if (error)
        return complain_of_listening(&options->listen, error);
    greet(testbed, loop);
    while (!program->stopping && error >= 0)
        error = loop_turn(loop, NSEC_NEVER);
    account(testbed);
    testbed_free(testbed);
    if (options->listen.unix_path)
        unlink(options->listen.unix_path);
    return error < 0 ? complain("the event loop failed", error) : EXIT_SUCCESS;
}

static int run(struct command_line *line)
{
    struct program program = {.stopping = false};
    struct journal *journal = NULL;
    struct loop *loop;
    int error = loop_new(&loop);
    if (error)
        return complain("cannot make an event loop", error);
    error = watch_signals(&program, loop);
    if (error)
        return complain("cannot watch for signals", error);
    if (line->log_path) {
        error = journal_open(&journal, line->log_path);
        if (error)
            return complain(line->log_path, error);
        line->testbed.served = journal_write;
        line->testbed.self = journal;
    }
    raise_limits(&line->testbed);
    /* A reader of ours that has gone is no reason to stop serving. */
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    prctl(PR_SET_TIMERSLACK, 1UL); /* the default of 50 us would be added to every departure */
    int code = serve(&program, loop, &line->testbed);
    error = journal_close(journal);
    if (error && code == EXIT_SUCCESS)
        code = complain(line->log_path, error);
    close(program.signals.fd);
    loop_free(loop);
    return code;
}

int main(int count, char **arguments)
{
    struct command_line line;
    char words[256];
    if (options_read(&line, count - 1, arguments + 1, words, sizeof words)) {
        fprintf(stderr, "plimsoll-testbed: %s\n", words);
        return EXIT_USAGE;
    }
    if (line.help || line.help_platform || line.help_limits || line.version) {
        fputs(line.help            ? options_help()
              : line.help_platform ? options_help_platform()
              : line.help_limits   ? options_help_limits()
                                   : "plimsoll-testbed " PLIMSOLL_VERSION "\n",
              stdout);
        return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    if (line.approximate && !(line.testbed.platform.nearest = nearest_hnsw())) {
        fputs("plimsoll-testbed: built without hnswlib: install g++ and libhnswlib-dev, and build "
              "again; or leave --vectors-approximate out\n",
              stderr);
        return EXIT_USAGE;
    }
    return run(&line);
}
