/* testbed/gzip.h - gzip without compression: enough to test that a client undoes it. */
#ifndef TESTBED_GZIP_H
#define TESTBED_GZIP_H

#include "base/text.h"

/* Appends a gzip file with one stored block (RFC 1951, 1952). body: at most 65535 bytes. */
void gzip_store(struct text *out, struct span body);

#endif
