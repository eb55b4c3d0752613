/* plan/node.h - a YAML or JSON document as a tree that remembers where each part stands.
 *
 * The document owns all nodes; an alias is a second edge to the same node, and what the tree would
 * be with all aliases written out is limited (NODE_MOST), so that a few lines cannot stand for a
 * billion. Used inside the plan room, and for kubeconfigs. */
#ifndef PLAN_NODE_H
#define PLAN_NODE_H

#include "base/text.h"
#include "plan/note.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    NODE_MOST = 100000,          /* nodes of a document, aliases written out */
    NODE_DEPTH = 64,             /* of nesting */
    NODE_BYTES = 4 * 1024 * 1024 /* of a document */
};

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    bool plain;              /* a text without quotes, so that it may be a number, null, ... */
    const char *file;        /* "gateway.yaml", "command line", "environment", ".env" */
    const char *origin;      /* for validate: "command line --users"; NULL: the file and line */
    unsigned line, column;   /* from 1; line 0: no place */
    unsigned width;          /* characters, when it ends on the same line; else 0 */
    size_t first, past;      /* characters of the document: first .. past - 1 */
    char *text;              /* NODE_TEXT: ended by a zero */
    size_t bytes;            /* of text */
    struct node_entry *rows; /* NODE_LIST: key is NULL; NODE_MAP: in order */
    size_t count;
    size_t weight; /* nodes below and this one, aliases written out */
    char *anchor;
};

struct node_entry {
    struct node *key, *value;
    bool merged; /* by "<<": a key of the map's own replaces it */
};

struct document {
    struct node **nodes; /* all, owned */
    size_t count;
    struct node *root;
    char *file;
};

/* Reads one document. Returns 0, or DOCUMENT_BAD after adding at least one error to notes; in both
 * cases the document is to be given to document_fini. */
enum { DOCUMENT_BAD = 1 };
int document_read(struct document *document, const char *file, struct span bytes,
                  struct notes *notes);
/* Frees all its nodes. */
void document_fini(struct document *document);

/* A new node that the document owns, at the place of another (NULL: no place). */
struct node *document_add(struct document *document, enum node_kind kind, const struct node *place);
/* A new text node; its words are copied. */
struct node *document_add_text(struct document *document, const char *words,
                               const struct node *place);
/* Appends a value to a list (key NULL) or a map. */
void node_append(struct node *node, struct node *key, struct node *value);

/* The value of a key, or NULL; also when the node is no map. */
struct node *node_find(const struct node *map, const char *key);
/* The entry of a key, or NULL. */
struct node_entry *node_entry_of(const struct node *map, const char *key);
/* "a text", "a list", "a map": for notes. */
const char *node_kind_words(const struct node *node);
/* Its place, as a note without words. */
struct note node_place(const struct node *node);
/* Whether it is a plain text that YAML 1.2 calls null. */
bool node_is_null(const struct node *node);

/* The offset of the first byte that is not part of a UTF-8 character; bytes.bytes: all are. */
size_t utf8_valid_bytes(struct span bytes);

#endif
