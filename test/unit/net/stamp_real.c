/* The kernel's stamps: the time of receipt is that of the arrival, however late one reads. */
#include "base/clock.h"
#include "base/list.h"
#include "net/stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { LATE_MS = 100, TRIES = 50 };

struct pair {
    struct loop *loop;
    struct listener listener;
    struct stream here, there;
    bool accepted;
};

static void ready(struct stream *stream, unsigned what)
{
    (void)stream;
    (void)what;
}

static void accepted(struct listener *listener)
{
    struct pair *pair = list_entry(listener, struct pair, listener);
    pair->accepted = listener_accept(listener, &pair->there, ready) == 0;
}

static void open_pair(struct pair *pair)
{
    struct net_address any, at;
    assert_int_equal(loop_new(&pair->loop), 0);
    assert_int_equal(net_address_read("127.0.0.1", 0, &any), 0);
    assert_int_equal(listener_open(&pair->listener, pair->loop, &any, 8, false, accepted), 0);
    listener_address(&pair->listener, &at);
    assert_int_equal(stream_connect(&pair->here, pair->loop, &at, NULL, ready), 0);
    for (int turn = 0; turn < 100 && (!pair->accepted || pair->here.connecting); turn++)
        loop_turn(pair->loop, clock_monotonic_ns() + 10 * NSEC_PER_MSEC);
    assert_true(pair->accepted && !pair->here.connecting);
}

static void close_pair(struct pair *pair)
{
    stream_close(&pair->here, false);
    stream_close(&pair->there, false);
    listener_close(&pair->listener);
    loop_free(pair->loop);
}

static void rest_ms(long ms)
{
    struct timespec span = {.tv_nsec = ms * NSEC_PER_MSEC};
    nanosleep(&span, NULL);
}

/* Sends a word, reads it LATE_MS later. Returns how long after the sending it is said to have come.
 */
static nsec_t said_after(struct pair *pair, enum rx_source *source)
{
    char word[] = "token", got[16];
    nsec_t rx_ns = 0, sent_ns = clock_monotonic_ns();
    assert_int_equal(stream_write(&pair->there, word, sizeof word), sizeof word);
    rest_ms(LATE_MS);
    assert_int_equal(stream_read(&pair->here, got, sizeof got, &rx_ns, source), sizeof word);
    assert_string_equal(got, word);
    return rx_ns - sent_ns;
}

static void a_late_reader_still_knows_when_it_came(void **state)
{
    (void)state;
    struct pair pair = {0};
    enum rx_source source = RX_READ;
    nsec_t after_ns = 0;
    open_pair(&pair);
    stream_stamp(&pair.here);
    for (int tries = 0; tries < TRIES && source == RX_READ; tries++)
        after_ns = said_after(&pair, &source); /* the kernel's first stamps may take a moment */
    assert_int_equal(source, RX_KERNEL);
    assert_in_range(after_ns, 0, LATE_MS * NSEC_PER_MSEC / 2);
    close_pair(&pair);
}

static void without_stamps_it_is_the_time_of_reading(void **state)
{
    (void)state;
    struct pair pair = {0};
    enum rx_source source = RX_KERNEL;
    open_pair(&pair);
    assert_true(said_after(&pair, &source) >= LATE_MS * NSEC_PER_MSEC);
    assert_int_equal(source, RX_READ);
    close_pair(&pair);
}

static void the_end_and_nothing_there_have_no_time(void **state)
{
    (void)state;
    struct pair pair = {0};
    enum rx_source source = RX_READ;
    char got[4];
    nsec_t rx_ns = -7;
    open_pair(&pair);
    stream_stamp(&pair.here);
    assert_int_equal(stream_read(&pair.here, got, sizeof got, &rx_ns, &source), -EAGAIN);
    assert_int_equal(rx_ns, -7);
    stream_close(&pair.there, false);
    rest_ms(20);
    assert_int_equal(stream_read(&pair.here, got, sizeof got, &rx_ns, &source), 0);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_reader_still_knows_when_it_came),
        cmocka_unit_test(without_stamps_it_is_the_time_of_reading),
        cmocka_unit_test(the_end_and_nothing_there_have_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
