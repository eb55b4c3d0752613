/* The one place that ends the process; see check.h for when. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *claim, const char *file, int line)
{
    fprintf(stderr, "plimsoll: internal error at %s:%d: check(%s) failed; please report it\n", file,
            line, claim);
    abort();
}
