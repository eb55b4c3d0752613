/* The small files of base: memory, errors, the log and the clock. */
#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void memory_is_zeroed_and_never_null(void **state)
{
    (void)state;
    unsigned char *block = memory_new(1000, 3);
    for (size_t i = 0; i < 3000; i++)
        assert_int_equal(block[i], 0);
    memset(block, 7, 3000);
    block = memory_resize(block, 100000, 3);
    assert_int_equal(block[2999], 7);
    free(block);
    void *nothing = memory_new(0, 8);
    assert_non_null(nothing);
    nothing = memory_resize(nothing, 0, 8);
    assert_non_null(nothing);
    free(nothing);
    char *copy = memory_copy_text("copy");
    assert_string_equal(copy, "copy");
    free(copy);
    assert_null(memory_copy_text(NULL));
}

/* Runs an act in a child, with its standard error kept; gives the child's wait status. */
static int run_apart(void (*act)(void), char *said, size_t room)
{
    int ends[2], status = -1;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        act();
        _exit(99);
    }
    assert_true(child > 0);
    close(ends[1]);
    size_t got = 0;
    ssize_t more;
    while (got < room - 1 && (more = read(ends[0], said + got, room - 1 - got)) > 0)
        got += (size_t)more;
    said[got] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void break_a_claim(void)
{
    int two = 2;
    check(two == 3);
}

static void ask_for_too_much(void)
{
    free(memory_resize(NULL, SIZE_MAX / 2, 3));
}

static void a_broken_claim_ends_the_process_and_says_where(void **state)
{
    (void)state;
    char said[4096];
    int status = run_apart(break_a_claim, said, sizeof said);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 99);
    assert_non_null(strstr(said, "check(two == 3)"));
    assert_non_null(strstr(said, "small.c:"));
}

static void running_out_of_memory_ends_with_a_sentence(void **state)
{
    (void)state;
    char said[4096];
    int status = run_apart(ask_for_too_much, said, sizeof said);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
    assert_non_null(strstr(said, "out of memory"));
}

static void errors_have_sentences(void **state)
{
    (void)state;
    char out[80];
    assert_ptr_equal(error_sentence(-ECONNREFUSED, out, sizeof out), out);
    assert_string_equal(out, "Connection refused");
    assert_string_equal(error_sentence(-ENOENT, out, 8), "No such");
}

struct heard {
    int lines;
    enum log_level level;
    char last[64];
};

static void hear(void *self, enum log_level level, const char *line)
{
    struct heard *heard = self;
    heard->lines++;
    heard->level = level;
    snprintf(heard->last, sizeof heard->last, "%s", line);
}

static void the_log_says_what_is_wanted(void **state)
{
    (void)state;
    struct heard heard = {0};
    const struct log log = {.most = LOG_NOTICE, .say = hear, .self = &heard};
    log_say(&log, LOG_DEBUG, "not %s", "this");
    assert_int_equal(heard.lines, 0);
    log_say(&log, LOG_NOTICE, "level %d of %d", 2, 3);
    assert_int_equal(heard.lines, 1);
    assert_int_equal(heard.level, LOG_NOTICE);
    assert_string_equal(heard.last, "level 2 of 3");
    log_say(NULL, LOG_ERROR, "nobody listens");
}

/* Both clocks against the system's own, read around them. */
static void clocks_tell_nanoseconds(void **state)
{
    (void)state;
    struct clock clock = clock_monotonic();
    struct timespec low, high;
    clock_gettime(CLOCK_MONOTONIC, &low);
    nsec_t direct = clock_monotonic_ns(), passed = clock_now(&clock);
    clock_gettime(CLOCK_MONOTONIC, &high);
    assert_true(direct >= (nsec_t)low.tv_sec * NSEC_PER_SEC + low.tv_nsec);
    assert_true(passed >= direct);
    assert_true(passed <= (nsec_t)high.tv_sec * NSEC_PER_SEC + high.tv_nsec);
    time_t before = time(NULL);
    nsec_t wall = clock_wall_ns();
    assert_in_range(wall / NSEC_PER_SEC, before - 1, before + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_never_null),
        cmocka_unit_test(a_broken_claim_ends_the_process_and_says_where),
        cmocka_unit_test(running_out_of_memory_ends_with_a_sentence),
        cmocka_unit_test(errors_have_sentences),
        cmocka_unit_test(the_log_says_what_is_wanted),
        cmocka_unit_test(clocks_tell_nanoseconds),
    };
    return cmocka_run_group_tests_name("base/small", tests, NULL, NULL);
}
