/* Closed forms against octave-queueing 1.2.7, Erlang's M/D/1 series summed with 60 digits, and
 * identities; the recursions against rows by hand. */
#include "stat/queue.h"

#include "near.h"

#include "base/random.h"
#include "stat/lindley.h"

static void erlang_matches_octave(void **state)
{
    (void)state;
    assert_near(erlang_c(3, 2), 0.4444444444, 1e-9);
    assert_near(erlang_c(6, 5), 0.5875164505, 1e-9);
    assert_near(erlang_c(10, 8), 0.4091801508, 1e-9);
    assert_near(erlang_c(20, 16), 0.2560777938, 1e-9);
    assert_near(erlang_c(20, 18), 0.5507690048, 1e-9);
    assert_near(erlang_c(50, 45), 0.3638644672, 1e-9);
    assert_near(erlang_c(100, 90), 0.2169404809, 1e-9);
    assert_near(erlang_b(5, 5), 0.2848678213, 1e-9);
    assert_near(erlang_b(12, 10), 0.1197391884, 1e-9);
    assert_near(erlang_b(100, 90), 0.02695738046, 1e-9);
    assert_true(erlang_c(4, 4) == 1 && erlang_c(4, 9) == 1);
    assert_near(erlang_c(1, 0.7), 0.7, 1e-14);
}

static void mmc_matches_octave(void **state)
{
    (void)state;
    assert_near(mmc_response_mean(2, 9, 0.2), 1.05263158, 1e-8);
    assert_near(mmc_wait_mean(2, 9, 0.2) * 9, 7.67368421, 1e-8);
    assert_near(mmc_response_mean(4, 9, 0.2), 0.211684877, 1e-8);
    assert_near(mmc_wait_mean(4, 9, 0.2) * 9, 0.105163893, 1e-8);
    assert_near(mmc_response_mean(9, 100, 1 / 12.0), 0.178382, 1e-5);
    assert_near(mmc_response_mean(10, 100, 1 / 12.0), 0.107714, 1e-5);
    assert_near(mmc_wait_quantile(9, 100, 1 / 12.0, 0.95), 0.340, 2e-3);
    assert_true(isinf(mmc_response_mean(2, 10, 0.2)));
    assert_true(isinf(mmc_response_quantile(2, 11, 0.2, 0.95)));
    assert_true(mmc_wait_quantile(4, 9, 0.2, 0.5) == 0);
}

/* With one server the response is exponential with the spare rate. */
static void one_server_is_exponential(void **state)
{
    (void)state;
    static const double loads[] = {0.1, 0.5, 0.85, 0.99, 0.9999};
    for (size_t i = 0; i < sizeof(loads) / sizeof(*loads); i++) {
        double spare = (1 - loads[i]) / 0.01;
        assert_near(mmc_response_mean(1, loads[i] / 0.01, 0.01), 1 / spare, 1e-10);
        assert_near(mmc_response_quantile(1, loads[i] / 0.01, 0.01, 0.95), -log(0.05) / spare,
                    1e-9);
        assert_near(mmc_response_share(1, loads[i] / 0.01, 0.01, 1 / spare), -expm1(-1), 1e-9);
    }
}

/* The mean is the integral of what the distribution function leaves. */
static void distribution_and_mean_agree(void **state)
{
    (void)state;
    static const uint32_t servers[] = {1, 2, 3, 8, 50};
    for (size_t i = 0; i < sizeof(servers) / sizeof(*servers); i++)
        for (double load = 0.3; load < 0.96; load += 0.13) {
            double rate = load * servers[i], sum = 0;
            double end = mmc_response_quantile(servers[i], rate, 1, 1 - 1e-10);
            int steps = 20000; /* Simpson's rule */
            double step = end / steps;
            for (int k = 0; k <= steps; k++) {
                double weight = k == 0 || k == steps ? 1 : k % 2 ? 4 : 2;
                sum += weight * (1 - mmc_response_share(servers[i], rate, 1, k * step));
            }
            assert_near(sum * step / 3, mmc_response_mean(servers[i], rate, 1), 1e-6);
        }
    /* Equal rates of wait and service (2 servers, load 1 of 2) and rates beside it. */
    double at = mmc_response_share(2, 1, 1, 2);
    assert_near(mmc_response_share(2, 1 + 1e-9, 1, 2), at, 1e-8);
    assert_near(at, 1 - (2.0 / 3 * exp(-2) + 1.0 / 3 * 3 * exp(-2)), 1e-14);
}

