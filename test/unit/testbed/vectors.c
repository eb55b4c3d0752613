/* The search against brute force in double precision and another order; puts, replacements, shapes;
 * and embeddings: deterministic, of length 1, near where words are shared, and of known cost. */
#include "testbed/vectors.h"

#include "base/random.h"
#include "testbed/embed.h"
#include "testbed/value.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 3000, DIMENSIONS = 37, TOP = 25, QUERIES = 20 };

static double nearness(enum vectors_distance distance, const float *one, const float *other)
{
    double dot = 0, square = 0, length = 0, own = 0;
    for (int i = DIMENSIONS - 1; i >= 0; i--) {
        double difference = (double)one[i] - (double)other[i];
        dot += (double)one[i] * (double)other[i];
        length += (double)one[i] * (double)one[i];
        own += (double)other[i] * (double)other[i];
        square += difference * difference;
    }
    if (distance == DISTANCE_EUCLID)
        return -sqrt(square);
    return distance == DISTANCE_COSINE ? dot / sqrt(length * own) : dot;
}

struct truth {
    double nearness;
    uint64_t row;
};

static int best_first(const void *one, const void *other)
{
    const struct truth *a = one, *b = other;
    return (a->nearness < b->nearness) - (a->nearness > b->nearness);
}

static void draw(struct random *random, float *numbers)
{
    for (int i = 0; i < DIMENSIONS; i++)
        numbers[i] = (float)(2 * random_unit(random) - 1);
}

/* Each listed row is one of the true best, with its true score; where two are nearer to each other
 * than single precision tells apart, either may come first. */
static void compare(struct span list, const struct truth *truth, enum vectors_distance distance)
{
    struct span rest = value_inside(list), element, value;
    uint64_t place = 0;
    assert_true(value_is_valid(list));
    while (value_next(&rest, &element)) {
        uint64_t row;
        double score;
        assert_true(value_member(element, "id", &value));
        assert_int_equal(value_uint(value, &row), 0);
        assert_true(value_member(element, "score", &value));
        assert_int_equal(value_real(value, &score), 0);
        double expected = truth[place].nearness;
        if (row != truth[place].row) {
            uint64_t other = 0;
            while (truth[other].row != row)
                other++;
            assert_true(fabs(truth[other].nearness - expected) < 1e-5);
        }
        assert_true(fabs((distance == DISTANCE_EUCLID ? -score : score) - expected) < 1e-4);
        place++;
    }
    assert_int_equal(place, TOP);
}

static void search_is_exact(void **state)
{
    static float rows[ROWS][DIMENSIONS];
    static struct truth truth[ROWS];
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        enum vectors_distance distance = (enum vectors_distance)kind;
        struct vectors *vectors = vectors_new(1, 0, DIMENSIONS, NULL);
        struct random random = {.key = random_key(3, "vectors", (uint64_t)kind)};
        assert_int_equal(vectors_create(vectors, SPAN("c"), DIMENSIONS, distance), 0);
        for (int row = 0; row < ROWS; row++) {
            char id[16];
            draw(&random, rows[row]);
            snprintf(id, sizeof id, "%d", row);
            struct vectors_point point = {
                .id = span_of(id), .numbers = rows[row], .count = DIMENSIONS};
            assert_int_equal(vectors_put(vectors, SPAN("c"), &point), 0);
        }
        for (int i = 0; i < QUERIES; i++) {
            float wanted[DIMENSIONS];
            struct text out = TEXT_EMPTY;
            uint64_t found = 0;
            draw(&random, wanted);
            for (uint64_t row = 0; row < ROWS; row++)
                truth[row] =
                    (struct truth){.nearness = nearness(distance, rows[row], wanted), .row = row};
            qsort(truth, ROWS, sizeof truth[0], best_first);
            struct vectors_query query = {.numbers = wanted, .count = DIMENSIONS, .top = TOP};
            assert_int_equal(vectors_search(vectors, SPAN("c"), &query, &out, &found), 0);
            assert_int_equal(found, TOP);
            compare(text_span(&out), truth, distance);
            text_fini(&out);
        }
        vectors_free(vectors);
    }
}

/* Row i of the seed finds itself first, with a score of 1. */
static void rows_of_the_seed_find_themselves(void **state)
{
    struct vectors *vectors = vectors_new(77, 500, DIMENSIONS, NULL);
    (void)state;
    for (uint64_t row = 0; row < 500; row += 71) {
        float numbers[DIMENSIONS];
        char begin[64];
        struct text out = TEXT_EMPTY;
        vectors_row(77, row, DIMENSIONS, numbers);
        struct vectors_query query = {.numbers = numbers, .count = DIMENSIONS, .top = 1};
        assert_int_equal(vectors_search(vectors, SPAN("default"), &query, &out, NULL), 0);
        snprintf(begin, sizeof begin, "[{\"id\":%llu,", (unsigned long long)row);
        assert_memory_equal(out.at, begin, strlen(begin));
        text_clear(&out);
        struct text id = TEXT_EMPTY;
        text_put_uint(&id, row);
        struct vectors_query by_id = {.id = text_span(&id), .top = 1};
        assert_int_equal(vectors_search(vectors, SPAN("default"), &by_id, &out, NULL), 0);
        assert_memory_equal(out.at, begin, strlen(begin));
        text_fini(&id);
        text_fini(&out);
    }
    vectors_free(vectors);
}

