/* show/compat_table.h - another tool's metrics beside ours, each with its definition and what makes
 * it differ. */
#ifndef SHOW_COMPAT_TABLE_H
#define SHOW_COMPAT_TABLE_H

#include "show/writer.h"
#include "study/compat.h"

/* Appends the tables and the sentences below them. */
void compat_table_put(const struct compat *compat, const struct result *result,
                      const struct show_options *options, struct text *out);

#endif