static void mg1_matches_pollaczek_khinchine(void **state)
{
    (void)state;
    assert_near(mg1_wait_mean(0.8, 1, 0), 2, 1e-12);
    assert_near(mg1_wait_mean(0.8, 1, 0.5), 3, 1e-12);
    assert_near(mg1_wait_mean(0.8, 1, 1), 4, 1e-12);
    assert_near(mg1_wait_mean(0.8, 1, 4), 10, 1e-12);
    assert_near(mg1_response_mean(0.8, 1, 0.5), 4, 1e-12);
    assert_true(isinf(mg1_wait_mean(1, 1, 1)));
}

static void md1_matches_erlangs_series(void **state)
{
    (void)state;
    assert_near(md1_wait_share(0.5, 1, 0), 0.5, 1e-14);
    assert_near(md1_wait_share(0.5, 1, 0.5), 0.6420127083438707, 1e-13);
    assert_near(md1_wait_share(0.5, 1, 1), 0.8243606353500641, 1e-13);
    assert_near(md1_wait_share(0.5, 1, 2.5), 0.9713593696369136, 1e-13);
    assert_near(md1_wait_share(0.85, 1, 3.3), 0.683523333284389, 1e-13);
    assert_near(md1_wait_share(0.85, 1, 10), 0.9620830385301948, 1e-13);
    assert_near(md1_wait_share(0.95, 1, 20.7), 0.882298016751825, 1e-12);
    assert_near(md1_wait_share(0.95, 1, 60), 0.9978393930322164, 1e-12);
    assert_near(md1_wait_share(0.7, 0.01, 0.0255), 0.9999999943963763, 1e-13);
    assert_near(md1_response_share(0.85, 1, 4.3), 0.683523333284389, 1e-12);
    static const double known[][3] = {{0.5, 2.0506384073026, 3.3362559570022},
                                      {0.7, 4.1028979645013, 6.4854994289581},
                                      {0.85, 9.1265058882512, 14.208610833942},
                                      {0.95, 29.116204359857, 44.937765508381}};
    for (size_t i = 0; i < 4; i++) {
        assert_near(md1_wait_quantile(known[i][0], 1, 0.95), known[i][1], 1e-10);
        assert_near(md1_wait_quantile(known[i][0], 1, 0.99), known[i][2], 1e-10);
        assert_near(md1_response_quantile(known[i][0] / 0.002, 0.002, 0.95),
                    0.002 * (known[i][1] + 1), 1e-10);
    }
    assert_true(md1_wait_quantile(0.5, 1, 0.4) == 0);
    assert_near(md1_response_mean(0.5, 1), 1.5, 1e-14);
    /* Far out, where Erlang's alternating series has lost every digit. */
    double previous = 0;
    for (double t = 0; t < 400; t += 0.5) {
        double share = md1_wait_share(0.97, 1, t);
        assert_true(share >= previous && share <= 1);
        previous = share;
    }
    assert_true(1 - previous < 1e-9);
}

static struct bounded_queue bounded(uint32_t servers, uint32_t places, double rate)
{
    return (struct bounded_queue){servers, places, rate, 1};
}

