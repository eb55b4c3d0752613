/* nvidia-smi, where the library cannot be loaded: in a container that was given the program only,
 * or with a wrapper of the user's that asks another host. */
#include "host/child.h"
#include "host/file.h"
#include "plug/probe/gpu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 256 * 1024, FIELD_BYTES = 64 };

/* In the order of the columns below. */
#define QUERY                                                                                      \
    "--query-gpu=utilization.gpu,utilization.memory,memory.used,memory.total,power.draw,"          \
    "power.limit,clocks.sm,clocks.max.sm,clocks.mem,temperature.gpu,"                              \
    "ecc.errors.corrected.volatile.total,ecc.errors.uncorrected.volatile.total,"                   \
    "clocks_throttle_reasons.active"

enum {
    COLUMN_UTILIZATION,
    COLUMN_MEMORY_BUSY,
    COLUMN_MEMORY_USED,
    COLUMN_MEMORY_TOTAL,
    COLUMN_POWER,
    COLUMN_POWER_LIMIT,
    COLUMN_CLOCK,
    COLUMN_CLOCK_MOST,
    COLUMN_MEMORY_CLOCK,
    COLUMN_TEMPERATURE,
    COLUMN_ECC_CORRECTED,
    COLUMN_ECC_UNCORRECTED,
    COLUMN_REASONS,
    COLUMNS,
};

/* A number, decimal or (reasons) hexadecimal; NAN for "[N/A]" and its like. */
static double field_number(struct span field)
{
    char words[FIELD_BYTES], *end = NULL;
    field = span_trim(field);
    if (field.bytes == 0 || field.bytes >= sizeof words)
        return NAN;
    memcpy(words, field.at, field.bytes);
    words[field.bytes] = '\0';
    double value = strtod(words, &end);
    return *end == '\0' ? value : (double)NAN;
}

static bool parse_line(struct span line, struct gpu_reading *out)
{
    double columns[COLUMNS];
    size_t count = 0;
    while (line.bytes && count < COLUMNS) {
        const char *comma = memchr(line.at, ',', line.bytes);
        size_t bytes = comma ? (size_t)(comma - line.at) : line.bytes;
        columns[count++] = field_number((struct span){line.at, bytes});
        bytes += comma != NULL;
        line = (struct span){.at = line.at + bytes, .bytes = line.bytes - bytes};
    }
    if (count != COLUMNS || line.bytes)
        return false;
    gpu_reading_clear(out);
    double *figures = out->figures;
    figures[GPU_UTILIZATION] = columns[COLUMN_UTILIZATION] / 100;
    figures[GPU_MEMORY_BUSY] = columns[COLUMN_MEMORY_BUSY] / 100;
    figures[GPU_MEMORY_USED] = columns[COLUMN_MEMORY_USED] * 1048576;
    figures[GPU_MEMORY_TOTAL] = columns[COLUMN_MEMORY_TOTAL] * 1048576;
    figures[GPU_POWER] = columns[COLUMN_POWER];
    figures[GPU_CLOCK] = columns[COLUMN_CLOCK] * 1e6;
    figures[GPU_MEMORY_CLOCK] = columns[COLUMN_MEMORY_CLOCK] * 1e6;
    figures[GPU_TEMPERATURE] = columns[COLUMN_TEMPERATURE];
    figures[GPU_ECC_CORRECTED] = columns[COLUMN_ECC_CORRECTED];
    figures[GPU_ECC_UNCORRECTED] = columns[COLUMN_ECC_UNCORRECTED];
    if (isfinite(columns[COLUMN_REASONS]) && columns[COLUMN_REASONS] >= 0)
        gpu_reading_throttle(out, (unsigned long long)columns[COLUMN_REASONS]);
    gpu_reading_complete(out, columns[COLUMN_POWER_LIMIT], columns[COLUMN_CLOCK_MOST] * 1e6);
    return true;
}

size_t smi_parse(struct span said, struct gpu_reading *out, size_t most)
{
    size_t count = 0;
    while (said.bytes && count < most)
        count += parse_line(host_line(&said), &out[count]);
    return count;
}

int smi_read(const char *program, const struct probe_place *place, struct gpu_reading *out,
             size_t *count, struct text *why)
{
    const char *words[] = {program, QUERY, "--format=csv,noheader,nounits", NULL};
    struct child_limits limits = {.timeout_ns =
                                      place->timeout_ns ? place->timeout_ns : 5 * NSEC_PER_SEC,
                                  .most_bytes = MOST_BYTES,
                                  .cancel = place->cancel};
    struct text said = TEXT_EMPTY;
    int status = 0,
        rc = child_run(&(struct child_options){.words = words}, &limits, &said, &status);
    *count = rc || status ? 0 : smi_parse(text_span(&said), out, GPU_MOST);
    if (rc < 0)
        text_printf(why, "%s cannot be run", program);
    else if (rc)
        text_printf(why, "%s did not answer in time", program);
    else if (*count == 0)
        text_printf(why, "%s finds no GPU: %.200s", program, said.bytes ? said.at : "no answer");
    bool told = *count > 0;
    text_fini(&said);
    if (rc > 0)
        return PROBE_GAP;
    return told ? 0 : PROBE_ABSENT;
}
