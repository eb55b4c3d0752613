/* The journal cut at every byte, locks and their dead holders, scalers of a script of their own
 * that are applied and undone, back-off, and the emergency stop's judgement. */
#include "run/scaling.h"
#include "run/backoff.h"
#include "run/journal.h"
#include "run/lock.h"
#include "run/safety.h"

#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

static char *new_directory(void)
{
    char *path = memory_copy_text("/tmp/plimsoll-test-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static char *in(const char *directory, const char *name)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s/%s", directory, name);
    return text_take(&path);
}

static void remove_directory(char *directory)
{
    static const char *const names[] = {"undo.journal", "cut"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = in(directory, names[i]);
        unlink(path);
        free(path);
    }
    rmdir(directory);
    free(directory);
}

static void a_journal_is_read_back(void **state)
{
    (void)state;
    char *directory = new_directory(), *path = in(directory, JOURNAL_FILE);
    struct journal *journal = NULL;
    struct journal_record record;
    uint64_t one = 0, two = 0;
    assert_int_equal(journal_new(path, "http://x", directory, &journal), 0);
    assert_int_equal(journal_new(path, "http://x", directory, &journal), -EEXIST);
    assert_int_equal(journal_add(journal, "cgroup", "{\"a\":\"b\"}", "set\t\"q\"\n", &one), 0);
    assert_int_equal(journal_add(journal, "haproxy", "{}", "s1=ready", &two), 0);
    assert_int_equal(journal_undone(journal, two), 0);
    assert_int_equal(journal_read(path, &record), 0);
    assert_int_equal(record.count, 2);
    assert_string_equal(record.entries[0].config, "{\"a\":\"b\"}");
    assert_string_equal(record.entries[0].state, "set\t\"q\"\n");
    assert_false(record.entries[0].undone);
    assert_true(record.entries[1].undone && journal_unfinished(&record) && !record.closed);
    assert_true(journal_owner_runs(&record));
    record.owner.start_ticks++; /* the same number, used again */
    assert_false(journal_owner_runs(&record));
    journal_record_fini(&record);
    journal_undone(journal, one);
    journal_close(journal);
    assert_int_equal(journal_read(path, &record), 0);
    assert_true(record.closed && !journal_unfinished(&record));
    journal_record_fini(&record);
    free(path);
    remove_directory(directory);
}

/* Whatever was on disk when a crash came: whole lines count, half ones were not acted on. */
static void a_journal_cut_anywhere_tells_what_was_done(void **state)
{
    (void)state;
    char *directory = new_directory(), *path = in(directory, JOURNAL_FILE);
    char *cut = in(directory, "cut"), bytes[4096];
    struct journal *journal = NULL;
    uint64_t number = 0;
    assert_int_equal(journal_new(path, "t", directory, &journal), 0);
    for (int i = 0; i < 3; i++)
        journal_add(journal, "null", "{}", "1 1", &number);
    journal_undone(journal, number);
    journal_close(journal);
    FILE *file = fopen(path, "r");
    size_t length = fread(bytes, 1, sizeof bytes, file), lines = 0;
    fclose(file);
    for (size_t i = 0; i < length; i++) {
        struct journal_record record;
        file = fopen(cut, "w");
        fwrite(bytes, 1, i, file);
        fclose(file);
        int rc = journal_read(cut, &record);
        assert_int_equal(rc, lines == 0 ? JOURNAL_NOT_ONE : 0);
        if (rc == 0) {
            size_t entries = lines - 1 < 3 ? lines - 1 : 3;
            assert_int_equal(record.count, entries);
            assert_true(journal_unfinished(&record) == (entries > 0));
            journal_record_fini(&record);
        }
        lines += bytes[i] == '\n';
    }
    free(path);
    free(cut);
    remove_directory(directory);
}

