/* The live picture: what several threads hand in is what the result says; phases that are excluded
 * stay out of the totals; accounts carry over; and the calls of other threads are safe. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

enum { INTERVALS = 8, REQUESTS = 400 };

static const struct metric load = {.name = "load", .kind = METRIC_GAUGE, .unit = "1"};

struct loop_thread {
    struct fixture *fix;
    struct recorder *recorder;
    struct tally_exchange exchange;
    uint32_t segment;
    pthread_t thread;
};

static void *loop_main(void *argument)
{
    struct loop_thread *self = argument;
    for (uint32_t i = 0; i < INTERVALS; i++) {
        hand_in(self->fix, &self->exchange, self->segment, i, REQUESTS);
        recorder_event(self->recorder, i * NSEC_PER_SEC, "stop", "word");
        recorder_sample(self->recorder, 0, &load, "cpu0", i * NSEC_PER_SEC, 10, 0.5);
    }
    return NULL;
}

static void run_threads(struct fixture *fix, struct recorder *recorder, uint32_t count)
{
    struct loop_thread *threads = memory_new(count, sizeof *threads);
    assert_int_equal(recorder_watched(recorder, "host", "generator", "cpu"), 0);
    for (uint32_t k = 0; k < count; k++) {
        threads[k] = (struct loop_thread){.fix = fix, .recorder = recorder, .segment = k};
        tally_exchange_init(&threads[k].exchange, &fix->metrics, k, FIX_REQUESTS, FIX_RULES);
        recorder_attach(recorder, &threads[k].exchange);
    }
    for (uint32_t k = 0; k < count; k++)
        assert_int_equal(pthread_create(&threads[k].thread, NULL, loop_main, &threads[k]), 0);
    for (int i = 0; i < 20; i++) { /* somebody looks at it meanwhile */
        struct result *result = recorder_result(recorder, i % 2 ? 0 : 2 * NSEC_PER_SEC);
        assert_true(result_hist(result->total, HIST_RESPONSE)->count <=
                    (uint64_t)count * INTERVALS * REQUESTS);
        result_free(result);
        usleep(3000);
    }
    for (uint32_t k = 0; k < count; k++)
        pthread_join(threads[k].thread, NULL);
    assert_int_equal(recorder_close(recorder), 0);
    for (uint32_t k = 0; k < count; k++)
        tally_exchange_fini(&threads[k].exchange);
    free(threads);
}

/* What one thread would count if it did everything itself. */
static struct tally_block *expected(const struct fixture *fix, struct tally_exchange *exchange,
                                    uint32_t threads, uint32_t first, uint32_t last)
{
    struct tally_block *block = ring_take(&exchange->empty);
    for (uint32_t k = 0; k < threads; k++)
        for (uint32_t i = first; i <= last; i++)
            fill_block(fix, block, k, i, REQUESTS);
    return block;
}

static void assert_sum_is(const struct result_sum *sum, const struct tally_block *block,
                          const struct metric_table *metrics)
{
    for (size_t m = 0; m < metrics->counter_count; m++) {
        uint64_t value = 0;
        for (size_t r = 0; r < FIX_REQUESTS; r++)
            value += block->requests[r].counters[m];
        assert_int_equal(sum->counters[m], value);
    }
    for (uint32_t m = 0; m < metrics->hist_count; m++) {
        struct hist *hist = memory_new(1, sizeof *hist);
        hist_init(hist);
        for (size_t r = 0; r < FIX_REQUESTS; r++)
            if (block->requests[r].hists[m])
                hist_merge(hist, block->requests[r].hists[m]);
        assert_hist_equal(result_hist(sum, m), hist);
        free(hist);
    }
    for (uint32_t code = 0; code < TALLY_STATUS_CODES; code++) {
        uint64_t value = 0;
        for (size_t r = 0; r < FIX_REQUESTS; r++)
            value += block->requests[r].status[code];
        assert_int_equal(result_status(sum, code), value);
    }
}

