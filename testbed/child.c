/* posix_spawn, a pipe, and a deadline; see child.h. */
#include "testbed/child.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

static int spawn(const char *const *arguments, int output, pid_t *pid)
{
    /* No settings of the user's or the system's, and the same author and date in each run. */
    static const char *const settings[] = {
        "GIT_CONFIG_NOSYSTEM=1",
        "GIT_CONFIG_GLOBAL=/dev/null",
        "GIT_TERMINAL_PROMPT=0",
        "GIT_AUTHOR_NAME=Testbed",
        "GIT_AUTHOR_EMAIL=t@localhost",
        "GIT_COMMITTER_NAME=Testbed",
        "GIT_COMMITTER_EMAIL=t@localhost",
        "GIT_AUTHOR_DATE=2020-01-01T00:00:00Z",
        "GIT_COMMITTER_DATE=2020-01-01T00:00:00Z",
        "LC_ALL=C",
        "HOME=/nonexistent",
        "PATH=/usr/local/bin:/usr/bin:/bin",
    };
    enum { SETTINGS = sizeof settings / sizeof settings[0] };
    char *environment[SETTINGS + 1];
    for (size_t i = 0; i < SETTINGS; i++)
        environment[i] = (char *)(uintptr_t)settings[i];
    environment[SETTINGS] = NULL;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, pipe_only;
    sigemptyset(&none);
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &pipe_only);
    int error = posix_spawnp(pid, arguments[0], &actions, &attributes,
                             (char *const *)(uintptr_t)arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

/* Reads until the end or the deadline; false: the deadline. What is too much is thrown away. */
static bool gather(int fd, nsec_t until_ns, size_t most_bytes, struct text *said)
{
    char bytes[4096];
    size_t before = said->bytes;
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        nsec_t left_ns = until_ns - clock_monotonic_ns();
        if (left_ns <= 0 || poll(&wait, 1, (int)(left_ns / NSEC_PER_MSEC) + 1) == 0)
            return false;
        ssize_t count = read(fd, bytes, sizeof bytes);
        if (count == 0 || (count < 0 && errno != EINTR))
            return true;
        size_t room = most_bytes - (said->bytes - before);
        size_t take = count < 0 ? 0 : (size_t)count;
        text_put(said, (struct span){.at = bytes, .bytes = take < room ? take : room});
    }
}

int child_run(const char *const *arguments, size_t most_bytes, struct text *said)
{
    int ends[2], status = 0;
    pid_t pid;
    nsec_t until_ns = clock_monotonic_ns() + CHILD_SECONDS * NSEC_PER_SEC;
    if (pipe2(ends, O_CLOEXEC))
        return -errno;
    int error = spawn(arguments, ends[1], &pid);
    close(ends[1]);
    bool whole = error == 0 && gather(ends[0], until_ns, most_bytes, said);
    close(ends[0]);
    if (error)
        return error;
    if (!whole)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return whole && WIFEXITED(status) ? WEXITSTATUS(status) : 256;
}
