/* Baselines as directories: kept whole, replaced in one step, and nothing left behind. */
#include "record/baseline.h"

#include "base/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

struct place {
    char directory[64];
    char runs[3][100];
};

static void write_file(const char *path, const char *words)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(words, file);
    fclose(file);
}

static int set_up(void **state)
{
    struct place *place = memory_new(1, sizeof *place);
    strcpy(place->directory, "/tmp/plimsoll-baseline-XXXXXX"); /* long enough for it */
    assert_non_null(mkdtemp(place->directory));
    for (int i = 0; i < 3; i++) {
        snprintf(place->runs[i], sizeof place->runs[i], "%s/r%d", place->directory, i);
        assert_int_equal(mkdir(place->runs[i], 0777), 0);
        strcat(place->runs[i], "/a.plim"); /* all of the same name */
        write_file(place->runs[i], i == 0 ? "zero" : i == 1 ? "one" : "two");
    }
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    for (int i = 0; i < 3; i++) {
        unlink(place->runs[i]);
        *strrchr(place->runs[i], '/') = '\0';
        assert_int_equal(rmdir(place->runs[i]), 0);
    }
    int left = rmdir(place->directory); /* fails when a draft was left behind */
    free(place);
    return left;
}

/* The contents of a baseline's files, joined. */
static void expect(const char *directory, const char *name, const char *wanted)
{
    char **runs = NULL;
    struct text found = TEXT_EMPTY;
    assert_int_equal(baseline_runs(directory, name, &runs), 0);
    for (size_t i = 0; runs[i]; i++) {
        char words[16] = "";
        FILE *file = fopen(runs[i], "rb");
        assert_non_null(file);
        assert_non_null(fgets(words, sizeof words, file));
        fclose(file);
        text_printf(&found, "%s%s", i ? " " : "", words);
    }
    assert_string_equal(found.at, wanted);
    text_fini(&found);
    baseline_list_free(runs);
}

static void kept_replaced_added_removed(void **state)
{
    const struct place *place = *state;
    const char *const paths[] = {place->runs[0], place->runs[1]};
    const char *const third[] = {place->runs[2]};
    const char *const gone[] = {"/nowhere/a.plim"};
    const char *directory = place->directory;
    assert_int_equal(baseline_store(directory, "x", paths, 2, false), 0);
    expect(directory, "x", "one zero"); /* a-2.plim sorts before a.plim */
    assert_int_equal(baseline_store(directory, "x", third, 1, false), 0);
    expect(directory, "x", "two");
    assert_int_equal(baseline_store(directory, "x", paths, 1, true), 0);
    expect(directory, "x", "zero two");
    assert_int_equal(baseline_store(directory, "x", gone, 1, false), -ENOENT);
    expect(directory, "x", "zero two"); /* as it was */
    assert_int_equal(baseline_store(directory, "x/y", third, 1, false), -EINVAL);
    assert_int_equal(baseline_store(directory, "x", third, 0, false), -EINVAL);
    assert_int_equal(baseline_remove(directory, "y"), -ENOENT);
    assert_int_equal(baseline_remove(directory, "../x"), -ENOENT);
    assert_int_equal(baseline_remove(directory, "x"), 0);
    char **runs = NULL;
    assert_int_equal(baseline_runs(directory, "x", &runs), -ENOENT);
}

static void names_that_fit(void **state)
{
    (void)state;
    static const char *const fine[] = {"a", "api-gateway", "v1.2_x", "2026-11-20"};
    static const char *const wrong[] = {"", ".", "..", ".a", "a/b", "a b", "\xc3\xa9", "a\n"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        assert_true(baseline_name_fits(fine[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(baseline_name_fits(wrong[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kept_replaced_added_removed, set_up, tear_down),
        cmocka_unit_test(names_that_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
