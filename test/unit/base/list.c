/* Lists: order, taking out twice, and moving all from one to another. */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct thing {
    int number;
    struct list link;
};

static void assert_holds(const struct list *list, const int *numbers, size_t count)
{
    const struct list *at = list->next, *back = list->before;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(list_entry(at, const struct thing, link)->number, numbers[i]);
        assert_int_equal(list_entry(back, const struct thing, link)->number,
                         numbers[count - 1 - i]);
        at = at->next;
        back = back->before;
    }
    assert_ptr_equal(at, list);
    assert_ptr_equal(back, list);
}

static void things_keep_their_order(void **state)
{
    (void)state;
    struct list list;
    struct thing things[4];
    list_init(&list);
    assert_true(list_empty(&list));
    assert_null(list_take(&list));
    for (int i = 0; i < 4; i++) {
        things[i].number = i;
        list_init(&things[i].link);
        assert_true(list_empty(&things[i].link));
    }
    list_append(&list, &things[1].link);
    list_append(&list, &things[2].link);
    list_prepend(&list, &things[0].link);
    list_append(&list, &things[3].link);
    assert_holds(&list, (int[]){0, 1, 2, 3}, 4);
    list_remove(&things[2].link);
    list_remove(&things[2].link); /* harmless */
    assert_holds(&list, (int[]){0, 1, 3}, 3);
    assert_ptr_equal(list_take(&list), &things[0].link);
    assert_true(list_empty(&things[0].link));
    list_append(&list, &things[0].link);
    assert_holds(&list, (int[]){1, 3, 0}, 3);
}

static void lists_are_joined_in_order(void **state)
{
    (void)state;
    for (int first = 0; first < 3; first++) {
        for (int second = 0; second < 3; second++) {
            struct list from, to;
            struct thing things[4];
            list_init(&from);
            list_init(&to);
            for (int i = 0; i < first + second; i++) {
                things[i].number = i;
                list_append(i < first ? &to : &from, &things[i].link);
            }
            list_move_all(&from, &to);
            assert_true(list_empty(&from));
            assert_holds(&to, (int[]){0, 1, 2, 3}, (size_t)(first + second));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(things_keep_their_order),
        cmocka_unit_test(lists_are_joined_in_order),
    };
    return cmocka_run_group_tests_name("base/list", tests, NULL, NULL);
}
