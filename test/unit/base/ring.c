/* The ring: order and limits on one thread, and nothing lost, doubled or torn between two. The
 * tsan preset runs the same program to see that what is put is published. */
#include "base/ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void full_refuses_and_empty_gives_nothing(void **state)
{
    (void)state;
    struct ring ring;
    int things[RING_ROOM + 1];
    ring_init(&ring);
    for (int turn = 0; turn < 5; turn++) {
        assert_null(ring_take(&ring));
        for (int i = 0; i < RING_ROOM; i++)
            assert_true(ring_put(&ring, &things[i]));
        assert_false(ring_put(&ring, &things[RING_ROOM]));
        assert_ptr_equal(ring_take(&ring), &things[0]);
        assert_true(ring_put(&ring, &things[RING_ROOM]));
        for (int i = 1; i <= RING_ROOM; i++)
            assert_ptr_equal(ring_take(&ring), &things[i]);
    }
}

/* The counts only grow; near the end of their range they wrap, and nothing may be lost. */
static void counts_may_wrap(void **state)
{
    (void)state;
    struct ring ring;
    int things[3];
    ring_init(&ring);
    atomic_store(&ring.put, SIZE_MAX - 1);
    atomic_store(&ring.taken, SIZE_MAX - 1);
    for (int i = 0; i < 3; i++)
        assert_true(ring_put(&ring, &things[i]));
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(ring_take(&ring), &things[i]);
    assert_null(ring_take(&ring));
}

enum { LETTERS = 200000, BUFFERS = 32 };

struct letter {
    uint64_t number;
    uint64_t copies[4];
};

/* Letters go one way and come back for reuse the other way, as a recorder's buffers do. */
struct post {
    struct ring out;
    struct ring back;
};

static void *send_letters(void *arg)
{
    struct post *post = arg;
    for (uint64_t i = 0; i < LETTERS; i++) {
        struct letter *letter;
        while (!(letter = ring_take(&post->back)))
            sched_yield();
        letter->number = i;
        for (uint64_t j = 0; j < 4; j++)
            letter->copies[j] = i ^ j;
        while (!ring_put(&post->out, letter))
            sched_yield();
    }
    return NULL;
}

static void nothing_is_lost_between_two_threads(void **state)
{
    (void)state;
    struct post post;
    struct letter letters[BUFFERS] = {0};
    ring_init(&post.out);
    ring_init(&post.back);
    for (int i = 0; i < BUFFERS; i++)
        assert_true(ring_put(&post.back, &letters[i]));
    pthread_t sender;
    assert_int_equal(pthread_create(&sender, NULL, send_letters, &post), 0);
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < LETTERS; i++) {
        struct letter *letter;
        while (!(letter = ring_take(&post.out)))
            sched_yield();
        wrong += letter->number != i;
        for (uint64_t j = 0; j < 4; j++)
            wrong += letter->copies[j] != (i ^ j);
        while (!ring_put(&post.back, letter))
            sched_yield();
    }
    assert_int_equal(pthread_join(sender, NULL), 0);
    assert_int_equal(wrong, 0);
    assert_null(ring_take(&post.out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_refuses_and_empty_gives_nothing),
        cmocka_unit_test(counts_may_wrap),
        cmocka_unit_test(nothing_is_lost_between_two_threads),
    };
    return cmocka_run_group_tests_name("base/ring", tests, NULL, NULL);
}
