/* Child processes for real: fork and exec, with an error pipe that tells why exec failed.
 *
 * Between fork and exec only calls that are safe in a forked thread are made. Waiting is by looking
 * (waitpid with WNOHANG) at a timer: a child's end is no event that times depend on. */
#include "net/piped.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/loop_real.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 5 };

/* ---- starting ---------------------------------------------------------------------------------
 */

/* The two ends of the child's input, output, error, and of the pipe that tells of exec. */
struct ends {
    int input[2], output[2], error[2], failure[2]; /* [0] ours, [1] the child's */
};

static void close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++) {
        if (pair[i] >= 0)
            close(pair[i]);
        pair[i] = -1;
    }
}

static void close_ends(struct ends *ends)
{
    close_pair(ends->input);
    close_pair(ends->output);
    close_pair(ends->error);
    close_pair(ends->failure);
}

static int open_ends(struct ends *ends)
{
    *ends = (struct ends){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    bool fine = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->input) == 0 &&
                socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->output) == 0 &&
                pipe2(ends->error, O_CLOEXEC) == 0 && pipe2(ends->failure, O_CLOEXEC) == 0 &&
                fcntl(ends->input[0], F_SETFL, O_NONBLOCK) == 0 &&
                fcntl(ends->output[0], F_SETFL, O_NONBLOCK) == 0 &&
                fcntl(ends->error[0], F_SETFL, O_NONBLOCK) == 0;
    int error = fine ? 0 : -errno;
    if (error)
        close_ends(ends);
    return error;
}

/* Ours with the command's added; where a name is given twice, the command's counts. */
static char **whole_environment(const struct piped_command *command)
{
    size_t ours = 0, added = 0, count = 0;
    while (environ && environ[ours])
        ours++;
    while (command->environment && command->environment[added])
        added++;
    char **whole = memory_new(ours + added + 1, sizeof *whole);
    for (size_t i = 0; i < added; i++)
        whole[count++] = command->environment[i];
    for (size_t i = 0; i < ours; i++) {
        size_t name = strcspn(environ[i], "=") + 1;
        bool replaced = false;
        for (size_t k = 0; k < added; k++)
            replaced = replaced || strncmp(environ[i], command->environment[k], name) == 0;
        if (!replaced)
            whole[count++] = environ[i];
    }
    return whole;
}

