/* base/check.h - states what we, the programmers, can get wrong.
 *
 * check(x) is always compiled in and ends the process with the place and the claim.
 * What the world gets wrong (input, network, disk) is an error, never a check. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

/* Ends the process when the claim is false; the claim must have no side effect. */
#define check(claim) ((claim) ? (void)0 : check_failed(#claim, __FILE__, __LINE__))

/* Says on standard error which claim failed and where, then aborts. */
_Noreturn void check_failed(const char *claim, const char *file, int line);

#endif
