/* load/decode.h - replies that came compressed, as the plan asked them to (http.compress): their
 * bytes are decoded before drivers, checks and captures see them; what is counted is what was on
 * the wire. Private to this room. */
#ifndef LOAD_DECODE_H
#define LOAD_DECODE_H

#include "load/inside.h"

/* Looks whether a reply's head names a coding, and readies the job for it. */
void decode_begin(struct job *job, struct span head);
/* Hands the clear bytes of a piece of the body to `taken`; a body that is not encoded as it is. */
void decode_data(struct job *job, struct span bytes, nsec_t rx_ns,
                 void (*taken)(struct job *job, struct span clear, nsec_t rx_ns));
/* Whether the body was whole and well encoded. */
bool decode_whole(struct job *job);

#endif
