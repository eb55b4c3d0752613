/* Networks against octave-queueing 1.2.7 and the books it was checked with; and the explosions of
 * known programs, which must not come out. */
#include "stat/mva.h"

#include "near.h"
#include "stat/queue.h"

static struct network_state solved(const struct network *network, uint32_t users)
{
    struct network_state state;
    assert_int_equal(mva_exact(network, &users, 1, &state), 0);
    struct network_bounds bounds;
    mva_bounds(network, users, &bounds);
    assert_true(state.throughput <= bounds.throughput_high * (1 + 1e-12));
    assert_true(state.throughput >= bounds.throughput_low * (1 - 1e-12));
    assert_near(state.in_system + state.throughput * network->think_s, users, 1e-9);
    return state;
}

static void jain_34_2(void **state)
{
    (void)state;
    const struct station stations[] = {
        {STATION_QUEUE, 16, .125, 1}, {STATION_QUEUE, 10, .3, 1}, {STATION_QUEUE, 5, .2, 1}};
    const struct network network = {stations, 3, 4};
    struct network_state at = solved(&network, 20);
    const double r[] = {.373339107, 4.85425969, .299921845}, v[] = {16, 10, 5};
    const double q[] = {1.99062328, 16.1766511, .499739544}, u[] = {.666493, .999740, .333247};
    assert_near(at.throughput, .333246512, 1e-8);
    assert_near(at.response_s, 56.0156319, 1e-8);
    for (int k = 0; k < 3; k++) {
        assert_near(at.stations[k].response_s / v[k], r[k], 1e-8);
        assert_near(at.stations[k].in_queue, q[k], 1e-8);
        assert_near(at.stations[k].utilisation, u[k], 2e-6);
    }
    struct network_bounds bounds;
    mva_bounds(&network, 20, &bounds);
    assert_near(bounds.knee, 3.3333, 2e-5);
    assert_near(bounds.throughput_high, .3333333, 1e-6);
    assert_near(bounds.response_low, 56, 1e-14);
    assert_int_equal(bounds.bottleneck, 1);
    assert_near(bounds.balanced_throughput_low, .306930693, 1e-8);
    assert_near(bounds.balanced_throughput_high, .333333333, 1e-8);
    assert_near(bounds.balanced_response_low, 56, 1e-9);
    assert_near(bounds.balanced_response_high, 61.1612903, 1e-8);
    struct network_state near;
    mva_approximate(&network, 20, &near);
    assert_near(near.throughput, .32975694, 1e-6);
    assert_near(near.response_s, 56.6507326, 1e-6);
    const uint32_t users[] = {1, 2, 3, 5, 8, 10, 15, 50};
    const double x[] = {.1,        .1754386,  .22922252, .28975185,
                        .32143527, .32819324, .33267184, .33333333};
    struct network_state all[8];
    assert_int_equal(mva_exact(&network, users, 8, all), 0);
    for (int i = 0; i < 8; i++)
        assert_near(all[i].throughput, x[i], 3e-7);
}

static void lazowska(void **state)
{
    (void)state;
    const struct station stations[] = {
        {STATION_QUEUE, 1, .605, 1}, {STATION_QUEUE, 1, 2.1, 1}, {STATION_QUEUE, 1, 1.35, 1}};
    const struct network network = {stations, 3, 15};
    struct network_state at = solved(&network, 3), near;
    assert_near(at.throughput, .151516492, 1e-8);
    assert_near(at.response_s, 4.79982478, 1e-8);
    mva_approximate(&network, 3, &near);
    assert_near(near.throughput, .15098585, 1e-6);
    assert_near(near.response_s, 4.86941161, 1e-6);
    const double q[] = {.0972699, .4020577, .2358846};
    for (int k = 0; k < 3; k++)
        assert_near(near.stations[k].in_queue, q[k], 2e-6);
    struct network_bounds bounds;
    mva_bounds(&network, 3, &bounds);
    assert_near(bounds.knee, 9.0738, 1e-5);
    assert_near(bounds.balanced_throughput_low, .143294948, 1e-8);
    assert_near(bounds.balanced_throughput_high, .152825102, 1e-8);
    const struct station two[] = {{STATION_QUEUE, 1, 9.2, 1}, {STATION_QUEUE, 1, 8, 1}};
    const struct network other = {two, 2, 120};
    mva_bounds(&other, 20, &bounds);
    assert_near(bounds.throughput_high, .108695652, 1e-8);
    assert_near(bounds.response_low, 64, 1e-13);
    assert_near(solved(&other, 20).throughput, .0997681, 1e-6);
}