static void bounded_queues_match_octave(void **state)
{
    (void)state;
    struct bounded_queue queue = bounded(1, 10, 1.2);
    assert_near(bounded_loss(&queue), 0.192586495, 1e-8);
    assert_near(bounded_throughput(&queue), 0.968896206, 1e-8);
    assert_near(bounded_in_system(&queue), 6.71070868, 1e-8);
    assert_near(bounded_response_mean(&queue), 6.71070868 / 0.968896206, 1e-8);
    queue = bounded(1, 10, 1);
    assert_near(bounded_loss(&queue), 1.0 / 11, 1e-12);
    queue = bounded(1, 1000, 0.5); /* as if without a bound */
    assert_near(bounded_in_system(&queue), 1, 1e-12);
    queue = bounded(1, 1000, 50); /* far overload: never idle */
    assert_near(bounded_throughput(&queue), 1, 1e-12);
    queue = bounded(1, 1000, 2);
    assert_near(bounded_in_system(&queue), 999, 1e-12);
    queue = bounded(4, 10, 0);
    assert_true(bounded_loss(&queue) == 0 && bounded_response_mean(&queue) == 1);
    /* As many places as servers: Erlang's B. Very many: M/M/c. */
    for (uint32_t servers = 1; servers <= 200; servers = servers * 3 + 1)
        for (double load = 0.2; load < 3; load += 0.4) {
            queue = bounded(servers, servers, load * servers);
            assert_near(bounded_loss(&queue), erlang_b(servers, load * servers), 1e-11);
            queue.places = servers + 5000;
            if (load < 0.99)
                assert_near(bounded_response_mean(&queue),
                            mmc_response_mean(servers, load * servers, 1), 1e-11);
        }
    /* octave-queueing 1.2.7, qsmmmk(9, 5, 2, 6) */
    queue = (struct bounded_queue){2, 6, 9, 0.2};
    assert_near(bounded_throughput(&queue), 7.98602129178290, 1e-12);
    assert_near(bounded_in_system(&queue), 2.85613895689895, 1e-12);
}

static void recursions_follow_rows_by_hand(void **state)
{
    (void)state;
    static const nsec_t arrivals[] = {0, 1, 2, 20, 20, 21};
    static const nsec_t services[] = {5, 4, 1, 3, 10, 1};
    static const nsec_t one[] = {5, 9, 10, 23, 33, 34};
    static const nsec_t two[] = {5, 5, 6, 23, 30, 24};
    static const nsec_t many[] = {5, 5, 3, 23, 30, 22};
    nsec_t departures[6];
    lindley_one(arrivals, services, 6, departures);
    assert_memory_equal(departures, one, sizeof(one));
    lindley_many(1, arrivals, services, 6, departures);
    assert_memory_equal(departures, one, sizeof(one));
    lindley_many(2, arrivals, services, 6, departures);
    assert_memory_equal(departures, two, sizeof(two));
    lindley_many(7, arrivals, services, 6, departures);
    assert_memory_equal(departures, many, sizeof(many));
    lindley_one(arrivals, services, 0, departures);
}

/* The heap against the plain way: look through all servers for the one that is free first. */
static void heap_equals_a_search(void **state)
{
    (void)state;
    enum { SERVERS = 11, COUNT = 5000 };
    nsec_t arrivals[COUNT], services[COUNT], departures[COUNT], free_at[SERVERS] = {0}, now = 0;
    struct random random = {.key = random_key(8, "heap", 0)};
    for (size_t i = 0; i < COUNT; i++) {
        now += (nsec_t)random_below_of(random_next(&random), 100);
        arrivals[i] = now;
        services[i] = (nsec_t)random_below_of(random_next(&random), 1100);
    }
    lindley_many(SERVERS, arrivals, services, COUNT, departures);
    for (size_t i = 0; i < COUNT; i++) {
        size_t first = 0;
        for (size_t k = 1; k < SERVERS; k++)
            first = free_at[k] < free_at[first] ? k : first;
        nsec_t start = arrivals[i] > free_at[first] ? arrivals[i] : free_at[first];
        free_at[first] = start + services[i];
        assert_int_equal(departures[i], free_at[first]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(erlang_matches_octave),
        cmocka_unit_test(mmc_matches_octave),
        cmocka_unit_test(one_server_is_exponential),
        cmocka_unit_test(distribution_and_mean_agree),
        cmocka_unit_test(mg1_matches_pollaczek_khinchine),
        cmocka_unit_test(md1_matches_erlangs_series),
        cmocka_unit_test(bounded_queues_match_octave),
        cmocka_unit_test(recursions_follow_rows_by_hand),
        cmocka_unit_test(heap_equals_a_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
