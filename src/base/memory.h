/* base/memory.h - memory for set-up and reports; a loop thread on an open connection takes none.
 *
 * Running out of memory in these is not an outcome that a caller could handle better than the
 * process can: each ends it with a sentence. Limits on queues and buffers keep it from coming to
 * that. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* Zeroed memory for count things of size bytes; never NULL, also when count is 0. Owner: caller,
 * who gives it to free(). */
void *memory_new(size_t count, size_t size);

/* The same block with room for count things of size bytes; the new part is not zeroed. */
void *memory_resize(void *block, size_t count, size_t size);

/* A copy of text ended by a zero; NULL gives NULL. Owner: caller, free(). */
char *memory_copy_text(const char *text);

#endif
