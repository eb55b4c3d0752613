/* fuzz/json_oracle.h - the same question answered by jansson. In a file of its own, because both
 * libraries call their kinds JSON_OBJECT and so on. */
#ifndef FUZZ_JSON_ORACLE_H
#define FUZZ_JSON_ORACLE_H

#include <stdbool.h>
#include <stddef.h>

struct oracle_step {
    const char *key; /* NULL: an index */
    size_t key_bytes;
    long index;
};

struct oracle_answer {
    char kind;    /* '-' absent, 'n' null, 't', 'f', '0' number, 's' string, '[' , '{' */
    char *text;   /* of a string; free() */
    size_t bytes; /* of the text */
    double number;
};

/* Finds a value by steps. Returns false when jansson does not take the document (it is strict). */
bool oracle_find(const char *document, size_t bytes, const struct oracle_step *steps, size_t count,
                 struct oracle_answer *out);
/* Whether jansson takes these bytes as a document, and as what text when it is a string. */
bool oracle_reads(const char *document, size_t bytes);

#endif