static void bolch_8_3(void **state)
{
    (void)state;
    const struct station stations[] = {{STATION_QUEUE, 1, .02, 1},
                                       {STATION_QUEUE, .4, .2, 1},
                                       {STATION_QUEUE, .2, .4, 1},
                                       {STATION_QUEUE, .1, .6, 1}};
    const struct network network = {stations, 4, 0};
    struct network_state at = solved(&network, 6);
    const double u[] = {.198397, .793587, .793587, .595190}, v[] = {1, .4, .2, .1};
    const double r[] = {.024558, .569827, 1.139655, 1.244284};
    const double q[] = {.243615, 2.261038, 2.261038, 1.234309};
    assert_near(at.throughput, 9.91983634, 1e-8);
    for (int k = 0; k < 4; k++) {
        assert_near(at.stations[k].utilisation, u[k], 3e-6);
        assert_near(at.stations[k].response_s / v[k], r[k], 3e-5);
        assert_near(at.stations[k].in_queue, q[k], 3e-6);
    }
}

static void many_servers_do_not_explode(void **state)
{
    (void)state;
    const struct station eight = {STATION_QUEUE, 1, 4, 8}, cloud = {STATION_QUEUE, 1, .444, 300};
    const struct network network = {&eight, 1, 10};
    assert_near(solved(&network, 20).response_s, 4.15510257, 1e-8);
    assert_near(solved(&network, 30).response_s, 5.76643789, 1e-8);
    assert_near(solved(&network, 40).response_s, 10.0159809, 1e-8);
    assert_near(solved(&network, 80).response_s, 30, 1e-6); /* known programs: -125 */
    assert_near(solved(&network, 5000).response_s, 2490, 1e-9);
    /* Ten thousand users, 99 % of 64 servers: sums with 60 digits (mpmath). */
    const struct station many = {STATION_QUEUE, 1, .1, 64};
    struct network_state at = solved(&(struct network){&many, 1, 15.61}, 10000);
    assert_near(at.throughput, 632.9850617372736, 1e-12);
    assert_near(at.response_s, .18816113283032723, 1e-11);
    assert_near(solved(&(struct network){&many, 1, 10}, 10000).response_s, 5.625, 1e-12);
    const struct network pdq = {&cloud, 1, 0};
    assert_near(solved(&pdq, 290).throughput, 653.153, 1e-6); /* known programs: -6.8 */
    assert_near(solved(&pdq, 600).throughput, 300 / .444, 1e-9);
}

/* Convolution and recursion are two ways to the same: a second server that is never needed. */
static void convolution_agrees_with_recursion(void **state)
{
    (void)state;
    const struct station plain[] = {{STATION_QUEUE, 1, .02, 1},
                                    {STATION_QUEUE, 2, .025, 1},
                                    {STATION_DELAY, 1, .3, 1},
                                    {STATION_QUEUE, 1, 1e-12, 1}};
    struct station also[4];
    for (int k = 0; k < 4; k++)
        also[k] = plain[k];
    also[3].servers = 2; /* so short that it does not count, but makes it a convolution */
    const struct network one = {plain, 4, .5}, other = {also, 4, .5};
    for (uint32_t users = 1; users <= 1000; users = users * 3 + 1) {
        struct network_state a = solved(&one, users), b = solved(&other, users);
        assert_near(b.throughput, a.throughput, 1e-10);
        for (int k = 0; k < 3; k++)
            assert_near(b.stations[k].in_queue, a.stations[k].in_queue, 1e-8);
    }
}

