/* Quantities: what is read, what is refused, and how each size is written. */
#include "base/unit.h"

#include "base/random.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)

static nsec_t duration(const char *words)
{
    nsec_t ns = -1;
    if (unit_read_duration(span_of(words), NSEC_PER_SEC, &ns) != 0)
        fail_msg("not read as a duration: %s", words);
    return ns;
}

static void durations_are_read(void **state)
{
    (void)state;
    assert_int_equal(duration("250ms"), 250 * NSEC_PER_MSEC);
    assert_int_equal(duration("2s"), 2 * NSEC_PER_SEC);
    assert_int_equal(duration("1m30s"), 90 * NSEC_PER_SEC);
    assert_int_equal(duration("1h"), HOUR);
    assert_int_equal(duration("90"), 90 * NSEC_PER_SEC);
    assert_int_equal(duration("1.5s"), 1500 * NSEC_PER_MSEC);
    assert_int_equal(duration("2 min"), 2 * MINUTE);
    assert_int_equal(duration(" 1 h 30 m "), HOUR + 30 * MINUTE);
    assert_int_equal(duration("1h5m2s3ms4us5ns"),
                     HOUR + 5 * MINUTE + 2 * NSEC_PER_SEC + 3 * NSEC_PER_MSEC + 4005);
    assert_int_equal(duration("7\xc2\xb5s"), 7000);
    assert_int_equal(duration("7\xce\xbcs"), 7000);
    assert_int_equal(duration("0s"), 0);
    assert_int_equal(duration("0"), 0);
    assert_int_equal(duration(".5ms"), 500000);
    assert_int_equal(duration("1e3s"), 1000 * NSEC_PER_SEC);
    assert_int_equal(duration("1 day"), 24 * HOUR);
    assert_int_equal(duration("0.4ns"), 0);
    assert_int_equal(duration("0.6ns"), 1);
    assert_int_equal(duration("9223372036854775807ns"), INT64_MAX);
}

static void odd_durations_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",      " ",     "s",    "-5s",   "+5s",   "5 parsecs",
                                        "1m30",  "30s1m", "5s5s", "5s,",   "1,5s",  "0x5s",
                                        "1..5s", "1.5.s", "5S",   "5Min",  "inf",   "nan",
                                        "5 s.",  "e5s",   ".s",   "5smin", "1h-5m", "5s\x01"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        nsec_t ns = -7;
        if (unit_read_duration(span_of(wrong[i]), NSEC_PER_SEC, &ns) != -EINVAL)
            fail_msg("not refused: \"%s\"", wrong[i]);
        assert_int_equal(ns, -7);
    }
    nsec_t ns = -7;
    assert_int_equal(unit_read_duration(SPAN("5\0s"), NSEC_PER_SEC, &ns), -EINVAL);
    assert_int_equal(unit_read_duration(SPAN("90"), 0, &ns), -EINVAL);
    assert_int_equal(unit_read_duration(SPAN("9223372036854775808ns"), 0, &ns), -ERANGE);
    assert_int_equal(unit_read_duration(SPAN("300000h"), 0, &ns), 0);
    ns = -7;
    assert_int_equal(unit_read_duration(SPAN("200000d"), 0, &ns), -ERANGE);
    assert_int_equal(unit_read_duration(SPAN("2562047h 60m"), 0, &ns), -ERANGE);
    assert_int_equal(unit_read_duration(SPAN("1e4000s"), 0, &ns), -ERANGE);
    assert_int_equal(unit_read_duration(SPAN("1e999999s"), 0, &ns), -ERANGE);
    assert_int_equal(ns, -7);
}

/* A span is not ended by a zero: what stands behind it must not be read. */
static void only_the_span_is_read(void **state)
{
    (void)state;
    char *exact = malloc(3);
    assert_non_null(exact);
    exact[0] = '1';
    exact[1] = '5';
    exact[2] = 's';
    nsec_t ns = 0;
    double number = 0;
    uint64_t bytes = 0;
    assert_int_equal(unit_read_duration((struct span){exact, 3}, 0, &ns), 0);
    assert_int_equal(ns, 15 * NSEC_PER_SEC);
    assert_int_equal(unit_read_real((struct span){exact, 2}, &number), 0);
    assert_true(number == 15);
    assert_int_equal(unit_read_bytes((struct span){exact, 1}, &bytes), 0);
    assert_int_equal(bytes, 1);
    free(exact);
}