static void several_threads_sum_up(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct recorder *recorder = fixture_recorder(&fix, NULL);
    run_threads(&fix, recorder, 3);
    struct result *result = recorder_result(recorder, 0);
    assert_true(result->finished);

    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &fix.metrics, 0, FIX_REQUESTS, FIX_RULES);
    struct tally_block *counted = expected(&fix, &exchange, 3, 2, 5); /* levels 1 and 2 */
    assert_sum_is(result->total, counted, &fix.metrics);
    assert_int_equal(result->services[0].hits, counted->rules[0].hits);
    struct tally_block *warm = expected(&fix, &exchange, 3, 0, 1);
    assert_sum_is(result->phases[0].sum, warm, &fix.metrics);
    struct tally_block *second = expected(&fix, &exchange, 3, 1, 1);
    assert_sum_is(result->points[1].sum, second, &fix.metrics);

    assert_int_equal(result->total->begin_ns, 2 * NSEC_PER_SEC);
    assert_int_equal(result->total->end_ns, 6 * NSEC_PER_SEC);
    assert_int_equal(result->total->measured_ns, 4 * NSEC_PER_SEC);
    assert_int_equal(result->point_count, INTERVALS);
    assert_int_equal(result->points[1].phase, 0);
    assert_true(result->points[1].gauges[GAUGE_USERS] == 33); /* added up */
    assert_true(result->points[1].gauges[GAUGE_BUSY] > 0.29); /* the worst thread */
    assert_true(result->points[1].gauges[GAUGE_BUSY] < 0.31);
    assert_true(result->phases[1].users > 37.499 && result->phases[1].users < 37.501);
    assert_int_equal(result->event_count, 3 * INTERVALS);
    assert_int_equal(result->loop_lag->count, 3 * INTERVALS);
    assert_string_equal(result->requests[1].scenario, "main");
    assert_string_equal(result->requests[2].task, "browse");
    result_free(result);
    recorder_free(recorder);
    tally_exchange_fini(&exchange);
    fixture_fini(&fix);
}

static void a_window_has_the_last_points_and_all_totals(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct recorder *recorder = fixture_recorder(&fix, NULL);
    run_threads(&fix, recorder, 2);
    struct result *all = recorder_result(recorder, 0);
    struct result *last = recorder_result(recorder, 3 * NSEC_PER_SEC);
    assert_int_equal(all->point_count, 8);
    assert_int_equal(last->point_count, 3);
    assert_int_equal(last->points[0].begin_ns, 5 * NSEC_PER_SEC);
    assert_sum_equal(all->total, last->total, &fix.metrics);

    struct result_sum *window = result_window(all, 3 * NSEC_PER_SEC, 5 * NSEC_PER_SEC, UINT32_MAX);
    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &fix.metrics, 0, FIX_REQUESTS, FIX_RULES);
    assert_sum_is(window, expected(&fix, &exchange, 2, 3, 4), &fix.metrics);
    assert_int_equal(window->measured_ns, 2 * NSEC_PER_SEC);
    assert_int_equal(window->begin_ns, 3 * NSEC_PER_SEC);
    result_sum_free(window, &all->metrics);

    struct result_sum *one = result_window(all, 0, 8 * NSEC_PER_SEC, 1); /* warm-up is left out */
    assert_int_equal(one->measured_ns, 4 * NSEC_PER_SEC);
    assert_int_equal(one->counters[COUNT_OFFERED], all->requests[1].sum->counters[COUNT_OFFERED]);
    assert_hist_equal(result_hist(one, HIST_LAG), result_hist(all->requests[1].sum, HIST_LAG));
    result_sum_free(one, &all->metrics);

    struct result_sum *none = result_window(all, 90 * NSEC_PER_SEC, 99 * NSEC_PER_SEC, 0);
    assert_int_equal(none->measured_ns, 0);
    assert_int_equal(result_hist(none, HIST_LAG)->count, 0);
    result_sum_free(none, &all->metrics);
    tally_exchange_fini(&exchange);
    result_free(last);
    result_free(all);
    recorder_free(recorder);
    fixture_fini(&fix);
}

