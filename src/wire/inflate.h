/* wire/inflate.h - undoes Content-Encoding gzip and deflate as the bytes come, by zlib.
 *
 *   Cost     about 48 KiB an inflater; no allocation after it was made, also when it is used again
 *   Limits   what comes out is limited by the caller: a kilobyte may hold a megabyte of zeros
 *   Source   RFC 1952 (gzip), RFC 1950 and 1951 (deflate), RFC 9110, 8.4.1 */
#ifndef WIRE_INFLATE_H
#define WIRE_INFLATE_H

#include "base/text.h"

#include <stdint.h>

enum inflate_coding {
    INFLATE_GZIP,
    INFLATE_DEFLATE, /* in zlib's frame, as it should be, or bare, as some servers send it */
};

struct inflater;

/* Makes one, ready for a first body. Owner: caller, inflater_free. */
struct inflater *inflater_new(void);
/* Frees it; NULL is fine; returns NULL. */
struct inflater *inflater_free(struct inflater *inflater);

/* Readies it for a body. most_bytes: what may come out of it; 0: no limit. */
void inflater_start(struct inflater *inflater, enum inflate_coding coding, uint64_t most_bytes);

/* Takes bytes of the body, and calls back with what comes out of them; the span is valid during the
 * call only. Several gzip members one behind the other are one body; what is none of them, behind
 * the last, is passed over. Returns 0, -EBADMSG (not of that coding, or damaged) or -EMSGSIZE (more
 * than most_bytes; what is below the limit was handed out). */
int inflater_feed(struct inflater *inflater, struct span bytes,
                  void (*out)(void *self, struct span bytes), void *self);

/* Says that the body ended. Returns 0, or -EBADMSG when it was cut off. A body without any byte is
 * whole. */
int inflater_finish(const struct inflater *inflater);

#endif
