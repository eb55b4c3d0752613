/* Breaks and knees against published figures (R segmented, the Kneedle paper and package), and
 * curves that have none. */
#include "stat/knee.h"

#include "near.h"
#include "published.h"

static void breaks_as_published(void **state)
{
    (void)state;
    struct knee_break found;
    assert_int_equal(knee_segmented(cisco_n, cisco_x, CISCO, .95, 1, &found), 0);
    assert_near(found.at, 11.67, 5e-4);
    assert_near(found.squares, 3552187, 1e-5);
    assert_near(found.line_squares, 43612243, 1e-6);
    assert_true(found.p < .01 && found.davies_p < 1e-6);
    assert_int_equal(knee_segmented(specsdm_n, specsdm_x, SPECSDM, .95, 1, &found), 0);
    assert_near(found.at, 40.160, 2e-5);
}

/* Stagnant water (Bacon & Watts 1971, as R's segmented has it): log height of a band against log
 * flow. R 4.2.2, segmented 1.6-2. */
static void stagnant_water(void **state)
{
    (void)state;
    const double x[] = {-.80, .01,   -.25,  -.25,  -.12,  -.12, -.94, .11, .11, -.63,
                        -.63, -1.39, -1.39, .70,   .70,   .34,  1.19, .59, .85, .85,
                        .99,  .99,   .25,   -1.08, -1.08, .44,  .34,  .25};
    const double y[] = {.90,  .51,  .65,  .67,  .60,  .59, .92,  .43,  .43,  .81,
                        .83,  1.12, 1.12, -.13, -.14, .25, -.65, -.01, -.30, -.33,
                        -.46, -.43, .33,  .99,  1.03, .13, .24,  .30};
    struct knee_break found;
    assert_int_equal(knee_segmented(x, y, 28, .95, 1, &found), 0);
    assert_near(found.at, .04110579, 2e-7);
    assert_near(found.error, .02283481, 1e-6);
    assert_near(found.low, -.0060229, 1e-5);
    assert_near(found.high, .0882345, 1e-6);
    assert_near(found.constant, .5446611, 1e-7);
    assert_near(found.slope_before, -.42208, 1e-5);
    assert_near(found.slope_before_error, .011487, 5e-5);
    assert_near(found.slope_after, -1.02060, 4e-5);
    assert_near(found.slope_after_error, .015068, 5e-5);
    assert_near(found.squares, .009140197, 1e-7);
    assert_near(found.davies_p, 1.29088012335e-17, 1e-10);
    assert_true(found.exists);
}

/* The same program on published curves. On the Cisco figures it stops beside the least squares, at
 * 12.30 with 3555823.59. */
static void breaks_as_in_r(void **state)
{
    (void)state;
    struct knee_break found;
    assert_int_equal(knee_segmented(specsdm_n, specsdm_x, SPECSDM, .95, 1, &found), 0);
    assert_near(found.at, 40.1604228, 1e-8);
    assert_near(found.error, 2.39702008, 1e-8);
    assert_near(found.slope_before, 45.27, 1e-4);
    assert_near(found.squares, 17192.8574, 1e-8);
    assert_near(found.davies_p, .00235339142, 1e-8);
    assert_int_equal(knee_segmented(raytracer_n, raytracer_x, RAYTRACER, .95, 1, &found), 0);
    assert_near(found.at, 12.876333, 1e-7);
    assert_near(found.error, 1.22736945, 1e-7);
    assert_near(found.squares, 991.596886, 1e-8);
    assert_near(found.davies_p, .000170171991, 1e-8);
    assert_int_equal(knee_segmented(cisco_n, cisco_x, CISCO, .95, 1, &found), 0);
    assert_near(found.davies_p, 2.13811042e-15, 1e-8);
    assert_true(found.squares < 3555823.59);
}

static void smooth_curves_have_no_break(void **state)
{
    (void)state;
    double x[12], y[12];
    struct knee_break found;
    for (int i = 0; i < 12; i++) {
        x[i] = i + 1;
        y[i] = 10 / (1 - x[i] / 20) + .02 * ((i * 7) % 5 - 2);
    }
    assert_int_equal(knee_segmented(x, y, 12, .95, 1, &found), 0);
    assert_false(found.exists); /* a hyperbola explains it */
    for (int i = 0; i < 12; i++)
        y[i] = 5 + .1 * x[i] + .05 * ((i * 5) % 7 - 3);
    assert_int_equal(knee_segmented(x, y, 12, .95, 1, &found), 0);
    assert_false(found.exists);
    for (int i = 0; i < 12; i++)
        y[i] = 5 + (x[i] > 6.5 ? 4 * (x[i] - 6.5) : 0) + .05 * ((i * 5) % 7 - 3);
    assert_int_equal(knee_segmented(x, y, 12, .95, 1, &found), 0);
    assert_true(found.exists && fabs(found.at - 6.5) < .2 && found.low < 6.5 && found.high > 6.5);
    assert_int_equal(knee_segmented(x, y, 5, .95, 1, &found), KNEE_TOO_FEW);
}

