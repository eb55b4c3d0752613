/* The environment, .env files, and the references to both in a plan. */
#include "plan/environment.h"

#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOTENV_BYTES = 1024 * 1024 };

static char *copy_span(struct span span)
{
    struct text copy = TEXT_EMPTY;
    text_put(&copy, span);
    return text_take(&copy);
}

static void add_variable(struct variables *variables, struct span name, struct span value,
                         unsigned line)
{
    variables->items =
        memory_resize(variables->items, variables->count + 1, sizeof *variables->items);
    variables->items[variables->count++] = (struct variable){
        .name = copy_span(name), .value = copy_span(value), .line = line, .from_dotenv = line > 0};
}

void variables_add_environment(struct variables *variables, char *const *environment)
{
    for (; environment && *environment; environment++) {
        const char *equal = strchr(*environment, '=');
        if (equal)
            add_variable(variables, (struct span){*environment, (size_t)(equal - *environment)},
                         span_of(equal + 1), 0);
    }
}

int file_read(const char *path, size_t most, struct text *out)
{
    FILE *file = fopen(path, "rbe");
    if (!file)
        return -errno;
    struct text bytes = TEXT_EMPTY;
    char block[65536];
    size_t got;
    errno = 0;
    while ((got = fread(block, 1, sizeof block, file)) > 0 && bytes.bytes <= most)
        text_put(&bytes, (struct span){block, got});
    int rc = ferror(file) ? -(errno ? errno : EIO) : bytes.bytes > most ? -EFBIG : 0;
    fclose(file);
    if (rc) {
        text_fini(&bytes);
        return rc;
    }
    text_reserve(&bytes, 1);
    *out = bytes;
    return 0;
}

static size_t name_bytes(struct span words)
{
    size_t bytes = 0;
    while (bytes < words.bytes &&
           (isalnum((unsigned char)words.at[bytes]) || words.at[bytes] == '_'))
        bytes++;
    return bytes && !isdigit((unsigned char)words.at[0]) ? bytes : 0;
}

static struct span after(struct span words, size_t bytes)
{
    return (struct span){.at = words.at + bytes, .bytes = words.bytes - bytes};
}

/* The value of "NAME=value": in quotes as it stands, else up to a blank and #. False: not closed.
 */
static bool dotenv_value(struct span words, struct span *value)
{
    words = span_trim(words);
    if (words.bytes && (words.at[0] == '"' || words.at[0] == '\'')) {
        const char *end = memchr(words.at + 1, words.at[0], words.bytes - 1);
        if (!end)
            return false;
        *value = (struct span){.at = words.at + 1, .bytes = (size_t)(end - words.at) - 1};
        struct span rest = span_trim(after(words, (size_t)(end - words.at) + 1));
        return rest.bytes == 0 || rest.at[0] == '#';
    }
    for (size_t i = 0; i < words.bytes; i++) {
        if (words.at[i] == '#' && (i == 0 || words.at[i - 1] == ' ' || words.at[i - 1] == '\t'))
            words.bytes = i;
    }
    *value = span_trim(words);
    return true;
}

static void read_dotenv_line(struct variables *variables, struct span line, unsigned number,
                             const char *path, struct notes *notes)
{
    struct span words = span_trim(line);
    if (words.bytes == 0 || words.at[0] == '#')
        return;
    if (span_begins(words, SPAN("export ")))
        words = span_trim(after(words, 7));
    size_t bytes = name_bytes(words);
    struct span rest = span_trim(after(words, bytes));
    struct span value = {0};
    if (bytes && rest.bytes && rest.at[0] == '=' && dotenv_value(after(rest, 1), &value)) {
        add_variable(variables, (struct span){words.at, bytes}, value, number);
        return;
    }
    notes_add(notes,
              (struct note){.level = NOTE_WARNING, /* it may be written for another program */
                            .file = (char *)path,
                            .line = number,
                            .column = 1,
                            .sentence = "not a line of the form NAME=value",
                            .hint = "a comment begins with #"});
}

int variables_add_file(struct variables *variables, const char *path, struct notes *notes)
{
    struct text bytes = TEXT_EMPTY;
    int rc = file_read(path, DOTENV_BYTES, &bytes);
    if (rc)
        return rc;
    free(variables->dotenv);
    variables->dotenv = memory_copy_text(path);
    struct span rest = text_span(&bytes);
    for (unsigned number = 1; rest.bytes; number++) {
        const char *end = memchr(rest.at, '\n', rest.bytes);
        size_t length = end ? (size_t)(end - rest.at) + 1 : rest.bytes;
        read_dotenv_line(variables, (struct span){rest.at, length}, number, path, notes);
        rest = after(rest, length);
    }
    text_fini(&bytes);
    return 0;
}

struct variable *variables_find(const struct variables *variables, struct span name)
{
    for (size_t i = 0; i < variables->count; i++) {
        if (span_equal(span_of(variables->items[i].name), name))
            return &variables->items[i];
    }
    return NULL;
}

void variables_fini(struct variables *variables)
{
    for (size_t i = 0; i < variables->count; i++) {
        free(variables->items[i].name);
        free(variables->items[i].value);
    }
    free(variables->items);
    free(variables->dotenv);
    *variables = (struct variables){0};
}

/* Where a reference ends: at the first "}" that is not of a "{{ hole }}" in its default. */
static const char *reference_end(struct span words)
{
    for (size_t i = 0; i < words.bytes; i++) {
        struct span rest = after(words, i);
        const char *close =
            span_begins(rest, SPAN("{{")) ? memmem(rest.at, rest.bytes, "}}", 2) : NULL;
        if (close)
            i = (size_t)(close - words.at) + 1;
        else if (words.at[i] == '}')
            return words.at + i;
    }
    return NULL;
}

/* Replaces the reference whose "${" stands at the beginning of the words; how many bytes it takes,
 * or 0 when it is none. */
static size_t expand_one(const struct variables *variables, struct span words, size_t offset,
                         struct text *out, struct reference *reference)
{
    struct span inside = after(words, 2);
    size_t bytes = name_bytes(inside);
    struct span rest = after(inside, bytes);
    const char *end = reference_end(rest);
    bool has_default = span_begins(rest, SPAN(":-"));
    if (!bytes || !end || (!has_default && rest.at[0] != '}'))
        return 0;
    struct span name = {inside.at, bytes};
    const struct variable *variable = variables_find(variables, name);
    reference->found = true;
    if (variable && (*variable->value || !has_default)) {
        text_puts(out, variable->value);
        reference->variable = variable;
    } else if (has_default) {
        text_put(out, (struct span){rest.at + 2, (size_t)(end - rest.at) - 2});
    } else if (!reference->missing[0]) {
        snprintf(reference->missing, sizeof reference->missing, "%.*s", (int)bytes, name.at);
        reference->missing_at = offset;
    }
    return (size_t)(end - words.at) + 1;
}

void variables_expand(const struct variables *variables, struct span words, struct text *out,
                      struct reference *reference)
{
    *reference = (struct reference){0};
    for (size_t i = 0; i < words.bytes;) {
        struct span rest = after(words, i);
        if (span_begins(rest, SPAN("$${"))) {
            text_puts(out, "${");
            i += 3;
            continue;
        }
        size_t taken =
            span_begins(rest, SPAN("${")) ? expand_one(variables, rest, i, out, reference) : 0;
        if (!taken)
            text_putc(out, words.at[i]);
        i += taken ? taken : 1;
    }
}