static void the_same_id_is_replaced(void **state)
{
    struct vectors *vectors = vectors_new(1, 10, 2, NULL);
    uint64_t dimensions, rows;
    enum vectors_distance distance;
    (void)state;
    float one[] = {3, 4}, other[] = {0, 1}, three[] = {1, 2, 3};
    struct vectors_point point = {
        .id = SPAN("\"u\""), .payload = SPAN("{\"a\":1}"), .numbers = one, .count = 2};
    assert_int_equal(vectors_put(vectors, SPAN("default"), &point), 0);
    point.numbers = other;
    assert_int_equal(vectors_put(vectors, SPAN("default"), &point), 0);
    point.id = SPAN("4"); /* a row of the seed */
    assert_int_equal(vectors_put(vectors, SPAN("default"), &point), 0);
    assert_int_equal(vectors_shape(vectors, SPAN("default"), &dimensions, &distance, &rows), 0);
    assert_int_equal(rows, 11);
    struct text out = TEXT_EMPTY;
    struct vectors_query query = {
        .numbers = other, .count = 2, .top = 9, .filled_only = true, .with_payload = true};
    assert_int_equal(vectors_search(vectors, SPAN("default"), &query, &out, NULL), 0);
    assert_string_equal(out.at, "[{\"id\":4,\"version\":0,\"score\":1,\"payload\":{\"a\":1}},"
                                "{\"id\":\"u\",\"version\":0,\"score\":1,\"payload\":{\"a\":1}}]");
    text_fini(&out);
    point.numbers = three;
    point.count = 3;
    assert_int_equal(vectors_put(vectors, SPAN("default"), &point), VECTORS_SIZE);
    assert_int_equal(vectors_put(vectors, SPAN("none"), &point), VECTORS_NONE);
    assert_int_equal(vectors_create(vectors, SPAN("default"), 2, DISTANCE_DOT), VECTORS_THERE);
    assert_int_equal(vectors_delete(vectors, SPAN("default")), 0);
    assert_int_equal(vectors_delete(vectors, SPAN("default")), VECTORS_NONE);
    vectors_free(vectors);
}

static void thresholds_and_offsets_cut(void **state)
{
    struct vectors *vectors = vectors_new(1, 0, 1, NULL);
    (void)state;
    assert_int_equal(vectors_create(vectors, SPAN("c"), 1, DISTANCE_DOT), 0);
    for (int i = 0; i < 9; i++) {
        char id[8];
        float number = (float)i;
        snprintf(id, sizeof id, "%d", i);
        struct vectors_point point = {.id = span_of(id), .numbers = &number, .count = 1};
        assert_int_equal(vectors_put(vectors, SPAN("c"), &point), 0);
    }
    float one = 1;
    struct text out = TEXT_EMPTY;
    struct vectors_query query = {
        .numbers = &one, .count = 1, .top = 5, .skip = 2, .has_threshold = true, .threshold = 5};
    assert_int_equal(vectors_search(vectors, SPAN("c"), &query, &out, NULL), 0);
    assert_string_equal(
        out.at, "[{\"id\":6,\"version\":0,\"score\":6},{\"id\":5,\"version\":0,\"score\":5}]");
    text_fini(&out);
    vectors_free(vectors);
}

/* ---- embeddings -------------------------------------------------------------------------------
 */

static double cosine(const char *one, const char *other)
{
    float a[128], b[128];
    double sum = 0;
    embed_text(span_of(one), 128, a);
    embed_text(span_of(other), 128, b);
    for (int i = 0; i < 128; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static void embeddings_are_near_where_words_are_shared(void **state)
{
    (void)state;
    assert_true(fabs(cosine("The load line", "the LOAD, line!") - 1) < 1e-6);
    assert_true(cosine("load line of a ship", "load line of a boat") > 0.6);
    assert_true(fabs(cosine("alpha beta", "gamma delta")) < 0.4);
    assert_true(fabs(cosine("", "...") - 1) < 1e-6);
    assert_int_equal(embed_tokens(SPAN("one two,three  four")), 4);
    assert_int_equal(embed_tokens(SPAN("")), 1);
}

static void a_token_costs_its_processor_time(void **state)
{
    (void)state;
    nsec_t begun_ns = embed_clock();
    embed_spend(begun_ns, 20 * NSEC_PER_MSEC);
    nsec_t spent_ns = embed_clock() - begun_ns;
    assert_true(spent_ns >= 20 * NSEC_PER_MSEC);
    assert_true(spent_ns < 25 * NSEC_PER_MSEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(search_is_exact),
        cmocka_unit_test(rows_of_the_seed_find_themselves),
        cmocka_unit_test(the_same_id_is_replaced),
        cmocka_unit_test(thresholds_and_offsets_cut),
        cmocka_unit_test(embeddings_are_near_where_words_are_shared),
        cmocka_unit_test(a_token_costs_its_processor_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