/* Levels at the end of each block, by hand: two threads, three phases. */
static void accounts_carry_from_phase_to_phase(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct recorder *recorder = fixture_recorder(&fix, NULL);
    struct tally_exchange exchange[2];
    static const double waiting[2][6] = {{1, 4, 2, 3, 9, 0}, {0, 2, 2, 5, 1, 0}};
    static const double flying[2][6] = {{7, 3, 1, 1, 2, 0}, {5, 5, 6, 0, 3, 0}};
    for (uint32_t k = 0; k < 2; k++) {
        tally_exchange_init(&exchange[k], &fix.metrics, k, FIX_REQUESTS, FIX_RULES);
        recorder_attach(recorder, &exchange[k]);
        double was_waiting = 0, was_flying = 0;
        for (uint32_t i = 0; i < 6; i++) {
            struct tally_block *block = ring_take(&exchange[k].empty);
            while (!block) {
                recorder_drain(recorder);
                block = ring_take(&exchange[k].empty);
            }
            block->phase = i / 2;
            block->first_interval = block->last_interval = i;
            block->begin_ns = i * NSEC_PER_SEC;
            block->end_ns = (i + 1) * NSEC_PER_SEC;
            block->gauges[GAUGE_WAITING] = waiting[k][i];
            block->gauges[GAUGE_IN_FLIGHT] = flying[k][i];
            /* 100 come due; what the gauges say remains of them. */
            uint64_t started = (uint64_t)(was_waiting + 100 - waiting[k][i]);
            tally_count(&block->requests[0], COUNT_OFFERED, 100);
            tally_count(&block->requests[0], COUNT_STARTED, started - 1);
            tally_count(&block->requests[0], COUNT_DROPPED, 1);
            tally_count(&block->requests[0], COUNT_SUCCEEDED,
                        (uint64_t)(was_flying + (double)started - 1 - flying[k][i]));
            was_waiting = waiting[k][i];
            was_flying = flying[k][i];
            assert_true(ring_put(&exchange[k].full, block));
        }
    }
    recorder_drain(recorder);
    struct result *result = recorder_result(recorder, 0);
    static const uint64_t wait_edge[] = {0, 6, 8, 0}, fly_edge[] = {0, 8, 1, 0};
    for (size_t p = 0; p < 3; p++) {
        const struct result_phase *phase = &result->phases[p];
        assert_int_equal(phase->waiting_begin, wait_edge[p]);
        assert_int_equal(phase->waiting_end, wait_edge[p + 1]);
        assert_int_equal(phase->in_flight_begin, fly_edge[p]);
        assert_int_equal(phase->in_flight_end, fly_edge[p + 1]);
        int64_t offered_off = 1, started_off = 1;
        assert_true(result_accounts_close(phase->sum, phase->waiting_begin, phase->waiting_end,
                                          phase->in_flight_begin, phase->in_flight_end,
                                          &offered_off, &started_off));
        assert_int_equal(offered_off, 0);
        assert_false(result_accounts_close(phase->sum, phase->waiting_begin + 2, phase->waiting_end,
                                           phase->in_flight_begin, phase->in_flight_end + 3,
                                           &offered_off, &started_off));
        assert_int_equal(offered_off, 2);
        assert_int_equal(started_off, -3);
    }
    result_free(result);
    recorder_free(recorder);
    tally_exchange_fini(&exchange[0]);
    tally_exchange_fini(&exchange[1]);
    fixture_fini(&fix);
}

static void words_fold_and_the_last_fact_wins(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct recorder *recorder = fixture_recorder(&fix, NULL);
    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &fix.metrics, 0, FIX_REQUESTS, FIX_RULES);
    recorder_attach(recorder, &exchange);
    for (int round = 0; round < 3; round++) {
        struct tally_block *block = ring_take(&exchange.empty);
        block->end_ns = NSEC_PER_SEC;
        for (int i = 0; i < 8; i++) {
            struct tally_example example = {.error = COUNT_ERROR_RESET};
            snprintf(example.words, sizeof example.words, "reset %d", i + round * 4);
            tally_example(block, example);
        }
        assert_true(ring_put(&exchange.full, block));
    }
    recorder_fact(recorder, "generator.verdict", "ok");
    recorder_fact(recorder, "generator.verdict", "saturated");
    recorder_saturated(recorder, 0, NSEC_PER_SEC / 2, "cpu");
    recorder_drain(recorder);
    struct result *result = recorder_result(recorder, 0);
    assert_int_equal(result->example_count, 10); /* of 16 different ones */
    assert_int_equal(result->examples[0].times, 1);
    assert_int_equal(result->examples[4].times, 2);
    assert_int_equal(result->examples[8].times, 2); /* 8: rounds 1 and 2 */
    assert_string_equal(result_fact(result, "generator.verdict"), "saturated");
    assert_null(result_fact(result, "nothing"));
    assert_true(result->points[0].saturated);
    result_free(result);
    recorder_free(recorder);
    tally_exchange_fini(&exchange);
    fixture_fini(&fix);
}

