/* Names of run files: safe, sorted by time, never one that is taken; and the newest is found. */
#include "fixture.h"

#include "record/path.h"

#include <errno.h>
#include <fcntl.h>

static const nsec_t start_ns = 1763647323 * NSEC_PER_SEC; /* date -u -d @1763647323 */

static void touch(const char *path)
{
    int descriptor = open(path, O_CREAT | O_WRONLY, 0644);
    assert_true(descriptor >= 0);
    close(descriptor);
}

static void assert_name(const char *name, const char *expected)
{
    char *path = run_path_new("runs", name, start_ns);
    assert_string_equal(path, expected);
    free(path);
}

static void names_are_safe_everywhere(void **state)
{
    (void)state;
    assert_name("api-gateway", "runs/2025-11-20T14-02-03-api-gateway.plim");
    assert_name("../../etc/pass wd", "runs/2025-11-20T14-02-03-etc-pass-wd.plim");
    assert_name("..", "runs/2025-11-20T14-02-03-run.plim");
    assert_name(NULL, "runs/2025-11-20T14-02-03-run.plim");
    assert_name("v1.2 \xc3\xa4", "runs/2025-11-20T14-02-03-v1.2.plim");
    char *path = run_path_new("/a/", "x", start_ns);
    assert_string_equal(path, "/a/2025-11-20T14-02-03-x.plim");
    free(path);
}

static void a_taken_name_gets_a_number(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    for (int i = 1; i <= 3; i++) {
        char *path = run_path_new(fix.directory, "x", start_ns);
        char end[32];
        snprintf(end, sizeof end, i > 1 ? "-x-%d.plim" : "-x.plim", i);
        assert_non_null(strstr(path, end));
        touch(path);
        free(path);
    }
    fixture_fini(&fix);
}

static void last_is_the_newest_run(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    char *last = NULL;
    assert_int_equal(run_path_resolve("@last", fix.directory, &last), -ENOENT);
    assert_int_equal(run_path_resolve("@last", "/nowhere", &last), -ENOENT);
    static const char *const names[] = {"2098-11-20T14-02-03-b.plim", "2099-01-02T03-04-05-a.plim",
                                        "2099-01-02T03-04-05-a.plim-wal", "2099-09-09-x.txt",
                                        "mine.plim"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", fix.directory, names[i]);
        touch(path);
    }
    assert_int_equal(run_path_resolve("@last", fix.directory, &last), 0);
    assert_non_null(strstr(last, "/2099-01-02T03-04-05-a.plim"));
    free(last);
    assert_int_equal(run_path_resolve("some/where.plim", fix.directory, &last), 0);
    assert_string_equal(last, "some/where.plim");
    free(last);
    fixture_fini(&fix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_safe_everywhere),
        cmocka_unit_test(a_taken_name_gets_a_number),
        cmocka_unit_test(last_is_the_newest_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
