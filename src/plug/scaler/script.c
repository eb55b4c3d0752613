/* See script.h. */
#include "plug/scaler/script.h"

#include "host/child.h"
#include "host/file.h"

#include <errno.h>
#include <string.h>

enum { MOST_SAID = 256 * 1024 };

/* What such programs say when somebody may not do that. */
static bool is_forbidden(const char *said)
{
    static const char *const words[] = {"ccess denied", "ermission denied",
                                        "uthentication required", "not permitted"};
    for (size_t i = 0; said && i < sizeof words / sizeof *words; i++)
        if (strstr(said, words[i]))
            return true;
    return false;
}

int script_run(const char *const *words, nsec_t timeout_ns, const atomic_bool *cancel,
               struct text *said, struct text *why)
{
    struct child_options child = {.words = words};
    struct child_limits limits = {
        .timeout_ns = timeout_ns, .most_bytes = MOST_SAID, .cancel = cancel};
    int status = 0, rc = child_run(&child, &limits, said, &status);
    if (rc == 0 && status == 0)
        return 0;
    if (rc == -ENOENT) {
        text_printf(why, "there is no program %s here", words[0]);
        return SCALER_ABSENT;
    }
    if (rc < 0)
        return rc;
    text_puts(why, "\"");
    for (size_t i = 0; words[i]; i++)
        text_printf(why, "%s%s", i ? " " : "", words[i]);
    if (rc) {
        text_puts(why, rc == CHILD_TIMEOUT ? "\" did not end in time" : "\" was given up");
        return SCALER_TIMEOUT;
    }
    struct span last = span_trim(text_span(said));
    for (size_t i = last.bytes; i-- > 0;)
        if (last.at[i] == '\n') {
            last = (struct span){last.at + i + 1, last.bytes - i - 1};
            break;
        }
    text_printf(why, "\" ended with %d: %.*s", status, (int)last.bytes, last.bytes ? last.at : "");
    return is_forbidden(said->at) ? SCALER_FORBIDDEN : SCALER_FAILED;
}

void script_value(const struct text *said, const char *key, struct text *out)
{
    struct span rest = text_span(said);
    size_t length = strlen(key);
    text_clear(out);
    text_reserve(out, 0);
    while (rest.bytes > 0) {
        struct span line = host_line(&rest);
        if (!span_begins(line, span_of(key)) || line.bytes <= length || line.at[length] != '=')
            continue;
        text_put(out, span_trim((struct span){line.at + length + 1, line.bytes - length - 1}));
        return;
    }
}
