/* Rows of cells between bars. The widths of headings are at least those that the documents show, so
 * that what people and scripts know is found where it was. */
#include "show/suite_tables.h"

#include "base/memory.h"
#include "base/unit.h"
#include "show/suite_figures.h"
#include "show/suite_leaks.h"
#include "show/suite_notes.h"
#include "show/words.h"
#include "study/replicates.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 16, CELL = 48, SERVED_SHOWN = 8 };

/* A table that is laid out when it is whole. */
struct grid {
    const char *titles[COLUMNS];
    unsigned widths[COLUMNS];
    size_t columns, rows;
    char (*cells)[COLUMNS][CELL];
    char gpus[4][16]; /* titles made here */
};

static void column(struct grid *grid, const char *title, unsigned width)
{
    grid->titles[grid->columns] = title;
    grid->widths[grid->columns++] = width;
}

static char (*row(struct grid *grid))[CELL]
{
    grid->cells = memory_resize(grid->cells, grid->rows + 1, sizeof *grid->cells);
    memset(grid->cells[grid->rows], 0, sizeof *grid->cells);
    return grid->cells[grid->rows++];
}

static void put_padded(struct text *out, const char *words, unsigned width, bool last)
{
    text_puts(out, words);
    for (unsigned at = words_width(words); at < width && !last; at++)
        text_putc(out, ' ');
}

static void put_rows(const struct grid *grid, bool markdown, struct text *out)
{
    unsigned widths[COLUMNS] = {0};
    for (size_t c = 0; c < grid->columns; c++) {
        widths[c] = grid->widths[c];
        for (size_t r = 0; r < grid->rows; r++)
            if (words_width(grid->cells[r][c]) > widths[c])
                widths[c] = words_width(grid->cells[r][c]);
    }
    for (size_t r = 0; r <= grid->rows; r++) {
        text_puts(out, markdown ? "| " : "");
        for (size_t c = 0; c < grid->columns; c++) {
            bool last = c + 1 == grid->columns;
            put_padded(out, r ? grid->cells[r - 1][c] : grid->titles[c], widths[c],
                       last && !markdown);
            text_puts(out, last ? (markdown ? " |" : "") : " | ");
        }
        text_putc(out, '\n');
        for (size_t c = 0; r == 0 && markdown && c < grid->columns; c++)
            text_puts(out, c + 1 == grid->columns ? "| :--- |\n" : "| :--- ");
    }
}

static void grid_fini(struct grid *grid)
{
    free(grid->cells);
}

static void cell(char out[CELL], const char *words)
{
    snprintf(out, CELL, "%.*s", CELL - 1, words);
}

/* As everywhere outside of the tables, whose form is the documents' ("78ms"). */
static const char *latency_words(char out[UNIT_ROOM], double seconds)
{
    return isnan(seconds) ? "–" : unit_write_duration(out, (nsec_t)llround(seconds * 1e9));
}

static unsigned gpus_shown(const struct level_series *series)
{
    unsigned count = suite_gpus(series);
    return count > 4 ? 4 : count;
}

/* ---- vertical ------------------------------------------------------------------------------- */

/* The names of four loads; other numbers of loads are called by their place. */
static void load_name(char out[CELL], size_t number, size_t count)
{
    static const char *const names[] = {"Baseline", "Medium", "High", "Peak"};
    if (count == 4)
        cell(out, names[number]);
    else
        snprintf(out, CELL, "Level %zu", number + 1);
}

static bool same_size(const struct level *one, const struct level *other)
{
    return (isnan(one->size) && isnan(other->size)) || fabs(one->size - other->size) < 1e-9;
}

static int by_load(const void *one, const void *other)
{
    const struct level *a = *(const struct level *const *)one,
                       *b = *(const struct level *const *)other;
    double x = isnan(a->users) ? a->rate : a->users, y = isnan(b->users) ? b->rate : b->users;
    if (x < y || x > y)
        return x < y ? -1 : 1;
    return (a->replicate > b->replicate) - (a->replicate < b->replicate);
}

