/* The tables of a run file. Numbers of requests, phases, metrics and rules are those of their
 * declaring tables, from 0. A block is what one thread handed over at once: at the end of an
 * interval or at a change of phase. Its id is only a short name for its keys (segment, attempt,
 * interval, phase); the views at the end put those keys beside each number. */
#include "record/schema.h"

#include <stddef.h>

/* In pieces, since a text this long is beyond what C17 promises for one literal. */
#define TABLES                                                                                     \
    "CREATE TABLE run (id TEXT NOT NULL, name TEXT NOT NULL, plan_source TEXT NOT NULL,"           \
    " plan_file TEXT, target TEXT NOT NULL, version TEXT NOT NULL, host TEXT NOT NULL,"            \
    " kernel TEXT NOT NULL, cpu TEXT NOT NULL, cores INTEGER NOT NULL,"                            \
    " segments INTEGER NOT NULL, seed TEXT NOT NULL, wall_start_ns INTEGER NOT NULL,"              \
    " interval_ns INTEGER NOT NULL, time_scale REAL NOT NULL, hist_layout INTEGER NOT NULL,"       \
    " finished INTEGER NOT NULL);"                                                                 \
    "CREATE TABLE label (name TEXT NOT NULL, value TEXT NOT NULL);"                                \
    "CREATE TABLE phase (number INTEGER PRIMARY KEY, name TEXT NOT NULL, scenario TEXT,"           \
    " begin_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, target REAL NOT NULL,"                   \
    " excluded INTEGER NOT NULL, level INTEGER NOT NULL);"                                         \
    "CREATE TABLE request (number INTEGER PRIMARY KEY, name TEXT NOT NULL, task TEXT NOT NULL,"    \
    " scenario TEXT NOT NULL);"                                                                    \
    "CREATE TABLE metric (kind TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,"        \
    " unit TEXT NOT NULL, sentence TEXT NOT NULL, source TEXT NOT NULL,"                           \
    " PRIMARY KEY (kind, number)) WITHOUT ROWID;"                                                  \
    "CREATE TABLE rule (number INTEGER PRIMARY KEY, service TEXT NOT NULL,"                        \
    " outcome TEXT NOT NULL, failure INTEGER NOT NULL);"                                           \
    "CREATE TABLE block (id INTEGER PRIMARY KEY, segment INTEGER NOT NULL,"                        \
    " attempt INTEGER NOT NULL, interval INTEGER NOT NULL, last_interval INTEGER NOT NULL,"        \
    " phase INTEGER NOT NULL, begin_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL);"                \
    "CREATE TABLE counter (block INTEGER NOT NULL, request INTEGER NOT NULL,"                      \
    " metric INTEGER NOT NULL, value INTEGER NOT NULL,"                                            \
    " PRIMARY KEY (block, request, metric)) WITHOUT ROWID;"                                        \
    "CREATE TABLE histogram (block INTEGER NOT NULL, request INTEGER NOT NULL,"                    \
    " metric INTEGER NOT NULL, count INTEGER NOT NULL, sum_ns REAL NOT NULL,"                      \
    " min_ns INTEGER NOT NULL, max_ns INTEGER NOT NULL, buckets BLOB NOT NULL,"                    \
    " PRIMARY KEY (block, request, metric)) WITHOUT ROWID;"