/* A repairman with m servers is a birth and death process, whose balance can be added up. */
static void a_repairman_is_a_birth_and_death_process(void **state)
{
    (void)state;
    const double service = .3, think = 1.7;
    for (uint32_t servers = 1; servers <= 5; servers++)
        for (uint32_t users = 1; users <= 40; users += 13) {
            double weight = 1, total = 1, throughput = 0, mean = 0;
            for (uint32_t n = 1; n <= users; n++) {
                weight *= (double)(users - n + 1) / think * service / fmin(n, servers);
                total += weight;
                throughput += weight * fmin(n, servers) / service;
                mean += weight * n;
            }
            const struct station station = {STATION_QUEUE, 1, service, servers};
            const struct network network = {&station, 1, think};
            struct network_state at = solved(&network, users);
            assert_near(at.throughput, throughput / total, 1e-10);
            assert_near(at.stations[0].in_queue, mean / total, 1e-10);
        }
}

/* Tables IV and V of Casale, Muntz and Serazzi (2008), as the source of octave-queueing has them:
 * exact X lies within their geometric bounds; that program's upper one for Z = 1 and 20 users is
 * 9.0614 where the table has 8.6467, and its response bounds are swapped (trap T8). Ours are
 * balanced-job bounds: wider than geometric ones, ordered, and around the exact answer. */
static void bounds_are_in_order_and_around_the_truth(void **state)
{
    (void)state;
    const struct station stations[] = {{STATION_QUEUE, 1, .1, 1},
                                       {STATION_QUEUE, 1, .1, 1},
                                       {STATION_QUEUE, 1, .09, 1},
                                       {STATION_QUEUE, 1, .08, 1}};
    const double rows[][4] = {{0, 2, 4.3040, 4.3174},  {0, 5, 6.6859, 6.7524},
                              {0, 10, 8.1521, 8.2690}, {0, 20, 9.0947, 9.2431},
                              {0, 80, 9.8233, 9.8765}, {1, 2, 1.4319, 1.5195},
                              {1, 5, 3.3432, 3.5582},  {1, 10, 5.7569, 6.1410},
                              {1, 20, 8.0856, 8.6467}, {1, 80, 9.7147, 9.8594}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct network network = {stations, 4, rows[i][0]};
        struct network_state at = solved(&network, (uint32_t)rows[i][1]);
        struct network_bounds bounds;
        mva_bounds(&network, rows[i][1], &bounds);
        assert_true(at.throughput > rows[i][2] - 1e-4 && at.throughput < rows[i][3] + 1e-4);
        assert_true(bounds.balanced_known);
        assert_true(bounds.balanced_throughput_low <= at.throughput * (1 + 1e-12));
        assert_true(bounds.balanced_throughput_high >= at.throughput * (1 - 1e-12));
        assert_true(bounds.balanced_response_low <= at.response_s * (1 + 1e-12));
        assert_true(bounds.balanced_response_high >= at.response_s * (1 - 1e-12));
    }
}

/* The bounds of open networks: that program's lower bound on the response, 1.1667 here, is above
 * its upper one, 0.7; a balanced network of the same demand has 0.5385. */
static void bounds_of_open_networks(void **state)
{
    (void)state;
    const struct station stations[] = {{STATION_QUEUE, 1, .1, 1}, {STATION_QUEUE, 1, .25, 1}};
    const struct network network = {stations, 2, 0};
    struct network_bounds bounds;
    struct network_state at;
    mva_open_bounds(&network, 2, &bounds);
    mva_open(&network, 2, &at);
    assert_near(bounds.throughput_high, 4, 1e-14);
    assert_near(bounds.response_low, .35, 1e-14);
    assert_near(bounds.balanced_response_low, .35 / .65, 1e-14);
    assert_near(bounds.balanced_response_high, .7, 1e-14);
    assert_near(at.response_s, .625, 1e-14);
    mva_open_bounds(&network, 4, &bounds);
    assert_true(isinf(bounds.balanced_response_low) && isinf(bounds.response_high));
}

