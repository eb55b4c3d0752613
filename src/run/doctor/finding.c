/* A list that grows, and counts of what is not fine. */
#include "run/doctor/finding.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>

void finding_add(struct findings *findings, enum finding_grade grade, const char *area,
                 const char *name, const char *format, ...)
{
    struct text words = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&words, format, list);
    va_end(list);
    findings->items = memory_resize(findings->items, findings->count + 1, sizeof *findings->items);
    findings->items[findings->count++] = (struct finding){.grade = grade,
                                                          .area = memory_copy_text(area),
                                                          .name = memory_copy_text(name),
                                                          .words = text_take(&words)};
    findings->warnings += grade == FINDING_WARNING;
    findings->problems += grade == FINDING_PROBLEM;
}

void finding_remedy(struct findings *findings, const char *format, ...)
{
    struct text words = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&words, format, list);
    va_end(list);
    struct finding *last = &findings->items[findings->count - 1];
    free(last->remedy);
    last->remedy = text_take(&words);
}

void findings_fini(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->items[i].area);
        free(findings->items[i].name);
        free(findings->items[i].words);
        free(findings->items[i].remedy);
    }
    free(findings->items);
    *findings = (struct findings){0};
}

const char *finding_grade_word(enum finding_grade grade)
{
    static const char *const words[] = {"ok", "unknown", "warning", "problem"};
    return words[grade];
}
