/* base/unit.h - quantities as people write and read them.
 *
 * Reading takes what a plan or a command line says ("5m", "1.5 KiB", "10/s", "1 %"). Writing makes
 * at most four digits and switches units by itself, for text; JSON and CSV carry plain numbers with
 * the unit in the key and never come through here. All readers return 0, or -EINVAL (not of that
 * form) or -ERANGE (out of the type's range), and write their output on success only. */
#ifndef BASE_UNIT_H
#define BASE_UNIT_H

#include "base/clock.h"
#include "base/text.h"

#include <stdint.h>

/* "250ms", "2s", "1m30s", "1h", "90" (of bare_ns each: NSEC_PER_SEC for seconds; 0 refuses a bare
 * number), "1.5s", "2 min". */
int unit_read_duration(struct span words, nsec_t bare_ns, nsec_t *duration_ns);
/* "1024", "64KiB", "1.5 MB", "2G" (K, M, G and KB are thousands, KiB and so on are 1024). */
int unit_read_bytes(struct span words, uint64_t *bytes);
/* "10/s", "600/min", "5/m", "2/h", "10" (a second), "10 rps": events a second. */
int unit_read_rate(struct span words, double *per_second);
/* "1%", "0.01", "1 %": a share of 1; at most 1 is not demanded here. */
int unit_read_share(struct span words, double *share);
/* A finite decimal number that fills the span. */
int unit_read_real(struct span words, double *number);

/* Room that any of the writers below needs, its zero included. */
enum { UNIT_ROOM = 32 };

/* "850 ns", "12.3 µs", "4.56 ms", "1.21 s", "2m 14s", "1h 05m". Returns out. */
const char *unit_write_duration(char out[UNIT_ROOM], nsec_t duration_ns);
/* "512 B", "1.50 KiB", "23.4 MiB". Returns out. */
const char *unit_write_bytes(char out[UNIT_ROOM], double bytes);
/* "0", "7.41", "442", "1,234", "12,345" (comma every three digits, at most four significant
 * digits below 10,000). Returns out. */
const char *unit_write_number(char out[UNIT_ROOM], double number);
/* "1,234,567": a count, all its digits. Returns out. */
const char *unit_write_count(char out[UNIT_ROOM], uint64_t count);
/* "0.3 %", "12 %", "99.95 %". Returns out. */
const char *unit_write_share(char out[UNIT_ROOM], double share);

#endif
