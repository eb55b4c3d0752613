/* Eight heights of bars; see sparkline.h. */
#include "show/sparkline.h"

#include <math.h>

void sparkline_put(const double *values, size_t count, struct text *out)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    enum { HEIGHTS = sizeof bars / sizeof *bars };
    double most = 0.0;
    for (size_t i = 0; i < count; i++)
        most = isfinite(values[i]) && values[i] > most ? values[i] : most;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) {
            text_putc(out, ' ');
            continue;
        }
        double height = most > 0.0 ? values[i] / most * (HEIGHTS - 1) : 0.0;
        text_puts(out, bars[height > 0.0 ? (size_t)(height + 0.5) : 0]);
    }
}
