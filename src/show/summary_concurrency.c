/* The summary's line on a server's declared limit of calls at once; see study/concurrency.h. */
#include "base/unit.h"
#include "show/summary.h"
#include "show/summary_line.h"
#include "study/concurrency.h"

#include <inttypes.h>

void summary_put_concurrency(const struct result *result, const struct show_options *options,
                             struct text *out)
{
    struct concurrency servers[CONCURRENCY_SERVERS];
    size_t count = concurrency_look(result, servers);
    for (size_t i = 0; i < count; i++) {
        const struct concurrency *one = &servers[i];
        char asked[UNIT_ROOM], executing[UNIT_ROOM];
        struct text line = TEXT_EMPTY;
        text_printf(&line, "declared %" PRIu64 " at once: %s; at least %s executing, asked for %s",
                    one->declared, concurrency_word(one->verdict),
                    unit_write_number(executing, one->executing),
                    unit_write_number(asked, one->asked));
        if (one->verdict == CONCURRENCY_UNKNOWN)
            text_puts(&line, " (times vary too much, or something else holds it back)");
        summary_put_line("concurrency", line.at, options, out);
        text_fini(&line);
    }
}
