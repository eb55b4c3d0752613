/* Turns -errno into a sentence, thread-safely. */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

const char *error_sentence(int error, char *out, size_t room)
{
    char scratch[128];
    const char *words = strerror_r(error < 0 ? -error : error, scratch, sizeof scratch);
    snprintf(out, room, "%s", words);
    return out;
}