static void sizes_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        uint64_t bytes;
    } right[] = {
        {"1024", 1024},
        {"64KiB", 65536},
        {"1.5 MB", 1500000},
        {"2G", UINT64_C(2000000000)},
        {"2GiB", UINT64_C(2) << 30},
        {"2 gib", UINT64_C(2) << 30},
        {"512Mi", UINT64_C(512) << 20},
        {"10 B", 10},
        {"0", 0},
        {"1T", UINT64_C(1000000000000)},
        {"0.1KiB", 102},
        {"18446744073709551615", UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        uint64_t bytes = 1;
        assert_int_equal(unit_read_bytes(span_of(right[i].words), &bytes), 0);
        assert_int_equal(bytes, right[i].bytes);
    }
    uint64_t bytes = 7;
    assert_int_equal(unit_read_bytes(SPAN("1.5"), &bytes), -EINVAL);
    assert_int_equal(unit_read_bytes(SPAN("1 KiB 5"), &bytes), -EINVAL);
    assert_int_equal(unit_read_bytes(SPAN("-1"), &bytes), -EINVAL);
    assert_int_equal(unit_read_bytes(SPAN("1 MBit"), &bytes), -EINVAL);
    assert_int_equal(unit_read_bytes(SPAN(""), &bytes), -EINVAL);
    assert_int_equal(unit_read_bytes(SPAN("18446744073709551616"), &bytes), -ERANGE);
    assert_int_equal(unit_read_bytes(SPAN("16777216TiB"), &bytes), -ERANGE);
    assert_int_equal(bytes, 7);
}

static void assert_rate(const char *words, double expected)
{
    double rate = -1;
    assert_int_equal(unit_read_rate(span_of(words), &rate), 0);
    assert_true(fabs(rate - expected) <= expected * 1e-15);
}

static void rates_are_read(void **state)
{
    (void)state;
    assert_rate("10/s", 10);
    assert_rate("600/min", 10);
    assert_rate("5/m", 5.0 / 60);
    assert_rate("2/h", 2.0 / 3600);
    assert_rate("10", 10);
    assert_rate("10 rps", 10);
    assert_rate("2.5 / s", 2.5);
    assert_rate("0", 0);
    double rate = 7;
    assert_int_equal(unit_read_rate(SPAN("10/"), &rate), -EINVAL);
    assert_int_equal(unit_read_rate(SPAN("10/day"), &rate), -EINVAL);
    assert_int_equal(unit_read_rate(SPAN("10 s"), &rate), -EINVAL);
    assert_int_equal(unit_read_rate(SPAN("10/rps"), &rate), -EINVAL);
    assert_int_equal(unit_read_rate(SPAN("-10/s"), &rate), -EINVAL);
    assert_int_equal(unit_read_rate(SPAN("10/s/s"), &rate), -EINVAL);
    assert_int_equal(unit_read_rate(SPAN("1e999/s"), &rate), -ERANGE);
    assert_true(rate == 7);
}

static void shares_are_read(void **state)
{
    (void)state;
    double share = 0;
    assert_int_equal(unit_read_share(SPAN("1%"), &share), 0);
    assert_true(share == 0.01);
    assert_int_equal(unit_read_share(SPAN("0.01"), &share), 0);
    assert_true(share == 0.01);
    assert_int_equal(unit_read_share(SPAN("99.95 %"), &share), 0);
    assert_true(share == 0.9995);
    assert_int_equal(unit_read_share(SPAN("150%"), &share), 0);
    assert_true(share == 1.5);
    share = 7;
    assert_int_equal(unit_read_share(SPAN("1%%"), &share), -EINVAL);
    assert_int_equal(unit_read_share(SPAN("% 1"), &share), -EINVAL);
    assert_int_equal(unit_read_share(SPAN("-1%"), &share), -EINVAL);
    assert_int_equal(unit_read_share(SPAN("one"), &share), -EINVAL);
    assert_true(share == 7);
}

