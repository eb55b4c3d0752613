/* Published measurements that several tests take: specsdm91 and raytracer of the R package usl
 * (after Gunther, "Guerrilla Capacity Planning"), and the Cisco benchmark of Schwartz, "Practical
 * Scalability Analysis with the Universal Scalability Law", as usl4j's tests list it. */
#ifndef TEST_PUBLISHED_H
#define TEST_PUBLISHED_H

enum { SPECSDM = 7, RAYTRACER = 11, CISCO = 32 };

static const double specsdm_n[SPECSDM] = {1, 18, 36, 72, 108, 144, 216};
static const double specsdm_x[SPECSDM] = {64.9, 995.9, 1652.4, 1853.2, 1828.9, 1775.0, 1702.2};
static const double raytracer_n[RAYTRACER] = {1, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64};
static const double raytracer_x[RAYTRACER] = {20, 78, 130, 170, 190, 200, 210, 230, 260, 280, 310};
static const double cisco_n[CISCO] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                      12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                                      23, 24, 25, 26, 27, 28, 29, 30, 31, 32};
static const double cisco_x[CISCO] = {
    955.16,   1878.91,  2688.01,  3548.68,  4315.54,  5130.43,  5931.37, 6531.08,
    7219.8,   7867.61,  8278.71,  8646.7,   9047.84,  9426.55,  9645.37, 9897.24,
    10097.6,  10240.5,  10532.39, 10798.52, 11151.43, 11518.63, 11806,   12089.37,
    12075.41, 12177.29, 12211.41, 12158.93, 12155.27, 12118.04, 12140.4, 12074.39};

/* All are used by some test only. */
#define PUBLISHED_UNUSED                                                                           \
    (void)specsdm_n, (void)specsdm_x, (void)raytracer_n, (void)raytracer_x, (void)cisco_n,         \
        (void)cisco_x

#endif
