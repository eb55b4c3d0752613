/* Sums of absolute differences between a growing left side and the rest need, for each value that
 * moves over, its distance to all on either side: two trees over ranks give both in log n, so that
 * a permutation costs n log n instead of n^2. */
#include "stat/change.h"

#include "base/memory.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A binary indexed tree of how many values of a rank or less are on the left, and their sum. */
struct tree {
    double *count, *sum;
    size_t size;
};

static void tree_add(struct tree *tree, size_t rank, double value)
{
    for (size_t i = rank + 1; i <= tree->size; i += i & -i) {
        tree->count[i]++;
        tree->sum[i] += value;
    }
}

/* Sum of |value - x| over all x in the tree, whose total is known. */
static double tree_distance(const struct tree *tree, size_t rank, double value, double count,
                            double sum)
{
    double below = 0, below_sum = 0;
    for (size_t i = rank + 1; i > 0; i -= i & -i) {
        below += tree->count[i];
        below_sum += tree->sum[i];
    }
    return value * below - below_sum + (sum - below_sum) - value * (count - below);
}

/* A segment being searched: its values less their mean (fewer digits are lost), the rank of each,
 * and room for the trees. */
struct segment {
    const double *values;
    const size_t *ranks;
    size_t count, least;
    double *room; /* 3 (count + 1) */
};

static struct change weigh(double left, double right, double within_left, double within_right,
                           double between)
{
    double pairs = left * right / (left + right);
    double cross = 2 / (left * right) * between;
    struct change out = {.q = pairs * (cross - 2 * within_left / (left * left) -
                                       2 * within_right / (right * right))};
    double own_left = left > 1 ? 2 * within_left / (left * (left - 1)) : 0;
    double own_right = right > 1 ? 2 * within_right / (right * (right - 1)) : 0;
    out.q_u = pairs * (cross - own_left - own_right);
    return out;
}

/* The best split. First from the right, for the distances within each right side; then from the
 * left. */
static struct change search(const struct segment *segment)
{
    size_t n = segment->count;
    struct change best = {.at = 0, .q = -INFINITY};
    if (n < 2 * segment->least)
        return best;
    double *within_right = segment->room, count = 0, sum = 0, within = 0, whole = 0;
    struct tree tree = {within_right + n + 1, within_right + 2 * (n + 1), n};
    memset(tree.count, 0, 2 * (n + 1) * sizeof(double));
    for (size_t i = n; i-- > 0;) {
        within += tree_distance(&tree, segment->ranks[i], segment->values[i], count, sum);
        within_right[i] = within;
        tree_add(&tree, segment->ranks[i], segment->values[i]);
        count++;
        sum += segment->values[i];
    }
    whole = within;
    memset(tree.count, 0, 2 * (n + 1) * sizeof(double));
    count = sum = within = 0;
    for (size_t i = 0; i + segment->least < n; i++) {
        within += tree_distance(&tree, segment->ranks[i], segment->values[i], count, sum);
        tree_add(&tree, segment->ranks[i], segment->values[i]);
        count++;
        sum += segment->values[i];
        if (i + 1 < segment->least)
            continue;
        double right = within_right[i + 1];
        struct change here = weigh(count, (double)n - count, within, right, whole - within - right);
        here.at = i + 1;
        if (here.q > best.q)
            best = here;
    }
    return best;
}

struct ranked {
    double value;
    size_t index;
};

static int by_value(const void *one, const void *other)
{
    const struct ranked *a = one, *b = other;
    return (a->value > b->value) - (a->value < b->value);
}

/* The series and what searching it needs. */
struct work {
    double *values;
    size_t *ranks; /* of values within their segment */
    double *drawn; /* a segment in random order */
    size_t *drawn_ranks;
    double *room;
    struct ranked *sorted;
    size_t least;
};

