/* The small change of the answers. */
#include "show/law_part.h"

#include "base/unit.h"
#include "show/document.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

json_t *law_interval(double low, double high)
{
    json_t *interval = json_object();
    law_number(interval, "low", low);
    law_number(interval, "high", high);
    return interval;
}

void law_number(json_t *object, const char *key, double number)
{
    json_object_set_new(object, key, document_number(number));
}

void law_dump(json_t *document, struct text *out)
{
    char *words = json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    text_puts(out, words);
    text_putc(out, '\n');
    free(words);
    json_decref(document);
}

void law_warn(json_t *warnings, const char *code, const char *words)
{
    json_t *warning = json_object();
    json_object_set_new(warning, "code", json_string(code));
    json_object_set_new(warning, "words", json_string(words));
    json_array_append_new(warnings, warning);
}

void law_warnings_put(const json_t *warnings, struct text *out)
{
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        const json_t *warning = json_array_get(warnings, i);
        text_printf(out, "%s  ! %s\n    %s\n", i ? "" : "\n",
                    json_string_value(json_object_get(warning, "code")),
                    json_string_value(json_object_get(warning, "words")));
    }
}

const char *law_digits(char out[LAW_ROOM], double number)
{
    if (isnan(number))
        snprintf(out, LAW_ROOM, "–");
    else if (isinf(number))
        snprintf(out, LAW_ROOM, "%s", number > 0 ? "∞" : "-∞");
    else if (fabs(number) >= 999.95 && fabs(number) < 1e12)
        unit_write_number(out, number); /* whole, in thousands */
    else
        snprintf(out, LAW_ROOM, "%.4g", number);
    return out;
}
