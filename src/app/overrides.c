/* Options that stand for a setting of the plan become overrides of it. Those that may be given
 * several times are joined to a list ("[\"a\", \"b\"]") or, for pairs, added to a map; the words
 * are quoted as JSON texts, which YAML reads too. */
#include "app/launch.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static void put_quoted(struct span words, struct text *out)
{
    text_putc(out, '"');
    for (size_t i = 0; i < words.bytes; i++) {
        if (words.at[i] == '"' || words.at[i] == '\\')
            text_putc(out, '\\');
        text_putc(out, words.at[i]);
    }
    text_putc(out, '"');
}

static void put_pair(const char *words, struct text *out)
{
    size_t name = strcspn(words, "=");
    put_quoted((struct span){.at = words, .bytes = name}, out);
    text_puts(out, ": ");
    put_quoted(span_of(words + name + 1), out);
}

/* All values of an option as one list or map. */
static char *join(const struct arguments *arguments, const struct option *option)
{
    bool pairs = option->kind == OPTION_PAIR, first = true;
    struct text words = TEXT_EMPTY;
    text_putc(&words, pairs ? '{' : '[');
    for (size_t i = 0; i < arguments->count; i++) {
        const struct given *given = &arguments->items[i];
        if (given->option != option)
            continue;
        if (!first)
            text_puts(&words, ", ");
        first = false;
        if (pairs)
            put_pair(given->words, &words);
        else
            put_quoted(span_of(given->words), &words);
    }
    text_putc(&words, pairs ? '}' : ']');
    return text_take(&words);
}

static void put_override(struct plan_override *out, const char *path, char *words, const char *flag)
{
    *out = (struct plan_override){
        .path = memory_copy_text(path), .words = words, .flag = memory_copy_text(flag)};
}

/* --set scenarios.chat.vus=20 */
static void put_set(struct plan_override *out, const char *words)
{
    size_t name = strcspn(words, "=");
    char *path = memory_copy_text(words);
    path[name] = '\0';
    struct text flag = TEXT_EMPTY;
    text_printf(&flag, "--set %s", path);
    put_override(out, path, memory_copy_text(words + name + 1), flag.at);
    text_fini(&flag);
    free(path);
}

/* A pair of a map goes beside those of the plan, where its name can be part of a path and its value
 * is not read as a list or a map. */
static bool put_member(struct plan_override *out, const struct given *given)
{
    size_t name = strcspn(given->words, "=");
    if (given->option->kind != OPTION_PAIR || strcspn(given->words, ".*[]") < name ||
        strchr("[{", given->words[name + 1]))
        return false;
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s.%.*s", given->option->setting, (int)name, given->words);
    put_override(out, path.at, memory_copy_text(given->words + name + 1), given->written);
    text_fini(&path);
    return true;
}

/* Whether an earlier item already gave the joined value of a repeated option. */
static bool joined_before(const struct arguments *arguments, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (arguments->items[i].option == arguments->items[index].option)
            return true;
    return false;
}

struct plan_override *launch_overrides(const struct arguments *arguments, size_t *count)
{
    struct plan_override *overrides = memory_new(arguments->count, sizeof *overrides);
    size_t n = 0;
    for (size_t i = 0; i < arguments->count; i++) {
        const struct given *given = &arguments->items[i];
        const struct option *option = given->option;
        if (strcmp(option->name, "set") == 0)
            put_set(&overrides[n++], given->words);
        else if (!option->setting)
            continue;
        else if (!option->repeats)
            put_override(&overrides[n++], option->setting,
                         memory_copy_text(given->words ? given->words : "true"), given->written);
        else if (put_member(&overrides[n], given))
            n++;
        else if (!joined_before(arguments, i))
            put_override(&overrides[n++], option->setting, join(arguments, option), given->written);
    }
    *count = n;
    return overrides;
}

void launch_override(struct launch *launch, const char *path, const char *words, const char *flag)
{
    launch->overrides =
        memory_resize(launch->overrides, launch->override_count + 1, sizeof *launch->overrides);
    put_override(&launch->overrides[launch->override_count++], path, memory_copy_text(words), flag);
}

void launch_overrides_free(struct plan_override *overrides, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((char *)(uintptr_t)overrides[i].path);
        free((char *)(uintptr_t)overrides[i].words);
        free((char *)(uintptr_t)overrides[i].flag);
    }
    free(overrides);
}
