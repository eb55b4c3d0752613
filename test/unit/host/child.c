/* Commands that are waited for, cut off, and given up; and processes told from those that got their
 * number later. */
#include "host/child.h"
#include "host/process.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

static int run(const char *command, nsec_t timeout_ns, struct text *said, int *status)
{
    struct child_options child = {.command = command};
    struct child_limits limits = {.timeout_ns = timeout_ns, .most_bytes = 64};
    text_clear(said);
    return child_run(&child, &limits, said, status);
}

static void what_a_command_says_and_ends_with_is_kept(void **state)
{
    (void)state;
    struct text said = TEXT_EMPTY;
    int status = -1;
    assert_int_equal(run("echo out; echo err >&2; exit 3", NSEC_PER_SEC * 10, &said, &status), 0);
    assert_string_equal(said.at, "out\nerr\n");
    assert_int_equal(status, 3);
    assert_int_equal(run("kill -9 $$", NSEC_PER_SEC * 10, &said, &status), 0);
    assert_int_equal(status, 128 + 9);
    assert_int_equal(run("yes | head -c 100000", NSEC_PER_SEC * 10, &said, &status), 0);
    assert_int_equal(said.bytes, 64); /* the rest is thrown away, and does not hold it up */
    text_fini(&said);
}

static void one_that_takes_too_long_goes_with_all_that_it_started(void **state)
{
    (void)state;
    struct text said = TEXT_EMPTY;
    int status = 0;
    struct process_mark mark = {.pid = 0};
    assert_int_equal(run("sleep 60 & echo $!; wait", NSEC_PER_SEC / 2, &said, &status),
                     CHILD_TIMEOUT);
    uint64_t pid = 0;
    assert_int_equal(span_uint(span_trim(text_span(&said)), &pid), 0);
    bool gone = false;
    for (int i = 0; i < 100 && !gone; i++) {
        gone = process_mark("", (pid_t)pid, &mark) != 0 || !process_runs("", &mark);
        usleep(10000);
    }
    assert_true(gone);
    text_fini(&said);
}

static void what_is_left_in_the_background_does_not_hold_it_up(void **state)
{
    (void)state;
    struct text said = TEXT_EMPTY;
    int status = -1;
    nsec_t began_ns = clock_monotonic_ns();
    assert_int_equal(run("sleep 20 & echo $!", NSEC_PER_SEC * 15, &said, &status), 0);
    assert_true(clock_monotonic_ns() - began_ns < 10 * NSEC_PER_SEC);
    uint64_t pid = 0;
    assert_int_equal(span_uint(span_trim(text_span(&said)), &pid), 0);
    kill((pid_t)pid, SIGKILL);
    text_fini(&said);
}

static void errors_of_starting_come_back(void **state)
{
    (void)state;
    const char *const words[] = {"no-such-program-here", NULL};
    pid_t pid = 0;
    assert_int_equal(child_start(&(struct child_options){.words = words}, &pid), -ENOENT);
    assert_int_equal(
        child_start(&(struct child_options){.command = "true", .directory = "/nowhere"}, &pid),
        -ENOENT);
}

struct found {
    pid_t wanted;
    int times;
};

static void count_found(void *self, const struct process_mark *mark)
{
    struct found *found = self;
    found->times += mark->pid == found->wanted;
}

static void a_process_is_known_by_its_start_and_its_environment(void **state)
{
    (void)state;
    const char *const variables[] = {"PLIMSOLL_TEST_TOKEN=abc", NULL};
    struct process_mark mark, older;
    struct found found = {.times = 0};
    pid_t pid = 0;
    struct child_options options = {.command = "exec sleep 30", .variables = variables};
    assert_int_equal(child_start(&options, &pid), 0);
    assert_int_equal(process_mark("", pid, &mark), 0);
    assert_true(process_runs("", &mark));
    older = mark;
    older.start_ticks--;
    assert_false(process_runs("", &older));
    found.wanted = pid;
    process_find("", "PLIMSOLL_TEST_TOKEN=abc", count_found, &found);
    process_find("", "PLIMSOLL_TEST_TOKEN=ab", count_found, &found);
    assert_int_equal(found.times, 1);
    assert_int_equal(child_end_all(&pid, 1, 5 * NSEC_PER_SEC), 1);
    assert_false(process_runs("", &mark));
}

static void one_that_ignores_the_request_to_end_is_ended(void **state)
{
    (void)state;
    pid_t pid = 0;
    struct child_options options = {.command = "trap '' TERM; while :; do sleep 0.05; done"};
    assert_int_equal(child_start(&options, &pid), 0);
    usleep(200000);
    assert_int_equal(child_end_all(&pid, 1, NSEC_PER_SEC / 5), 0);
    assert_int_equal(kill(pid, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_command_says_and_ends_with_is_kept),
        cmocka_unit_test(one_that_takes_too_long_goes_with_all_that_it_started),
        cmocka_unit_test(what_is_left_in_the_background_does_not_hold_it_up),
        cmocka_unit_test(errors_of_starting_come_back),
        cmocka_unit_test(a_process_is_known_by_its_start_and_its_environment),
        cmocka_unit_test(one_that_ignores_the_request_to_end_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