static void three_tiers(void **state)
{
    (void)state;
    const struct station stations[] = {
        {STATION_QUEUE, 1, .02, 1}, {STATION_QUEUE, 1, .05, 1}, {STATION_QUEUE, 1, .01, 1}};
    const struct network network = {stations, 3, .5};
    const double rows[][4] = {{1, 1.7241379, .08, .08621},
                              {8, 12.56727, .13657422, .62836},
                              {12, 16.950096, .20796061, .8475},
                              {16, 19.241515, .33153534, .96208}};
    for (int i = 0; i < 4; i++) {
        struct network_state at = solved(&network, (uint32_t)rows[i][0]);
        assert_near(at.throughput, rows[i][1], 1e-6);
        assert_near(at.response_s, rows[i][2], 1e-6);
        assert_near(at.stations[1].utilisation, rows[i][3], 6e-5);
    }
    struct network_bounds bounds;
    mva_bounds(&network, 16, &bounds);
    assert_near(bounds.knee, 11.6, 1e-12);
    assert_near(bounds.ceiling, 20, 1e-12);
}

static void open_networks(void **state)
{
    (void)state;
    const struct station stations[] = {
        {STATION_QUEUE, 2, .1, 2}, {STATION_QUEUE, 1, .15, 1}, {STATION_DELAY, 1, .4, 1}};
    const struct network network = {stations, 3, 0};
    struct network_state at;
    assert_int_equal(mva_open(&network, 4.5, &at), 0);
    assert_near(at.stations[0].response_s, 2 * mmc_response_mean(2, 9, .1), 1e-13);
    assert_near(at.stations[1].response_s, .15 / (1 - .675), 1e-13);
    assert_near(at.stations[2].response_s, .4, 1e-14);
    assert_near(at.stations[0].utilisation, .45, 1e-13);
    assert_near(at.in_system, 4.5 * at.response_s, 1e-13);
    assert_int_equal(mva_open(&network, 7, &at), MVA_SATURATED);
    const struct station bolch = {STATION_QUEUE, 1, .2, 2};
    assert_int_equal(mva_open(&(struct network){&bolch, 1, 0}, 9, &at), 0);
    assert_near(at.response_s, 1.05263158, 1e-8);
    assert_near(at.stations[0].in_queue - 1.8, 7.67368421, 1e-8);
}

/* Seidmann's approximation misses queueing at middle loads, and nothing at either end. */
static void many_servers_approximately(void **state)
{
    (void)state;
    const struct station eight = {STATION_QUEUE, 1, 4, 8};
    const struct network network = {&eight, 1, 10};
    struct network_state near;
    mva_approximate(&network, 1, &near);
    assert_near(near.response_s, 4, 1e-9);
    mva_approximate(&network, 80, &near);
    assert_near(near.response_s, 30, 2e-2);
    mva_approximate(&network, 0, &near);
    assert_true(near.throughput == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jain_34_2),
        cmocka_unit_test(lazowska),
        cmocka_unit_test(bolch_8_3),
        cmocka_unit_test(many_servers_do_not_explode),
        cmocka_unit_test(convolution_agrees_with_recursion),
        cmocka_unit_test(a_repairman_is_a_birth_and_death_process),
        cmocka_unit_test(bounds_are_in_order_and_around_the_truth),
        cmocka_unit_test(bounds_of_open_networks),
        cmocka_unit_test(three_tiers),
        cmocka_unit_test(open_networks),
        cmocka_unit_test(many_servers_approximately),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
