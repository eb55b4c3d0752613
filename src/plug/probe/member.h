/* plug/probe/member.h - inside of the docker and kubernetes probes: members of JSON documents by
 * path, and what was told at the look before. */
#ifndef PLUG_PROBE_MEMBER_H
#define PLUG_PROBE_MEMBER_H

#include <jansson.h>
#include <stdint.h>

/* The member at a path of names separated by dots ("cpu_stats.cpu_usage.total_usage"); NULL: none.
 * A name itself may not have a dot. */
json_t *member_at(const json_t *document, const char *path);
/* Its number; NAN: it is none. */
double member_number(const json_t *document, const char *path);
/* Its text; "" when it is none. */
const char *member_text(const json_t *document, const char *path);

/* Numbers by name, of one look and the one before. */
struct remembered;
/* Owner: caller, remembered_free. */
struct remembered *remembered_new(void);
/* Frees it; NULL is fine; returns NULL. */
struct remembered *remembered_free(struct remembered *remembered);
/* Begins a look: what was told in this one becomes what was before. */
void remembered_begin(struct remembered *remembered);
/* Keeps a number by a thing's name and what it is, and gives what it was before; NAN: not told. */
double remembered_swap(struct remembered *remembered, const char *thing, const char *what,
                       double now);

#endif
