/* One line a plug-in. The order of drivers is their number in a plan; that of writers is the order
 * in which their files are written and listed. */
#include "plug/list.h"

#include "base/memory.h"
#include "plug/driver/driver_list.h"
#include "plug/pattern/pattern_list.h"
#include "plug/probe/probe_list.h"
#include "plug/scaler/scaler_list.h"
#include "plug/writer/writer_list.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct driver *const drivers[] = {
    &driver_http, &driver_openai, &driver_ollama, &driver_mcp, &driver_rag, &driver_null,
};

static const struct pattern_word *const patterns[] = {
    &pattern_constant, &pattern_ramp, &pattern_step, &pattern_spike, &pattern_stress, &pattern_soak,
};

/* clang-format off */
static const struct probe *const probes[] = {
    &probe_host,
    &probe_cpu,
    &probe_memory,
    &probe_disk,
    &probe_network,
    &probe_process,
    &probe_cgroup,
    &probe_prometheus,
    &probe_http,
    &probe_gpu,
    &probe_docker,
    &probe_kubernetes,
    &probe_null,
};
/* clang-format on */

static const struct scaler *const scalers[] = {
    &scaler_process, &scaler_cgroup, &scaler_haproxy, &scaler_docker, &scaler_kubernetes,
    &scaler_systemd, &scaler_env,    &scaler_command, &scaler_null,
};

static const struct writer *const writers[] = {
    &writer_text,     &writer_json,      &writer_csv,   &writer_csv_tasks,
    &writer_markdown, &writer_html,      &writer_junit, &writer_prometheus,
    &writer_vllm,     &writer_vllm_text, &writer_null,
};

/* The verbs of all drivers, each knowing its driver's number. */
static void add_verbs(struct plug_list *list)
{
    size_t count = 0;
    for (size_t d = 0; d < COUNT(drivers); d++)
        for (const struct request_verb *verb = drivers[d]->verbs; verb->word; verb++)
            count++;
    list->verbs = memory_new(count, sizeof *list->verbs);
    count = 0;
    for (size_t d = 0; d < COUNT(drivers); d++)
        for (const struct request_verb *verb = drivers[d]->verbs; verb->word; verb++) {
            list->verbs[count] = *verb;
            list->verbs[count++].driver = (int)d;
        }
    list->vocabulary.verbs = list->verbs;
    list->vocabulary.verb_count = count;
}

static void add_patterns(struct plug_list *list)
{
    list->pattern_rows = memory_new(COUNT(patterns), sizeof *list->pattern_rows);
    for (size_t i = 0; i < COUNT(patterns); i++)
        list->pattern_rows[i] = *patterns[i];
    list->vocabulary.patterns = list->patterns = list->pattern_rows;
    list->vocabulary.pattern_count = list->pattern_count = COUNT(patterns);
}

static void add_probes(struct plug_list *list)
{
    list->probe_words = memory_new(COUNT(probes), sizeof *list->probe_words);
    for (size_t i = 0; i < COUNT(probes); i++)
        list->probe_words[i] = (struct plug_word){
            .word = probes[i]->name,
            .sentence = probes[i]->sentence,
            .settings = probes[i]->settings,
            .config_bytes = probes[i]->config_bytes,
            .shorthand = probes[i]->shorthand,
            .number = (int)i,
            .role = probes[i]->role,
            .also = probes[i]->also,
            .unasked = probes[i]->unasked,
        };
    list->vocabulary.probes = list->probe_words;
    list->vocabulary.probe_count = COUNT(probes);
}

static void add_scalers(struct plug_list *list)
{
    list->scaler_count = COUNT(scalers);
    list->scaler_words = memory_new(COUNT(scalers), sizeof *list->scaler_words);
    for (size_t i = 0; i < list->scaler_count; i++)
        list->scaler_words[i] = (struct plug_word){
            .word = scalers[i]->name,
            .sentence = scalers[i]->sentence,
            .settings = scalers[i]->settings,
            .config_bytes = scalers[i]->config_bytes,
            .number = (int)i,
        };
    list->vocabulary.scalers = list->scaler_words;
    list->vocabulary.scaler_count = list->scaler_count;
}

/* The names of all metrics, which thresholds may use. */
static void add_metrics(struct plug_list *list)
{
    size_t count = 0, room = CORE_COUNTERS + CORE_HISTS + CORE_GAUGES + 1;
    for (size_t d = 0; d < COUNT(drivers); d++)
        for (const struct metric *metric = drivers[d]->metrics; metric && metric->name; metric++)
            room++;
    list->metrics = memory_new(room, sizeof *list->metrics);
    for (size_t i = 0; i < CORE_COUNTERS; i++)
        list->metrics[count++] = core_counters[i].name;
    for (size_t i = 0; i < CORE_HISTS; i++)
        list->metrics[count++] = core_hists[i].name;
    for (size_t i = 0; i < CORE_GAUGES; i++)
        list->metrics[count++] = core_gauges[i].name;
    for (size_t d = 0; d < COUNT(drivers); d++)
        for (const struct metric *metric = drivers[d]->metrics; metric && metric->name; metric++)
            list->metrics[count++] = metric->name;
    list->vocabulary.metrics = list->metrics;
}

void plug_list_init(struct plug_list *list)
{
    *list = (struct plug_list){
        .drivers = drivers,
        .driver_count = COUNT(drivers),
        .writers = writers,
        .writer_count = COUNT(writers),
        .probes = probes,
        .probe_count = COUNT(probes),
        .scalers = scalers,
    };
    add_verbs(list);
    add_patterns(list);
    add_probes(list);
    add_scalers(list);
    add_metrics(list);
}

void plug_list_fini(struct plug_list *list)
{
    free(list->verbs);
    free(list->pattern_rows);
    free(list->probe_words);
    free(list->scaler_words);
    free(list->metrics);
    *list = (struct plug_list){.drivers = NULL};
}

const struct writer *plug_writer(const struct plug_list *list, const char *name)
{
    for (size_t i = 0; i < list->writer_count; i++)
        if (strcmp(list->writers[i]->name, name) == 0)
            return list->writers[i];
    return NULL;
}