/* Ranks of begin .. end - 1 within it, and its values less their mean. */
static struct segment prepare(struct work *work, const double *values, size_t begin, size_t end)
{
    size_t n = end - begin;
    double mean = 0;
    for (size_t i = begin; i < end; i++)
        mean += values[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        work->sorted[i] = (struct ranked){values[begin + i], i};
    qsort(work->sorted, n, sizeof *work->sorted, by_value);
    for (size_t i = 0; i < n; i++) {
        work->values[i] = values[begin + i] - mean;
        work->ranks[work->sorted[i].index] = i;
    }
    return (struct segment){work->values, work->ranks, n, work->least, work->room};
}

static struct work work_new(size_t count, size_t least)
{
    struct work work = {.least = least < CHANGE_LEAST ? CHANGE_LEAST : least};
    work.values = memory_new(count, sizeof *work.values);
    work.drawn = memory_new(count, sizeof *work.drawn);
    work.ranks = memory_new(count, sizeof *work.ranks);
    work.drawn_ranks = memory_new(count, sizeof *work.drawn_ranks);
    work.room = memory_new(3 * (count + 1), sizeof *work.room);
    work.sorted = memory_new(count, sizeof *work.sorted);
    return work;
}

static void work_free(struct work *work)
{
    free(work->values);
    free(work->drawn);
    free(work->ranks);
    free(work->drawn_ranks);
    free(work->room);
    free(work->sorted);
}

struct change change_best(const double *values, size_t count, size_t least)
{
    struct work work = work_new(count, least);
    struct segment segment = prepare(&work, values, 0, count);
    struct change best = search(&segment);
    work_free(&work);
    return best;
}

/* The best split of the segment in a random order. */
static double search_shuffled(struct work *work, const struct segment *segment,
                              struct random *random)
{
    size_t n = segment->count;
    memcpy(work->drawn, segment->values, n * sizeof *work->drawn);
    memcpy(work->drawn_ranks, segment->ranks, n * sizeof *work->drawn_ranks);
    for (size_t i = n; i > 1; i--) {
        size_t j = random_below_of(random_next(random), i);
        double value = work->drawn[i - 1];
        size_t rank = work->drawn_ranks[i - 1];
        work->drawn[i - 1] = work->drawn[j];
        work->drawn_ranks[i - 1] = work->drawn_ranks[j];
        work->drawn[j] = value;
        work->drawn_ranks[j] = rank;
    }
    struct segment shuffled = {work->drawn, work->drawn_ranks, n, segment->least, segment->room};
    return search(&shuffled).q;
}

/* All segments between the changes found so far. */
struct segments {
    const double *values;
    size_t count, found;
    struct change *changes; /* sorted by place */
};

static size_t segment_begin(const struct segments *all, size_t index)
{
    return index == 0 ? 0 : all->changes[index - 1].at;
}

static size_t segment_end(const struct segments *all, size_t index)
{
    return index == all->found ? all->count : all->changes[index].at;
}

static struct change best_of(struct work *work, const struct segments *all)
{
    struct change best = {.at = 0, .q = -INFINITY};
    for (size_t s = 0; s <= all->found; s++) {
        size_t begin = segment_begin(all, s);
        struct segment segment = prepare(work, all->values, begin, segment_end(all, s));
        struct change here = search(&segment);
        if (here.at && here.q > best.q) {
            best = here;
            best.at += begin;
        }
    }
    return best;
}

/* How often random orders within all segments have as good a split. */
static double chance_of(struct work *work, const struct segments *all, double q,
                        const struct change_rules *rules)
{
    struct random random = {.key = random_key(rules->seed, "change", all->found)};
    unsigned char *reached = memory_new(rules->orders, 1);
    for (size_t s = 0; s <= all->found; s++) {
        struct segment segment =
            prepare(work, all->values, segment_begin(all, s), segment_end(all, s));
        for (uint32_t r = 0; r < rules->orders; r++)
            if (!reached[r] && search_shuffled(work, &segment, &random) >= q * (1 - 1e-12))
                reached[r] = 1;
    }
    uint32_t as_good = 0;
    for (uint32_t r = 0; r < rules->orders; r++)
        as_good += reached[r];
    free(reached);
    return (as_good + 1.0) / (rules->orders + 1.0);
}

struct change *change_find(const double *values, size_t count, const struct change_rules *rules,
                           size_t *found)
{
    struct work work = work_new(count, rules->least);
    struct segments all = {.values = values, .count = count};
    for (;;) {
        struct change best = best_of(&work, &all);
        if (best.at == 0 || !(best.q > 0))
            break;
        best.p = chance_of(&work, &all, best.q, rules);
        if (best.p > rules->p_most)
            break;
        all.changes = memory_resize(all.changes, all.found + 1, sizeof *all.changes);
        size_t at = all.found++;
        for (; at > 0 && all.changes[at - 1].at > best.at; at--)
            all.changes[at] = all.changes[at - 1];
        all.changes[at] = best;
    }
    work_free(&work);
    *found = all.found;
    return all.changes;
}
