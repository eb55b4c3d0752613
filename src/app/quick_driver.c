/* --driver NAME with a URL; see quick_driver.h. */
#include "app/quick_driver.h"

#include "plug/list.h"

#include <string.h>

/* Options that set what the verb's table calls by the same name. */
static const struct {
    const char *option, *setting;
} rows[] = {
    {"model", "model"},
    {"prompt", "prompt"},
    {"max-tokens", "max_tokens"},
    {"stream", "stream"},
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

static const struct request_verb *find_verb(const struct driver *driver, const char *url)
{
    for (const struct request_verb *verb = driver->verbs; verb->word; verb++)
        if (fits(verb, url))
            return verb;
    return driver->verbs;
}

int quick_driver_read(struct app *app, const struct verb *verb, const struct arguments *arguments,
                      const char *url, struct quick_driver *out)
{
    const char *name = argument_words(arguments, "driver");
    const struct request_verb *words = NULL;
    size_t count = 0;
    *out = (struct quick_driver){.verb = NULL};
    if (name) {
        const struct driver *driver = find_driver(app->plugs, name);
        if (!driver)
            return usage_error(app, verb, "there is no driver \"%s\"; plimsoll list names them",
                               name);
        words = find_verb(driver, url);
        out->verb = words->word;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!argument_given(arguments, rows[i].option))
            continue;
        if (!words)
            return usage_error(app, verb, "--%s needs --driver, such as --driver openai",
                               rows[i].option);
        if (!find_setting(words, rows[i].setting))
            return usage_error(app, verb, "%s has no setting for --%s", words->word,
                               rows[i].option);
        const char *given = argument_words(arguments, rows[i].option);
        out->settings[count++] =
            (struct plan_pair){.name = rows[i].setting, .words = *given ? given : "true"};
    }
    return 0;
}
