/* plan/regex.h - POSIX extended regular expressions as plans may hold them: compiled, or refused
 * with the reason. Private to this room.
 *
 * The system's compiler writes repetitions out: a{1000}{1000} or a++++++++++++++++++++ would take
 * it hours and all memory. What would grow beyond REGEX_MOST_PARTS is refused before it sees it. */
#ifndef PLAN_REGEX_H
#define PLAN_REGEX_H

#include <regex.h>
#include <stddef.h>

enum { REGEX_MOST_PARTS = 20000 };

/* Compiles an expression (REG_EXTENDED is added to flags). Returns 0 (owner: caller, regfree), or
 * 1 with why filled. */
int regex_compile(regex_t *regex, const char *expression, int flags, char *why, size_t room);

#endif
