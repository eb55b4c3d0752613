/* --driver NAME with a URL; see quick_driver.h. */
#include "app/quick_driver.h"

#include "plug/list.h"

#include <stdlib.h>
#include <string.h>

/* Options that set what the verb's table calls by the same name, or by another. */
static const struct {
    const char *option, *setting, *other;
} rows[] = {
    {"model", "model", NULL},   {"prompt", "prompt", "query"}, {"max-tokens", "max_tokens", NULL},
    {"stream", "stream", NULL}, {"goodput", "goodput", NULL},  {"ignore-eos", "ignore_eos", NULL},
};

static const struct driver *find_driver(const struct plug_list *plugs, const char *name)
{
    for (size_t i = 0; i < plugs->driver_count; i++)
        if (strcmp(plugs->drivers[i]->name, name) == 0)
            return plugs->drivers[i];
    return NULL;
}

static const struct setting *find_setting(const struct request_verb *verb, const char *name)
{
    for (const struct setting *row = verb->settings; row && row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

/* Whether the URL's path ends with the verb's own. */
static bool fits(const struct request_verb *verb, const char *url)
{
    const struct setting *row = find_setting(verb, "url");
    size_t bytes = strcspn(url, "?#"), own = row && row->unset ? strlen(row->unset) : 0;
    return own && bytes >= own && memcmp(url + bytes - own, row->unset, own) == 0;
}

/* Whether it needs something that no option says, as a tool to call. */
static bool needs_more(const struct request_verb *verb)
{
    for (const struct setting *row = verb->settings; row && row->name; row++)
        if (row->required && strcmp(row->name, "url") != 0)
            return true;
    return false;
}

static const struct request_verb *find_verb(const struct driver *driver, const char *url)
{
    const struct request_verb *found = NULL;
    for (const struct request_verb *verb = driver->verbs; verb->word; verb++)
        if (fits(verb, url) && (!found || (needs_more(found) && !needs_more(verb))))
            found = verb;
    return found ? found : driver->verbs;
}

/* The name of the setting that an option sets; NULL: the verb has none. */
static const char *setting_of(const struct request_verb *verb, size_t row)
{
    if (find_setting(verb, rows[row].setting))
        return rows[row].setting;
    return rows[row].other && find_setting(verb, rows[row].other) ? rows[row].other : NULL;
}

/* "ttft:500 tpot:15", as other tools take it, as a map of durations. NULL when it is none. Owner:
 * caller. */
static char *goodput_map(const char *words)
{
    struct text map = TEXT_EMPTY;
    bool fine = *words != '\0';
    text_putc(&map, '{');
    for (const char *at = words + strspn(words, " "); *at && fine; at += strspn(at, " ")) {
        size_t bytes = strcspn(at, " "), name = strcspn(at, ":");
        size_t digits = name < bytes ? strspn(at + name + 1, "0123456789.") : 0;
        fine = name > 0 && digits > 0 && name + 1 + digits == bytes &&
               strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_") == name;
        text_printf(&map, "%s%.*s: %.*sms", map.bytes > 1 ? ", " : "", (int)name, at, (int)digits,
                    at + name + 1);
        at += bytes;
    }
    text_putc(&map, '}');
    if (fine)
        return text_take(&map);
    text_fini(&map);
    return NULL;
}

void quick_driver_fini(struct quick_driver *driver)
{
    free(driver->goodput);
    driver->goodput = NULL;
}

int quick_driver_read(struct app *app, const struct verb *verb, const struct arguments *arguments,
                      const char *url, struct quick_driver *out)
{
    const char *name = argument_words(arguments, "driver");
    const struct request_verb *words = NULL;
    *out = (struct quick_driver){.verb = NULL};
    if (name) {
        const struct driver *driver = find_driver(app->plugs, name);
        if (!driver)
            return usage_error(app, verb, "there is no driver \"%s\"; plimsoll list names them",
                               name);
        words = find_verb(driver, url);
        out->verb = words->word;
        out->words = words;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!argument_given(arguments, rows[i].option))
            continue;
        if (!words)
            return usage_error(app, verb, "--%s needs --driver, such as --driver openai",
                               rows[i].option);
        if (!setting_of(words, i))
            return usage_error(app, verb, "%s has no setting for --%s", words->word,
                               rows[i].option);
        const char *given = argument_words(arguments, rows[i].option);
        out->settings[out->count++] =
            (struct plan_pair){.name = setting_of(words, i), .words = *given ? given : "true"};
        if (strcmp(rows[i].option, "goodput") != 0)
            continue;
        out->goodput = goodput_map(given);
        if (!out->goodput)
            return usage_error(app, verb,
                               "--goodput wants NAME:MILLISECONDS, such as \"ttft:500 tpot:15\"; "
                               "it is \"%s\"",
                               given);
        out->settings[out->count - 1].words = out->goodput;
        out->settings[out->count - 1].map = true;
    }
    return 0;
}

const char *quick_driver_of(const struct plug_list *plugs, const char *url)
{
    for (size_t i = 0; i < plugs->driver_count; i++)
        for (const struct request_verb *own = plugs->drivers[i]->verbs; own->word; own++)
            if (fits(own, url))
                return plugs->drivers[i]->name;
    return NULL;
}

int quick_driver_guess(struct app *app, const struct verb *verb, const struct arguments *arguments,
                       const char *url, struct quick_driver *out)
{
    static const struct option row = {.name = "driver", .kind = OPTION_TEXT};
    struct given items[64];
    struct arguments more = *arguments;
    const char *name = argument_words(arguments, "driver");
    if (!name)
        name = quick_driver_of(app->plugs, url);
    if (!name || arguments->count >= sizeof items / sizeof *items)
        return quick_driver_read(app, verb, arguments, url, out);
    for (size_t i = 0; i < arguments->count; i++)
        items[i] = arguments->items[i];
    items[more.count++] = (struct given){.option = &row, .words = name, .written = "--driver"};
    more.items = items;
    return quick_driver_read(app, verb, &more, url, out);
}

static bool setting_given(const struct quick_driver *driver, const char *name)
{
    for (size_t i = 0; i < driver->count; i++)
        if (strcmp(driver->settings[i].name, name) == 0)
            return true;
    return false;
}

/* Replaces or adds a setting. */
static void put_setting(struct quick_driver *driver, const char *name, const char *words)
{
    size_t at = 0;
    while (at < driver->count && strcmp(driver->settings[at].name, name) != 0)
        at++;
    driver->settings[at] = (struct plan_pair){.name = name, .words = words};
    if (at == driver->count)
        driver->count++;
}

int quick_driver_take_data(struct app *app, const struct verb *verb, const struct quick_data *data,
                           struct quick_driver *out)
{
    static const struct {
        const char *setting, *words;
    } places[] = {{"messages", "{{ prompts.messages }}"},
                  {"prompt", "{{ prompts.next }}"},
                  {"input", "{{ prompts.next }}"},
                  {"query", "{{ prompts.next }}"}};
    size_t place = 0, most = sizeof places / sizeof *places;
    if (!data->prompts && out->words && find_setting(out->words, "query") &&
        !setting_given(out, "query"))
        return usage_error(app, verb, "%s needs a question: --prompt TEXT, or --random-input-len N",
                           out->verb);
    if (!data->prompts)
        return 0;
    while (place < most && !find_setting(out->words, places[place].setting))
        place++;
    if (place == most)
        return usage_error(app, verb, "%s takes no prompt", out->verb);
    put_setting(out, places[place].setting, places[place].words);
    if (data->answers && find_setting(out->words, "max_tokens"))
        put_setting(out, "max_tokens", "{{ prompts.output }}");
    return 0;
}
