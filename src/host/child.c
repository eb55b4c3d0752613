/* fork and exec: posix_spawn can neither ask for a signal at the parent's death nor enter a control
 * group. Between the two only calls are made that are safe in the child of a process with threads;
 * what must be built is built before. A pipe that exec closes tells the parent of an error. */
#include "host/child.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CANNOT_RUN = 127, STEP_MS = 20, LOG_MODE = 0644 };

/* Everything that the child needs, made before it is. */
struct launch {
    const struct child_options *options;
    char **words, **environment;
    int input, output; /* become 0, and 1 and 2 */
    int report;        /* where errno goes */
    pid_t parent;
};

/* The name's length, with its "=". */
static size_t name_length(const char *variable)
{
    return strcspn(variable, "=") + 1;
}

/* This process's variables, with those of the options in place of any of the same name. A child
 * inherits what this process was given, as from a shell. */
static char **make_environment(const char *const *variables)
{
    size_t own = 0, more = 0, count = 0;
    while (environ && environ[own])
        own++;
    while (variables && variables[more])
        more++;
    char **out = memory_new(own + more + 1, sizeof *out);
    for (size_t i = 0; i < own; i++) {
        bool replaced = false;
        for (size_t j = 0; j < more && !replaced; j++)
            replaced = strncmp(environ[i], variables[j], name_length(variables[j])) == 0;
        if (!replaced)
            out[count++] = environ[i];
    }
    for (size_t j = 0; j < more; j++)
        out[count++] = (char *)(uintptr_t)variables[j];
    return out;
}

/* In the child: tells errno and ends. */
static _Noreturn void give_up(const struct launch *launch)
{
    int error = errno;
    ssize_t written = write(launch->report, &error, sizeof error);
    (void)written; /* the parent then sees a child that ended with 127 */
    _exit(CANNOT_RUN);
}

static void enter_groups(const struct launch *launch)
{
    for (const char *const *group = launch->options->groups; group && *group; group++) {
        int file = open(*group, O_WRONLY | O_CLOEXEC);
        if (file < 0 || write(file, "0", 1) != 1) /* 0: the one that writes */
            give_up(launch);
        close(file);
    }
}

static _Noreturn void become(const struct launch *launch)
{
    sigset_t none;
    struct sigaction fresh = {.sa_handler = SIG_DFL};
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &fresh, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != launch->parent) /* it died before the line above */
        _exit(CANNOT_RUN);
    if (dup2(launch->input, 0) < 0 || dup2(launch->output, 1) < 0 || dup2(launch->output, 2) < 0)
        give_up(launch);
    if (launch->options->directory && chdir(launch->options->directory))
        give_up(launch);
    enter_groups(launch);
    environ = launch->environment;
    execvp(launch->words[0], launch->words);
    give_up(launch);
}

/* Forks; report: the end to read from. */
static int split(struct launch *launch, pid_t *pid)
{
    int ends[2], error = 0;
    if (pipe2(ends, O_CLOEXEC))
        return -errno;
    launch->report = ends[1];
    launch->parent = getpid();
    pid_t child = fork();
    if (child == 0)
        become(launch);
    int rc = child < 0 ? -errno : 0;
    close(ends[1]);
    if (rc == 0) {
        setpgid(child, child); /* also here: the caller may end the group at once */
        ssize_t got = 0;
        do {
            got = read(ends[0], &error, sizeof error);
        } while (got < 0 && errno == EINTR);
        if (got == (ssize_t)sizeof error) {
            while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
                continue;
            rc = -error;
        }
    }
    close(ends[0]);
    if (rc == 0)
        *pid = child;
    return rc;
}

