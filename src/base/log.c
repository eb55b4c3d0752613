/* Formats a line and hands it to whoever listens. */
#include "base/log.h"

#include "base/text.h"

#include <stdarg.h>

void log_say(const struct log *log, enum log_level level, const char *format, ...)
{
    if (!log || level > log->most)
        return;
    struct text line = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&line, format, list);
    va_end(list);
    log->say(log->self, level, line.at);
    text_fini(&line);
}
