/* base/log.h - where programs say what they do. Rooms below `run` do not log: they return errors.
 *
 * A log is passed; it is never ambient. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_DEBUG };

struct log {
    enum log_level most; /* what is above this is not said */
    void (*say)(void *self, enum log_level level, const char *line);
    void *self;
};

/* Says one line (no line feed at its end) if the level is wanted; a NULL log says nothing. */
void log_say(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
