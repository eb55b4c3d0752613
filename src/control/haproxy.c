/* A command is a line, its answer everything until HAProxy closes. */
#include "control/haproxy.h"

#include "base/error.h"
#include "net/talk.h"

#include <errno.h>
#include <string.h>

static int outcome_of(int error)
{
    switch (error) {
    case -ENOENT:
    case -ECONNREFUSED:
    case -ENOTSOCK:
        return CONTROL_ABSENT;
    case -EACCES:
    case -EPERM:
        return CONTROL_FORBIDDEN;
    case -ETIMEDOUT:
    case -ECANCELED:
        return CONTROL_TIMEOUT;
    default:
        return CONTROL_FAILED;
    }
}

int haproxy_ask(const struct haproxy_place *place, const char *command, struct text *out,
                struct text *why)
{
    char sentence[128];
    struct text line = TEXT_EMPTY;
    text_printf(&line, "%s\n", command);
    int rc = talk_once(&(struct talk){.place = place->socket,
                                      .words = text_span(&line),
                                      .timeout_ns = place->timeout_ns,
                                      .cancel = place->cancel},
                       out);
    text_fini(&line);
    if (rc == -EINVAL)
        text_printf(why, "\"%s\" is neither a socket's path nor an address with a port",
                    place->socket);
    else if (rc)
        text_printf(why, "HAProxy's socket %s: %s", place->socket,
                    error_sentence(rc, sentence, sizeof sentence));
    if (rc)
        return outcome_of(rc);
    while (out->bytes && out->at[out->bytes - 1] == '\n')
        out->at[--out->bytes] = '\0';
    if (out->bytes && strncmp(out->at, "Permission denied", 17) == 0) {
        text_printf(why, "HAProxy's socket %s is not at level admin", place->socket);
        return CONTROL_FORBIDDEN;
    }
    return CONTROL_DONE;
}