/* The levels at the size of one of them, by load. Owner: caller, free() of the array. */
static const struct level **at_size(const struct level_series *series, const struct level *model,
                                    size_t *count)
{
    const struct level **levels = memory_new(series->level_count, sizeof(struct level *));
    *count = 0;
    for (size_t i = 0; i < series->level_count; i++)
        if (same_size(&series->levels[i], model))
            levels[(*count)++] = &series->levels[i];
    qsort(levels, *count, sizeof(struct level *), by_load);
    return levels;
}

static void vertical_columns(struct grid *grid, unsigned gpus)
{
    column(grid, "Load Level", 13);
    column(grid, "Users", 5);
    column(grid, "CPU%", 5);
    column(grid, "Memory%", 7);
    for (unsigned g = 0; g < gpus; g++) {
        snprintf(grid->gpus[g], sizeof grid->gpus[g], "GPU%u%%", g);
        column(grid, grid->gpus[g], 5);
    }
    column(grid, "RPS", 5);
    column(grid, "Avg Latency", 11);
}

static void put_vertical_size(const struct level_series *series, const struct level *model,
                              bool markdown, struct text *out)
{
    struct grid grid = {.columns = 0};
    char number[UNIT_ROOM];
    unsigned gpus = gpus_shown(series);
    size_t count = 0;
    const struct level **levels = at_size(series, model, &count);
    vertical_columns(&grid, gpus);
    for (size_t i = 0; i < count; i++) {
        char(*cells)[CELL] = row(&grid);
        size_t c = 0;
        load_name(cells[c++], i, count);
        cell(cells[c++], suite_users(number, levels[i]));
        cell(cells[c++], suite_percent(number, suite_cpu(levels[i])));
        cell(cells[c++], suite_percent(number, suite_memory(levels[i])));
        for (unsigned g = 0; g < gpus; g++)
            cell(cells[c++], suite_percent(number, suite_gpu(levels[i], g)));
        cell(cells[c++], suite_rate(number, levels[i]->throughput));
        cell(cells[c++], suite_latency(number, levels[i]->mean_s));
    }
    put_rows(&grid, markdown, out);
    grid_fini(&grid);
    free(levels);
}

/* The first level of each size in the series. */
static bool first_of_size(const struct level_series *series, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (same_size(&series->levels[i], &series->levels[index]))
            return false;
    return true;
}

static double most_at_size(const struct level_series *series, const struct level *model)
{
    double most = 0;
    for (size_t i = 0; i < series->level_count; i++)
        if (same_size(&series->levels[i], model))
            most = fmax(most, series->levels[i].throughput);
    return most;
}

/* What each size brings: most throughput, and what it gained against the size before. */
static void put_sizes(const struct level_series *series, bool markdown, struct text *out)
{
    struct grid grid = {.columns = 0};
    const struct level *before = NULL, *first = NULL;
    const char *stops = NULL;
    column(&grid, "Size", 13);
    column(&grid, "Most RPS", 8);
    column(&grid, "Speed-up", 8);
    column(&grid, "Efficiency", 10);
    for (size_t i = 0; i < series->level_count; i++) {
        const struct level *level = &series->levels[i];
        if (isnan(level->size) || !first_of_size(series, i))
            continue;
        char(*cells)[CELL] = row(&grid), number[UNIT_ROOM];
        double most = most_at_size(series, level);
        first = first ? first : level;
        double gain = most / most_at_size(series, first), larger = level->size / first->size;
        cell(cells[0], level->size_name);
        cell(cells[1], suite_rate(number, most));
        snprintf(cells[2], CELL, "%.2f", gain);
        cell(cells[3], suite_percent(number, gain / larger));
        if (before && !stops && most < 1.05 * most_at_size(series, before))
            stops = level->size_name;
        before = level;
    }
    if (grid.rows > 1) {
        text_putc(out, '\n');
        put_rows(&grid, markdown, out);
        if (stops)
            text_printf(out, "\n%s brought less than 5 %% more: what holds is something else.\n",
                        stops);
    }
    grid_fini(&grid);
}

static void put_vertical(const struct level_series *series, bool markdown, struct text *out)
{
    bool headed = false;
    for (size_t i = 0; i < series->level_count; i++) {
        const struct level *level = &series->levels[i];
        if (!first_of_size(series, i))
            continue;
        if (!isnan(level->size))
            text_printf(out, "%s%s%s:%s\n", headed ? "\n" : "", markdown ? "**" : "",
                        level->size_name, markdown ? "**\n" : "");
        put_vertical_size(series, level, markdown, out);
        headed = true;
    }
    put_sizes(series, markdown, out);
}

