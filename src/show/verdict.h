/* show/verdict.h - the run's verdict in one word and one sentence, the first thing every report
 * says.
 *
 * Read from the result alone: its verdicts, whether it was finished, and these facts (written by
 * whoever ran it; each may be missing):
 *   generator.verdict   ok | suspect | saturated     generator.reason    one sentence
 *   outcome             passed | failed | thresholds | interrupted | saturated | disk_full
 *   outcome.reason      one sentence
 *   outcome.stopped     one sentence: what ended the load before its time
 *   objectives.needed   the share that must be met, "0.8"
 *   next                what to do next, "plimsoll analyze RUN"
 *   advice.*            a hint that is printed as it is ("no think time: ...") */
#ifndef SHOW_VERDICT_H
#define SHOW_VERDICT_H

#include "base/text.h"
#include "record/result.h"
#include "show/words.h"

#include <stdbool.h>

enum verdict_word {
    VERDICT_WORD_PASS,
    VERDICT_WORD_FAIL,
    VERDICT_WORD_INVALID,    /* the generator was the bottleneck */
    VERDICT_WORD_INCOMPLETE, /* killed, stopped by the user, or the disk was full */
    VERDICT_WORD_MEASURED,   /* nothing to judge it by */
    VERDICT_WORD_UNJUDGED,   /* something to judge by, but too little was observed */
    VERDICT_WORD_EMPTY,      /* no request ended */
};

enum verdict_answer { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES };

struct verdict {
    enum verdict_word word;
    size_t thresholds, thresholds_failed, thresholds_unjudged;
    size_t objectives, objectives_met, objectives_judged; /* met: or accepted */
    double objectives_needed;                             /* share */
    bool objectives_pass;
    /* the requirements' two flags: UNKNOWN when no threshold or objective asks */
    enum verdict_answer availability_passed, latency_p95_passed;
    char *sentence; /* "1 of 2 thresholds failed", cleaned */
};

/* Judges; the sentence is new (owner: caller, show_verdict_fini). */
void show_verdict(const struct result *result, struct verdict *out);
void show_verdict_fini(struct verdict *verdict);

/* "PASS", "FAIL", ...; its key in JSON: "pass"; its tone. */
const char *show_verdict_title(enum verdict_word word);
const char *show_verdict_key(enum verdict_word word);
enum words_tone show_verdict_tone(enum verdict_word word);

/* What one verdict of a result says: "met", "accepted", "failed", "not judged"; its tone. */
const char *show_judged_words(const struct result_verdict *judged);
enum words_tone show_judged_tone(const struct result_verdict *judged);

/* Appends what was judged, for a table that has its target in a column of its own: of an objective
 * "response_time p95, task chat" without the goal and what is accepted, of a threshold the whole of
 * its words, which are k6's. */
void show_judged_name(const struct result_verdict *judged, struct text *out);

/* Appends a value of a verdict in its own unit ("s", "ms", "ns"; "1" or "share": of 1; "/s", ...),
 * as people read it; NAN gives "not observed". */
void show_judged_value(const char *unit, double value, bool at_least, struct text *out);

#endif
