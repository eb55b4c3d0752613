/* The live line and panel: what they say, and that the panel takes back what it drew. */
#include "show/live.h"

#include "base/memory.h"
#include "fixture.h"
#include "show/sparkline.h"
#include "show/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct run_progress progress_of(const struct result *result)
{
    return (struct run_progress){.recent = result,
                                 .whole = result,
                                 .elapsed_ns = 35 * NSEC_PER_SEC,
                                 .planned_ns = 3675 * NSEC_PER_SEC,
                                 .phase = 2,
                                 .generator = "ok (cpu 11 %)"};
}

static void test_line(void **state)
{
    (void)state;
    const struct show_options options = {.columns = 80};
    for (int kind = 0; kind < FIXTURE_KINDS; kind++) {
        struct result *result = fixture_result((enum fixture_kind)kind);
        struct run_progress progress = progress_of(result);
        struct text out = TEXT_EMPTY;
        show_live_line(&progress, &options, &out);
        assert_non_null(strstr(out.at, "0:35 of 1:01:15   level 2 of 3: 50 users"));
        assert_null(strstr(out.at, "nan"));
        assert_ptr_equal(strchr(out.at, '\n'), out.at + out.bytes - 1); /* one line */
        assert_null(strchr(out.at, '\x1b'));
        text_fini(&out);
        result_free(result);
    }
}

/* A phase that is called "50 users" does not say them twice. */
static void test_line_says_users_once(void **state)
{
    (void)state;
    const struct show_options options = {.columns = 80};
    struct result *result = fixture_result(0);
    struct run_progress progress = progress_of(result);
    struct result_phase *phase = &result->phases[progress.phase];
    struct text out = TEXT_EMPTY;
    result->points[result->point_count - 1].gauges[GAUGE_USERS] = 50;
    free(phase->name);
    phase->name = memory_copy_text("50 users");
    show_live_line(&progress, &options, &out);
    assert_non_null(strstr(out.at, "0:35 of 1:01:15   50 users   "));
    assert_null(strstr(strstr(out.at, "50 users") + 1, "50 users"));
    text_clear(&out);
    result->points[result->point_count - 1].gauges[GAUGE_USERS] = 1;
    free(phase->name);
    phase->name = memory_copy_text("1 user");
    show_live_line(&progress, &options, &out);
    assert_non_null(strstr(out.at, "0:35 of 1:01:15   1 user   "));
    assert_null(strstr(out.at, "1 users"));
    text_fini(&out);
    result_free(result);
}

/* Past its planned time a run waits for what is in flight, and says so. */
static void test_line_finishing(void **state)
{
    (void)state;
    const struct show_options options = {.columns = 80};
    struct result *result = fixture_result(0);
    struct run_progress progress = progress_of(result);
    struct text out = TEXT_EMPTY;
    progress.planned_ns = 30 * NSEC_PER_SEC;
    result->points[result->point_count - 1].gauges[GAUGE_IN_FLIGHT] = 5;
    show_live_line(&progress, &options, &out);
    assert_non_null(strstr(out.at, "0:35 of 0:30   finishing: 5 in flight   "));
    text_fini(&out);
    result_free(result);
}

static size_t count_of(const char *words, const char *part)
{
    size_t count = 0;
    for (const char *at = words; (at = strstr(at, part)); at++)
        count++;
    return count;
}

static void test_panel(void **state)
{
    (void)state;
    const struct show_options options = {.columns = 60};
    struct result *result = fixture_result(FIXTURE_HOSTILE);
    struct run_progress progress = progress_of(result);
    struct live_panel panel = {.lines = 0};
    struct text out = TEXT_EMPTY;
    show_live_panel(&panel, &progress, &options, &out);
    assert_int_equal(panel.lines, count_of(out.at, "\n"));
    assert_int_equal(count_of(out.at, "\x1b"), panel.lines); /* only its own: clear the line */
    for (char *line = strtok(out.at, "\n"); line; line = strtok(NULL, "\n"))
        assert_true(words_width(line) - strlen("\x1b[2K") < 60);
    text_clear(&out);

    char up[16];
    snprintf(up, sizeof up, "\x1b[%uA", panel.lines);
    show_live_panel(&panel, &progress, &options, &out);
    assert_int_equal(strncmp(out.at, up, strlen(up)), 0);
    text_clear(&out);
    show_live_clear(&panel, &out);
    assert_int_equal(panel.lines, 0);
    text_clear(&out);
    show_live_clear(&panel, &out);
    assert_int_equal(out.bytes, 0); /* nothing to take back twice */
    text_fini(&out);
    result_free(result);
}

/* What a machine does not have is no news: the event before it is shown. */
static void test_panel_shows_news(void **state)
{
    (void)state;
    const struct show_options options = {.columns = 80};
    struct result *result = fixture_result(FIXTURE_WHOLE);
    struct run_progress progress = progress_of(result);
    struct live_panel panel = {.lines = 0};
    struct text out = TEXT_EMPTY;
    struct result_event *last = &result->events[result->event_count - 1];
    static const char *const kinds[] = {"warning", "unobserved", "absent"};
    for (size_t i = 0; i < 3; i++) {
        free(last->kind);
        free(last->words);
        last->kind = memory_copy_text(kinds[i]);
        last->words = memory_copy_text("no counters here");
        show_live_panel(&panel, &progress, &options, &out);
        assert_int_equal(strstr(out.at, "no counters here") != NULL, i == 0);
        assert_non_null(strstr(out.at, "  ! "));
        text_clear(&out);
    }
    text_fini(&out);
    result_free(result);
}

static void test_sparkline(void **state)
{
    (void)state;
    struct text out = TEXT_EMPTY;
    const double values[] = {0, 7, 3.5, (double)NAN, 1};
    sparkline_put(values, 5, &out);
    assert_string_equal(out.at, "▁█▅ ▂");
    text_clear(&out);
    const double zeros[] = {0, 0};
    sparkline_put(zeros, 2, &out);
    assert_string_equal(out.at, "▁▁");
    text_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),           cmocka_unit_test(test_line_says_users_once),
        cmocka_unit_test(test_line_finishing), cmocka_unit_test(test_panel_shows_news),
        cmocka_unit_test(test_panel),          cmocka_unit_test(test_sparkline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