static void reals_are_read(void **state)
{
    (void)state;
    static const char *const right[] = {"0",           "-0.5",
                                        "+3",          "1e-3",
                                        ".25",         "12.",
                                        "1E5",         "0.1",
                                        "123456789.1", "2.2250738585072014e-308",
                                        "1e308",       "0e0",
                                        "-1e-9",       "9007199254740993"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        double number = NAN;
        assert_int_equal(unit_read_real(span_of(right[i]), &number), 0);
        assert_true(number == strtod(right[i], NULL));
    }
    static const char *const wrong[] = {"",    "-",   "+-1", "1e",    "1e+", "0x10", "inf",
                                        "nan", "1 2", "1,5", "1.2.3", "--1", "1s",   "- 1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        double number = 7;
        if (unit_read_real(span_of(wrong[i]), &number) != -EINVAL)
            fail_msg("not refused: \"%s\"", wrong[i]);
        assert_true(number == 7);
    }
    double number = 7;
    assert_int_equal(unit_read_real(SPAN("-1e999"), &number), -ERANGE);
    assert_true(number == 7);
}

/* Every double written with 17 digits comes back as the same double. */
static void reals_come_back_exactly(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        union {
            uint64_t bits;
            double number;
        } drawn = {.bits = random_bits_at(11, i)};
        if (!isfinite(drawn.number))
            continue;
        char words[40];
        snprintf(words, sizeof words, "%.17g", drawn.number);
        double back = 0;
        assert_int_equal(unit_read_real(span_of(words), &back), 0);
        assert_true(back == drawn.number);
    }
}

static void durations_are_written(void **state)
{
    (void)state;
    static const struct {
        nsec_t ns;
        const char *words;
    } rows[] = {
        {0, "0 s"},
        {1, "1 ns"},
        {850, "850 ns"},
        {999, "999 ns"},
        {1000, "1 \xc2\xb5s"},
        {1004, "1.00 \xc2\xb5s"},
        {12345, "12.3 \xc2\xb5s"},
        {999499, "999 \xc2\xb5s"},
        {999500, "1.00 ms"},
        {4560000, "4.56 ms"},
        {4500000, "4.5 ms"},
        {1210000000, "1.21 s"},
        {1999999999, "2.00 s"},
        {2 * NSEC_PER_SEC, "2 s"},
        {30 * NSEC_PER_SEC, "30 s"},
        {59940000000, "59.9 s"},
        {59950000000, "1m 00s"},
        {MINUTE, "1m"},
        {134 * NSEC_PER_SEC, "2m 14s"},
        {134 * NSEC_PER_SEC + 400000000, "2m 14s"},
        {5 * MINUTE, "5m"},
        {HOUR - 1, "1h 00m"},
        {HOUR, "1h"},
        {HOUR + 5 * MINUTE, "1h 05m"},
        {47 * HOUR + 59 * MINUTE, "47h 59m"},
        {52 * HOUR, "2d 04h"},
        {-4560000, "-4.56 ms"},
        {NSEC_NEVER, "never"},
        {NSEC_NEVER - 1, "106752d 00h"},
        {INT64_MIN, "-106752d 00h"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[UNIT_ROOM];
        assert_ptr_equal(unit_write_duration(out, rows[i].ns), out);
        assert_string_equal(out, rows[i].words);
    }
}

/* What is written of a duration, read again, is off by at most half of the last digit. */
static void durations_read_as_written(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 50000; i++) {
        uint64_t bits = random_bits_at(12, i);
        nsec_t ns = (nsec_t)(bits >> (1 + bits % 63)), back = 0;
        char out[UNIT_ROOM];
        assert_int_equal(unit_read_duration(span_of(unit_write_duration(out, ns)), 0, &back), 0);
        double off = fabs((double)back - (double)ns), most = 0.5 * NSEC_PER_SEC;
        if (ns >= 48 * HOUR - 30 * NSEC_PER_SEC)
            most = 0.5 * (double)HOUR;
        else if (ns >= HOUR - NSEC_PER_SEC / 2)
            most = 0.5 * (double)MINUTE;
        else if (ns < MINUTE - 50 * NSEC_PER_MSEC)
            most = 0.005 * (double)ns + 0.5;
        if (off > most)
            fail_msg("%lld ns is written \"%s\"", (long long)ns, out);
    }
}

static void assert_number(double number, const char *words)
{
    char out[UNIT_ROOM];
    assert_string_equal(unit_write_number(out, number), words);
}

