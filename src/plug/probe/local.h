/* plug/probe/local.h - what the probes of this machine share: reading small files into one text
 * that is used again, and rates between two readings. */
#ifndef PLUG_PROBE_LOCAL_H
#define PLUG_PROBE_LOCAL_H

#include "host/pressure.h"
#include "watch/probe.h"

/* A row of metrics: `LOCAL_METRIC("cpu.busy", "1", "...", "/proc/stat")`. */
#define LOCAL_METRIC(id, of, what, from)                                                           \
    {                                                                                              \
        .name = (id), .kind = METRIC_GAUGE, .unit = (of), .sentence = (what), .source = (from)     \
    }

struct local {
    const struct probe_place *place;
    struct text text;  /* of the file read last */
    nsec_t last_ns;    /* of the look before; 0: there was none */
    nsec_t elapsed_ns; /* since that look; 0: there was none */
};

/* Sets the times of a look that begins now. */
void local_begin(struct local *local, nsec_t at_ns);
/* The whole file; empty when it cannot be read. Valid until the next one is read. */
struct span local_read(struct local *local, const char *path);
void local_fini(struct local *local);

/* The growth of a counter a second since the look before; NAN when not known. */
double local_rate(const struct local *local, uint64_t before, uint64_t after);
/* The growth of a counter of microseconds as a share of the time since then. */
double local_share_us(const struct local *local, uint64_t before, uint64_t after);

/* A number as a value: NAN when the machine did not say it. */
double local_known(uint64_t number);

/* Reads such a file and hands out its two shares since the look before; *before is the reading of
 * then, and is replaced. full SIZE_MAX: only "some". */
void local_pressure(struct local *local, const char *path, struct pressure *before,
                    struct probe_sink *sink, size_t some, size_t full);

#endif