/* ---- horizontal ----------------------------------------------------------------------------- */

static void put_horizontal(const struct level_series *series, bool markdown, struct text *out)
{
    struct grid grid = {.columns = 0};
    char number[UNIT_ROOM];
    column(&grid, "Instances", 9);
    column(&grid, "Users", 5);
    column(&grid, "Total RPS", 9);
    column(&grid, "Avg Latency", 11);
    column(&grid, "CPU per Instance", 16);
    column(&grid, "Memory per Instance", 19);
    for (size_t i = 0; i < series->level_count; i++) {
        const struct level *level = &series->levels[i];
        char(*cells)[CELL] = row(&grid);
        snprintf(cells[0], CELL, "%.0f", level->instances);
        cell(cells[1], suite_users(number, level));
        cell(cells[2], suite_rate(number, level->throughput));
        cell(cells[3], suite_latency(number, level->mean_s));
        cell(cells[4], suite_percent(number, suite_cpu(level)));
        cell(cells[5], suite_percent(number, suite_memory(level)));
    }
    put_rows(&grid, markdown, out);
    grid_fini(&grid);
}

/* Speed-up against one instance; below 80 % of it something that the instances share is the reason,
 * since each of them had the same load to itself. */
static void put_speed_up(const struct level_series *series, struct text *out)
{
    const struct level *first = series->level_count ? &series->levels[0] : NULL;
    bool shared = false;
    for (size_t i = 1; first && i < series->level_count; i++) {
        const struct level *level = &series->levels[i];
        double gain = suite_speed_up(level, first), ratio = level->instances / first->instances;
        if (isnan(gain) || ratio <= 1)
            continue;
        text_printf(out, "%s%.0f instances: %.2f times the first (efficiency %.0f %%)",
                    i == 1 ? "\n" : "", level->instances, gain, 100 * gain / ratio);
        if (isnan(level_skew(level)) && !isnan(suite_skew(level)))
            text_printf(out, ", skew between them %.0f %%", 100 * suite_skew(level));
        text_putc(out, '\n');
        shared |= gain / ratio < 0.8 && !isnan(level->users) &&
                  level->users >= 0.99 * first->users * ratio;
    }
    if (shared)
        text_puts(out, "SHARED_DEPENDENCY: instances were added and the throughput did not follow; "
                       "something that they share holds it\n");
}

/* What the balancer, or the generator that spreads its users, counted of each instance. */
static void put_balance(const struct level_series *series, struct text *out)
{
    bool unbalanced = false, by_users = false, begun = false;
    for (size_t i = 0; i < series->level_count; i++) {
        const struct level *level = &series->levels[i];
        double skew = level_skew(level);
        if (isnan(skew))
            continue;
        text_printf(out, "%s%.0f instances served ", begun ? "" : "\n", level->instances);
        for (size_t k = 0; k < level->served_count && k < SERVED_SHOWN; k++)
            text_printf(out, "%s%" PRIu64, k ? ", " : "", level->served[k]);
        text_printf(out, "%s requests: %.1f %% apart%s\n",
                    level->served_count > SERVED_SHOWN ? ", ..." : "", 100 * skew,
                    level_unbalanced(level) ? ", unbalanced" : "");
        unbalanced |= level_unbalanced(level);
        by_users |= level->served_by_users;
        begun = true;
    }
    if (unbalanced)
        text_puts(out, by_users ? "UNBALANCED: instances got unequal parts of users who are spread "
                                  "evenly over them;\none answers more slowly, or the number of "
                                  "users is no multiple of theirs\n"
                                : "UNBALANCED: instances got unequal parts; see how the balancer "
                                  "chooses, and whether\nconnections were kept from before an "
                                  "instance was added\n");
}

/* ---- progression ---------------------------------------------------------------------------- */

