/* The configurations: what is scarce, how it is watched, and what must be found. */
#include "planted/planted.h"

#include <stddef.h>

#define MS NSEC_PER_MSEC

const struct planted planted_rows[] = {
    {.name = "database pool",
     .testbed = "--db-pool 10 --db-ms 100",
     .tasks = "[{name: query, post: {url: /db/query, json: {q: 1}}}]",
     .watch = "[{prometheus: {url: /metrics, preset: application}, name: rag, role: service}]",
     .levels = {10, 20, 40, 60, 80, 100, 120, 140, 160, 200},
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "pool",
     .thing = "rag",
     .expected = "connection-pool",
     .capacity_rps = 100,
     .response_s = 0.1},
    {.name = "slots",
     .testbed = "--law batching --slots 8 --step-base-ms 5 --step-per-sequence-ms 1 --tokens 8",
     .tasks = "[{name: chat, openai.chat: {model: m, messages: [{role: user, content: hello}]}}]",
     .watch = "[{prometheus: {url: /metrics, preset: vllm}, name: llm, role: llm},"
              " {prometheus: {url: /metrics, preset: dcgm}, name: gpu, role: gpu}]",
     .levels = {8, 16, 32, 48, 64, 80, 96, 112, 128, 160},
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "slots",
     .thing = "llm",
     .expected = "kv-or-slots",
     .capacity_rps = 8 / (8 * .013),
     .response_s = 8 * .006},
    {.name = NULL},
};