/* A run of many hours keeps a bounded number of points, and loses no count. */
static void long_runs_are_thinned(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct recorder *recorder = fixture_recorder(&fix, NULL);
    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &fix.metrics, 0, FIX_REQUESTS, FIX_RULES);
    recorder_attach(recorder, &exchange);
    for (uint32_t i = 0; i < 3 * RESULT_POINTS; i++) {
        recorder_drain(recorder);
        struct tally_block *block = ring_take(&exchange.empty);
        block->phase = 1;
        block->first_interval = block->last_interval = i;
        block->begin_ns = i * NSEC_PER_SEC;
        block->end_ns = (i + 1) * NSEC_PER_SEC;
        block->gauges[GAUGE_USERS] = 4;
        tally_count(&block->requests[i % 2], COUNT_OFFERED, 1);
        tally_time(&block->requests[i % 2], HIST_RESPONSE, 1000 * i);
        assert_true(ring_put(&exchange.full, block));
    }
    recorder_drain(recorder);
    struct result *result = recorder_result(recorder, 0);
    assert_true(result->point_count <= RESULT_POINTS);
    assert_true(result->point_count > RESULT_POINTS / 2);
    uint64_t offered = 0, timed = 0;
    nsec_t end = 0;
    for (size_t i = 0; i < result->point_count; i++) {
        const struct result_point *point = &result->points[i];
        assert_int_equal(point->begin_ns, end);
        end = point->end_ns;
        offered += point->sum->counters[COUNT_OFFERED];
        timed += result_hist(point->sum, HIST_RESPONSE)->count;
        uint64_t parts = 0;
        for (size_t r = 0; r < FIX_REQUESTS; r++)
            parts += point->requests[r] ? point->requests[r]->counters[COUNT_OFFERED] : 0;
        assert_int_equal(parts, point->sum->counters[COUNT_OFFERED]);
        assert_true(point->gauges[GAUGE_USERS] > 3.99 && point->gauges[GAUGE_USERS] < 4.01);
    }
    assert_int_equal(offered, 3 * RESULT_POINTS);
    assert_int_equal(timed, 3 * RESULT_POINTS);
    result_free(result);
    recorder_free(recorder);
    tally_exchange_fini(&exchange);
    fixture_fini(&fix);
}

static void a_path_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct recorder *recorder = NULL;
    char path[256];
    snprintf(path, sizeof path, "%s/none/run.plim", fix.directory);
    assert_int_equal(recorder_new(&recorder, path, &fix.run), -ENOENT);
    int descriptor = open(fix.path, O_CREAT | O_WRONLY, 0644);
    assert_int_equal(write(descriptor, "mine", 4), 4);
    close(descriptor);
    assert_int_equal(recorder_new(&recorder, fix.path, &fix.run), -EEXIST);
    struct stat kept;
    assert_int_equal(stat(fix.path, &kept), 0);
    assert_int_equal(kept.st_size, 4); /* untouched */
    assert_null(recorder);
    fixture_fini(&fix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_threads_sum_up),
        cmocka_unit_test(a_window_has_the_last_points_and_all_totals),
        cmocka_unit_test(accounts_carry_from_phase_to_phase),
        cmocka_unit_test(words_fold_and_the_last_fact_wins),
        cmocka_unit_test(long_runs_are_thinned),
        cmocka_unit_test(a_path_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
