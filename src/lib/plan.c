/* Plans of the library: words or a path, and what is changed before they are read. */
#include "lib/inside.h"

#include "base/memory.h"
#include "lib/scenario.h"

#include <stdlib.h>
#include <string.h>

struct plimsoll_plan *inside_plan(char *words, const char *file)
{
    struct plimsoll_plan *plan = memory_new(1, sizeof *plan);
    plan->words = words;
    plan->file = memory_copy_text(file);
    plan->variables = memory_new(1, sizeof *plan->variables);
    return plan;
}

struct plimsoll_plan *plimsoll_plan_of_text(const char *words)
{
    return inside_plan(memory_copy_text(words), NULL);
}

struct plimsoll_plan *plimsoll_plan_of_file(const char *path)
{
    return inside_plan(NULL, path);
}

/* ---- what comes with the library --------------------------------------------------------------
 */

struct plimsoll_plan *plimsoll_plan_of_scenario(const char *name)
{
    const struct scenario *scenario = scenario_find(name);
    if (!scenario)
        return NULL;
    struct text file = TEXT_EMPTY;
    text_printf(&file, "scenario:%s", name);
    struct plimsoll_plan *plan = inside_plan(memory_copy_text(scenario->text), file.at);
    text_fini(&file);
    return plan;
}

const char *plimsoll_scenario_name(size_t index)
{
    size_t count = 0;
    const struct scenario *all = scenario_list(&count);
    return index < count ? all[index].name : NULL;
}

const char *plimsoll_standard_scenario(size_t index)
{
    size_t count = 0;
    const struct scenario *all = scenario_list(&count);
    for (size_t i = 0; i < count; i++)
        if (strncmp(all[i].name, "agent-", 6) == 0 && index-- == 0)
            return all[i].name;
    return NULL;
}

/* ---- changes ----------------------------------------------------------------------------------
 */

const char *plimsoll_plan_words(const struct plimsoll_plan *plan)
{
    return plan->words;
}

static void override_fini(struct plan_override *override)
{
    free((char *)(uintptr_t) override->path);
    free((char *)(uintptr_t) override->words);
}

void plimsoll_plan_set(struct plimsoll_plan *plan, const char *path, const char *words)
{
    size_t at = 0;
    while (at < plan->override_count && strcmp(plan->overrides[at].path, path) != 0)
        at++;
    if (at == plan->override_count) {
        plan->overrides = memory_resize(plan->overrides, at + 1, sizeof *plan->overrides);
        plan->override_count++;
    } else {
        override_fini(&plan->overrides[at]);
    }
    plan->overrides[at] = (struct plan_override){.path = memory_copy_text(path),
                                                 .words = memory_copy_text(words),
                                                 .flag = "plimsoll_plan_set"};
}

void plimsoll_plan_variable(struct plimsoll_plan *plan, const char *name, const char *value)
{
    struct text pair = TEXT_EMPTY;
    size_t at = 0, length = strlen(name);
    text_printf(&pair, "%s=%s", name, value);
    while (at < plan->variable_count &&
           (strncmp(plan->variables[at], name, length) != 0 || plan->variables[at][length] != '='))
        at++;
    if (at == plan->variable_count) {
        plan->variables = memory_resize(plan->variables, at + 2, sizeof *plan->variables);
        plan->variables[at + 1] = NULL;
        plan->variable_count++;
    } else {
        free(plan->variables[at]);
    }
    plan->variables[at] = text_take(&pair);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

int inside_read(const struct plimsoll_plan *plan, const struct plug_list *plugs,
                struct plan_reading *reading)
{
    struct plan_source source = {
        .file = plan->file,
        .text = plan->words,
        .overrides = plan->overrides,
        .override_count = plan->override_count,
        .environment = plan->variables,
        .dotenv = "/dev/null", /* a .env belongs to the program's user, not to its process */
    };
    return plan_read(&source, &plugs->vocabulary, reading);
}

int plimsoll_plan_check(const struct plimsoll_plan *plan, char **notes)
{
    struct plug_list plugs;
    struct plan_reading reading;
    struct text words = TEXT_EMPTY;
    if (notes)
        *notes = NULL;
    plug_list_init(&plugs);
    int outcome = inside_read(plan, &plugs, &reading);
    if (outcome == 0) {
        notes_write(&reading.notes, reading.text, &words);
        outcome = reading.plan ? 0 : PLIMSOLL_BAD_PLAN;
        plan_reading_fini(&reading);
    }
    plug_list_fini(&plugs);
    if (notes && words.bytes)
        *notes = text_take(&words);
    text_fini(&words);
    return outcome;
}

struct plimsoll_plan *plimsoll_plan_free(struct plimsoll_plan *plan)
{
    if (!plan)
        return NULL;
    for (size_t i = 0; i < plan->override_count; i++)
        override_fini(&plan->overrides[i]);
    for (size_t i = 0; i < plan->variable_count; i++)
        free(plan->variables[i]);
    free(plan->overrides);
    free(plan->variables);
    free(plan->words);
    free(plan->file);
    free(plan);
    return NULL;
}

void plimsoll_text_free(char *text)
{
    free(text);
}