static void default_signals(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;
    static const int changed[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++)
        sigaction(changed[i], &plain, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child. */
static _Noreturn void become(const struct piped_command *command, char **environment,
                             const struct ends *ends, pid_t parent)
{
    int error = 0;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    default_signals();
    if (dup2(ends->input[1], 0) < 0 || dup2(ends->output[1], 1) < 0 || dup2(ends->error[1], 2) < 0)
        error = errno;
    else if (command->directory && chdir(command->directory) != 0)
        error = -errno; /* negative: of the directory */
    if (!error) {
        execvpe(command->arguments[0], command->arguments, environment);
        error = errno;
    }
    ssize_t written = write(ends->failure[1], &error, sizeof error);
    (void)written;
    _exit(127);
}

/* Forks, and waits until the program has begun. Returns 0 or what failed: -errno, or, of the
 * directory, errno. */
static int begin(struct piped *child, const struct piped_command *command, struct ends *ends)
{
    char **environment = whole_environment(command);
    pid_t parent = getpid();
    int failure = 0;
    child->pid = fork();
    if (child->pid == 0)
        become(command, environment, ends, parent);
    free(environment);
    if (child->pid < 0) {
        child->pid = 0;
        return -errno;
    }
    close(ends->failure[1]);
    ends->failure[1] = -1;
    ssize_t bytes;
    do {
        bytes = read(ends->failure[0], &failure, sizeof failure);
    } while (bytes < 0 && errno == EINTR);
    if (bytes != (ssize_t)sizeof failure)
        return 0;
    waitpid(child->pid, &child->status, 0);
    child->pid = 0;
    return -failure;
}

/* ---- while it runs ----------------------------------------------------------------------------
 */

/* Keeps the end of what it says. Returns false when it will say no more. */
static bool take_said(struct piped *child)
{
    char bytes[1024];
    for (;;) {
        ssize_t count = read(child->error.fd, bytes, sizeof bytes);
        if (count <= 0)
            return count < 0 && (errno == EAGAIN || errno == EINTR);
        size_t more = (size_t)count, from = 0;
        if (more > PIPED_SAID_BYTES) {
            from = more - PIPED_SAID_BYTES;
            more = PIPED_SAID_BYTES;
        }
        size_t stays = PIPED_SAID_BYTES - more;
        if (child->said_bytes < stays)
            stays = child->said_bytes;
        memmove(child->said, child->said + child->said_bytes - stays, stays);
        memcpy(child->said + stays, bytes + from, more);
        child->said_bytes = stays + more;
    }
}

static void close_error(struct piped *child)
{
    if (child->error.fd < 0)
        return;
    loop_watch(child->loop, &child->error, 0);
    close(child->error.fd);
    child->error.fd = -1;
}

static void said_more(struct watch *watch, unsigned what)
{
    struct piped *child = list_entry(watch, struct piped, error);
    (void)what;
    if (!take_said(child))
        close_error(child);
}

static void send_signal(const struct piped *child, int signal)
{
    if (kill(-child->pid, signal) != 0) /* its group; or itself, if it has left it */
        kill(child->pid, signal);
}

static void ended(struct piped *child)
{
    child->pid = 0;
    timer_stop(child->loop, &child->timer);
    if (child->error.fd >= 0)
        take_said(child);
    close_error(child);
    stream_close(&child->to, false);
    if (child->end == PIPED_RUNS)
        child->end = PIPED_LEFT;
}

static void look(struct timer *timer, nsec_t now_ns)
{
    struct piped *child = list_entry(timer, struct piped, timer);
    siginfo_t info = {.si_pid = 0};
    int failed = waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    if ((failed && errno != EINTR) || (!failed && info.si_pid == child->pid)) {
        kill(-child->pid, SIGKILL); /* what it left behind in its group; its number is still kept */
        waitpid(child->pid, &child->status, WNOHANG);
        ended(child);
        child->gone(child);
        return;
    }
    if (now_ns >= child->step_ns) {
        child->end = child->end == PIPED_RUNS ? PIPED_TERMED : PIPED_KILLED;
        child->step_ns = now_ns + PIPED_PATIENCE_MS * NSEC_PER_MSEC;
        send_signal(child, child->end == PIPED_TERMED ? SIGTERM : SIGKILL);
    }
    timer_start(child->loop, timer, now_ns + LOOK_MS * NSEC_PER_MSEC);
}

static int adopt(struct stream *stream, struct loop *loop, int *fd,
                 void (*ready)(struct stream *stream, unsigned what))
{
    *stream = (struct stream){.loop = loop, .fd = *fd, .ready = ready};
    *fd = -1;
    return loop_register(loop, stream->fd, stream, LOOP_STREAM,
                         EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

int piped_start(struct piped *child, struct loop *loop, const struct piped_command *command,
                void (*ready)(struct stream *stream, unsigned what), char words[PIPED_WORDS_BYTES])
{
    struct ends ends;
    void (*gone)(struct piped * child) = child->gone;
    *child = (struct piped){.to.fd = -1, .from.fd = -1, .error.fd = -1, .loop = loop, .gone = gone};
    timer_init(&child->timer, look);
    int error = open_ends(&ends);
    int failed = error ? error : begin(child, command, &ends);
    if (failed) {
        char why[64];
        const char *what = failed > 0 ? command->directory : command->arguments[0];
        error = failed > 0 ? -failed : failed;
        snprintf(words, PIPED_WORDS_BYTES, "cannot %s %.80s: %.40s",
                 failed > 0 ? "start in the directory" : "start the program", what,
                 error_sentence(error, why, sizeof why));
        close_ends(&ends);
        return error;
    }
    child->error = (struct watch){.fd = ends.error[0], .ready = said_more};
    ends.error[0] = -1;
    error = adopt(&child->to, loop, &ends.input[0], ready);
    if (!error)
        error = adopt(&child->from, loop, &ends.output[0], ready);
    if (!error)
        error = loop_watch(loop, &child->error, WATCH_READ);
    close_ends(&ends);
    if (error) {
        snprintf(words, PIPED_WORDS_BYTES, "its pipes cannot be watched");
        piped_kill(child);
    }
    return error;
}

/* ---- the end ----------------------------------------------------------------------------------
 */

void piped_await(struct piped *child)
{
    if (!child->pid || child->ending)
        return;
    nsec_t now_ns = loop_now(child->loop);
    child->ending = true;
    child->step_ns = now_ns + PIPED_PATIENCE_MS * NSEC_PER_MSEC;
    timer_start(child->loop, &child->timer, now_ns + NSEC_PER_MSEC);
}

void piped_close(struct piped *child)
{
    stream_close(&child->to, false);
    piped_await(child);
}

void piped_kill(struct piped *child)
{
    if (child->pid) {
        send_signal(child, SIGKILL);
        while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
            continue;
        child->end = PIPED_KILLED;
        ended(child);
    }
    stream_close(&child->from, true);
}

/* Takes the next line with words in it off the rest; an empty one when there is none. */
static struct span next_line(struct span *rest)
{
    while (rest->bytes) {
        const char *feed = memchr(rest->at, '\n', rest->bytes);
        struct span line = {.at = rest->at,
                            .bytes = feed ? (size_t)(feed - rest->at) : rest->bytes};
        rest->at += line.bytes + (feed != NULL);
        rest->bytes -= line.bytes + (feed != NULL);
        if (span_trim(line).bytes)
            return line;
    }
    return (struct span){.at = "", .bytes = 0};
}

/* Whether a line names what went wrong. Indented ones are the places it came from. */
static bool names_error(struct span line)
{
    static const char *const words[] = {"error", "exception", "panic", "fatal", "cannot", "failed"};
    if (line.at[0] == ' ' || line.at[0] == '\t')
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (size_t k = 0, bytes = strlen(words[i]); k + bytes <= line.bytes; k++)
            if (strncasecmp(line.at + k, words[i], bytes) == 0)
                return true;
    return false;
}

/* The runtimes differ in where they say why: Python at the end, Node in the middle of its stack
 * trace, others first. Of what a server said in a long life only the end is kept, and then its
 * first line is about something else. */
static struct span telling_line(const struct piped *child, struct span *last)
{
    struct span rest = {.at = child->said, .bytes = child->said_bytes}, line;
    struct span first = {.at = ""}, named = first;
    bool whole = child->said_bytes < PIPED_SAID_BYTES;
    while ((line = next_line(&rest)).bytes) {
        if (!first.bytes)
            first = line;
        if (names_error(line))
            named = line;
        *last = line;
    }
    if (named.bytes)
        return named;
    return whole ? first : *last;
}

/* At most so many bytes of a line, none of them half a character. */
static int told_bytes(struct span line)
{
    size_t bytes = line.bytes < PIPED_TOLD_BYTES ? line.bytes : PIPED_TOLD_BYTES;
    while (bytes && bytes < line.bytes && ((unsigned char)line.at[bytes] & 0xc0) == 0x80)
        bytes--;
    return (int)bytes;
}

const char *piped_describe(const struct piped *child, char *out, size_t room)
{
    struct span last = {.at = ""}, told = telling_line(child, &last);
    char how[64] = "the server process still runs";
    if (!child->pid && WIFSIGNALED(child->status))
        snprintf(how, sizeof how, "the server process was ended by signal %d",
                 WTERMSIG(child->status));
    else if (!child->pid)
        snprintf(how, sizeof how, "the server process exited with status %d",
                 WEXITSTATUS(child->status));
    bool both = told.at != last.at;
    last = span_trim(last);
    told = span_trim(told);
    if (both)
        snprintf(out, room, "%s, saying: %.*s … %.*s", how, told_bytes(told), told.at,
                 told_bytes(last), last.at);
    else
        snprintf(out, room, "%s%s%.*s", how, last.bytes ? ", saying: " : "", (int)last.bytes,
                 last.at);
    return out;
}