static void a_lock_is_held_by_one_and_given_back_by_death(void **state)
{
    (void)state;
    char *directory = new_directory();
    struct lock *mine = NULL, *other = NULL;
    struct text why = TEXT_EMPTY;
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        bool taken = lock_take(directory, "http://t", "/nowhere", &other, &why) == 0;
        byte = taken ? 'y' : 'n';
        _exit(write(ready[1], &byte, 1) == 1 ? pause() : 1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(lock_take(directory, "http://t", "/nowhere", &mine, &why), LOCK_TAKEN);
    char words[32];
    snprintf(words, sizeof words, "process %d", (int)child);
    assert_non_null(strstr(why.at, words));
    assert_int_equal(lock_take(directory, "http://u", "/nowhere", &other, &why), 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(lock_take(directory, "http://t", "/nowhere", &mine, &why), 0);
    lock_free(mine, false);
    lock_free(other, false);
    text_fini(&why);
    assert_int_equal(rmdir(directory), 0); /* no file is left */
    free(directory);
    close(ready[0]);
    close(ready[1]);
}

/* ---- scalers of a test -------------------------------------------------------------------- */

struct spy_config {
    uint64_t number;
};

static const struct setting spy_settings[] = {{.name = "number",
                                               .type = SETTING_UINT,
                                               .offset = offsetof(struct spy_config, number),
                                               .unset = "0",
                                               .sentence = "which one"},
                                              {.name = NULL}};

static struct {
    char log[1024];
    int conflicts, restore_failures;
    uint64_t fails; /* the spy that fails to apply */
} spies;

static void spy_note(const char *what, uint64_t number)
{
    size_t used = strlen(spies.log);
    snprintf(spies.log + used, sizeof spies.log - used, "%s%llu ", what,
             (unsigned long long)number);
}

static int spy_open(const void *config, const struct scaler_place *place, void **self,
                    struct text *why)
{
    (void)place;
    (void)why;
    *self = memory_new(1, sizeof(struct spy_config));
    memcpy(*self, config, sizeof(struct spy_config));
    return 0;
}

static int spy_look(void *self, struct scaler_view *out, struct text *why)
{
    (void)self;
    (void)why;
    *out = (struct scaler_view){.instances = 1, .ready = 1, .size = NAN};
    return 0;
}

static int spy_save(void *self, struct text *state, struct text *why)
{
    (void)why;
    spy_note("save", ((struct spy_config *)self)->number);
    text_puts(state, "one");
    return 0;
}

static int spy_apply(void *self, const struct scaler_goal *goal, struct text *why)
{
    struct spy_config *spy = self;
    spy_note(goal->instances > 1 ? "up" : "down", spy->number);
    if (spies.conflicts > 0 && spies.conflicts--)
        return SCALER_CONFLICT;
    if (spies.fails == spy->number) {
        text_puts(why, "it breaks");
        return SCALER_FAILED;
    }
    return 0;
}

static int spy_restore(void *self, const char *saved, struct text *why)
{
    assert_string_equal(saved, "one");
    spy_note("undo", ((struct spy_config *)self)->number);
    if (spies.restore_failures > 0 && spies.restore_failures--) {
        text_puts(why, "not now; by hand: do it");
        return SCALER_TIMEOUT;
    }
    return 0;
}

static const struct scaler spy = {
    .name = "spy",
    .sentence = "a test's",
    .settings = spy_settings,
    .config_bytes = sizeof(struct spy_config),
    .axes = SCALER_INSTANCES,
    .open = spy_open,
    .look = spy_look,
    .save = spy_save,
    .apply = spy_apply,
    .restore = spy_restore,
    .close = free,
};

static struct scaling *open_spies(const char *directory)
{
    static const struct spy_config configs[] = {{1}, {2}};
    struct scaling_part parts[] = {{&spy, &configs[0], 0}, {&spy, &configs[1], 0}};
    struct scaling_options options = {
        .parts = parts,
        .part_count = 2,
        .place = {.target = "http://spies", .directory = directory, .root = ""},
        .lock_directory = directory,
    };
    struct scaling *scaling = NULL;
    struct text why = TEXT_EMPTY;
    memset(&spies, 0, sizeof spies);
    assert_int_equal(scaling_open(&options, &scaling, &why), 0);
    text_fini(&why);
    return scaling;
}

static int apply(struct scaling *scaling, double instances)
{
    struct text why = TEXT_EMPTY;
    int rc = scaling_apply(scaling, &(struct scaler_goal){instances, NAN}, &why);
    text_fini(&why);
    return rc;
}

static void growing_is_in_order_and_undoing_in_reverse(void **state)
{
    (void)state;
    char *directory = new_directory();
    struct scaling *scaling = open_spies(directory);
    struct text why = TEXT_EMPTY;
    spies.conflicts = 2;
    assert_int_equal(apply(scaling, 3), 0);
    assert_int_equal(apply(scaling, 1), 0);
    assert_int_equal(scaling_restore(scaling, &why), 0);
    assert_int_equal(scaling_restore(scaling, &why), 0); /* nothing twice */
    assert_string_equal(spies.log, "save1 up1 up1 up1 save2 up2 down2 down1 undo2 undo1 ");
    scaling_free(scaling);
    text_fini(&why);
    remove_directory(directory);
}

static void a_failure_undoes_what_was_begun(void **state)
{
    (void)state;
    char *directory = new_directory();
    struct scaling *scaling = open_spies(directory);
    struct text why = TEXT_EMPTY;
    spies.fails = 2;
    spies.restore_failures = 1;
    assert_int_equal(apply(scaling, 3), SCALER_FAILED);
    assert_int_equal(scaling_restore(scaling, &why), 0);
    assert_string_equal(spies.log, "save1 up1 save2 up2 undo2 undo2 undo1 ");
    scaling_free(scaling);
    text_fini(&why);
    remove_directory(directory);
}

static void what_can_not_be_undone_is_said_and_finished_later(void **state)
{
    (void)state;
    char *directory = new_directory(), *path = in(directory, JOURNAL_FILE);
    struct scaling *scaling = open_spies(directory);
    struct text why = TEXT_EMPTY;
    size_t done = 0;
    assert_int_equal(apply(scaling, 3), 0);
    spies.restore_failures = 100;
    assert_int_equal(scaling_restore(scaling, &why), 2);
    assert_non_null(strstr(why.at, "by hand: do it"));
    const struct scaler *all[] = {&spy};
    struct rollback_options options = {.journal = path, .scalers = all, .scaler_count = 1};
    text_clear(&why);
    assert_int_equal(scaling_rollback(&options, &done, &why), ROLLBACK_RUNNING); /* it is us */
    spies.restore_failures = 0;
    memset(spies.log, 0, sizeof spies.log);
    scaling_free(scaling);
    assert_string_equal(spies.log, "undo2 undo1 ");
    assert_int_equal(scaling_rollback(&options, &done, &why), ROLLBACK_RUNNING);
    text_fini(&why);
    free(path);
    remove_directory(directory);
}

static void back_off_doubles_to_its_most(void **state)
{
    (void)state;
    struct backoff backoff = {.first_ns = 100, .most_ns = 500, .tries = 6};
    assert_int_equal(backoff_wait(&backoff, 1, 0), 50);
    assert_int_equal(backoff_wait(&backoff, 1, 1), 100);
    assert_int_equal(backoff_wait(&backoff, 2, 1), 200);
    assert_int_equal(backoff_wait(&backoff, 3, 1), 400);
    assert_int_equal(backoff_wait(&backoff, 4, 1), 500);
    assert_int_equal(backoff_wait(&backoff, 5, 0), 250);
    assert_int_equal(backoff_wait(&backoff, 6, 0), -1);
}

/* ---- the emergency stop ------------------------------------------------------------------- */

static void keep_finding(void *self, const struct safety_finding *finding)
{
    char *words = self;
    size_t used = strlen(words);
    snprintf(words + used, 512 - used, "%d:%s|", (int)finding->action, finding->words);
}

static void triggers_are_held_for_their_time_and_told_once(void **state)
{
    (void)state;
    struct plan_trigger triggers[] = {
        {.metric = SAFETY_ERRORS,
         .limit = 0.1,
         .hold_ns = NSEC_PER_SEC,
         .action = SAFETY_STOP,
         .least_requests = 10},
        {.metric = SAFETY_RESPONSE, .statistic = SAFETY_P95, .limit = 2, .action = SAFETY_REDUCE}};
    struct plan plan = {.triggers = triggers, .trigger_count = 2};
    struct safety *safety = safety_new(&plan);
    char words[512] = "";
    struct safety_figures figures = {
        .requests = 20, .error_share = 0.5, .response_s = {0.1, 0.1, 0.3, 0.3}};
    for (int i = 0; i < 10; i++) { /* 0.1 s apart: not yet a second */
        figures.at_ns = i * NSEC_PER_SEC / 10;
        safety_take(safety, &figures, keep_finding, words);
    }
    assert_string_equal(words, "");
    figures.requests = 9; /* too few say nothing, and break nothing */
    figures.at_ns = NSEC_PER_SEC;
    safety_take(safety, &figures, keep_finding, words);
    figures.requests = 20;
    figures.at_ns += NSEC_PER_SEC / 10;
    safety_take(safety, &figures, keep_finding, words);
    safety_take(safety, &figures, keep_finding, words);
    assert_string_equal(words, "3:error rate of the last second is 50 %, above 10 % for 1 s|");
    words[0] = '\0';
    figures.silence_s = 2.5; /* nothing comes back any more */
    figures.response_s[SAFETY_P95] = NAN;
    figures.at_ns += NSEC_PER_SEC / 10;
    safety_take(safety, &figures, keep_finding, words);
    assert_string_equal(words, "2:nothing was answered for 2.5 s, above 2 s|");
    safety_free(safety);
}

static void a_load_is_reduced_to_what_was_asked(void **state)
{
    (void)state;
    assert_float_equal(safety_share(10, 40, 0), 0.25, 1e-12);
    assert_float_equal(safety_share(50, 40, 0), 1, 1e-12);
    assert_float_equal(safety_share(0, 40, 30), 0.75, 1e-12);
    assert_float_equal(safety_share(0, 40, 0), 0.5, 1e-12);
    assert_float_equal(safety_share(0, 40, 50), 0.5, 1e-12); /* after a spike */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_journal_is_read_back),
        cmocka_unit_test(a_journal_cut_anywhere_tells_what_was_done),
        cmocka_unit_test(a_lock_is_held_by_one_and_given_back_by_death),
        cmocka_unit_test(growing_is_in_order_and_undoing_in_reverse),
        cmocka_unit_test(a_failure_undoes_what_was_begun),
        cmocka_unit_test(what_can_not_be_undone_is_said_and_finished_later),
        cmocka_unit_test(back_off_doubles_to_its_most),
        cmocka_unit_test(triggers_are_held_for_their_time_and_told_once),
        cmocka_unit_test(a_load_is_reduced_to_what_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
