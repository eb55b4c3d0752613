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

/* Stagnant water (Bacon & Watts 1971): log height of a band against log flow. */
static void stagnant_water(void **state)
{
    (void)state;
    const double x[] = {-1.39, -1.39, -1.08, -1.08, -.94, -.80, -.63, -.63, -.25, -.25,
                        -.12,  -.12,  .01,   .11,   .11,  .11,  .25,  .25,  .34,  .34,
                        .44,   .59,   .70,   .70,   .85,  .85,  .99,  .99,  1.19};
    const double y[] = {1.12, 1.12, .99,  1.03, .92,  .90,  .81,  .83,  .65, .67,
                        .60,  .59,  .51,  .44,  .43,  .43,  .33,  .30,  .25, .24,
                        .13,  -.01, -.13, -.14, -.30, -.33, -.46, -.43, -.65};
    struct knee_break found;
    assert_int_equal(knee_segmented(x, y, 29, .95, 1, &found), 0);
    assert_near(found.slope_before, -.42, .02);
    assert_near(found.slope_after, -1.01, .02);
    assert_in_range((int)(found.at * 1000), 0, 80);
    assert_true(found.low < .0411 && found.high > .0411 && found.exists);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breaks_as_published),
        cmocka_unit_test(stagnant_water),
        cmocka_unit_test(smooth_curves_have_no_break),
        cmocka_unit_test(kneedle_as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
