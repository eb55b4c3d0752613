/* fork, fill, pause; see worker.h. A child lives for its work only, and for no longer than us. */
#include "testbed/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = -1 };

/* The kernel shall take a worker before the server whose it is. */
static void go_first(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "1000", 4) != 4)
        errno = 0; /* without the right to it the kernel chooses by size alone */
    close(fd);
}

/* Nothing here may allocate or lock: other threads stood still in the middle of whatever they did.
 */
static _Noreturn void live(uint64_t bytes)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close_range(0, ~0U, 0);
    go_first();
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        _exit(1);
    memset(memory, 1, bytes);
    for (;;)
        pause();
}

void worker_begin(struct connection *connection)
{
    uint64_t bytes = connection->testbed->options.law.work_bytes;
    if (!bytes)
        return;
    pid_t pid = fork();
    if (pid == 0)
        live(bytes);
    connection->worker = pid > 0 ? pid : FAILED;
}

bool worker_end(struct connection *connection)
{
    pid_t pid = connection->worker;
    connection->worker = 0;
    if (pid <= 0)
        return pid == 0;
    if (waitpid(pid, NULL, WNOHANG) == pid)
        return false;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return true;
}
