/* base/list.h - doubly linked lists whose links live inside the things listed.
 *
 * A node that is in no list points to itself, so that taking it out twice does no harm. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *before;
};

/* The thing of this type whose member is the node. */
#define list_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* An empty list, or a node in no list. */
static inline void list_init(struct list *node)
{
    node->next = node;
    node->before = node;
}

/* Whether the list holds nothing, or the node is in no list. */
static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

/* Puts a node that is in no list at the end. */
static inline void list_append(struct list *list, struct list *node)
{
    node->next = list;
    node->before = list->before;
    list->before->next = node;
    list->before = node;
}

/* Puts a node that is in no list at the front. */
static inline void list_prepend(struct list *list, struct list *node)
{
    list_append(list->next, node);
}

/* Takes the node out of its list, if it is in one. */
static inline void list_remove(struct list *node)
{
    node->before->next = node->next;
    node->next->before = node->before;
    list_init(node);
}

/* Takes out the first node; NULL from an empty list. */
static inline struct list *list_take(struct list *list)
{
    struct list *first = list->next;
    if (first == list)
        return NULL;
    list_remove(first);
    return first;
}

/* Moves all nodes of one list, in order, to the end of another; the first is then empty. */
static inline void list_move_all(struct list *from, struct list *to)
{
    if (list_empty(from))
        return;
    from->next->before = to->before;
    to->before->next = from->next;
    from->before->next = to;
    to->before = from->before;
    list_init(from);
}

#endif
