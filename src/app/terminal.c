/* Width by ioctl; a pipe gets 80 columns, so that its output does not depend on who looks. */
#include "app/terminal.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *environment_value(char *const *environment, const char *name)
{
    size_t length = strlen(name);
    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    return NULL;
}

struct terminal terminal_of(FILE *stream, char *const *environment)
{
    struct terminal terminal = {.columns = 80};
    struct winsize size = {0};
    int fd = fileno(stream);
    if (fd < 0 || !isatty(fd))
        return terminal;
    const char *kind = environment_value(environment, "TERM");
    const char *plain = environment_value(environment, "NO_COLOR");
    terminal.is_terminal = true;
    terminal.moves = kind && strcmp(kind, "dumb") != 0;
    terminal.colour = terminal.moves && (!plain || !*plain);
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        terminal.columns = size.ws_col;
    return terminal;
}
