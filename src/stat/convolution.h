/* stat/convolution.h - closed networks whose stations have several servers: the normalising
 * constants of the product form, as logarithms. Used by stat/mva only. */
#ifndef STAT_CONVOLUTION_H
#define STAT_CONVOLUTION_H

#include "stat/mva.h"

struct convolution;

/* The constants for 0 .. most users. The network must outlive it. Owner: caller,
 * convolution_free. */
struct convolution *convolution_new(const struct network *network, uint32_t most);
/* Frees it; NULL is fine; returns NULL. */
struct convolution *convolution_free(struct convolution *convolution);

/* Requests a second with this many users. */
double convolution_throughput(const struct convolution *convolution, uint32_t users);
/* The mean number at a station. */
double convolution_in_queue(const struct convolution *convolution, size_t station, uint32_t users);

#endif
