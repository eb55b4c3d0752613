/* Histograms read back from a run file, which anybody may have damaged: what is taken can be
 * written and read again the same; what is refused leaves the histogram as it was. */
#include "stat/hist.h"
#include "base/memory.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct span encoded = {.at = (const char *)bytes, .bytes = count};
    struct hist *hist = memory_new(1, sizeof *hist), *again = memory_new(1, sizeof *again);
    struct text out = TEXT_EMPTY, twice = TEXT_EMPTY;
    hist_init(hist);
    hist_init(again);
    if (hist_decode(encoded, hist) == 0) {
        hist_encode(hist, &out);
        check(hist_decode(text_span(&out), again) == 0);
        hist_encode(again, &twice);
        check(span_equal(text_span(&out), text_span(&twice)));
        nsec_t half_ns = 0, most_ns = 0;
        if (hist_quantile(hist, 0.5, &half_ns) == 0 && hist_quantile(hist, 1, &most_ns) == 0)
            check(half_ns <= most_ns);
    } else {
        check(hist->count == 0 && hist->above == 0 && hist->below == 0);
    }
    text_fini(&out);
    text_fini(&twice);
    free(hist);
    free(again);
    return 0;
}
