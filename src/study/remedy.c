/* Rows of the table as users have them, and looking things up. The table: remedy_table.c. */
#include "study/remedy_part.h"

#include "base/memory.h"
#include "base/text.h"
#include "base/unit.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *remedy_group_words(enum remedy_group group)
{
    static const char *const words[REMEDY_GROUPS] = {"configuration", "vertical", "horizontal",
                                                     "architecture"};
    return words[group];
}

struct remedies *remedies_default(void)
{
    struct remedies *all = memory_new(1, sizeof *all);
    all->count = remedy_table_count;
    all->rows = memory_new(all->count, sizeof *all->rows);
    for (size_t i = 0; i < all->count; i++) {
        const struct remedy_row *row = &remedy_table[i];
        all->rows[i] = (struct remedy){.id = memory_copy_text(row->id),
                                       .group = row->group,
                                       .kinds = memory_copy_text(row->kinds),
                                       .role = memory_copy_text(""),
                                       .action = memory_copy_text(row->action),
                                       .impact = memory_copy_text(row->impact),
                                       .tradeoff = memory_copy_text(row->tradeoff),
                                       .source = memory_copy_text(row->source),
                                       .address = memory_copy_text(row->address),
                                       .date = memory_copy_text(REMEDY_TABLE_DATE)};
    }
    return all;
}

struct remedies *remedies_free(struct remedies *remedies)
{
    for (size_t i = 0; remedies && i < remedies->count; i++) {
        struct remedy *row = &remedies->rows[i];
        char *const words[] = {row->id,       row->kinds,  row->role,    row->action, row->impact,
                               row->tradeoff, row->source, row->address, row->date};
        for (size_t j = 0; j < sizeof words / sizeof *words; j++)
            free(words[j]);
    }
    if (remedies)
        free(remedies->rows);
    free(remedies);
    return NULL;
}

bool remedy_fits(const struct remedy *remedy, const char *kind, const char *thing, const char *role)
{
    bool here =
        !*remedy->role || strcmp(remedy->role, thing) == 0 || text_has_word(role, remedy->role);
    return here && (strcmp(remedy->kinds, "any") == 0 || text_has_word(remedy->kinds, kind));
}

const struct remedy_gpu *remedy_gpus(size_t *count)
{
    *count = remedy_gpu_count;
    return remedy_gpu_table;
}

const struct remedy_gpu *remedy_gpu_with(double memory_gb, double bandwidth_gb_s)
{
    for (size_t i = 0; i < remedy_gpu_count; i++)
        if (remedy_gpu_table[i].memory_gb >= memory_gb &&
            remedy_gpu_table[i].bandwidth_gb_s >= bandwidth_gb_s)
            return &remedy_gpu_table[i];
    return NULL;
}

/* The name as both may write it. */
static void squeeze(const char *name, char out[40])
{
    size_t length = 0;
    if (strncasecmp(name, "nvidia ", 7) == 0)
        name += 7;
    if (strncasecmp(name, "geforce ", 8) == 0)
        name += 8;
    for (; *name && length < 39; name++)
        if (isalnum((unsigned char)*name))
            out[length++] = (char)tolower((unsigned char)*name);
    out[length] = '\0';
}

const struct remedy_gpu *remedy_gpu_named(const char *name)
{
    char wanted[40], own[40];
    squeeze(name, wanted);
    for (size_t i = 0; i < remedy_gpu_count; i++) {
        squeeze(remedy_gpu_table[i].name, own);
        if (strcmp(own, wanted) == 0)
            return &remedy_gpu_table[i];
    }
    return NULL;
}

double prices_of(const struct prices *prices, const char *thing, const char *role)
{
    double other = NAN;
    for (size_t i = 0; i < prices->count; i++) {
        const char *name = prices->rows[i].name;
        if (strcmp(name, thing) == 0 || text_has_word(role, name))
            return prices->rows[i].hour;
        if (strcmp(name, "*") == 0)
            other = prices->rows[i].hour;
    }
    return other;
}

void prices_fini(struct prices *prices)
{
    for (size_t i = 0; i < prices->count; i++)
        free(prices->rows[i].name);
    free(prices->rows);
    free(prices->date);
    free(prices->currency);
    memset(prices, 0, sizeof *prices);
}
