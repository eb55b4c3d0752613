/* The command line: values go where they belong, mistakes are named, the help is whole. */
#include "testbed/options.h"

#include "testbed/faults.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 16 };

static int read_line(const char *line, struct command_line *out, char words[256])
{
    char copy[512], *arguments[MOST], *rest = NULL;
    int count = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        arguments[count++] = word;
    words[0] = '\0';
    return options_read(out, count, arguments, words, 256);
}

static void values_arrive(void **state)
{
    struct command_line line;
    char words[256];
    (void)state;
    assert_int_equal(read_line("--law mmc --servers=2 --service-ms 0.5 --queue-limit 10 "
                               "--queue-full 429 --seed 9 --port 0",
                               &line, words),
                     0);
    assert_int_equal(line.testbed.law.kind, LAW_MMC);
    assert_int_equal(line.testbed.law.servers, 2);
    assert_int_equal(line.testbed.law.service_ns, 500000);
    assert_int_equal(line.testbed.law.queue_limit, 10);
    assert_int_equal(line.testbed.law.full_status, 429);
    assert_int_equal(line.testbed.law.seed, 9);
    assert_int_equal(line.testbed.fault.seed, 9);
    assert_int_equal(
        read_line("--error-rate 1% --slow-bytes 3 --service-ms 2s --stamp-tokens", &line, words),
        0);
    assert_true(fabs(line.testbed.fault.error_rate - 0.01) < 1e-12);
    assert_true(fabs(line.testbed.fault.slow_rate - 0.99) < 1e-12);
    assert_int_equal(line.testbed.law.service_ns, 2 * NSEC_PER_SEC);
    assert_true(line.testbed.chat.stamp);
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *line, *words;
    } rows[] = {
        {"--servces 2", "unknown option --servces; did you mean --servers?"},
        {"--servers", "--servers needs a whole number"},
        {"--servers two", "--servers needs a whole number; it is \"two\""},
        {"--law mm1",
         "--law needs one of none, fixed, exponential, mmc, md1, batching; it is \"mm1\""},
        {"--queue-full 404", "--queue-full needs 429 or 503; it is \"404\""},
        {"--error-rate 1.5", "--error-rate needs a share from 0 to 1, such as 0.01 or 1%; it is "
                             "\"1.5\""},
        {"--error-rate 0.6 --reset-rate 0.6",
         "the shares of faults add up to 1.2; a request has at most one"},
        {"--slow-rate 0.5", "--slow-rate needs --slow-bytes N"},
        {"--port 65536", "--port needs a port from 0 to 65535; it is \"65536\""},
        {"--stamp-tokens=1", "--stamp-tokens takes no value"},
        {"--slots 0", "--slots must be at least 1"},
        {"8000", "8000 is not an option; see --help"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct command_line line;
        char words[256];
        assert_true(read_line(rows[i].line, &line, words) < 0);
        assert_string_equal(words, rows[i].words);
    }
}

static void fits(const char *help)
{
    size_t lines = 0, column = 0;
    for (const char *c = help; *c; c++) {
        column = *c == '\n' ? 0 : column + 1;
        lines += *c == '\n';
        assert_true(column <= 100);
    }
    assert_true(lines <= 24);
}

/* Helps that fit a screen each: 24 lines of at most 100 columns, and no option missing in all. */
static void help_is_whole_and_fits(void **state)
{
    (void)state;
    fits(options_help());
    fits(options_help_platform());
    fits(options_help_limits());
    for (size_t i = 0; options_name(i); i++) {
        char dashed[64];
        snprintf(dashed, sizeof dashed, "--%s", options_name(i));
        if (!strstr(options_help(), dashed) && !strstr(options_help_platform(), dashed) &&
            !strstr(options_help_limits(), dashed))
            fail_msg("%s is not in the help", dashed);
    }
}

/* A preset comes first wherever it stands; ports move together; --port 0 frees them all. */
static void presets_are_changed_by_options(void **state)
{
    struct command_line line;
    char words[256];
    (void)state;
    assert_int_equal(read_line("--slots 3 --preset requirements --port-offset 10000", &line, words),
                     0);
    assert_int_equal(line.testbed.batching.slots, 3);
    assert_int_equal(line.testbed.law.kind, LAW_BATCHING);
    assert_int_equal(line.testbed.listen.port, 18000);
    assert_int_equal(line.testbed.listen.more_count, 3);
    assert_int_equal(line.testbed.listen.more[0].port, 18002);
    assert_int_equal(line.testbed.listen.more[2].port, 16333);
    assert_int_equal(read_line("--preset=requirements --port 0", &line, words), 0);
    assert_int_equal(line.testbed.listen.more[1].port, 0);
    assert_int_equal(read_line("--preset l4-gemma3-4b --replicas 10", &line, words), 0);
    assert_int_equal(line.testbed.batching.replicas, 10);
    assert_int_equal(line.testbed.chat.tokens, 48);
    assert_true(read_line("--preset slow", &line, words) < 0);
    assert_string_equal(words,
                        "--preset needs one of fast, requirements, l4-gemma3-4b; it is \"slow\"");
    assert_true(read_line("--preset requirements --port-offset 60000", &line, words) < 0);
    assert_string_equal(words, "--port-offset moves port 8000 above 65535");
}

/* Each fault strikes its share: within 4 standard deviations, for a fixed seed. */
static void faults_have_their_shares(void **state)
{
    enum { COUNT = 100000 };
    struct fault_options options = {.error_rate = 0.1,
                                    .reset_rate = 0.05,
                                    .stall_rate = 0.02,
                                    .truncate_rate = 0.2,
                                    .malformed_rate = 0.01,
                                    .slow_rate = 0.03,
                                    .seed = 5};
    const double shares[] = {0.59, 0.1, 0.05, 0.02, 0.2, 0.01, 0.03};
    size_t counts[7] = {0};
    struct faults faults;
    (void)state;
    faults_init(&faults, &options);
    for (uint64_t n = 0; n < COUNT; n++) {
        enum fault fault = faults_at(&faults, n);
        assert_int_equal(faults_draw(&faults), fault);
        counts[fault]++;
    }
    for (size_t i = 0; i < 7; i++) {
        double deviation = sqrt(COUNT * shares[i] * (1 - shares[i]));
        assert_true(fabs((double)counts[i] - COUNT * shares[i]) < 4 * deviation);
    }
    assert_int_equal(faults.struck, COUNT - counts[FAULT_NONE]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(presets_are_changed_by_options),
        cmocka_unit_test(help_is_whole_and_fits),
        cmocka_unit_test(faults_have_their_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
