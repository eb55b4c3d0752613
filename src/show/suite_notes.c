/* A level that is not simply steady is named with the reason: "short" alone helps nobody. */
#include "show/suite_notes.h"

#include "base/unit.h"
#include "show/suite_figures.h"

#include <ctype.h>
#include <string.h>

/* What most requests of a level failed by. */
static void put_chief_error(const struct level *level, struct text *out)
{
    const struct level_error *chief = NULL;
    char number[UNIT_ROOM], all[UNIT_ROOM];
    for (size_t i = 0; i < level->error_count; i++)
        if (!chief || level->errors[i].count > chief->count)
            chief = &level->errors[i];
    if (chief)
        text_printf(out, ", most by %s%s (%s of %s)",
                    isdigit((unsigned char)chief->words[0]) ? "HTTP " : "", chief->words,
                    unit_write_count(number, chief->count), unit_write_count(all, level->failed));
}

/* What is to be known of a level that is not simply steady. */
static const char *doubt_words(const struct level *level)
{
    static const char *const words[] = {
        [LEVEL_STEADY] = "",
        [LEVEL_NOT_STEADY] = ", its figures still moved at its end",
        [LEVEL_SHORT] = ", too few answers for its percentiles; a longer --step-duration helps",
        [LEVEL_STOPPED] = " before its end",
    };
    if (level->requests == 0)
        return ", no answer came within it";
    if (level->failed >= level->requests)
        return "";
    return level->generator == 2 ? ", its figures are not the target's" : words[level->state];
}

/* Levels whose figures need a word of caution. */
static void put_doubts(const struct suite *suite, const char *bullet, struct text *out)
{
    for (size_t s = 0; s < suite->series_count; s++)
        for (size_t i = 0; i < suite->series[s].level_count; i++) {
            const struct level *level = &suite->series[s].levels[i];
            char users[UNIT_ROOM];
            bool all_failed = level->requests > 0 && level->failed >= level->requests;
            bool fine = level->requests > 0 && !all_failed && level->generator != 2;
            if (level->state == LEVEL_STEADY && fine)
                continue;
            text_printf(out, "%s%s, %s%s: %s%s", bullet, suite->series[s].name,
                        suite_users(users, level), suite_users_word(level), suite_state(level),
                        doubt_words(level));
            if (all_failed)
                put_chief_error(level, out);
            text_putc(out, '\n');
        }
}

static void put_notes(const struct suite *suite, const char *bullet, struct text *out)
{
    for (size_t i = 0; i < suite->event_count; i++)
        if (strcmp(suite->events[i].kind, "capacity") == 0)
            text_printf(out, "%scapacity: %s\n", bullet, suite->events[i].words);
        else if (strcmp(suite->events[i].kind, "after") == 0)
            text_printf(out, "%sthis machine: %s\n", bullet, suite->events[i].words);
}

void suite_notes(const struct suite *suite, bool markdown, struct text *out)
{
    put_notes(suite, markdown ? "- " : "", out);
    put_doubts(suite, markdown ? "- " : "! ", out);
}