static void numbers_are_written(void **state)
{
    (void)state;
    assert_number(0, "0");
    assert_number(-0.0, "0");
    assert_number(7.41, "7.41");
    assert_number(7.414, "7.41");
    assert_number(7, "7");
    assert_number(7.0001, "7.00");
    assert_number(9.996, "10.0");
    assert_number(442, "442");
    assert_number(442.4, "442");
    assert_number(999.6, "1,000");
    assert_number(1234, "1,234");
    assert_number(12345, "12,345");
    assert_number(12345678.9, "12,345,679");
    assert_number(0.5, "0.5");
    assert_number(0.0123, "0.0123");
    assert_number(0.01234, "0.0123");
    assert_number(0.000123, "0.000123");
    assert_number(0.00001, "1e-05");
    assert_number(-7.5, "-7.5");
    assert_number(1e15, "1,000,000,000,000,000");
    assert_number(2e25, "2e+25");
    assert_number(DBL_MAX, "2e+308");
    assert_number(INFINITY, "infinite");
    assert_number(-INFINITY, "-infinite");
    assert_number(NAN, "unknown");
    char out[UNIT_ROOM];
    assert_string_equal(unit_write_count(out, 0), "0");
    assert_string_equal(unit_write_count(out, 999), "999");
    assert_string_equal(unit_write_count(out, 1000), "1,000");
    assert_string_equal(unit_write_count(out, 1234567), "1,234,567");
    assert_string_equal(unit_write_count(out, UINT64_MAX), "18,446,744,073,709,551,615");
}

static void sizes_are_written(void **state)
{
    (void)state;
    static const struct {
        double bytes;
        const char *words;
    } rows[] = {
        {0, "0 B"},
        {512, "512 B"},
        {1023, "1,023 B"},
        {1024, "1 KiB"},
        {1536, "1.5 KiB"},
        {1537, "1.50 KiB"},
        {23.4 * 1048576, "23.4 MiB"},
        {1048575, "1.00 MiB"},
        {0x1p60, "1 EiB"},
        {0x1p80, "1,048,576 EiB"},
        {-2048, "-2 KiB"},
        {NAN, "unknown"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[UNIT_ROOM];
        assert_ptr_equal(unit_write_bytes(out, rows[i].bytes), out);
        assert_string_equal(out, rows[i].words);
    }
}

static void shares_are_written(void **state)
{
    (void)state;
    static const struct {
        double share;
        const char *words;
    } rows[] = {
        {0, "0 %"},
        {1, "100 %"},
        {0.003, "0.3 %"},
        {0.00304, "0.30 %"},
        {0.12, "12 %"},
        {0.5, "50 %"},
        {0.1234, "12.3 %"},
        {0.9995, "99.95 %"},
        {0.99999, "99.999 %"},
        {0.9999999, "99.999 %"},
        {0.0000123, "0.0012 %"},
        {1.5, "150 %"},
        {0.0996, "9.96 %"},
        {0.09999, "10.0 %"},
        {12.345, "1,235 %"},
        {1e-9, "1e-07 %"},
        {-0.05, "-5 %"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[UNIT_ROOM];
        assert_ptr_equal(unit_write_share(out, rows[i].share), out);
        assert_string_equal(out, rows[i].words);
    }
}

/* The library may run in a program that set a locale with a decimal comma. */
static void the_locale_does_not_matter(void **state)
{
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "nl_NL.UTF-8"};
    const char *set = NULL;
    for (size_t i = 0; !set && i < sizeof commas / sizeof *commas; i++)
        set = setlocale(LC_ALL, commas[i]);
    if (!set) {
        print_message("skipped: no locale with a decimal comma is installed here\n");
        skip();
    }
    reals_are_read(state);
    numbers_are_written(state);
    durations_are_written(state);
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read),    cmocka_unit_test(odd_durations_are_refused),
        cmocka_unit_test(only_the_span_is_read), cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(rates_are_read),        cmocka_unit_test(shares_are_read),
        cmocka_unit_test(reals_are_read),        cmocka_unit_test(reals_come_back_exactly),
        cmocka_unit_test(durations_are_written), cmocka_unit_test(durations_read_as_written),
        cmocka_unit_test(numbers_are_written),   cmocka_unit_test(sizes_are_written),
        cmocka_unit_test(shares_are_written),    cmocka_unit_test(the_locale_does_not_matter),
    };
    return cmocka_run_group_tests_name("base/unit", tests, NULL, NULL);
}