/* Starts it with this descriptor as its output. */
static int start_with(const struct child_options *options, int output, pid_t *pid)
{
    char *shell[] = {(char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c",
                     (char *)(uintptr_t)options->command, NULL};
    struct launch launch = {
        .options = options,
        .words = options->words ? (char **)(uintptr_t)options->words : shell,
        .environment = make_environment(options->variables),
        .input = open("/dev/null", O_RDONLY | O_CLOEXEC),
        .output = output,
    };
    int rc = launch.input < 0 ? -errno : split(&launch, pid);
    if (launch.input >= 0)
        close(launch.input);
    free(launch.environment);
    return rc;
}

int child_start(const struct child_options *options, pid_t *pid)
{
    const char *log = options->log ? options->log : "/dev/null";
    int output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, LOG_MODE);
    if (output < 0)
        return -errno;
    int rc = start_with(options, output, pid);
    close(output);
    return rc;
}

/* How it ended, as a sentence's end. */
static void put_status(int status, struct text *words)
{
    if (WIFSIGNALED(status))
        text_printf(words, "was killed by signal %d (SIG%s)", WTERMSIG(status),
                    sigabbrev_np(WTERMSIG(status)));
    else
        text_printf(words, "ended with %d", WEXITSTATUS(status));
}

bool child_ended(pid_t pid, struct text *words)
{
    int status = 0;
    pid_t got = waitpid(pid, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    if (got == pid && words)
        put_status(status, words);
    return true;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = STEP_MS * NSEC_PER_MSEC}, NULL);
}

size_t child_end_all(const pid_t *pids, size_t count, nsec_t patience_ns)
{
    nsec_t until_ns = clock_monotonic_ns() + patience_ns;
    bool *gone = memory_new(count, sizeof *gone);
    size_t left = count;
    for (size_t i = 0; i < count; i++)
        kill(-pids[i], SIGTERM);
    while (left > 0) {
        for (size_t i = 0; i < count; i++) {
            if (gone[i] || !child_ended(pids[i], NULL))
                continue;
            gone[i] = true;
            left--;
        }
        if (left == 0 || clock_monotonic_ns() >= until_ns)
            break;
        nap();
    }
    for (size_t i = 0; i < count; i++) {
        kill(-pids[i], SIGKILL); /* also those that its leader left behind */
        while (!gone[i] && waitpid(pids[i], NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    free(gone);
    return count - left;
}

/* Whether it has ended; it is still to be waited for. */
static bool is_over(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* Reads until the streams are closed, or until it has ended and said nothing more: what it left in
 * the background may hold them open. Returns 0 or why it was given up. */
static int gather(pid_t pid, int file, const struct child_limits *limits, struct text *said)
{
    nsec_t until_ns = clock_monotonic_ns() + limits->timeout_ns;
    size_t before = said->bytes;
    char bytes[4096];
    for (;;) {
        struct pollfd wait = {.fd = file, .events = POLLIN};
        if (limits->cancel && atomic_load(limits->cancel))
            return CHILD_CANCELLED;
        if (clock_monotonic_ns() >= until_ns)
            return CHILD_TIMEOUT;
        bool over = is_over(pid);
        if (poll(&wait, 1, over ? 0 : STEP_MS) <= 0) {
            if (over)
                return 0;
            continue;
        }
        ssize_t got = read(file, bytes, sizeof bytes);
        if (got == 0 || (got < 0 && errno != EINTR))
            return 0;
        size_t room = limits->most_bytes - (said->bytes - before);
        size_t take = got < 0 ? 0 : (size_t)got;
        text_put(said, (struct span){bytes, take < room ? take : room});
    }
}

int child_run(const struct child_options *options, const struct child_limits *limits,
              struct text *said, int *status)
{
    int ends[2], raw = 0;
    pid_t pid = 0;
    if (pipe2(ends, O_CLOEXEC))
        return -errno;
    int rc = start_with(options, ends[1], &pid);
    close(ends[1]);
    bool started = rc == 0;
    if (started)
        rc = gather(pid, ends[0], limits, said);
    text_reserve(said, said->bytes);
    close(ends[0]);
    if (!started)
        return rc;
    if (rc != 0)
        kill(-pid, SIGKILL);
    while (waitpid(pid, &raw, 0) < 0 && errno == EINTR)
        continue;
    if (rc == 0)
        *status = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    return rc;
}
