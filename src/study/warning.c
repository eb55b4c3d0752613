/* Few rows, so that a code is looked for from the first on. */
#include "study/warning.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static struct study_warning *row_of(const struct study_warnings *warnings, const char *code)
{
    for (size_t i = 0; i < warnings->count; i++)
        if (strcmp(warnings->rows[i].code, code) == 0)
            return &warnings->rows[i];
    return NULL;
}

void study_warn(struct study_warnings *warnings, const char *code, const char *format, ...)
{
    struct text words = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&words, format, list);
    va_end(list);
    struct study_warning *row = row_of(warnings, code);
    if (!row) {
        warnings->rows = memory_resize(warnings->rows, warnings->count + 1, sizeof *warnings->rows);
        warnings->rows[warnings->count++] =
            (struct study_warning){.code = memory_copy_text(code), .words = text_take(&words)};
    } else if (!strstr(row->words, words.at)) {
        struct text both = TEXT_EMPTY;
        text_printf(&both, "%s; %s", row->words, words.at);
        free(row->words);
        row->words = text_take(&both);
    }
    text_fini(&words);
}

bool study_warned(const struct study_warnings *warnings, const char *code)
{
    return row_of(warnings, code) != NULL;
}

void study_warnings_fini(struct study_warnings *warnings)
{
    for (size_t i = 0; i < warnings->count; i++) {
        free(warnings->rows[i].code);
        free(warnings->rows[i].words);
    }
    free(warnings->rows);
    *warnings = (struct study_warnings){.rows = NULL};
}
