/* What the probes of this machine share; see local.h. */
#include "plug/probe/local.h"

#include "host/file.h"

#include <math.h>

void local_begin(struct local *local, nsec_t at_ns)
{
    local->elapsed_ns = local->last_ns ? at_ns - local->last_ns : 0;
    local->last_ns = at_ns;
}

struct span local_read(struct local *local, const char *path)
{
    host_read(local->place->root, path, &local->text);
    return text_span(&local->text);
}

void local_fini(struct local *local)
{
    text_fini(&local->text);
}

double local_rate(const struct local *local, uint64_t before, uint64_t after)
{
    return host_rate(before, after, local->elapsed_ns);
}

double local_share_us(const struct local *local, uint64_t before, uint64_t after)
{
    double share = local_rate(local, before, after) / 1e6;
    return share > 1 ? 1 : share; /* fmin would make a number of what is not known */
}

double local_known(uint64_t number)
{
    return host_known(number) ? (double)number : NAN;
}

void local_pressure(struct local *local, const char *path, struct pressure *before,
                    struct probe_sink *sink, size_t some, size_t full)
{
    struct pressure now;
    pressure_parse(local_read(local, path), &now);
    if (local->elapsed_ns > 0) {
        probe_value(sink, some, "", local_share_us(local, before->some_us, now.some_us));
        if (full != SIZE_MAX)
            probe_value(sink, full, "", local_share_us(local, before->full_us, now.full_us));
    }
    *before = now;
}
