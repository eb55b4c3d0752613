/* plan/check.h - assertions on a reply, and values taken out of it.
 *
 *   checks:                                  capture:
 *     - status == 200                          id: body.id             (JSON path)
 *     - status in [200, 201, 2xx]              token: header x-token
 *     - body contains "ok"                     page: regex "page=([0-9]+)"
 *     - body matches "ok|fine"
 *     - "body.choices[0] exists"
 *     - body.usage.total_tokens > 0
 *     - header content-type contains json
 *     - latency < 200ms
 *     - bytes < 1MB
 *
 * Comparisons: == != < <= > >= in contains matches (POSIX extended) exists, "not" before the last
 * four; a value in quotes is compared as text, else as a number where both are. A place that is not
 * in the reply passes != and "not exists" only.
 *
 * Both compile at load time. A failed check is a failed assertion, counted apart from errors. */
#ifndef PLAN_CHECK_H
#define PLAN_CHECK_H

#include "base/clock.h"
#include "base/text.h"
#include "plan/note.h"
#include "plan/template.h"

#include <stdbool.h>

/* What checks, captures and reply rules look at. */
struct reply {
    int status;
    struct span head;   /* raw header lines, "Name: value\r\n" each, without the status line */
    struct span body;   /* as kept: see check_needs_body; de-chunked, decoded */
    bool body_cut;      /* the body was longer than what is kept */
    nsec_t response_ns; /* from the intended start to the last byte */
    uint64_t body_bytes;
};

struct reply_check;

/* Compiles one check from its words; NULL after adding an error to notes. Owner: caller. */
struct reply_check *check_compile(struct span words, const struct note *place, struct notes *notes);
/* Whether the reply passes. */
bool check_passes(const struct reply_check *check, const struct reply *reply);
/* The words it was compiled from, for reports; owned by the check. */
const char *check_words(const struct reply_check *check);
/* Whether it looks at body bytes (then the engine keeps the body of replies; else it does not). */
bool check_needs_body(const struct reply_check *check);
/* Whether it looks at header lines. */
bool check_needs_head(const struct reply_check *check);
/* Frees it; NULL is fine. Returns NULL. */
struct reply_check *check_free(struct reply_check *check);

struct reply_capture;

/* Compiles a capture of a value into a slot; NULL after adding an error to notes. */
struct reply_capture *capture_compile(struct span words, uint16_t slot, const struct note *place,
                                      struct notes *notes);
/* The slot it fills. */
uint16_t capture_slot(const struct reply_capture *capture);
/* Appends the value to out; false when the reply does not have it (out is then unchanged). */
bool capture_take(const struct reply_capture *capture, const struct reply *reply, struct text *out);
/* As for checks. */
bool capture_needs_body(const struct reply_capture *capture);
bool capture_needs_head(const struct reply_capture *capture);
struct reply_capture *capture_free(struct reply_capture *capture);

/* The value of a header line by name (case does not matter), trimmed; at == NULL when absent. */
struct span reply_header(struct span head, const char *name);

#endif
