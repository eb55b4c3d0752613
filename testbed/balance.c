/* Each machine's credit grows by its share; who has most pays 1 and gets it; see balance.h. */
#include "testbed/balance.h"

#include "base/check.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

struct balance {
    uint64_t machines;
    double *shares, *credits;
};

struct balance *balance_new(uint64_t machines, double skew)
{
    struct balance *balance = memory_new(1, sizeof *balance);
    double sum = 0;
    check(machines > 0);
    balance->machines = machines;
    balance->shares = memory_new(machines, sizeof *balance->shares);
    balance->credits = memory_new(machines, sizeof *balance->credits);
    for (uint64_t i = 0; i < machines; i++)
        sum += balance->shares[i] = pow((double)(i + 1), -skew);
    for (uint64_t i = 0; i < machines; i++)
        balance->shares[i] /= sum;
    return balance;
}

struct balance *balance_free(struct balance *balance)
{
    if (!balance)
        return NULL;
    free(balance->shares);
    free(balance->credits);
    free(balance);
    return NULL;
}

uint64_t balance_next(struct balance *balance)
{
    uint64_t best = 0;
    for (uint64_t i = 0; i < balance->machines; i++) {
        balance->credits[i] += balance->shares[i];
        if (balance->credits[i] > balance->credits[best] + 1e-9)
            best = i;
    }
    balance->credits[best] -= 1;
    return best;
}