static void put_progression(const struct level_series *series, bool markdown, struct text *out)
{
    struct grid grid = {.columns = 0};
    char number[UNIT_ROOM];
    unsigned gpus = gpus_shown(series);
    column(&grid, "Users", 5);
    column(&grid, "RPS", 5);
    column(&grid, "Avg Latency", 11);
    column(&grid, "p95", 7);
    column(&grid, "Errors", 6);
    column(&grid, "CPU%", 5);
    column(&grid, "Memory%", 7);
    for (unsigned g = 0; g < gpus; g++) {
        snprintf(grid.gpus[g], sizeof grid.gpus[g], "GPU%u%%", g);
        column(&grid, grid.gpus[g], 5);
    }
    column(&grid, "Level", 6);
    struct level none = {.size = NAN};
    size_t count = 0;
    const struct level **levels = at_size(series, &none, &count);
    for (size_t i = 0; i < count; i++) {
        char(*cells)[CELL] = row(&grid);
        size_t c = 0;
        cell(cells[c++], suite_users(number, levels[i]));
        cell(cells[c++], suite_rate(number, levels[i]->throughput));
        cell(cells[c++], suite_latency(number, levels[i]->mean_s));
        cell(cells[c++], suite_latency(number, levels[i]->p95_s));
        cell(cells[c++], isnan(levels[i]->error_share)
                             ? "–"
                             : unit_write_share(number, levels[i]->error_share));
        cell(cells[c++], suite_percent(number, suite_cpu(levels[i])));
        cell(cells[c++], suite_percent(number, suite_memory(levels[i])));
        for (unsigned g = 0; g < gpus; g++)
            cell(cells[c++], suite_percent(number, suite_gpu(levels[i], g)));
        cell(cells[c++], suite_state(levels[i]));
    }
    put_rows(&grid, markdown, out);
    grid_fini(&grid);
    free(levels);
}

/* ---- replicates ----------------------------------------------------------------------------- */

static void put_figure(const char *name, const struct replicates_figure *figure,
                       const char *(*write)(char out[UNIT_ROOM], double value), struct text *out)
{
    char mean[UNIT_ROOM], low[UNIT_ROOM], high[UNIT_ROOM];
    text_printf(out, "%s %s (%s to %s)", name, write(mean, figure->mean), write(low, figure->low),
                write(high, figure->high));
}

