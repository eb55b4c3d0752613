/* record/schema.h - inside of record: the tables of a run file (documented in doc/run-file.md). */
#ifndef RECORD_SCHEMA_H
#define RECORD_SCHEMA_H

enum {
    SCHEMA_APPLICATION = 0x504c494d, /* "PLIM": PRAGMA application_id */
    SCHEMA_VERSION = 1,              /* PRAGMA user_version; a change that old readers cannot read
                                        counts it up */
    SCHEMA_APPLICATION_AT = 68,      /* where SQLite keeps the first in a file's head, big-endian */
    SCHEMA_VERSION_AT = 60,
};

/* Everything between an empty database and one ready for its rows; ends with NULL. */
extern const char *const schema_sql[];

#endif
