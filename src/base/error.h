/* base/error.h - how functions say that something went wrong.
 *
 *   0     done
 *   < 0   -errno: nothing this function or its caller can mend; pass it up unchanged
 *   > 0   an outcome named in the header of the function that returned it; its caller handles it
 *         and never passes it on
 *
 * Outputs are written on success only. What a user wrote wrongly earns a note (plan/note.h) with
 * its place. The idea is dbus-broker's. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stddef.h>

/* The system's sentence for -errno, written into out (always ended by a zero). Returns out. */
const char *error_sentence(int error, char *out, size_t room);

#endif