static void kneedle_of(const double *x, const double *y, size_t count, enum knee_shape shape,
                       int rising, double wanted)
{
    size_t index = 0;
    assert_int_equal(knee_kneedle(x, y, count, shape, rising, 1, &index), 0);
    assert_near(x[index], wanted, 1e-6);
}

static void kneedle_as_published(void **state)
{
    (void)state;
    double x[10], y[10];
    for (int i = 0; i < 10; i++) {
        x[i] = i / 9.;
        y[i] = -1 / (x[i] + .1) + 5;
    }
    kneedle_of(x, y, 10, KNEE_CONCAVE, 1, .2222222);
    const double concave[] = {0, 60, 80, 85, 90, 95, 96, 97, 98, 99};
    const double convex[] = {1, 2, 3, 4, 5, 10, 15, 20, 40, 100};
    double falling_concave[10], falling_convex[10];
    for (int i = 0; i < 10; i++) {
        x[i] = i;
        falling_concave[i] = concave[9 - i];
        falling_convex[i] = convex[9 - i];
    }
    kneedle_of(x, concave, 10, KNEE_CONCAVE, 1, 2);
    kneedle_of(x, falling_concave, 10, KNEE_CONCAVE, 0, 7);
    kneedle_of(x, convex, 10, KNEE_CONVEX, 1, 7);
    kneedle_of(x, falling_convex, 10, KNEE_CONVEX, 0, 2);
    kneedle_of(specsdm_n, specsdm_x, SPECSDM, KNEE_CONCAVE, 1, 36);
    kneedle_of(raytracer_n, raytracer_x, RAYTRACER, KNEE_CONCAVE, 1, 32);
    size_t index = 0;
    assert_int_equal(
        knee_kneedle(raytracer_n, raytracer_x, RAYTRACER, KNEE_CONCAVE, true, 0, &index), 0);
    assert_near(raytracer_n[index], 16, 1e-15);
    const double flat[] = {3, 3, 3, 3};
    assert_int_equal(knee_kneedle(x, flat, 4, KNEE_CONCAVE, true, 1, &index), KNEE_NONE);
    /* Its answer follows the tested range. */
    kneedle_of(cisco_n, cisco_x, 32, KNEE_CONCAVE, 1, 14);
    kneedle_of(cisco_n, cisco_x, 16, KNEE_CONCAVE, 1, 10);
    assert_int_equal(knee_kneedle(cisco_n, cisco_x, 8, KNEE_CONCAVE, true, 1, &index), KNEE_NONE);
}

/* Figure 2 of the paper, and the way there; and a curve with several knees. */
static void figure_2_of_kneedle(void **state)
{
    (void)state;
    double x[10], y[10];
    size_t knees[30];
    struct knee_way way = {.knees = knees};
    for (int i = 0; i < 10; i++) {
        x[i] = i / 9.;
        y[i] = -1 / (x[i] + .1) + 5;
    }
    const struct knee_points points = {x, y, 10};
    assert_int_equal(knee_kneedle_way(&points, KNEE_CONCAVE, true, 1, &way), 0);
    assert_int_equal(way.found, 1);
    assert_near(x[knees[0]], .2222222, 1e-6);
    assert_near(y[knees[0]], 1.8965517, 1e-7);
    assert_near((y[knees[0]] - y[0]) / (y[9] - y[0]), .7586207, 1e-7);
    assert_near(way.difference, .53639847, 1e-7);
    assert_near(way.threshold, .42528736, 1e-7);
    double waves_x[30], waves_y[30];
    for (int i = 0; i < 30; i++) {
        waves_x[i] = i;
        waves_y[i] = i + 4 * sin(i * M_PI / 5);
    }
    const struct knee_points waves = {waves_x, waves_y, 30};
    assert_int_equal(knee_kneedle_way(&waves, KNEE_CONCAVE, true, 1, &way), 0);
    assert_true(way.found == 3 && knees[0] < 5 && knees[1] == knees[0] + 10 && knees[2] > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breaks_as_published),
        cmocka_unit_test(stagnant_water),
        cmocka_unit_test(breaks_as_in_r),
        cmocka_unit_test(figure_2_of_kneedle),
        cmocka_unit_test(smooth_curves_have_no_break),
        cmocka_unit_test(kneedle_as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
