/* The document's bytes cannot end the element they stand in: < > and & are written as JSON escapes,
 * which are only ever inside its texts. */
#include "plug/writer/page.h"

#include "base/check.h"
#include "plug/writer/page_template.h"

#include <errno.h>
#include <string.h>

static int append_escaped(const char *bytes, size_t count, void *out)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '<' || bytes[i] == '>' || bytes[i] == '&')
            text_printf(out, "\\u%04x", (unsigned)bytes[i]);
        else
            text_putc(out, bytes[i]);
    }
    return 0;
}

int page_write(const json_t *document, struct text *out)
{
    static const char marker[] = "@RUN@";
    struct span page = {.at = (const char *)page_template, .bytes = page_template_bytes};
    const char *place = memmem(page.at, page.bytes, marker, sizeof marker - 1);
    check(place != NULL);
    size_t before = (size_t)(place - page.at), after = before + sizeof marker - 1;
    text_reserve(out, out->bytes + page.bytes);
    text_put(out, (struct span){.at = page.at, .bytes = before});
    int error =
        json_dump_callback(document, append_escaped, out, JSON_COMPACT | JSON_REAL_PRECISION(10));
    text_put(out, (struct span){.at = page.at + after, .bytes = page.bytes - after});
    return error ? -ENOMEM : 0;
}
