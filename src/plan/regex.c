/* Regular expressions within bounds; see regex.h. The bound is a walk over the expression that
 * adds and multiplies parts as the system's compiler would write them out; where an expression is
 * malformed the walk's sum does not matter, since the compiler then refuses it. */
#include "plan/regex.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 64 };

/* The parts written so far in each open group, and those of its last atom, which a repetition
 * multiplies. */
struct walk {
    double whole[DEEPEST], last[DEEPEST];
    int depth;
};

static void add(struct walk *walk, double parts)
{
    walk->whole[walk->depth] += parts;
    walk->last[walk->depth] = parts;
}

static void repeat(struct walk *walk, double times)
{
    double more = walk->last[walk->depth] * (times - 1);
    walk->whole[walk->depth] += more;
    walk->last[walk->depth] += more;
}

/* The end of a bracket expression that begins at `at`. */
static const char *past_bracket(const char *at)
{
    at++;
    if (*at == '^')
        at++;
    if (*at == ']')
        at++;
    while (*at && *at != ']')
        at++;
    return at;
}

/* The larger number of a bound {m,n}; *at is left on its closing brace, or where the text ends. */
static double read_bound(const char **at)
{
    double most = 1;
    for (const char *digit = *at + 1;; digit++) {
        char *end;
        unsigned long number = strtoul(digit, &end, 10);
        if ((double)number > most)
            most = (double)number;
        digit = end + strcspn(end, ",}");
        *at = digit;
        if (*digit != ',')
            return most;
    }
}

static bool step(struct walk *walk, const char **at)
{
    if (**at == '(') {
        if (++walk->depth == DEEPEST)
            return false;
        walk->whole[walk->depth] = walk->last[walk->depth] = 1;
    } else if (**at == ')' && walk->depth > 0) {
        walk->depth--;
        add(walk, walk->whole[walk->depth + 1]);
    } else if (**at == '+') {
        repeat(walk, 2); /* written out as the thing once, and any number of times */
    } else if (**at == '{') {
        repeat(walk, read_bound(at));
    } else if (**at == '[') {
        *at = past_bracket(*at);
        add(walk, 1);
    } else if (**at == '\\' && (*at)[1]) {
        (*at)++;
        add(walk, 1);
    } else if (**at != '*' && **at != '?') {
        add(walk, 1);
    }
    return walk->whole[walk->depth] <= REGEX_MOST_PARTS;
}

static bool is_affordable(const char *expression)
{
    struct walk walk = {0};
    for (const char *at = expression; *at; at++) {
        if (!step(&walk, &at))
            return false;
        if (!*at)
            break;
    }
    return true;
}

int regex_compile(regex_t *regex, const char *expression, int flags, char *why, size_t room)
{
    if (!is_affordable(expression)) {
        snprintf(why, room, "its repetitions would make it too large: write it with fewer");
        return 1;
    }
    int outcome = regcomp(regex, expression, REG_EXTENDED | flags);
    if (outcome)
        regerror(outcome, regex, why, room);
    return outcome ? 1 : 0;
}
