/* Made from the tables, so that page, list and recommendation can not differ. */
#include "app/remedy_page.h"

#include "show/words.h"
#include "study/remedy.h"

#include <string.h>

enum { COLUMNS = 80, NAME_COLUMN = 18, INDENT = 2 };

/* A cell of a table: what stands in `|` would end it. */
static void put_cell(struct text *out, const char *words)
{
    for (; *words; words++)
        if (*words == '|')
            text_puts(out, "\\|");
        else
            text_putc(out, *words);
    text_puts(out, " | ");
}

static void put_source(struct text *out, const struct remedy *row)
{
    if (*row->address)
        text_printf(out, "[%s](%s) |\n", row->source, row->address);
    else
        text_printf(out, "%s |\n", row->source);
}

static void put_group(const struct remedies *all, enum remedy_group group, struct text *out)
{
    text_printf(out,
                "\n## %s\n\n| id | what | for | expect | costs | source |\n"
                "|---|---|---|---|---|---|\n",
                remedy_group_words(group));
    for (size_t i = 0; i < all->count; i++) {
        const struct remedy *row = &all->rows[i];
        if (row->group != group)
            continue;
        text_printf(out, "| `%s` | ", row->id);
        put_cell(out, row->action);
        put_cell(out, row->kinds);
        put_cell(out, row->impact);
        put_cell(out, row->tradeoff);
        put_source(out, row);
    }
}

void remedy_page(struct text *out)
{
    size_t count = 0;
    struct remedies *all = remedies_default();
    const struct remedy_gpu *gpus = remedy_gpus(&count);
    text_printf(
        out,
        "# Remedies\n\nWhat `plimsoll recommend` may advise, made from its tables by `plimsoll "
        "list remedies\n"
        "--markdown`. Sources were last looked at in %s. An impact is what its source measured, "
        "against\nwhat it says; where none has a number that would hold elsewhere, the row says "
        "how "
        "to measure it. None\nis ever part of a forecast. `--remedies FILE` changes and extends "
        "the "
        "table: doc/recommend.md.\n",
        all->count ? all->rows[0].date : "");
    for (int group = 0; group < REMEDY_GROUPS; group++)
        put_group(all, (enum remedy_group)group, out);
    text_puts(out,
              "\n## GPUs\n\nMemory as the makers count it, 10^9 bytes; bandwidth of that memory; "
              "month of the announcement.\n\n| GPU | memory | bandwidth | announced | read at |\n"
              "|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        text_printf(out, "| %s | %.0f GB | %.0f GB/s | %s | <%s> |\n", gpus[i].name,
                    gpus[i].memory_gb, gpus[i].bandwidth_gb_s, gpus[i].since, gpus[i].address);
    remedies_free(all);
}

static void put_row(FILE *out, const char *name, const char *words)
{
    struct text line = TEXT_EMPTY;
    text_printf(&line, "  %-*s ", NAME_COLUMN, name);
    words_put_wrapped(&line, words, INDENT + NAME_COLUMN + 1, COLUMNS);
    fputs(line.at, out);
    text_fini(&line);
}

void remedy_list(FILE *out)
{
    struct remedies *all = remedies_default();
    for (int group = 0; group < REMEDY_GROUPS; group++) {
        fprintf(out, "remedies: %s\n", remedy_group_words((enum remedy_group)group));
        for (size_t i = 0; i < all->count; i++)
            if ((int)all->rows[i].group == group)
                put_row(out, all->rows[i].id, all->rows[i].action);
    }
    remedies_free(all);
}

void remedy_list_gpus(FILE *out)
{
    size_t count = 0;
    const struct remedy_gpu *gpus = remedy_gpus(&count);
    fputs("gpus (recommend --gpu NAME)\n", out);
    for (size_t i = 0; i < count; i++) {
        struct text words = TEXT_EMPTY;
        text_printf(&words, "%3.0f GB, %4.0f GB/s, announced %s", gpus[i].memory_gb,
                    gpus[i].bandwidth_gb_s, gpus[i].since);
        put_row(out, gpus[i].name, words.at);
        text_fini(&words);
    }
}
