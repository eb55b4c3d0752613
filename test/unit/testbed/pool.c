/* Threads of a pool on a real loop: in order, as many at once as there are, steps told before the
 * end, and nothing lost when it is freed in the middle. And sessions, which its calls belong to. */
#include "testbed/pool.h"

#include "testbed/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { JOBS = 12 };

struct world {
    struct pool *pool;
    struct loop *loop;
    int done;
};

struct piece {
    struct job job;
    struct world *world;
    int number, steps_told, done_as;
    bool worked;
};

static void on_work(struct job *job)
{
    struct piece *piece = list_entry(job, struct piece, job);
    struct timespec time = {.tv_nsec = 5 * NSEC_PER_MSEC};
    job_step(job);
    nanosleep(&time, NULL);
    job_step(job);
    piece->worked = true;
}

static void on_step(struct job *job, uint64_t step)
{
    struct piece *piece = list_entry(job, struct piece, job);
    assert_int_equal(step, ++piece->steps_told);
    assert_int_equal(piece->done_as, 0);
}

static void on_done(struct job *job)
{
    struct piece *piece = list_entry(job, struct piece, job);
    piece->done_as = ++piece->world->done;
}

static void submit(struct world *world, struct piece *piece)
{
    *piece = (struct piece){.world = world};
    piece->job.work = on_work;
    piece->job.stepped = on_step;
    piece->job.done = on_done;
    assert_int_equal(pool_submit(world->pool, &piece->job), 0);
}

static void as_many_at_once_as_there_are_threads(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 3; threads++) {
        struct piece pieces[JOBS];
        struct world world = {.done = 0};
        struct pool_counts counts;
        assert_int_equal(loop_new(&world.loop), 0);
        world.pool = pool_new(world.loop, threads);
        nsec_t begun_ns = loop_now(world.loop);
        for (int i = 0; i < JOBS; i++)
            submit(&world, &pieces[i]);
        while (world.done < JOBS)
            assert_true(loop_turn(world.loop, begun_ns + 20 * NSEC_PER_SEC) >= 0);
        assert_true(loop_now(world.loop) - begun_ns >= JOBS * 5 * NSEC_PER_MSEC / threads);
        pool_counts(world.pool, &counts);
        assert_int_equal(counts.most_running, threads);
        assert_int_equal(counts.done, JOBS);
        assert_int_equal(counts.running + counts.waiting, 0);
        assert_true(counts.busy_ns >= JOBS * 5 * NSEC_PER_MSEC);
        for (int i = 0; i < JOBS; i++) {
            assert_true(pieces[i].worked);
            assert_int_equal(pieces[i].steps_told, 2);
            assert_true(threads > 1 || pieces[i].done_as == i + 1);
            assert_true(pieces[i].job.submitted_ns <= pieces[i].job.begun_ns);
        }
        assert_null(pool_free(world.pool));
        loop_free(world.loop);
    }
}

static void freed_in_the_middle_all_are_told(void **state)
{
    struct piece pieces[JOBS];
    struct world world = {.done = 0};
    int worked = 0;
    (void)state;
    assert_int_equal(loop_new(&world.loop), 0);
    world.pool = pool_new(world.loop, 2);
    for (int i = 0; i < JOBS; i++)
        submit(&world, &pieces[i]);
    struct timespec time = {.tv_nsec = 2 * NSEC_PER_MSEC};
    nanosleep(&time, NULL);
    assert_null(pool_free(world.pool));
    assert_int_equal(world.done, JOBS);
    for (int i = 0; i < JOBS; i++)
        worked += pieces[i].worked;
    assert_true(worked < JOBS);
    loop_free(world.loop);
}

/* ---- sessions ---------------------------------------------------------------------------------
 */

static void sessions_are_found_by_their_ids_alone(void **state)
{
    struct sessions *sessions = sessions_new(5, 40);
    struct session *open[40];
    char ids[40][SESSION_ID_BYTES + 1];
    uint64_t count, opened;
    (void)state;
    for (int i = 0; i < 40; i++) {
        open[i] = sessions_open(sessions, "2025-06-18");
        memcpy(ids[i], open[i]->id, sizeof ids[i]);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
    }
    assert_null(sessions_open(sessions, "2025-06-18"));
    for (int i = 0; i < 40; i++)
        assert_ptr_equal(sessions_find(sessions, span_of(ids[i])), open[i]);
    sessions_close(sessions, open[7]);
    assert_null(sessions_find(sessions, span_of(ids[7])));
    struct session *again = sessions_open(sessions, "2025-06-18");
    assert_int_equal(again->index, 7);
    assert_null(sessions_find(sessions, span_of(ids[7]))); /* the place is taken, the id is not */
    assert_null(sessions_find(sessions, SPAN("")));
    assert_null(sessions_find(sessions, SPAN("00000000-0000-4000-8000-0000ffffffff")));
    sessions_count(sessions, &count, &opened);
    assert_int_equal(count, 40);
    assert_int_equal(opened, 41);
    assert_null(sessions_free(sessions));
}

static void events_are_kept_within_their_limits(void **state)
{
    struct sessions *sessions = sessions_new(5, 1);
    struct session *session = sessions_open(sessions, "2025-06-18");
    static char large[SESSION_EVENT_BYTES / 3];
    (void)state;
    for (uint64_t n = 1; n <= 200; n++)
        session_keep(session, 1 + n % 2, n, n == 200, SPAN("{}"));
    assert_null(session_next(session, 3, 0));
    const struct session_event *event = session_next(session, 2, 0);
    assert_true(event && event->number > 200 - SESSION_EVENTS && event->number % 2 == 1);
    event = session_next(session, 1, 198);
    assert_true(event && event->number == 200 && event->last);
    assert_null(session_next(session, 1, 200));
    memset(large, 'x', sizeof large);
    for (uint64_t n = 201; n <= 210; n++)
        session_keep(session, 9, n, false, (struct span){.at = large, .bytes = sizeof large});
    assert_true(session->event_bytes <= SESSION_EVENT_BYTES);
    assert_int_equal(session_next(session, 9, 0)->number, 208);
    sessions_free(sessions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_at_once_as_there_are_threads),
        cmocka_unit_test(freed_in_the_middle_all_are_told),
        cmocka_unit_test(sessions_are_found_by_their_ids_alone),
        cmocka_unit_test(events_are_kept_within_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
