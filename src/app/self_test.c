/* A file of "name value" lines, $XDG_CACHE_HOME/plimsoll/self-test or ~/.cache/plimsoll/self-test;
 * its first line names the host and kernel that it holds for, since home directories travel. */
#include "app/self_test.h"

#include "app/report_files.h"
#include "app/terminal.h"
#include "base/memory.h"
#include "host/machine.h"
#include "run/open.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 512, MOST_FACTS = 64 };

/* The directory of the cache; NULL when there is no home. Owner: caller. */
static char *cache_directory(struct app *app)
{
    const char *cache = environment_value(app->environment, "XDG_CACHE_HOME");
    const char *home = environment_value(app->environment, "HOME");
    struct text path = TEXT_EMPTY;
    if (cache && cache[0] == '/')
        text_printf(&path, "%s/plimsoll", cache);
    else if (home && home[0] == '/')
        text_printf(&path, "%s/.cache/plimsoll", home);
    else
        return NULL;
    return text_take(&path);
}

/* The line that says which host a file is of. */
static void put_host(struct text *out)
{
    struct machine machine;
    machine_read("", &machine);
    text_printf(out, "self_test.host %s, %s, %s\n", machine.host, machine.kernel, machine.cpu);
    machine_fini(&machine);
}

static void add_line(struct self_test_facts *facts, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *value = strchr(line, ' ');
    if (!value || strncmp(line, "self_test.", 10) != 0 || facts->count >= MOST_FACTS)
        return;
    *value++ = '\0';
    self_test_facts_add(facts, line, "%s", value);
}

void self_test_facts_read(struct app *app, struct self_test_facts *out)
{
    *out = (struct self_test_facts){.items = NULL};
    char *directory = cache_directory(app), line[LINE_BYTES];
    struct text path = TEXT_EMPTY, host = TEXT_EMPTY;
    if (!directory)
        return;
    text_printf(&path, "%s/self-test", directory);
    put_host(&host);
    FILE *file = fopen(path.at, "re");
    bool ours = file && fgets(line, sizeof line, file) && strcmp(line, host.at) == 0;
    while (ours && fgets(line, sizeof line, file))
        add_line(out, line);
    if (file)
        fclose(file);
    free(directory);
    text_fini(&path);
    text_fini(&host);
}

void self_test_facts_fini(struct self_test_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        free(facts->items[i].name);
        free(facts->items[i].value);
    }
    free(facts->items);
    *facts = (struct self_test_facts){.items = NULL};
}

void self_test_facts_add(struct self_test_facts *facts, const char *name, const char *format, ...)
{
    struct text value = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&value, format, list);
    va_end(list);
    facts->items = memory_resize(facts->items, facts->count + 1, sizeof *facts->items);
    facts->items[facts->count++] =
        (struct result_fact){.name = memory_copy_text(name), .value = text_take(&value)};
}

int self_test_facts_write(struct app *app, const struct self_test_facts *facts, char **path)
{
    char *directory = cache_directory(app);
    if (!directory)
        return -ENOENT;
    struct text bytes = TEXT_EMPTY, where = TEXT_EMPTY;
    put_host(&bytes);
    for (size_t i = 0; i < facts->count; i++)
        text_printf(&bytes, "%s %s\n", facts->items[i].name, facts->items[i].value);
    text_printf(&where, "%s/self-test", directory);
    int error = run_directory_make(directory);
    if (error == 0)
        error = file_write(where.at, text_span(&bytes));
    free(directory);
    text_fini(&bytes);
    *path = text_take(&where);
    return error;
}
