/* Made once, opened beneath, removed at the end; see sandbox.h. */
#include "testbed/sandbox.h"

#include "base/check.h"
#include "base/memory.h"
#include "testbed/child.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct sandbox {
    pthread_mutex_t lock; /* while it is made */
    bool tried, has_git;
    const char *in;
    char *root; /* NULL: not made */
    int fd;
};

static const struct {
    const char *path, *words;
} files[] = {
    {"README.md", "# A sandbox\n\nTools of the testbed work here and nowhere else.\n"},
    {"notes/load-line.txt", "The load line says how deep a ship may lie.\n"},
    {"services/rag/app.py", "def answer(question):\n    return \"The load line was read.\"\n"},
};

struct sandbox *sandbox_new(const char *in)
{
    struct sandbox *sandbox = memory_new(1, sizeof *sandbox);
    check(pthread_mutex_init(&sandbox->lock, NULL) == 0);
    sandbox->fd = -1;
    sandbox->in = in;
    return sandbox;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    remove(path);
    return 0;
}

struct sandbox *sandbox_free(struct sandbox *sandbox)
{
    if (!sandbox)
        return NULL;
    if (sandbox->fd >= 0)
        close(sandbox->fd);
    if (sandbox->root)
        nftw(sandbox->root, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    pthread_mutex_destroy(&sandbox->lock);
    free(sandbox->root);
    free(sandbox);
    return NULL;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

/* The path relative to the root, as text; false: it begins elsewhere. */
static bool make_relative(const struct sandbox *sandbox, struct span path, struct text *relative)
{
    struct span root = span_of(sandbox->root);
    if (path.bytes && path.at[0] == '/') {
        bool inside =
            span_begins(path, root) && (path.bytes == root.bytes || path.at[root.bytes] == '/');
        if (!inside)
            return false;
        path.at += root.bytes;
        path.bytes -= root.bytes;
        while (path.bytes && path.at[0] == '/') {
            path.at++;
            path.bytes--;
        }
    }
    text_put(relative, path.bytes ? path : SPAN("."));
    return strlen(relative->at) == relative->bytes; /* no zero byte in it */
}

/* Whether a part of the path is ".git": what is written there, git would obey. */
static bool names_git(const char *path)
{
    for (const char *at = path; (at = strstr(at, ".git")); at += 4) {
        if ((at == path || at[-1] == '/') && (at[4] == '\0' || at[4] == '/'))
            return true;
    }
    return false;
}

static int open_beneath(const struct sandbox *sandbox, const char *relative, int flags, int *fd)
{
    struct open_how how = {.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    how.flags = (unsigned)(flags | O_CLOEXEC);
    how.mode = flags & O_CREAT ? 0644U : 0U;
    long opened = syscall(SYS_openat2, sandbox->fd, relative, &how, sizeof how);
    if (opened >= 0) {
        *fd = (int)opened;
        return 0;
    }
    return errno == EXDEV || errno == ELOOP ? SANDBOX_OUTSIDE : -errno;
}

int sandbox_open(struct sandbox *sandbox, struct span path, int flags, int *fd)
{
    struct text relative = TEXT_EMPTY;
    int outcome = SANDBOX_OUTSIDE;
    if (!sandbox_root(sandbox))
        return -ENOENT;
    if (make_relative(sandbox, path, &relative) && !(flags & O_CREAT && names_git(relative.at)))
        outcome = open_beneath(sandbox, relative.at, flags, fd);
    text_fini(&relative);
    return outcome;
}

/* Makes the directory at a path whose parent is there. */
static void make_directory(const struct sandbox *sandbox, char *path)
{
    char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    int parent = -1;
    if (slash)
        *slash = '\0';
    if (open_beneath(sandbox, slash ? path : ".", O_PATH | O_DIRECTORY, &parent) == 0) {
        if (*name && strcmp(name, "..") != 0)
            mkdirat(parent, name, 0755);
        close(parent);
    }
    if (slash)
        *slash = '/';
}

/* Each step is opened beneath the root, so that a link on the way leads nowhere either. */
static void make_parents(const struct sandbox *sandbox, char *relative)
{
    for (char *slash = strchr(relative, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        make_directory(sandbox, relative);
        *slash = '/';
    }
}

void sandbox_make_parents(struct sandbox *sandbox, struct span path)
{
    struct text relative = TEXT_EMPTY;
    if (sandbox_root(sandbox) && make_relative(sandbox, path, &relative) && !names_git(relative.at))
        make_parents(sandbox, relative.at);
    text_fini(&relative);
}

/* ---- making -----------------------------------------------------------------------------------
 */

static int write_file(const struct sandbox *sandbox, const char *path, const char *words)
{
    int fd = -1;
    char *copy = memory_copy_text(path);
    make_parents(sandbox, copy);
    free(copy);
    int error = open_beneath(sandbox, path, O_WRONLY | O_CREAT | O_TRUNC, &fd);
    if (error)
        return error;
    ssize_t written = write(fd, words, strlen(words));
    close(fd);
    return written == (ssize_t)strlen(words) ? 0 : -EIO;
}

static bool git(const struct sandbox *sandbox, const char *one, const char *two, const char *three)
{
    const char *const arguments[] = {"git", "-C", sandbox->root, one, two, three, NULL};
    struct text said = TEXT_EMPTY;
    int status = child_run(arguments, 1 << 16, &said);
    text_fini(&said);
    return status == 0;
}

static void make(struct sandbox *sandbox)
{
    struct text root = TEXT_EMPTY;
    text_printf(&root, "%s/plimsoll-testbed-XXXXXX", sandbox->in);
    char *path = text_take(&root);
    if (!mkdtemp(path)) {
        free(path);
        return;
    }
    sandbox->root = path;
    sandbox->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (sandbox->fd < 0)
        return;
    sandbox->has_git = git(sandbox, "init", "-q", "--initial-branch=main");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        write_file(sandbox, files[i].path, files[i].words);
        if (sandbox->has_git)
            sandbox->has_git = git(sandbox, "add", "--", files[i].path) &&
                               git(sandbox, "commit", "-qm", files[i].path);
    }
}

const char *sandbox_root(struct sandbox *sandbox)
{
    pthread_mutex_lock(&sandbox->lock);
    if (!sandbox->tried) {
        sandbox->tried = true;
        make(sandbox);
    }
    const char *root = sandbox->fd >= 0 ? sandbox->root : NULL;
    pthread_mutex_unlock(&sandbox->lock);
    return root;
}

bool sandbox_has_git(const struct sandbox *sandbox)
{
    return sandbox->has_git;
}
