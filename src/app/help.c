/* Lays out the tables. No line of help is longer than 80 columns, the width that every terminal
 * has: what is longer in a table is broken at a blank. */
#include "app/help.h"

#include "show/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 80, VERB_COLUMN = 12, OPTION_COLUMN = 31, SENTENCE_COLUMN = OPTION_COLUMN + 3 };

/* "-u, --users N", as it stands in help. */
static void put_option(const struct option *row, struct text *out)
{
    if (row->only_letter)
        text_printf(out, "-%c", row->letter);
    else if (row->letter)
        text_printf(out, "-%c, --%s", row->letter, row->name);
    else
        text_printf(out, "    --%s", row->name);
    if (row->kind != OPTION_FLAG)
        text_printf(out, " %s", row->value ? row->value : "VALUE");
}

static void put_options(const struct option *table, struct text *out)
{
    for (const struct option *row = table; row->name; row++) {
        struct text left = TEXT_EMPTY, sentence = TEXT_EMPTY;
        if (row->unlisted)
            continue;
        if (row->group)
            text_printf(out, "\n%s\n", row->group);
        put_option(row, &left);
        text_puts(&sentence, row->sentence);
        if (row->aliases && strchr(row->aliases, ' ') == NULL)
            text_printf(&sentence, " (also --%s)", row->aliases);
        text_printf(out, "  %-*s ", OPTION_COLUMN, left.at);
        words_put_wrapped(out, sentence.at, SENTENCE_COLUMN, COLUMNS);
        text_fini(&left);
        text_fini(&sentence);
    }
}

void help_program(struct text *out)
{
    text_puts(out, "plimsoll " PLIMSOLL_VERSION ": finds the load that a service can carry\n\n"
                   "usage: plimsoll VERB [OPTIONS] ...\n\n");
    for (const struct verb *const *verb = verbs; *verb; verb++) {
        text_printf(out, "  %-*s ", VERB_COLUMN, (*verb)->name);
        words_put_wrapped(out, (*verb)->sentence, VERB_COLUMN + 3, COLUMNS);
    }
    text_puts(out, "\nplimsoll VERB --help says more.\n\nexamples\n"
                   "  plimsoll run http://127.0.0.1:8000/health -u 50 -t 1m -r 5\n"
                   "  plimsoll report @last --format markdown\n");
}

/* "plimsoll run: ...", what is too long for the line going on below what follows the name. */
static void put_title(const char *before, const char *name, const char *after, const char *words,
                      struct text *out)
{
    size_t begin = out->bytes;
    text_printf(out, "%splimsoll %s%s", before, name, *words ? after : "");
    words_put_wrapped(out, words, (unsigned)(out->bytes - begin), COLUMNS);
}

/* The notes with their own lines; only a line that is too long is broken. */
static void put_notes(const char *notes, struct text *out)
{
    text_putc(out, '\n');
    while (*notes) {
        size_t bytes = strcspn(notes, "\n");
        char *line = strndup(notes, bytes);
        if (words_width(line) > COLUMNS)
            words_put_wrapped(out, line, 0, COLUMNS);
        else
            text_printf(out, "%s\n", line);
        free(line);
        notes += bytes + (notes[bytes] == '\n');
    }
}

void help_verb(const struct verb *verb, struct text *out)
{
    put_title("", verb->name, ": ", verb->sentence, out);
    text_putc(out, '\n');
    put_title("usage: ", verb->name, " ", verb->usage, out);
    put_options(verb->options, out);
    if (verb->notes)
        put_notes(verb->notes, out);
    text_puts(out, "\nexamples\n");
    for (size_t i = 0; i < sizeof verb->examples / sizeof *verb->examples; i++)
        if (verb->examples[i])
            text_printf(out, "  %s\n", verb->examples[i]);
}

/* Appends text with what roff would take for itself escaped. */
static void put_roff(const char *words, struct text *out)
{
    for (; words && *words; words++) {
        bool begins = out->bytes == 0 || out->at[out->bytes - 1] == '\n';
        if (begins && (*words == '.' || *words == '\''))
            text_puts(out, "\\&");
        if (*words == '\\')
            text_puts(out, "\\e");
        else if (*words == '-')
            text_puts(out, "\\-");
        else
            text_putc(out, *words);
    }
}

static void man_options(const struct option *table, struct text *out)
{
    for (const struct option *row = table; row->name; row++) {
        struct text left = TEXT_EMPTY;
        put_option(row, &left);
        text_puts(out, ".TP\n.B ");
        put_roff(left.at + strspn(left.at, " "), out);
        text_putc(out, '\n');
        put_roff(row->sentence, out);
        text_puts(out, ".\n");
        text_fini(&left);
    }
}

static void man_verb(const struct verb *verb, struct text *out)
{
    text_puts(out, ".SS plimsoll ");
    put_roff(verb->name, out);
    text_putc(out, ' ');
    put_roff(verb->usage, out);
    text_putc(out, '\n');
    put_roff(verb->sentence, out);
    text_puts(out, ".\n");
    man_options(verb->options, out);
    if (verb->notes) {
        text_puts(out, ".PP\n.nf\n");
        put_roff(verb->notes, out);
        text_puts(out, "\n.fi\n");
    }
    text_puts(out, ".PP\nExamples:\n.nf\n");
    for (size_t i = 0; i < sizeof verb->examples / sizeof *verb->examples; i++) {
        if (!verb->examples[i])
            continue;
        put_roff(verb->examples[i], out);
        text_putc(out, '\n');
    }
    text_puts(out, ".fi\n");
}

void help_man(const struct verb *verb, struct text *out)
{
    text_puts(out, ".TH PLIMSOLL 1 \"\" \"plimsoll " PLIMSOLL_VERSION "\"\n.SH NAME\n"
                   "plimsoll \\- finds the load that a service can carry\n.SH SYNOPSIS\n"
                   ".B plimsoll\n.I VERB\n[options] ...\n.SH VERBS\n");
    if (verb)
        man_verb(verb, out);
    for (const struct verb *const *each = verbs; !verb && *each; each++)
        man_verb(*each, out);
}

static void completion_case(const struct verb *verb, struct text *out)
{
    text_printf(out, "        %s) words='", verb->name);
    for (const struct option *row = verb->options; row->name; row++)
        if (!row->only_letter)
            text_printf(out, "--%s ", row->name);
    text_puts(out, "--help' ;;\n");
}

void help_completion(struct text *out)
{
    text_puts(out, "# bash completion for plimsoll: eval \"$(plimsoll completion bash)\"\n"
                   "_plimsoll() {\n"
                   "    local word=${COMP_WORDS[COMP_CWORD]} words=\n"
                   "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                   "        words='");
    for (const struct verb *const *verb = verbs; *verb; verb++)
        text_printf(out, "%s%s", verb == verbs ? "" : " ", (*verb)->name);
    text_puts(out, "'\n    else\n        case ${COMP_WORDS[1]} in\n");
    for (const struct verb *const *verb = verbs; *verb; verb++)
        completion_case(*verb, out);
    text_puts(out, "        esac\n    fi\n"
                   "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                   "}\n"
                   "complete -o default -F _plimsoll plimsoll\n");
}
