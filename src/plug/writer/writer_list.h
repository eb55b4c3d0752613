/* plug/writer/writer_list.h - the reports there are; plug/list.c names them to the rest. */
#ifndef PLUG_WRITER_LIST_H
#define PLUG_WRITER_LIST_H

#include "show/writer.h"

extern const struct writer writer_text;       /* the summary at the end of a run */
extern const struct writer writer_json;       /* summary.json */
extern const struct writer writer_csv;        /* a row for each interval */
extern const struct writer writer_csv_tasks;  /* a row for each request name */
extern const struct writer writer_markdown;   /* for pull requests */
extern const struct writer writer_html;       /* the report page */
extern const struct writer writer_junit;      /* thresholds and objectives as test cases */
extern const struct writer writer_prometheus; /* text exposition format */
extern const struct writer writer_vllm;       /* what vllm bench serve saves */
extern const struct writer writer_vllm_text;  /* and prints */
extern const struct writer writer_null;       /* writes nothing */

#endif
