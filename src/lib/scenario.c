/* The table of scenarios is made by the build of the files that there are (tool/cmake/
 * scenarios.cmake): a new one is a file and nothing else. */
#include "lib/scenario.h"

#include "lib/scenario_table.h"

#include <string.h>

const struct scenario *scenario_list(size_t *count)
{
    *count = scenario_table_count;
    return scenario_table;
}

const struct scenario *scenario_find(const char *name)
{
    for (size_t i = 0; i < scenario_table_count; i++)
        if (strcmp(scenario_table[i].name, name) == 0)
            return &scenario_table[i];
    return NULL;
}

struct span scenario_sentence(const struct scenario *scenario)
{
    static const char key[] = "\ndescription: ";
    const char *found = strstr(scenario->text, key);
    if (!found)
        return span_of("");
    found += sizeof key - 1;
    return (struct span){.at = found, .bytes = strcspn(found, "\n")};
}