#define TABLES_TOO                                                                                 \
    "CREATE TABLE status (block INTEGER NOT NULL, request INTEGER NOT NULL,"                       \
    " code INTEGER NOT NULL, count INTEGER NOT NULL,"                                              \
    " PRIMARY KEY (block, request, code)) WITHOUT ROWID;"                                          \
    "CREATE TABLE gauge (block INTEGER NOT NULL, metric INTEGER NOT NULL, value REAL NOT NULL,"    \
    " PRIMARY KEY (block, metric)) WITHOUT ROWID;"                                                 \
    "CREATE TABLE loop_lag (block INTEGER PRIMARY KEY, count INTEGER NOT NULL,"                    \
    " sum_ns REAL NOT NULL, min_ns INTEGER NOT NULL, max_ns INTEGER NOT NULL,"                     \
    " buckets BLOB NOT NULL);"                                                                     \
    "CREATE TABLE rule_hit (block INTEGER NOT NULL, rule INTEGER NOT NULL,"                        \
    " hits INTEGER NOT NULL, PRIMARY KEY (block, rule)) WITHOUT ROWID;"                            \
    "CREATE TABLE trace (segment INTEGER NOT NULL, attempt INTEGER NOT NULL,"                      \
    " request INTEGER NOT NULL, phase INTEGER NOT NULL, intended_ns INTEGER NOT NULL,"             \
    " asked_ns INTEGER NOT NULL, sent_ns INTEGER, first_ns INTEGER, answer_ns INTEGER,"            \
    " last_ns INTEGER, end_ns INTEGER NOT NULL, outcome INTEGER NOT NULL, error INTEGER,"          \
    " status INTEGER NOT NULL, attempts INTEGER NOT NULL, token_source TEXT,"                      \
    " prompt_tokens INTEGER, output_tokens INTEGER, events INTEGER NOT NULL,"                      \
    " cut INTEGER NOT NULL, chunks BLOB NOT NULL);"                                                \
    "CREATE TABLE event (at_ns INTEGER NOT NULL, kind TEXT NOT NULL, words TEXT NOT NULL);"        \
    "CREATE TABLE example (at_ns INTEGER NOT NULL, request INTEGER NOT NULL,"                      \
    " error INTEGER NOT NULL, status INTEGER NOT NULL, words TEXT NOT NULL,"                       \
    " times INTEGER NOT NULL, UNIQUE (request, error, status, words));"                            \
    "CREATE TABLE saturated (begin_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,"                  \
    " words TEXT NOT NULL);"                                                                       \
    "CREATE TABLE watched (number INTEGER PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL,"    \
    " probe TEXT NOT NULL);"                                                                       \
    "CREATE TABLE series (id INTEGER PRIMARY KEY, watched INTEGER NOT NULL, metric TEXT NOT NULL," \
    " part TEXT NOT NULL, UNIQUE (watched, metric, part));"                                        \
    "CREATE TABLE sample (series INTEGER NOT NULL, at_ns INTEGER NOT NULL,"                        \
    " value REAL NOT NULL, took_ns INTEGER NOT NULL);"                                             \
    "CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);"                              \
    "CREATE TABLE verdict (number INTEGER PRIMARY KEY, words TEXT NOT NULL,"                       \
    " scope TEXT NOT NULL, value REAL, limit_value REAL, accept REAL, unit TEXT NOT NULL,"         \
    " count INTEGER NOT NULL, at_least INTEGER NOT NULL, verdict INTEGER NOT NULL,"                \
    " objective INTEGER NOT NULL, why TEXT);"
#define VIEWS                                                                                      \
    "CREATE VIEW counters AS SELECT b.segment, b.attempt, b.interval, b.begin_ns, b.end_ns,"       \
    " p.name AS phase, p.excluded, r.name AS request, m.name AS metric, c.value"                   \
    " FROM counter c JOIN block b ON b.id = c.block JOIN phase p ON p.number = b.phase"            \
    " JOIN request r ON r.number = c.request"                                                      \
    " JOIN metric m ON m.kind = 'counter' AND m.number = c.metric;"                                \
    "CREATE VIEW histograms AS SELECT b.segment, b.attempt, b.interval, b.begin_ns, b.end_ns,"     \
    " p.name AS phase, p.excluded, r.name AS request, m.name AS metric, h.count, h.sum_ns,"        \
    " h.min_ns, h.max_ns, h.buckets"                                                               \
    " FROM histogram h JOIN block b ON b.id = h.block JOIN phase p ON p.number = b.phase"          \
    " JOIN request r ON r.number = h.request"                                                      \
    " JOIN metric m ON m.kind = 'histogram' AND m.number = h.metric;"                              \
    "CREATE VIEW gauges AS SELECT b.segment, b.attempt, b.interval, b.end_ns,"                     \
    " p.name AS phase, p.excluded, m.name AS metric, g.value"                                      \
    " FROM gauge g JOIN block b ON b.id = g.block JOIN phase p ON p.number = b.phase"              \
    " JOIN metric m ON m.kind = 'gauge' AND m.number = g.metric;"                                  \
    "CREATE VIEW samples AS SELECT s.at_ns, s.took_ns, w.name AS watched, w.role, w.probe,"        \
    " t.metric, t.part, s.value, m.unit FROM sample s JOIN series t ON t.id = s.series"            \
    " JOIN watched w ON w.number = t.watched"                                                      \
    " LEFT JOIN metric m ON m.kind = 'sample' AND m.name = t.metric;"
#define VIEWS_TOO                                                                                  \
    "CREATE VIEW traces AS SELECT t.segment, t.attempt, r.name AS request, p.name AS phase,"       \
    " p.excluded, t.intended_ns, t.asked_ns, t.sent_ns, t.first_ns, t.answer_ns, t.last_ns,"       \
    " t.end_ns, o.name AS outcome, e.name AS error, t.status, t.attempts, t.token_source,"         \
    " t.prompt_tokens, t.output_tokens, t.events, t.cut, t.chunks"                                 \
    " FROM trace t JOIN request r ON r.number = t.request JOIN phase p ON p.number = t.phase"      \
    " LEFT JOIN metric o ON o.kind = 'counter' AND o.number = t.outcome"                           \
    " LEFT JOIN metric e ON e.kind = 'counter' AND e.number = t.error;"

const char *const schema_sql[] = {TABLES, TABLES_TOO, VIEWS, VIEWS_TOO, NULL};
