/* Blocks: what is counted is there, clearing leaves nothing, merging is adding, examples are fair
 * to rare kinds of errors. And the table of metrics is complete. */
#include "fixture.h"

static void every_core_metric_is_declared(void **state)
{
    (void)state;
    const struct {
        const struct metric *rows;
        size_t count;
        enum metric_kind kind;
    } tables[] = {{core_counters, CORE_COUNTERS, METRIC_COUNTER},
                  {core_hists, CORE_HISTS, METRIC_HISTOGRAM},
                  {core_gauges, CORE_GAUGES, METRIC_GAUGE}};
    for (size_t t = 0; t < 3; t++)
        for (size_t i = 0; i < tables[t].count; i++) {
            const struct metric *row = &tables[t].rows[i];
            assert_non_null(row->name);
            assert_non_null(row->unit);
            assert_non_null(row->source);
            assert_int_equal(row->kind, tables[t].kind);
            assert_int_equal(row->sentence[strlen(row->sentence) - 1], '.');
            for (size_t j = 0; j < i; j++)
                assert_string_not_equal(row->name, tables[t].rows[j].name);
        }
    assert_string_equal(core_counters[COUNT_ERROR_GENERATOR].name, "error_generator");
    assert_string_equal(core_hists[HIST_CENSORED].name, "censored");
}

static void drivers_metrics_follow_the_cores(void **state)
{
    (void)state;
    struct metric_table table;
    metric_table_init(&table);
    const struct metric one[] = {{.name = "a", .kind = METRIC_HISTOGRAM},
                                 {.name = "b", .kind = METRIC_COUNTER},
                                 {.name = "c", .kind = METRIC_HISTOGRAM}};
    uint32_t counter = 0, hist = 0;
    metric_table_add(&table, one, 3, &counter, &hist);
    assert_int_equal(counter, CORE_COUNTERS);
    assert_int_equal(hist, CORE_HISTS);
    metric_table_add(&table, one, 1, &counter, &hist);
    assert_int_equal(counter, CORE_COUNTERS + 1);
    assert_int_equal(hist, CORE_HISTS + 2);
    assert_string_equal(table.hists[CORE_HISTS + 1].name, "c");
    assert_string_equal(table.hists[CORE_HISTS + 2].name, "a");
    metric_table_fini(&table);
}

static void a_cleared_block_is_as_new(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &fix.metrics, 5, FIX_REQUESTS, FIX_RULES);
    struct tally_block *block = ring_take(&exchange.empty);
    fill_block(&fix, block, 5, 3, 500);
    struct tally_example example = {.error = COUNT_ERROR_DNS, .words = "no such name"};
    tally_example(block, example);
    const struct hist *kept = block->requests[0].hists[HIST_RESPONSE];
    assert_non_null(kept);
    tally_block_clear(block, &fix.metrics);
    assert_int_equal(block->segment, 5);
    assert_int_equal(block->example_count, 0);
    assert_int_equal(block->loop_lag->count, 0);
    for (size_t r = 0; r < FIX_REQUESTS; r++) {
        for (size_t m = 0; m < fix.metrics.counter_count; m++)
            assert_int_equal(block->requests[r].counters[m], 0);
        for (size_t m = 0; m < fix.metrics.hist_count; m++)
            if (block->requests[r].hists[m])
                assert_int_equal(block->requests[r].hists[m]->count, 0);
        for (size_t code = 0; code < TALLY_STATUS_CODES; code++)
            assert_int_equal(block->requests[r].status[code], 0);
    }
    assert_ptr_equal(kept, block->requests[0].hists[HIST_RESPONSE]); /* memory is kept */
    for (size_t i = 0; i < FIX_RULES; i++)
        assert_int_equal(block->rules[i].hits, 0);
    tally_exchange_fini(&exchange);
    fixture_fini(&fix);
}

static void merging_blocks_adds_them(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &fix.metrics, 0, FIX_REQUESTS, FIX_RULES);
    struct tally_block *one = ring_take(&exchange.empty), *two = ring_take(&exchange.empty),
                       *both = ring_take(&exchange.empty);
    fill_block(&fix, one, 0, 2, 300);
    fill_block(&fix, two, 0, 3, 400);
    fill_block(&fix, both, 0, 2, 300);
    fill_block(&fix, both, 0, 3, 400);
    tally_block_merge(one, two, &fix.metrics);
    assert_int_equal(one->begin_ns, 2 * NSEC_PER_SEC);
    assert_int_equal(one->end_ns, 4 * NSEC_PER_SEC);
    assert_int_equal(one->first_interval, 2);
    assert_int_equal(one->last_interval, 3);
    assert_true(one->gauges[GAUGE_USERS] == 13);
    for (size_t r = 0; r < FIX_REQUESTS; r++) {
        assert_memory_equal(one->requests[r].counters, both->requests[r].counters,
                            fix.metrics.counter_count * sizeof(uint64_t));
        assert_memory_equal(one->requests[r].status, both->requests[r].status,
                            sizeof one->requests[r].status);
        assert_hist_equal(one->requests[r].hists[HIST_RESPONSE],
                          both->requests[r].hists[HIST_RESPONSE]);
    }
    tally_exchange_fini(&exchange);
    fixture_fini(&fix);
}

static void examples_fold_and_leave_room_for_rare_kinds(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &fix.metrics, 0, FIX_REQUESTS, FIX_RULES);
    struct tally_block *block = ring_take(&exchange.empty);
    for (int i = 0; i < 50; i++) {
        struct tally_example example = {.error = COUNT_ERROR_HTTP_STATUS, .status = 503};
        snprintf(example.words, sizeof example.words, "answer %d", i % 25);
        tally_example(block, example);
    }
    assert_int_equal(block->example_count, TALLY_EXAMPLES);
    assert_int_equal(block->examples[0].times, 2);
    tally_example(block, (struct tally_example){.error = COUNT_ERROR_TLS, .words = "bad cert"});
    tally_example(block, (struct tally_example){.error = COUNT_ERROR_TLS, .words = "bad cert"});
    assert_int_equal(block->example_count, TALLY_EXAMPLES);
    uint32_t tls = 0;
    for (uint32_t i = 0; i < block->example_count; i++)
        if (block->examples[i].error == COUNT_ERROR_TLS)
            tls += block->examples[i].times;
    assert_int_equal(tls, 2);
    tally_exchange_fini(&exchange);
    fixture_fini(&fix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_core_metric_is_declared),
        cmocka_unit_test(drivers_metrics_follow_the_cores),
        cmocka_unit_test(a_cleared_block_is_as_new),
        cmocka_unit_test(merging_blocks_adds_them),
        cmocka_unit_test(examples_fold_and_leave_room_for_rare_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
