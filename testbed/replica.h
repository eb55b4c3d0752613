/* testbed/replica.h - one of the machines that answer under the batching law, and its GPU.
 *
 * The GPU is simulated from what the machine does, second by second. A step of length
 * p / prefill_rate + a + c * b (batching.h) is time at work; the tensor cores are active during
 * prefill and c * b, memory is read during a (the weights, once a step) and c * b (the KV cache);
 * power lies between idle and busy as utilisation does. Used memory is the weights and the KV cache
 * of the sequences in it. Shares are those of the last second that is over.
 *
 * Metrics are written with the names of NVIDIA's DCGM exporter and of vLLM, one line a machine. */
#ifndef TESTBED_REPLICA_H
#define TESTBED_REPLICA_H

#include "testbed/connection.h"

enum { REPLICAS_MOST = 1024 };

/* Makes testbed->replicas and the balancer before them. */
void replicas_init(struct testbed *testbed);
/* All sequences must have left. */
void replicas_fini(struct testbed *testbed);
/* The machine that the balancer gives to a new connection; NULL under another law. */
struct replica *replicas_next(struct testbed *testbed);

/* Its machine's arithmetic. */
struct batching *replica_batching(struct replica *replica);
/* Ends the steps that are over by now, and sets the timer to the end of the present one. */
void replica_advance(struct replica *replica, nsec_t now_ns);
/* Sets the timer alone. */
void replica_arm(struct replica *replica);

/* Adds what all machines hold at this instant. */
void replicas_count(struct testbed *testbed, struct testbed_counts *out);
/* Writes the DCGM and vLLM metrics. */
void replicas_write(struct testbed *testbed, struct text *out);

#endif