/* Loads that were measured more than once: what they came to, and how sure that is. */
static void put_replicates(const struct level_series *series, bool markdown, struct text *out)
{
    struct replicates *found = NULL;
    size_t count = replicates_find(series, &found);
    if (count)
        text_printf(out, "\nReplicates together: means, with their 95 %% intervals (t)\n%s",
                    markdown ? "\n" : "");
    for (size_t i = 0; i < count; i++) {
        const struct level *first = found[i].first;
        char users[UNIT_ROOM];
        text_printf(out, "%s%s%s", markdown ? "- " : "", suite_users(users, first),
                    isnan(first->users) ? "" : " users");
        if (!isnan(first->size))
            text_printf(out, ", %s", first->size_name);
        if (series->kind == SUITE_HORIZONTAL)
            text_printf(out, ", %.0f instance%s", first->instances,
                        first->instances > 1 ? "s" : "");
        text_printf(out, ", %zu times: ", found[i].count);
        put_figure("RPS", &found[i].throughput, suite_rate, out);
        put_figure(", p95", &found[i].p95_s, latency_words, out);
        text_putc(out, '\n');
    }
    free(found);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static const char *heading_of(enum suite_kind kind)
{
    static const char *const headings[] = {
        "Load Progression Test Results", "Vertical Scaling Test Results",
        "Horizontal Scaling Test Results", "Load Test Results", "Soak Test Results"};
    return headings[kind];
}

static void put_series(const struct level_series *series, bool markdown, struct text *out)
{
    bool named = series->kind == SUITE_RUN && strcmp(series->name, "run") != 0;
    text_printf(out, markdown ? "## %s%s%s%s\n\n" : "%s%s%s%s:\n", heading_of(series->kind),
                named ? " (" : "", named ? series->name : "", named ? ")" : "");
    if (series->level_count == 0)
        text_puts(out, "nothing was measured\n");
    else if (series->kind == SUITE_VERTICAL)
        put_vertical(series, markdown, out);
    else if (series->kind == SUITE_HORIZONTAL)
        put_horizontal(series, markdown, out);
    else
        put_progression(series, markdown, out);
    if (series->kind == SUITE_HORIZONTAL)
        put_speed_up(series, out);
    if (series->kind == SUITE_HORIZONTAL)
        put_balance(series, out);
    put_replicates(series, markdown, out);
    if (series->kind == SUITE_SOAK)
        suite_leaks(series, markdown, out);
    if (series->kind != SUITE_RUN && suite_host_only(series))
        text_puts(out,
                  "(CPU and memory are this machine's: the plan watches nothing of the target)\n");
    text_putc(out, '\n');
}

void suite_tables(const struct suite *suite, struct text *out)
{
    for (size_t i = 0; i < suite->series_count; i++)
        put_series(&suite->series[i], false, out);
    suite_notes(suite, false, out);
}

void suite_level_line(const struct level *level, struct text *out)
{
    char users[UNIT_ROOM], rate[UNIT_ROOM], mean[UNIT_ROOM], p95[UNIT_ROOM], errors[UNIT_ROOM];
    text_printf(out, "%s%s  %s req/s  avg %s  p95 %s  errors %s  %s", suite_users(users, level),
                suite_users_word(level),
                isnan(level->throughput) ? "–" : unit_write_number(rate, level->throughput),
                latency_words(mean, level->mean_s), latency_words(p95, level->p95_s),
                isnan(level->error_share) ? "–" : unit_write_share(errors, level->error_share),
                suite_state(level));
}

/* Every restart that was seen, and every crash. */
static size_t restarts_of(const struct suite *suite)
{
    size_t count = 0;
    for (size_t i = 0; i < suite->event_count; i++)
        count += strcmp(suite->events[i].kind, "restart") == 0 ||
                 strcmp(suite->events[i].kind, "gone") == 0;
    return count;
}

/* The table of "Verified Results": the last level measured at the largest number of instances. */
static void put_verified(const struct suite *suite, struct text *out)
{
    const struct level *last = NULL;
    char latency[UNIT_ROOM], users[UNIT_ROOM];
    double most = 0;
    for (size_t s = 0; s < suite->series_count; s++)
        for (size_t i = 0; i < suite->series[s].level_count; i++) {
            const struct level *level = &suite->series[s].levels[i];
            if (level->instances >= most) {
                most = level->instances;
                last = level;
            }
        }
    if (!last)
        return;
    size_t restarts = restarts_of(suite);
    double share = isnan(last->error_share) ? 0 : 1 - last->error_share;
    text_printf(out, "### Verified Results (%s Users @ %.0f Replica%s)\n\n",
                suite_users(users, last), last->instances, last->instances > 1 ? "s" : "");
    text_puts(out, "| Metric | Result | Notes |\n| :--- | :--- | :--- |\n");
    text_printf(out, "| **Stability** | **%.4g%%** | ", 100 * share);
    if (restarts)
        text_printf(out, "%zu crashes/restarts |\n", restarts);
    else
        text_puts(out, "Zero crashes/restarts seen |\n");
    text_printf(out, "| **Latency** | **~%s** | average; p95 ",
                suite_latency(latency, last->mean_s));
    text_printf(out, "%s |\n", suite_latency(latency, last->p95_s));
    text_printf(out, "| **Capacity** | **%.0f Replica%s** | %s requests a second |\n\n",
                last->instances, last->instances > 1 ? "s" : "",
                suite_rate(latency, last->throughput));
}

void suite_markdown(const struct suite *suite, struct text *out)
{
    char limit[UNIT_ROOM];
    text_puts(out, "# Scalability Testing Results\n\n");
    text_printf(out, "**%s** against `%s`", suite->name ? suite->name : "",
                suite->target ? suite->target : "");
    if (suite->time_scale < 1 || suite->time_scale > 1)
        text_printf(out, ", durations multiplied by %g", suite->time_scale);
    text_printf(out,
                ". A response time over %s counts as too slow, more than %.4g %% of failures "
                "as too many.\n\n",
                suite_latency(limit, suite->slo_response_s), 100 * suite->slo_error_share);
    for (size_t i = 0; i < suite->series_count; i++)
        put_series(&suite->series[i], true, out);
    put_verified(suite, out);
    text_puts(out, "## How far to trust it\n\n");
    size_t before = out->bytes;
    suite_notes(suite, true, out);
    if (out->bytes == before)
        text_puts(out, "- every level was steady, and the generator never the bottleneck\n");
}
