/* Remedies and prices as users write them. What is not known is an error: a remedy that is silently
 * left out, or a price that counts as nothing, would mislead. */
#include "base/memory.h"
#include "base/unit.h"
#include "plan/look.h"
#include "plan/node.h"
#include "study/remedy.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void wrong(struct notes *notes, const struct node *node, const char *hint,
                  const char *sentence)
{
    struct note place = node_place(node);
    look_error(notes, &place, hint, "%s", sentence);
}

struct key {
    const char *name;
    size_t field;
};

static const struct key keys[] = {
    {"id", offsetof(struct remedy, id)},         {"kinds", offsetof(struct remedy, kinds)},
    {"role", offsetof(struct remedy, role)},     {"action", offsetof(struct remedy, action)},
    {"impact", offsetof(struct remedy, impact)}, {"tradeoff", offsetof(struct remedy, tradeoff)},
    {"source", offsetof(struct remedy, source)}, {"address", offsetof(struct remedy, address)},
    {"date", offsetof(struct remedy, date)},
};

enum { KEYS = sizeof keys / sizeof *keys };

static char **field_of(struct remedy *row, size_t key)
{
    return (char **)(void *)((char *)row + keys[key].field);
}

static void drop_row(struct remedies *all, size_t at)
{
    for (size_t j = 0; j < KEYS; j++)
        free(*field_of(&all->rows[at], j));
    all->count--;
    memmove(all->rows + at, all->rows + at + 1, (all->count - at) * sizeof *all->rows);
}

static struct remedy *add_row(struct remedies *all)
{
    all->rows = memory_resize(all->rows, all->count + 1, sizeof *all->rows);
    struct remedy *row = &all->rows[all->count++];
    memset(row, 0, sizeof *row);
    for (size_t j = 0; j < KEYS; j++)
        *field_of(row, j) = memory_copy_text("");
    return row;
}

static void read_group(const struct node *value, struct remedy *row, struct notes *notes)
{
    for (int i = 0; value->kind == NODE_TEXT && i < REMEDY_GROUPS; i++)
        if (strcmp(value->text, remedy_group_words((enum remedy_group)i)) == 0) {
            row->group = (enum remedy_group)i;
            return;
        }
    wrong(notes, value, "configuration, vertical, horizontal or architecture", "unknown group");
}

static void read_field(const struct node *key, const struct node *value, struct remedy *row,
                       struct notes *notes)
{
    if (strcmp(key->text, "group") == 0) {
        read_group(value, row, notes);
        return;
    }
    for (size_t j = 0; j < KEYS; j++)
        if (strcmp(key->text, keys[j].name) == 0 && value->kind == NODE_TEXT) {
            char **field = field_of(row, j);
            free(*field);
            *field = memory_copy_text(value->text);
            return;
        }
    if (strcmp(key->text, "drop") != 0)
        wrong(notes, key,
              "has: id, group, kinds, role, action, impact, tradeoff, source, address, date, drop",
              "unknown key of a remedy, or no text");
}

static void read_remedy(struct remedies *all, const struct node *node, struct notes *notes)
{
    const struct node *id = node_find(node, "id"), *drop = node_find(node, "drop");
    if (!id || id->kind != NODE_TEXT || !*id->text) {
        wrong(notes, node, "- {id: my-cache, group: horizontal, kinds: database, action: ...}",
              "a remedy is a map with an id");
        return;
    }
    size_t at = 0;
    while (at < all->count && strcmp(all->rows[at].id, id->text) != 0)
        at++;
    bool known = at < all->count;
    if (drop && drop->kind == NODE_TEXT && strcmp(drop->text, "true") == 0) {
        if (known)
            drop_row(all, at);
        else
            wrong(notes, id, NULL, "there is no remedy of this id to be dropped");
        return;
    }
    struct remedy *row = known ? &all->rows[at] : add_row(all);
    for (size_t i = 0; i < node->count; i++)
        read_field(node->rows[i].key, node->rows[i].value, row, notes);
    if (!*row->action || !*row->kinds || (!known && !node_find(node, "group")))
        wrong(notes, node, NULL, "a new remedy needs a group, kinds and an action");
}

int remedies_read(struct remedies *remedies, const char *file, struct span bytes,
                  struct notes *notes)
{
    struct document document;
    int error = document_read(&document, file, bytes, notes);
    const struct node *list = error ? NULL : node_find(document.root, "remedies");
    if (error == 0 && (!list || list->kind != NODE_LIST))
        notes_error(notes, "%s: a file of remedies is a map with a list named remedies", file);
    for (size_t i = 0; list && list->kind == NODE_LIST && i < list->count; i++)
        read_remedy(remedies, list->rows[i].value, notes);
    document_fini(&document);
    return error || notes->errors ? REMEDY_BAD : 0;
}

static void read_price(const struct node *key, const struct node *value, struct prices *out,
                       struct notes *notes)
{
    double hour = 0;
    if (value->kind != NODE_TEXT || unit_read_real(span_of(value->text), &hour) != 0 ||
        !(hour >= 0)) {
        wrong(notes, value, NULL, "the price of an hour is a number of at least 0");
        return;
    }
    out->rows = memory_resize(out->rows, out->count + 1, sizeof *out->rows);
    out->rows[out->count++] = (struct price){memory_copy_text(key->text), hour};
}

static void read_prices(const struct node *root, struct prices *out, struct notes *notes)
{
    for (size_t i = 0; i < root->count; i++) {
        const struct node *key = root->rows[i].key, *value = root->rows[i].value;
        char **text = strcmp(key->text, "date") == 0       ? &out->date
                      : strcmp(key->text, "currency") == 0 ? &out->currency
                                                           : NULL;
        if (text && value->kind == NODE_TEXT && !*text)
            *text = memory_copy_text(value->text);
        else if (strcmp(key->text, "hour") == 0 && value->kind == NODE_MAP)
            for (size_t j = 0; j < value->count; j++)
                read_price(value->rows[j].key, value->rows[j].value, out, notes);
        else
            wrong(notes, key, "has: date, currency, hour: {NAME: PRICE}", "unknown key of prices");
    }
    if (!out->date || !*out->date)
        wrong(notes, root, "date: 2026-11-01", "prices without a date are not used");
}

int prices_read(const char *file, struct span bytes, struct prices *out, struct notes *notes)
{
    struct document document;
    memset(out, 0, sizeof *out);
    int error = document_read(&document, file, bytes, notes);
    if (error == 0 && (!document.root || document.root->kind != NODE_MAP))
        notes_error(notes, "%s: a file of prices is a map with date, currency and hour", file);
    else if (error == 0)
        read_prices(document.root, out, notes);
    document_fini(&document);
    if (!out->currency)
        out->currency = memory_copy_text("");
    return error || notes->errors ? REMEDY_BAD : 0;
}
